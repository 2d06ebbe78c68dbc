//! The line of an operator's signer, which must not stand still; what bounds what a key spends; orders that nobody hears of again; and
//! who of several services follows them.

use std::collections::BTreeSet;

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559},
    eips::eip2718::Encodable2718 as _,
    hex,
    primitives::{B256, TxKind, U256},
    providers::{Provider, ext::AnvilApi},
    rpc::types::TransactionRequest,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use crowdsale::{access::Scope, config::DEV_ACCOUNTS};
use e2e::{Desk, DeskFlags, api_key, ether, history, until};
use serde_json::{Value, json};

use crate::orders::{Shop, id, mine};

pub const GWEI: u128 = 1_000_000_000;

/// A block whose gas costs so much.
pub async fn block_of(shop: &Shop, gwei: u128) {
    shop.world.chain.provider.anvil_set_next_block_base_fee_per_gas(gwei * GWEI).await.unwrap();
    mine(&shop.world, 1).await;
}

/// The same several times.
pub async fn blocks_of(shop: &Shop, gwei: u128, count: usize) {
    for _ in 0..count {
        block_of(shop, gwei).await;
    }
}

/// Waits until the service has looked at an order at the newest block, and done what follows from it. The signer's account is noted, and
/// what used nonces is searched for, only after that.
pub async fn is_looked_at(shop: &Shop) {
    let head = shop.world.chain.provider.get_block_number().await.unwrap();
    let query = "SELECT coalesce(max(looked_at), 0) FROM crowdsale_service.sale_order";
    until("the newest block is looked at", async || {
        (shop.world.database.number(query).await.unsigned_abs() >= head).then_some(())
    })
    .await;
}

pub fn newest(order: &Value) -> B256 {
    order["transactions"].as_array().unwrap().last().unwrap()["hash"].as_str().unwrap().parse().unwrap()
}

/// Waits until an order has so many transactions and the node has the newest.
pub async fn is_signed_again(shop: &Shop, desk: &Desk, order: &str, times: usize) {
    until("it is signed again, and the node has it", async || {
        let order = desk.order(order).await;
        let there = order["transactions"].as_array()?.len() >= times;
        let known = shop.world.chain.provider.get_transaction_by_hash(newest(&order)).await.unwrap();
        (there && known.is_some()).then_some(())
    })
    .await;
}

async fn nonce(shop: &Shop) -> u64 {
    shop.world.chain.provider.get_transaction_count(shop.signer()).await.unwrap()
}

async fn is_included(shop: &Shop, desk: &Desk, order: &str, investor: usize, amount: U256) {
    desk.reaches(order, "included").await;
    mine(&shop.world, 6).await;
    is_final(shop, desk, order, investor, amount).await;
}

async fn is_final(shop: &Shop, desk: &Desk, order: &str, investor: usize, amount: U256) {
    desk.reaches(order, "final").await;
    until("its one contribution is indexed", async || (shop.contributed(investor).await == [amount]).then_some(()))
        .await;
}

/// A transaction of the signer's account that this service knows nothing of, in the node's pool.
async fn foreign(shop: &Shop) -> B256 {
    let outside = TransactionRequest {
        from: Some(shop.signer()),
        to: Some(TxKind::Call(shop.signer())),
        gas_price: Some(0),
        gas: Some(21_000),
        ..TransactionRequest::default()
    };
    shop.world.chain.provider.client().request("eth_sendTransaction", (outside,)).await.unwrap()
}

async fn fillers(shop: &Shop) -> Vec<U256> {
    let query =
        "SELECT max_fee::text FROM crowdsale_service.order_transaction WHERE purpose = 'filler' ORDER BY position";
    shop.world.database.texts(query).await.iter().map(|fee| fee.parse().unwrap()).collect()
}

#[tokio::test]
async fn what_fills_a_nonce_pays_more_when_fees_rise() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-max-fee".to_owned(), "10000".to_owned()];
    let outside = foreign(&shop).await;
    let start = nonce(&shop).await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    assert_eq!(order["nonce"], start + 1, "after what waits in the pool");
    shop.world.chain.provider.anvil_drop_transaction(outside).await.unwrap();
    // Seen by the service before the blocks are counted that it waits.
    mine(&shop.world, 1).await;
    let gaps = "SELECT count(*) FROM crowdsale_service.order_signer WHERE gap_since IS NOT NULL";
    until("the gap is seen", async || (shop.world.database.number(gaps).await == 1).then_some(())).await;
    // Of blocks that ask for nothing the filler would be in the next.
    block_of(&shop, 100).await;
    mine_to_fill(&shop).await;
    let first = until("it is filled", async || fillers(&shop).await.first().copied()).await;
    until("the node has it", async || (pending(&shop).await > start).then_some(())).await;
    // Blocks ask for ten times as much from now on.
    blocks_of(&shop, 2_000, 5).await;
    let raised = until("what fills it pays more", async || fillers(&shop).await.get(1).copied()).await;
    assert!(raised >= U256::from(2_000 * GWEI) && raised > first, "{first} {raised}");
    assert_eq!(nonce(&shop).await, start, "none of these blocks took the first");
    // The order behind it is signed again too, and both are in one block.
    is_signed_again(&shop, &desk, id(&order), 2).await;
    until("the node has the one that pays more", async || {
        let query = "SELECT '0x' || encode(hash, 'hex') FROM crowdsale_service.order_transaction
                     WHERE purpose = 'filler' ORDER BY position DESC LIMIT 1";
        let hash: B256 = shop.world.database.texts(query).await[0].parse().unwrap();
        shop.world.chain.provider.get_transaction_by_hash(hash).await.unwrap()
    })
    .await;
    block_of(&shop, 2_000).await;
    is_included(&shop, &desk, id(&order), 0, ether("1")).await;
    assert_eq!(nonce(&shop).await, start + 2, "one for the gap, one for the order");
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'order.gap_filled'";
    assert_eq!(shop.world.database.number(noted).await, 1, "noted once, however often it is signed");
}

/// Blocks that take nothing of a cheap one, until the gap has been there for long enough.
async fn mine_to_fill(shop: &Shop) {
    blocks_of(shop, 100, 5).await;
}

async fn pending(shop: &Shop) -> u64 {
    shop.world.chain.provider.get_transaction_count(shop.signer()).pending().await.unwrap()
}

#[tokio::test]
async fn a_foreign_transaction_that_is_never_included_is_replaced_after_patience() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-patience".to_owned(), "8".to_owned()];
    foreign(&shop).await;
    let start = nonce(&shop).await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    assert_eq!(order["nonce"], start + 1);
    block_of(&shop, 100).await;
    let since = "SELECT gap_since::text FROM crowdsale_service.order_signer WHERE gap_since IS NOT NULL";
    let since =
        until("the gap is seen", async || shop.world.database.texts(since).await.first()?.parse::<u64>().ok()).await;
    // anvil forgets at times what pays too little; what a node forgot may be replaced after five blocks, and not before.
    while shop.world.chain.provider.get_block_number().await.unwrap() < since + 4 {
        block_of(&shop, 100).await;
    }
    is_looked_at(&shop).await;
    assert!(fillers(&shop).await.is_empty(), "it may be included yet");
    blocks_of(&shop, 100, 4).await;
    until("it is replaced", async || fillers(&shop).await.first().copied()).await;
    // The order had nothing to answer for, and goes on.
    is_signed_again(&shop, &desk, id(&order), 2).await;
    let filler = "SELECT '0x' || encode(hash, 'hex') FROM crowdsale_service.order_transaction WHERE purpose = 'filler'";
    let filler: B256 = shop.world.database.texts(filler).await[0].parse().unwrap();
    until("the node has it", async || shop.world.chain.provider.get_transaction_by_hash(filler).await.unwrap()).await;
    block_of(&shop, 100).await;
    is_included(&shop, &desk, id(&order), 0, ether("1")).await;
    assert_eq!((nonce(&shop).await, &desk.order(id(&order)).await["given_up"]), (start + 2, &Value::Null));
}

#[tokio::test]
async fn an_order_that_the_market_outran_makes_way_for_those_behind_it() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-cap-patience".to_owned(), "7".to_owned()];
    let desk = shop.start().await;
    let start = nonce(&shop).await;
    block_of(&shop, 10).await;
    let mut capped = shop.body(0, ether("1"));
    capped["max_fee_per_gas"] = json!((25 * GWEI).to_string());
    let first = desk.take("/v1/orders", "capped", &capped).await;
    desk.reaches(id(&first), "pending").await;
    let seen = "SELECT count(*) FROM crowdsale_service.sale_order WHERE first_since IS NOT NULL";
    until("it is next in line", async || (shop.world.database.number(seen).await == 1).then_some(())).await;
    // Alone it holds up nobody, and may wait for cheaper blocks.
    blocks_of(&shop, 100, 8).await;
    is_looked_at(&shop).await;
    let alone = desk.order(id(&first)).await;
    assert_eq!((&alone["state"], &alone["cancelling"]), (&json!("pending"), &json!(false)));

    let mut behind = Vec::new();
    for investor in [1, 2] {
        let key = format!("behind {investor}");
        behind.push(desk.take("/v1/orders", &key, &shop.body(investor, ether("1"))).await);
    }
    until("it is being cancelled", async || (desk.order(id(&first)).await["cancelling"] == true).then_some(())).await;
    let text = desk.order(id(&first)).await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("being cancelled") && text.contains("max_fee_per_gas"), "{text}");
    let transactions = desk.order(id(&first)).await["transactions"].as_array().unwrap().len();
    is_signed_again(&shop, &desk, id(&first), transactions).await;
    for order in &behind {
        desk.reaches(id(order), "pending").await;
    }
    block_of(&shop, 100).await;
    let cancelled = desk.reaches(id(&first), "cancelled").await;
    assert_eq!(cancelled["given_up"], "fee_cap");
    let text = cancelled["text"].as_str().unwrap();
    assert_eq!(cancelled["settled"], false, "a reorg can still bring the original");
    assert!(text.contains("nothing was contributed") && text.contains("wait until `settled` is true"), "{text}");
    assert!(history(&cancelled).contains(&"cancelling"), "{cancelled}");
    // A pool may give a block what waits for another transaction only with the next.
    block_of(&shop, 100).await;
    for order in &behind {
        desk.reaches(id(order), "included").await;
    }
    mine(&shop.world, 6).await;
    for (investor, order) in behind.iter().enumerate() {
        is_final(&shop, &desk, id(order), investor + 1, ether("1")).await;
    }
    until("it is over", async || (desk.order(id(&first)).await["settled"] == true).then_some(())).await;
    assert!(shop.contributed(0).await.is_empty());
    assert_eq!(nonce(&shop).await, start + 3, "three orders, three nonces");
    let noted = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'order.given_up'";
    assert_eq!(shop.world.database.number(noted).await, 1);
}

#[tokio::test]
async fn a_key_never_orders_more_in_a_day_than_it_may_however_many_ask_at_once() {
    let mut shop = Shop::open().await;
    let most = ether("10");
    shop.flags.more = vec!["--order-day-max".to_owned(), format!("eth={most}")];
    // Two services, which have nothing in common but the database.
    let desks = [shop.start().await, shop.start().await];
    let half = ether("0.5");
    let all = (0..200).map(|n| desks[n % 2].post("/v1/orders", &format!("at once {n}"), &shop.body(n % 8, half)));
    let mut taken = Vec::new();
    for answer in futures::future::join_all(all).await {
        let (status, answer, _) = answer.unwrap();
        match status {
            201 => taken.push(answer["data"]["id"].as_str().unwrap().to_owned()),
            429 => {
                assert_eq!(answer["code"], "order_limit_reached");
                assert_eq!(answer["errors"][0]["pointer"], "/body/amount");
            }
            // No connection was free for so many.
            status => assert_eq!((status, &answer["code"]), (503, &json!("database_unavailable")), "{answer}"),
        }
    }
    assert!(taken.len() <= 20, "{}", taken.len());
    let sum = "SELECT (sum(amount) / 500000000000000000)::bigint FROM crowdsale_service.sale_order";
    assert_eq!(shop.world.database.number(sum).await, i64::try_from(taken.len()).unwrap());
    // What is left of it, and no more.
    for n in taken.len()..20 {
        // Of all investors, so that none has more than the sale takes of one.
        taken.push(id(&desks[0].take("/v1/orders", &format!("rest {n}"), &shop.body(n % 8, half)).await).to_owned());
    }
    let (status, code, detail) = desks[1].refused("/v1/orders", "full", &shop.body(0, U256::from(1))).await;
    assert_eq!((status, code.as_str()), (429, "order_limit_reached"));
    assert!(detail.contains(&format!("{most} base units")) && detail.contains("0 of them are left"), "{detail}");
    let (status, code, detail) = desks[1].refused("/v1/orders", "never", &shop.body(0, most + U256::from(1))).await;
    assert_eq!((status, code.as_str()), (422, "invalid_body"), "{detail}");

    // Another key has a day of its own.
    let other = DeskFlags { secret: api_key(&shop.world.database, &[Scope::OrdersWrite]).await, ..shop.flags.clone() };
    let other = Desk::start(&other).await;
    other.take("/v1/orders", "another's", &shop.body(0, half)).await;
    // One that is cancelled for good was not spent.
    let last = desks[0].order(&taken[19]).await;
    desks[0].take(&format!("/v1/orders/{}/cancel", id(&last)), "cancel", &json!({})).await;
    let (status, ..) = desks[1].refused("/v1/orders", "not yet", &shop.body(0, half)).await;
    assert_eq!(status, 429, "it may be included yet");
    is_signed_again(&shop, &desks[0], id(&last), 2).await;
    mine(&shop.world, 1).await;
    desks[0].reaches(id(&last), "cancelled").await;
    mine(&shop.world, 6).await;
    until("it is over", async || (desks[0].order(id(&last)).await["settled"] == true).then_some(())).await;
    let failed = "SELECT coalesce(detail, '') FROM crowdsale_service.sale_order WHERE state = 'failed'";
    assert_eq!(shop.world.database.texts(failed).await, Vec::<String>::new(), "what fails frees room too");
    desks[1].take("/v1/orders", "room", &shop.body(0, half)).await;
    assert_eq!(desks[1].refused("/v1/orders", "full again", &shop.body(0, half)).await.0, 429);
    // By the database's clock, so that two services agree.
    let shift = "WITH old AS (UPDATE crowdsale_service.sale_order SET created_at = created_at - interval '24 hours' RETURNING 1)
                 SELECT count(*) FROM old";
    assert_eq!(shop.world.database.number(shift).await, 22);
    desks[0].take("/v1/orders", "tomorrow", &shop.body(0, half)).await;
}

#[tokio::test]
async fn orders_go_to_the_sales_that_the_operator_has_named() {
    let mut shop = Shop::open().await;
    let other = shop.world.open_sale().await;
    mine(&shop.world, 1).await;
    until("both sales are indexed", async || {
        (shop.world.database.number("SELECT count(*) FROM crowdsale.sale").await == 2).then_some(())
    })
    .await;
    shop.flags.more = vec!["--order-sale".to_owned(), format!("31337:{}", shop.sale.address)];
    let desk = shop.start().await;
    let mut elsewhere = shop.body(0, ether("1"));
    elsewhere["sale"] = json!(other.address.to_string());
    let (status, answer, _) = desk.post("/v1/orders", "elsewhere", &elsewhere).await.unwrap();
    assert_eq!((status, &answer["code"]), (403, &json!("sale_not_allowed")), "{answer}");
    assert_eq!(answer["errors"][0]["pointer"], "/body/sale");
    assert!(answer["detail"].as_str().unwrap().contains("--order-sale"), "{answer}");
    // What a customer has signed is the customer's money.
    let customer = shop.world.investor(3);
    let provider = &shop.world.chain.provider;
    let transfer = TxEip1559 {
        to: TxKind::Call(other.address),
        ..raw(provider.get_transaction_count(customer).await.unwrap(), &shop)
    };
    let order = desk.take("/v1/orders", "own money", &signed(DEV_ACCOUNTS[6], transfer).0).await;
    let named = desk.take("/v1/orders", "named", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&order), "pending").await;
    desk.reaches(id(&named), "pending").await;
    mine(&shop.world, 1).await;
    is_included(&shop, &desk, id(&named), 0, ether("1")).await;
    desk.reaches(id(&order), "final").await;
}

/// A contribution that a customer signs.
pub fn raw(nonce: u64, shop: &Shop) -> TxEip1559 {
    TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: 1_000,
        max_priority_fee_per_gas: 1_000,
        to: TxKind::Call(shop.sale.address),
        value: ether("0.25"),
        ..TxEip1559::default()
    }
}

/// The order of it, its bytes and its hash.
pub fn signed(key: B256, transaction: TxEip1559) -> (Value, String, B256) {
    let key = PrivateKeySigner::from_bytes(&key).unwrap();
    let signature = key.sign_hash_sync(&transaction.signature_hash()).unwrap();
    let signed = transaction.into_signed(signature);
    let bytes = hex::encode_prefixed(signed.encoded_2718());
    (json!({"chain": 31_337, "raw_transaction": bytes}), bytes, *signed.hash())
}

#[tokio::test]
async fn a_signed_transaction_that_nobody_knows_any_more_expires_and_is_recognised_if_it_is_mined_after_all() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-expiry".to_owned(), "12".to_owned()];
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let mut placed = Vec::new();
    for investor in [0, 1] {
        let customer = shop.world.investor(investor);
        let key = DEV_ACCOUNTS[3 + investor];
        let nonce = provider.get_transaction_count(customer).await.unwrap();
        let (body, bytes, hash) = signed(key, raw(nonce, &shop));
        let order = desk.take("/v1/orders", &format!("raw {investor}"), &body).await;
        desk.reaches(id(&order), "pending").await;
        placed.push((id(&order).to_owned(), bytes, hash, nonce));
        // No node takes it while its account is empty.
        provider.anvil_set_balance(customer, U256::ZERO).await.unwrap();
        provider.anvil_drop_transaction(hash).await.unwrap();
    }
    mine(&shop.world, 1).await;
    is_looked_at(&shop).await;
    mine(&shop.world, 5).await;
    for (order, ..) in &placed {
        desk.reaches(order, "dropped").await;
    }
    mine(&shop.world, 6).await;
    is_looked_at(&shop).await;
    assert_eq!(desk.order(&placed[0].0).await["state"], "dropped", "a block is missing");
    mine(&shop.world, 1).await;
    for (order, ..) in &placed {
        let expired = desk.reaches(order, "expired").await;
        assert_eq!(expired["settled"], false, "it can be mined yet");
        let text = expired["text"].as_str().unwrap();
        assert!(text.contains("nothing was contributed") && text.contains("use its nonce for another"), "{text}");
        assert_eq!(history(&expired), ["accepted", "pending", "dropped", "expired"]);
    }
    assert_eq!(desk.get("/v1/orders?state=expired").await["data"].as_array().unwrap().len(), 2);

    // Its money is back, and the service does not send what nobody waits for.
    for investor in [0, 1] {
        provider.anvil_set_balance(shop.world.investor(investor), ether("100")).await.unwrap();
    }
    mine(&shop.world, 1).await;
    is_looked_at(&shop).await;
    assert!(provider.get_transaction_by_hash(placed[0].2).await.unwrap().is_none());
    // The one is sent by its customer after all; of the other's account another transaction is.
    let _: B256 = provider.client().request("eth_sendRawTransaction", (&placed[0].1,)).await.unwrap();
    let other = TxEip1559 { to: TxKind::Call(shop.signer()), value: U256::ONE, ..raw(placed[1].3, &shop) };
    let _: B256 =
        provider.client().request("eth_sendRawTransaction", (signed(DEV_ACCOUNTS[4], other).1,)).await.unwrap();
    mine(&shop.world, 1).await;
    is_included(&shop, &desk, &placed[0].0, 0, ether("0.25")).await;
    let replaced = desk.reaches(&placed[1].0, "replaced").await;
    assert_eq!(replaced["contributions"], json!([]));
    mine(&shop.world, 6).await;
    until("it is over", async || (desk.order(&placed[1].0).await["settled"] == true).then_some(())).await;
}

#[tokio::test]
async fn many_signed_transactions_are_looked_at_in_one_exchange_a_block() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    // One that no block takes at what these cost, and those behind it.
    block_of(&shop, 100).await;
    let mut orders = BTreeSet::new();
    for investor in 0..4 {
        let nonce = provider.get_transaction_count(shop.world.investor(investor)).await.unwrap();
        for n in 0..10 {
            let cheap = TxEip1559 { max_fee_per_gas: 200 * GWEI, max_priority_fee_per_gas: 1, ..raw(nonce + n, &shop) };
            let (body, ..) = signed(DEV_ACCOUNTS[3 + investor], cheap);
            let order = desk.take("/v1/orders", &format!("raw {investor} {n}"), &body).await;
            orders.insert(id(&order).to_owned());
        }
    }
    for order in &orders {
        desk.reaches(order, "pending").await;
    }
    block_of(&shop, 1_000).await;
    is_looked_at(&shop).await;
    let before = shop.gate.asked("eth_getTransactionByHash");
    block_of(&shop, 1_000).await;
    is_looked_at(&shop).await;
    assert_eq!(shop.gate.asked("eth_getTransactionByHash") - before, 1, "for forty of them");
    // The node has forgotten what no block took, and has it again.
    block_of(&shop, 100).await;
    is_looked_at(&shop).await;
    block_of(&shop, 100).await;
    for order in &orders {
        desk.reaches(order, "included").await;
    }
    mine(&shop.world, 6).await;
    for order in &orders {
        desk.reaches(order, "final").await;
    }
    until("all are indexed", async || (shop.contributed(0).await == vec![ether("0.25"); 10]).then_some(())).await;
}

/// The value of a metric, where there is one.
pub fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[tokio::test]
async fn one_of_several_services_follows_and_another_takes_over_when_it_is_killed() {
    let shop = Shop::open().await;
    let mut desks = vec![shop.start().await, shop.start().await, shop.start().await];
    const FOLLOWS: &str = "crowdsale_order_follower{chain_id=\"31337\"}";
    async fn leaders(desks: &[Desk]) -> Vec<usize> {
        let mut leaders = Vec::new();
        for (n, desk) in desks.iter().enumerate() {
            if value(&desk.metrics().await, FOLLOWS) == Some(1.0) {
                leaders.push(n);
            }
        }
        leaders
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                     AND (classid::bigint << 32 | objid::bigint) = hashtextextended('crowdsale orders 31337', 0)";
    let start = nonce(&shop).await;
    for round in 0..2 {
        let leader = until("one of them follows", async || {
            let leaders = leaders(&desks).await;
            assert!(leaders.len() <= 1, "{leaders:?}");
            leaders.first().copied()
        })
        .await;
        assert_eq!(shop.world.database.number(locks).await, 1);
        // Whoever is asked, the one sends it; here it dies before it has sent any more.
        let asked = (leader + 1) % desks.len();
        let key = format!("round {round}");
        let order = desks[asked].take("/v1/orders", &key, &shop.body(round, ether("1"))).await;
        drop(desks.remove(leader));
        let desk = &desks[0];
        let order = desk.reaches(id(&order), "pending").await;
        let metrics = desk.metrics().await;
        let open =
            |state: &str| value(&metrics, &format!("crowdsale_orders_open{{chain_id=\"31337\",state=\"{state}\"}}"));
        assert_eq!((open("pending"), open("final")), (Some(1.0), Some(0.0)), "{metrics}");
        mine(&shop.world, 1).await;
        is_included(&shop, desk, id(&order), round, ether("1")).await;
    }
    assert_eq!(nonce(&shop).await, start + 2, "one spend each");
    until("the last one counts the orders that it saw end", async || {
        let metrics = desks[0].metrics().await;
        (value(&metrics, "crowdsale_orders_settled_total{chain_id=\"31337\",outcome=\"final\"}")? >= 1.0).then_some(())
    })
    .await;
    mine(&shop.world, 1).await;
    until("what the account has is told", async || {
        let metrics = desks[0].metrics().await;
        let balance = value(&metrics, "crowdsale_order_signer_balance_wei{chain_id=\"31337\"}")?;
        let unmined = value(&metrics, "crowdsale_order_signer_unmined_nonces{chain_id=\"31337\"}")?;
        assert!(balance > 9_000e18 && balance < 10_000e18, "{balance}");
        assert_eq!(value(&metrics, "crowdsale_order_signer_nonce_gap{chain_id=\"31337\"}"), Some(0.0));
        assert!(!metrics.contains("0x"), "an address is no label");
        (unmined == 0.0).then_some(())
    })
    .await;
}
