//! CSV exports: whole, of one snapshot, harmless, and broken where they break.

use std::time::Duration;

use alloy::primitives::U256;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use crowdsale::{
    access::Scope,
    api::{ApiOptions, ApiState, auth::Service},
    serve::{self, ServeOptions},
    telemetry,
};
use sqlx::PgPool;
use tower::ServiceExt;

use crate::{
    keys::{key, sealer, with},
    pages::busy_sale,
    support::*,
};

fn app_with(pool: &PgPool, options: ApiOptions) -> Router {
    serve::app(ApiState::new(pool.clone(), telemetry::install_metrics().unwrap(), options), ServeOptions::default())
}

async fn open(app: &Router, path: &str) -> (StatusCode, Body) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    (response.status(), response.into_body())
}

/// More rows than are read at once.
async fn large_sale(pool: &PgPool) -> Terms {
    let t = busy_sale(pool).await;
    sqlx::query(
        "INSERT INTO contribution SELECT chain_id, 12, n + 100, transaction_hash, sale, substr(sha256(int4send(n)), 1, 20), payer, 0,
             n, n, n, n, n FROM contribution CROSS JOIN generate_series(1, 2500) n WHERE block_number = 12 AND log_index = 0",
    )
    .execute(pool)
    .await
    .unwrap();
    t
}

fn records(text: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn every_row_is_there_once_and_exact(pool: PgPool) {
    let t = large_sale(&pool).await;
    let app = app(&pool);
    let answer = get(&app, &format!("{}/contributions.csv", t.path())).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let name = format!("attachment; filename=\"contributions-{CHAIN}-{}-at-20.csv\"", t.sale);
    assert_eq!(answer.header("content-disposition"), name);
    let columns: Vec<_> = answer.text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|c| *c == name).unwrap();
    let rows = records(&answer.text);
    assert_eq!(rows.len(), 2_523);
    let places: Vec<(i64, i64)> = rows
        .iter()
        .map(|r| (r[column("block_number")].parse().unwrap(), r[column("log_index")].parse().unwrap()))
        .collect();
    assert!(places.is_sorted_by(|a, b| a < b), "oldest first, none twice");
    let sum: U256 = rows.iter().map(|r| r[column("amount")].parse::<U256>().unwrap()).sum();
    let sale = get(&app, &t.path()).await.ok();
    assert_eq!(sale.body["data"]["totals"]["raised"]["raw"], sum.to_string());
    assert_eq!((&rows[0][column("currency_decimals")], &rows[0][column("token_symbol")]), ("18", "TKN"));
    assert_eq!((&rows[0][column("time")], &rows[0][column("finality")]), (&rfc3339(time(10))[..], "finalized"));

    let answer = get(&app, &format!("{}/investors.csv", t.path())).await;
    let columns: Vec<_> = answer.text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|c| *c == name).unwrap();
    let rows = records(&answer.text);
    let investors: Vec<_> = rows.iter().map(|r| r[column("investor")].to_lowercase()).collect();
    assert!(investors.is_sorted_by(|a, b| a < b), "by address, none twice");
    assert_eq!(sale.body["data"]["totals"]["investors"], rows.len());
    let paid: U256 = rows.iter().map(|r| r[column("paid")].parse::<U256>().unwrap()).sum();
    assert_eq!(paid, sum);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_compressed_one_is_whole_too(pool: PgPool) {
    let t = large_sale(&pool).await;
    let app = app(&pool);
    for list in ["contributions", "investors"] {
        let path = format!("{}/{list}.csv", t.path());
        let plain = get(&app, &path).await.text;
        let request = Request::get(&path).header("accept-encoding", "gzip").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let packed = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        // A gzip file ends with the length of what is in it.
        let (_, length) = packed.split_last_chunk().unwrap();
        assert_eq!(u32::from_le_bytes(*length) as usize, plain.len());
        assert!(packed.len() < plain.len() / 2);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_symbol_is_no_formula(pool: PgPool) {
    let t = busy_sale(&pool).await;
    sqlx::query("UPDATE currency SET symbol = '=HYPERLINK(\"x\",\"y\")' WHERE symbol = 'TKN'")
        .execute(&pool)
        .await
        .unwrap();
    let answer = get(&app(&pool), &format!("{}/contributions.csv", t.path())).await;
    assert!(records(&answer.text).iter().all(|r| r.iter().any(|f| f == "'=HYPERLINK(\"x\",\"y\")")));
}

#[sqlx::test(migrations = "./migrations")]
async fn an_empty_sale_has_its_columns(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    tip(&pool, CHAIN, 20, 0).await;
    let app = app(&pool);
    for list in ["contributions", "investors"] {
        let answer = get(&app, &format!("{}/{list}.csv", t.path())).await;
        assert!(answer.text.starts_with("chain_id,sale,") && answer.text.lines().count() == 1, "{}", answer.text);
    }
    get(&app, &format!("/v1/sales/{CHAIN}/{}/contributions.csv", addr("no"))).await.is_problem(404, "sale_not_found");
    get(&app, &format!("{}/contributions.csv?limit=1", t.path())).await.is_problem(422, "invalid_query");
}

#[sqlx::test(migrations = "./migrations")]
async fn one_that_takes_too_long_does_not_look_whole(pool: PgPool) {
    let t = large_sale(&pool).await;
    let app = app_with(&pool, ApiOptions { export_timeout: Duration::from_millis(100), ..ApiOptions::default() });
    let (status, body) = open(&app, &format!("{}/contributions.csv", t.path())).await;
    assert_eq!(status, 200);
    // It waits for the client before its end, however fast it is, and the client comes too late.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let error = to_bytes(body, usize::MAX).await.map(|bytes| bytes.len()).unwrap_err();
    assert!(error.to_string().contains("longer"), "{error}");
}

#[sqlx::test(migrations = "./migrations")]
async fn a_break_in_the_database_does_not_look_like_an_end(pool: PgPool) {
    let t = large_sale(&pool).await;
    let app = app(&pool);
    let (_, body) = open(&app, &format!("{}/investors.csv", t.path())).await;
    // The header and a page are sent; the export waits until they are read.
    let mut terminated = false;
    while !terminated {
        tokio::time::sleep(Duration::from_millis(50)).await;
        terminated = sqlx::query_scalar(
            "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
             WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()
                 AND query LIKE '%FROM position%' AND state_change < now() - interval '200 ms'",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
    }
    assert!(to_bytes(body, usize::MAX).await.is_err());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_client_that_goes_frees_its_place_and_its_connection(pool: PgPool) {
    let t = large_sale(&pool).await;
    let app = app_with(&pool, ApiOptions { exports: 1, ..ApiOptions::default() });
    let path = format!("{}/contributions.csv", t.path());
    let (_, body) = open(&app, &path).await;
    let busy = get(&app, &path).await;
    assert_eq!(busy.is_problem(503, "exports_busy").header("retry-after"), "10");
    drop(body);
    for _ in 0..100 {
        let (status, body) = open(&app, &path).await;
        if status == 200 {
            assert!(!to_bytes(body, usize::MAX).await.unwrap().is_empty());
            // It is rolled back before it is free.
            if pool.size() as usize == pool.num_idle() {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place or the connection is never free again");
}

#[sqlx::test(migrations = "./migrations")]
async fn who_has_a_key_for_exports_has_places_for_them(pool: PgPool) {
    let t = large_sale(&pool).await;
    let options = ApiOptions { exports: 1, keyed_exports: 1, ..ApiOptions::default() };
    let state = ApiState::new(pool.clone(), telemetry::install_metrics().unwrap(), options);
    let app = serve::app(state.with_service(Service::new(pool.clone(), sealer())), ServeOptions::default());
    let path = format!("{}/contributions.csv", t.path());
    let (_, public) = open(&app, &path).await;
    get(&app, &path).await.is_problem(503, "exports_busy");
    let (reader, exporter) = (key(&pool, &[Scope::SalesRead], &[]).await, key(&pool, &[Scope::ExportsRead], &[]).await);
    let ask = |secret: &str| send(&app, with("GET", &path, secret).body(Body::empty()).unwrap());
    ask(reader.key.expose()).await.is_problem(503, "exports_busy");
    assert_eq!(ask(exporter.key.expose()).await.status, 200);
    drop(public);
}
