//! What the server does around the API: ids, headers, compression, panics, slow clients, and the end.

use std::{num::NonZeroU32, time::Duration};

use axum::{Router, body::Body, http::Request, routing::get as route};
use crowdsale::{
    access::Scope,
    api::{
        self, ApiOptions, ApiState,
        auth::{ClientAddress, Service},
    },
    serve::{self, Limits, ServeOptions},
    telemetry,
};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    keys::{key, sealer},
    support::*,
};

/// Serves `router` on a free port, with a short time for heads.
async fn served(router: Router) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let options = ServeOptions { header_read_timeout: Duration::from_millis(50), ..ServeOptions::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let app = serve::layered(router, options.clone());
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

/// The answer to a request that came from `peer`, with these headers.
async fn from(app: &Router, peer: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).extension(ClientAddress(peer.parse().unwrap()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

#[sqlx::test(migrations = "./migrations")]
async fn an_address_has_so_many_requests_and_no_more(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let limits = Limits::new(NonZeroU32::new(5), vec!["10.0.0.0/8".parse().unwrap()]);
    let app = serve::app(state(&pool), ServeOptions { limits, ..ServeOptions::default() });
    for left in (0..5).rev() {
        let answer = from(&app, "1.1.1.1", "/v1/status", &[]).await.ok();
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=5;w=60");
        assert!(
            answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")),
            "{}",
            answer.header("ratelimit")
        );
    }
    let refused = from(&app, "1.1.1.1", "/v1/status", &[]).await;
    refused.is_problem(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="));
    assert_eq!(refused.header("access-control-allow-origin"), "*", "a page is told too");
    // A header that anybody can write makes nobody else of them; nor does an IPv6 spelling.
    let spoofed = [("x-forwarded-for", "9.9.9.9")];
    from(&app, "1.1.1.1", "/v1/status", &spoofed).await.is_problem(429, "too_many_requests");
    from(&app, "::ffff:1.1.1.1", "/v1/status", &[]).await.is_problem(429, "too_many_requests");
    // Others are not concerned, nor are those whom a trusted proxy passes on, nor what operators ask.
    from(&app, "2.2.2.2", "/v1/status", &[]).await.ok();
    for _ in 0..5 {
        from(&app, "10.1.1.1", "/v1/status", &[("x-forwarded-for", "3.3.3.3")]).await.ok();
    }
    from(&app, "10.1.1.1", "/v1/status", &[("x-forwarded-for", "3.3.3.3")]).await.is_problem(429, "too_many_requests");
    from(&app, "10.1.1.1", "/v1/status", &[("x-forwarded-for", "4.4.4.4")]).await.ok();
    assert_eq!(from(&app, "1.1.1.1", "/healthz", &[]).await.status, 200);
    // Where no key is looked at, sending one gets nobody further.
    let with_key = [("authorization", "Bearer crs_live_sk_x")];
    from(&app, "1.1.1.1", "/v1/status", &with_key).await.is_problem(429, "too_many_requests");
    // No limit, and no word of one, where none is set.
    let answer = from(&serve::app(state(&pool), ServeOptions::default()), "1.1.1.1", "/v1/status", &[]).await.ok();
    assert_eq!(answer.header("ratelimit"), "");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_has_its_own_limit_from_wherever_it_is_used(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (one, two) = (key(&pool, &[Scope::SalesRead], &[]).await, key(&pool, &[Scope::SalesRead], &[]).await);
    let limits = Limits::new(NonZeroU32::new(2), vec![]);
    let options = ApiOptions { requests_per_minute: NonZeroU32::new(20), ..ApiOptions::default() };
    let state = ApiState::new(pool.clone(), telemetry::install_metrics().unwrap(), options);
    let state = state.with_service(Service::new(pool.clone(), sealer()));
    let app = serve::app(state, ServeOptions { limits, ..ServeOptions::default() });
    let ask = async |peer: &str, secret: &str| {
        from(&app, peer, "/v1/status", &[("authorization", &format!("Bearer {secret}"))]).await
    };
    for n in 0..20 {
        let answer = ask(&format!("1.1.1.{}", n % 4), one.key.expose()).await.ok();
        let policies: Vec<_> = answer.headers.get_all("ratelimit-policy").iter().collect();
        assert_eq!(policies, ["\"key\";q=20;w=60", "\"with-key\";q=20;w=60"]);
    }
    ask("1.1.1.9", one.key.expose()).await.is_problem(429, "too_many_requests");
    ask("1.1.1.9", two.key.expose()).await.ok();
    // A bad key is told so, and gets no answer for its higher limit; what is none of ours counts as nothing.
    for secret in ["crs_live_sk_x", &format!("{}0", &one.key.expose()[..57])] {
        ask("3.3.3.3", secret).await.is_problem(401, "unauthenticated");
    }
    for (n, status) in [200, 200, 429].into_iter().enumerate() {
        let answer = from(&app, "4.4.4.4", "/v1/status", &[("authorization", "Basic eDp5")]).await;
        assert_eq!(answer.status, status, "{n}");
    }
    // A session anybody can have: it raises no limit of an address.
    for (n, status) in [401, 401, 429].into_iter().enumerate() {
        assert_eq!(ask("5.5.5.5", "cws_x").await.status, status, "{n}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let options = ServeOptions { connections: 1, ..ServeOptions::default() };
    let app = serve::layered(Router::new().route("/", route(|| async { "here" })), options.clone());
    let server = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve::run_app(listener, app, options, shutdown).await.unwrap() }
    });
    let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(ask).await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(300), second.read_exact(&mut answer)).await;
    assert!(waited.is_err(), "it is not answered while the first is there");
    drop(first);
    assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 200"));
    shutdown.cancel();
    server.await.unwrap();
}

/// A certificate for this name, and its key, written to these files.
fn certify(name: &str, certificate: &std::path::Path, key: &std::path::Path) -> reqwest::Certificate {
    let made = rcgen::generate_simple_self_signed([name.to_owned(), "localhost".to_owned()]).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_certificate_is_renewed_under_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let error = serve::Tls::load(&certificate, &key).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("chain.pem"), "{error}");
    let first = certify("first", &certificate, &key);
    std::fs::write(folder.path().join("other.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let error = serve::Tls::load(&certificate, &folder.path().join("other.pem")).unwrap_err().to_string();
    assert!(error.contains("do not go together"), "{error}");
    let error = serve::Tls::load(&key, &key).unwrap_err().to_string();
    assert!(error.contains("holds no certificate in PEM"), "{error}");

    let tls = serve::Tls::load(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shutdown = CancellationToken::new();
    let options = ServeOptions {
        tls: Some(tls),
        header_read_timeout: Duration::from_millis(500),
        upkeep: Duration::from_millis(20),
        ..ServeOptions::default()
    };
    let app = serve::layered(Router::new().route("/", route(|| async { "here" })), options.clone());
    let server = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve::run_app(listener, app, options, shutdown).await.unwrap() }
    });
    let ask = async |trusted: &reqwest::Certificate| {
        let client = reqwest::Client::builder().tls_certs_only([trusted.clone()]).build().unwrap();
        let answer = client.get(format!("https://localhost:{port}/")).send().await?;
        assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        answer.text().await
    };
    assert_eq!(ask(&first).await.unwrap(), "here");
    // Without TLS, and with nothing at all: neither is answered, nor holds a place for long.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(!read_to_end_lossy(&mut plain).await.contains("200"));
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert_eq!(read_to_end_lossy(&mut silent).await, "");

    // Half a renewal changes nothing; the whole one is taken up.
    std::fs::write(&certificate, "not yet").unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ask(&first).await.unwrap(), "here");
    let second = certify("second", &certificate, &key);
    while ask(&second).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(ask(&first).await.is_err(), "the old one is no longer served");
    shutdown.cancel();
    server.await.unwrap();
}

async fn read_to_end_lossy(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
