//! `ETag`, `min_block`, and what caches are told.

use axum::{body::Body, http::Request};
use sqlx::PgPool;

use crate::support::*;

pub async fn get_if_none_match(app: &axum::Router, path: &str, tag: &str) -> Answer {
    send(app, Request::get(path).header("if-none-match", tag).body(Body::empty()).unwrap()).await
}

async fn one_sale(pool: &PgPool) -> Terms {
    chain(pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(pool, &t).await;
    contribute(pool, &t, (12, 0), addr("alice"), ether("1"), ether("1")).await;
    tip(pool, CHAIN, 13, 0).await;
    t
}

#[sqlx::test(migrations = "./migrations")]
async fn an_answer_that_the_client_has_is_not_sent_again(pool: PgPool) {
    let t = one_sale(&pool).await;
    let app = app(&pool);
    let paths = [
        t.path(),
        format!("{}/contributions", t.path()),
        format!("{}/investors", t.path()),
        format!("/v1/investors/{}", addr("alice")),
        "/v1/sales".to_owned(),
    ];
    let mut tags = Vec::new();
    for path in &paths {
        let first = get(&app, path).await.ok();
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        assert_eq!(first.header("cache-control"), "public, no-cache");
        let strong = tag.trim_start_matches("W/");
        for given in [&tag, strong, "*", &format!("\"other\", {tag}")] {
            let second = get_if_none_match(&app, path, given).await;
            assert_eq!(second.status, 304, "{path} {given}");
            assert_eq!(second.text, "");
            assert_eq!(second.header("etag"), tag);
            assert!(!second.header("x-request-id").is_empty());
        }
        assert_eq!(get_if_none_match(&app, path, "\"other\"").await.status, 200);
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), paths.len(), "every query has its own tag");
    let wider = get(&app, "/v1/sales?limit=2").await.ok();
    assert!(!tags.contains(&wider.header("etag").to_owned()));
    get_if_none_match(&app, "/v1/sales/31337/0x0000000000000000000000000000000000000001", "*")
        .await
        .is_problem(404, "sale_not_found");
}

#[sqlx::test(migrations = "./migrations")]
async fn whatever_changes_an_answer_changes_its_tag(pool: PgPool) {
    let t = one_sale(&pool).await;
    let app = app(&pool);
    let mut seen = Vec::new();
    for change in [
        "SELECT 1",
        // The same height on another fork, more confirmations, safe, final, and errors.
        "UPDATE checkpoint SET hash = decode(repeat('ab', 32), 'hex')",
        "UPDATE checkpoint SET head_number = head_number + 1",
        "UPDATE checkpoint SET safe_number = safe_number + 1",
        "UPDATE checkpoint SET finalized_number = finalized_number + 1",
        "UPDATE checkpoint SET halted = 'reason'",
    ] {
        sqlx::query(change).execute(&pool).await.unwrap();
        let tag = get(&app, &t.path()).await.ok().header("etag").to_owned();
        assert!(!seen.contains(&tag), "{change}");
        seen.push(tag);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_block_that_is_not_indexed_is_waited_for_and_then_refused(pool: PgPool) {
    let t = one_sale(&pool).await;
    let app = app(&pool);
    for path in [t.path(), format!("{}/contributions", t.path()), format!("{}/investors", t.path())] {
        get(&app, &format!("{path}?min_block=13")).await.ok();
        let late = get(&app, &format!("{path}?min_block=14")).await;
        late.is_problem(503, "block_not_indexed");
        assert_eq!(late.header("retry-after"), "2");
    }
    get(&app, &format!("/v1/sales?chain={CHAIN}&min_block=13")).await.ok();
    get(&app, &format!("/v1/sales?chain={CHAIN}&min_block=9223372036854775807"))
        .await
        .is_problem(503, "block_not_indexed");
    let alone = get(&app, "/v1/sales?min_block=13").await;
    assert_eq!(alone.is_problem(422, "invalid_query").body["errors"][0]["pointer"], "/query/min_block");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_block_that_comes_while_it_is_waited_for_is_answered(pool: PgPool) {
    let t = one_sale(&pool).await;
    let options = crowdsale::api::ApiOptions { min_block_attempts: u32::MAX, ..Default::default() };
    let options = crowdsale::api::ApiOptions { min_block_interval: std::time::Duration::from_millis(1), ..options };
    let metrics = crowdsale::telemetry::install_metrics().unwrap();
    let state = crowdsale::api::ApiState::new(pool.clone(), metrics, options);
    let app = crowdsale::serve::app(state, Default::default());
    let path = format!("{}?min_block=14", t.path());
    let waiting = tokio::spawn(async move { get(&app, &path).await });
    tip(&pool, CHAIN, 14, 0).await;
    let answer = waiting.await.unwrap().ok();
    assert_eq!(answer.body["meta"]["indexed_block"]["number"], 14);
}
