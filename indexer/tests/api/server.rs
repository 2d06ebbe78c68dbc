//! What the server does around the API: ids, headers, compression, panics, slow clients, and the end.

use std::time::Duration;

use axum::{Router, body::Body, http::Request, routing::get as route};
use crowdsale::{
    api,
    serve::{self, ServeOptions},
};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// Serves `router` on a free port, with a short time for heads.
async fn served(router: Router) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let options = ServeOptions { header_read_timeout: Duration::from_millis(50), ..ServeOptions::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let app = serve::layered(router, options);
    let server = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve::run_app(listener, app, options, shutdown).await.unwrap() }
    });
    (address, shutdown, server)
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn slow_heads_are_dropped(pool: PgPool) {
    let (address, shutdown, server) = served(api::router(state(&pool))).await;
    for head in ["", "P", "GET", "GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Ends only because the server closes it: this client never does.
        let answer = read_to_end(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{head:?}: {answer}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    shutdown.cancel();
    server.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_lets_answers_end() {
    let (begun, go_on) = (CancellationToken::new(), CancellationToken::new());
    let router = Router::new().route(
        "/slow",
        route({
            let (begun, go_on) = (begun.clone(), go_on.clone());
            move || async move {
                begun.cancel();
                go_on.cancelled().await;
                "whole"
            }
        }),
    );
    let (address, shutdown, server) = served(router).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    begun.cancelled().await;
    shutdown.cancel();
    // Nobody new gets in once the listener is gone; whoever is in gets the whole answer.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.cancel();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("whole"), "{answer}");
    server.await.unwrap();
}

#[tokio::test]
async fn panics_and_late_answers_are_problems() {
    let options = ServeOptions { request_timeout: Duration::from_millis(10), ..ServeOptions::default() };
    let router = Router::new()
        .route(
            "/panic",
            route(|| async {
                if true {
                    panic!("secret")
                }
            }),
        )
        .route("/never", route(std::future::pending::<()>))
        .route("/large", route(|| async { "x".repeat(100_000) }).post(|body: String| async { body }));
    let app = serve::layered(router, options);
    let panicked = get(&app, "/panic").await;
    panicked.is_problem(500, "internal");
    assert!(!panicked.text.contains("secret"));
    assert_eq!(get(&app, "/never").await.is_problem(503, "timeout").header("retry-after"), "5");
    let body = Body::from(vec![b'x'; 70_000]);
    send(&app, Request::post("/large").body(body).unwrap()).await.is_problem(413, "payload_too_large");
    let body = Body::from(vec![b'x'; 60_000]);
    assert_eq!(send(&app, Request::post("/large").body(body).unwrap()).await.status, 200);
    let request = Request::get("/large").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(app, request).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
}

#[sqlx::test(migrations = "./migrations")]
async fn every_answer_has_an_id_and_safe_headers(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    for path in ["/v1/sales", "/nothing", "/v1/sales?limit=0", "/docs", "/metrics"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let long = "x".repeat(129);
    for (given, kept) in [
        ("a1B2-_.:", true),
        ("", false),
        (&long, false),
        ("a b", false),
        ("a\"b", false),
        ("{\"level\":\"error\"}", false),
    ] {
        let request = Request::get("/healthz").header("x-request-id", given).body(Body::empty()).unwrap();
        let answer = send(&app, request).await;
        assert_eq!(answer.header("x-request-id") == given, kept, "{given:?}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn any_page_may_read(pool: PgPool) {
    let app = app(&pool);
    let request = Request::options("/v1/sales")
        .header("origin", "https://example.org")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "if-none-match")
        .body(Body::empty())
        .unwrap();
    let answer = send(&app, request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD");
    assert!(answer.header("access-control-allow-headers").contains("if-none-match"));
}
