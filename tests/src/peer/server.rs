//! HTTP by hand: what is answered wrong here, no server library would let out.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::core::{Core, Director, Reply};

/// A JSON-RPC peer that misbehaves on command. It ends with the value.
#[derive(Debug)]
pub struct Peer {
    /// Where it listens.
    pub url: String,
    pub(super) core: Arc<Mutex<Core>>,
    serving: JoinHandle<()>,
}

impl Peer {
    /// Listens on a free port.
    pub async fn start(core: Core) -> Self {
        let core = Arc::new(Mutex::new(core));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = core.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let core = shared.clone();
                let exchange =
                    async move |body: Vec<u8>| core.lock().unwrap_or_else(PoisonError::into_inner).exchange(&body);
                tokio::spawn(serve(stream, exchange));
            }
        });
        Self { url, core, serving }
    }

    /// Its state; no answer is given meanwhile.
    pub fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `director` before every exchange.
    pub fn direct(&self, director: Director) {
        self.core().director = Some(director);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// In front of another node: it knows no `safe` and no `finalized` block. Development nodes call final what they take back a moment
/// later. It ends with the value.
#[derive(Debug)]
pub struct Mask {
    /// Where it listens.
    pub url: String,
    serving: JoinHandle<()>,
}

impl Mask {
    /// In front of the node at `to`.
    pub async fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let to = to.to_owned();
        let serving = tokio::spawn(async move {
            let client = reqwest::Client::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (client, to) = (client.clone(), to.clone());
                tokio::spawn(serve(stream, async move |body| mask(&client, &to, body).await.unwrap_or(Reply::Close)));
            }
        });
        Self { url, serving }
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn mask(client: &reqwest::Client, to: &str, body: Vec<u8>) -> Option<Reply> {
    let request: Value = serde_json::from_slice(&body).ok()?;
    let answer = client.post(to).header("content-type", "application/json").body(body).send().await.ok()?;
    let status = answer.status().as_u16();
    let mut answer: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    for asked in request.as_array().unwrap_or(&vec![request.clone()]) {
        if asked["params"][0] != "safe" && asked["params"][0] != "finalized" {
            continue;
        }
        let nothing =
            json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -39001, "message": "unknown block"}});
        match answer.as_array_mut() {
            Some(all) => all.iter_mut().filter(|one| one["id"] == asked["id"]).for_each(|one| *one = nothing.clone()),
            None => answer = nothing,
        }
    }
    Some(Reply::Http(status, answer.to_string().into_bytes(), Duration::ZERO))
}

/// Requests of one connection, one after another.
async fn serve(mut stream: TcpStream, mut exchange: impl AsyncFnMut(Vec<u8>) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(body) = read_request(&mut stream, &mut buffer).await? {
        match exchange(body).await {
            Reply::Http(status, body, pause) => {
                tokio::time::sleep(pause).await;
                let head = format!(
                    "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(&[head.as_bytes(), &body].concat()).await?;
            }
            Reply::Close => return Ok(()),
            // Until the other side gives up.
            Reply::Silence => drop(stream.read(&mut [0; 1]).await?),
        }
    }
    Ok(())
}

/// The body of the next request, `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if buffer.len() >= whole {
                let body = buffer[end + 4..whole].to_vec();
                buffer.drain(..whole);
                return Ok(Some(body));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
