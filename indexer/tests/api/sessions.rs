//! Wallets that sign in. Those that are contracts need a node: they are in the end-to-end tests.

use alloy::signers::{SignerSync as _, local::PrivateKeySigner};
use axum::{Router, body::Body, http::Request};
use crowdsale::{
    access::Scope,
    api::auth::{Origins, Service},
    serve::{self, ServeOptions},
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    keys::{key, post, private, sealer, with},
    support::*,
};

async fn nonce(app: &Router) -> String {
    let answer = get(app, "/v1/sessions/nonce").await.ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.body["data"]["nonce"].as_str().unwrap().to_owned()
}

struct SignIn {
    domain: String,
    uri: String,
    chain: i64,
    nonce: String,
    issued: Timestamp,
    rest: String,
}

impl SignIn {
    fn new(nonce: String) -> Self {
        let (domain, uri) = ("localhost:8080".to_owned(), "http://localhost:8080/".to_owned());
        Self { domain, uri, chain: CHAIN, nonce, issued: Timestamp::now(), rest: String::new() }
    }

    fn text(&self, wallet: &PrivateKeySigner) -> String {
        let Self { domain, uri, chain, nonce, issued, rest } = self;
        format!(
            "{domain} wants you to sign in with your Ethereum account:\n{}\n\nTo see your sales.\n\nURI: {uri}\nVersion: 1\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {issued:.3}{rest}",
            wallet.address()
        )
    }
}

async fn sign_in(app: &Router, wallet: &PrivateKeySigner, text: &str, idempotency: &str) -> Answer {
    let signature = wallet.sign_message_sync(text.as_bytes()).unwrap();
    let body = json!({"message": text, "signature": format!("0x{}", alloy::hex::encode(signature.as_bytes()))});
    send_in(app, &body.to_string(), idempotency).await
}

async fn send_in(app: &Router, body: &str, idempotency: &str) -> Answer {
    let request = Request::post("/v1/sessions")
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency)
        .body(Body::from(body.to_owned()))
        .unwrap();
    send(app, request).await
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM crowdsale_service.wallet_session").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wallet_signs_in_and_out(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = private(&pool);
    let wallet = PrivateKeySigner::random();
    let text = SignIn::new(nonce(&app).await).text(&wallet);
    let answer = sign_in(&app, &wallet, &text, "one").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"), "{}", answer.text);
    let token = answer.body["token"].as_str().unwrap();
    assert_eq!(answer.body["data"]["address"], wallet.address().to_string());
    let again = sign_in(&app, &wallet, &text, "one").await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &answer.text));
    assert_eq!(count(&pool).await, 1);
    // The nonce is spent.
    sign_in(&app, &wallet, &text, "two").await.is_problem(401, "sign_in_refused");

    let me = send(&app, with("GET", "/v1/session", token).body(Body::empty()).unwrap()).await.ok();
    assert_eq!(me.body["data"], answer.body["data"]);
    assert!(!me.text.contains(token));
    let stored: String = sqlx::query_scalar("SELECT string_agg(s::text, ' ') FROM crowdsale_service.wallet_session s")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!stored.contains(&token[4..]), "{stored}");
    // What a wallet may is not what a key may.
    send(&app, with("GET", "/v1/keys", token).body(Body::empty()).unwrap()).await.is_problem(401, "unauthenticated");
    let secret = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let asked = with("GET", "/v1/session", secret.expose()).body(Body::empty()).unwrap();
    let told = send(&app, asked).await;
    assert!(told.is_problem(401, "unauthenticated").text.contains("a key is none: sign in"), "{}", told.text);

    send(&app, with("DELETE", "/v1/session", token).body(Body::empty()).unwrap()).await.ok();
    let over = send(&app, with("GET", "/v1/session", token).body(Body::empty()).unwrap()).await;
    assert!(over.is_problem(401, "unauthenticated").body["detail"].as_str().unwrap().contains("sign in again"));
    // What it has signed gives no token any more, not even the one that is over.
    let again = sign_in(&app, &wallet, &text, "one").await;
    again.is_problem(401, "sign_in_refused");
    assert!(again.text.contains("that session is over") && !again.text.contains("cws_"), "{}", again.text);
    sign_in(&app, &wallet, &text, "three").await.is_problem(401, "sign_in_refused");
    assert_eq!(count(&pool).await, 0);
    // A token that is no good is told also where none is needed.
    send(&app, with("GET", "/v1/sales", token).body(Body::empty()).unwrap()).await.is_problem(401, "unauthenticated");
    // Anybody can sign in, as often as they like: the log of privileged acts is not theirs to fill.
    let acts: Vec<String> =
        sqlx::query_scalar("SELECT act FROM crowdsale_service.audit ORDER BY id").fetch_all(&pool).await.unwrap();
    assert_eq!(acts, ["key.created"]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_session_ends_with_its_message(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = private(&pool);
    let wallet = PrivateKeySigner::random();
    let soon = Timestamp::now() + 60.seconds();
    let text = SignIn { rest: format!("\nExpiration Time: {soon:.0}"), ..SignIn::new(nonce(&app).await) }.text(&wallet);
    let answer = sign_in(&app, &wallet, &text, "k").await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let ends: Timestamp = answer.body["data"]["expires_at"].as_str().unwrap().parse().unwrap();
    assert!((soon.as_second() - 2..=soon.as_second() + 2).contains(&ends.as_second()), "{ends} {soon}");
    sqlx::query("UPDATE crowdsale_service.wallet_session SET expires_at = now()").execute(&pool).await.unwrap();
    let token = answer.body["token"].as_str().unwrap();
    let request = with("GET", "/v1/session", token).body(Body::empty()).unwrap();
    send(&app, request).await.is_problem(401, "unauthenticated");
}

#[sqlx::test(migrations = "./migrations")]
async fn only_a_message_for_here_and_now_opens_a_session(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = private(&pool);
    let wallet = PrivateKeySigner::random();
    let fresh = nonce(&app).await;
    let base = || SignIn::new(fresh.clone());
    let now = Timestamp::now();
    let mistyped: String = fresh.chars().rev().collect();
    for (message, status, code) in [
        (SignIn { domain: "evil.example".into(), ..base() }, 422, "invalid_body"),
        (SignIn { uri: "http://evil.example/".into(), ..base() }, 422, "invalid_body"),
        (SignIn { uri: "ftp://localhost:8080/".into(), ..base() }, 422, "invalid_body"),
        (SignIn { chain: 1, ..base() }, 404, "chain_not_found"),
        (SignIn { nonce: "short".into(), ..base() }, 422, "invalid_body"),
        (SignIn { nonce: mistyped, ..base() }, 401, "sign_in_refused"),
        (SignIn { nonce: "abcdefgh12345678".into(), ..base() }, 401, "sign_in_refused"),
        (SignIn { issued: now - 11.minutes(), ..base() }, 401, "sign_in_refused"),
        (SignIn { issued: now + 2.minutes(), ..base() }, 401, "sign_in_refused"),
        (SignIn { rest: format!("\nExpiration Time: {:.0}", now - 1.second()), ..base() }, 401, "sign_in_refused"),
        (SignIn { rest: format!("\nNot Before: {:.0}", now + 5.minutes()), ..base() }, 401, "sign_in_refused"),
        (SignIn { rest: "\n".into(), ..base() }, 422, "invalid_body"),
        (SignIn { rest: "\nResources:\n- not a uri".into(), ..base() }, 422, "invalid_body"),
    ] {
        let text = message.text(&wallet);
        sign_in(&app, &wallet, &text, "same").await.is_problem(status, code);
    }
    for (text, pointer) in [
        (String::new(), "/body/message"),
        ("x".repeat(5000), "/body/message"),
        (base().text(&wallet).to_lowercase(), "/body/message"),
        (base().text(&wallet).replace("\n\n", "\nhidden\n"), "/body/message"),
        (base().text(&wallet).replace('\n', "\r\n"), "/body/message"),
    ] {
        let answer = sign_in(&app, &wallet, &text, "same").await;
        assert_eq!(answer.is_problem(422, "invalid_body").body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let text = base().text(&wallet);
    for signature in ["", "0x", "0xzz", "0x0", "00", &format!("0x{}", "00".repeat(9000))] {
        let body = json!({"message": text, "signature": signature}).to_string();
        let answer = send_in(&app, &body, "same").await;
        assert_eq!(answer.is_problem(422, "invalid_body").body["errors"][0]["pointer"], "/body/signature");
    }
    // Another's signature: the wallet may be a contract, and there is no node to ask it.
    let other = PrivateKeySigner::random();
    sign_in(&app, &other, &text, "same").await.is_problem(501, "not_configured");
    assert_eq!(count(&pool).await, 0);
    // And none of that has used up the nonce.
    assert_eq!(sign_in(&app, &wallet, &text, "same").await.status, 201);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_service_with_a_name_goes_by_it(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let origins = Origins::new(["https://sales.example.org".parse().unwrap()]);
    let service = Service::new(pool.clone(), sealer()).named(origins);
    let app = serve::app(state(&pool).with_service(service), ServeOptions::default());
    let wallet = PrivateKeySigner::random();
    let local = SignIn::new(nonce(&app).await).text(&wallet);
    sign_in(&app, &wallet, &local, "k").await.is_problem(422, "invalid_body");
    let uri = "https://sales.example.org/login".to_owned();
    let named = SignIn { domain: "sales.example.org".into(), uri, ..SignIn::new(nonce(&app).await) }.text(&wallet);
    assert_eq!(sign_in(&app, &wallet, &named, "k").await.status, 201);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_done_is_read_by_who_may(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let body = json!({"label": "x", "mode": "test", "scopes": ["sales:read"]});
    for n in 0..3 {
        assert_eq!(post(&app, "/v1/keys", admin.expose(), &format!("k{n}"), &body).await.status, 201);
    }
    let mut path = "/v1/audit?limit=3".to_owned();
    let mut acts = Vec::new();
    loop {
        let page = send(&app, with("GET", &path, admin.expose()).body(Body::empty()).unwrap()).await.ok();
        acts.extend(page.rows().clone());
        let Some(next) = page.body["next_after"].as_i64() else { break };
        path = format!("/v1/audit?limit=3&after={next}");
    }
    assert_eq!(acts.iter().map(|act| act["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(acts.windows(2).all(|pair| pair[0]["hash"] == pair[1]["previous"]));
    assert_eq!(acts[0]["previous"], "00".repeat(32));
    for query in ["after=-1", "after=x", "after=99999999999999999999", "limit=0", "x=1"] {
        let request = with("GET", &format!("/v1/audit?{query}"), admin.expose()).body(Body::empty()).unwrap();
        send(&app, request).await.is_problem(422, "invalid_query");
    }
    let reader = key(&pool, &[Scope::SalesRead], &[]).await.key;
    let request = with("GET", "/v1/audit", reader.expose()).body(Body::empty()).unwrap();
    send(&app, request).await.is_problem(403, "scope_missing");
}
