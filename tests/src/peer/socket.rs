//! The same node by WebSocket.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{core::Core, json, server::Peer};

/// A WebSocket of a [`Peer`]; it ends with the value.
#[derive(Debug)]
pub struct Socket {
    /// Where it listens.
    pub url: String,
    serving: JoinHandle<()>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Peer {
    /// Listens for WebSockets. `eth_subscribe` always succeeds; without `notify` nothing ever comes of it.
    pub async fn socket(&self, notify: bool) -> Socket {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}", listener.local_addr().expect("its address"));
        let core = self.core.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, core.clone(), notify));
            }
        });
        Socket { url, serving }
    }
}

async fn serve(stream: TcpStream, core: Arc<Mutex<Core>>, notify: bool) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    let mut subscribed = false;
    let mut last = None;
    let mut look = tokio::time::interval(Duration::from_millis(5));
    loop {
        let message = tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => answer(&text, &core, &mut subscribed),
                Some(Ok(_)) => continue,
                _ => return,
            },
            _ = look.tick(), if subscribed && notify => match news(&core, &mut last) {
                Some(message) => message,
                None => continue,
            },
        };
        if socket.send(Message::Text(message.to_string().into())).await.is_err() {
            return;
        }
    }
}

fn answer(text: &str, core: &Mutex<Core>, subscribed: &mut bool) -> Value {
    let request: Value = serde_json::from_str(text).unwrap_or_default();
    if request["method"] == "eth_subscribe" {
        *subscribed = true;
        return json!({ "jsonrpc": "2.0", "id": request["id"], "result": "0x1" });
    }
    let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
    core.begin(&request);
    core.answer_all(&request)
}

/// A head that was not told yet.
fn news(core: &Mutex<Core>, last: &mut Option<alloy::primitives::B256>) -> Option<Value> {
    let mut core = core.lock().unwrap_or_else(PoisonError::into_inner);
    let head = core.tree.now().head().clone();
    if last.replace(head.hash) == Some(head.hash) {
        return None;
    }
    let header = json::block(&head, &mut core.faults);
    Some(json!({
        "jsonrpc": "2.0", "method": "eth_subscription", "params": { "subscription": "0x1", "result": header },
    }))
}
