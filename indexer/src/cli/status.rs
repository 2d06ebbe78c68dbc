//! `crowdsale sale status`: a sale as the chain has it, without an indexer.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, U256},
    providers::Provider,
};
use anyhow::{Context, Result};
use clap::Args;

use super::{printer::Printer, session::NodeArgs};
use crate::types::Amount;

/// Says how a sale stands, read from the chain at one block.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale sale status 0x… --investor 0x…")]
pub struct StatusArgs {
    /// The sale.
    #[arg(value_name = "SALE")]
    sale: Address,
    /// Also says how this investor stands.
    #[arg(long, value_name = "ADDRESS")]
    investor: Option<Address>,
    /// Reads at the last finalized block: what no reorg can change.
    #[arg(long)]
    finalized: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Reads and prints.
pub async fn run(args: StatusArgs, printer: &Printer) -> Result<()> {
    let session = args.node.connect().await?;
    let tag = if args.finalized { BlockNumberOrTag::Finalized } else { BlockNumberOrTag::Latest };
    let block = session.provider.get_block(BlockId::Number(tag)).await?.context("the node has no such block")?;
    // Everything is read at this one block, by its hash.
    let id = BlockId::hash(block.header.hash);
    let sale = session.sale(args.sale).await?;
    let (contract, terms, units) = (&sale.contract, &sale.terms, &sale.units);
    let state = contract.state().block(id).call().await.context("the sale cannot be read at that block")?;
    let totals = contract.totals().block(id).call().await?;

    let money = |raw: U256| units.currency.write(raw);
    let mut rows = vec![
        ("state", state_name(state).to_owned()),
        ("raised", money(totals.raised)),
        ("soft cap", money(terms.softCap.to())),
        ("hard cap", money(terms.hardCap.to())),
        ("sold", units.token.write(totals.sold)),
        ("for sale", units.token.write(terms.tokensForSale.to())),
        ("opens", time(terms.opens.to())),
        ("closes", time(terms.phases.last().map_or(0, |p| p.end.to()))),
    ];
    if let Ok(active) = contract.activePhase().block(id).call().await {
        // Whole units for one whole token, as far as it can be written exactly.
        let one = U256::from(10).pow(U256::from(units.token.decimals));
        let price = U256::from(active.phase.price) * one / U256::from(10).pow(U256::from(18));
        let last = terms.phases.len();
        rows.push(("phase", format!("{} of {last}, until {}", active.index + U256::ONE, time(active.phase.end.to()))));
        rows.push(("price", format!("{} a token", money(price))));
    }
    if let Some(investor) = args.investor {
        let position = contract.positionOf(investor).block(id).call().await?;
        rows.push(("paid", money(position.paid)));
        rows.push(("tokens", units.token.write(position.tokens)));
        rows.push(("base units paid", Amount(position.paid).to_string()));
    }
    let finalized = session.provider.get_block(BlockId::finalized()).await?.map_or(0, |b| b.header.number);
    let finality = if block.header.number <= finalized { "finalized" } else { "latest: a reorg can change it" };
    rows.push(("block", format!("{} {}", block.header.number, block.header.hash)));
    rows.push(("block time", time(block.header.timestamp)));
    rows.push(("finality", finality.to_owned()));
    printer.table(&format!("sale {}", args.sale), &rows);
    Ok(())
}

fn state_name(state: u8) -> &'static str {
    ["upcoming", "open", "ended", "succeeded", "failed", "cancelled"]
        .get(usize::from(state))
        .copied()
        .unwrap_or("unknown")
}

/// Name of a latched outcome.
pub fn outcome_name(outcome: u8) -> &'static str {
    ["none", "succeeded", "failed", "cancelled"].get(usize::from(outcome)).copied().unwrap_or("unknown")
}

fn time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|s| jiff::Timestamp::from_second(s).ok())
        .map_or_else(|| seconds.to_string(), |t| t.to_string())
}
