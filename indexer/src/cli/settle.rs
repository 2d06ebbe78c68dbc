//! `crowdsale sale close`, `sale cancel` and `release`: the ends of a sale.

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;

use super::{
    printer::Printer,
    session::{KeyArgs, NodeArgs, SaleOnChain},
    status::outcome_name,
};
use crate::contracts::{
    FixedPriceSale::{Cancelled, Closed, UnsoldReturned},
    RefundVault::{self, Released},
};
use alloy::rpc::types::TransactionReceipt;

/// Latches the outcome of a sale that ended or is sold out. Anyone may.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale sale close 0x… --dev-account 0")]
pub struct CloseArgs {
    #[command(flatten)]
    of: SaleArgs,
}

/// Calls a sale off, so that everybody can have the money back: the owner's, before the end and below the soft cap.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale sale cancel 0x… --dev-account 1")]
pub struct CancelArgs {
    #[command(flatten)]
    of: SaleArgs,
}

/// Pays the money of a successful sale to its beneficiary. Anyone may.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale release 0x… --dev-account 0")]
pub struct ReleaseArgs {
    #[command(flatten)]
    of: SaleArgs,
}

/// Which sale, and who signs.
#[derive(Args, Debug)]
pub struct SaleArgs {
    /// The sale.
    #[arg(value_name = "SALE")]
    sale: Address,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Closes once.
pub async fn close(CloseArgs { of }: CloseArgs, printer: &Printer) -> Result<()> {
    let session = of.node.connect_with(&of.key).await?;
    let sale = session.sale(of.sale).await?;
    let receipt = session.send("closing", sale.contract.close(), &sale.units, printer).await?;
    let closed = receipt.decoded_log::<Closed>();
    let (outcome, raised) = closed.map_or(("unknown", U256::ZERO), |e| (outcome_name(e.outcome), e.raised));
    print(printer, outcome, raised, &sale, &receipt);
    Ok(())
}

/// Cancels once.
pub async fn cancel(CancelArgs { of }: CancelArgs, printer: &Printer) -> Result<()> {
    let session = of.node.connect_with(&of.key).await?;
    let sale = session.sale(of.sale).await?;
    let receipt = session.send("cancelling", sale.contract.cancel(), &sale.units, printer).await?;
    let raised = receipt.decoded_log::<Cancelled>().map_or(U256::ZERO, |e| e.raised);
    print(printer, "cancelled", raised, &sale, &receipt);
    Ok(())
}

fn print(printer: &Printer, outcome: &str, raised: U256, sale: &SaleOnChain, receipt: &TransactionReceipt) {
    let mut rows = vec![("outcome", outcome.to_owned()), ("raised", sale.units.currency.write(raised))];
    match receipt.decoded_log::<UnsoldReturned>() {
        Some(e) if e.to.is_zero() => rows.push(("burnt", sale.units.token.write(e.tokens))),
        Some(e) => rows.push(("unsold", format!("{} to {}", sale.units.token.write(e.tokens), e.to))),
        None => {}
    }
    rows.push(("transaction", receipt.transaction_hash.to_string()));
    printer.table("the outcome is latched, for ever", &rows);
}

/// Releases once.
pub async fn release(ReleaseArgs { of }: ReleaseArgs, printer: &Printer) -> Result<()> {
    let session = of.node.connect_with(&of.key).await?;
    let sale = session.sale(of.sale).await?;
    let vault = RefundVault::new(sale.contract.vault().call().await?, session.provider.clone());
    let receipt = session.send("releasing", vault.release(), &sale.units, printer).await?;
    let released = receipt.decoded_log::<Released>();
    let (to, amount) = released.map_or((Address::ZERO, U256::ZERO), |e| (e.beneficiary, e.amount));
    let rows = [
        ("released", sale.units.currency.write(amount)),
        ("to", to.to_string()),
        ("transaction", receipt.transaction_hash.to_string()),
    ];
    printer.table("released", &rows);
    Ok(())
}
