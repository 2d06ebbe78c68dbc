//! What happened in a sale, with what no transaction did: that it opened.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    conditional::get_if_none_match,
    pages::{places, walk},
    support::*,
};

/// Notes that a sale opened.
async fn open(pool: &PgPool, t: &Terms, place: (i64, i32)) {
    block(pool, t.chain_id, place.0, 0).await;
    let (sale, owner) = (sql(t.sale), sql(t.owner));
    let row = format!("INSERT INTO sale_opening VALUES ({}, {}, {}, {sale}, {owner})", t.chain_id, place.0, place.1);
    sqlx::query(sqlx::AssertSqlSafe(row)).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn an_opening_stands_among_the_logs_and_is_nobodys_transaction(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    open(&pool, &t, (10, -1)).await;
    contribute(&pool, &t, (10, 0), addr("alice"), ether("1"), ether("4")).await;
    contribute(&pool, &t, (12, 3), addr("bob"), ether("2"), ether("8")).await;
    // Another opens with the block that creates it.
    let at_once = Terms::new("other", 11, 0);
    sale(&pool, &at_once).await;
    open(&pool, &at_once, (11, 1 << 30)).await;
    tip(&pool, CHAIN, 20, 0).await;

    let app = app(&pool);
    let activity = format!("{}/activity", t.path());
    let all = get(&app, &activity).await.ok();
    assert_eq!(places(all.rows()), [(12, 3), (10, 0), (10, -1), (5, 0)]);
    let opened = &all.rows()[2];
    assert_eq!((&opened["kind"], &opened["account"]), (&json!("opened"), &json!(t.owner.to_string())));
    assert_eq!(opened["time"], rfc3339(time(10)));
    assert_eq!(opened["block"]["hash"], hash(10, 0).to_string());
    assert_eq!((&opened["block"]["finality"], &opened["block"]["confirmations"]), (&json!("finalized"), &json!(12)));
    let told = ["kind", "account", "time", "block"];
    let rest: Vec<_> = opened.as_object().unwrap().iter().filter(|(name, _)| !told.contains(&name.as_str())).collect();
    assert!(rest.iter().all(|(_, value)| **value == Value::Null), "{rest:?}");
    assert!(all.rows()[1]["transaction_hash"].as_str().unwrap().starts_with("0x"));
    for limit in [1, 2, 3, 4] {
        assert_eq!(walk(&app, &activity, limit).await, *all.rows(), "pages of {limit}");
    }
    assert_eq!(places(get(&app, &format!("{}/activity", at_once.path())).await.ok().rows()), [(11, 1 << 30), (11, 0)]);

    // It is gone with its block, and so is where a page ended with it.
    let page = get(&app, &format!("{activity}?limit=3")).await.ok();
    let cursor = page.body["next_cursor"].as_str().unwrap();
    rollback(&pool, CHAIN, 9).await;
    get(&app, &format!("{activity}?cursor={cursor}")).await.is_problem(410, "cursor_reorged");
    assert_eq!(places(get(&app, &activity).await.ok().rows()), [(5, 0)]);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_opening_that_is_noted_behind_the_tip_changes_the_tag(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    tip(&pool, CHAIN, 20, 0).await;
    let (app, activity) = (app(&pool), format!("{}/activity", t.path()));
    let before = get(&app, &activity).await.ok().header("etag").to_owned();
    assert_eq!(get_if_none_match(&app, &activity, &before).await.status, 304);
    open(&pool, &t, (10, -1)).await;
    let now = get_if_none_match(&app, &activity, &before).await.ok();
    assert_eq!(places(now.rows()), [(10, -1), (5, 0)]);
    assert_eq!(get_if_none_match(&app, &activity, now.header("etag")).await.status, 304);
}
