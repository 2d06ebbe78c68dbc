//! `crowdsale claim` and `crowdsale refund`: how investors leave, with tokens or with their money.

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;

use super::{
    printer::Printer,
    session::{KeyArgs, NodeArgs},
};
use crate::contracts::FixedPriceSale::{Claimed, Refunded};

/// Whose, and where to.
#[derive(Args, Debug)]
pub struct Entitled {
    /// The sale.
    #[arg(value_name = "SALE")]
    sale: Address,
    /// Whose position; the signer's if not given. Anyone may do this for another, it pays the other.
    #[arg(long = "for", value_name = "ADDRESS", conflicts_with = "to")]
    investor: Option<Address>,
    /// Another address to send to, for one's own position: where one's address is blocked or cannot receive.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Takes the tokens of a successful sale.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale claim 0x… --dev-account 3")]
pub struct ClaimArgs {
    #[command(flatten)]
    of: Entitled,
}

/// Takes back exactly what was paid into a failed or cancelled sale.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale refund 0x… --dev-account 3")]
pub struct RefundArgs {
    #[command(flatten)]
    of: Entitled,
}

/// Claims once.
pub async fn claim(ClaimArgs { of }: ClaimArgs, printer: &Printer) -> Result<()> {
    let session = of.node.connect_with(&of.key).await?;
    let sale = session.sale(of.sale).await?;
    let receipt = match of.to {
        Some(to) => session.send("claiming", sale.contract.claimTo(to), &sale.units, printer).await?,
        None => {
            let call = sale.contract.claim(of.investor.unwrap_or(session.sender));
            session.send("claiming", call, &sale.units, printer).await?
        }
    };
    let (to, tokens) = receipt.decoded_log::<Claimed>().map_or((Address::ZERO, U256::ZERO), |e| (e.to, e.tokens));
    let rows = [
        ("tokens", sale.units.token.write(tokens)),
        ("to", to.to_string()),
        ("transaction", receipt.transaction_hash.to_string()),
    ];
    printer.table("claimed", &rows);
    Ok(())
}

/// Refunds once.
pub async fn refund(RefundArgs { of }: RefundArgs, printer: &Printer) -> Result<()> {
    let session = of.node.connect_with(&of.key).await?;
    let sale = session.sale(of.sale).await?;
    let receipt = match of.to {
        Some(to) => session.send("refunding", sale.contract.refundTo(to), &sale.units, printer).await?,
        None => {
            let call = sale.contract.refund(of.investor.unwrap_or(session.sender));
            session.send("refunding", call, &sale.units, printer).await?
        }
    };
    let (to, amount) = receipt.decoded_log::<Refunded>().map_or((Address::ZERO, U256::ZERO), |e| (e.to, e.amount));
    let rows = [
        ("refunded", sale.units.currency.write(amount)),
        ("to", to.to_string()),
        ("transaction", receipt.transaction_hash.to_string()),
    ];
    printer.table("refunded", &rows);
    Ok(())
}
