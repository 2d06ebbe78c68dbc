//! Every route: what it answers, to whom, and what it refuses.

use std::collections::BTreeSet;

use super::*;

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
