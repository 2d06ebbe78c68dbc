//! Vouchers of the KYC desk: the real sale takes them.

use std::fs;

use alloy::{hex, primitives::Address};
use crowdsale::{config::DEV_ACCOUNTS, contracts::FixedPriceSale};
use e2e::{Call, World, ether, until};
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

#[tokio::test]
async fn a_signer_is_replaced_and_nobody_is_without_a_voucher() {
    let mut shop = shop(SIGNER).await;
    let folder = tempfile::tempdir().unwrap();
    let [file, fresh] = ["kyc.key", "fresh"].map(|name| folder.path().join(name));
    fs::write(&file, hex::encode(DEV_ACCOUNTS[SIGNER])).unwrap();
    shop.flags.more = vec!["--voucher-signer-file".to_owned(), file.to_str().unwrap().to_owned()];
    let desk = shop.start().await;
    let path = format!("/v1/sales/31337/{}/vouchers", shop.sale.address);
    let by = |investor: usize| voucher(shop.world.investor(investor), 19);
    let [first, second] = [desk.take(&path, "first", &by(0)).await, desk.take(&path, "second", &by(1)).await];
    assert_eq!(first["signer"], shop.signer().to_string());

    let next = shop.world.chain.account(8);
    let mut body = by(1);
    body["ahead"] = json!(true);
    assert_eq!(desk.refused(&path, "nobody to go ahead to", &body).await.1, "signer_mismatch");
    fs::write(&fresh, hex::encode(DEV_ACCOUNTS[8])).unwrap();
    fs::rename(&fresh, &file).unwrap();
    let replaced = "SELECT count(*) FROM crowdsale_service.audit WHERE act = 'voucher.signer_replaced'";
    until("the new key is taken up", async || (shop.world.database.number(replaced).await == 1).then_some(())).await;
    let ahead = desk.take(&path, "ahead", &body).await;
    assert_eq!(ahead["signer"], next.to_string());
    assert_eq!((&ahead["epoch"], &ahead["is_current"]), (&json!("1"), &json!(false)));

    // What was signed before is good as long as the sale names the old signer, and so is what is signed now; what is ahead is not yet.
    let with = |investor: usize, voucher: &Value| {
        let mut order = shop.body(investor, ether("1"));
        order["eligibility"] = voucher["eligibility"].clone();
        order
    };
    assert_eq!(desk.refused("/v1/orders", "too early", &with(1, &ahead)).await.1, "order_refused");
    assert_eq!(desk.take(&path, "third", &by(0)).await["signer"], shop.signer().to_string());
    let order = desk.take("/v1/orders", "before", &with(0, &first)).await;
    shop.settles(&desk, id(&order), 0, ether("1")).await;

    let named = FixedPriceSale::setVoucherSignerCall { signer: next };
    let receipts = shop.world.chain.mine([Call::to(shop.sale.terms.owner, shop.sale.address, &named)]).await;
    assert!(receipts[0].status());
    until("what was signed ahead counts", async || {
        let list = desk.get(&path).await;
        list["data"].as_array()?.iter().any(|one| one["id"] == ahead["id"] && one["is_current"] == true).then_some(())
    })
    .await;
    assert_eq!(desk.refused("/v1/orders", "void", &with(1, &second)).await.1, "order_refused");
    let order = desk.take("/v1/orders", "after", &with(1, &ahead)).await;
    shop.settles(&desk, id(&order), 1, ether("1")).await;
    let now = desk.take(&path, "now", &by(0)).await;
    assert_eq!((&now["signer"], &now["is_current"]), (&json!(next.to_string()), &json!(true)));
}
