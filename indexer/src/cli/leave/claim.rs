//! `claim`: the tokens of a sale that succeeded, and the money beyond the investor's share.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, U256},
};
use anyhow::Result;
use clap::Args;

use super::{Left, Position};
use crate::{
    cli::{
        clock,
        failure::Failure,
        printer::Printer,
        send::{Included, Wallet},
        target::find_event,
        view::SaleView,
    },
    contracts::FixedPriceSale,
    types::Addr,
};

/// Sends an investor the tokens of a sale that succeeded, and what was paid beyond the investor's share
///
/// Where the tokens vest, it sends those that are free, says when more are, and can be repeated. Anyone may do this for any
/// investor: all goes to the investor. Only the investor itself can name another receiver.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale claim $SALE --private-key-file key.txt
  crowdsale claim $SALE --for $INVESTOR --dev-account 5")]
pub struct ClaimArgs {
    #[command(flatten)]
    position: Position,
}

/// Runs `claim`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn claim(args: ClaimArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.position.target.connect(printer).await?;
    let investor = args.position.investor.unwrap_or(wallet.address);
    let request = match args.position.to {
        Some(to) => wallet.call(view.address, &FixedPriceSale::claimToCall { to }, U256::ZERO),
        None => wallet.call(view.address, &FixedPriceSale::claimCall { investor }, U256::ZERO),
    };
    let what = "claim the tokens";
    if let Err(refused) = wallet.simulate(what, &request, &view.about()).await {
        return Err(explained(&wallet, &view, investor, refused).await);
    }
    let receipt = wallet.send(what, request, &view.about()).await?;
    let claimed = find_event::<FixedPriceSale::Claimed>(&receipt, view.address);
    let excess = find_event::<FixedPriceSale::ExcessRefunded>(&receipt, view.address);

    let block = receipt.block_hash.map_or(BlockId::latest(), Into::into);
    let sale = FixedPriceSale::new(view.address, &wallet.node.provider);
    let (position, settled) = (sale.positionOf(investor).block(block), sale.settledAt().block(block));
    let (position, settled) = tokio::join!(position.call(), settled.call());
    let failed = |e| wallet.node.read_failed("the tokens are claimed, but the rest cannot be read", &e);
    let (position, settled) = (position.map_err(failed)?, settled.map_err(failed)?.saturating_to::<u64>());
    let vesting = &view.terms.vesting;
    let is_rest = !position.tokens.is_zero();
    let to = claimed.as_ref().map(|e| e.to).or(excess.as_ref().map(|e| e.to)).unwrap_or(investor);
    let now = wallet.node.block(BlockNumberOrTag::Latest).await?.timestamp;
    let cliff = settled.saturating_add(vesting.cliff.into());
    printer.result(&Left {
        sale: Addr(view.address),
        investor: Some(Addr(investor)),
        to: Addr(to),
        amount: view.token.amount(claimed.map(|e| e.tokens).unwrap_or_default()),
        excess: excess.map(|e| view.payment.amount(e.amount)),
        rest: is_rest.then(|| view.token.amount(position.tokens)),
        next_unlock: is_rest.then(|| clock::rfc3339(cliff.max(now.saturating_add(1)))),
        complete: is_rest.then(|| clock::rfc3339(settled.saturating_add(vesting.duration.into()))),
        included: Included::new(&receipt),
        action: "claimed",
    })
}

/// Why a claim was refused, with what can be had all the same: a rejected investor's money, or the excess, which does not
/// depend on the token. No function says who was rejected, but nothing was kept of them, and they alone are refunded early.
async fn explained(wallet: &Wallet, view: &SaleView, investor: Address, refused: anyhow::Error) -> anyhow::Error {
    let refund = wallet.call(view.address, &FixedPriceSale::refundForCall { investor }, U256::ZERO);
    if wallet.simulate("refund the money", &refund, &view.about()).await.is_err() {
        return refused;
    }
    let sale = FixedPriceSale::new(view.address, &wallet.node.provider);
    let (state, stake) = (sale.state(), sale.stakeOf(investor));
    let (Ok(state), Ok(stake)) = tokio::join!(state.call(), stake.call()) else { return refused };
    if !stake.is_zero() {
        return match refused.downcast::<Failure>() {
            Ok(f) => {
                let also = format!(
                    "what was paid beyond the share comes without the tokens: crowdsale refund {}",
                    view.address
                );
                Failure::new(f.what, f.why, format!("{}; {also}", f.hint))
            }
            Err(other) => other,
        };
    }
    // After a failure or a cancellation everybody is refunded, and the contract's own error says so.
    if state > SUCCEEDED {
        return refused;
    }
    Failure::new(
        "cannot claim the tokens",
        format!("compliance has rejected {investor}, whose money waits to be taken back"),
        format!("take it back: crowdsale refund {}", view.address),
    )
}

/// The contracts' number of the state.
const SUCCEEDED: u8 = 3;
