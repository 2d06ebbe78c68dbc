//! Claims, refunds, releases and objections.

use serde_json::json;
use sqlx::PgPool;

use crate::{
    pages::{places, walk},
    support::*,
};

/// Two records of each table, in blocks 12 and 13.
async fn records(pool: &PgPool) -> Terms {
    chain(pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(pool, &t).await;
    contribute(pool, &t, (11, 0), addr("alice"), ether("9"), ether("36")).await;
    sweep(pool, &t, (11, 1), ether("1")).await;
    let (alice, bob) = (sql(addr("alice")), sql(addr("bob")));
    for block in [12, 13] {
        pay(pool, "claim", &t, (block, 0), addr("alice"), ether("1.5")).await;
        pay(pool, "refund", &t, (block, 1), addr("alice"), ether("2")).await;
        event(pool, "excess_refund", &t, (block, 2), &format!("{alice}, {bob}, 3")).await;
        event(pool, "rest_refund", &t, (block, 3), &format!("{alice}, {bob}, 4")).await;
        event(pool, "withdrawal", &t, (block, 4), &format!("{alice}, {bob}, 5, 6, 0, 0")).await;
        event(pool, "release", &t, (block, 5), &format!("{alice}, 7, 8, {bob}")).await;
        event(pool, "objection", &t, (block, 6), &format!("{alice}, 9, 10")).await;
    }
    // Of another sale.
    let other = Terms::new("other", 6, 0);
    sale(pool, &other).await;
    pay(pool, "claim", &other, (12, 9), addr("alice"), ether("1")).await;
    tip(pool, CHAIN, 20, 0).await;
    t
}

#[sqlx::test(migrations = "./migrations")]
async fn every_record_is_there_with_all_it_says(pool: PgPool) {
    let t = records(&pool).await;
    let app = app(&pool);
    let money = |raw: &str| json!({ "raw": raw, "decimals": 18, "symbol": "ETH" });
    let (alice, bob) = (addr("alice").to_string(), addr("bob").to_string());
    let claims = get(&app, &format!("{}/claims", t.path())).await.ok();
    assert_eq!(places(claims.rows()), [(13, 0), (12, 0)]);
    let claim = &claims.rows()[0];
    assert_eq!(claim["tokens"], json!({ "raw": ether("1.5").to_string(), "decimals": 18, "symbol": "TKN" }));
    assert_eq!((&claim["investor"], &claim["recipient"]), (&json!(alice), &json!(alice)));
    assert_eq!(claim["sale"], t.sale.to_string());
    assert_eq!(claim["time"], rfc3339(time(13)));
    assert_eq!((&claim["block"]["finality"], &claim["block"]["confirmations"]), (&json!("safe"), &json!(9)));
    assert_eq!(claim["block"]["hash"], hash(13, 0).to_string());
    assert!(claim["transaction_hash"].as_str().unwrap().starts_with("0x"));

    let refunds = get(&app, &format!("{}/refunds?order=oldest", t.path())).await.ok();
    let told: Vec<_> = refunds.rows().iter().take(4).map(|r| (&r["kind"], &r["amount"])).collect();
    let expected = [
        ("refunded", ether("2").to_string()),
        ("excess_refunded", "3".to_owned()),
        ("rest_refunded", "4".to_owned()),
        ("withdrawn", "5".to_owned()),
    ]
    .map(|(kind, raw)| (json!(kind), money(&raw)));
    assert_eq!(told, expected.iter().map(|(kind, amount)| (kind, amount)).collect::<Vec<_>>());
    assert_eq!(refunds.rows()[1]["recipient"], bob);
    assert_eq!(refunds.rows().len(), 8);

    let releases = get(&app, &format!("{}/releases", t.path())).await.ok();
    let release = &releases.rows()[1];
    assert_eq!((&release["beneficiary"], &release["recipient"]), (&json!(alice), &json!(bob)));
    assert_eq!((&release["amount"], &release["released"]), (&money("7"), &money("8")));

    let objections = get(&app, &format!("{}/objections", t.path())).await.ok();
    let objection = &objections.rows()[1];
    assert_eq!(objection["investor"], alice);
    assert_eq!((&objection["weight"], &objection["objected"]), (&money("9"), &money("10")));
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_are_whole_and_end_with_their_block(pool: PgPool) {
    let t = records(&pool).await;
    let app = app(&pool);
    for (list, count) in [("claims", 2), ("refunds", 8), ("releases", 2), ("objections", 2)] {
        let list = format!("{}/{list}", t.path());
        for limit in [1, 3, 8, 200] {
            let newest = places(&walk(&app, &list, limit).await);
            let mut oldest = places(&walk(&app, &format!("{list}?order=oldest"), limit).await);
            oldest.reverse();
            assert_eq!((newest.len(), &newest), (count, &oldest), "{list} {limit}");
            assert!(newest.is_sorted_by(|a, b| a > b));
        }
    }
    let page = get(&app, &format!("{}/claims?limit=1", t.path())).await.ok();
    let cursor = page.body["next_cursor"].as_str().unwrap();
    for elsewhere in ["refunds?", "claims?order=oldest&"] {
        get(&app, &format!("{}/{elsewhere}cursor={cursor}", t.path())).await.is_problem(422, "cursor_mismatch");
    }
    for (query, pointer) in
        [("limit=0", "limit"), ("order=up", "order"), ("investor=0x", "investor"), ("cursor=x", "cursor")]
    {
        let answer = get(&app, &format!("{}/claims?{query}", t.path())).await;
        let code = if pointer == "cursor" { "cursor_invalid" } else { "invalid_query" };
        assert_eq!(answer.is_problem(422, code).body["errors"][0]["pointer"], format!("/query/{pointer}"));
    }
    get(&app, &format!("/v1/sales/{CHAIN}/{}/claims", addr("nobody"))).await.is_problem(404, "sale_not_found");
    rollback(&pool, CHAIN, 12).await;
    get(&app, &format!("{}/claims?limit=1&cursor={cursor}", t.path())).await.is_problem(410, "cursor_reorged");
    assert_eq!(get(&app, &format!("{}/refunds", t.path())).await.ok().rows().len(), 4);
}
