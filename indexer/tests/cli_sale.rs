//! The command line over whole sales on a real chain: amounts to the wei.

mod cli_support;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use alloy::{
    primitives::{U256, utils::parse_ether},
    providers::{Provider as _, ext::AnvilApi as _},
};
use cli_support::{Chain, DAY, OPENS, account, address, dollar_sale, ether_sale};
use crowdsale::contracts::{DevDollar, SaleToken};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::test]
async fn a_sale_for_ether_succeeds() -> Result {
    let chain = Chain::start().await;
    let file = chain.write("sale.toml", &ether_sale());
    let deployed = chain.run_as(0, &["sale", "deploy", &file]).json();
    assert_eq!(deployed["created"], true);
    let sale = deployed["sale"].as_str().unwrap();
    let token = SaleToken::new(address(&deployed["token"]), &chain.provider);
    assert_eq!(token.balanceOf(sale.parse()?).call().await?, parse_ether("100000")?);
    assert_eq!(token.balanceOf(account(1)).call().await?, parse_ether("100000")?);

    // The same file by the same account is recognised, even after the opening; by another account it is another sale.
    let nonce = chain.provider.get_transaction_count(account(0)).await?;
    chain.warp(OPENS + 1).await;
    let again = chain.run(&["sale", "deploy", &file, "--dev-account", "0", "--json"]);
    assert!(again.err.contains("deployed already"), "{again:#?}");
    assert_eq!(again.json()["created"], false);
    assert_eq!(again.json()["sale"], sale);
    assert_eq!(chain.provider.get_transaction_count(account(0)).await?, nonce);
    chain.run_as(4, &["sale", "deploy", &file]).fails(&["is not ready", "is in the past", "by the chain's clock"]);

    // 12 ETH cross the first phase's cap of 10: 10 / 0.001 + 2 / 0.002 tokens.
    let paid = chain.run_as(3, &["contribute", sale, "12"]).json();
    assert_eq!(paid["accepted"]["raw"], "12000000000000000000");
    assert_eq!(paid["tokens"]["raw"], "11000000000000000000000");
    assert_eq!(paid["excess"]["raw"], "0");
    assert_eq!(paid["parts"].as_array().unwrap().len(), 2);
    // On behalf of another.
    let behalf =
        chain.run_as(3, &["contribute", sale, "48.000000000000000001", "--for", &account(5).to_string()]).json();
    assert_eq!(behalf["investor"], account(5).to_string());
    assert_eq!(behalf["payer"], account(3).to_string());
    assert_eq!(behalf["paid"]["raw"], "48000000000000000001");

    chain.run(&["sale", "status", sale, "--at", "finalized"]).fails(&["no sale yet", "--at latest"]);
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!(status["state"], "open");
    assert_eq!(status["raised"]["raw"], "60000000000000000001");
    assert_eq!(status["phase"]["number"], 2);
    assert_eq!(status["phase"]["price_raw"], "2000000000000000");
    assert_eq!(status["block"]["finality"], "latest");

    // Over the hard cap: 39.999999999999999999 ETH are left.
    let before = chain.balance(6).await;
    let over = chain.run_as(6, &["contribute", sale, "55"]).json();
    assert_eq!(over["accepted"]["raw"], "39999999999999999999");
    assert_eq!(over["excess"]["raw"], "15000000000000000001");
    let spent = before - chain.balance(6).await;
    assert!(spent > parse_ether("39.99")? && spent < parse_ether("40.01")?, "{spent}");
    chain.run_as(7, &["contribute", sale, "1"]).fails(&["cannot contribute 1 ETH: everything is sold", "100 ETH"]);

    // Sold out, so anyone may close it now; compliance alone, where there is one.
    let says = |text: &str| assert!(chain.run(&["sale", "status", sale]).out.contains(text), "{text}");
    says("open: sold out, anyone may close it now");
    chain.run_as(7, &["claim", sale]).fails(&["after success only, and the sale is open"]);
    chain.run_as(1, &["sale", "compliance", sale, &account(9).to_string()]).json();
    says("open: sold out, compliance may close it now, and anyone after its end");
    chain.run_as(7, &["sale", "close", sale]).fails(&["the sale can be closed from", "then by compliance alone"]);
    // 100,000 tokens less those sold go to the owner.
    let closed = chain.run_as(9, &["sale", "close", sale]).json();
    assert_eq!(closed["outcome"], "succeeded");
    assert_eq!(closed["raised"]["raw"], "100000000000000000000");
    assert_eq!(closed["unsold_to"], account(1).to_string());
    let sold: U256 = closed["sold"]["raw"].as_str().unwrap().parse()?;
    let unsold: U256 = closed["unsold_tokens"]["raw"].as_str().unwrap().parse()?;
    assert_eq!(sold + unsold, parse_ether("100000")?);
    chain.run_as(7, &["sale", "close", sale]).fails(&["has succeeded already"]);
    chain.run_as(7, &["sale", "return-unsold", sale]).fails(&["no unsold token is left"]);
    chain.run_as(1, &["sale", "cancel", sale]).fails(&["has succeeded already"]);
    chain.run_as(3, &["refund", sale]).fails(&["the sale succeeded", &format!("crowdsale claim {sale}")]);

    let claimed = chain.run_as(3, &["claim", sale, "--to", &account(8).to_string()]).json();
    assert_eq!(claimed["amount"]["raw"], "11000000000000000000000");
    assert_eq!(token.balanceOf(account(8)).call().await?, parse_ether("11000")?);
    chain.run_as(3, &["claim", sale]).fails(&["has no tokens to claim"]);
    let claimed = chain.run_as(7, &["claim", sale, "--for", &account(5).to_string()]).json();
    assert_eq!(claimed["to"], account(5).to_string());

    let before = chain.balance(2).await;
    let released = chain.run_as(7, &["release", sale]).json();
    assert_eq!(released["amount"]["raw"], "100000000000000000000");
    assert_eq!(chain.balance(2).await - before, parse_ether("100")?);
    chain.run_as(7, &["release", sale]).fails(&["all that is due has been released: 100 ETH of 100 ETH"]);
    let status = chain.run(&["sale", "status", sale, "--json"]).json();
    assert_eq!(status["released"]["raw"], "100000000000000000000");
    Ok(())
}

#[tokio::test]
async fn a_sale_for_a_stablecoin_takes_exactly_what_it_approves() -> Result {
    let chain = Chain::start().await;
    let dollar = DevDollar::new(chain.dollar, &chain.provider);
    for index in [3, 4] {
        dollar.mint(account(index), U256::from(7_000_000_000_u64)).send().await?.get_receipt().await?;
    }
    let sale = chain.deploy(&dollar_sale(chain.dollar));
    let allowance = async |index| dollar.allowance(account(index), sale.parse().unwrap()).call().await.unwrap();
    chain.run_as(3, &["contribute", &sale, "100"]).fails(&["cannot contribute 100 USDD", "not now"]);
    chain.warp(OPENS).await;

    // Refused before anything is approved.
    chain.run_as(3, &["contribute", &sale, "6000.000001"]).fails(&["above the maximum of 6000 USDD"]);
    chain.run_as(3, &["contribute", &sale, "49.999999"]).fails(&["below the minimum of 50 USDD"]);
    chain.run_as(5, &["contribute", &sale, "50"]).fails(&["has 0 USDD"]);
    chain.run_as(3, &["contribute", &sale, "0"]).fails(&["buys less than"]);
    chain.run_as(3, &["contribute", &sale, "0.0000001"]).fails(&["7 digits after the point", "only 6"]);
    assert_eq!(allowance(3).await, U256::ZERO);

    let paid = chain.run_as(3, &["contribute", &sale, "5999.999999"]).json();
    assert_eq!(paid["accepted"]["raw"], "5999999999");
    // 1000 / 0.1 + 4999.999999 / 0.2 tokens.
    assert_eq!(paid["tokens"]["raw"], "34999999995000000000000");
    assert_eq!(allowance(3).await, U256::ZERO);
    // 4000.000001 are left: no more is approved or taken.
    let over = chain.run_as(4, &["contribute", &sale, "5000"]).json();
    assert_eq!(over["accepted"]["raw"], "4000000001");
    assert_eq!(over["excess"]["raw"], "999999999");
    assert_eq!(allowance(4).await, U256::ZERO);
    assert_eq!(dollar.balanceOf(account(4)).call().await?, U256::from(2_999_999_999_u64));

    assert_eq!(chain.run_as(3, &["sale", "close", &sale]).json()["outcome"], "succeeded");
    assert_eq!(chain.run_as(3, &["release", &sale]).json()["amount"]["raw"], "10000000000");
    assert_eq!(dollar.balanceOf(account(2)).call().await?, U256::from(10_000_000_000_u64));
    Ok(())
}

#[tokio::test]
async fn a_sale_that_misses_its_goal_pays_everything_back() -> Result {
    let chain = Chain::start().await;
    let sale = chain.deploy(&ether_sale());
    chain.warp(OPENS).await;
    chain.run_as(3, &["contribute", &sale, "9.999999999999999999"]).json();
    chain.run_as(3, &["refund", &sale]).fails(&["the sale is open"]);
    chain.warp(OPENS + 2 * DAY).await;
    assert_eq!(chain.run(&["sale", "status", &sale, "--json"]).json()["state"], "ended");
    chain.run_as(3, &["contribute", &sale, "1"]).fails(&["not now"]);
    chain.run_as(3, &["refund", &sale]).fails(&["close it first", &format!("crowdsale sale close {sale}")]);
    chain.run_as(1, &["sale", "cancel", &sale]).fails(&["cannot be cancelled any more"]);
    let closed = chain.run_as(4, &["sale", "close", &sale]).json();
    assert_eq!(closed["outcome"], "failed");
    assert_eq!(closed["unsold_tokens"]["raw"], "100000000000000000000000");
    chain.run_as(3, &["claim", &sale]).fails(&["the sale failed", &format!("crowdsale refund {sale}")]);
    chain.run_as(3, &["release", &sale]).fails(&["the sale failed"]);

    let before = chain.balance(3).await;
    let refunded = chain.run_as(4, &["refund", &sale, "--for", &account(3).to_string()]).json();
    assert_eq!(refunded["amount"]["raw"], "9999999999999999999");
    assert_eq!(chain.balance(3).await - before, parse_ether("9.999999999999999999")?);
    chain.run_as(3, &["refund", &sale]).fails(&["has no money to be refunded"]);
    Ok(())
}

#[tokio::test]
async fn the_owner_can_cancel_and_all_goes_back() -> Result {
    let chain = Chain::start().await;
    let deployed = chain.deploy(&ether_sale());
    let sale = deployed.as_str();
    chain.warp(OPENS).await;
    chain.run_as(3, &["contribute", sale, "2.5"]).json();
    chain.run_as(3, &["sale", "cancel", sale]).fails(&["only the owner", &account(1).to_string()]);
    let cancelled = chain.run_as(1, &["sale", "cancel", sale]).json();
    assert_eq!(cancelled["outcome"], "cancelled");
    // All tokens leave with it: the gas that the node estimates would not let them.
    assert_eq!(cancelled["unsold_tokens"]["raw"], "100000000000000000000000");
    chain.run_as(3, &["contribute", sale, "1"]).fails(&["was cancelled", &format!("crowdsale refund {sale}")]);
    let before = chain.balance(9).await;
    let refunded = chain.run_as(3, &["refund", sale, "--to", &account(9).to_string()]).json();
    assert_eq!(refunded["amount"]["raw"], "2500000000000000000");
    assert_eq!(chain.balance(9).await - before, parse_ether("2.5")?);
    Ok(())
}

#[tokio::test]
async fn an_existing_token_is_approved_exactly() -> Result {
    let chain = Chain::start().await;
    // The development dollar sells itself as an existing token of 6 decimals.
    let sale = ether_sale().replace(
        "name = \"Test\"\nsymbol = \"TST\"\nsupply = \"200000\"",
        &format!("address = \"{}\"\ndecimals = 6\nsymbol = \"USDD\"", chain.dollar),
    );
    let file = chain.write("sale.toml", &sale);
    chain.run_as(0, &["sale", "deploy", &file]).fails(&["token.for_sale", "has 0 USDD"]);
    let dollar = DevDollar::new(chain.dollar, &chain.provider);
    dollar.mint(account(0), U256::from(150_000_000_000_u64)).send().await?.get_receipt().await?;

    // An earlier run that was interrupted after its approval.
    let needed = U256::from(100_000_000_000_u64);
    dollar.approve(chain.factory, needed).send().await?.get_receipt().await?;
    let nonce = chain.provider.get_transaction_count(account(0)).await?;
    let deployed = chain.run_as(0, &["sale", "deploy", &file]).json();
    assert_eq!(chain.provider.get_transaction_count(account(0)).await?, nonce + 1);
    assert_eq!(dollar.balanceOf(address(&deployed["sale"])).call().await?, needed);
    assert_eq!(dollar.allowance(account(0), chain.factory).call().await?, U256::ZERO);
    assert_eq!(chain.run_as(0, &["sale", "deploy", &file]).json()["created"], false);

    let wrong = chain.write("wrong.toml", &sale.replace("symbol = \"USDD\"", "symbol = \"USDC\""));
    chain.run_as(0, &["sale", "deploy", &wrong]).fails(&["symbol is \"USDD\" on the chain, and \"USDC\""]);
    Ok(())
}

#[tokio::test]
async fn an_interrupted_run_sends_nothing_twice() -> Result {
    let chain = Chain::start().await;
    let deployed = chain.deploy(&ether_sale());
    chain.warp(OPENS).await;
    chain.provider.anvil_set_auto_mine(false).await?;
    let interrupt = |args: &[&str]| {
        let mut command = cli_support::binary(args);
        let mut child = command.env("CROWDSALE_RPC_URL", &chain.url).stderr(Stdio::piped()).spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        err.read_line(&mut line).unwrap();
        assert!(line.starts_with("sent 0x"), "{line}");
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        err.read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{line}");
        assert!(line.contains("error: stopped waiting") && line.contains("\nhint: "), "{line}");
    };
    let contribute = ["contribute", &deployed, "2", "--dev-account", "3"];
    interrupt(&contribute);
    chain.run(&contribute).fails(&["nothing was sent", "not included yet"]);

    let file = chain.write("other.toml", &ether_sale().replace("opens = 2031-03-01T14", "opens = 2031-03-01T15"));
    let deploy = ["sale", "deploy", &file, "--dev-account", "4"];
    interrupt(&deploy);
    let again = cli_support::binary(&deploy)
        .env("CROWDSALE_RPC_URL", &chain.url)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    chain.provider.anvil_mine(Some(1), None).await?;
    let again = cli_support::Run::new(&again.wait_with_output()?);
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(again.err.contains("waiting for 1 earlier") && again.err.contains("deployed already"), "{again:#?}");
    assert_eq!(chain.provider.get_transaction_count(account(4)).await?, 1);
    let status = chain.run(&["sale", "status", &deployed, "--json"]).json();
    assert_eq!(status["raised"]["raw"], "2000000000000000000");
    Ok(())
}
