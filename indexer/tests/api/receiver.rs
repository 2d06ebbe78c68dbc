//! A receiver of webhooks on loopback, which answers as it is told and keeps what it got.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use tokio::net::TcpListener;

/// One request.
#[derive(Clone, Debug)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: Bytes,
    /// As it was answered.
    pub status: u16,
}

impl Got {
    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether another's check of `v1` accepts it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        standardwebhooks::Webhook::new(secret).unwrap().verify(&self.body, &self.headers).is_ok()
    }

    /// Whether one of its signatures `v1a` is of this key.
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let key = BASE64_STANDARD.decode(public_key.strip_prefix("whpk_").unwrap()).unwrap();
        let timestamp = self.headers["webhook-timestamp"].to_str().unwrap();
        let signed = [format!("{}.{timestamp}.", self.id()).as_bytes(), &self.body].concat();
        let signatures = self.headers["webhook-signature"].to_str().unwrap().split(' ');
        signatures.filter_map(|s| s.strip_prefix("v1a,")).any(|signature| {
            let signature = BASE64_STANDARD.decode(signature).unwrap();
            UnparsedPublicKey::new(&ED25519, &key).verify(&signed, &signature).is_ok()
        })
    }
}

/// A status, and `Retry-After`.
type Scripted = (u16, Option<&'static str>);

#[derive(Clone, Debug, Default)]
struct Shared {
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<Scripted>>>,
}

pub struct Receiver {
    pub url: String,
    shared: Shared,
}

impl Receiver {
    pub async fn start() -> Self {
        let shared = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    /// Answers the next requests so; those after them 200.
    pub fn answer(&self, answers: impl IntoIterator<Item = Scripted>) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    pub fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// What was accepted, by id.
    pub fn accepted(&self) -> BTreeMap<String, Got> {
        let accepted = self.got().into_iter().filter(|g| g.status < 300);
        accepted.map(|got| (got.id().to_owned(), got)).collect()
    }

    /// Waits until so many requests came.
    pub async fn wait(&self, count: usize) -> Vec<Got> {
        until(&format!("{count} requests came"), async || Some(self.got()).filter(|got| got.len() >= count)).await
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (status, retry_after) = shared.answers.lock().unwrap().pop_front().unwrap_or((200, None));
    shared.got.lock().unwrap().push(Got { headers, body, status });
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.parse().unwrap());
    }
    response
}

/// Asks again and again until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}
