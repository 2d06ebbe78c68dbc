//! Supplies and the token list.

use alloy::primitives::U256;
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

#[sqlx::test(migrations = "./migrations")]
async fn holders_are_told_up_to_what_is_final(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    tip(&pool, CHAIN, 20, 0).await;
    let app = app(&pool);
    let path = format!("/v1/tokens/{CHAIN}/{}/holders", addr("token"));
    get(&app, &path).await.is_problem(404, "supply_unknown");
    get(&app, &path.replace(&addr("token").to_string(), &addr("no").to_string()))
        .await
        .is_problem(404, "token_not_found");
    made(&pool, "1000000").await;
    let early = get(&app, &path).await;
    assert_eq!(early.is_problem(503, "block_not_indexed").header("retry-after"), "10");

    let holder = |name: &str, balance: U256| {
        format!(
            "({CHAIN}, {}, {}, {balance})",
            sql(addr("token")),
            sql(if name == "sale" { t.sale } else { addr(name) })
        )
    };
    let third = ether("1000000") / U256::from(3);
    let rest = ether("1000000") - third * U256::from(2) - U256::from(1);
    let rows = [holder("alice", third), holder("bob", third), holder("sale", rest), holder("dust", U256::from(1))];
    let insert = format!(
        "INSERT INTO holder_checkpoint VALUES ({CHAIN}, 12, sha256('twelve')); INSERT INTO token_holder VALUES {}",
        rows.join(", ")
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&pool).await.unwrap();
    let all = get(&app, &path).await.ok();
    let told: Vec<_> = all.rows().iter().map(|r| (r["kind"].clone(), r["basis_points"].clone())).collect();
    assert_eq!(told[0], ("sale".into(), 3333.into()), "rounded down: {}", all.text);
    assert_eq!(told[3], ("wallet".into(), 0.into()));
    let summary = &all.body["summary"];
    assert_eq!((&summary["block"]["number"], &summary["block"]["finality"]), (&12.into(), &"finalized".into()));
    assert_eq!(
        (&summary["holders"], summary["supply"]["raw"].as_str()),
        (&4.into(), Some("1000000000000000000000000"))
    );
    assert_eq!(summary["top_1"]["balance"]["raw"], rest.to_string());
    assert_eq!(
        (&summary["top_10"]["basis_points"], &summary["top_100"]["basis_points"]),
        (&10_000.into(), &10_000.into())
    );

    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let page = get(&app, &format!("{path}?limit=1{next}")).await.ok();
        pages.extend(page.rows().clone());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(&pages, all.rows(), "equal balances are neither lost nor told twice");
    get(&app, &format!("{path}?limit=1{next}x")).await.is_problem(422, "cursor_invalid");
    get(&app, &format!("{path}?min_block=12")).await.ok();
    get(&app, &format!("{path}?min_block=13")).await.is_problem(503, "block_not_indexed");

    // The tag changes with the holders, though no block has come.
    let tag = all.header("etag").to_owned();
    assert_eq!(with_tag(&app, &path, &tag).await.status, 304);
    let moved = "UPDATE holder_checkpoint SET number = 13, hash = sha256('thirteen')";
    sqlx::query(moved).execute(&pool).await.unwrap();
    assert_eq!(with_tag(&app, &path, &tag).await.status, 200);
}

async fn with_tag(app: &axum::Router, path: &str, tag: &str) -> Answer {
    let request = axum::http::Request::get(path).header("if-none-match", tag).body(axum::body::Body::empty());
    send(app, request.unwrap()).await
}
