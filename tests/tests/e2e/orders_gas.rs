//! The gas that an order is given, when it is included in another state than it was placed in.

use e2e::{ether, until};
use serde_json::json;

use crate::{
    orders::{Shop, id, mine},
    orders_line::is_signed_again,
};

/// The second order of an investor is placed while the first is in the pool, and takes less gas behind it. Then the first is cancelled, and
/// the second is the first that the sale and the investor see.
#[tokio::test]
async fn an_order_does_what_it_is_to_do_when_the_one_before_it_is_cancelled() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let first = desk.take("/v1/orders", "first", &shop.body(0, ether("1"))).await;
    desk.reaches(id(&first), "pending").await;
    let second = desk.take("/v1/orders", "second", &shop.body(0, ether("2"))).await;
    desk.reaches(id(&second), "pending").await;
    desk.take(&format!("/v1/orders/{}/cancel", id(&first)), "cancel", &json!({})).await;
    is_signed_again(&shop, &desk, id(&first), 2).await;
    mine(&shop.world, 1).await;
    desk.reaches(id(&first), "cancelled").await;
    let order = until("the second is in the same block", async || {
        let order = desk.order(id(&second)).await;
        (!order["block"].is_null()).then_some(order)
    })
    .await;
    assert_eq!(order["state"], "included", "{order}");
    mine(&shop.world, 6).await;
    desk.reaches(id(&second), "final").await;
    until("its one contribution is indexed", async || (shop.contributed(0).await == [ether("2")]).then_some(())).await;
}
