//! `rollback_to`: it knows every table, and what the triggers keep is right after it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use alloy::primitives::{Address, keccak256};
use sqlx::PgPool;

const CHAIN: i64 = 31_337;

#[sqlx::test(migrations = "./migrations")]
async fn it_covers_every_table_of_the_catalog(pool: PgPool) {
    let tables: BTreeSet<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'block_number'
             AND NOT a.attisdropped AND NOT c.relispartition
         UNION SELECT 'block'",
    )
    .fetch_all(&pool)
    .await
    .unwrap()
    .into_iter()
    .collect();
    assert!(tables.len() >= 31, "{tables:?}");
    let body: String =
        sqlx::query_scalar("SELECT prosrc FROM pg_proc WHERE proname = 'forget_above'").fetch_one(&pool).await.unwrap();
    let covered: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DELETE FROM "))
        .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert_eq!(covered, tables);
}

/// Events of three sales, one of each mode, over forty blocks, by a fixed pseudo-random pattern; then each succeeds.
async fn fill(pool: &PgPool) {
    for (sale, mode) in (0_i64..).zip(["fixed_price", "pro_rata", "dutch_auction"]) {
        let address = address(&format!("sale {sale}"));
        sqlx::query(
            "INSERT INTO sale SELECT $1, $2, 0, sha256('t'), $3, $3, substr(sha256($3), 1, 20), $4, $3, $3, $3, $3, 0, 1, 1,
                 5000, 1, 1, 1, false, '', sha256('a'), '', sha256('b'), '', ''",
        )
        .bind(CHAIN)
        .bind(1 + sale)
        .bind(address.as_slice())
        .bind(mode)
        .execute(pool)
        .await
        .unwrap();
    }
    for block in 1..=40_i64 {
        sqlx::query("INSERT INTO block SELECT $1, $2, sha256(int8send($2)), sha256(int8send($2 - 1)), $2, true")
            .bind(CHAIN)
            .bind(block)
            .execute(pool)
            .await
            .unwrap();
    }
    for n in 0..400_i64 {
        let random = keccak256(n.to_be_bytes());
        let (sale, investor) = (address(&format!("sale {}", random[0] % 3)), address(&format!("i {}", random[1] % 9)));
        let block = 4 + n / 12;
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM position WHERE sale = $1 AND investor = $2)")
            .bind(sale.as_slice())
            .bind(investor.as_slice())
            .fetch_one(pool)
            .await
            .unwrap();
        let sql = match random[2] % 24 {
            0 if known => "INSERT INTO claim SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6",
            1 if known => "INSERT INTO refund SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6",
            2 => "INSERT INTO release SELECT $1, $2, $3, sha256('t'), $4, $5, $6, $6, $5",
            3 if known => "INSERT INTO withdrawal SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6 / 4, $6 / 8, 0, 0",
            4 if known => "INSERT INTO rejection SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6 / 4, $6 / 8, 0, 0",
            5 if known => "INSERT INTO share SELECT $1, $2, $3, sha256('t'), $4, $5, $6, $6 * 2, $6 * 3",
            6 if known => "INSERT INTO excess_refund SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6",
            7 if known => "INSERT INTO objection SELECT $1, $2, $3, sha256('t'), $4, $5, $6, $6",
            8 if known => "INSERT INTO rest_refund SELECT $1, $2, $3, sha256('t'), $4, $5, $5, $6",
            9 => "INSERT INTO sweep SELECT $1, $2, $3, sha256('t'), $4, $6 WHERE length($5::bytea) > 0",
            _ => "INSERT INTO contribution SELECT $1, $2, $3, sha256('t'), $4, $5, $5, 0, $6, $6 * 3, 0, 0, 0",
        };
        sqlx::query(sql)
            .bind(CHAIN)
            .bind(block)
            .bind(i32::try_from(n % 12).unwrap())
            .bind(sale.as_slice())
            .bind(investor.as_slice())
            .bind(bigdecimal::BigDecimal::from(1 + i64::from(random[3])))
            .execute(pool)
            .await
            .unwrap();
    }
    sqlx::query(
        "INSERT INTO settlement SELECT chain_id, 38, block_number, sha256('t'), address, 'succeeded', 0, 7777 FROM sale",
    )
    .execute(pool)
    .await
    .unwrap();
}

fn address(name: &str) -> Address {
    Address::from_slice(&keccak256(name)[12..])
}

/// Rows in which what the triggers keep and what the events say are not the same.
async fn differences(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "WITH e AS (
             SELECT chain_id, sale, investor, block_number, amount AS paid, tokens, 1 AS n, 0 AS refunded, 0 AS claimed,
                 0 AS withdrawn, 0 AS withdrawn_tokens, 0 AS rejections, 0 AS rejected, 0 AS rejected_tokens, 0 AS shares,
                 0 AS kept, 0 AS share_tokens, 0 AS excess, 0 AS excess_refunded, 0 AS objections, 0 AS objected,
                 0 AS rest_refunds, 0 AS rest_refunded FROM contribution
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, amount, 0, 0,0, 0,0,0, 0,0,0,0, 0, 0,0, 0,0 FROM refund
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, tokens, 0,0, 0,0,0, 0,0,0,0, 0, 0,0, 0,0 FROM claim
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, amount,tokens, 0,0,0, 0,0,0,0, 0, 0,0, 0,0
                 FROM withdrawal
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, 0,0, 1,amount,tokens, 0,0,0,0, 0, 0,0, 0,0
                 FROM rejection
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, 0,0, 0,0,0, 1,kept,tokens,excess, 0, 0,0, 0,0
                 FROM share
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, 0,0, 0,0,0, 0,0,0,0, amount, 0,0, 0,0
                 FROM excess_refund
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, 0,0, 0,0,0, 0,0,0,0, 0, 1,weight, 0,0
                 FROM objection
             UNION ALL SELECT chain_id, sale, investor, block_number, 0,0,0, 0, 0, 0,0, 0,0,0, 0,0,0,0, 0, 0,0, 1,amount
                 FROM rest_refund
         ), p AS (
             SELECT chain_id, sale, investor, sum(paid) AS paid, sum(tokens) AS tokens, sum(n)::bigint AS contributions,
                 sum(refunded) AS refunded, sum(claimed) AS claimed, max(block_number) AS last_block, sum(withdrawn) AS withdrawn,
                 sum(withdrawn_tokens), sum(rejections)::bigint AS rejections, sum(rejected), sum(rejected_tokens),
                 sum(shares)::bigint, sum(kept), sum(share_tokens), sum(excess), sum(excess_refunded), sum(objections)::bigint,
                 sum(objected), sum(rest_refunds)::bigint, sum(rest_refunded)
             FROM e GROUP BY chain_id, sale, investor
         ), r AS (
             SELECT s.*,
                 coalesce((SELECT sum(amount) FROM contribution c WHERE c.sale = s.address), 0)
                     - coalesce((SELECT sum(amount) FROM withdrawal c WHERE c.sale = s.address), 0)
                     - coalesce((SELECT sum(amount) FROM rejection c WHERE c.sale = s.address), 0) AS raised,
                 coalesce((SELECT sum(tokens) FROM contribution c WHERE c.sale = s.address), 0)
                     - coalesce((SELECT sum(tokens) FROM withdrawal c WHERE c.sale = s.address), 0)
                     - coalesce((SELECT sum(tokens) FROM rejection c WHERE c.sale = s.address), 0) AS sold,
                 EXISTS (SELECT FROM settlement o WHERE o.sale = s.address) AS settled
             FROM sale s
         ), t AS (
             SELECT s.chain_id, s.address AS sale, s.raised, s.sold,
                 (SELECT count(*) FROM contribution c WHERE c.sale = s.address) AS contributions,
                 (SELECT count(DISTINCT investor) FROM contribution c WHERE c.sale = s.address) AS investors,
                 coalesce((SELECT sum(amount) FROM refund r WHERE r.sale = s.address), 0) AS refunded,
                 (SELECT count(*) FROM refund r WHERE r.sale = s.address) AS refunds,
                 coalesce((SELECT sum(tokens) FROM claim c WHERE c.sale = s.address), 0) AS claimed,
                 (SELECT count(*) FROM claim c WHERE c.sale = s.address) AS claims,
                 coalesce((SELECT sum(amount) FROM release r WHERE r.sale = s.address), 0) AS released,
                 coalesce((SELECT sum(amount) FROM withdrawal r WHERE r.sale = s.address), 0) AS withdrawn,
                 (SELECT count(*) FROM withdrawal r WHERE r.sale = s.address) AS withdrawals,
                 coalesce((SELECT sum(amount) FROM rejection r WHERE r.sale = s.address), 0) AS rejected,
                 (SELECT count(*) FROM rejection r WHERE r.sale = s.address) AS rejections,
                 CASE WHEN settled THEN least(s.raised, s.hard_cap) ELSE 0 END AS kept,
                 CASE WHEN settled AND mode <> 'fixed_price' THEN
                     (SELECT sum(div((p.paid - p.withdrawn) * (s.raised - least(s.raised, s.hard_cap)), s.raised)) FROM p
                      WHERE p.sale = s.address AND p.rejections = 0) ELSE 0 END AS excess,
                 CASE WHEN NOT settled THEN 0 WHEN mode = 'fixed_price' THEN s.sold ELSE
                     (SELECT sum(div((p.paid - p.withdrawn) * 7777, s.raised)) FROM p
                      WHERE p.sale = s.address AND p.rejections = 0) END AS allotted,
                 coalesce((SELECT sum(amount) FROM excess_refund r WHERE r.sale = s.address), 0) AS excess_refunded,
                 coalesce((SELECT sum(amount) FROM sweep r WHERE r.sale = s.address), 0) AS received,
                 coalesce((SELECT sum(weight) FROM objection r WHERE r.sale = s.address), 0) AS objected,
                 coalesce((SELECT sum(amount) FROM rest_refund r WHERE r.sale = s.address), 0) AS rest_refunded
             FROM r s
         )
         (SELECT 'position missing or wrong ' || x::text FROM (TABLE p EXCEPT ALL TABLE position) x)
         UNION ALL (SELECT 'position too many ' || x::text FROM (TABLE position EXCEPT ALL TABLE p) x)
         UNION ALL (SELECT 'total missing or wrong ' || x::text FROM (TABLE t EXCEPT ALL TABLE sale_total) x)
         UNION ALL (SELECT 'total too many ' || x::text FROM (TABLE sale_total EXCEPT ALL TABLE t) x)",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn totals_and_positions_equal_recomputed_sums_at_every_depth(pool: PgPool) {
    fill(&pool).await;
    assert_eq!(differences(&pool).await, Vec::<String>::new());
    for fork in [39, 37, 36, 26, 25, 24, 9, 5, 4, 2, 0] {
        sqlx::query("SELECT rollback_to($1, $2)").bind(CHAIN).bind(fork).execute(&pool).await.unwrap();
        assert_eq!(differences(&pool).await, Vec::<String>::new(), "after a rollback to {fork}");
        let above: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM block WHERE number > $1) + (SELECT count(*) FROM contribution WHERE block_number > $1)
                 + (SELECT count(*) FROM sale WHERE block_number > $1)",
        )
        .bind(fork)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(above, 0);
    }
    let left: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM sale_total) + (SELECT count(*) FROM position)")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[sqlx::test(migrations = "./migrations")]
async fn another_chain_is_left_alone(pool: PgPool) {
    fill(&pool).await;
    let count = "SELECT count(*) FROM contribution";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    sqlx::query("SELECT rollback_to(1, 0)").execute(&pool).await.unwrap();
    let after: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    assert_eq!(before, after);
}
