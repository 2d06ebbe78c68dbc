//! The investor page beside the API: one server, each with its own policy.

use axum::{
    body::Body,
    http::{Method, Request},
};
use sqlx::PgPool;
use tower::ServiceExt;

use crate::support::*;

#[sqlx::test(migrations = "./migrations")]
async fn the_page_keeps_its_own_policy_and_is_compressed(pool: PgPool) {
    let app = app(&pool);
    let packed = Request::get("/").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let packed = app.clone().oneshot(packed).await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let page = get(&app, "/").await;
    assert_eq!(page.status, 200);
    // The same page, however it is sent.
    assert_eq!(page.header("etag"), packed.headers()["etag"]);
    assert!(page.header("etag").starts_with("W/\""), "{}", page.header("etag"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    // The API’s is stricter, and stays so.
    let status = get(&app, "/v1/status").await;
    assert_eq!(status.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
}

#[sqlx::test(migrations = "./migrations")]
async fn the_page_can_only_be_read(pool: PgPool) {
    let app = app(&pool);
    let head = send(&app, Request::builder().method(Method::HEAD).uri("/").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), "text/html; charset=utf-8");
    let post = send(&app, Request::post("/").body(Body::empty()).unwrap()).await;
    post.is_problem(405, "method_not_allowed");
    get(&app, "/assets/nothing.js").await.is_problem(404, "not_found");
    get(&app, "/index.html").await.is_problem(404, "not_found");
}
