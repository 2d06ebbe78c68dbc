//! `claim`, `refund`, `release`: what leaves a sale after its outcome.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    failure::Failure,
    printer::{Printer, Report, table},
    send::{Included, Wallet},
    units::Money,
    view::SaleView,
};
use crate::{
    config::{KeyArgs, NodeArgs, parse_address},
    contracts::{FixedPriceSale, RefundVault},
    types::Addr,
};

/// Sends an investor the tokens of a sale that succeeded
///
/// Anyone may do this for any investor: the tokens go to the investor. Only the investor itself can name another receiver.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale claim $SALE --private-key-file key.txt
  crowdsale claim $SALE --for $INVESTOR --dev-account 5")]
pub struct ClaimArgs {
    #[command(flatten)]
    common: Common,
}

/// Sends an investor the money of a sale that failed or was cancelled, exactly what was paid
///
/// Anyone may do this for any investor: the money goes to the investor. Only the investor itself can name another receiver.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale refund $SALE --private-key-file key.txt
  crowdsale refund $SALE --to $OTHER --private-key-file key.txt")]
pub struct RefundArgs {
    #[command(flatten)]
    common: Common,
}

/// Pays the money of a sale that succeeded to its beneficiary
///
/// Anyone may do this: the money goes to the beneficiary of the sale file.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale release $SALE --private-key-file key.txt")]
pub struct ReleaseArgs {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Args, Debug)]
struct Common {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    /// Whose position; the signer's by default
    #[arg(long = "for", value_name = "INVESTOR", value_parser = parse_address, conflicts_with = "to")]
    investor: Option<Address>,

    /// Another receiver for the signer's own position: for an address that cannot receive
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    to: Option<Address>,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Left {
    sale: Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    investor: Option<Addr>,
    to: Addr,
    amount: Money,
    #[serde(flatten)]
    included: Included,
    #[serde(skip)]
    action: &'static str,
}

/// Runs `claim`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn claim(args: ClaimArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(args.common.sale, &args.common.node, &args.common.key, printer).await?;
    let investor = args.common.investor.unwrap_or(wallet.address);
    let request = match args.common.to {
        Some(to) => wallet.call(view.address, &FixedPriceSale::claimToCall { to }, U256::ZERO),
        None => wallet.call(view.address, &FixedPriceSale::claimCall { investor }, U256::ZERO),
    };
    let receipt = wallet.send("claim the tokens", request, &view.about()).await?;
    let logs = receipt.logs().iter().filter(|l| l.address() == view.address);
    let event = logs.filter_map(|l| l.log_decode::<FixedPriceSale::Claimed>().ok()).next().ok_or_else(no_event)?;
    printer.result(&Left {
        sale: Addr(view.address),
        investor: Some(Addr(event.inner.investor)),
        to: Addr(event.inner.to),
        amount: view.token.amount(event.inner.tokens),
        included: Included::new(&receipt),
        action: "claimed",
    })
}

/// Runs `refund`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn refund(args: RefundArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(args.common.sale, &args.common.node, &args.common.key, printer).await?;
    let investor = args.common.investor.unwrap_or(wallet.address);
    let request = match args.common.to {
        Some(to) => wallet.call(view.address, &FixedPriceSale::refundToCall { to }, U256::ZERO),
        None => wallet.call(view.address, &FixedPriceSale::refundForCall { investor }, U256::ZERO),
    };
    let receipt = wallet.send("refund the money", request, &view.about()).await?;
    let logs = receipt.logs().iter().filter(|l| l.address() == view.address);
    let event = logs.filter_map(|l| l.log_decode::<FixedPriceSale::Refunded>().ok()).next().ok_or_else(no_event)?;
    printer.result(&Left {
        sale: Addr(view.address),
        investor: Some(Addr(event.inner.investor)),
        to: Addr(event.inner.to),
        amount: view.payment.amount(event.inner.amount),
        included: Included::new(&receipt),
        action: "refunded",
    })
}

/// Runs `release`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn release(args: ReleaseArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(args.sale, &args.node, &args.key, printer).await?;
    let request = wallet.call(view.vault, &RefundVault::releaseCall {}, U256::ZERO);
    let receipt = wallet.send("release the money", request, &view.about()).await?;
    let logs = receipt.logs().iter().filter(|l| l.address() == view.vault);
    let event = logs.filter_map(|l| l.log_decode::<RefundVault::Released>().ok()).next().ok_or_else(no_event)?;
    printer.result(&Left {
        sale: Addr(view.address),
        investor: None,
        to: Addr(event.inner.beneficiary),
        amount: view.payment.amount(event.inner.amount),
        included: Included::new(&receipt),
        action: "released",
    })
}

async fn connect(sale: Address, node: &NodeArgs, key: &KeyArgs, printer: Printer) -> Result<(Wallet, SaleView)> {
    let wallet = Wallet::connect(node, key, printer).await?;
    let view = SaleView::read(&wallet.node, sale, BlockId::latest()).await?;
    Ok((wallet, view))
}

/// For a contract that succeeds and says nothing: it is none of ours.
fn no_event() -> anyhow::Error {
    Failure::new(
        "nothing was paid",
        "the transaction was included, but the contract did not say what it paid",
        "check that the address is a sale of this system's factory",
    )
}

impl Report for Left {
    fn text(&self) -> String {
        let mut rows = vec![("sale", self.sale.to_string())];
        rows.extend(self.investor.map(|i| ("investor", i.to_string())));
        rows.extend([(self.action, self.amount.exact()), ("to", self.to.to_string())]);
        rows.extend(self.included.rows());
        table(&rows)
    }
}
