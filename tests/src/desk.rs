//! A `crowdsale serve` that takes orders and signs vouchers, and whoever asks it.

use std::process::Command;

use alloy::{hex, primitives::B256};
use crowdsale::{
    access::{self, KeyTerms, Mode, Scope, Source},
    seal::Sealer,
};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::{
    Database,
    process::{Process, binary},
    until,
};

/// The master key of all desks.
const MASTER: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a01";

/// A key of the API for a database, which outlives every service on it.
pub async fn api_key(database: &Database, scopes: &[Scope]) -> String {
    let sealer = Sealer::new(MASTER.parse().expect("a master key"), []);
    let mut connection = database.pool.acquire().await.expect("a connection");
    let pepper = access::pepper(&mut connection, &sealer).await.expect("a pepper");
    let terms = KeyTerms {
        label: "desk".to_owned(),
        mode: Mode::Test,
        scopes: scopes.to_vec(),
        networks: Vec::new(),
        expires_in_seconds: None,
    };
    let source = Source { actor: "operator:test".to_owned(), ..Source::default() };
    let created = access::create(&mut connection, &pepper, &terms, &source).await.expect("a key");
    created.key.expose().to_owned()
}

/// How a desk is started.
#[derive(Clone, Debug)]
pub struct DeskFlags {
    /// URL of the database.
    pub database_url: String,
    /// URL of the node.
    pub rpc_url: String,
    /// Signs orders and vouchers.
    pub signer: B256,
    /// The key that asks.
    pub secret: String,
    /// Further flags.
    pub more: Vec<String>,
}

/// A running service. Dropped, it is killed as by `kill -9`.
#[derive(Debug)]
pub struct Desk {
    _process: Process,
    url: String,
    client: Client,
    secret: String,
}

impl Desk {
    /// Starts it on a free port.
    pub async fn start(flags: &DeskFlags) -> Self {
        let mut command = Command::new(binary());
        let key = hex::encode(flags.signer);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"])
            .args(&flags.more)
            .env("CROWDSALE_DATABASE_URL", &flags.database_url)
            .env("CROWDSALE_RPC_URL", &flags.rpc_url)
            .env("CROWDSALE_MASTER_KEY", MASTER)
            .env("CROWDSALE_ORDER_SIGNER", &key)
            .env("CROWDSALE_VOUCHER_SIGNER", &key)
            .env("NO_COLOR", "1");
        let mut process = Process::spawn("crowdsale serve", &mut command, true);
        let url = until("the desk listens", async || {
            let output = process.output();
            if let Some(status) = process.exited() {
                panic!("the desk ended: {status}");
            }
            let (_, rest) = output.split_once("serving ")?;
            rest.split_once(';').map(|(url, _)| url.to_owned())
        })
        .await;
        Self { _process: process, url, client: Client::new(), secret: flags.secret.clone() }
    }

    /// `kill -9`.
    pub fn kill(self) {}

    fn request(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.secret)
    }

    /// A POST on its way: the status of its answer, and its body. It fails where the service dies before it answers.
    pub fn post(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> impl Future<Output = Result<(u16, Value, bool), reqwest::Error>> + Send + use<> {
        let request = self.client.post(format!("{}{path}", self.url)).header("idempotency-key", key.replace(' ', "-"));
        let request = self.request(request).json(body);
        async move {
            let answer = request.send().await?;
            let replayed = answer.headers().contains_key("idempotency-replayed");
            Ok((answer.status().as_u16(), answer.json().await?, replayed))
        }
    }

    /// The data of a POST that must be taken.
    pub async fn take(&self, path: &str, key: &str, body: &Value) -> Value {
        let (status, answer, _) = self.post(path, key, body).await.expect("an answer");
        assert!((200..300).contains(&status), "{path} {body}: {status}: {answer}");
        answer["data"].clone()
    }

    /// The problem of a POST that must be refused.
    pub async fn refused(&self, path: &str, key: &str, body: &Value) -> (u16, String, String) {
        let (status, answer, _) = self.post(path, key, body).await.expect("an answer");
        let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("{field} of {answer}")).to_owned();
        (status, text("code"), text("detail"))
    }

    /// The answer to a GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.request(self.client.get(format!("{}{path}", self.url))).send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {status}: {body}");
        body
    }

    /// The same for whoever has this token.
    pub async fn get_as(&self, token: &str, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(token).send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{path}: {status}: {body}");
        body
    }

    /// What it counts, as Prometheus reads it.
    pub async fn metrics(&self) -> String {
        let answer = self.client.get(format!("{}/metrics", self.url)).send().await.expect("an answer");
        answer.text().await.expect("a text")
    }

    /// An order as it is now.
    pub async fn order(&self, id: &str) -> Value {
        self.get(&format!("/v1/orders/{id}")).await["data"].clone()
    }

    /// Waits until an order is in a state.
    pub async fn reaches(&self, id: &str, state: &str) -> Value {
        let what = format!("order {id} is {state}");
        until(&what, async || {
            let order = self.order(id).await;
            (order["state"] == state).then_some(order)
        })
        .await
    }
}

/// The states of an order's history, in order.
pub fn history(order: &Value) -> Vec<&str> {
    order["history"].as_array().expect("a history").iter().map(|e| e["state"].as_str().expect("a state")).collect()
}
