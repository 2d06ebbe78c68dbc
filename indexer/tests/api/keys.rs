//! Keys of the API over HTTP: who gets in, who does not, and what it leaves behind.

use std::{
    io::Write,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{Request, request::Builder},
};
use crowdsale::{
    access::{self, ApiKey, Created, KeyTerms, Kind, Mode, Scope, Source},
    api::auth::{ClientAddress, Service},
    seal::Sealer,
    serve::{self, ServeOptions},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::support::*;

pub fn sealer() -> Sealer {
    Sealer::new(format!("{}01", "5a".repeat(31)).parse().unwrap(), [])
}

pub fn private(pool: &PgPool) -> Router {
    serve::app(state(pool).with_service(Service::new(pool.clone(), sealer())), ServeOptions::default())
}

/// A key as the command line makes it.
pub async fn key(pool: &PgPool, scopes: &[Scope], networks: &[&str]) -> Created {
    let mut connection = pool.acquire().await.unwrap();
    let pepper = access::pepper(&mut connection, &sealer()).await.unwrap();
    let terms = KeyTerms {
        label: "test".into(),
        mode: Mode::Test,
        scopes: scopes.to_vec(),
        networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        expires_in_seconds: None,
    };
    let source = Source { actor: "operator:test".into(), ..Source::default() };
    access::create(&mut connection, &pepper, &terms, &source).await.unwrap()
}

pub fn with(method: &str, path: &str, secret: &str) -> Builder {
    Request::builder().method(method).uri(path).header("authorization", format!("Bearer {secret}"))
}

pub async fn post(app: &Router, path: &str, secret: &str, idempotency: &str, body: &Value) -> Answer {
    let request = with("POST", path, secret)
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency)
        .body(Body::from(body.to_string()))
        .unwrap();
    send(app, request).await
}

async fn list(app: &Router, secret: &str) -> Answer {
    send(app, with("GET", "/v1/keys", secret).body(Body::empty()).unwrap()).await
}

fn order_desk() -> Value {
    json!({"label": "order desk", "mode": "live", "scopes": ["orders:write"], "networks": ["203.0.113.7", "2001:db8::/32"],
           "expires_in_seconds": 3600})
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_lives_from_its_making_to_its_end(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await;
    let secret = admin.key.expose();
    let made = post(&app, "/v1/keys", secret, "\"one\"", &order_desk()).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"), "{}", made.text);
    let desk: ApiKey = made.body["secret"].as_str().unwrap().parse().unwrap();
    let data = &made.body["data"];
    assert!(desk.expose().starts_with("crs_live_sk_"));
    assert_eq!(data["prefix"], desk.prefix());
    assert_eq!(data["networks"], json!(["203.0.113.7/32", "2001:db8::/32"]));
    assert_eq!((&data["state"], &data["last_used_at"]), (&json!("active"), &Value::Null));
    let id = data["id"].as_str().unwrap();

    let all = list(&app, secret).await.ok();
    assert_eq!(all.rows().len(), 2);
    assert!(!all.text.contains(&desk.expose()[24..40]), "shown once");
    let own = all.rows().iter().find(|k| k["id"] == admin.row.id.as_str()).unwrap();
    assert!(own["last_used_at"].is_string());
    let page = send(&app, with("GET", "/v1/keys?limit=1", secret).body(Body::empty()).unwrap()).await.ok();
    let next = format!("/v1/keys?limit=1&after={}", page.body["next_after"].as_str().unwrap());
    let page = send(&app, with("GET", &next, secret).body(Body::empty()).unwrap()).await.ok();
    assert_eq!((page.rows().len(), &page.body["next_after"]), (1, &Value::Null));

    let path = format!("/v1/keys/{id}");
    let rotated = post(&app, &format!("{path}/rotate"), secret, "two", &json!({"grace_seconds": 60})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    assert_ne!(rotated.body["secret"], made.body["secret"]);
    let again = post(&app, &format!("{path}/rotate"), secret, "three", &json!({})).await;
    again.is_problem(409, "key_not_active");
    let old = send(&app, with("GET", &path, secret).body(Body::empty()).unwrap()).await.ok();
    assert_eq!(
        (&old.body["data"]["state"], &old.body["data"]["replaced_by"]),
        (&json!("active"), &rotated.body["data"]["id"])
    );

    for _ in 0..2 {
        let revoked = send(&app, with("DELETE", &path, secret).body(Body::empty()).unwrap()).await.ok();
        assert_eq!(revoked.body["data"]["state"], "revoked");
    }
    list(&app, desk.expose()).await.is_problem(401, "unauthenticated");
    let missing = with("DELETE", "/v1/keys/key_00000000000000000000", secret).body(Body::empty()).unwrap();
    send(&app, missing).await.is_problem(404, "key_not_found");

    let acts: Vec<(String, String)> =
        sqlx::query_as("SELECT act, actor FROM crowdsale_service.audit ORDER BY id OFFSET 1")
            .fetch_all(&pool)
            .await
            .unwrap();
    let by = format!("key:{}", admin.row.id);
    let expected = ["key.created", "key.rotated", "key.revoked"].map(|act| (act.to_owned(), by.clone()));
    assert_eq!(acts[..3], expected);
    assert_eq!(acts[3], ("key.refused".to_owned(), "nobody".to_owned()));
}

#[sqlx::test(migrations = "./migrations")]
async fn who_has_no_good_key_learns_nothing(pool: PgPool) {
    let app = private(&pool);
    let good = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let revoked = key(&pool, &[Scope::KeysAdmin], &[]).await;
    let source = Source::default();
    access::revoke(&mut pool.acquire().await.unwrap(), &revoked.row.id, &source).await.unwrap();
    let expired = key(&pool, &[Scope::KeysAdmin], &[]).await;
    sqlx::query("UPDATE crowdsale_service.api_key SET expires_at = now() WHERE id = $1")
        .bind(&expired.row.id)
        .execute(&pool)
        .await
        .unwrap();
    let unknown = ApiKey::generate(Mode::Live, Kind::Secret).unwrap();
    let mut guesses = Vec::new();
    for secret in [revoked.key.expose(), expired.key.expose(), unknown.expose()] {
        for _ in 0..3 {
            let answer = list(&app, secret).await;
            answer.is_problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"crowdsale\", error=\"invalid_token\"");
            guesses.push(answer.body["detail"].clone());
        }
    }
    guesses.dedup();
    assert_eq!(guesses.len(), 1, "{guesses:?}");
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'key.refused'";
    assert_eq!(sqlx::query_scalar::<_, i64>(noted).fetch_one(&pool).await.unwrap(), 2, "once an hour for each");

    let cut = &good.expose()[..40];
    for value in
        ["", "Bearer", "Bearer ", "Basic eDp5", good.expose(), "Bearer crs", &format!("Bearer {cut}"), "Bearer a b"]
    {
        let request = Request::get("/v1/keys").header("authorization", value).body(Body::empty()).unwrap();
        let answer = send(&app, request).await;
        answer.is_problem(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{value}");
        assert!(!answer.text.contains("crs_t"), "{}", answer.text);
    }
    let huge = format!("Bearer crs_live_sk_{}", "é".repeat(10_000));
    for bytes in [huge.as_bytes(), b"Bearer \xff\xfe"] {
        let request = Request::get("/v1/keys").header("authorization", bytes).body(Body::empty()).unwrap();
        send(&app, request).await.is_problem(401, "unauthenticated");
    }
    let twice = with("GET", "/v1/keys", good.expose()).header("authorization", "Bearer x").body(Body::empty()).unwrap();
    send(&app, twice).await.is_problem(401, "unauthenticated");
    get(&app, "/v1/keys").await.is_problem(401, "unauthenticated");
    let lower = Request::get("/v1/keys").header("authorization", format!("bearer {}", good.expose()));
    send(&app, lower.body(Body::empty()).unwrap()).await.ok();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_works_within_its_scopes_and_networks(pool: PgPool) {
    let app = private(&pool);
    let reader = key(&pool, &[Scope::SalesRead, Scope::OrdersWrite], &[]).await.key;
    let answer = list(&app, reader.expose()).await;
    answer.is_problem(403, "scope_missing");
    assert!(answer.body["detail"].as_str().unwrap().contains("keys:admin"));
    assert!(answer.header("www-authenticate").contains("scope=\"keys:admin\""));

    let bound = key(&pool, &[Scope::KeysAdmin], &["10.0.0.0/8"]).await.key;
    let from = |address: Option<&str>| {
        let mut request = with("GET", "/v1/keys", bound.expose())
            // What a client says of itself counts for nothing.
            .header("x-forwarded-for", "10.0.0.1")
            .header("forwarded", "for=10.0.0.1")
            .body(Body::empty())
            .unwrap();
        if let Some(address) = address {
            request.extensions_mut().insert(ClientAddress(address.parse::<IpAddr>().unwrap()));
        }
        request
    };
    send(&app, from(Some("10.9.8.7"))).await.ok();
    send(&app, from(Some("::ffff:10.9.8.7"))).await.ok();
    for address in [None, Some("11.0.0.1"), Some("::1")] {
        send(&app, from(address)).await.is_problem(403, "address_not_allowed");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn bodies_are_checked_field_by_field(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let many: Vec<String> = (0..33).map(|n| format!("10.0.0.{n}")).collect();
    let long = "x".repeat(5000);
    for (field, value, pointer) in [
        ("label", json!(""), "/body/label"),
        ("label", json!("x".repeat(101)), "/body/label"),
        ("label", json!("a\u{0}b"), "/body/label"),
        ("label", json!("a\u{202e}b"), "/body/label"),
        ("label", json!(7), "/body/label"),
        ("mode", json!("prod"), "/body/mode"),
        ("scopes", json!([]), "/body/scopes"),
        ("scopes", json!(["sales:read", "root"]), "/body/scopes/1"),
        ("scopes", json!("sales:read"), "/body/scopes"),
        ("scopes", json!([long]), "/body/scopes/0"),
        ("networks", json!(["10.0.0.0/8", "10.0.0.0/33"]), "/body/networks/1"),
        ("networks", json!(["localhost"]), "/body/networks/0"),
        ("networks", json!(many), "/body/networks"),
        ("expires_in_seconds", json!(59), "/body/expires_in_seconds"),
        ("expires_in_seconds", json!(-1), "/body/expires_in_seconds"),
        ("expires_in_seconds", json!(1e3), "/body/expires_in_seconds"),
        ("expires_in_seconds", json!(u64::MAX), "/body/expires_in_seconds"),
        ("admin", json!(true), "/body/admin"),
    ] {
        let mut body = order_desk();
        body[field] = value;
        let answer = post(&app, "/v1/keys", admin.expose(), "same", &body).await;
        answer.is_problem(422, "invalid_body");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
        assert!(answer.text.len() < 2000, "{}", answer.text.len());
    }
    let grace = json!({"grace_seconds": 2_592_001});
    let id = key(&pool, &[Scope::SalesRead], &[]).await.row.id;
    let answer = post(&app, &format!("/v1/keys/{id}/rotate"), admin.expose(), "g", &grace).await;
    assert_eq!(answer.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/grace_seconds");

    let whole = order_desk().to_string();
    let raw = |body: Vec<u8>| {
        with("POST", "/v1/keys", admin.expose())
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", "raw")
            .body(Body::from(body))
            .unwrap()
    };
    for length in 0..whole.len() {
        send(&app, raw(whole.as_bytes()[..length].to_vec())).await.is_problem(400, "malformed_body");
    }
    for body in [
        format!("{whole}x").into_bytes(),
        b"\xff\xfe".to_vec(),
        "[".repeat(1000).into_bytes(),
        b"[\"a\",\"live\",[\"sales:read\"]]".to_vec(),
    ] {
        send(&app, raw(body)).await.is_problem(400, "malformed_body");
    }
    send(&app, raw(vec![b' '; 65 * 1024])).await.is_problem(413, "payload_too_large");
    let twice = whole.replacen('{', "{\"label\": \"x\", ", 1).into_bytes();
    send(&app, raw(twice)).await.is_problem(422, "invalid_body");
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let request =
            with("POST", "/v1/keys", admin.expose()).header("idempotency-key", "k").header("content-type", kind);
        send(&app, request.body(Body::from(whole.clone())).unwrap()).await.is_problem(415, "unsupported_media_type");
    }
    send(&app, with("GET", "/v1/keys/x", admin.expose()).body(Body::empty()).unwrap())
        .await
        .is_problem(422, "invalid_path");
    send(&app, with("GET", "/v1/keys?after=1", admin.expose()).body(Body::empty()).unwrap())
        .await
        .is_problem(422, "invalid_query");
    let count = "SELECT count(*) FROM crowdsale_service.api_key";
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.unwrap(), 2, "nothing was made");
    // And none of all that has used up its key.
    assert_eq!(post(&app, "/v1/keys", admin.expose(), "same", &order_desk()).await.status, 201);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_service_without_a_master_key_reads_and_says_what_it_lacks(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    get(&app, "/v1/sales").await.ok();
    for (method, path) in [("GET", "/v1/keys"), ("POST", "/v1/keys"), ("DELETE", "/v1/keys/key_00000000000000000000")] {
        let request = with(method, path, "crs_live_sk_x").body(Body::empty()).unwrap();
        let answer = send(&app, request).await;
        answer.is_problem(501, "not_configured");
        assert!(answer.body["detail"].as_str().unwrap().contains("CROWDSALE_MASTER_KEY"));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn another_master_key_opens_nothing_and_tells_callers_nothing(pool: PgPool) {
    let secret = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let other = Sealer::new(format!("{}01", "6b".repeat(31)).parse().unwrap(), []);
    let app = serve::app(state(&pool).with_service(Service::new(pool.clone(), other)), ServeOptions::default());
    let answer = list(&app, secret.expose()).await;
    answer.is_problem(500, "internal");
    assert!(!answer.text.contains("master"), "{}", answer.text);
}

#[sqlx::test(migrations = "./migrations")]
async fn the_server_says_where_a_request_comes_from(pool: PgPool) {
    let here = key(&pool, &[Scope::KeysAdmin], &["127.0.0.0/8"]).await.key;
    let elsewhere = key(&pool, &[Scope::KeysAdmin], &["10.0.0.0/8"]).await.key;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let server = serve::run_app(listener, private(&pool), ServeOptions::default(), shutdown.clone());
    let asked = async {
        let mut answers = Vec::new();
        for secret in [&here, &elsewhere] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let head = "GET /v1/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 10.0.0.1";
            let request = format!("{head}\r\nauthorization: Bearer {}\r\n\r\n", secret.expose());
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answers.push(answer[9..12].to_owned());
        }
        shutdown.cancel();
        answers
    };
    let (served, answers) = tokio::join!(server, asked);
    served.unwrap();
    assert_eq!(answers, ["200", "403"]);
}

/// Everything that is logged, whoever logs it.
#[derive(Clone, Default)]
pub struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    /// Notes what this thread logs from now on, until the guard is dropped.
    pub fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let logged = Self::default();
        let writer = logged.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        (logged, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn no_secret_is_logged(pool: PgPool) {
    let (logged, guard) = Logged::begin();
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await;
    let made = post(&app, "/v1/keys", admin.key.expose(), "k", &order_desk()).await;
    post(&app, "/v1/keys", admin.key.expose(), "k", &order_desk()).await;
    let desk = made.body["secret"].as_str().unwrap();
    list(&app, desk).await.is_problem(403, "address_not_allowed");
    list(&app, &admin.key.expose()[..50]).await.is_problem(401, "unauthenticated");
    drop(guard);
    let text = logged.text();
    assert!(text.contains("answered") && text.contains("crowdsale_service.api_key"), "{text}");
    let shown = format!("{text} {admin:?} {:?} {:?}", sealer(), Service::new(pool.clone(), sealer()));
    for secret in [&admin.key.expose()[20..], &desk[20..], &admin.key.expose()[20..50], "5a5a5a", "WlpaWlpa"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
