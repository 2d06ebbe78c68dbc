//! A sale and who acts on it: what most commands begin with.

use alloy::{eips::BlockId, primitives::Address, rpc::types::TransactionReceipt, sol_types::SolEvent};
use anyhow::Result;
use clap::Args;

use super::{failure::Failure, printer::Printer, send::Wallet, view::SaleView};
use crate::config::{KeyArgs, NodeArgs, parse_address};

/// The sale, the key and the node.
#[derive(Args, Clone, Debug)]
pub struct SaleTarget {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    pub sale: Address,

    /// Who signs.
    #[command(flatten)]
    pub key: KeyArgs,

    /// Where.
    #[command(flatten)]
    pub node: NodeArgs,
}

impl SaleTarget {
    /// Connects, and reads what the sale is.
    ///
    /// # Errors
    /// Where the node cannot be reached, there is no key, or the address is no sale.
    pub async fn connect(&self, printer: Printer) -> Result<(Wallet, SaleView)> {
        let wallet = Wallet::connect(&self.node, &self.key, printer).await?;
        let view = SaleView::read(&wallet.node, self.sale, BlockId::latest()).await?;
        Ok((wallet, view))
    }
}

/// The first event of a kind that a contract emitted in a transaction.
pub fn find_event<E: SolEvent>(receipt: &TransactionReceipt, emitter: Address) -> Option<E> {
    let logs = receipt.logs().iter().filter(|l| l.address() == emitter);
    logs.filter_map(|l| l.log_decode::<E>().ok()).map(|l| l.inner.data).next()
}

/// The same where the contract must have emitted one.
///
/// # Errors
/// A [`Failure`] for a contract that succeeds and says nothing: it is none of ours.
pub fn get_event<E: SolEvent>(receipt: &TransactionReceipt, emitter: Address) -> Result<E> {
    find_event(receipt, emitter).ok_or_else(|| {
        Failure::new(
            "nothing was done",
            "the transaction was included, but the contract did not say what it did",
            "check that the address is one of this system's contracts",
        )
    })
}
