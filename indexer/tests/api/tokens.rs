//! Supplies and the token list.

use sqlx::PgPool;

use crate::support::*;

async fn supply(app: &axum::Router, kind: &str) -> String {
    let answer = get(app, &format!("/v1/tokens/{CHAIN}/{}/supply/{kind}", addr("token"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert!(answer.header("etag").starts_with("W/"));
    answer.text
}

async fn made(pool: &PgPool, supply: &str) {
    let sql = format!(
        "INSERT INTO token_created VALUES ($1, 5, 9, sha256('made'), {}, {}, 'Token', 'TKN', {}, '', '')",
        sql(addr("token")),
        sql(addr("creator")),
        ether(supply)
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(CHAIN).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_supply_is_exact_at_every_step(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    made(&pool, "2000000.5").await;
    // 1,000,000 in the sale, 300,000 in a wallet; 700,000.5 with the creator.
    let (wallet, token) = (sql(addr("wallet")), sql(addr("token")));
    let allocation = format!("{wallet}, 0, {}, {}, 0, 0", sql(addr("team")), ether("300000"));
    event(&pool, "allocation", &t, (5, 1), &allocation).await;
    tip(&pool, CHAIN, 12, 0).await;
    let app = app(&pool);
    let all = async |app: &axum::Router| {
        (supply(app, "max").await, supply(app, "total").await, supply(app, "circulating").await)
    };
    let told = |max: &str, total: &str, circulating: &str| (max.to_owned(), total.to_owned(), circulating.to_owned());
    assert_eq!(all(&app).await, told("2000000.5", "2000000.5", "700000.5"));

    // Sold is not claimed yet.
    contribute(&pool, &t, (12, 0), addr("alice"), ether("100"), ether("400000")).await;
    tip(&pool, CHAIN, 13, 0).await;
    assert_eq!(all(&app).await, told("2000000.5", "2000000.5", "700000.5"));

    pay(&pool, "claim", &t, (14, 0), addr("alice"), "1".parse().unwrap()).await;
    tip(&pool, CHAIN, 14, 0).await;
    assert_eq!(supply(&app, "circulating").await, "700000.500000000000000001");

    let burnt = format!("{}, {}", sql(alloy::primitives::Address::ZERO), ether("600000"));
    event(&pool, "unsold_return", &t, (15, 0), &burnt).await;
    tip(&pool, CHAIN, 15, 0).await;
    assert_eq!(all(&app).await, told("2000000.5", "1400000.5", "700000.500000000000000001"));

    // A wallet pays its own tokens, and another that somebody sent to it.
    event(&pool, "allocation_release", &t, (16, 0), &format!("{wallet}, {token}, {}", ether("100000"))).await;
    event(&pool, "allocation_release", &t, (16, 1), &format!("{wallet}, {}, {}", sql(addr("usd")), ether("9"))).await;
    tip(&pool, CHAIN, 16, 0).await;
    assert_eq!(supply(&app, "circulating").await, "800000.500000000000000001");
    // More than it was given does not make more.
    event(&pool, "allocation_release", &t, (17, 0), &format!("{wallet}, {token}, {}", ether("900000"))).await;
    tip(&pool, CHAIN, 17, 0).await;
    assert_eq!(supply(&app, "circulating").await, "1000000.500000000000000001");

    rollback(&pool, CHAIN, 13).await;
    assert_eq!(all(&app).await, told("2000000.5", "2000000.5", "700000.5"));
}

#[sqlx::test(migrations = "./migrations")]
async fn tokens_that_are_returned_unsold_circulate(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    made(&pool, "1000000").await;
    let returned = format!("{}, {}", sql(addr("owner")), ether("1000000"));
    event(&pool, "unsold_return", &t, (12, 0), &returned).await;
    tip(&pool, CHAIN, 12, 0).await;
    let app = app(&pool);
    assert_eq!((supply(&app, "total").await, supply(&app, "circulating").await), ("1000000".into(), "1000000".into()));
    // And are sold again.
    sale(&pool, &Terms::new("second", 13, 0)).await;
    tip(&pool, CHAIN, 13, 0).await;
    assert_eq!((supply(&app, "total").await, supply(&app, "circulating").await), ("1000000".into(), "0".into()));
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_known_is_said(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("first", 5, 0)).await;
    tip(&pool, CHAIN, 12, 0).await;
    let app = app(&pool);
    let path = |token: &str, kind: &str| format!("/v1/tokens/{CHAIN}/{token}/supply/{kind}");
    let (token, other) = (addr("token").to_string(), addr("other").to_string());
    get(&app, &path(&token, "total")).await.is_problem(404, "supply_unknown");
    get(&app, &path(&other, "total")).await.is_problem(404, "token_not_found");
    get(&app, &format!("/v1/tokens/1/{token}/supply/max")).await.is_problem(404, "chain_not_found");
    for (path, pointer) in [(path(&token, "free"), "/path/kind"), (path("0x1", "max"), "/path/token")] {
        assert_eq!(get(&app, &path).await.is_problem(422, "invalid_path").body["errors"][0]["pointer"], pointer);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_list_has_what_is_sold(pool: PgPool) {
    for chain_id in [1, CHAIN] {
        chain(&pool, chain_id).await;
        sale(&pool, &Terms { chain_id, ..Terms::new("first", 5, 0) }).await;
        tip(&pool, chain_id, 12, 0).await;
    }
    let app = app(&pool);
    let list = get(&app, "/v1/tokenlist").await.ok();
    let token = |chain_id: i64| {
        serde_json::json!({
            "chainId": chain_id, "address": addr("token").to_string(), "symbol": "TKN", "name": "Token", "decimals": 18
        })
    };
    // What is paid is not what is sold.
    assert_eq!(list.body["tokens"], serde_json::json!([token(1), token(CHAIN)]));
    assert_eq!(list.body["version"], serde_json::json!({ "major": 1, "minor": 2, "patch": 0 }));
    assert_eq!((&list.body["timestamp"], &list.body["name"]), (&rfc3339(time(5)).into(), &"Crowdsale tokens".into()));
    let one = get(&app, "/v1/tokenlist?chain=1").await.ok();
    assert_eq!(one.body["tokens"], serde_json::json!([token(1)]));
    get(&app, "/v1/tokenlist?min_block=1").await.is_problem(422, "invalid_query");
    get(&app, "/v1/tokenlist?chain=7").await.is_problem(404, "chain_not_found");
}
