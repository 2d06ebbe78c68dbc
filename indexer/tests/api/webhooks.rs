//! Webhooks: made, changed and removed by who may; told of what is committed, signed, tried again, given up and replayed.

use std::{collections::BTreeSet, time::Duration};

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

#[sqlx::test(migrations = "./migrations")]
async fn a_webhook_lives_from_its_making_to_its_end(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (app, document) = (private(&pool), document());
    let own = key(&pool, &[Scope::WebhooksWrite], &[]).await;
    let (own_id, own) = (own.row.id, own.key);
    let other = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let reader = key(&pool, &[Scope::SalesRead, Scope::KeysAdmin], &[]).await.key;
    let mut seen = BTreeSet::new();
    let mut described = |method: &str, path: &str, answer: &Answer| {
        seen.insert((method.to_owned(), assert_described(&document, method, path, answer)));
    };
    let sale = addr("sale");
    let body = json!({"url": "http://127.0.0.1:9999/hooks?token=hush", "label": " ledger ", "chain_id": CHAIN, "sale": sale,
                      "events": ["contribution.*", "sale.closed"]});
    let made = post(&app, "/v1/webhooks", own.expose(), "a", &body).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"), "{}", made.text);
    described("POST", "/v1/webhooks", &made);
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    let data = &made.body["data"];
    assert!(secret.starts_with("whsec_") && data["public_key"].as_str().unwrap().starts_with("whpk_"));
    assert_eq!((&data["label"], &data["state"], &data["url"]), (&json!("ledger"), &json!("enabled"), &body["url"]));
    assert_eq!((&data["sale"], &data["events"]), (&json!(sale.to_string()), &body["events"]));
    let again = post(&app, "/v1/webhooks", own.expose(), "a", &body).await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &made.body));

    let path = format!("/v1/webhooks/{}", data["id"].as_str().unwrap());
    let found = request(&app, "GET", &path, own.expose()).await.ok();
    described("GET", &path, &found);
    assert_eq!(&found.body["data"], data);
    assert!(!found.text.contains("whsec_"), "shown once");
    let second = json!({"url": "http://127.0.0.1:9999/", "label": "all"});
    assert_eq!(post(&app, "/v1/webhooks", own.expose(), "b", &second).await.status, 201);
    let page = request(&app, "GET", "/v1/webhooks?limit=1", own.expose()).await.ok();
    described("GET", "/v1/webhooks", &page);
    let next = format!("/v1/webhooks?limit=1&after={}", page.body["next_after"].as_str().unwrap());
    let page = request(&app, "GET", &next, own.expose()).await.ok();
    assert_eq!((page.rows().len(), &page.body["next_after"]), (1, &Value::Null));

    // Changed, whatever is given, and nothing else.
    let changed = patch(&app, &path, own.expose(), "c", &json!({"label": "books", "enabled": false})).await.ok();
    described("PATCH", &path, &changed);
    let data = &changed.body["data"];
    assert_eq!((&data["label"], &data["state"], &data["url"]), (&json!("books"), &json!("disabled"), &body["url"]));
    let test = format!("{path}/test");
    let refused = post(&app, &test, own.expose(), "d", &json!({})).await;
    refused.is_problem(409, "webhook_disabled");
    described("POST", &test, &refused);
    let changes = json!({"url": "http://127.0.0.1:9998/", "events": [], "enabled": true});
    let changed = patch(&app, &path, own.expose(), "e", &changes).await.ok();
    let data = &changed.body["data"];
    assert_eq!((&data["url"], &data["state"]), (&json!("http://127.0.0.1:9998/"), &json!("enabled")));
    assert_eq!((&data["events"], &data["label"]), (&json!([]), &json!("books")));

    let tested = post(&app, &test, own.expose(), "f", &json!({})).await;
    assert_eq!(
        (tested.status.as_u16(), &tested.body["data"]["type"]),
        (201, &json!("webhook.test")),
        "{}",
        tested.text
    );
    described("POST", &test, &tested);
    let deliveries = format!("{path}/deliveries");
    let listed = request(&app, "GET", &deliveries, own.expose()).await.ok();
    described("GET", &deliveries, &listed);
    assert_eq!(listed.rows()[0], tested.body["data"]);
    let one = format!("{deliveries}/{}", listed.rows()[0]["id"].as_str().unwrap());
    let found = request(&app, "GET", &one, own.expose()).await.ok();
    described("GET", &one, &found);
    let replay = format!("{one}/replay");
    let replayed = post(&app, &replay, own.expose(), "g", &json!({})).await.ok();
    described("POST", &replay, &replayed);
    let all = format!("{path}/replay");
    let replayed = post(&app, &all, own.expose(), "h", &json!({"since": "2027-01-15T14:00:00Z"})).await.ok();
    described("POST", &all, &replayed);
    assert_eq!(replayed.body, json!({"count": 0, "more": false}));
    let rotate = format!("{path}/rotate");
    let rotated = post(&app, &rotate, own.expose(), "i", &json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    described("POST", &rotate, &rotated);
    assert_ne!((&rotated.body["secret"], &rotated.body["data"]["public_key"]), (&json!(secret), &data["public_key"]));

    // Another's are not there, whatever one does with them; nor is anything for who has not the scope.
    let missing = format!("{}/{}", &deliveries, format_args!("msg_{}", "0".repeat(32)));
    request(&app, "GET", &missing, own.expose()).await.is_problem(404, "delivery_not_found");
    post(&app, &format!("{missing}/replay"), own.expose(), "j", &json!({})).await.is_problem(404, "delivery_not_found");
    let gets = [("GET", &path), ("DELETE", &path), ("GET", &deliveries), ("GET", &one)];
    let posts = [&test, &replay, &all, &rotate];
    for (secret, status, code) in [
        (other.expose(), 404, "webhook_not_found"),
        (reader.expose(), 403, "scope_missing"),
        ("x", 401, "unauthenticated"),
    ] {
        for (method, path) in gets {
            request(&app, method, path, secret).await.is_problem(status, code);
        }
        for path in posts {
            post(&app, path, secret, &format!("k{path}"), &json!({})).await.is_problem(status, code);
        }
        patch(&app, &path, secret, "k", &json!({"label": "mine"})).await.is_problem(status, code);
    }
    assert!(request(&app, "GET", "/v1/webhooks", other.expose()).await.ok().rows().is_empty());
    let open: crate::support::Answer = get(&self::public(&pool), &path).await;
    open.is_problem(501, "not_configured");

    let gone = request(&app, "DELETE", &path, own.expose()).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    described("DELETE", &path, &gone);
    request(&app, "GET", &path, own.expose()).await.is_problem(404, "webhook_not_found");
    request(&app, "DELETE", &path, own.expose()).await.is_problem(404, "webhook_not_found");
    assert_eq!(numbers(&pool, DELIVERIES).await, 0);

    let acts: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT act, detail FROM crowdsale_service.audit WHERE act LIKE 'webhook.%' AND actor = 'key:' || $1 ORDER BY id",
    )
    .bind(&own_id)
    .fetch_all(&pool)
    .await
    .unwrap();
    let names: Vec<_> = acts.iter().map(|(act, _)| act.trim_start_matches("webhook.")).collect();
    assert_eq!(
        names,
        ["created", "created", "updated", "updated", "tested", "replayed", "replayed", "rotated", "deleted"]
    );
    assert_eq!(acts[0].1.as_deref(), Some("http://127.0.0.1:9999"), "without what may be secret");

    let operations: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| path.starts_with("/v1/webhooks"))
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|m| (m.to_uppercase(), path.clone())))
        .collect();
    assert_eq!(seen, operations, "every route was asked");
}

fn public(pool: &PgPool) -> Router {
    app(pool)
}

#[sqlx::test(migrations = "./migrations")]
async fn bodies_are_checked_field_by_field(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = private(&pool);
    let own = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let good = json!({"url": "http://127.0.0.1:9999/", "label": "ledger", "events": [], "chain_id": CHAIN, "sale": addr("sale")});
    let wrong_sum = addr("sale").to_string().replace('a', "A");
    let many: Vec<_> = (0..33).map(|_| "sale.closed").collect();
    for (field, value, pointer) in [
        ("url", json!(""), "url"),
        ("url", json!("http://127.0.0.1:9999/#x"), "url"),
        ("url", json!("http://u:p@127.0.0.1:9999/"), "url"),
        ("url", json!("http://169.254.169.254/"), "url"),
        ("url", json!("http://0xa000001/"), "url"),
        ("url", json!("http://[::1]:9999/"), "url"),
        ("url", json!("http://no-such-name.invalid/"), "url"),
        ("url", json!("http://127.0.0.1:25/"), "url"),
        ("url", json!(format!("http://127.0.0.1:9999/{}", "x".repeat(2_100))), "url"),
        ("url", json!(7), "url"),
        ("label", json!(" "), "label"),
        ("label", json!("x".repeat(101)), "label"),
        ("label", json!("a\u{202e}b"), "label"),
        ("events", json!(["sale.closed", "sale.observed"]), "events/1"),
        ("events", json!(["*"]), "events/0"),
        ("events", json!(many), "events"),
        ("events", json!("sale.closed"), "events"),
        ("chain_id", json!(CHAIN + 1), "chain_id"),
        ("chain_id", json!(-1), "chain_id"),
        ("chain_id", json!(1e30), "chain_id"),
        ("chain_id", Value::Null, "chain_id"),
        ("sale", json!("0x12"), "sale"),
        ("sale", json!(wrong_sum), "sale"),
        ("secret", json!("whsec_mine"), "secret"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = post(&app, "/v1/webhooks", own.expose(), "same", &body).await;
        answer.is_problem(422, "invalid_body");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/body/{pointer}"), "{}", answer.text);
        assert!(answer.text.len() < 2_000, "{}", answer.text.len());
    }
    let answer = post(&app, "/v1/webhooks", own.expose(), "same", &json!({"url": "", "label": ""})).await;
    assert_eq!(answer.is_problem(422, "invalid_body").body["errors"].as_array().unwrap().len(), 2, "all at once");
    assert_eq!(numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook").await, 0);
    assert_eq!(post(&app, "/v1/webhooks", own.expose(), "same", &good).await.status, 201, "the key is not used up");

    let (path, _) = made(&app, own.expose(), "b", good.clone()).await;
    for (field, value) in [
        ("url", json!("http://10.0.0.1/")),
        ("label", json!("")),
        ("events", json!(["x"])),
        ("enabled", json!("yes")),
        ("chain_id", json!(1)),
    ] {
        let answer = patch(&app, &path, own.expose(), "c", &json!({field: value})).await;
        answer.is_problem(422, "invalid_body");
        assert!(answer.body["errors"][0]["pointer"].as_str().unwrap().starts_with(&format!("/body/{field}")));
    }
    for (path, body, pointer) in [
        (format!("{path}/rotate"), json!({"overlap_seconds": 604_801}), "overlap_seconds"),
        (format!("{path}/rotate"), json!({"overlap_seconds": -1}), "overlap_seconds"),
        (format!("{path}/replay"), json!({"since": "yesterday"}), "since"),
        (format!("{path}/test"), json!({"type": "mine"}), "type"),
    ] {
        let answer = post(&app, &path, own.expose(), "d", &body).await;
        answer.is_problem(422, "invalid_body");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/body/{pointer}"), "{}", answer.text);
    }
    for wrong in ["wh_1", "key_00000000000000000000"] {
        request(&app, "GET", &format!("/v1/webhooks/{wrong}"), own.expose()).await.is_problem(422, "invalid_path");
    }
    for wrong in ["state=lost", "limit=0", "after=x", "page=1"] {
        let path = format!("{path}/deliveries?{wrong}");
        request(&app, "GET", &path, own.expose()).await.is_problem(422, "invalid_query");
    }
    let plain = with("POST", "/v1/webhooks", own.expose()).header("content-type", "application/json");
    send(&app, plain.body(Body::from(good.to_string())).unwrap()).await.is_problem(400, "idempotency_key_missing");

    // Twenty, also where many ask at once, and for each caller.
    let asked: Vec<_> = (0..30).map(|n| format!("many-{n}")).collect();
    let answers =
        futures::future::join_all(asked.iter().map(|n| post(&app, "/v1/webhooks", own.expose(), n, &good))).await;
    for answer in answers.iter().filter(|a| a.status != 201) {
        answer.is_problem(409, "too_many_webhooks");
    }
    assert_eq!(numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook").await, 20);
    let other = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    made(&app, other.expose(), "a", good).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_committed_is_sent_signed_to_whoever_asked(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (aurora, borealis) = (Terms::new("Aurora", 1, 0), Terms::new("Borealis", 1, 1));
    for terms in [&aurora, &borealis] {
        sale(&pool, terms).await;
    }
    applied(&pool, 0, 1, 0).await;
    let process = Process::start(&pool, quick()).await;
    let own = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let (all, some) = (Receiver::start().await, Receiver::start().await);
    let (path, secret) = made(&process.app, own.expose(), "a", json!({"url": all.url, "label": "all"})).await;
    let of_aurora = json!({"url": some.url, "label": "some", "chain_id": CHAIN, "sale": aurora.sale,
                           "events": ["contribution.observed", "contribution.reorged"]});
    made(&process.app, own.expose(), "b", of_aurora).await;

    // Nothing of what was committed before, everything after, once.
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1.5"), ether("6000")).await;
    contribute(&pool, &borealis, (11, 1), addr("bob"), ether("2"), ether("8000")).await;
    applied(&pool, 2, 11, 0).await;
    let got = all.wait(2).await;
    let public_key = request(&process.app, "GET", &path, own.expose()).await.body["data"]["public_key"].clone();
    for got in &got {
        assert!(got.is_signed_with(&secret) && got.is_signed_by(public_key.as_str().unwrap()), "{got:?}");
        assert!(!got.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert_eq!(got.headers["content-type"], "application/json");
    }
    let alice = got.iter().map(|g| g.json()).find(|j| j["data"]["account"] == addr("alice").to_string()).unwrap();
    assert_eq!((&alice["type"], &alice["timestamp"]), (&json!("contribution.observed"), &json!(rfc3339(time(11)))));
    assert_eq!(alice["data"]["amount"]["raw"], "1500000000000000000");
    assert_eq!(alice["data"]["block"]["hash"], hash(11, 0).to_string());
    assert_eq!(some.wait(1).await[0].json(), alice);

    // Taken back, and told again in another block.
    reverted(&pool, 10).await;
    contribute_on(&pool, &aurora, (11, 0), 1, addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 11, 11, 1).await;
    let got = some.wait(3).await;
    let mut kinds: Vec<_> = got[1..].iter().map(|g| (g.kind(), g.json()["data"]["block"]["hash"].clone())).collect();
    kinds.sort_by_key(|(kind, _)| kind.clone());
    let told = [("contribution.observed", hash(11, 1)), ("contribution.reorged", hash(11, 0))];
    assert_eq!(kinds, told.map(|(kind, hash)| (kind.to_owned(), json!(hash.to_string()))));
    // Two sales, created before, and three contributions: what is final is told of all of them.
    applied(&pool, 12, 30, 1).await;
    let got = all.wait(2 + 2 + 1 + 3).await;
    let ids: BTreeSet<_> = got.iter().map(|g| g.id().to_owned()).collect();
    assert_eq!(ids.len(), got.len(), "each has an id of its own");
    let finalized: Vec<_> = got.iter().map(|g| g.kind()).filter(|k| k.ends_with(".finalized")).collect();
    assert_eq!(finalized.len(), 3, "{finalized:?}");
    let noted = numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'delivered'");
    until("all of it is noted", async || (noted_count(&pool).await == 8 + 3).then_some(())).await;
    assert_eq!(noted.await, 11);
    assert_eq!((all.got().len(), some.got().len()), (8, 3), "and nothing twice");
    process.stop().await;
}

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

#[sqlx::test(migrations = "./migrations")]
async fn a_message_is_tried_again_given_up_and_replayed(pool: PgPool) {
    let (process, own, receiver, path, secret) = one(&pool, quick()).await;
    let app = &process.app;
    receiver.answer([(500, None), (302, None), (429, Some("0"))]);
    let test = post(app, &format!("{path}/test"), own.expose(), "t", &json!({})).await;
    let id = test.body["data"]["id"].as_str().unwrap().to_owned();
    let dead = in_state(app, &path, own.expose(), "dead", 1).await;
    assert_eq!((&dead[0]["id"], &dead[0]["attempts"], &dead[0]["last_status"]), (&json!(id), &json!(3), &json!(429)));
    assert!(dead[0]["ended_at"].is_string() && dead[0]["next_attempt_at"].is_null());
    let one = format!("{path}/deliveries/{id}");
    let full = request(app, "GET", &one, own.expose()).await.ok();
    let attempts = full.body["attempts"].as_array().unwrap();
    let statuses: Vec<_> = attempts.iter().map(|a| a["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [429, 302, 500]);
    assert_eq!(attempts[1]["error"], "redirects are not followed");
    let got = receiver.got();
    assert_eq!(got.len(), 3, "and no more");
    for got in &got {
        assert_eq!((got.id(), got.body.as_ref()), (id.as_str(), full.body["body"].as_str().unwrap().as_bytes()));
        assert!(got.is_signed_with(&secret), "signed anew for every attempt");
    }

    // One alone, with all its attempts before it; then all that are dead, in the list.
    receiver.answer([(503, None); 3]);
    let replay = format!("{one}/replay");
    assert_eq!(post(app, &replay, own.expose(), "r", &json!({})).await.ok().body["data"]["state"], "pending");
    until("it is dead again", async || {
        let dead = in_state(app, &path, own.expose(), "dead", 1).await;
        (dead[0]["attempts"] == 6).then_some(())
    })
    .await;
    assert_eq!(post(app, &replay, own.expose(), "r", &json!({})).await.header("idempotency-replayed"), "true");
    let later = json!({"since": "2999-01-01T00:00:00Z"});
    assert_eq!(post(app, &format!("{path}/replay"), own.expose(), "s", &later).await.ok().body["count"], 0);
    assert_eq!(post(app, &format!("{path}/replay"), own.expose(), "u", &json!({})).await.ok().body["count"], 1);
    let delivered = in_state(app, &path, own.expose(), "delivered", 1).await;
    assert_eq!((&delivered[0]["attempts"], &delivered[0]["last_status"]), (&json!(7), &json!(200)));
    assert_eq!(delivered[0]["last_error"], Value::Null);
    assert_eq!(receiver.accepted().len(), 1);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_receiver_that_is_gone_is_left_until_its_owner_says_otherwise(pool: PgPool) {
    let (process, own, receiver, path, _) = one(&pool, quick()).await;
    let app = &process.app;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    receiver.answer([(410, None)]);
    applied(&pool, 0, 1, 0).await;
    in_state(app, &path, own.expose(), "dead", 1).await;
    let state = async || request(app, "GET", &path, own.expose()).await.ok().body["data"]["state"].clone();
    assert_eq!(state().await, "gone");
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'webhook.disabled' AND actor = 'service'";
    assert_eq!(numbers(&pool, noted).await, 1);

    // What happens meanwhile waits in the outbox.
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 2, 11, 0).await;
    let other = Receiver::start().await;
    made(app, own.expose(), "other", json!({"url": other.url, "label": "other"})).await;
    contribute(&pool, &aurora, (12, 0), addr("bob"), ether("1"), ether("4000")).await;
    applied(&pool, 12, 12, 0).await;
    other.wait(1).await;
    assert_eq!((receiver.got().len(), numbers(&pool, DELIVERIES).await), (1, 2), "the other was told, this one not");
    patch(app, &path, own.expose(), "on", &json!({"enabled": true})).await.ok();
    assert_eq!(state().await, "enabled");
    let mut kinds: Vec<_> = receiver.wait(4).await[1..].iter().map(|g| g.kind()).collect();
    kinds.sort();
    assert_eq!(kinds, ["contribution.observed", "contribution.observed", "sale.finalized"]);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn during_a_rotation_both_secrets_sign(pool: PgPool) {
    let (process, own, receiver, path, first) = one(&pool, quick()).await;
    let app = &process.app;
    let rotate = format!("{path}/rotate");
    let public = async || request(app, "GET", &path, own.expose()).await.ok().body["data"]["public_key"].clone();
    let test = async |name: &str| {
        let count = receiver.got().len();
        assert_eq!(post(app, &format!("{path}/test"), own.expose(), name, &json!({})).await.status, 201);
        receiver.wait(count + 1).await.pop().unwrap()
    };
    let first_key = public().await.as_str().unwrap().to_owned();
    let second = post(app, &rotate, own.expose(), "r1", &json!({"overlap_seconds": 600})).await;
    let second = second.body["secret"].as_str().unwrap().to_owned();
    let second_key = public().await.as_str().unwrap().to_owned();
    let got = test("t1").await;
    assert!(got.is_signed_with(&first) && got.is_signed_with(&second));
    assert!(got.is_signed_by(&first_key) && got.is_signed_by(&second_key));
    assert_eq!(got.headers["webhook-signature"].to_str().unwrap().split(' ').count(), 4);

    // The overlap is over.
    sqlx::query("UPDATE crowdsale_service.webhook_secret SET ends_at = now() WHERE ends_at IS NOT NULL")
        .execute(&pool)
        .await
        .unwrap();
    let got = test("t2").await;
    assert!(!got.is_signed_with(&first) && !got.is_signed_by(&first_key));
    assert!(got.is_signed_with(&second) && got.is_signed_by(&second_key));

    // At once, for one that has leaked. And three at most.
    let third = post(app, &rotate, own.expose(), "r2", &json!({"overlap_seconds": 0})).await;
    let got = test("t3").await;
    assert!(!got.is_signed_with(&second) && got.is_signed_with(third.body["secret"].as_str().unwrap()));
    assert_eq!(
        numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_secret").await,
        1,
        "what has ended is forgotten"
    );
    for name in ["r3", "r4"] {
        assert_eq!(post(app, &rotate, own.expose(), name, &json!({})).await.status, 201);
    }
    post(app, &rotate, own.expose(), "r5", &json!({})).await.is_problem(409, "too_many_webhooks");
    assert_eq!(post(app, &rotate, own.expose(), "r6", &json!({"overlap_seconds": 0})).await.status, 201);

    // Sealed, and found by a rotation of the master key.
    let new = "6b".repeat(31) + "01";
    let both = crowdsale::seal::Sealer::new(new.parse().unwrap(), [("5a".repeat(31) + "01").parse().unwrap()]);
    let mut connection = pool.acquire().await.unwrap();
    let done = access::rewrap_all(&mut connection, &both, &Source::default()).await.unwrap();
    assert_eq!(done.changed, 0);
    let stale = "SELECT count(*) FROM crowdsale_service.webhook_secret WHERE substr(hmac_sealed, 2, 8) = substr(ed25519_sealed, 2, 8)
                 AND substr(hmac_sealed, 2, 8) = (SELECT substr(sealed, 2, 8) FROM crowdsale_service.secret)";
    assert_eq!(
        numbers(&pool, stale).await,
        numbers(&pool, "SELECT count(*) FROM crowdsale_service.webhook_secret").await
    );
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn one_that_never_answers_does_not_hold_up_another(pool: PgPool) {
    // It is waited for longer than this test runs, and takes as much as it gets.
    let options = Options { timeout: Duration::from_secs(600), each: 2, most: 4, ..quick() };
    let (process, own, receiver, _, _) = one(&pool, options).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (path, _) = made(&process.app, own.expose(), "silent", json!({"url": url, "label": "silent"})).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    for log in 0..20 {
        contribute(&pool, &aurora, (2, log), addr("alice"), ether("1"), ether("4000")).await;
    }
    applied(&pool, 0, 2, 0).await;
    // Both of its places are taken before the other is told more.
    let (_one, _two) = (silent.accept().await.unwrap(), silent.accept().await.unwrap());
    contribute(&pool, &aurora, (3, 0), addr("bob"), ether("1"), ether("4000")).await;
    applied(&pool, 3, 3, 0).await;
    receiver.wait(22).await;
    let pending = request(&process.app, "GET", &format!("{path}/deliveries?state=pending"), own.expose()).await.ok();
    assert_eq!(pending.rows().len(), 22);
    process.shutdown.cancel();
}

#[sqlx::test(migrations = "./migrations")]
async fn several_processes_send_each_message_once(pool: PgPool) {
    let (process, _, receiver, _, _) = one(&pool, quick()).await;
    let others = [Process::start(&pool, quick()).await, Process::start(&pool, quick()).await];
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    for block in 1..=20 {
        for log in 0..5 {
            contribute(&pool, &aurora, (block, 10 + log), addr("alice"), ether("1"), ether("4000")).await;
        }
        applied(&pool, block, block, 0).await;
    }
    // A sale, a hundred contributions, and those of twelve blocks that are final.
    let finalized = 1 + 12 * 5;
    until("all are noted", async || (noted_count(&pool).await == 101 + finalized).then_some(())).await;
    let got = receiver.got();
    let ids: BTreeSet<_> = got.iter().map(|g| g.id().to_owned()).collect();
    assert_eq!((got.len() as i64, ids.len() as i64), (101 + finalized, 101 + finalized));
    process.stop().await;
    for other in others {
        other.stop().await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_webhook_ends_with_its_makers_last_key(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let process = Process::start(&pool, quick()).await;
    let first = key(&pool, &[Scope::WebhooksWrite], &[]).await;
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "label": "one"});
    let (path, _) = made(&process.app, first.key.expose(), "one", body).await;
    let mut connection = pool.acquire().await.unwrap();
    let pepper = access::pepper(&mut connection, &sealer()).await.unwrap();
    let source = Source::default();
    let second = access::rotate(&mut connection, &pepper, &first.row.id, 0, &source).await.unwrap();
    assert_eq!(post(&process.app, &format!("{path}/test"), second.key.expose(), "t", &json!({})).await.status, 201);
    receiver.wait(1).await;

    // It was found out, and revoked: what it made hears nothing more.
    let test = post(&process.app, &format!("{path}/test"), second.key.expose(), "u", &json!({})).await;
    assert_eq!(test.status, 201);
    receiver.wait(2).await;
    access::revoke(&mut connection, &second.row.id, &source).await.unwrap();
    let witness = key(&pool, &[Scope::WebhooksWrite], &[]).await.key;
    let other = Receiver::start().await;
    made(&process.app, witness.expose(), "w", json!({"url": other.url, "label": "witness"})).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    applied(&pool, 0, 1, 0).await;
    other.wait(1).await;
    assert_eq!(receiver.got().len(), 2);
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_cannot_be_told_on_is_told_so(pool: PgPool) {
    let (process, _, receiver, _, _) = one(&pool, quick()).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    applied(&pool, 0, 1, 0).await;
    receiver.wait(1).await;
    // The tables are made anew, by who does not switch them.
    sqlx::raw_sql("TRUNCATE outbox RESTART IDENTITY").execute(&pool).await.unwrap();
    let told = receiver.wait(2).await[1].json();
    assert_eq!((&told["type"], &told["data"]["chain_id"]), (&json!("webhook.reset"), &json!(CHAIN)));
    contribute(&pool, &aurora, (11, 0), addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 2, 11, 0).await;
    let kinds: BTreeSet<_> = receiver.wait(4).await[2..].iter().map(|g| g.kind()).collect();
    assert_eq!(kinds, ["contribution.observed", "sale.finalized"].map(str::to_owned).into());
    process.stop().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_backlog_waits_where_it_is(pool: PgPool) {
    let options = Options { waiting: 10, schedule: Schedule::new([Duration::from_secs(3_600)]), ..quick() };
    let (process, own, receiver, path, _) = one(&pool, options).await;
    let aurora = Terms::new("Aurora", 1, 0);
    sale(&pool, &aurora).await;
    receiver.answer([(500, None); 11]);
    for block in 1..=11 {
        contribute(&pool, &aurora, (block, 9), addr("alice"), ether("1"), ether("4000")).await;
        // Below what is final.
        applied(&pool, block, block, 0).await;
        if block <= 10 {
            receiver.wait(usize::try_from(block).unwrap()).await;
        }
    }
    // A sale and nine contributions wait or more; the rest was not even added.
    let pending = request(&process.app, "GET", &format!("{path}/deliveries?state=pending"), own.expose()).await.ok();
    let waiting = pending.rows().len();
    assert!(waiting >= 10, "{waiting}");
    let metrics = get(&process.app, "/metrics").await.text;
    assert!(metrics.contains(&format!("crowdsale_webhook_pending_messages {waiting}")), "{metrics}");
    // Sent after all, and then the rest of it is told.
    sqlx::query("UPDATE crowdsale_service.webhook_delivery SET next_at = now()").execute(&pool).await.unwrap();
    until("all of it arrived", async || {
        sqlx::query("UPDATE crowdsale_service.webhook_delivery SET next_at = now() WHERE state = 'pending'")
            .execute(&pool)
            .await
            .unwrap();
        let accepted = receiver.accepted();
        let observed = accepted.values().filter(|g| g.kind() == "contribution.observed").count();
        (observed == 11).then_some(())
    })
    .await;
    process.stop().await;
}
