//! Series and concentration, to the base unit.

use alloy::primitives::U256;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::*;

/// Blocks of an hour of the chain's clock; the first begins with one.
const HOUR: i64 = 300;

fn raw(value: &Value) -> U256 {
    value["raw"].as_str().unwrap().parse().unwrap()
}

fn total(buckets: &[Value], field: &str) -> U256 {
    buckets.iter().map(|b| raw(&b[field])).sum()
}

fn counts(buckets: &[Value], field: &str) -> Vec<i64> {
    buckets.iter().map(|b| b[field].as_i64().unwrap()).collect()
}

/// Contributions in the hours 0, 2 and 3, one withdrawn in hour 3 and one rejected in hour 4; the sale opens in hour 0.
async fn busy(pool: &PgPool) -> Terms {
    chain(pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(pool, &t).await;
    let odd = U256::from(123_456_789_012_345_678_901_u128);
    for (block, log, name, amount) in [
        (12, 0, "alice", odd),
        (HOUR - 1, 0, "bob", U256::from(1)),
        (2 * HOUR, 0, "alice", odd),
        (3 * HOUR - 1, 0, "carol", U256::from(7)),
        (3 * HOUR, 0, "bob", U256::from(5)),
    ] {
        contribute(pool, &t, (block, log), addr(name), amount, U256::from(1)).await;
    }
    let leave = |name: &str, amount: &str| format!("{}, {}, {amount}, 1, 0, 0", sql(addr(name)), sql(addr("x")));
    event(pool, "withdrawal", &t, (3 * HOUR, 1), &leave("bob", "6")).await;
    event(pool, "rejection", &t, (4 * HOUR + 1, 0), &leave("carol", "7")).await;
    tip(pool, CHAIN, 5 * HOUR, 0).await;
    t
}

#[sqlx::test(migrations = "./migrations")]
async fn a_series_is_exact_and_without_gaps(pool: PgPool) {
    let t = busy(&pool).await;
    let app = app(&pool);
    let answer = get(&app, &format!("{}/series?interval=hour", t.path())).await.ok();
    let buckets = answer.body["data"]["buckets"].as_array().unwrap();
    let starts: Vec<_> = buckets.iter().map(|b| b["start"].as_str().unwrap().to_owned()).collect();
    assert_eq!(starts, (0..6).map(|h| rfc3339(time(h * HOUR))).collect::<Vec<_>>());
    assert_eq!(buckets[5]["end"], rfc3339(time(6 * HOUR)));
    assert_eq!(counts(buckets, "contributions"), [2, 0, 2, 1, 0, 0]);
    assert_eq!(counts(buckets, "new_investors"), [2, 0, 1, 0, 0, 0]);
    let odd = U256::from(123_456_789_012_345_678_901_u128);
    let raised: Vec<_> = buckets.iter().map(|b| raw(&b["raised"])).collect();
    let two = odd + odd;
    let expected = [odd + U256::from(1), odd + U256::from(1), two + U256::from(8), two + U256::from(7), two, two];
    assert_eq!(raised, expected);
    assert_eq!(raw(&buckets[3]["withdrawn"]), U256::from(6));
    assert_eq!(raw(&buckets[4]["rejected"]), U256::from(7));

    // The sums are those of the sale.
    let sale = get(&app, &t.path()).await.ok();
    let net = total(buckets, "contributed") - total(buckets, "withdrawn") - total(buckets, "rejected");
    assert_eq!(sale.body["data"]["totals"]["raised"]["raw"], net.to_string());
    assert_eq!(sale.body["data"]["totals"]["investors"], 3);

    // A part begins with what was raised before it.
    let (from, to) = (rfc3339(time(3 * HOUR + 7)), rfc3339(time(4 * HOUR)));
    let part = get(&app, &format!("{}/series?interval=hour&from={from}&to={to}", t.path())).await.ok();
    assert_eq!(part.body["data"]["buckets"], Value::from(buckets[3..4].to_vec()));
    let days = get(&app, &format!("{}/series", t.path())).await.ok();
    let days = days.body["data"]["buckets"].as_array().unwrap();
    assert_eq!((days.len(), &days[0]["raised"]), (1, &buckets[5]["raised"]));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_series_ends_with_the_outcome_and_forgets_what_was_reorged(pool: PgPool) {
    let t = busy(&pool).await;
    let app = app(&pool);
    let hours = async |app: &axum::Router| {
        let answer = get(app, &format!("{}/series?interval=hour", t.path())).await.ok();
        answer.body["data"]["buckets"].as_array().unwrap().clone()
    };
    settle(&pool, &t, (4 * HOUR + 9, 0), "failed").await;
    tip(&pool, CHAIN, 99 * HOUR, 0).await;
    assert_eq!(hours(&app).await.len(), 5);
    rollback(&pool, CHAIN, 2 * HOUR).await;
    let buckets = hours(&app).await;
    assert_eq!(counts(&buckets, "contributions"), [2, 0, 1]);
}

#[sqlx::test(migrations = "./migrations")]
async fn a_span_that_is_none_is_refused(pool: PgPool) {
    let t = busy(&pool).await;
    let app = app(&pool);
    for (query, pointer) in [
        ("interval=minute", "interval"),
        ("from=yesterday", "from"),
        ("from=2027-01-15", "from"),
        ("from=1969-12-31T23:59:59Z", "from"),
        ("to=1800000000", "to"),
        ("from=2027-01-15T09:00:00Z&to=2027-01-15T09:00:00Z", "to"),
        ("interval=hour&from=2020-01-01T00:00:00Z", "from"),
        ("q=1", "q"),
    ] {
        let answer = get(&app, &format!("{}/series?{query}", t.path())).await;
        let problem = answer.is_problem(422, "invalid_query");
        assert_eq!(problem.body["errors"][0]["pointer"], format!("/query/{pointer}"), "{query}");
    }
    let long = get(&app, &format!("{}/series?interval=hour&from=2020-01-01T00:00:00Z", t.path())).await;
    assert!(long.body["detail"].as_str().unwrap().contains("interval=day"), "{}", long.text);
    let future = get(&app, &format!("{}/series?from=9000-01-01T00:00:00Z", t.path())).await.ok();
    assert_eq!(future.body["data"]["buckets"], Value::Array(vec![]));
}

#[sqlx::test(migrations = "./migrations")]
async fn concentration_is_exact(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    // 1 to 120 base units, and one of a third of 10^30.
    let large = U256::from(10).pow(U256::from(30)) / U256::from(3);
    for n in 1..=120_i32 {
        let (investor, amount) = (addr(&format!("investor {n}")), U256::from(n));
        contribute(&pool, &t, (12, n), investor, amount, U256::from(1)).await;
    }
    contribute(&pool, &t, (12, 200), addr("whale"), large, U256::from(1)).await;
    contribute(&pool, &t, (12, 201), addr("gone"), large, U256::from(1)).await;
    let gone = format!("{}, {}, {large}, 1, 0, 0", sql(addr("gone")), sql(addr("gone")));
    event(&pool, "withdrawal", &t, (13, 0), &gone).await;
    tip(&pool, CHAIN, 20, 0).await;
    let app = app(&pool);
    let answer = get(&app, &format!("{}/concentration", t.path())).await.ok();
    let data = &answer.body["data"];
    let raised = large + U256::from(120 * 121 / 2);
    assert_eq!((raw(&data["raised"]), &data["investors"]), (raised, &Value::from(121)));
    assert_eq!(raw(&data["top_1"]["stake"]), large);
    assert_eq!(raw(&data["top_10"]["stake"]), large + U256::from((112..=120).sum::<i32>()));
    assert_eq!(raw(&data["top_100"]["stake"]), large + U256::from((22..=120).sum::<i32>()));
    // All but a hair, rounded down.
    assert_eq!(data["top_1"]["basis_points"], 9_999);
    let sizes = data["sizes"].as_array().unwrap();
    assert_eq!(counts(sizes, "investors"), [9, 90, 21, 1]);
    assert_eq!(total(sizes, "stake"), raised);
    assert_eq!((raw(&sizes[2]["from"]), raw(&sizes[2]["below"])), (U256::from(100), U256::from(1_000)));

    let empty = Terms::new("empty", 6, 0);
    sale(&pool, &empty).await;
    tip(&pool, CHAIN, 21, 0).await;
    let answer = get(&app, &format!("{}/concentration", empty.path())).await.ok();
    assert_eq!(
        (&answer.body["data"]["top_1"]["basis_points"], &answer.body["data"]["investors"]),
        (&0.into(), &0.into())
    );
}
