//! Orders without a chain: who may ask, what is refused before anything is written, and what of others nobody sees. What a node has to
//! do with is tested end to end.

use alloy::{primitives::B256, signers::local::PrivateKeySigner};
use axum::{Router, body::Body};
use crowdsale::{
    access::Scope,
    api::auth::Service,
    orders::{OrderOptions, Orders, Signer},
    serve::{self, ServeOptions},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    keys::{key, post, sealer, with},
    schemas::{assert_described, document},
    support::*,
};

pub fn signer() -> Signer {
    Signer::new(PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).unwrap(), None)
}

/// With signers, and without a node.
pub fn desk(pool: &PgPool) -> Router {
    let orders = Orders::new(Some(signer()), OrderOptions::default());
    let service = Service::new(pool.clone(), sealer()).with_signers(orders, Some(signer()));
    serve::app(state(pool).with_service(service), ServeOptions::default())
}

fn order() -> Value {
    json!({"chain": CHAIN, "sale": addr("Aurora").to_string(), "investor": addr("alice").to_string(),
           "amount": "1000", "customer_reference": "customer 4711"})
}

fn changed(field: &str, value: Value) -> Value {
    let mut body = order();
    body[field] = value;
    body
}

async fn count(pool: &PgPool, table: &'static str) -> i64 {
    let sql = format!("SELECT count(*) FROM crowdsale_service.{table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn bad_orders_are_refused_field_by_field_and_leave_nothing(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let app = desk(&pool);
    let secret = key(&pool, &[Scope::OrdersWrite], &[]).await.key;
    let right = addr("alice").to_string();
    let swapped: String = right
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let wrong_checksum = format!("0x{}", &swapped[2..]);
    for (field, value) in [
        ("chain", json!(-1)),
        ("chain", json!("31337")),
        ("chain", json!(1.5)),
        ("chain", json!(1e300)),
        ("chain", Value::Null),
        ("sale", json!("")),
        ("sale", json!(1)),
        ("investor", json!(wrong_checksum)),
        ("investor", json!(right[..41])),
        ("investor", json!(format!("{right} "))),
        ("investor", json!(format!("{right}\u{200b}"))),
        // A Cyrillic а, and full-width digits.
        ("investor", json!(format!("0x{}", "\u{430}".repeat(40)))),
        ("investor", json!(format!("0x{}", "\u{ff11}".repeat(40)))),
        ("investor", json!(format!("0X{}", &right[2..]))),
        ("investor", json!(ETH)),
        ("amount", json!(1000)),
        ("amount", json!("")),
        ("amount", json!("0")),
        ("amount", json!("-1")),
        ("amount", json!("+1")),
        ("amount", json!("01")),
        ("amount", json!("1.0")),
        ("amount", json!("1e18")),
        ("amount", json!("0x10")),
        ("amount", json!(" 1")),
        ("amount", json!("\u{661}")),
        ("amount", json!("1329227995784915872903807060280344576")),
        ("amount", json!("9".repeat(4000))),
        ("customer_reference", json!("")),
        ("customer_reference", json!("x".repeat(129))),
        ("customer_reference", json!(" x")),
        ("customer_reference", json!("a\u{202e}b")),
        ("customer_reference", json!("a\nb")),
        ("customer_reference", Value::Null),
        ("eligibility", json!("0x0")),
        ("eligibility", json!("00")),
        ("eligibility", json!(format!("0x{}", "00".repeat(4097)))),
        ("max_fee_per_gas", json!("0")),
        ("max_fee_per_gas", json!("-5")),
        ("max_fee_per_gas", json!(5)),
        ("raw_transaction", json!("0x00")),
        ("amuont", json!("1")),
    ] {
        let answer = post(&app, "/v1/orders", secret.expose(), "\"one\"", &changed(field, value.clone())).await;
        answer.is_problem(422, "invalid_body");
        let pointers: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
        assert!(pointers.contains(&&json!(format!("/body/{field}"))), "{field} {value}: {}", answer.text);
        assert!(answer.text.len() < 4_000, "{}", answer.text.len());
        // Said to a person, not to whoever wrote the parser.
        for word in ["expected", "i64", "invalid type", "struct "] {
            assert!(!answer.body["detail"].as_str().unwrap().contains(word), "{word}: {}", answer.text);
        }
    }
    let told = post(&app, "/v1/orders", secret.expose(), "\"one\"", &changed("chain", json!("31337"))).await;
    assert_eq!(told.body["detail"], r#"chain must be a whole number below 2^63, and is the text "31337""#);
    let told = post(&app, "/v1/orders", secret.expose(), "\"one\"", &changed("amount", json!(1000))).await;
    assert_eq!(told.body["detail"], "amount must be a text in quotes, and is 1000");
    // All at once.
    let bad = json!({"chain": CHAIN, "sale": "x", "investor": "y", "amount": "z", "customer_reference": "fine"});
    let answer = post(&app, "/v1/orders", secret.expose(), "\"one\"", &bad).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 3, "{}", answer.text);
    let empty = post(&app, "/v1/orders", secret.expose(), "\"one\"", &json!({"chain": CHAIN})).await;
    empty.is_problem(422, "invalid_body");
    assert_eq!(empty.body["errors"][0]["pointer"], "/body/raw_transaction");

    let raw = |kind: &'static str, body: &'static str| {
        let request = with("POST", "/v1/orders", secret.expose()).header("idempotency-key", "one");
        request.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    send(&app, raw("text/plain", "{}")).await.is_problem(415, "unsupported_media_type");
    send(&app, raw("application/json", r#"{"chain": 31337, "sale": "0x"#)).await.is_problem(400, "malformed_body");
    send(&app, raw("application/json", "[]")).await.is_problem(400, "malformed_body");
    send(&app, raw("application/json", "")).await.is_problem(400, "malformed_body");
    send(&app, raw("application/json", r#"{"chain": 1, "chain": 2}"#)).await.is_problem(422, "invalid_body");
    let long =
        post(&app, "/v1/orders", secret.expose(), "one", &changed("eligibility", json!("0".repeat(70_000)))).await;
    long.is_problem(413, "payload_too_large");
    for table in ["sale_order", "order_transaction", "order_event", "order_signer", "idempotency"] {
        assert_eq!(count(&pool, table).await, 0, "{table}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_the_operator_has_not_set_is_said(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let secret = key(&pool, &[Scope::OrdersWrite], &[]).await.key;
    let no_node = post(&desk(&pool), "/v1/orders", secret.expose(), "one", &order()).await;
    no_node.is_problem(501, "not_configured");
    assert!(no_node.text.contains("CROWDSALE_RPC_URL"), "{}", no_node.text);
    let no_signer = post(&crate::keys::private(&pool), "/v1/orders", secret.expose(), "one", &order()).await;
    no_signer.is_problem(501, "not_configured");
    assert!(no_signer.text.contains("CROWDSALE_ORDER_SIGNER_FILE"), "{}", no_signer.text);
    let public = post(&app(&pool), "/v1/orders", secret.expose(), "one", &order()).await;
    public.is_problem(501, "not_configured");
    let unknown =
        post(&desk(&pool), "/v1/orders", secret.expose(), "one", &changed("sale", json!(addr("x").to_string()))).await;
    unknown.is_problem(404, "sale_not_found");
    let other = post(&desk(&pool), "/v1/orders", secret.expose(), "one", &changed("chain", json!(5))).await;
    other.is_problem(404, "chain_not_found");
    let reader = key(&pool, &[Scope::SalesRead], &[]).await.key;
    post(&desk(&pool), "/v1/orders", reader.expose(), "one", &order()).await.is_problem(403, "scope_missing");
    assert_eq!(count(&pool, "idempotency").await, 0);
}

/// An order as the service writes it.
pub async fn written(pool: &PgPool, id: &str, caller: &str, state: &str) {
    let alice = sql(addr("alice"));
    let statement = format!(
        "INSERT INTO crowdsale_service.sale_order (id, caller, request_id, chain_id, sale, by_operator, investor, currency, amount,
             sender, nonce, value, data, gas_limit, state, since, sent_since)
         VALUES ('{id}', '{caller}', '{id}', {CHAIN}, {}, true, {alice}, decode(repeat('00', 20), 'hex'), 1000, {alice}, 7, 1000, '', 21000,
             '{state}', 1, 1)",
        sql(addr("Aurora"))
    );
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_caller_sees_its_own_orders_and_no_others(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let app = desk(&pool);
    let (own, other) = (key(&pool, &[Scope::OrdersWrite], &[]).await, key(&pool, &[Scope::OrdersWrite], &[]).await);
    let id = |digit: char| format!("ord_{}", digit.to_string().repeat(20));
    written(&pool, &id('a'), &format!("key:{}", own.row.family), "pending").await;
    written(&pool, &id('b'), &format!("key:{}", own.row.family), "failed").await;
    written(&pool, &id('c'), &format!("key:{}", other.row.family), "pending").await;
    let get = async |path: &str| send(&app, with("GET", path, own.key.expose()).body(Body::empty()).unwrap()).await;
    let one = get(&format!("/v1/orders/{}", id('a'))).await.ok();
    assert_eq!(one.header("cache-control"), "no-store");
    assert_eq!(one.body["data"]["amount"], json!({"raw": "1000", "decimals": 18, "symbol": "ETH"}));
    assert_described(&document(), "get", &format!("/v1/orders/{}", id('a')), &one);
    get(&format!("/v1/orders/{}", id('c'))).await.is_problem(404, "order_not_found");
    get("/v1/orders/ord_x").await.is_problem(422, "invalid_path");
    let all = get("/v1/orders").await.ok();
    assert_described(&document(), "get", "/v1/orders", &all);
    let ids: Vec<_> = all.rows().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [id('b'), id('a')]);
    assert_eq!(get("/v1/orders?state=failed").await.ok().rows().len(), 1);
    assert_eq!(get(&format!("/v1/orders?chain={CHAIN}&sale={}", addr("Aurora"))).await.ok().rows().len(), 2);
    assert_eq!(get(&format!("/v1/orders?after={}", id('b'))).await.ok().rows().len(), 1);
    assert!(get(&format!("/v1/orders?after={}", id('c'))).await.ok().rows().is_empty(), "another's order is no place");
    get("/v1/orders?state=lost").await.is_problem(422, "invalid_query");
    get("/v1/orders?limit=0").await.is_problem(422, "invalid_query");

    let path = format!("/v1/orders/{}/cancel", id('c'));
    post(&app, &path, own.key.expose(), "one", &json!({})).await.is_problem(404, "order_not_found");
    post(&app, &path, own.key.expose(), "two", &json!({"force": true})).await.is_problem(422, "invalid_body");
    // Not before the node says what a block asks for.
    let path = format!("/v1/orders/{}/cancel", id('a'));
    post(&app, &path, own.key.expose(), "three", &json!({})).await.is_problem(501, "not_configured");
    let changed = sqlx::query("DELETE FROM crowdsale_service.order_event").execute(&pool).await;
    assert!(changed.unwrap_err().to_string().contains("append-only"));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_makes_one_order_even_when_its_answer_is_forgotten(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    let id = "ord_aaaaaaaaaaaaaaaaaaaa";
    written(&pool, id, &format!("key:{}", own.row.family), "final").await;
    // As a request with the key "one" marks it; its answer is older than a day, and gone.
    let mark = format!("key:{}\none", own.row.family);
    sqlx::query("UPDATE crowdsale_service.sale_order SET request_id = encode(sha256(convert_to($1, 'UTF8')), 'hex')")
        .bind(mark)
        .execute(&pool)
        .await
        .unwrap();
    let again = post(&desk(&pool), "/v1/orders", own.key.expose(), "one", &order()).await;
    again.is_problem(409, "order_exists");
    assert!(again.text.contains(id), "{}", again.text);
    assert_eq!(count(&pool, "sale_order").await, 1);
}
