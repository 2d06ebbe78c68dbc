//! Every way in which a request can be wrong.

use std::time::Duration;

use axum::{body::Body, http::Request};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::support::*;

#[sqlx::test(migrations = "./migrations")]
async fn wrong_parameters_are_told_one_by_one(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    let app = app(&pool);
    let sale = t.sale.to_string();
    let flipped: String = sale
        .chars()
        .enumerate()
        .map(|(i, c)| match c {
            c if i < 2 => c,
            c if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
            c => c.to_ascii_lowercase(),
        })
        .collect();
    let long = "9".repeat(100);
    for (path, pointer) in [
        (format!("/v1/sales/{CHAIN}/{flipped}"), "/path/sale"),
        (format!("/v1/sales/{CHAIN}/{}", &sale[..41]), "/path/sale"),
        (format!("/v1/sales/{CHAIN}/{sale}0"), "/path/sale"),
        (format!("/v1/sales/{CHAIN}/{}", &sale[2..]), "/path/sale"),
        (format!("/v1/sales/{CHAIN}/first%00"), "/path/sale"),
        (format!("/v1/sales/-1/{sale}"), "/path/chain"),
        (format!("/v1/sales/+1/{sale}"), "/path/chain"),
        (format!("/v1/sales/0x1/{sale}"), "/path/chain"),
        (format!("/v1/sales/1.0/{sale}"), "/path/chain"),
        (format!("/v1/sales/{long}/{sale}"), "/path/chain"),
        ("/v1/investors/alice".to_owned(), "/path/address"),
    ] {
        let answer = get(&app, &path).await;
        answer.is_problem(422, "invalid_path");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{path}");
        assert_eq!(answer.body["instance"], path, "the instance is the path as asked for");
    }
    for (query, pointer) in [
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("limit=-1", "/query/limit"),
        ("limit=1e2", "/query/limit"),
        ("limit=", "/query/limit"),
        ("limit", "/query/limit"),
        ("limit=18446744073709551617", "/query/limit"),
        ("limit=1&limit=1", "/query/limit"),
        ("chain=9223372036854775808", "/query/chain"),
        ("chain=%31%20", "/query/chain"),
        ("state=closed", "/query/state"),
        ("owner=0x1", "/query/owner"),
        ("min_block=-1", "/query/min_block"),
        ("page=2", "/query/page"),
        ("Limit=2", "/query/Limit"),
        ("a/b~c=1", "/query/a~1b~0c"),
    ] {
        let answer = get(&app, &format!("/v1/sales?{query}")).await;
        answer.is_problem(422, "invalid_query");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{query}");
    }
    let both = get(&app, "/v1/sales?limit=0&state=x&y=1").await;
    assert_eq!(both.is_problem(422, "invalid_query").body["errors"].as_array().unwrap().len(), 3);
    let many: Vec<_> = (0..500).map(|n| format!("p{n}=1")).collect();
    let many = get(&app, &format!("/v1/sales?{}", many.join("&"))).await;
    assert_eq!(many.is_problem(422, "invalid_query").body["errors"].as_array().unwrap().len(), 16);
    get(&app, "/v1/status?x=1").await.is_problem(422, "invalid_query");
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_read_is_a_bad_request(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    for query in ["limit=%", "limit=%f", "limit=%zz", "%ff=1", "state=%c3%28", "owner=%00"] {
        get(&app, &format!("/v1/sales?{query}")).await.is_problem(400, "malformed_query");
    }
    get(&app, "/v1/investors/%ff").await.is_problem(400, "bad_request");
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_there_is_not_found(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let sale = addr("nothing");
    for path in ["/v1", "/v1/sales/", "/v2/sales", "/v1/sales/1", "/V1/sales", "/v1//sales", "/%ff"] {
        get(&app, path).await.is_problem(404, "not_found");
    }
    for rest in ["", "/contributions", "/investors"] {
        get(&app, &format!("/v1/sales/{CHAIN}/{sale}{rest}")).await.is_problem(404, "sale_not_found");
        get(&app, &format!("/v1/sales/1/{sale}{rest}")).await.is_problem(404, "chain_not_found");
    }
    get(&app, "/v1/sales?chain=1").await.is_problem(404, "chain_not_found");
}

#[sqlx::test(migrations = "./migrations")]
async fn other_methods_are_refused(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let request = Request::builder().method(method).uri("/v1/sales").body(Body::from("{}")).unwrap();
        let answer = send(&app, request).await;
        answer.is_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
    let head = send(&app, Request::head("/v1/sales").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[sqlx::test(migrations = "./migrations")]
async fn before_the_first_block_there_is_no_answer(pool: PgPool) {
    let app = app(&pool);
    let late = get(&app, "/v1/sales").await;
    assert_eq!(late.is_problem(503, "not_ready").header("retry-after"), "5");
    get(&app, &format!("/v1/investors/{}", addr("alice"))).await.is_problem(503, "not_ready");
    let sale = addr("sale");
    get(&app, &format!("/v1/sales/{CHAIN}/{sale}")).await.is_problem(404, "chain_not_found");
    chain(&pool, CHAIN).await;
    sqlx::query("DELETE FROM checkpoint").execute(&pool).await.unwrap();
    get(&app, &format!("/v1/sales/{CHAIN}/{sale}")).await.is_problem(503, "not_ready");
    // The status says so and is an answer itself.
    let status = get(&app, "/v1/status").await.ok();
    assert_eq!(status.body["data"]["chains"][0]["state"], "starting");
    assert!(status.body["meta"]["chains"].as_array().unwrap().is_empty());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_database_that_is_away_is_said_and_nothing_more(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    pool.close().await;
    for path in ["/v1/sales", "/v1/status", "/readyz"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.is_problem(503, "database_unavailable").header("retry-after"), "2");
    }
    get(&app, "/healthz").await.ok();
    assert_eq!(get(&app, "/metrics").await.status, 200);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_pool_without_a_free_connection_is_said(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let small = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(20))
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    let app = app(&small);
    let taken = small.acquire().await.unwrap();
    get(&app, "/v1/sales").await.is_problem(503, "database_unavailable");
    drop(taken);
    // Nothing is left behind by the request that gave up.
    small.close().await;
    get(&app, "/healthz").await.ok();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_defect_leaks_nothing(pool: PgPool) {
    chain(&pool, CHAIN).await;
    sqlx::query("ALTER TABLE checkpoint RENAME COLUMN halted TO secret_column").execute(&pool).await.unwrap();
    let answer = get(&app(&pool), "/v1/sales").await;
    answer.is_problem(500, "internal");
    for word in ["secret", "halted", "column", "SELECT", "relation", "sqlx"] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
}
