//! HTTP by hand: what is answered wrong here, no server library would let out.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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
                tokio::spawn(async move { drop(serve(stream, core).await) });
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

/// Requests of one connection, one after another.
async fn serve(mut stream: TcpStream, core: Arc<Mutex<Core>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(body) = read_request(&mut stream, &mut buffer).await? {
        let reply = core.lock().unwrap_or_else(PoisonError::into_inner).exchange(&body);
        match reply {
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
