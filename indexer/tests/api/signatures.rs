//! Requests that are signed instead of sent with a key.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crowdsale::{
    access::{self, KeyTerms, Mode, Scope, Source},
    db::service::keys::KeyRow,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use crate::{
    keys::{key, post, private, with},
    support::*,
};

pub fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref()).unwrap()
}

fn public(pair: &Ed25519KeyPair) -> String {
    STANDARD.encode(pair.public_key())
}

async fn registered(pool: &PgPool, pair: &Ed25519KeyPair, networks: &[&str]) -> KeyRow {
    let terms = KeyTerms {
        label: "exchange".into(),
        mode: Mode::Live,
        scopes: vec![Scope::KeysAdmin],
        networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        expires_in_seconds: None,
    };
    let key = public(pair).parse().unwrap();
    access::register(&mut pool.acquire().await.unwrap(), &terms, key, &Source::default()).await.unwrap()
}

/// A request on its way to be signed.
struct Signing<'a> {
    pair: &'a Ed25519KeyPair,
    key: &'a str,
    method: &'a str,
    path: &'a str,
    body: String,
    nonce: String,
    created: i64,
    idempotency: Option<&'a str>,
}

impl<'a> Signing<'a> {
    fn new(pair: &'a Ed25519KeyPair, key: &'a str, method: &'a str, path: &'a str, body: Option<&Value>) -> Self {
        let nonce = format!("{:016x}", rand(pair));
        let body = body.map(Value::to_string).unwrap_or_default();
        Self { pair, key, method, path, body, nonce, created: Timestamp::now().as_second(), idempotency: None }
    }

    fn once(self, idempotency: &'a str) -> Self {
        Self { idempotency: Some(idempotency), ..self }
    }

    fn signed(self) -> Request<Body> {
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&self.body)));
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let has_body = !self.body.is_empty();
        let mut covered = if has_body { " \"content-digest\"".to_owned() } else { String::new() };
        covered += self.idempotency.map_or("", |_| " \"idempotency-key\"");
        let Self { key, nonce, created, .. } = &self;
        let parameters = format!(
            "(\"@method\" \"@authority\" \"@path\" \"@query\"{covered});created={created};nonce=\"{nonce}\";keyid=\"{key}\";alg=\"ed25519\""
        );
        let mut digest_line = if has_body { format!("\"content-digest\": {digest}\n") } else { String::new() };
        digest_line += &self.idempotency.map_or(String::new(), |key| format!("\"idempotency-key\": {key}\n"));
        let base = format!(
            "\"@method\": {}\n\"@authority\": localhost:8080\n\"@path\": {path}\n\"@query\": ?{query}\n{digest_line}\"@signature-params\": {parameters}",
            self.method
        );
        let signature = STANDARD.encode(self.pair.sign(base.as_bytes()));
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("host", "localhost:8080")
            .header("signature-input", format!("sig={parameters}"))
            .header("signature", format!("sig=:{signature}:"));
        if let Some(key) = self.idempotency {
            request = request.header("idempotency-key", key);
        }
        if has_body {
            request = request.header("content-type", "application/json").header("content-digest", digest);
        }
        request.body(Body::from(self.body)).unwrap()
    }
}

fn rand(_: &Ed25519KeyPair) -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}

fn order_desk() -> Value {
    json!({"label": "order desk", "mode": "live", "scopes": ["orders:write"]})
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM crowdsale_service.api_key").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_signature_does_what_a_key_does(pool: PgPool) {
    let app = private(&pool);
    let pair = pair();
    let row = registered(&pool, &pair, &[]).await;
    assert!(row.prefix.starts_with("ed25519_") && row.public_key.is_some());
    let get = |path| Signing::new(&pair, &row.id, "GET", path, None).signed();
    let list = send(&app, get("/v1/keys?limit=5")).await.ok();
    assert_eq!(list.rows()[0]["public_key"], public(&pair));
    let make = || Signing::new(&pair, &row.id, "POST", "/v1/keys", Some(&order_desk())).once("one").signed();
    let made = send(&app, make()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    // Sent again, it is signed anew, and still the same request.
    let again = send(&app, make()).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &made.text));
    assert_eq!(count(&pool).await, 2);
    let actor: String = sqlx::query_scalar("SELECT actor FROM crowdsale_service.audit ORDER BY id DESC LIMIT 1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(actor, format!("key:{}", row.id));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_changed_on_its_way_is_refused(pool: PgPool) {
    let app = private(&pool);
    let pair = pair();
    let row = registered(&pool, &pair, &[]).await;
    let make = || Signing::new(&pair, &row.id, "POST", "/v1/keys", Some(&order_desk())).once("two").signed();
    let refused = async |request: Request<Body>, code: &str| {
        let answer = send(&app, request).await;
        answer.is_problem(401, code);
        assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{}", answer.text);
    };

    let mut other_body = make();
    *other_body.body_mut() = Body::from(order_desk().to_string().replace("orders:write", "keys:admin"));
    refused(other_body, "signature_invalid").await;
    // Whoever is between must not make another request of it.
    let mut other_key = make();
    other_key.headers_mut().insert("idempotency-key", HeaderValue::from_static("three"));
    refused(other_key, "signature_invalid").await;
    let uncovered = Signing::new(&pair, &row.id, "POST", "/v1/keys", Some(&order_desk())).signed();
    let (mut parts, body) = uncovered.into_parts();
    parts.headers.insert("idempotency-key", HeaderValue::from_static("two"));
    refused(Request::from_parts(parts, body), "signature_invalid").await;
    let mut other_method = make();
    *other_method.method_mut() = "DELETE".parse().unwrap();
    *other_method.uri_mut() = format!("/v1/keys/{}", row.id).parse().unwrap();
    refused(other_method, "signature_invalid").await;
    let mut other_path = make();
    *other_path.uri_mut() = format!("/v1/keys/{}/rotate", row.id).parse().unwrap();
    refused(other_path, "signature_invalid").await;
    let mut other_query = Signing::new(&pair, &row.id, "GET", "/v1/keys?limit=1", None).signed();
    *other_query.uri_mut() = "/v1/keys?limit=2".parse().unwrap();
    refused(other_query, "signature_invalid").await;
    let mut other_host = make();
    other_host.headers_mut().insert("host", HeaderValue::from_static("api.example.org"));
    refused(other_host, "signature_invalid").await;
    let mut body_of_a_get = Signing::new(&pair, &row.id, "GET", "/v1/keys", None).signed();
    *body_of_a_get.body_mut() = Body::from("{}");
    refused(body_of_a_get, "signature_invalid").await;

    let stranger = self::pair();
    let stranger = Signing::new(&stranger, &row.id, "GET", "/v1/keys", None).signed();
    refused(stranger, "signature_invalid").await;
    let unknown = Signing::new(&pair, "key_00000000000000000000", "GET", "/v1/keys", None).signed();
    refused(unknown, "unauthenticated").await;
    let mut both = Signing::new(&pair, &row.id, "GET", "/v1/keys", None).signed();
    both.headers_mut().insert("authorization", HeaderValue::from_static("Bearer crs_live_sk_x"));
    refused(both, "signature_invalid").await;
    let mut half = Signing::new(&pair, &row.id, "GET", "/v1/keys", None).signed();
    half.headers_mut().remove("signature");
    refused(half, "signature_invalid").await;
    // A key that is sent is none that signs, and the other way round.
    let sent = key(&pool, &[Scope::KeysAdmin], &[]).await;
    refused(Signing::new(&pair, &sent.row.id, "GET", "/v1/keys", None).signed(), "unauthenticated").await;
    refused(with("GET", "/v1/keys", &row.prefix).body(Body::empty()).unwrap(), "unauthenticated").await;
    assert_eq!(count(&pool).await, 2, "nothing was made");
    let large = Signing { body: " ".repeat(70_000), ..Signing::new(&pair, &row.id, "POST", "/v1/keys", None) };
    let large = large.once("l").signed();
    send(&app, large).await.is_problem(413, "payload_too_large");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_signature_is_good_once_and_for_a_while(pool: PgPool) {
    let app = private(&pool);
    let pair = pair();
    let row = registered(&pool, &pair, &[]).await;
    let get = || Signing::new(&pair, &row.id, "GET", "/v1/keys", None);
    let nonce = "the very same nonce".to_owned();
    let all = (0..20).map(|_| send(&app, Signing { nonce: nonce.clone(), ..get() }.signed()));
    let answers = futures::future::join_all(all).await;
    let good = answers.iter().filter(|a| a.status == 200).count();
    answers.iter().filter(|a| a.status != 200).for_each(|a| {
        a.is_problem(401, "signature_replayed");
    });
    assert_eq!(good, 1);
    // Of another key it is another.
    let other = self::pair();
    let other_row = registered(&pool, &other, &[]).await;
    send(&app, Signing { nonce, ..Signing::new(&other, &other_row.id, "GET", "/v1/keys", None) }.signed()).await.ok();

    let now = Timestamp::now().as_second();
    for created in [now - 302, now + 40, 0, i64::from(u32::MAX)] {
        let answer = send(&app, Signing { created, ..get() }.signed()).await;
        answer.is_problem(401, "signature_stale");
        assert!(answer.body["detail"].as_str().unwrap().contains("set your clock"), "{}", answer.text);
    }
    send(&app, Signing { created: now - 250, ..get() }.signed()).await.ok();
    send(&app, Signing { created: now + 20, ..get() }.signed()).await.ok();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_signing_key_is_made_replaced_and_revoked(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let (first, second) = (pair(), pair());
    let mut body = order_desk();
    body["public_key"] = json!(public(&first));
    let made = post(&app, "/v1/keys", admin.expose(), "a", &body).await;
    assert_eq!((made.status.as_u16(), &made.body["secret"]), (201, &Value::Null), "{}", made.text);
    assert_eq!(made.body["data"]["public_key"], public(&first));
    let id = made.body["data"]["id"].as_str().unwrap();
    let taken = post(&app, "/v1/keys", admin.expose(), "b", &body).await;
    assert_eq!(taken.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/public_key");
    for wrong in ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", &"A".repeat(2000)] {
        body["public_key"] = json!(wrong);
        let answer = post(&app, "/v1/keys", admin.expose(), "c", &body).await;
        assert_eq!(answer.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/public_key");
    }

    let rotate = format!("/v1/keys/{id}/rotate");
    post(&app, &rotate, admin.expose(), "d", &json!({})).await.is_problem(422, "invalid_body");
    let with_second = json!({"grace_seconds": 60, "public_key": public(&second)});
    let rotated = post(&app, &rotate, admin.expose(), "e", &with_second).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let new = rotated.body["data"]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}");
    // Both go on, for what they may: not this.
    for (pair, id) in [(&first, id), (&second, new)] {
        send(&app, Signing::new(pair, id, "GET", &path, None).signed()).await.is_problem(403, "scope_missing");
    }
    send(&app, with("DELETE", &path, admin.expose()).body(Body::empty()).unwrap()).await.ok();
    send(&app, Signing::new(&first, id, "GET", &path, None).signed()).await.is_problem(401, "unauthenticated");
    let sent = key(&pool, &[Scope::SalesRead], &[]).await.row.id;
    let answer = post(&app, &format!("/v1/keys/{sent}/rotate"), admin.expose(), "f", &with_second).await;
    assert_eq!(answer.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/public_key");
}

#[sqlx::test(migrations = "./migrations")]
async fn networks_hold_for_signatures_too(pool: PgPool) {
    let app: Router = private(&pool);
    let pair = pair();
    let row = registered(&pool, &pair, &["10.0.0.0/8"]).await;
    send(&app, Signing::new(&pair, &row.id, "GET", "/v1/keys", None).signed())
        .await
        .is_problem(403, "address_not_allowed");
}
