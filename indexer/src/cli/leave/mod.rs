//! `claim`, `refund`, `withdraw`, `release`, `object`: what leaves a sale, and what stops it.

mod claim;
mod object;
mod refund;
mod release;
mod withdraw;

use alloy::primitives::Address;
use clap::Args;
use serde::Serialize;

pub use claim::{ClaimArgs, claim};
pub use object::{ObjectArgs, object};
pub use refund::{Part as RefundPart, RefundArgs, refund, refund_from_sale};
pub use release::{ReleaseArgs, release};
pub use withdraw::{WithdrawArgs, withdraw};

use super::{
    printer::{Report, table},
    send::Included,
    target::SaleTarget,
    units::Money,
};
use crate::{config::parse_address, types::Addr};

/// A position, and where what is in it goes.
#[derive(Args, Debug)]
struct Position {
    #[command(flatten)]
    target: SaleTarget,

    /// Whose position; the signer's by default
    #[arg(long = "for", value_name = "INVESTOR", value_parser = parse_address, conflicts_with = "to")]
    investor: Option<Address>,

    /// Another receiver for the signer's own position: for an address that cannot receive
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    to: Option<Address>,
}

/// What left.
#[derive(Debug, Serialize)]
struct Left {
    sale: Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    investor: Option<Addr>,
    to: Addr,
    amount: Money,
    /// Money that came back with the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    excess: Option<Money>,
    /// What is still to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<Money>,
    /// When more of the rest can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_unlock: Option<String>,
    /// When all of it can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<String>,
    #[serde(flatten)]
    included: Included,
    #[serde(skip)]
    action: &'static str,
}

impl Report for Left {
    fn text(&self) -> String {
        let mut rows = vec![("sale", self.sale.to_string())];
        rows.extend(self.investor.map(|i| ("investor", i.to_string())));
        rows.push((self.action, self.amount.exact()));
        rows.extend(self.excess.as_ref().map(|e| ("excess returned", e.exact())));
        rows.push(("to", self.to.to_string()));
        if let Some(rest) = &self.rest {
            let next = self.next_unlock.as_ref().map(|n| format!("\nmore from {n}")).unwrap_or_default();
            let complete = self.complete.as_ref().map(|c| format!("\nall of it from {c}")).unwrap_or_default();
            rows.push(("still to come", format!("{}{next}{complete}", rest.exact())));
        }
        rows.extend(self.included.rows());
        table(&rows)
    }
}
