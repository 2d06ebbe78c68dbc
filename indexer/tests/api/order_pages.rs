//! Pages of orders: what they cost the database, and that each order on one is what it is by itself.

use std::time::Duration;

use axum::{Router, body::Body};
use crowdsale::{
    access::{Created, Scope},
    api::auth::Service,
    orders::{OrderOptions, Orders},
    seal::Place,
    serve::{self, ServeOptions},
    types::Hash32,
};
use secrecy::SecretSlice;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::{
    keys::{Logged, key, sealer, with},
    orders::{desk, signer, written},
    support::*,
};

/// The place of an order that is written for these tests.
fn id(n: i64) -> String {
    format!("ord_{n:020}")
}

async fn run(pool: &PgPool, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

/// A hash as SQL writes it.
fn bytes(hash: Hash32) -> String {
    format!("'\\x{}'::bytea", alloy::hex::encode(hash.0))
}

/// An order that is included in a block of a fork, by a transaction that made a contribution of `n` wei there; the one before it was
/// replaced.
async fn included(pool: &PgPool, t: &Terms, caller: &Created, n: i64) {
    let block = 40 + n;
    written(pool, &id(n), &format!("key:{}", caller.row.family), "included").await;
    contribute(pool, t, (block, 0), addr("alice"), n.unsigned_abs().try_into().unwrap(), "5".parse().unwrap()).await;
    let made = bytes(Hash32(alloy::primitives::keccak256(format!("transaction {block} 0"))));
    run(
        pool,
        format!(
            "UPDATE crowdsale_service.sale_order SET mined_hash = {made}, block_number = {block}, block_hash = {}, amount = {n}, nonce = {n}
             WHERE id = '{id}';
             INSERT INTO crowdsale_service.order_transaction (hash, chain_id, order_id, sender, nonce, purpose, raw, max_fee, priority_fee)
             SELECT hash, chain_id, id, sender, nonce, purpose, '', {n}, 1 FROM crowdsale_service.sale_order,
                 (VALUES (sha256('{id}'), 'original'), ({made}, 'speed_up')) AS t (hash, purpose) WHERE id = '{id}' ORDER BY purpose;
             INSERT INTO crowdsale_service.order_event (order_id, state, block_number)
             VALUES ('{id}', 'accepted', NULL), ('{id}', 'included', {block})",
            bytes(Hash32(hash(block, 0))),
            id = id(n)
        ),
    )
    .await;
}

async fn get(app: &Router, caller: &Created, path: &str) -> Answer {
    send(app, with("GET", path, caller.key.expose()).body(Body::empty()).unwrap()).await
}

#[sqlx::test(migrations = "./migrations")]
async fn each_order_of_a_page_has_what_is_its_own(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("Aurora", 1, 0);
    sale(&pool, &t).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    for n in 1..=3 {
        included(&pool, &t, &own, n).await;
    }
    // In no block, and of a sale that the index does not have.
    written(&pool, &id(4), &format!("key:{}", own.row.family), "pending").await;
    let gone = format!("UPDATE crowdsale_service.sale_order SET sale = {} WHERE id = '{}'", sql(addr("gone")), id(4));
    run(&pool, gone).await;
    tip(&pool, CHAIN, 50, 0).await;
    let app = desk(&pool);
    let page = get(&app, &own, "/v1/orders").await.ok();
    assert_eq!(page.rows().iter().map(|o| o["id"].clone()).collect::<Vec<_>>(), [4, 3, 2, 1].map(|n| json!(id(n))));
    for order in page.rows() {
        let one = get(&app, &own, &format!("/v1/orders/{}", order["id"].as_str().unwrap())).await.ok();
        assert_eq!(&one.body["data"], order);
    }
    for n in 1..=3_i64 {
        let order = &page.rows()[usize::try_from(4 - n).unwrap()];
        let raw = |text: &str, symbol: &str| json!({"raw": text, "decimals": 18, "symbol": symbol});
        assert_eq!(order["amount"], raw(&n.to_string(), "ETH"));
        let purposes: Vec<_> = order["transactions"].as_array().unwrap().iter().map(|t| &t["purpose"]).collect();
        assert_eq!(purposes, ["original", "speed_up"]);
        assert_eq!(order["transactions"][1]["max_fee_per_gas"], n.to_string());
        assert_eq!(order["transactions"][1]["hash"], order["transaction_hash"]);
        let contributions = order["contributions"].as_array().unwrap();
        assert_eq!(contributions.len(), 1);
        assert_eq!(contributions[0]["amount"], raw(&n.to_string(), "ETH"));
        assert_eq!(contributions[0]["tokens"], raw("5", "TKN"));
        assert_eq!(contributions[0]["block"]["hash"], order["block"]["hash"]);
        let history: Vec<_> = order["history"].as_array().unwrap().iter().map(|e| &e["state"]).collect();
        assert_eq!(history, ["accepted", "included"]);
        assert_eq!(order["history"][1]["block_number"], 40 + n);
    }
    let waiting = &page.rows()[0];
    assert_eq!((&waiting["block"], &waiting["contributions"]), (&Value::Null, &json!([])));
    assert_eq!(waiting["amount"]["symbol"], "");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_page_is_read_with_as_many_statements_however_long_it_is(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("Aurora", 1, 0);
    sale(&pool, &t).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    for n in 1..=30 {
        included(&pool, &t, &own, n).await;
    }
    tip(&pool, CHAIN, 75, 0).await;
    let app = desk(&pool);
    // Connections are made and statements prepared once.
    get(&app, &own, "/v1/orders?limit=1").await.ok();
    let mut counts = Vec::new();
    for limit in [1, 30] {
        let (logged, guard) = Logged::begin();
        let page = get(&app, &own, &format!("/v1/orders?limit={limit}")).await.ok();
        drop(guard);
        assert_eq!(page.rows().len(), limit);
        counts.push(logged.text().matches("sqlx::query").count());
    }
    assert_eq!(counts[0], counts[1]);
    assert!((5..20).contains(&counts[0]), "{counts:?}");
}

#[sqlx::test(migrations = "./migrations")]
async fn reading_what_is_sealed_is_noted_once_an_hour(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    let whose = format!("key:{}", own.row.family);
    for n in [1, 2] {
        written(&pool, &id(n), &whose, "pending").await;
    }
    let noted = async || {
        let sql = "SELECT actor || ' ' || subject FROM crowdsale_service.audit WHERE act = 'order.references_read' ORDER BY id";
        sqlx::query_scalar::<_, String>(sql).fetch_all(&pool).await.unwrap()
    };
    let app = desk(&pool);
    // Neither order has a reference yet.
    for path in ["/v1/orders".to_owned(), format!("/v1/orders/{}", id(2))] {
        get(&app, &own, &path).await.ok();
    }
    assert!(noted().await.is_empty());
    let place = id(2);
    let place = Place { table: "sale_order", column: "customer_reference_sealed", row: &place };
    let sealed = sealer().seal(&SecretSlice::from(b"customer 4711".to_vec()), place).unwrap();
    let sql = "UPDATE crowdsale_service.sale_order SET customer_reference_sealed = $1 WHERE id = $2";
    sqlx::query(sql).bind(sealed).bind(id(2)).execute(&pool).await.unwrap();
    for _ in 0..2 {
        let page = get(&app, &own, "/v1/orders").await.ok();
        assert_eq!(page.rows()[0]["customer_reference"], "customer 4711");
        let one = get(&app, &own, &format!("/v1/orders/{}", id(2))).await.ok();
        assert_eq!(one.body["data"]["customer_reference"], "customer 4711");
        get(&app, &own, &format!("/v1/orders/{}", id(1))).await.ok();
        get(&app, &own, &format!("/v1/orders?after={}", id(2))).await.ok();
    }
    let actor = format!("key:{}", own.row.id);
    assert_eq!(noted().await, [format!("{actor} {whose}"), format!("{actor} {}", id(2))]);
}

/// So many connections to the database of a test.
async fn connections(pool: &PgPool, most: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(most).acquire_timeout(Duration::from_secs(3));
    options.connect_with(pool.connect_options().as_ref().clone()).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn who_waits_for_orders_keeps_nobody_from_reading(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("Aurora", 1, 0)).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    written(&pool, &id(1), &format!("key:{}", own.row.family), "pending").await;
    // One reader, which a request that holds it takes from all others.
    let (reader, writers) = (connections(&pool, 1).await, connections(&pool, 2).await);
    let orders = Orders::new(Some(signer()), OrderOptions::default());
    let service = Service::new(writers, sealer()).with_signers(orders, None);
    let app = serve::app(state(&reader).with_service(service), ServeOptions::default());

    for path in ["/v1/orders".to_owned(), format!("/v1/orders/{}", id(1)), "/metrics".to_owned()] {
        let mut lock = pool.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE crowdsale_service.sale_order").execute(&mut *lock).await.unwrap();
        let (asking, whose, asked) = (app.clone(), with("GET", &path, own.key.expose()), path.clone());
        let waiting = tokio::spawn(async move { send(&asking, whose.body(Body::empty()).unwrap()).await });
        let is_waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'crowdsale_service.sale_order'::regclass
                              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        while !sqlx::query_scalar::<_, bool>(is_waiting).fetch_one(&pool).await.unwrap() {
            assert!(!waiting.is_finished(), "{asked} did not read orders");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        crate::support::get(&app, "/v1/sales").await.ok();
        lock.commit().await.unwrap();
        assert_eq!(waiting.await.unwrap().status, 200, "{path}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_block_that_the_index_has_no_longer_is_not_called_final(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("Aurora", 1, 0);
    sale(&pool, &t).await;
    let own = key(&pool, &[Scope::OrdersWrite], &[]).await;
    for n in [1, 2] {
        included(&pool, &t, &own, n).await;
    }
    // Who follows orders has not seen yet that another block has taken its place.
    let forked = format!(
        "UPDATE crowdsale_service.sale_order SET block_hash = {} WHERE id = '{}'",
        bytes(Hash32(hash(42, 1))),
        id(2)
    );
    run(&pool, forked).await;
    tip(&pool, CHAIN, 90, 0).await;
    let page = get(&desk(&pool), &own, "/v1/orders").await.ok();
    let finality: Vec<_> = page.rows().iter().map(|o| o["block"]["finality"].as_str().unwrap()).collect();
    assert_eq!(finality, ["latest", "finalized"]);
    // Nor where the index keeps no block of that height, as of one that is final and has no events: it may have been another one.
    let nowhere = format!("UPDATE crowdsale_service.sale_order SET block_number = 43 WHERE id = '{}'", id(2));
    run(&pool, nowhere).await;
    let page = get(&desk(&pool), &own, "/v1/orders").await.ok();
    assert_eq!(page.rows()[0]["block"]["number"], 43);
    assert_eq!(page.rows()[0]["block"]["finality"], "latest");
}
