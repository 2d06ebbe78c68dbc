//! Vouchers of the KYC desk: the real sale takes them.

use alloy::primitives::Address;
use e2e::{World, ether};
use serde_json::{Value, json};

use crate::orders::{SIGNER, Shop, id};

async fn shop(signer: usize) -> Shop {
    let world = World::new(2).await;
    let signer = world.chain.account(signer);
    Shop::on(world, |draft| {
        draft.terms.signer = signer;
        for phase in &mut draft.terms.phases {
            phase.gate = 1;
        }
    })
    .await
}

fn voucher(investor: Address, deadline: u64) -> Value {
    let deadline = format!("2030-03-{:02}T00:00:00Z", deadline);
    json!({"investor": investor.to_string(), "max_paid": ether("2").to_string(), "phases": [0, 1], "deadline": deadline,
           "kyc_reference": "case 4711"})
}

#[tokio::test]
async fn a_voucher_of_the_desk_is_what_the_sale_asks_for() {
    let shop = shop(SIGNER).await;
    let desk = shop.start().await;
    let investor = shop.world.investor(0);
    let (status, code, detail) = desk.refused("/v1/orders", "none", &shop.body(0, ether("1"))).await;
    assert_eq!((status, code.as_str()), (422, "order_refused"), "{detail}");
    assert!(detail.contains("holders of a voucher"), "{detail}");

    // The chain began on 2030-03-17, and the sale ends four days later.
    let path = format!("/v1/sales/31337/{}/vouchers", shop.sale.address);
    let body = voucher(investor, 19);
    let issued = desk.take(&path, "one", &body).await;
    assert_eq!((&issued["epoch"], &issued["is_current"]), (&json!("0"), &json!(true)));
    assert_eq!(issued["signer"], shop.signer().to_string());
    assert_eq!(desk.take(&path, "one", &body).await, issued);

    let mut order = shop.body(0, ether("1"));
    order["eligibility"] = issued["eligibility"].clone();
    let order = desk.take("/v1/orders", "with it", &order).await;
    shop.settles(&desk, id(&order), 0, ether("1")).await;
    // It is the investor's own, and its limit holds.
    for (key, investor, amount) in [("another's", 1, "1"), ("too much", 0, "1.5")] {
        let mut order = shop.body(investor, ether(amount));
        order["eligibility"] = issued["eligibility"].clone();
        assert_eq!(desk.refused("/v1/orders", key, &order).await.1, "order_refused", "{key}");
    }

    let list = desk.get(&path).await;
    assert_eq!(list["data"], json!([issued]));
    assert_eq!(list["data"][0]["kyc_reference"], "case 4711");
    let texts =
        shop.world.database.texts("SELECT encode(kyc_reference_sealed, 'escape') FROM crowdsale_service.voucher");
    assert!(texts.await.iter().all(|sealed| !sealed.contains("4711")));
}

#[tokio::test]
async fn another_signers_sale_is_not_signed_for() {
    let shop = shop(8).await;
    let desk = shop.start().await;
    let path = format!("/v1/sales/31337/{}/vouchers", shop.sale.address);
    let (status, code, detail) = desk.refused(&path, "one", &voucher(shop.world.investor(0), 19)).await;
    assert_eq!((status, code.as_str()), (409, "signer_mismatch"));
    assert!(detail.contains(&shop.signer().to_string()) && detail.contains("setVoucherSigner"), "{detail}");
    assert_eq!(shop.world.database.number("SELECT count(*) FROM crowdsale_service.voucher").await, 0);
}
