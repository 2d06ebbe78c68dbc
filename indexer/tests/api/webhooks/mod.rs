//! Webhooks: made, changed and removed by who may; told of what is committed, signed, tried again, given up and replayed.

mod routes;
mod sending;
mod telling;

use std::time::Duration;

use axum::{Router, body::Body};
use crowdsale::{
    access::{self, Scope, Source},
    api::auth::Service,
    serve::{self, ServeOptions},
    webhooks::{Guard, Options, Schedule},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    keys::{key, post, sealer, with},
    live::{applied, reverted},
    receiver::{Receiver, until},
    schemas::{assert_described, document},
    support::*,
};

/// Retries at once, twice.
fn quick() -> Options {
    Options { schedule: Schedule::new([Duration::ZERO; 2]), poll: Duration::from_millis(50), ..Options::default() }
}

fn service(pool: &PgPool, options: Options) -> Service {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], true);
    Service::new(pool.clone(), sealer()).with_webhooks(pool.clone(), guard, options)
}

fn private(pool: &PgPool) -> Router {
    serve::app(state(pool).with_service(service(pool, quick())), ServeOptions::default())
}

/// A process that tells webhooks, and takes requests on `app` as well.
struct Process {
    app: Router,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl Process {
    async fn start(pool: &PgPool, options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = state(pool).with_service(service(pool, options));
        let shutdown = CancellationToken::new();
        let (served, stop) = (state.clone(), shutdown.clone());
        let server = tokio::spawn(async move {
            serve::run(listener, served, ServeOptions::default(), stop).await.unwrap();
        });
        Self { app: serve::app(state, ServeOptions::default()), shutdown, server }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.server.await.unwrap();
    }
}

async fn request(app: &Router, method: &str, path: &str, secret: &str) -> Answer {
    send(app, with(method, path, secret).body(Body::empty()).unwrap()).await
}

async fn patch(app: &Router, path: &str, secret: &str, idempotency: &str, body: &Value) -> Answer {
    let request = with("PATCH", path, secret)
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency)
        .body(Body::from(body.to_string()))
        .unwrap();
    send(app, request).await
}

/// Makes a webhook; its path and its secret.
async fn made(app: &Router, secret: &str, idempotency: &str, body: Value) -> (String, String) {
    let answer = post(app, "/v1/webhooks", secret, idempotency, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let path = format!("/v1/webhooks/{}", answer.body["data"]["id"].as_str().unwrap());
    (path, answer.body["secret"].as_str().unwrap().to_owned())
}

async fn numbers(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

const DELIVERIES: &str = "SELECT count(*) FROM crowdsale_service.webhook_delivery";

async fn noted_count(pool: &PgPool) -> i64 {
    numbers(pool, "SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'delivered'").await
}

/// A process, a key and a webhook with its receiver.
async fn one(pool: &PgPool, options: Options) -> (Process, access::ApiKey, Receiver, String, String) {
    chain(pool, CHAIN).await;
    let process = Process::start(pool, options).await;
    let own = key(pool, &[Scope::WebhooksWrite], &[]).await.key;
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "label": "one"});
    let (path, secret) = made(&process.app, own.expose(), "one", body).await;
    (process, own, receiver, path, secret)
}

async fn in_state(app: &Router, path: &str, secret: &str, state: &str, count: usize) -> Vec<Value> {
    let listed = format!("{path}/deliveries?state={state}");
    until(&format!("{count} are {state}"), async || {
        let answer = request(app, "GET", &listed, secret).await.ok();
        Some(answer.rows().clone()).filter(|rows| rows.len() == count)
    })
    .await
}
