//! Sales with everything a sale file can say, from deployment to the last token: amounts to the wei.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cli_support;

use std::path::Path;

use alloy::{
    primitives::{U256, utils::parse_ether},
    providers::{Provider as _, ext::AnvilApi as _},
};
use cli_support::{Chain, DAY, account, address};
use crowdsale::contracts::{RestrictedSaleToken, SaleToken};
use serde_json::Value;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const MERIDIAN: &str = include_str!("../../contracts/examples/meridian-prorata.toml");
/// 2031-05-01 09:00:00 UTC.
const OPENS: u64 = 1_935_392_400;
const CLOSES: u64 = OPENS + 30 * DAY;

/// Meridian for everybody: without vouchers, and without a limit that twenty accounts would be needed for.
fn meridian() -> String {
    MERIDIAN.replace("gate = \"voucher\"\n", "").replace("max = \"40\"", "max = \"800\"")
}

fn raw(value: &Value) -> &str {
    value["raw"].as_str().unwrap_or_else(|| panic!("no amount: {value}"))
}

fn ether(amount: &str) -> String {
    parse_ether(amount).unwrap().to_string()
}

/// The next transaction is in a block of this time.
async fn next_at(chain: &Chain, time: u64) {
    chain.provider.anvil_set_next_block_timestamp(time).await.unwrap();
}

#[tokio::test]
async fn a_pro_rata_sale_from_its_first_voucher_to_its_last_token() -> Result {
    let chain = Chain::start().await;
    let file = chain.write("sale.toml", &meridian());
    let deployed = chain.run_as(0, &["sale", "deploy", &file]).json();
    let sale = deployed["sale"].as_str().unwrap();
    let token = SaleToken::new(address(&deployed["token"]), &chain.provider);
    let wallets = deployed["wallets"].as_array().unwrap();
    assert_eq!((wallets.len(), raw(&wallets[0]["amount"])), (2, ether("150000").as_str()));
    assert_eq!(token.balanceOf(address(&wallets[1]["wallet"])).call().await?, parse_ether("50000")?);
    assert_eq!(token.balanceOf(account(1)).call().await?, parse_ether("400000")?);

    chain.warp(OPENS).await;
    for index in [3, 4] {
        let paid = chain.run_as(index, &["contribute", sale, "800"]).json();
        assert_eq!(raw(&paid["accepted"]), ether("800"));
        assert!(paid["tokens"].is_null(), "how many is not known yet: {paid}");
    }
    // Taken back within the cooling-off, in full.
    chain.run_as(5, &["withdraw", sale]).fails(&["has paid nothing into this sale"]);
    chain.run_as(5, &["contribute", sale, "10"]).json();
    let before = chain.balance(8).await;
    let back = chain.run_as(5, &["withdraw", sale, "--to", &account(8).to_string()]).json();
    assert_eq!((raw(&back["amount"]), raw(&back["raised"])), (ether("10").as_str(), ether("1600").as_str()));
    assert_eq!(chain.balance(8).await - before, parse_ether("10")?);

    // Rejected by compliance, and the money back at once.
    chain.run_as(6, &["contribute", sale, "400"]).json();
    let investor = account(6).to_string();
    chain.run_as(1, &["sale", "reject", sale, &investor]).fails(&["only compliance", &account(9).to_string()]);
    let before = chain.balance(6).await;
    let rejected = chain.run_as(9, &["sale", "reject", sale, &investor]).json();
    assert_eq!(
        (raw(&rejected["amount"]), raw(&rejected["refund"]["amount"])),
        (ether("400").as_str(), ether("400").as_str())
    );
    assert_eq!(chain.balance(6).await - before, parse_ether("400")?);
    chain.run_as(6, &["contribute", sale, "1"]).fails(&["compliance has rejected"]);
    chain.run_as(9, &["sale", "reject", sale, &investor]).fails(&["compliance has rejected"]);

    // The end: everybody gets half of what was asked for.
    chain.warp(CLOSES).await;
    chain.run_as(3, &["withdraw", sale]).fails(&["could be withdrawn before 2031-05-15"]);
    chain.run_as(9, &["sale", "reject", sale, &account(3).to_string()]).fails(&["nobody can be rejected any more"]);
    let settled = CLOSES + 100;
    next_at(&chain, settled).await;
    let closed = chain.run_as(7, &["sale", "close", sale]).json();
    assert_eq!((closed["outcome"].as_str(), raw(&closed["raised"])), (Some("succeeded"), ether("800").as_str()));

    // Only approved holders get tokens; the excess does not wait for that.
    chain.run_as(3, &["claim", sale]).fails(&[
        "approved holders only",
        &account(3).to_string(),
        "token holders set",
        "comes without the tokens",
    ]);
    let excess = chain.run_as(7, &["refund", sale, "--for", &account(4).to_string()]).json();
    assert_eq!((raw(&excess["amount"]), excess["parts"][0]["what"].as_str()), (ether("400").as_str(), Some("excess")));
    let address_of = token.address().to_string();
    let holders = format!("holder,until\n{},2040-01-01T00:00:00Z\n{},2040-01-01T00:00:00Z\n", account(3), account(2));
    let holders = chain.write("holders.csv", &holders);
    chain.run_as(3, &["token", "holders", "set", &address_of, &holders]).fails(&["does not have the role"]);
    assert_eq!(chain.run_as(1, &["token", "holders", "set", &address_of, &holders]).json()["set"], 2);
    assert_eq!(chain.run_as(1, &["token", "holders", "set", &address_of, &holders]).json()["unchanged"], 2);
    let holder = chain.run(&["token", "holder", &address_of, &account(3).to_string(), "--json"]).json();
    assert_eq!((&holder["approved"], &holder["until"]), (&true.into(), &"2040-01-01T00:00:00Z".into()));
    let stranger = chain.run(&["token", "holder", &address_of, &account(4).to_string(), "--json"]).json();
    assert_eq!(stranger["approved"], false);

    // A fifth of 200,000 tokens at once, and the excess with it.
    let claimed = chain.run_as(3, &["claim", sale]).json();
    assert_eq!(raw(&claimed["amount"]), ether("40000"));
    assert_eq!((raw(&claimed["excess"]), raw(&claimed["rest"])), (ether("400").as_str(), ether("160000").as_str()));
    assert_eq!(claimed["next_unlock"], crowdsale::cli::clock::rfc3339(settled + 90 * DAY));
    chain.run_as(3, &["claim", sale]).fails(&["the next tokens are free from 2031-08-29"]);
    chain.run_as(3, &["refund", sale]).fails(&["the sale succeeded"]);

    // A quarter of the money at once, and the rest over 540 days: half-way 200 + 300.
    next_at(&chain, settled + 270 * DAY).await;
    let released = chain.run_as(7, &["release", sale]).json();
    assert_eq!((raw(&released["amount"]), raw(&released["rest"])), (ether("500").as_str(), ether("300").as_str()));
    chain.run_as(3, &["release", sale, "--to", &account(3).to_string()]).fails(&["only the beneficiary"]);

    // Exactly half does not stop it; more does, and the rest goes back by what each had paid.
    chain.run_as(6, &["object", sale]).fails(&["kept no money of"]);
    let first = chain.run_as(3, &["object", sale]).json();
    assert_eq!(
        (raw(&first["weight"]), raw(&first["needed"]), &first["stopped"]),
        (ether("400").as_str(), ether("400").as_str(), &false.into())
    );
    chain.run_as(3, &["object", sale]).fails(&["has objected already"]);
    let second = chain.run_as(4, &["object", sale]).json();
    let rest: U256 = raw(&second["rest"]).parse()?;
    assert_eq!((&second["stopped"], rest), (&true.into(), parse_ether("300")?));
    chain.run_as(7, &["release", sale]).fails(&["investors have stopped the tap", &format!("crowdsale refund {sale}")]);
    let share = chain.run_as(3, &["refund", sale]).json();
    assert_eq!((raw(&share["amount"]), share["parts"][0]["what"].as_str()), (ether("150").as_str(), Some("rest")));
    chain.run_as(3, &["refund", sale]).fails(&["has no money to be refunded in this sale, or has had it"]);
    let before = chain.balance(8).await;
    chain.run_as(4, &["refund", sale, "--to", &account(8).to_string()]).json();
    assert_eq!(chain.balance(8).await - before, parse_ether("150")?);
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!((&status["release_stopped"], status["mode"].as_str()), (&true.into(), Some("pro-rata")));

    // All tokens after a year; the team's after their own time.
    next_at(&chain, settled + 365 * DAY).await;
    assert_eq!(raw(&chain.run_as(3, &["claim", sale]).json()["amount"]), ether("160000"));
    assert_eq!(token.balanceOf(account(3)).call().await?, parse_ether("200000")?);
    let listed = chain.run(&["sale", "allocations", sale, "--json"]).json();
    let advisers = listed["allocations"][1]["wallet"].as_str().unwrap();
    assert_eq!(advisers, wallets[1]["wallet"]);
    chain.run_as(7, &["sale", "allocation", "reclaim", advisers]).fails(&["has failed or was cancelled"]);
    chain.warp(CLOSES + 730 * DAY).await;
    let paid = chain.run_as(7, &["sale", "allocation", "release", advisers]).json();
    assert_eq!((raw(&paid["amount"]), &paid["to"]), (ether("50000").as_str(), &account(2).to_string().into()));
    chain.run_as(7, &["sale", "allocation", "release", advisers]).fails(&["nothing of the token"]);
    Ok(())
}

#[tokio::test]
async fn the_roles_of_a_sale() -> Result {
    let chain = Chain::start().await;
    let sale = &chain.deploy(&meridian());
    chain.warp(OPENS).await;
    chain.run_as(3, &["sale", "pause", sale]).fails(&["only the owner", &account(1).to_string()]);
    assert_eq!(chain.run_as(1, &["sale", "pause", sale]).json()["value"], "paused");
    chain.run_as(1, &["sale", "pause", sale]).fails(&["are paused already"]);
    chain.run_as(3, &["contribute", sale, "1"]).fails(&["paused contributions"]);
    assert_eq!(chain.run(&["sale", "status", sale, "--json"]).json()["paused"], true);
    chain.run_as(1, &["sale", "resume", sale]).json();
    chain.run_as(3, &["contribute", sale, "1"]).json();

    let signer = chain.run(&["sale", "signer", sale, &account(7).to_string(), "--dev-account", "1", "--json"]);
    assert!(signer.err.contains("all earlier vouchers are void"), "{signer:#?}");
    assert_eq!(signer.json()["epoch"], "1");
    let zero = format!("0x{}", "0".repeat(40));
    chain.run_as(1, &["sale", "signer", sale, &zero]).fails(&["signed by the zero address"]);

    assert_eq!(chain.run_as(1, &["sale", "compliance", sale, "none"]).json()["value"], "nobody");
    let investor = account(3).to_string();
    chain.run_as(9, &["sale", "reject", sale, &investor]).fails(&["nobody for compliance"]);
    chain.run_as(1, &["sale", "compliance", sale, &account(5).to_string()]).json();
    chain.run_as(5, &["sale", "reject", sale, &account(8).to_string()]).fails(&["has paid nothing"]);
    // After a rejection whose refund waited, a claim says so.
    chain.run_as(5, &["sale", "reject", sale, &investor]).json();
    chain.run_as(3, &["refund", sale]).fails(&["no money to be refunded"]);

    chain.run_as(1, &["sale", "owner", "transfer", sale, &account(4).to_string()]).json();
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!(
        (&status["owner"], &status["pending_owner"]),
        (&account(1).to_string().into(), &account(4).to_string().into())
    );
    chain.run_as(3, &["sale", "owner", "accept", sale]).fails(&["was not offered to"]);
    assert_eq!(chain.run_as(4, &["sale", "owner", "accept", sale]).json()["value"], account(4).to_string());
    chain.run_as(1, &["sale", "pause", sale]).fails(&["only the owner", &account(4).to_string()]);

    let paper = chain.write("paper.txt", "abc");
    let published = chain.run_as(4, &["sale", "whitepaper", sale, &paper, "--uri", "https://example.org/2"]).json();
    assert_eq!(published["sha256"], "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!((published["version"].as_str(), published["uri"].as_str()), (Some("1"), Some("https://example.org/2")));
    chain.run_as(4, &["sale", "whitepaper", sale, &paper]).fails(&["has this hash already"]);
    chain.run_as(4, &["sale", "whitepaper", sale, "/does/not/exist"]).fails(&["cannot read /does/not/exist"]);

    // A failure: the team's tokens go back to the owner, who must be approved to hold them.
    chain.warp(CLOSES).await;
    assert_eq!(chain.run_as(7, &["sale", "close", sale]).json()["outcome"], "failed");
    let listed = chain.run(&["sale", "allocations", sale, "--json"]).json();
    let wallet = listed["allocations"][0]["wallet"].as_str().unwrap();
    chain.run_as(7, &["sale", "allocation", "reclaim", wallet]).fails(&["approved holders only"]);
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    let token = status["token"].as_str().unwrap();
    let holders = chain.write("holders.csv", &format!("{},2040-01-01T00:00:00Z\n", account(4)));
    chain.run_as(1, &["token", "holders", "set", token, &holders]).json();
    let back = chain.run_as(7, &["sale", "allocation", "reclaim", wallet]).json();
    assert_eq!((raw(&back["amount"]), &back["to"]), (ether("150000").as_str(), &account(4).to_string().into()));
    chain.run_as(7, &["sale", "allocation", "reclaim", wallet]).fails(&["is left in the wallet"]);
    let restricted = RestrictedSaleToken::new(token.parse()?, &chain.provider);
    assert!(restricted.balanceOf(account(4)).call().await? >= parse_ether("150000")?);
    Ok(())
}

#[tokio::test]
async fn an_auction_with_a_list() -> Result {
    let chain = Chain::start().await;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples");
    let (file, list) = (examples.join("polar-auction.toml"), examples.join("polar-members.json"));
    let (file, list) = (file.to_str().unwrap(), list.to_str().unwrap());
    let deployed = chain.run_as(0, &["sale", "deploy", file]).json();
    let sale = deployed["sale"].as_str().unwrap();
    // 2031-07-01 12:00:00 UTC.
    let opens = 1_940_673_600;
    chain.warp(opens + DAY).await;
    chain.run_as(7, &["contribute", sale, "1"]).fails(&["phase 1 is open to those on its list only"]);
    chain.run_as(3, &["contribute", sale, "50", "--allowlist", list]).json();
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!((status["mode"].as_str(), &status["phase"]["number"]), (Some("dutch-auction"), &1.into()));
    let price: U256 = status["price_raw"].as_str().unwrap().parse()?;
    // Half-way from 0.003 to 0.002, some seconds later.
    assert!(price <= parse_ether("0.0025")? && price > parse_ether("0.0024")?, "{price}");
    chain.run_as(3, &["withdraw", sale]).fails(&["has no cooling-off"]);

    chain.warp(opens + 5 * DAY).await;
    for index in [5, 6] {
        chain.run_as(index, &["contribute", sale, "60"]).json();
    }
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!(status["price_raw"], ether("0.001"));
    assert_eq!(raw(&status["room"]), ether("130"));
    chain.warp(opens + 7 * DAY).await;
    let closed = chain.run_as(7, &["sale", "close", sale]).json();
    assert_eq!((raw(&closed["raised"]), raw(&closed["sold"])), (ether("170").as_str(), ether("170000").as_str()));
    // All pay the last price.
    let claimed = chain.run_as(3, &["claim", sale]).json();
    assert_eq!(raw(&claimed["amount"]), ether("50000"));
    assert_eq!((&claimed["excess"], &claimed["rest"]), (&Value::Null, &Value::Null));
    chain.run_as(3, &["object", sale]).fails(&["give investors no objection"]);
    assert_eq!(raw(&chain.run_as(7, &["release", sale]).json()["amount"]), ether("170"));
    Ok(())
}

#[tokio::test]
async fn another_factory() -> Result {
    let chain = Chain::start().await;
    let nonce = chain.provider.get_transaction_count(account(6)).await?;
    let deployed = chain.run_as(6, &["factory", "deploy"]).json();
    assert_eq!(deployed["contracts"].as_array().unwrap().len(), 7);
    assert_eq!(chain.provider.get_transaction_count(account(6)).await?, nonce + 7);
    let factory = deployed["factory"].as_str().unwrap();
    let file = chain.write("sale.toml", &meridian());
    let sale = chain.run_as(0, &["sale", "deploy", &file, "--factory", factory]).json();
    assert_eq!(sale["factory"], factory);
    let status = chain.run(&["sale", "status", sale["sale"].as_str().unwrap(), "--json"]).json();
    assert_eq!((status["mode"].as_str(), status["allocations"].as_array().map(Vec::len)), (Some("pro-rata"), Some(2)));

    // An account that cannot pay deploys nothing.
    let key = chain.write("key.txt", &"11".repeat(32));
    chain
        .run(&["factory", "deploy", "--private-key-file", &key])
        .fails(&["the factory is not deployed", "nothing was deployed"]);
    Ok(())
}
