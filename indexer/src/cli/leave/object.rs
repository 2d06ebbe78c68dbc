//! `object`: an investor votes against paying the beneficiary any more.

use alloy::primitives::U256;
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        printer::{Printer, Report, table},
        send::Included,
        target::{SaleTarget, find_event, get_event},
        units::Money,
    },
    contracts::RefundVault,
    types::Addr,
};

/// Objects to paying the beneficiary any more
///
/// An investor's objection weighs what the sale kept of its money, and cannot be taken back. Once the objections exceed the
/// share in the terms, the release stops for ever, and what is left goes back to the investors: crowdsale refund SALE.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale object $SALE --private-key-file key.txt")]
pub struct ObjectArgs {
    #[command(flatten)]
    target: SaleTarget,
}

#[derive(Debug, Serialize)]
struct Objected {
    sale: Addr,
    vault: Addr,
    investor: Addr,
    weight: Money,
    /// All objections.
    objected: Money,
    /// More than this stops the release.
    needed: Money,
    stopped: bool,
    /// Goes back to the investors, where the release is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<Money>,
    #[serde(flatten)]
    included: Included,
}

/// Runs `object`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn object(args: ObjectArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let request = wallet.call(view.vault, &RefundVault::objectCall {}, U256::ZERO);
    let receipt = wallet.send("object", request, &view.about()).await?;
    let e: RefundVault::Objected = get_event(&receipt, view.vault)?;
    let stopped = find_event::<RefundVault::TapStopped>(&receipt, view.vault);
    let objections = RefundVault::new(view.vault, &wallet.node.provider).objections().call().await;
    let objections = objections.map_err(|e| wallet.node.read_failed("cannot read the objections", &e))?;
    printer.result(&Objected {
        sale: Addr(view.address),
        vault: Addr(view.vault),
        investor: Addr(e.investor),
        weight: view.payment.amount(e.weight),
        objected: view.payment.amount(e.objected),
        needed: view.payment.amount(objections.needed),
        stopped: stopped.is_some(),
        rest: stopped.as_ref().map(|s| view.payment.amount(s.rest)),
        included: Included::new(&receipt),
    })?;
    if stopped.is_some() {
        printer.note(format!("next: investors take their share of the rest (crowdsale refund {})", view.address));
    }
    Ok(())
}

impl Report for Objected {
    fn text(&self) -> String {
        let outcome = match &self.rest {
            Some(rest) => format!("stopped for ever; {} goes back to the investors", rest.exact()),
            None => format!("goes on; it stops at more than {}", self.needed.exact()),
        };
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("investor", self.investor.to_string()),
            ("weight", self.weight.exact()),
            ("objections", self.objected.exact()),
            ("release", outcome),
        ];
        rows.extend(self.included.rows());
        table(&rows)
    }
}
