//! `/v1/status`, `/healthz`, `/readyz`, `/metrics`, `/openapi.json` and `/docs`.

use serde_json::json;
use sqlx::PgPool;

use crate::support::*;

#[sqlx::test(migrations = "./migrations")]
async fn the_status_says_how_each_chain_is(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sale(&pool, &Terms::new("first", 5, 0)).await;
    tip(&pool, CHAIN, 13, 0).await;
    let app = app(&pool);
    let answer = get(&app, "/v1/status").await.ok();
    let mut chain = answer.body["data"]["chains"][0].clone();
    assert!(chain["silent_seconds"].take().as_i64().is_some_and(|s| s >= 0));
    let expected = json!({
        "chain_id": CHAIN, "state": "running", "genesis_hash": hash(0, 0).to_string(), "factory": addr("factory").to_string(),
        "start_block": 0, "sales": 1, "quarantined_logs": 0, "behind_blocks": 1, "silent_seconds": null,
    });
    assert_eq!(chain, expected);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body["meta"]["chains"][0]["has_errors"], false);

    for (change, state) in [
        ("UPDATE checkpoint SET seen_at = now() - interval '1 hour'", "silent"),
        ("UPDATE checkpoint SET halted = 'https://key@node: contradiction'", "halted"),
    ] {
        sqlx::query(change).execute(&pool).await.unwrap();
        let answer = get(&app, "/v1/status").await.ok();
        assert_eq!(answer.body["data"]["chains"][0]["state"], state);
        // Why it halted is for the operator's log: it may name a node.
        assert!(!answer.text.contains("contradiction"));
    }
    assert_eq!(get(&app, "/v1/status").await.body["meta"]["chains"][0]["has_errors"], true);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_undecodable_log_shows_in_every_answer(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sqlx::query("INSERT INTO quarantined_log VALUES ($1, 0, 0, $2, $3, '{}', '', 'reason')")
        .bind(CHAIN)
        .bind(crowdsale::types::Hash32(hash(1, 1)))
        .bind(crowdsale::types::Addr(addr("factory")))
        .execute(&pool)
        .await
        .unwrap();
    let app = app(&pool);
    let sales = get(&app, "/v1/sales").await.ok();
    assert_eq!(sales.body["meta"]["chains"][0]["has_errors"], true);
    let status = get(&app, "/v1/status").await.ok();
    assert_eq!(status.body["data"]["chains"][0]["quarantined_logs"], 1);
}

#[sqlx::test(migrations = "./migrations")]
async fn readiness_follows_the_indexer(pool: PgPool) {
    let app = app(&pool);
    get(&app, "/healthz").await.ok();
    get(&app, "/readyz").await.is_problem(503, "not_ready");
    chain(&pool, CHAIN).await;
    get(&app, "/readyz").await.ok();
    for (breaks, mends) in [
        ("UPDATE checkpoint SET seen_at = now() - interval '1 hour'", "UPDATE checkpoint SET seen_at = now()"),
        ("UPDATE checkpoint SET halted = 'reason'", "UPDATE checkpoint SET halted = NULL"),
        ("INSERT INTO chain SELECT 7, genesis_hash, factory, 0 FROM chain", "DELETE FROM chain WHERE chain_id = 7"),
    ] {
        sqlx::query(breaks).execute(&pool).await.unwrap();
        let answer = get(&app, "/readyz").await;
        assert_eq!(answer.is_problem(503, "not_ready").header("retry-after"), "5");
        get(&app, "/healthz").await.ok();
        sqlx::query(mends).execute(&pool).await.unwrap();
        get(&app, "/readyz").await.ok();
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn metrics_name_chains_and_routes_but_no_addresses(pool: PgPool) {
    chain(&pool, CHAIN).await;
    tip(&pool, CHAIN, 13, 0).await;
    let app = app(&pool);
    let wallet = addr("alice");
    get(&app, &format!("/v1/investors/{wallet}")).await.ok();
    get(&app, &format!("/nothing/{wallet}")).await.is_problem(404, "not_found");
    let text = get(&app, "/metrics").await.text;
    for line in [
        "crowdsale_indexer_indexed_block{chain_id=\"31337\"} 13\n",
        "crowdsale_indexer_head_block{chain_id=\"31337\"} 14\n",
        "crowdsale_indexer_finalized_block{chain_id=\"31337\"} 5\n",
        "crowdsale_indexer_reorgs_total{chain_id=\"31337\"} 0\n",
        "crowdsale_indexer_halted{chain_id=\"31337\"} 0\n",
        "crowdsale_indexer_lag_seconds{chain_id=\"31337\"} ",
        "# TYPE crowdsale_indexer_lag_seconds gauge\n",
        "# TYPE crowdsale_http_request_duration_seconds histogram\n",
        "crowdsale_http_requests_total{method=\"GET\",route=\"/v1/investors/{address}\",status=\"200\"} ",
        "crowdsale_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} ",
        "crowdsale_db_pool_connections{state=\"idle\"} ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.to_lowercase().contains(&wallet.to_string().to_lowercase()));
}

#[sqlx::test(migrations = "./migrations")]
async fn the_documentation_is_served_and_loads_nothing(pool: PgPool) {
    let app = app(&pool);
    let json = get(&app, "/openapi.json").await.ok();
    assert_eq!(json.text, include_str!("../../openapi.json"));
    let page = get(&app, "/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src"));
    for loader in ["<script", "<link", "src=", "http://", "https://"] {
        assert!(!page.text.contains(loader), "{loader}");
    }
}
