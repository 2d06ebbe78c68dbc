//! `release`: the money of a sale that succeeded, as far as it is due.

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;

use super::Left;
use crate::{
    cli::{
        clock,
        printer::Printer,
        send::Included,
        target::{SaleTarget, get_event},
    },
    config::parse_address,
    contracts::{FixedPriceSale, RefundVault},
    types::Addr,
};

/// Pays the money of a sale that succeeded to its beneficiary, as far as it is due
///
/// Where the terms release it over time, the command can be repeated. Anyone may do this: the money goes to the beneficiary of
/// the sale file. Only the beneficiary itself can name another receiver.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale release $SALE --private-key-file key.txt
  crowdsale release $SALE --to $OTHER --private-key-file beneficiary.txt")]
pub struct ReleaseArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// Another receiver, named by the beneficiary: for an address that cannot receive
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    to: Option<Address>,
}

/// Runs `release`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn release(args: ReleaseArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let request = match args.to {
        Some(to) => wallet.call(view.vault, &RefundVault::releaseToCall { to }, U256::ZERO),
        None => wallet.call(view.vault, &RefundVault::releaseCall {}, U256::ZERO),
    };
    let receipt = wallet.send("release the money", request, &view.about()).await?;
    let e: RefundVault::Released = get_event(&receipt, view.vault)?;
    let failed = |e| wallet.node.read_failed("the money is released, but the rest cannot be read", &e);
    let account = RefundVault::new(view.vault, &wallet.node.provider).account().call().await.map_err(failed)?;
    let settled = FixedPriceSale::new(view.address, &wallet.node.provider).settledAt().call().await.map_err(failed)?;
    let rest = account.received.saturating_sub(e.released);
    let complete = settled.saturating_to::<u64>().saturating_add(view.terms.tap.duration.into());
    printer.result(&Left {
        sale: Addr(view.address),
        investor: None,
        to: Addr(e.to),
        amount: view.payment.amount(e.amount),
        excess: None,
        rest: (!rest.is_zero()).then(|| view.payment.amount(rest)),
        next_unlock: None,
        complete: (!rest.is_zero()).then(|| clock::rfc3339(complete)),
        included: Included::new(&receipt),
        action: "released",
    })
}
