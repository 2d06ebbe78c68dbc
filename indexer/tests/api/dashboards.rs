//! The views of dashboards are exact, and every query of every dashboard runs with the rights of their role.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, PgPool, Row};

use crate::support::*;

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

async fn filled(pool: &PgPool) -> Terms {
    chain(pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(pool, &t).await;
    let odd = "123456789012345678901".parse().unwrap();
    contribute(pool, &t, (12, 0), addr("alice"), odd, "5".parse().unwrap()).await;
    contribute(pool, &t, (12, 1), addr("bob"), "1".parse().unwrap(), "7".parse().unwrap()).await;
    // The next day.
    contribute(pool, &t, (7_300, 0), addr("alice"), odd, "5".parse().unwrap()).await;
    let bob = sql(addr("bob"));
    event(pool, "withdrawal", &t, (7_300, 1), &format!("{bob}, {bob}, 1, 7, 0, 0")).await;
    tip(pool, CHAIN, 7_301, 0).await;
    t
}

async fn text(pool: &PgPool, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn the_views_are_exact(pool: PgPool) {
    let t = filled(&pool).await;
    assert_eq!(text(&pool, "SELECT raised::text FROM dash_sale").await, "246.913578024691357802");
    assert_eq!(text(&pool, "SELECT raised_raw::text FROM dash_sale").await, "246913578024691357802");
    assert_eq!(text(&pool, "SELECT sold::text FROM dash_sale").await, "0.00000000000000001");
    assert_eq!(text(&pool, "SELECT hard_cap::text FROM dash_sale").await, "300");
    assert_eq!(text(&pool, "SELECT sale FROM dash_sale").await, t.sale.to_string().to_lowercase());
    assert_eq!(text(&pool, "SELECT state FROM dash_sale").await, "ended");
    assert_eq!(
        text(&pool, "SELECT string_agg(concat_ws(' ', day, contributions, investors, contributed, withdrawn), ', ' ORDER BY day)
                     FROM dash_daily").await,
        "2027-01-15 2 2 123.456789012345678902 0, 2027-01-16 1 1 123.456789012345678901 0.000000000000000001"
    );
    for same in [
        "SELECT (SELECT sum(contributed_raw - withdrawn_raw - rejected_raw) FROM dash_daily) = raised_raw FROM dash_sale",
        "SELECT (SELECT sum(stake_raw) FROM dash_investor) = raised_raw FROM dash_sale",
        "SELECT (SELECT sum(raised) FROM dash_outcome WHERE state = 'ended') = raised FROM dash_sale",
        "SELECT indexed_block = 7301 AND blocks_not_final = 8 AND sales = 1 AND NOT is_halted FROM dash_chain",
        // No decimals, very many, and more digits than a division would keep.
        "SELECT whole_units(7, 0::smallint) = 7 AND whole_units(7, 255::smallint) = '7e-255'::numeric
             AND whole_units(('1' || repeat('0', 90) || '1')::numeric, 6::smallint)::text = '1' || repeat('0', 85) || '.000001'",
    ] {
        assert!(sqlx::query_scalar::<_, bool>(same).fetch_one(&pool).await.unwrap(), "{same}");
    }
    let plain: Vec<String> = sqlx::query_scalar(
        "SELECT viewname::text FROM pg_views WHERE schemaname = current_schema() AND viewname LIKE 'dash\\_%'
         AND obj_description(viewname::regclass) IS NULL",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(plain.is_empty(), "views without a comment: {plain:?}");
}

/// A connection with the rights and settings of the role, which is made by the script as it is delivered. Roles are the server's: this
/// one has a name of its own.
async fn as_role(pool: &PgPool) -> (PgConnection, String) {
    let script = fs::read_to_string(repository().join("deploy/dashboard-role.sql")).unwrap();
    let database: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(pool).await.unwrap();
    let role = format!("dashboard_{}", &alloy::hex::encode(alloy::primitives::keccak256(&database))[..16]);
    let script = script
        .replace("crowdsale_dashboard", &role)
        .replace("crowdsale.%I", "public.%I")
        .replace("SCHEMA crowdsale", "SCHEMA public")
        .replace("'crowdsale'", "'public'");
    // It can be run again.
    for _ in 0..2 {
        pool.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(script.clone()))).await.unwrap();
    }
    let options = pool.connect_options().as_ref().clone().username(&role);
    (PgConnection::connect_with(&options).await.unwrap(), role)
}

/// Everything under `key`, anywhere.
fn under<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|v| under(v, key, found));
        }
        Value::Array(items) => items.iter().for_each(|v| under(v, key, found)),
        _ => {}
    }
}

pub fn dashboards() -> Vec<(String, Value)> {
    let mut found: Vec<_> = fs::read_dir(repository().join("indexer/dashboards"))
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["indexer.json", "orders.json", "sale.json", "sales.json"]
    );
    found
}

/// The query as Grafana sends it.
fn substituted(query: &str, sale: &str) -> String {
    let mut sql = query.replace("$chain", &CHAIN.to_string()).replace("$sale", sale);
    while let Some(at) = sql.find("$__timeFilter(") {
        let open = at + "$__timeFilter(".len();
        let mut depth = 1;
        let close = sql[open..]
            .find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            })
            .unwrap();
        let column = sql[open..open + close].to_owned();
        let filter = format!("{column} BETWEEN '2020-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z'");
        sql.replace_range(at..=open + close, &filter);
    }
    assert!(!sql.contains('$'), "a variable or macro that this test does not know: {sql}");
    sql
}

#[sqlx::test(migrations = "./migrations")]
async fn every_query_of_every_dashboard_finds_something(pool: PgPool) {
    let t = filled(&pool).await;
    let (mut connection, role) = as_role(&pool).await;
    let mut run = 0;
    for (name, dashboard) in dashboards() {
        let mut queries = Vec::new();
        under(&dashboard["panels"], "rawSql", &mut queries);
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            if variable["type"] == "query" {
                queries.push(variable["query"].as_str().unwrap());
            }
        }
        for query in queries {
            let sql = substituted(query, &t.sale.to_string().to_lowercase());
            let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            assert!(!rows.unwrap_or_else(|e| panic!("{name}: {query}: {e}")).is_empty(), "{name}: {query}");
            run += 1;
        }
    }
    assert!(run > 15, "{run}");

    // It reads the views, and nothing else; it writes nothing; and no question lasts for ever.
    for denied in
        ["SELECT * FROM contribution", "SELECT * FROM sale_overview", "CREATE TABLE x (y int)", "DELETE FROM sale"]
    {
        assert!(sqlx::raw_sql(denied).execute(&mut connection).await.is_err(), "{denied}");
    }
    let timeout = sqlx::query("SHOW statement_timeout").fetch_one(&mut connection).await.unwrap();
    assert_eq!(timeout.get::<String, _>(0), "15s");
    connection.close().await.unwrap();
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    pool.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.unwrap();
}

#[test]
fn panels_have_their_own_place() {
    for (name, dashboard) in dashboards() {
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<_> = panels.iter().map(|p| p["id"].as_i64().unwrap()).collect();
        assert_eq!(ids.len(), panels.len(), "{name}");
        let mut cells = BTreeSet::new();
        for p in panels {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| p["gridPos"][side].as_i64().unwrap());
            assert!(x + w <= 24, "{name}: {}", p["title"]);
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(cells.insert(cell), "{name}: {} lies on another", p["title"]);
            }
        }
    }
}
