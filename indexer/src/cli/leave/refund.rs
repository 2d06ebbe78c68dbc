//! `refund`: an investor's money, from the sale, from the vault, or from both.

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Position;
use crate::{
    cli::{
        printer::{Printer, Report, table},
        send::{Included, Wallet},
        target::{find_event, get_event},
        units::Money,
        view::SaleView,
    },
    contracts::{FixedPriceSale, RefundVault},
    types::Addr,
};

/// Sends an investor the money that is the investor's again
///
/// That is exactly what was paid, after a failure, a cancellation or a rejection; after a success what was paid beyond the
/// investor's share, and, once investors have stopped the release, a share of the rest. The command finds by itself which of
/// them applies. Anyone may do this for any investor: the money goes to the investor. Only the investor itself can name
/// another receiver.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale refund $SALE --private-key-file key.txt
  crowdsale refund $SALE --to $OTHER --private-key-file key.txt")]
pub struct RefundArgs {
    #[command(flatten)]
    position: Position,
}

#[derive(Debug, Serialize)]
struct Refunded {
    sale: Addr,
    investor: Addr,
    to: Addr,
    /// All of it.
    amount: Money,
    parts: Vec<Part>,
}

/// What one transaction sent.
#[derive(Debug, Serialize)]
pub struct Part {
    /// `paid`, `excess` or `rest`.
    pub what: &'static str,
    /// How much.
    pub amount: Money,
    #[serde(skip)]
    to: Address,
    #[serde(flatten)]
    included: Included,
}

/// Runs `refund`.
///
/// # Errors
/// Where the contracts refuse, in words.
pub async fn refund(args: RefundArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.position.target.connect(printer).await?;
    let investor = args.position.investor.unwrap_or(wallet.address);
    let vault = RefundVault::new(view.vault, &wallet.node.provider);
    let is_stopped = vault.objections().call().await.is_ok_and(|o| o.stopped);
    let mut parts = Vec::new();
    let from_sale = refund_from_sale(&wallet, &view, investor, args.position.to).await;
    match from_sale {
        Ok(part) => parts.push(part),
        // A rejected investor and one without excess have nothing in the sale, and perhaps a share of the rest.
        Err(refused) if !is_stopped || refused.downcast_ref::<NotSent>().is_none() => return Err(refused),
        Err(_) => {}
    }
    if is_stopped {
        match refund_from_vault(&wallet, &view, investor, args.position.to).await {
            Ok(part) => parts.push(part),
            Err(refused) if parts.is_empty() || refused.downcast_ref::<NotSent>().is_none() => {
                return Err(refused);
            }
            Err(_) => {}
        }
    }
    let total = parts.iter().map(|p| p.amount.raw).sum();
    printer.result(&Refunded {
        sale: Addr(view.address),
        investor: Addr(investor),
        to: Addr(parts.first().map_or(investor, |p| p.to)),
        amount: view.payment.amount(total),
        parts,
    })
}

/// A refusal before anything was sent; the reason is its source.
#[derive(Debug, thiserror::Error)]
#[error("nothing was sent")]
struct NotSent;

/// What the sale owes: what was paid, or the excess.
///
/// # Errors
/// Where the sale refuses, in words.
pub async fn refund_from_sale(
    wallet: &Wallet,
    view: &SaleView,
    investor: Address,
    to: Option<Address>,
) -> Result<Part> {
    let request = match to {
        Some(to) => wallet.call(view.address, &FixedPriceSale::refundToCall { to }, U256::ZERO),
        None => wallet.call(view.address, &FixedPriceSale::refundForCall { investor }, U256::ZERO),
    };
    let what = "refund the money";
    wallet.simulate(what, &request, &view.about()).await.map_err(|e| e.context(NotSent))?;
    let receipt = wallet.send(what, request, &view.about()).await?;
    let included = Included::new(&receipt);
    if let Some(e) = find_event::<FixedPriceSale::ExcessRefunded>(&receipt, view.address) {
        return Ok(Part { what: "excess", amount: view.payment.amount(e.amount), to: e.to, included });
    }
    let e = get_event::<FixedPriceSale::Refunded>(&receipt, view.address)?;
    Ok(Part { what: "paid", amount: view.payment.amount(e.amount), to: e.to, included })
}

async fn refund_from_vault(wallet: &Wallet, view: &SaleView, investor: Address, to: Option<Address>) -> Result<Part> {
    let request = match to {
        Some(to) => wallet.call(view.vault, &RefundVault::refundToCall { to }, U256::ZERO),
        None => wallet.call(view.vault, &RefundVault::refundForCall { investor }, U256::ZERO),
    };
    let what = "refund the rest";
    wallet.simulate(what, &request, &view.about()).await.map_err(|e| e.context(NotSent))?;
    let receipt = wallet.send(what, request, &view.about()).await?;
    let e = get_event::<RefundVault::RestRefunded>(&receipt, view.vault)?;
    Ok(Part { what: "rest", amount: view.payment.amount(e.amount), to: e.to, included: Included::new(&receipt) })
}

impl Part {
    /// Rows for a table.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let name = match self.what {
            "excess" => "excess refunded",
            "rest" => "share of the rest",
            _ => "refunded",
        };
        let mut rows = vec![(name, self.amount.exact())];
        rows.extend(self.included.rows());
        rows
    }
}

impl Report for Refunded {
    fn text(&self) -> String {
        let mut rows =
            vec![("sale", self.sale.to_string()), ("investor", self.investor.to_string()), ("to", self.to.to_string())];
        rows.extend(self.parts.iter().flat_map(Part::rows));
        table(&rows)
    }
}
