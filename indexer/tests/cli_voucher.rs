//! Vouchers against a chain: a contract that says who signs, and answers everything else as the sale behind it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cli_support;

use alloy::{
    primitives::{Address, Bytes, U256, hex, keccak256},
    providers::ext::AnvilApi as _,
    signers::{SignerSync as _, local::PrivateKeySigner},
};
use cli_support::{Chain, DAY, OPENS, account, dollar_sale, ether_sale, run};
use crowdsale::{
    config::DEV_ACCOUNTS,
    gates::{
        eligibility::{Deadline, MaxPaid, Phases},
        voucher::VoucherTerms,
    },
};
use serde_json::Value;

const SALE: &str = "0x8464135c8F25Da09e49BC8782676a84730C318bC";

/// Puts code at an address that answers `voucherSigner()` with `(signer, 3)` and asks `sale` for the rest.
async fn gated(chain: &Chain, sale: &str, signer: Address) -> String {
    let sale: Address = sale.parse().unwrap();
    let selector = hex::encode(&keccak256("voucherSigner()")[..4]);
    let code = format!(
        "5f3560e01c63{selector}14603557365f5f375f5f365f73{}5afa503d5f5f3e3d5ff35b73{}5f52600360205260405ff3",
        hex::encode(sale),
        hex::encode(signer)
    );
    set_code(chain, &format!("gate of {sale} by {signer}"), &code).await.to_string()
}

async fn set_code(chain: &Chain, name: &str, code: &str) -> Address {
    let address = Address::from_slice(&keccak256(name)[12..]);
    chain.provider.anvil_set_code(address, hex::decode(code).unwrap().into()).await.unwrap();
    address
}

fn bytes(value: &Value) -> Bytes {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_sales_signer_issues() {
    let chain = Chain::start().await;
    let sale = gated(&chain, &chain.deploy(&ether_sale()), account(4)).await;
    let investor = account(7).to_string();
    let issue = ["voucher", "issue", &sale, &investor, "--max-paid", "2.5", "--phases", "0,1"];
    let issued = chain.run_as(4, &[&issue[..], &["--deadline", "2031-03-02T14:00:00Z"]].concat()).json();
    assert_eq!(issued["max_paid"]["raw"], "2500000000000000000");
    assert_eq!((&issued["epoch"], &issued["chain_id"]), (&"3".into(), &31_337.into()));
    assert_eq!((&issued["phases"], &issued["deadline"]), (&serde_json::json!([0, 1]), &"2031-03-02T14:00:00Z".into()));
    assert_eq!(issued["signer"], account(4).to_string());

    let terms = VoucherTerms {
        chain_id: 31_337,
        sale: sale.parse().unwrap(),
        investor: account(7),
        max_paid: MaxPaid::new(U256::from(2_500_000_000_000_000_000_u64)).unwrap(),
        phases: Phases::new([0, 1]).unwrap(),
        deadline: Deadline::new(OPENS + DAY).unwrap(),
        epoch: U256::from(3),
    };
    let signature = bytes(&issued["signature"]);
    assert_eq!(terms.recover(&signature).unwrap().0, account(4));
    assert_eq!(bytes(&issued["eligibility"]), terms.eligibility(&signature));

    let text = chain.run(&[&issue[..], &["--deadline", "1930226400", "--dev-account", "4"]].concat());
    assert!(text.out.contains(issued["eligibility"].as_str().unwrap()) && text.err.is_empty(), "{text:#?}");

    // The same signed elsewhere, by what --typed-data prints.
    let deadline = ["--deadline", "1930226400"];
    let asked = chain.run(&[&issue[..], &deadline, &["--typed-data"]].concat());
    assert!(asked.err.contains("--deadline 1930226400 --epoch 3 --signature"), "{asked:#?}");
    assert_eq!(asked.json(), terms.typed_data());
    let packed = chain.run(&[&issue[..], &deadline, &["--signature", &signature.to_string(), "--json"]].concat());
    assert_eq!(packed.json(), issued);

    // Ahead, by whom the owner is to name next.
    let ahead = chain.run_as(5, &[&issue[..], &deadline, &["--ahead"]].concat());
    assert!(
        ahead.err.contains(&format!("until the owner names this signer: crowdsale sale signer {sale} {}", account(5)))
    );
    let ahead = ahead.json();
    assert_eq!((&ahead["epoch"], &ahead["signer"]), (&"4".into(), &account(5).to_string().into()));
    let next = VoucherTerms { epoch: U256::from(4), ..terms };
    assert_eq!(next.recover(&bytes(&ahead["signature"])).unwrap().0, account(5));

    // By the chain's clock.
    chain.warp(OPENS).await;
    let issued = chain.run_as(4, &[&issue[..], &["--valid-for", "12h", "--epoch", "5"]].concat());
    assert!(issued.err.contains("warning: the sale is in epoch 3"), "{issued:#?}");
    assert_eq!(issued.json()["deadline"], "2031-03-02T02:00:00Z");
    assert_eq!(issued.json()["epoch"], "5");
}

#[tokio::test]
async fn nobody_else_issues_and_nothing_useless_is_signed() {
    let chain = Chain::start().await;
    let open = chain.deploy(&dollar_sale(chain.dollar));
    let sale = gated(&chain, &open, account(4)).await;
    let investor = account(7).to_string();
    let with = |sale: &str, more: &[&str]| {
        let args = ["voucher", "issue", sale, &investor, "--dev-account", "4"];
        chain.run(&[&args[..], more].concat())
    };
    let good = ["--max-paid", "2.5", "--phases", "0", "--valid-for", "7d"];
    assert_eq!(with(&sale, &good).code, 0);
    with(&open, &good).fails(&["names no signer", &open]);
    let (key, signer) = (account(5).to_string(), account(4).to_string());
    let other = ["voucher", "issue", &sale, &investor, "--dev-account", "5"];
    chain.run(&[&other[..], &good].concat()).fails(&["the key is that of", &key, "are signed by", &signer]);
    chain.run(&[&other[..4], &good].concat()).fails(&["cannot sign: no key was given"]);
    // Naming the same signer again voids vouchers: none may become good by it.
    with(&sale, &[&good[..], &["--ahead"]].concat()).fails(&[
        "the sale names",
        &signer,
        "already",
        "leave out --ahead",
    ]);

    let but = |from: &str, to: &str| {
        let args: Vec<_> = good.iter().map(|a| if *a == from { to } else { *a }).collect();
        with(&sale, &args)
    };
    // Dollars have 6 decimals, and the sale two phases.
    but("2.5", "0.0000001").fails(&["\"0.0000001\" USDD", "only 6"]);
    but("2.5", "0").fails(&["lets the investor pay nothing"]);
    but("2.5", "1329227995784915872903807060280.344576").fails(&["too large"]);
    but("0", "0,2").fails(&["has 2 phases, counted from 0, and phase 2"]);
    let args = ["--max-paid", "1", "--phases", "0", "--deadline", "2001-01-01T00:00:00Z"];
    with(&sale, &args).fails(&["2001-01-01 00:00:00 UTC is over: the chain's clock"]);

    // Signatures from elsewhere.
    let until = ["--max-paid", "1", "--phases", "0", "--deadline", "1930226400"];
    let packed = |more: &[&str]| {
        let args = ["voucher", "issue", &sale, &investor];
        chain.run(&[&args[..], &until, more].concat())
    };
    packed(&["--signature", "0x1234"]).fails(&["wrong signature: it has 2 bytes"]);
    let terms = VoucherTerms {
        chain_id: 31_337,
        sale: sale.parse().unwrap(),
        investor: account(7),
        max_paid: MaxPaid::new(U256::from(1_000_000)).unwrap(),
        phases: Phases::new([0]).unwrap(),
        deadline: Deadline::new(1_930_226_400).unwrap(),
        epoch: U256::from(3),
    };
    let by = |index: usize, terms: VoucherTerms| {
        let key = PrivateKeySigner::from_bytes(&DEV_ACCOUNTS[index]).unwrap();
        hex::encode(key.sign_hash_sync(&terms.signing_hash()).unwrap().as_bytes())
    };
    packed(&["--signature", &by(4, terms), "--json"]).json();
    packed(&["--signature", &by(5, terms)]).fails(&["the signature is that of", &key, &signer]);
    packed(&["--signature", &by(4, VoucherTerms { epoch: U256::ZERO, ..terms })]).fails(&["are signed by", &signer]);
}

#[tokio::test]
async fn a_contract_signs_through_its_wallet() {
    let chain = Chain::start().await;
    let open = chain.deploy(&ether_sale());
    // isValidSignature says yes, or something else.
    let yes = set_code(&chain, "yes", "631626ba7e60e01b5f5260205ff3").await;
    let no = set_code(&chain, "no", "63ffffffff60e01b5f5260205ff3").await;
    let issue = |sale: &str, more: &[&str]| {
        let investor = account(7).to_string();
        let args =
            ["voucher", "issue", sale, &investor, "--max-paid", "1", "--phases", "0", "--deadline", "1930226400"];
        chain.run(&[&args[..], more].concat())
    };
    let long = "ab".repeat(130);
    let sale = gated(&chain, &open, yes).await;
    let issued = issue(&sale, &["--signature", &long, "--json"]).json();
    assert_eq!(issued["signature"], format!("0x{long}"));
    assert!(issued["eligibility"].as_str().unwrap().ends_with(&long));
    issue(&sale, &["--dev-account", "4"]).fails(&["are signed by", "hint: the signer is a contract", "--typed-data"]);
    let sale = gated(&chain, &open, no).await;
    issue(&sale, &["--signature", &long]).fails(&["wrong signature", "ERC-1271"]);
}

#[test]
fn flags_that_contradict_each_other() {
    let usage = |more: &[&str], words: &str| {
        let args = ["voucher", "issue", SALE, SALE, "--max-paid", "1", "--phases", "0"];
        let run = run(&[&args[..], more].concat());
        assert!(run.code == 2 && run.err.contains(words), "{words:?} is not in {run:#?}");
    };
    usage(&[], "required");
    usage(&["--deadline", "1930226400", "--valid-for", "1d"], "cannot be used with");
    usage(&["--valid-for", "1d", "--signature", "0x12"], "cannot be used with");
    usage(&["--deadline", "1930226400", "--typed-data", "--dev-account", "1"], "cannot be used with");
    usage(&["--deadline", "2031-03-01"], "with its offset");
    usage(&["--valid-for", "a while"], "such as 7d");
    usage(&["--valid-for", "1d", "--phases", "8"], "0..8");
}
