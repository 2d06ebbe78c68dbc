//! Walks through lists: whole, without repetition, while rows arrive, and after a reorg.

use std::collections::BTreeSet;

use axum::Router;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::*;

/// All rows of a list, in order.
pub async fn walk(app: &Router, path: &str, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    let separator = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = get(app, &format!("{path}{separator}limit={limit}{cursor}")).await.ok();
        assert!(page.rows().len() <= limit);
        rows.extend(page.rows().iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(page.rows().len(), limit, "a page before the last is full");
                cursor = format!("&cursor={next}");
            }
            None => return rows,
        }
    }
}

pub fn places(rows: &[Value]) -> Vec<(i64, i64)> {
    rows.iter().map(|r| (r["block"]["number"].as_i64().unwrap(), r["block"]["log_index"].as_i64().unwrap())).collect()
}

pub async fn busy_sale(pool: &PgPool) -> Terms {
    chain(pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(pool, &t).await;
    for n in 0..23_i32 {
        let investor = addr(&format!("investor {}", n % 7));
        contribute(pool, &t, (10 + i64::from(n) / 3, n % 3), investor, ether("1"), ether("4")).await;
    }
    tip(pool, CHAIN, 20, 0).await;
    t
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_are_whole_in_both_directions(pool: PgPool) {
    let t = busy_sale(&pool).await;
    let app = app(&pool);
    let list = format!("{}/contributions", t.path());
    let expected: Vec<_> = (0..23).rev().map(|n| (10 + n / 3, n % 3)).collect();
    for limit in [1, 5, 22, 23, 24, 200] {
        assert_eq!(places(&walk(&app, &list, limit).await), expected, "limit {limit}");
    }
    let mut oldest = places(&walk(&app, &format!("{list}?order=oldest"), 4).await);
    oldest.reverse();
    assert_eq!(oldest, expected);

    let one = addr("investor 3");
    let of_one = walk(&app, &format!("{list}?investor={one}"), 2).await;
    assert_eq!(places(&of_one), [(15, 2), (13, 1), (11, 0)]);
    let mut of_one_oldest = places(&walk(&app, &format!("{list}?investor={one}&order=oldest"), 2).await);
    of_one_oldest.reverse();
    assert_eq!(of_one_oldest, places(&of_one));
}

#[sqlx::test(migrations = "./migrations")]
async fn investors_are_whole_in_both_orders(pool: PgPool) {
    let t = busy_sale(&pool).await;
    let app = app(&pool);
    let list = format!("{}/investors", t.path());
    let name = |r: &Value| r["investor"].as_str().unwrap().to_lowercase();
    for limit in [1, 3, 7, 8] {
        let rows = walk(&app, &list, limit).await;
        let paid: Vec<_> = rows.iter().map(|r| r["paid"]["raw"].as_str().unwrap().to_owned()).collect();
        // Two paid four times, five three times; equals by address.
        assert_eq!(paid[..2], vec![ether("4").to_string(); 2]);
        assert_eq!(paid[2..], vec![ether("3").to_string(); 5]);
        for group in [&rows[..2], &rows[2..]] {
            assert!(group.is_sorted_by_key(name));
        }
        let rows = walk(&app, &format!("{list}?sort=address"), limit).await;
        assert!(rows.is_sorted_by_key(name));
        assert_eq!(rows.len(), 7);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn wallets_and_directories_are_whole_over_chains(pool: PgPool) {
    let chains = [5, CHAIN, 100_000];
    let mut expected = BTreeSet::new();
    for chain_id in chains {
        chain(&pool, chain_id).await;
        for n in 0..4_i32 {
            let t = Terms { chain_id, ..Terms::new(&format!("sale {chain_id} {n}"), 5 + i64::from(n) / 2, n % 2) };
            sale(&pool, &t).await;
            contribute(&pool, &t, (12, n), addr("alice"), ether("1"), ether("4")).await;
            expected.insert(t.name);
        }
        tip(&pool, chain_id, 13, 0).await;
    }
    let app = app(&pool);
    for limit in [1, 5, 12, 13] {
        let wallet = walk(&app, &format!("/v1/investors/{}", addr("alice")), limit).await;
        let names: Vec<_> = wallet.iter().map(|r| r["sale_name"].as_str().unwrap().to_owned()).collect();
        assert_eq!((names.len(), names.into_iter().collect::<BTreeSet<_>>()), (12, expected.clone()));

        let sales = walk(&app, "/v1/sales", limit).await;
        let keys: Vec<_> = sales
            .iter()
            .map(|r| {
                let created = &r["created"]["block"];
                let newest_first = |v: &Value| -v.as_i64().unwrap();
                (r["chain_id"].as_i64(), newest_first(&created["number"]), newest_first(&created["log_index"]))
            })
            .collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 12);
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn rows_that_arrive_do_not_shift_a_page(pool: PgPool) {
    let t = busy_sale(&pool).await;
    let app = app(&pool);
    let list = format!("{}/contributions?limit=5", t.path());
    let first = get(&app, &list).await.ok();
    contribute(&pool, &t, (21, 0), addr("late"), ether("1"), ether("4")).await;
    tip(&pool, CHAIN, 21, 0).await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = get(&app, &format!("{list}&cursor={cursor}")).await.ok();
    let expected: Vec<_> = (13..18).rev().map(|n| (10 + n / 3, n % 3)).collect();
    assert_eq!(places(second.rows()), expected);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cursor_whose_block_is_gone_is_gone(pool: PgPool) {
    let t = busy_sale(&pool).await;
    let app = app(&pool);
    let mut cursors = Vec::new();
    for list in [
        format!("{}/contributions?limit=2", t.path()),
        format!("{}/contributions?limit=21&order=oldest", t.path()),
        format!("{}/investors?limit=1", t.path()),
        format!("{}/investors?limit=1&sort=address", t.path()),
    ] {
        let page = get(&app, &list).await.ok();
        let next = format!("{list}&cursor={}", page.body["next_cursor"].as_str().unwrap());
        get(&app, &next).await.ok();
        cursors.push(next);
    }
    // The same heights come back on another fork, with the same contributions in other blocks.
    rollback(&pool, CHAIN, 10).await;
    for next in &cursors {
        get(&app, next).await.is_problem(410, "cursor_reorged");
    }
    for n in 3..23_i32 {
        let at = (10 + i64::from(n) / 3, n % 3);
        contribute_on(&pool, &t, at, 1, addr(&format!("investor {}", n % 7)), ether("1"), ether("4")).await;
    }
    tip(&pool, CHAIN, 20, 1).await;
    for next in &cursors {
        get(&app, next).await.is_problem(410, "cursor_reorged");
    }
    // Below the fork a cursor holds.
    let page = get(&app, &format!("{}/contributions?order=oldest&limit=2", t.path())).await.ok();
    let next = page.body["next_cursor"].as_str().unwrap().to_owned();
    rollback(&pool, CHAIN, 10).await;
    let rest = get(&app, &format!("{}/contributions?order=oldest&cursor={next}", t.path())).await.ok();
    assert_eq!(places(rest.rows()), [(10, 2)]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cursor_goes_on_in_its_own_list_alone(pool: PgPool) {
    let t = busy_sale(&pool).await;
    let other = Terms::new("other", 6, 0);
    sale(&pool, &other).await;
    let app = app(&pool);
    let page = get(&app, &format!("{}/contributions?limit=2", t.path())).await.ok();
    let cursor = page.body["next_cursor"].as_str().unwrap();
    get(&app, &format!("{}/contributions?limit=7&cursor={cursor}", t.path())).await.ok();
    for elsewhere in [
        format!("{}/contributions?order=oldest&", t.path()),
        format!("{}/contributions?investor={}&", t.path(), addr("investor 1")),
        format!("{}/contributions?", other.path()),
        format!("{}/investors?", t.path()),
        format!("/v1/investors/{}?", addr("investor 1")),
        "/v1/sales?".to_owned(),
    ] {
        get(&app, &format!("{elsewhere}cursor={cursor}")).await.is_problem(422, "cursor_mismatch");
    }
    for wrong in ["", "x", "AAAA", &"A".repeat(90), &"A".repeat(2000), "%20", &cursor[1..], &format!("{cursor}=")] {
        let answer = get(&app, &format!("/v1/sales?cursor={wrong}")).await;
        assert_eq!(answer.is_problem(422, "cursor_invalid").body["errors"][0]["pointer"], "/query/cursor");
    }
}
