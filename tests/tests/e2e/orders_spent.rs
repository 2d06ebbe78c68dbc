//! Orders whose nonce something uses that no receipt shows.

use alloy::{
    consensus::{SignableTransaction as _, TxEip1559, TxEip7702},
    eips::{
        eip2718::Encodable2718 as _,
        eip7702::{Authorization, SignedAuthorization},
    },
    hex,
    primitives::{Address, B256, TxKind, U256},
    providers::Provider,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use crowdsale::config::DEV_ACCOUNTS;
use e2e::{Chain, Desk, World, ether, history, until};
use serde_json::{Value, json};

use crate::{
    orders::{SIGNER, Shop, id, mine},
    orders_line::{GWEI, block_of, is_looked_at, newest, raw, signed, value},
};

fn key(account: usize) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&DEV_ACCOUNTS[account]).unwrap()
}

/// A transaction of somebody who has nothing to do with orders. It carries authorizations of these accounts, each of which uses a nonce,
/// and is in the pool.
async fn authorize(shop: &Shop, accounts: &[usize]) {
    const SOMEBODY: usize = 2;
    let provider = &shop.world.chain.provider;
    let nonce = async |account: usize| provider.get_transaction_count(shop.world.chain.account(account)).await.unwrap();
    let mut authorization_list: Vec<SignedAuthorization> = Vec::new();
    for account in accounts {
        let chain_id = U256::from(31_337);
        let authorization = Authorization { chain_id, address: Address::ZERO, nonce: nonce(*account).await };
        let signature = key(*account).sign_hash_sync(&authorization.signature_hash()).unwrap();
        authorization_list.push(authorization.into_signed(signature));
    }
    let transaction = TxEip7702 {
        chain_id: 31_337,
        nonce: nonce(SOMEBODY).await,
        gas_limit: 500_000,
        max_fee_per_gas: 1_000 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: shop.world.chain.account(SOMEBODY),
        authorization_list,
        ..TxEip7702::default()
    };
    let signature = key(SOMEBODY).sign_hash_sync(&transaction.signature_hash()).unwrap();
    let bytes = hex::encode_prefixed(transaction.into_signed(signature).encoded_2718());
    let _: B256 = provider.client().request("eth_sendRawTransaction", (bytes,)).await.unwrap();
}

/// Waits until an order says that its nonce is used, and nobody knows by what.
async fn is_spent(desk: &Desk, order: &str) -> Value {
    until("its nonce is seen to be used", async || {
        let order = desk.order(order).await;
        order["text"].as_str()?.starts_with("Its nonce is used").then_some(order)
    })
    .await
}

fn assert_ended(order: &Value) {
    assert_eq!(
        (&order["settled"], &order["transaction_hash"], &order["block"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    assert_eq!(order["contributions"], json!([]));
    let text = order["text"].as_str().unwrap();
    assert!(text.contains("in a way that is not known") && text.contains("before you place it again"), "{text}");
    let last = order["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["state"], &last["transaction_hash"]), (&json!("replaced"), &Value::Null));
    assert!(last["detail"].as_str().unwrap().contains("by no transaction that is known"), "{last}");
}

#[tokio::test]
async fn an_order_whose_nonce_an_authorization_has_used_ends_once_that_is_final() {
    let mut shop = Shop::open().await;
    shop.flags.more = vec!["--order-day-max".to_owned(), format!("eth={}", ether("2.5"))];
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let own = desk.take("/v1/orders", "own", &shop.body(0, ether("1"))).await;
    // Account 4 is investor 1.
    let nonce = provider.get_transaction_count(shop.world.investor(1)).await.unwrap();
    let customers = desk.take("/v1/orders", "customer's", &signed(DEV_ACCOUNTS[4], raw(nonce, &shop)).0).await;
    for order in [&own, &customers] {
        desk.reaches(id(order), "pending").await;
    }
    // What the orders pay is too little for this block.
    authorize(&shop, &[SIGNER, 4]).await;
    block_of(&shop, 100).await;
    let used = provider.get_block_number().await.unwrap();
    for order in [&own, &customers] {
        let order = is_spent(&desk, id(order)).await;
        assert_eq!((&order["settled"], history(&order).contains(&"replaced")), (&json!(false), false));
    }
    // Four blocks below the head are final.
    mine(&shop.world, 3).await;
    is_looked_at(&shop).await;
    // Those behind them go on. That one is sent is of a step after the one that has looked at this block and searched at it.
    let next = desk.take("/v1/orders", "next", &shop.body(2, ether("1"))).await;
    assert_eq!(next["nonce"], own["nonce"].as_u64().unwrap() + 1);
    desk.reaches(id(&next), "pending").await;
    for order in [&own, &customers] {
        assert_eq!(desk.order(id(order)).await["settled"], false, "a block is missing");
    }
    mine(&shop.world, 1).await;
    for order in [&own, &customers] {
        let order = desk.reaches(id(order), "replaced").await;
        assert_ended(&order);
        assert_eq!(order["history"].as_array().unwrap().last().unwrap()["block_number"], used);
    }
    assert!(shop.contributed(0).await.is_empty() && shop.contributed(1).await.is_empty());
    let series = "crowdsale_orders_settled_total{chain_id=\"31337\",outcome=\"replaced\"}";
    assert_eq!(value(&desk.metrics().await, series), Some(2.0));

    mine(&shop.world, 5).await;
    desk.reaches(id(&next), "final").await;
    // What became of its money nobody knows, so it counts as ordered.
    assert_eq!(desk.refused("/v1/orders", "full", &shop.body(3, ether("1"))).await.0, 429);
}

#[tokio::test]
async fn a_reorg_that_takes_back_what_used_an_orders_nonce_brings_the_order_back() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&order), "pending").await;
    authorize(&shop, &[SIGNER]).await;
    block_of(&shop, 100).await;
    is_spent(&desk, id(&order)).await;
    mine(&shop.world, 2).await;
    is_looked_at(&shop).await;
    shop.world.chain.rollback(3).await;
    // anvil still asks for what its next block would have asked for.
    block_of(&shop, 0).await;
    until("the nonce is unused again, and the node has the order", async || {
        let order = desk.order(id(&order)).await;
        let is_back = !order["text"].as_str()?.starts_with("Its nonce is used");
        (is_back && provider.get_transaction_by_hash(newest(&order)).await.unwrap().is_some()).then_some(())
    })
    .await;
    let order = shop.settles(&desk, id(&order), 0, ether("1")).await;
    assert!(!history(&order).contains(&"replaced"), "{order}");
}

/// A node that keeps no state but the head's, as many keep that of some blocks alone.
#[tokio::test]
async fn an_order_ends_although_the_node_has_forgotten_what_used_its_nonce() {
    let shop = Shop::on(World::on(Chain::start_large(2).await).await, |_| {}).await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    let customer = shop.world.investor(0);
    let nonce = provider.get_transaction_count(customer).await.unwrap();
    let order = desk.take("/v1/orders", "one", &signed(DEV_ACCOUNTS[3], raw(nonce, &shop)).0).await;
    desk.reaches(id(&order), "pending").await;
    desk.kill();
    // Its sender uses the nonce otherwise while nobody looks.
    let other = TxEip1559 {
        to: TxKind::Call(customer),
        value: U256::ONE,
        max_fee_per_gas: 2_000,
        max_priority_fee_per_gas: 2_000,
        ..raw(nonce, &shop)
    };
    let other = signed(DEV_ACCOUNTS[3], other).1;
    let _: B256 = provider.client().request("eth_sendRawTransaction", (other,)).await.unwrap();
    mine(&shop.world, 4).await;
    let head = provider.get_block_number().await.unwrap();
    let state = provider.get_transaction_count(customer).number(head - 2).await;
    assert!(state.is_err(), "the node has forgotten it: {state:?}");

    let desk = shop.start().await;
    is_spent(&desk, id(&order)).await;
    // It holds up no other.
    let next = desk.take("/v1/orders", "two", &shop.body(1, ether("1"))).await;
    shop.settles(&desk, id(&next), 1, ether("1")).await;
    assert_ended(&desk.reaches(id(&order), "replaced").await);
}

/// Nor does such a node keep receipts. What the order contributed is indexed.
#[tokio::test]
async fn an_order_that_paid_is_final_although_the_node_has_forgotten_its_receipt() {
    let shop = Shop::on(World::on(Chain::start_large(2).await).await, |_| {}).await;
    let desk = shop.start().await;
    let nonce = shop.world.chain.provider.get_transaction_count(shop.world.investor(0)).await.unwrap();
    let customers = desk.take("/v1/orders", "one", &signed(DEV_ACCOUNTS[3], raw(nonce, &shop)).0).await;
    let own = desk.take("/v1/orders", "two", &shop.body(1, ether("1"))).await;
    for order in [&own, &customers] {
        desk.reaches(id(order), "pending").await;
    }
    // One is seen in its block before the node forgets it, the other never.
    shop.gate.forget(&newest(&customers).to_string());
    mine(&shop.world, 1).await;
    desk.reaches(id(&own), "included").await;
    shop.gate.forget(&newest(&own).to_string());
    desk.kill();
    mine(&shop.world, 3).await;
    for investor in [0, 1] {
        until("it is indexed", async || (!shop.contributed(investor).await.is_empty()).then_some(())).await;
    }
    let desk = shop.start().await;
    mine(&shop.world, 6).await;
    for order in [&own, &customers] {
        let order = desk.reaches(id(order), "final").await;
        assert_eq!((&order["settled"], &order["transaction_hash"]), (&json!(true), &json!(newest(&order).to_string())));
        assert_eq!(
            (order["contributions"].as_array().unwrap().len(), history(&order).contains(&"replaced")),
            (1, false)
        );
    }
}
