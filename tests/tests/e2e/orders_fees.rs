//! What the operator's signer pays for a unit of gas has an end, whatever blocks ask for and nodes say.

use alloy::{primitives::B256, providers::Provider};
use e2e::{ether, until};
use serde_json::{Value, json};

use crate::{
    orders::{Shop, id, mine},
    orders_line::{block_of, blocks_of, is_looked_at, is_signed_again, newest, value},
};

const LIMIT: &str = "90000000000";
/// Eight ninths of one wei less: an eighth of it, rounded up, and one more are the limit.
const OF_ORDER: &str = "79999999999";

/// Where nothing pays more than 90 gwei.
async fn shop() -> Shop {
    let mut shop = Shop::open().await;
    shop.flags.more = ["--order-max-fee", "90", "--order-patience", "8"].map(str::to_owned).to_vec();
    shop
}

fn fee(order: &Value, at: usize) -> &Value {
    &order["transactions"][at]["max_fee_per_gas"]
}

/// What was written of orders and nonces.
async fn written(shop: &Shop) -> (i64, i64) {
    let nonces = "SELECT coalesce(sum(next_nonce), 0)::bigint FROM crowdsale_service.order_signer";
    let orders = "SELECT count(*) FROM crowdsale_service.sale_order";
    (shop.world.database.number(orders).await, shop.world.database.number(nonces).await)
}

async fn node_has(shop: &Shop, hash: B256) {
    until("the node has it", async || shop.world.chain.provider.get_transaction_by_hash(hash).await.unwrap()).await;
}

#[tokio::test]
async fn an_order_waits_while_blocks_ask_for_more_than_the_operator_pays() {
    let shop = shop().await;
    let desk = shop.start().await;
    // The next asks for 52.5 gwei, and an order would pay twice that.
    block_of(&shop, 60).await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    assert_eq!(fee(&order, 0), OF_ORDER);
    desk.reaches(id(&order), "pending").await;
    let path = format!("/v1/orders/{}/speed-up", id(&order));
    let (status, code, detail) = desk.refused(&path, "faster", &json!({})).await;
    assert_eq!((status, code.as_str()), (409, "order_not_open"));
    assert!(detail.contains("the operator's limit"), "{detail}");

    block_of(&shop, 200).await;
    let before = written(&shop).await;
    let (status, code, detail) = desk.refused("/v1/orders", "dear", &shop.body(1, ether("1"))).await;
    assert_eq!((status, code.as_str()), (503, "fees_above_limit"));
    assert!(detail.contains(&format!("{OF_ORDER} at most: try again in ")), "{detail}");
    assert!(detail.contains("--order-max-fee"), "{detail}");
    assert_eq!(written(&shop).await, before, "a refusal leaves nothing");
    // Longer than its patience, and than any node has it.
    blocks_of(&shop, 200, 10).await;
    is_looked_at(&shop).await;
    let waiting = desk.order(id(&order)).await;
    assert_eq!((&waiting["state"], &waiting["cancelling"]), (&json!("pending"), &json!(false)));
    assert_eq!((waiting["transactions"].as_array().unwrap().len(), &waiting["given_up"]), (1, &Value::Null));
    let text = waiting["text"].as_str().unwrap();
    assert!(text.starts_with("It waits, and is not given up: blocks ask for more"), "{text}");
    // Written later in the same step.
    until("the metric says what blocks ask for", async || {
        let metrics = desk.metrics().await;
        let of_chain = |name: &str| value(&metrics, &format!("{name}{{chain_id=\"31337\"}}"));
        let (limit, asked) = (of_chain("crowdsale_order_fee_limit_wei")?, of_chain("crowdsale_order_fee_asked_wei")?);
        (limit == 79_999_999_999.0 && asked >= 175e9).then_some(())
    })
    .await;

    // It goes on by itself, and the one that was refused is taken with the same key.
    block_of(&shop, 50).await;
    let taken = desk.take("/v1/orders", "dear", &shop.body(1, ether("1"))).await;
    for order in [&order, &taken] {
        node_has(&shop, newest(order)).await;
    }
    desk.reaches(id(&taken), "pending").await;
    // A pool may give a block what waits for another transaction only with the next.
    mine(&shop.world, 2).await;
    for order in [&order, &taken] {
        desk.reaches(id(order), "included").await;
    }
    mine(&shop.world, 6).await;
    for (investor, order) in [&order, &taken].into_iter().enumerate() {
        desk.reaches(id(order), "final").await;
        until("it is indexed", async || (shop.contributed(investor).await == [ether("1")]).then_some(())).await;
    }
}

#[tokio::test]
async fn an_order_that_pays_all_it_may_can_be_cancelled_within_the_limit() {
    let shop = shop().await;
    let desk = shop.start().await;
    block_of(&shop, 60).await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    assert_eq!(fee(&order, 0), OF_ORDER);
    let cancelling = desk.take(&format!("/v1/orders/{}/cancel", id(&order)), "cancel", &json!({})).await;
    assert_eq!(fee(&cancelling, 1), LIMIT);
    is_signed_again(&shop, &desk, id(&order), 2).await;
    mine(&shop.world, 1).await;
    desk.reaches(id(&order), "cancelled").await;
    mine(&shop.world, 6).await;
    until("it is over", async || (desk.order(id(&order)).await["settled"] == true).then_some(())).await;
    assert!(shop.contributed(0).await.is_empty());
}

#[tokio::test]
async fn a_node_that_lies_about_fees_cannot_spend_the_account() {
    let shop = shop().await;
    let desk = shop.start().await;
    let order = desk.take("/v1/orders", "one", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&order), "pending").await;
    // Five thousand gwei for whoever includes it.
    shop.gate.say(Some(("eth_maxPriorityFeePerGas", json!("0x48c27395000"))));
    let before = written(&shop).await;
    let (status, code, detail) = desk.refused("/v1/orders", "lie", &shop.body(1, ether("1"))).await;
    assert_eq!((status, code.as_str()), (503, "fees_above_limit"), "{detail}");
    assert_eq!(written(&shop).await, before);
    // Asked for, it is raised to no more than four times what is said, and the limit.
    let path = format!("/v1/orders/{}/speed-up", id(&order));
    let faster = desk.take(&path, "faster", &json!({})).await;
    assert_eq!(fee(&faster, 1), OF_ORDER);
    let cancelling = desk.take(&format!("/v1/orders/{}/cancel", id(&order)), "cancel", &json!({})).await;
    assert_eq!(fee(&cancelling, 2), LIMIT);
    let most = "SELECT max(max_fee)::text FROM crowdsale_service.order_transaction";
    assert_eq!(shop.world.database.texts(most).await, [LIMIT]);
    shop.gate.say(None);
}
