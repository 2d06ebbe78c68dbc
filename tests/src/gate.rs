//! Between a service and its node: requests of one kind are held, answered to nobody, refused, or answered falsely, from when a test says so.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It reaches the node, and its answer whoever asked.
    Passes,
    /// It does not reach the node, and nobody hears of it.
    Held,
    /// It reaches the node, and nobody hears of it.
    AnswerHeld,
    /// HTTP 502, at once.
    Refused,
}

/// A way to a node.
#[derive(Debug)]
pub struct Gate {
    /// For the service.
    pub url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    node: String,
    client: reqwest::Client,
    /// The method, or all if it is empty.
    fate: Mutex<(String, Fate)>,
    /// Of a method, what is answered in the node's place.
    said: Mutex<Option<(String, Value)>>,
    /// Transactions of which the node seems to know nothing.
    forgotten: Mutex<Vec<String>>,
    met: watch::Sender<u64>,
    /// What was asked, request by request.
    asked: Mutex<Vec<String>>,
}

impl Gate {
    /// In front of a node.
    pub async fn start(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared {
            node: node.to_owned(),
            client: reqwest::Client::new(),
            fate: Mutex::new((String::new(), Fate::Passes)),
            said: Mutex::default(),
            forgotten: Mutex::default(),
            met: watch::channel(0).0,
            asked: Mutex::default(),
        });
        let app = Router::new().fallback(carry).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { url, shared, serving }
    }

    /// What happens to requests of a method from now on; of every method, if it is empty. Returns how many have met a fate so far.
    pub fn set(&self, method: &str, fate: Fate) -> u64 {
        *self.shared.fate.lock().unwrap_or_else(PoisonError::into_inner) = (method.to_owned(), fate);
        *self.shared.met.borrow()
    }

    /// From now on the node seems to answer this to requests of a method that come alone, until it is said to be itself again.
    pub fn say(&self, lie: Option<(&str, Value)>) {
        let lie = lie.map(|(method, answer)| (method.to_owned(), answer));
        *self.shared.said.lock().unwrap_or_else(PoisonError::into_inner) = lie;
    }

    /// From now on the node seems to have forgotten a transaction and its receipt.
    pub fn forget(&self, transaction: &str) {
        self.shared.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push(transaction.to_owned());
    }

    /// Requests that named a method so far, however often each did.
    pub fn asked(&self, method: &str) -> usize {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|body| body.contains(&format!("\"{method}\""))).count()
    }

    /// Waits until another request has met its fate than the `before` first: where its answer is held, until the node has given it.
    pub async fn met(&self, before: u64) {
        let mut met = self.shared.met.subscribe();
        tokio::time::timeout(crate::PATIENCE, met.wait_for(|met| *met > before))
            .await
            .expect("a request comes")
            .expect("the gate is there");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn carry(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let (method, fate) = shared.fate.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8_lossy(&body).into_owned();
    let said = shared.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let (Some((method, answer)), Ok(asked)) = (said, serde_json::from_str::<Value>(&text))
        && asked["method"] == method.as_str()
    {
        return Json(json!({"jsonrpc": "2.0", "id": asked["id"], "result": answer})).into_response();
    }
    let forgotten = shared.forgotten.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let forgotten = ids_of(&text, &forgotten);
    let is_it = method.is_empty() || text.contains(&format!("\"{method}\""));
    shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    let fate = if is_it { fate } else { Fate::Passes };
    let meet = || shared.met.send_modify(|met| *met += 1);
    match fate {
        Fate::Refused => {
            meet();
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Fate::Held => {
            meet();
            return std::future::pending().await;
        }
        Fate::Passes | Fate::AnswerHeld => {}
    }
    let json = (header::CONTENT_TYPE, "application/json");
    let request = shared.client.post(&shared.node).header(json.0.clone(), json.1).body(body);
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let Ok(text) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    if fate == Fate::AnswerHeld {
        meet();
        return std::future::pending().await;
    }
    if !forgotten.is_empty()
        && let Ok(mut answers) = serde_json::from_slice::<Value>(&text)
    {
        for answer in each(&mut answers) {
            if forgotten.contains(&answer["id"]) {
                answer["result"] = Value::Null;
            }
        }
        return Json(answers).into_response();
    }
    ([json], text).into_response()
}

/// The ids of those requests that are about one of these transactions.
fn ids_of(requests: &str, hashes: &[String]) -> Vec<Value> {
    let Ok(mut requests) = serde_json::from_str::<Value>(requests) else { return Vec::new() };
    let is_about =
        |request: &&mut Value| request["params"][0].as_str().is_some_and(|of| hashes.iter().any(|h| h == of));
    each(&mut requests).iter_mut().filter(is_about).map(|request| request["id"].clone()).collect()
}

/// One message, or all of a batch.
fn each(messages: &mut Value) -> &mut [Value] {
    match messages {
        Value::Array(all) => all,
        one => std::slice::from_mut(one),
    }
}
