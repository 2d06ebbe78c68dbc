//! Wallets that sign in, where they are contracts, and what is theirs alone.

use alloy::{
    hex,
    primitives::{Address, B256, U256, address, bytes, eip191_hash_message},
    providers::ext::AnvilApi,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use e2e::{Desk, World, ether};
use serde_json::{Value, json};

use crate::orders::{SIGNER, Shop};

/// A contract that takes a hash as signed whose storage slot says so, whatever the signature (ERC-1271).
const CONTRACT: Address = address!("0x00000000000000000000000000000000000c0de5");

async fn message(desk: &Desk, wallet: Address) -> String {
    let nonce = desk.get("/v1/sessions/nonce").await["data"]["nonce"].as_str().unwrap().to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let issued = crowdsale::api::shapes::Time::from_unix(now as i64);
    format!(
        "localhost wants you to sign in with your Ethereum account:\n{wallet}\n\n\nURI: http://localhost/\nVersion: 1\nChain ID: 31337\nNonce: {nonce}\nIssued At: {issued}"
    )
}

fn body(message: &str, signature: &[u8]) -> Value {
    json!({"message": message, "signature": format!("0x{}", hex::encode(signature))})
}

#[tokio::test]
async fn a_contract_signs_in_where_it_says_so_itself() {
    let shop = Shop::open().await;
    let desk = shop.start().await;
    let provider = &shop.world.chain.provider;
    // calldataload(4); sload; times the selector of isValidSignature, left in its word; return it.
    let code = bytes!("0x600435 54 631626ba7e 60e01b 02 600052 60206000f3");
    provider.anvil_set_code(CONTRACT, code).await.unwrap();
    let text = message(&desk, CONTRACT).await;
    let signed = body(&text, b"two of three owners");
    let (status, code, detail) = desk.refused("/v1/sessions", "early", &signed).await;
    assert_eq!((status, code.as_str()), (401, "sign_in_refused"), "{detail}");

    let hash = eip191_hash_message(&text);
    provider.anvil_set_storage_at(CONTRACT, U256::from_be_bytes(hash.0), B256::with_last_byte(1)).await.unwrap();
    let (status, answer, _) = desk.post("/v1/sessions", "now", &signed).await.unwrap();
    assert_eq!((status, answer["data"]["address"].as_str()), (201, Some(CONTRACT.to_string().as_str())), "{answer}");
    // One that is none, and one whose contract knows nothing of signatures.
    for nobody in [Address::repeat_byte(0x77), shop.sale.address] {
        let signed = body(&message(&desk, nobody).await, b"signature");
        assert_eq!(desk.refused("/v1/sessions", &format!("of {nobody}"), &signed).await.1, "sign_in_refused");
    }
}

#[tokio::test]
async fn a_wallet_reads_the_vouchers_that_are_its_own() {
    let world = World::new(2).await;
    let signer = world.chain.account(SIGNER);
    let shop = Shop::on(world, |draft| {
        draft.terms.signer = signer;
        draft.terms.phases[0].gate = 1;
    })
    .await;
    let desk = shop.start().await;
    let (alice, bob) = (PrivateKeySigner::random(), PrivateKeySigner::random());
    let path = format!("/v1/sales/31337/{}/vouchers", shop.sale.address);
    let mut issued = Vec::new();
    for (wallet, case) in [(&alice, "case a"), (&bob, "case b")] {
        let voucher = json!({"investor": wallet.address().to_string(), "max_paid": ether("2").to_string(), "phases": [0],
                             "deadline": "2030-03-19T00:00:00Z", "kyc_reference": case});
        issued.push(desk.take(&path, case, &voucher).await);
    }
    let text = message(&desk, alice.address()).await;
    let signature = alice.sign_message_sync(text.as_bytes()).unwrap();
    let (_, session, _) = desk.post("/v1/sessions", "alice", &body(&text, &signature.as_bytes())).await.unwrap();
    let token = session["token"].as_str().unwrap();
    let own = desk.get_as(token, "/v1/session/vouchers").await;
    let vouchers = own["data"].as_array().unwrap();
    assert_eq!(vouchers.len(), 1, "{own}");
    assert_eq!(vouchers[0]["eligibility"], issued[0]["eligibility"]);
    assert_eq!((&vouchers[0]["is_current"], &vouchers[0]["phases"]), (&json!(true), &json!([0])));
    assert!(!own.to_string().contains("case"), "what the desk wrote is the desk's: {own}");
}
