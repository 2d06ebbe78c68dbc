//! Requests that are sent again: one effect, the first answer, whatever happens in between.

use axum::body::Body;
use crowdsale::access::Scope;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{
    keys::{key, post, private, with},
    support::*,
};

fn body(label: &str) -> Value {
    json!({"label": label, "mode": "test", "scopes": ["sales:read"]})
}

async fn made(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM crowdsale_service.api_key WHERE label <> 'test'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn two_hundred_at_once_have_one_effect(pool: PgPool) {
    let secret = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    // As many connections as a service has.
    let small = PgPoolOptions::new().max_connections(4).connect_with((*pool.connect_options()).clone()).await.unwrap();
    let app = private(&small);
    let body = body("once");
    let all =
        (0..200).map(|_| post(&app, "/v1/keys", secret.expose(), "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", &body));
    let answers = futures::future::join_all(all).await;
    let (mut first, mut replayed, mut in_flight) = (0, 0, 0);
    let mut texts = Vec::new();
    for answer in &answers {
        match (answer.status.as_u16(), answer.header("idempotency-replayed")) {
            (201, "") => first += 1,
            (201, "true") => replayed += 1,
            _ => {
                answer.is_problem(409, "idempotency_in_flight");
                assert_eq!(answer.header("retry-after"), "1");
                in_flight += 1;
                continue;
            }
        }
        texts.push(&answer.text);
    }
    texts.dedup();
    assert_eq!((first, texts.len(), replayed + in_flight), (1, 1, 199));
    assert_eq!(made(&pool).await, 1);
    let logged = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'key.created'";
    assert_eq!(sqlx::query_scalar::<_, i64>(logged).fetch_one(&pool).await.unwrap(), 2);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_stands_for_one_request_of_one_caller(pool: PgPool) {
    let app = private(&pool);
    let (alice, bob) = (key(&pool, &[Scope::KeysAdmin], &[]).await, key(&pool, &[Scope::KeysAdmin], &[]).await);
    let first = post(&app, "/v1/keys", alice.key.expose(), "k", &body("a")).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""));
    for quoted in ["k", "\"k\""] {
        let again = post(&app, "/v1/keys", alice.key.expose(), quoted, &body("a")).await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
        assert_eq!((&again.text, again.header("content-type")), (&first.text, "application/json"));
        assert_eq!(again.header("cache-control"), "no-store");
    }
    post(&app, "/v1/keys", alice.key.expose(), "k", &body("b")).await.is_problem(422, "idempotency_mismatch");
    let rotate = format!("/v1/keys/{}/rotate", bob.row.id);
    post(&app, &rotate, alice.key.expose(), "k", &body("a")).await.is_problem(422, "invalid_body");
    post(&app, &rotate, alice.key.expose(), "k", &json!({})).await.is_problem(422, "idempotency_mismatch");
    let other = post(&app, "/v1/keys", bob.key.expose(), "k", &body("a")).await;
    assert_eq!((other.status.as_u16(), other.header("idempotency-replayed")), (201, ""));
    assert_ne!(other.body["secret"], first.body["secret"]);

    // A request is the same when its caller has a new key meanwhile.
    let own = format!("/v1/keys/{}/rotate", alice.row.id);
    let next = post(&app, &own, alice.key.expose(), "r", &json!({})).await;
    let again = post(&app, "/v1/keys", next.body["secret"].as_str().unwrap(), "k", &body("a")).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));

    // What is kept can be read by nobody who has the database alone.
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT answer_sealed FROM crowdsale_service.idempotency").fetch_all(&pool).await.unwrap();
    let secret = first.body["secret"].as_str().unwrap().as_bytes();
    assert!(kept.len() == 3 && kept.iter().all(|k| !k.windows(20).any(|w| w == &secret[20..40])));

    // After a day the key is free again.
    sqlx::query("UPDATE crowdsale_service.idempotency SET created_at = now() - interval '24 hours'")
        .execute(&pool)
        .await
        .unwrap();
    let anew = post(&app, "/v1/keys", alice.key.expose(), "k", &body("b")).await;
    assert_eq!((anew.status.as_u16(), anew.header("idempotency-replayed")), (201, ""));
    assert_eq!(made(&pool).await, 3);
    // And in the end forgotten.
    sqlx::query("UPDATE crowdsale_service.idempotency SET created_at = now() - interval '26 hours'")
        .execute(&pool)
        .await
        .unwrap();
    post(&app, "/v1/keys", alice.key.expose(), "l", &body("c")).await;
    let left = "SELECT count(*) FROM crowdsale_service.idempotency";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&pool).await.unwrap(), 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_failed_may_be_sent_again_with_the_same_key(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    // The effect is written, and then its line in the log fails.
    sqlx::raw_sql("ALTER TABLE crowdsale_service.audit ADD CONSTRAINT no CHECK (act <> 'key.created') NOT VALID")
        .execute(&pool)
        .await
        .unwrap();
    post(&app, "/v1/keys", admin.expose(), "k", &body("a")).await.is_problem(500, "internal");
    assert_eq!(made(&pool).await, 0);
    sqlx::raw_sql("ALTER TABLE crowdsale_service.audit DROP CONSTRAINT no").execute(&pool).await.unwrap();
    let then = post(&app, "/v1/keys", admin.expose(), "k", &body("a")).await;
    assert_eq!((then.status.as_u16(), then.header("idempotency-replayed")), (201, ""));
}

#[sqlx::test(migrations = "./migrations")]
async fn keys_have_a_form(pool: PgPool) {
    let app = private(&pool);
    let admin = key(&pool, &[Scope::KeysAdmin], &[]).await.key;
    let request = with("POST", "/v1/keys", admin.expose()).header("content-type", "application/json");
    let request = request.body(Body::from(body("a").to_string())).unwrap();
    send(&app, request).await.is_problem(400, "idempotency_key_missing");
    let long = "x".repeat(256);
    for wrong in ["", "\"\"", "\"", "\"open", "a b", "a\"b", "a\\b", &long] {
        let answer = post(&app, "/v1/keys", admin.expose(), wrong, &body("a")).await;
        answer.is_problem(400, "idempotency_key_invalid");
    }
    let twice = with("POST", "/v1/keys", admin.expose())
        .header("content-type", "application/json")
        .header("idempotency-key", "a")
        .header("idempotency-key", "a")
        .body(Body::from(body("a").to_string()))
        .unwrap();
    send(&app, twice).await.is_problem(400, "idempotency_key_invalid");
    assert_eq!(made(&pool).await, 0);
    assert_eq!(post(&app, "/v1/keys", admin.expose(), &long[1..], &body("a")).await.status, 201);
}
