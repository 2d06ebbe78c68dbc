//! What a sale, its contributions and its positions say, to the base unit.

use alloy::primitives::{Address, U256, keccak256};
use crowdsale::types::{Addr, Hash32};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::*;

fn eth(text: &str) -> Value {
    json!({ "raw": ether(text).to_string(), "decimals": 18, "symbol": "ETH" })
}

fn tkn(text: &str) -> Value {
    json!({ "raw": ether(text).to_string(), "decimals": 18, "symbol": "TKN" })
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sale_is_whole(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 2);
    sale(&pool, &t).await;
    contribute(&pool, &t, (12, 0), addr("alice"), ether("1.000000000000000001"), ether("4000.000000000000000004"))
        .await;
    contribute(&pool, &t, (13, 4), addr("bob"), ether("2"), ether("8000")).await;
    tip(&pool, CHAIN, 16, 0).await;

    let answer = get(&app(&pool), &t.path()).await.ok();
    let phases = json!([
        {
            "index": 0, "starts": rfc3339(time(10)), "ends": rfc3339(time(20)), "raised_up_to": eth("100"),
            "gate": "open", "root": null,
            "price": { "raw": "250000000000000", "unit": "1000000000000000000", "per_token": eth("0.00025") },
        },
        {
            "index": 1, "starts": rfc3339(time(20)), "ends": rfc3339(time(30)), "raised_up_to": eth("300"),
            "gate": "open", "root": null,
            "price": { "raw": "333333333333333", "unit": "1000000000000000000", "per_token": eth("0.000333333333333333") },
        },
    ]);
    let expected = json!({
        "chain_id": CHAIN,
        "address": t.sale.to_string(),
        "name": "first",
        "mode": "fixed_price",
        "state": "open",
        "sold_out": false,
        "paused": false,
        "opens": rfc3339(time(10)),
        "closes": rfc3339(time(30)),
        "token": { "address": addr("token").to_string(), "symbol": "TKN", "name": "Token", "decimals": 18 },
        "token_kind": null,
        "currency": { "address": ETH, "symbol": "ETH", "name": "Ether", "decimals": 18 },
        "soft_cap": eth("50"),
        "hard_cap": eth("300"),
        "min_paid": eth("0.1"),
        "max_paid": eth("200"),
        "tokens_for_sale": tkn("1000000"),
        "unsold": "return",
        "cooling_off_seconds": 0,
        "vesting": { "at_once_basis_points": 0, "cliff_seconds": 0, "duration_seconds": 0 },
        "tap": { "at_once_basis_points": 0, "duration_seconds": 0, "objection_basis_points": 0 },
        "phases": phases,
        "active_phase": phases[0],
        "price": phases[0]["price"],
        "next_phase": phases[1],
        "totals": {
            "raised": eth("3.000000000000000001"),
            "kept": null,
            "sold": tkn("12000.000000000000000004"),
            "investors": 2,
            "contributions": 2,
            "withdrawn": eth("0"),
            "withdrawals": 0,
            "rejected": eth("0"),
            "rejections": 0,
            "refunded": eth("0"),
            "refunds": 0,
            "excess": eth("0"),
            "excess_refunded": eth("0"),
            "claimed": tkn("0"),
            "claims": 0,
            "released": eth("0"),
            "releasable": eth("0"),
            "held": eth("3.000000000000000001"),
            "unswept": eth("0"),
            "dust": eth("0"),
            "in_vault": eth("0"),
            "unclaimed": tkn("12000.000000000000000004"),
        },
        "settlement": null,
        "documents": {
            "sale": {
                "uri": "https://example.org/sale.toml",
                "sha256": alloy::primitives::keccak256("sale file").to_string(),
            },
            "whitepaper": {
                "uri": "https://example.org/paper.pdf",
                "sha256": alloy::primitives::keccak256("paper").to_string(),
            },
            "superseding": [],
        },
        "objections": null,
        "allocations": [],
        "owner": addr("owner").to_string(),
        "pending_owner": null,
        "compliance": null,
        "voucher_signer": null,
        "voucher_epoch": "0",
        "beneficiary": addr("beneficiary").to_string(),
        "creator": addr("creator").to_string(),
        "vault": addr("vault of first").to_string(),
        "created": {
            "time": rfc3339(time(5)),
            "transaction_hash": alloy::primitives::keccak256("create first").to_string(),
            "block": {
                "chain_id": CHAIN, "number": 5, "hash": hash(5, 0).to_string(), "log_index": 2, "confirmations": 13,
                "finality": "finalized",
            },
        },
        "block": {
            "chain_id": CHAIN, "number": 13, "hash": hash(13, 0).to_string(), "log_index": 4, "confirmations": 5,
            "finality": "latest",
        },
    });
    assert_eq!(answer.body["data"], expected, "{}", answer.text);

    let meta = &answer.body["meta"];
    assert_eq!(
        meta["indexed_block"],
        json!({ "number": 16, "hash": hash(16, 0).to_string(), "timestamp": rfc3339(time(16)) })
    );
    assert_eq!((&meta["chain_id"], &meta["head_block"]), (&json!(CHAIN), &json!(17)));
    assert_eq!((&meta["safe_block"], &meta["finalized_block"]), (&json!(12), &json!(8)));
    assert_eq!(meta["has_errors"], false);
    assert!(meta["lag_seconds"].as_i64().is_some_and(|lag| lag >= 0));
}

#[sqlx::test(migrations = "./migrations")]
async fn states_follow_the_chains_clock_in_half_open_intervals(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    let app = app(&pool);
    for (block, state, active, next) in [
        (9, "upcoming", Value::Null, json!(0)),
        (10, "open", json!(0), json!(1)),
        (19, "open", json!(0), json!(1)),
        (20, "open", json!(1), Value::Null),
        (29, "open", json!(1), Value::Null),
        (30, "ended", Value::Null, Value::Null),
    ] {
        tip(&pool, CHAIN, block, 0).await;
        let data = get(&app, &t.path()).await.ok().body["data"].clone();
        assert_eq!(data["state"], state, "block {block}");
        let index = |phase: &Value| phase.get("index").cloned().unwrap_or_default();
        assert_eq!((index(&data["active_phase"]), index(&data["next_phase"])), (active, next), "block {block}");
        let listed = get(&app, &format!("/v1/sales?state={state}")).await.ok();
        assert_eq!(listed.rows().len(), 1, "block {block}");
        let others = get(&app, "/v1/sales?state=succeeded").await.ok();
        assert!(others.rows().is_empty());
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn a_sale_without_room_is_sold_out_and_can_be_closed(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    contribute(&pool, &t, (12, 0), addr("alice"), ether("100"), ether("1")).await;
    tip(&pool, CHAIN, 13, 0).await;
    let app = app(&pool);
    let data = get(&app, &t.path()).await.ok().body["data"].clone();
    // The first phase is full long before its end.
    assert_eq!((&data["active_phase"]["index"], &data["sold_out"]), (&json!(1), &json!(false)));

    contribute(&pool, &t, (14, 0), addr("bob"), ether("200"), ether("1")).await;
    tip(&pool, CHAIN, 14, 0).await;
    let data = get(&app, &t.path()).await.ok().body["data"].clone();
    assert_eq!((&data["state"], &data["sold_out"]), (&json!("open"), &json!(true)));
    assert_eq!(
        (&data["active_phase"], &data["price"], &data["next_phase"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let action = async |name: &str| {
        let wallet = get(&app, &format!("/v1/investors/{}", addr(name))).await.ok();
        wallet.rows()[0]["action"].clone()
    };
    assert_eq!(action("bob").await, "close");

    // Where there is compliance, it alone closes early.
    for (log, compliance, can) in [(1, addr("officer"), "wait"), (2, addr("bob"), "close"), (3, Address::ZERO, "close")]
    {
        sqlx::query("INSERT INTO compliance_change VALUES ($1, 14, $2, $3, $4, $5)")
            .bind(CHAIN)
            .bind(log)
            .bind(Hash32(keccak256("named")))
            .bind(Addr(t.sale))
            .bind(Addr(compliance))
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(action("bob").await, can, "{compliance}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn positions_say_what_can_be_done(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let (alice, bob) = (addr("alice"), addr("bob"));
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    contribute(&pool, &t, (12, 0), alice, ether("1.5"), ether("6000")).await;
    contribute(&pool, &t, (13, 1), alice, ether("0.000000000000000007"), U256::from(28)).await;
    contribute(&pool, &t, (13, 2), bob, ether("200"), ether("800000")).await;
    tip(&pool, CHAIN, 14, 0).await;

    let open = get(&app, &format!("{}/investors", t.path())).await.ok();
    let position = json!({
        "chain_id": CHAIN,
        "sale": t.sale.to_string(),
        "sale_name": "first",
        "investor": alice.to_string(),
        "state": "open",
        "status": "contributed",
        "paid": eth("1.500000000000000007"),
        "withdrawn": eth("0"),
        "withdrawable": eth("0"),
        "cooling_off_until": null,
        "rejected": false,
        "refunded": eth("0"),
        "refundable": eth("0"),
        "kept": null,
        "excess": eth("0"),
        "excess_refunded": eth("0"),
        "tokens": tkn("6000.000000000000000028"),
        "vested": tkn("0"),
        "claimed": tkn("0"),
        "claimable": tkn("0"),
        "next_unlock": null,
        "objected": false,
        "can_object": false,
        "rest_refundable": eth("0"),
        "rest_refunded": eth("0"),
        "contributions": 2,
        "action": "contribute",
        "block": {
            "chain_id": CHAIN, "number": 13, "hash": hash(13, 0).to_string(), "log_index": 1, "confirmations": 3,
            "finality": "latest",
        },
    });
    // Bob paid more, and the most that one may.
    assert_eq!((&open.rows()[0]["investor"], &open.rows()[0]["action"]), (&json!(bob.to_string()), &json!("wait")));
    assert_eq!(open.rows()[1], position);
    let wallet = get(&app, &format!("/v1/investors/{alice}")).await.ok();
    assert_eq!(wallet.rows(), &vec![position]);

    tip(&pool, CHAIN, 30, 0).await;
    let wallet = get(&app, &format!("/v1/investors/{alice}")).await.ok();
    assert_eq!((&wallet.rows()[0]["state"], &wallet.rows()[0]["action"]), (&json!("ended"), &json!("close")));
}

#[sqlx::test(migrations = "./migrations")]
async fn after_a_success_tokens_are_claimed(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let (alice, bob) = (addr("alice"), addr("bob"));
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    contribute(&pool, &t, (12, 0), alice, ether("60"), ether("6000")).await;
    contribute(&pool, &t, (12, 1), bob, ether("40"), ether("4000")).await;
    settle(&pool, &t, (31, 0), "succeeded").await;
    pay(&pool, "claim", &t, (32, 3), alice, ether("6000")).await;
    sweep(&pool, &t, (33, 0), ether("100")).await;
    pay(&pool, "release", &t, (33, 1), addr("beneficiary"), ether("100")).await;
    tip(&pool, CHAIN, 50, 0).await;

    let data = get(&app, &t.path()).await.ok().body["data"].clone();
    assert_eq!(data["state"], "succeeded");
    assert_eq!(data["totals"]["claimed"], tkn("6000"));
    assert_eq!(data["totals"]["unclaimed"], tkn("4000"));
    assert_eq!(data["totals"]["released"], eth("100"));
    assert_eq!(data["totals"]["held"], eth("0"));
    assert_eq!(data["settlement"]["outcome"], "succeeded");
    assert_eq!(data["settlement"]["time"], rfc3339(time(31)));
    assert_eq!(data["settlement"]["block"]["number"], 31);
    assert_eq!((&data["block"]["number"], &data["block"]["log_index"]), (&json!(33), &json!(1)));

    let rows = get(&app, &format!("{}/investors", t.path())).await.ok().rows().clone();
    let [first, second] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&first["action"], &first["claimable"], &first["claimed"]), (&json!("none"), &tkn("0"), &tkn("6000")));
    assert_eq!((&first["block"]["number"], &first["block"]["log_index"]), (&json!(32), &json!(3)));
    assert_eq!(
        (&second["action"], &second["claimable"], &second["refundable"]),
        (&json!("claim"), &tkn("4000"), &eth("0"))
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn after_a_failure_or_a_cancellation_money_is_refunded(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let app = app(&pool);
    let (alice, bob) = (addr("alice"), addr("bob"));
    for (index, outcome) in ["failed", "cancelled"].into_iter().enumerate() {
        let t = Terms::new(outcome, 5, index as i32);
        let log = 10 * index as i32;
        sale(&pool, &t).await;
        contribute(&pool, &t, (12, log), alice, ether("1.000000000000000001"), ether("1")).await;
        contribute(&pool, &t, (12, log + 1), bob, ether("2"), ether("2")).await;
        settle(&pool, &t, (15, log), outcome).await;
        pay(&pool, "refund", &t, (16, log + 5), bob, ether("2")).await;
        tip(&pool, CHAIN, 20, 0).await;

        let data = get(&app, &t.path()).await.ok().body["data"].clone();
        assert_eq!(data["state"], outcome);
        assert_eq!(data["totals"]["raised"], eth("3.000000000000000001"));
        assert_eq!((&data["totals"]["refunded"], &data["totals"]["refunds"]), (&eth("2"), &json!(1)));
        assert_eq!(data["totals"]["held"], eth("1.000000000000000001"));
        assert_eq!(data["totals"]["unclaimed"], tkn("0"));

        let rows = get(&app, &format!("{}/investors", t.path())).await.ok().rows().clone();
        let [first, second] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(
            (&first["action"], &first["refundable"], &first["refunded"]),
            (&json!("none"), &eth("0"), &eth("2"))
        );
        assert_eq!((&second["action"], &second["refundable"]), (&json!("refund"), &eth("1.000000000000000001")));
        assert_eq!(second["claimable"], tkn("0"));
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn contributions_carry_their_block_and_running_totals(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    contribute(&pool, &t, (12, 7), addr("alice"), ether("1.000000000000000001"), ether("4000")).await;
    tip(&pool, CHAIN, 17, 0).await;
    let answer = get(&app(&pool), &format!("{}/contributions", t.path())).await.ok();
    let expected = json!({
        "sale": t.sale.to_string(),
        "investor": addr("alice").to_string(),
        "payer": addr("payer").to_string(),
        "phase": 0,
        "amount": eth("1.000000000000000001"),
        "tokens": tkn("4000"),
        "after": { "paid": eth("1.000000000000000001"), "raised": eth("1.000000000000000001"), "sold": tkn("4000") },
        "time": rfc3339(time(12)),
        "transaction_hash": alloy::primitives::keccak256("transaction 12 7").to_string(),
        "block": {
            "chain_id": CHAIN, "number": 12, "hash": hash(12, 0).to_string(), "log_index": 7, "confirmations": 7,
            "finality": "safe",
        },
    });
    assert_eq!(answer.rows(), &vec![expected]);
    assert_eq!(answer.body["next_cursor"], Value::Null);
}

#[sqlx::test(migrations = "./migrations")]
async fn sums_above_256_bits_stay_exact(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    for log in 0..9 {
        contribute(&pool, &t, (12, log), addr("alice"), U256::MAX, U256::MAX).await;
    }
    contribute(&pool, &t, (12, 9), addr("bob"), U256::MAX, U256::MAX).await;
    tip(&pool, CHAIN, 13, 0).await;
    let app = app(&pool);
    let data = get(&app, &t.path()).await.ok().body["data"].clone();
    let exact = |n: u32| {
        use bigdecimal::num_bigint::BigInt;
        (U256::MAX.to_string().parse::<BigInt>().unwrap() * n).to_string()
    };
    assert_eq!(data["totals"]["raised"]["raw"], exact(10));
    let page = get(&app, &format!("{}/investors?limit=1", t.path())).await.ok();
    assert_eq!(page.rows()[0]["paid"]["raw"], exact(9));
    let next = page.body["next_cursor"].as_str().unwrap();
    let page = get(&app, &format!("{}/investors?limit=1&cursor={next}", t.path())).await.ok();
    assert_eq!(page.rows()[0]["paid"]["raw"], exact(1));
    assert_eq!(page.body["next_cursor"], Value::Null);
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_of_sales_are_narrowed(pool: PgPool) {
    chain(&pool, CHAIN).await;
    chain(&pool, 5).await;
    let one = Terms::new("one", 5, 0);
    let two = Terms { owner: addr("other"), ..Terms::new("two", 6, 0) };
    let three = Terms { chain_id: 5, currency: addr("usd"), ..Terms::new("three", 5, 0) };
    for t in [&one, &two, &three] {
        sale(&pool, t).await;
    }
    tip(&pool, CHAIN, 10, 0).await;
    let app = app(&pool);
    let (owner, usd, token) = (addr("other"), addr("usd"), addr("token"));
    for (query, names) in [
        // Chains by id, in each the newest first.
        (String::new(), &["three", "two", "one"][..]),
        (format!("?chain={CHAIN}"), &["two", "one"]),
        ("?chain=5".to_owned(), &["three"]),
        (format!("?owner={owner}"), &["two"]),
        (format!("?currency={usd}"), &["three"]),
        (format!("?currency={ETH}&token={token}"), &["two", "one"]),
        (format!("?chain=5&owner={owner}"), &[]),
        ("?state=open".to_owned(), &["two", "one"]),
        ("?state=upcoming".to_owned(), &["three"]),
    ] {
        let answer = get(&app, &format!("/v1/sales{query}")).await.ok();
        let found: Vec<_> = answer.rows().iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
        let chains = answer.body["meta"]["chains"].as_array().unwrap();
        assert_eq!(chains.len(), if query.contains("chain=") { 1 } else { 2 }, "{query}");
    }
    // Six decimals, and a price that is a whole number of base units a token.
    let three = get(&app, &three.path()).await.ok().body["data"].clone();
    assert_eq!(three["soft_cap"], json!({ "raw": ether("50").to_string(), "decimals": 6, "symbol": "USD" }));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wallet_is_shown_over_all_chains(pool: PgPool) {
    chain(&pool, CHAIN).await;
    chain(&pool, 5).await;
    let here = Terms::new("here", 5, 0);
    let there = Terms { chain_id: 5, ..Terms::new("there", 5, 0) };
    for t in [&here, &there] {
        sale(&pool, t).await;
        contribute(&pool, t, (12, 0), addr("alice"), ether("1"), ether("1")).await;
        tip(&pool, t.chain_id, 13, 0).await;
    }
    let app = app(&pool);
    let wallet = get(&app, &format!("/v1/investors/{}", addr("alice"))).await.ok();
    let sales: Vec<_> = wallet.rows().iter().map(|r| r["sale_name"].as_str().unwrap()).collect();
    assert_eq!(sales, ["there", "here"]);
    let wallet = get(&app, &format!("/v1/investors/{}?chain=5", addr("alice"))).await.ok();
    assert_eq!(wallet.rows().len(), 1);
    // Lower case is as good in, and the checksum comes out.
    let lower = addr("alice").to_string().to_lowercase();
    let wallet = get(&app, &format!("/v1/investors/{lower}")).await.ok();
    assert_eq!(wallet.rows()[0]["investor"], addr("alice").to_string());
    let nobody = get(&app, &format!("/v1/investors/{}", addr("nobody"))).await.ok();
    assert!(nobody.rows().is_empty());
}

/// Anybody names a sale and a token: their names must not turn round the text that they stand in.
#[sqlx::test(migrations = "./migrations")]
async fn no_name_turns_the_direction_of_writing(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Au\u{202e}rora\u{2066}", 1, 0);
    sale(&pool, &terms).await;
    contribute(&pool, &terms, (2, 0), addr("alice"), ether("1"), ether("4000")).await;
    tip(&pool, CHAIN, 2, 0).await;
    sqlx::query("UPDATE currency SET symbol = 'A\u{200f}UR\u{202e}', name = '\u{202d}Token'")
        .execute(&pool)
        .await
        .unwrap();
    let app = app(&pool);
    let alice = format!("/v1/investors/{}", addr("alice"));
    for path in ["/v1/sales", &terms.path(), &format!("{}/activity", terms.path()), &alice] {
        let text = get(&app, path).await.ok().text.clone();
        assert!(text.contains("Aurora") && text.contains("\"AUR\""), "{path}: {text}");
        assert!(!text.contains(['\u{202d}', '\u{202e}', '\u{2066}', '\u{200f}']), "{path}: {text}");
    }
}
