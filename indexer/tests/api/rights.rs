//! The rights that docs/operations.md has the API's own role given: with them all of it works, and what is append-only stays so.

use std::fs;

use crowdsale::{
    access::Scope,
    api::{ApiOptions, ApiState, auth::Service},
    serve::{self, ServeOptions},
    telemetry,
};
use serde_json::json;
use sqlx::{
    Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    keys::{key, post, sealer, with},
    support::*,
};

/// Every statement about rights in the page, as it is written there.
fn documented() -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    let text = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    let begins =
        |rest: &str| ["GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES "].iter().filter_map(|word| rest.find(word)).min();
    while let Some(start) = begins(rest) {
        let end = rest[start..].find(';').map(|end| start + end).unwrap();
        found.push(rest[start..end].to_owned());
        rest = &rest[end..];
    }
    found
}

#[sqlx::test(migrations = "./migrations")]
async fn with_the_rights_that_are_documented_the_api_works_and_history_stays(pool: PgPool) {
    let database: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&pool).await.unwrap();
    let owner: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&pool).await.unwrap();
    // Roles are the server's: this one has a name of its own.
    let role = format!("api_{}", &alloy::hex::encode(alloy::primitives::keccak256(&database))[..16]);
    pool.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE ROLE {role} LOGIN")))).await.unwrap();
    let statements = documented();
    assert!(statements.len() >= 7, "{statements:#?}");
    for statement in &statements {
        // Here the tables are where a database begins.
        let here = statement
            .replace(" TO api", &format!(" TO {role}"))
            .replace(" FROM api", &format!(" FROM {role}"))
            .replace("FOR ROLE indexer", &format!("FOR ROLE {owner}"))
            .replace("SCHEMA crowdsale ", "SCHEMA public ");
        pool.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(here.clone()))).await.unwrap_or_else(|e| panic!("{here}: {e}"));
    }
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(&pool, &terms).await;
    contribute(&pool, &terms, (2, 0), addr("alice"), ether("1"), ether("4000")).await;
    tip(&pool, CHAIN, 2, 0).await;
    let admin = key(&pool, &[Scope::KeysAdmin, Scope::SalesRead], &[]).await;

    let options: PgConnectOptions = pool.connect_options().as_ref().clone().username(&role);
    let own = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let state = ApiState::new(own.clone(), telemetry::install_metrics().unwrap(), ApiOptions::default());
    let app = serve::app(state.with_service(Service::new(own.clone(), sealer())), ServeOptions::default());
    for path in
        ["/v1/status", "/v1/sales", &terms.path(), &format!("{}/investors", terms.path()), "/v1/audit", "/metrics"]
    {
        let request = with("GET", path, admin.key.expose()).body(axum::body::Body::empty()).unwrap();
        let answer = send(&app, request).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let wanted = json!({"label": "desk", "mode": "test", "scopes": ["orders:write"], "networks": [], "expires_in_seconds": 3600});
    assert_eq!(post(&app, "/v1/keys", admin.key.expose(), "once", &wanted).await.status, 201);
    // What was done stays done, and the chain's own tables are the indexer's.
    for statement in [
        "DELETE FROM crowdsale_service.audit",
        "UPDATE crowdsale_service.audit SET act = 'nothing'",
        "DELETE FROM crowdsale_service.order_event",
        "UPDATE contribution SET amount = 0",
        "DELETE FROM sale",
        "CREATE TABLE mine ()",
    ] {
        let refused = own.execute(statement).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
    own.close().await;
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    pool.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.unwrap();
}
