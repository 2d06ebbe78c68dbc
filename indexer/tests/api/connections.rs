//! What a connection may take from others: bodies that do not come, answers that nobody reads, more of them than an address may have.

use std::{collections::BTreeSet, net::SocketAddr, num::NonZeroUsize, time::Duration};

use axum::{Router, body::Body, http::Request, routing::get as route};
use crowdsale::{
    api::{ApiOptions, ApiState, auth::ClientAddress},
    serve::{self, Limits, ServeOptions},
    telemetry,
};
use serde_json::Value;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::*;

/// Serves until the guard is dropped.
async fn served(router: Router, options: ServeOptions) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let app = serve::layered(router, options.clone());
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve::run_app(listener, app, options, shutdown).await.unwrap() }
    });
    (address, shutdown.drop_guard())
}

async fn connect(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

/// What comes until the server closes the connection: this client never does.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_body_that_does_not_come_is_told_so_and_nothing_is_done() {
    let options = ServeOptions { body_timeout: Duration::from_millis(100), ..ServeOptions::default() };
    let router = Router::new().route("/", route(|| async {}).post(|| async { "it was done" }));
    let (address, _server) = served(router, options).await;
    for (body, status, code) in [
        ("content-length: 100\r\n\r\n{\"chain\":", "408", "body_timeout"),
        ("transfer-encoding: chunked\r\n\r\n5\r\n{\"cha", "408", "body_timeout"),
        ("transfer-encoding: chunked\r\n\r\nnonsense\r\n", "400", "bad_request"),
        ("content-length: 70000\r\n\r\n", "413", "payload_too_large"),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{body}");
        let answer = rest(connect(address, request.as_bytes()).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{body:?}: {answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{body:?}: {answer}");
    }
    let mut half = connect(address, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{").await;
    half.shutdown().await.unwrap();
    let answer = rest(half).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_not_kept_for_ever() {
    // Much more than the kernel keeps for a connection.
    let router = Router::new()
        .route("/large", route(|| async { vec![b'x'; 64 << 20] }))
        .route("/small", route(|| async { "here" }));
    let options = ServeOptions { connections: 1, read_timeout: Duration::from_millis(200), ..ServeOptions::default() };
    let (address, _server) = served(router, options).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut unread = socket.connect(address).await.unwrap();
    unread.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // It has the only place there is: another one is answered because it loses that.
    let second = connect(address, b"GET /small HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(rest(second).await.ends_with("here"));
    // Who reads, however slowly, gets all of it.
    let mut slow = connect(address, b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (mut read, mut piece) = (0, vec![0; 1 << 20]);
    loop {
        match slow.read(&mut piece).await.unwrap() {
            0 => break,
            more => read += more,
        }
    }
    assert!(read > 64 << 20, "{read}");
    drop(unread);
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_no_more() {
    let each = NonZeroUsize::new(2);
    let router = || Router::new().route("/", route(|| async { "here" }));
    let (address, _server) =
        served(router(), ServeOptions { connections_per_address: each, ..ServeOptions::default() }).await;
    let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(address, ask).await;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        open.push(stream);
    }
    let refused = rest(TcpStream::connect(address).await.unwrap()).await;
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n") && head.contains("retry-after: 5"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())) && head.contains("problem+json"), "{head}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&"too_many_requests".into(), &429.into()));
    assert!(problem["detail"].as_str().unwrap().contains("2 connections"), "{problem}");
    // One that ends makes room for another.
    drop(open.pop());
    loop {
        let mut again = connect(address, ask).await;
        let mut status = [0; 12];
        if again.read_exact(&mut status).await.is_ok() && &status == b"HTTP/1.1 200" {
            break;
        }
        tokio::task::yield_now().await;
    }
    // A trusted proxy has them for others.
    let limits = Limits::new(None, vec!["127.0.0.0/8".parse().unwrap()]);
    let options = ServeOptions { connections_per_address: each, limits, ..ServeOptions::default() };
    let (address, _proxied) = served(router(), options).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut stream = connect(address, ask).await;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        open.push(stream);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn an_address_has_so_many_streams_and_no_more(pool: PgPool) {
    chain(&pool, CHAIN).await;
    tip(&pool, CHAIN, 1, 0).await;
    let options = ApiOptions { listeners: 3, listeners_per_address: NonZeroUsize::new(2), ..ApiOptions::default() };
    let state = ApiState::new(pool.clone(), telemetry::install_metrics().unwrap(), options);
    let app = serve::app(state, ServeOptions::default());
    let listen = async |peer: &str| {
        let path = format!("/v1/investors/{}/events?chain={CHAIN}", addr("alice"));
        let request = Request::get(path).extension(ClientAddress(peer.parse().unwrap())).body(Body::empty()).unwrap();
        tower::ServiceExt::oneshot(app.clone(), request).await.unwrap()
    };
    let mut open = vec![listen("1.1.1.1").await, listen("::ffff:1.1.1.1").await];
    assert!(open.iter().all(|answer| answer.status() == 200));
    assert_eq!(listen("1.1.1.1").await.status(), 429);
    // Others find what is left for all, and no more.
    open.push(listen("2001:db8::1").await);
    assert_eq!(open[2].status(), 200);
    assert_eq!(listen("2001:db9::1").await.status(), 503);
    open.remove(0);
    assert_eq!(listen("1.1.1.1").await.status(), 200);
}

/// By the document: what needs a key or a session, or changes something, is no other page's business.
#[sqlx::test(migrations = "./migrations")]
async fn other_pages_read_what_anybody_may_read_and_nothing_else(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let document: Value = serde_json::from_str(&get(&app, "/openapi.json").await.text).unwrap();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let asked =
            path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().unwrap() {
            if !["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                continue;
            }
            let is_open = method == "get" && operation["security"].as_array().is_none_or(Vec::is_empty);
            // A nonce is of no use to who may not sign in with it.
            let is_open = is_open && path != "/v1/sessions/nonce";
            let request =
                |method: &str| Request::builder().method(method).uri(&asked).header("origin", "https://x.example");
            let answer = send(&app, request(&method.to_uppercase()).body(Body::empty()).unwrap()).await;
            let origin = answer.header("access-control-allow-origin");
            assert_eq!(origin, if is_open { "*" } else { "" }, "{method} {path}");
            let preflight = request("OPTIONS").header("access-control-request-method", method.to_uppercase());
            let preflight = preflight.header("access-control-request-headers", "authorization").body(Body::empty());
            let answer = send(&app, preflight.unwrap()).await;
            assert!(!answer.header("access-control-allow-headers").contains("authorization"), "{method} {path}");
            assert!(!answer.header("access-control-allow-methods").to_lowercase().contains("post"), "{method} {path}");
            seen.insert(is_open);
        }
    }
    assert_eq!(seen.len(), 2, "both kinds are there");
}
