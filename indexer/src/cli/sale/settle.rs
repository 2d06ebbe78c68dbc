//! `sale close`, `sale cancel`: latch the outcome. `sale return-unsold`: sends home what they could not.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        printer::{Printer, Report, table},
        send::{About, Included, Wallet},
        units::Money,
        view::SaleView,
    },
    config::{KeyArgs, NodeArgs, parse_address},
    contracts::FixedPriceSale,
    types::Addr,
};

/// Closes a sale that has ended or is sold out: it succeeds or fails by its soft cap
///
/// After the end anyone may do this. Of a sale that is sold out before, and has no cooling-off, compliance may; anyone where
/// there is none. The outcome is for ever; unsold tokens go where the sale file says.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale close $SALE --private-key-file key.txt")]
pub struct CloseArgs {
    #[command(flatten)]
    common: Common,
}

/// Cancels a sale before its end and below its soft cap: everybody can have the money back
///
/// Only the owner may do this. The outcome is for ever; all tokens of the sale go back to the owner.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale cancel $SALE --private-key-file owner.txt")]
pub struct CancelArgs {
    #[command(flatten)]
    common: Common,
}

/// Sends unsold tokens where the sale file says, if they did not leave when the sale was closed or cancelled
///
/// Anyone may do this. Needed only where the token refused the transfer then, or the gas did not suffice for it.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale return-unsold $SALE --private-key-file key.txt")]
pub struct ReturnUnsoldArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
struct Common {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

/// What a transfer or a burn of any sensible token needs.
const UNSOLD_GAS: u64 = 300_000;

#[derive(Debug, Serialize)]
struct Returned {
    sale: Addr,
    unsold_tokens: Money,
    unsold_to: Addr,
    #[serde(flatten)]
    included: Included,
}

#[derive(Debug, Serialize)]
struct Settled {
    sale: Addr,
    outcome: &'static str,
    raised: Money,
    sold: Money,
    unsold_tokens: Option<Money>,
    unsold_to: Option<Addr>,
    #[serde(flatten)]
    included: Included,
}

/// Runs `sale close`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn close(args: CloseArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(&args.common, printer).await?;
    let request = wallet.call(view.address, &FixedPriceSale::closeCall {}, U256::ZERO);
    settle(&wallet, &view, "close the sale", request).await
}

/// Runs `sale cancel`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn cancel(args: CancelArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(&args.common, printer).await?;
    let request = wallet.call(view.address, &FixedPriceSale::cancelCall {}, U256::ZERO);
    settle(&wallet, &view, "cancel the sale", request).await
}

/// Runs `sale return-unsold`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn return_unsold(args: ReturnUnsoldArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = connect(&args.common, printer).await?;
    let request = wallet.call(view.address, &FixedPriceSale::returnUnsoldCall {}, U256::ZERO);
    let receipt = wallet.send("return the unsold tokens", request, &view.about()).await?;
    let logs = receipt.logs().iter().filter(|l| l.address() == view.address);
    let (to, tokens) = logs
        .filter_map(|l| l.log_decode::<FixedPriceSale::UnsoldReturned>().ok())
        .map(|e| (e.inner.to, e.inner.tokens))
        .next()
        .unwrap_or_default();
    printer.result(&Returned {
        sale: Addr(view.address),
        unsold_tokens: view.token.amount(tokens),
        unsold_to: Addr(to),
        included: Included::new(&receipt),
    })
}

async fn connect(common: &Common, printer: Printer) -> Result<(Wallet, SaleView)> {
    let wallet = Wallet::connect(&common.node, &common.key, printer).await?;
    let view = SaleView::read(&wallet.node, common.sale, BlockId::latest()).await?;
    Ok((wallet, view))
}

async fn settle(
    wallet: &Wallet,
    view: &SaleView,
    what: &str,
    request: alloy::rpc::types::TransactionRequest,
) -> Result<()> {
    // The contract latches the outcome even where the unsold tokens cannot be sent home; they shall be able to.
    let about = About { gas_reserve: UNSOLD_GAS, ..view.about() };
    let receipt = wallet.send(what, request, &about).await?;
    let (mut outcome, mut raised, mut sold, mut unsold) = ("unknown", U256::ZERO, U256::ZERO, None);
    for log in receipt.logs().iter().filter(|l| l.address() == view.address) {
        if let Ok(e) = log.log_decode::<FixedPriceSale::Closed>() {
            let e = e.inner.data;
            outcome = if e.outcome == 1 { "succeeded" } else { "failed" };
            (raised, sold) = (e.raised, e.sold);
        } else if let Ok(e) = log.log_decode::<FixedPriceSale::Cancelled>() {
            outcome = "cancelled";
            (raised, sold) = (e.inner.raised, e.inner.sold);
        } else if let Ok(e) = log.log_decode::<FixedPriceSale::UnsoldReturned>() {
            unsold = Some((e.inner.to, e.inner.tokens));
        }
    }
    wallet.printer.result(&Settled {
        sale: Addr(view.address),
        outcome,
        raised: view.payment.amount(raised),
        sold: view.token.amount(sold),
        unsold_tokens: unsold.map(|(_, tokens)| view.token.amount(tokens)),
        unsold_to: unsold.map(|(to, _)| Addr(to)),
        included: Included::new(&receipt),
    })?;
    if unsold.is_none() && sold < view.terms.tokensForSale.to::<U256>() {
        let why =
            "the unsold tokens are still in the sale: their token refused the transfer, or the gas did not suffice";
        wallet.printer.note(format!("{why}; try again with: crowdsale sale return-unsold {}", view.address));
    }
    wallet.printer.note(match outcome {
        "succeeded" => format!(
            "next: investors claim (crowdsale claim {0}), the money is released (crowdsale release {0})",
            view.address
        ),
        _ => format!("next: investors take their money back (crowdsale refund {})", view.address),
    });
    Ok(())
}

/// Where unsold tokens went.
fn unsold_text(tokens: &Money, to: Addr) -> String {
    if to.0.is_zero() { format!("{}, burnt", tokens.exact()) } else { format!("{}, returned to {to}", tokens.exact()) }
}

impl Report for Returned {
    fn text(&self) -> String {
        let unsold = unsold_text(&self.unsold_tokens, self.unsold_to);
        let mut rows = vec![("sale", self.sale.to_string()), ("unsold", unsold)];
        rows.extend(self.included.rows());
        table(&rows)
    }
}

impl Report for Settled {
    fn text(&self) -> String {
        let unsold = match (&self.unsold_tokens, self.unsold_to) {
            (Some(tokens), Some(to)) => unsold_text(tokens, to),
            _ => "none left the sale".to_owned(),
        };
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("outcome", self.outcome.to_owned()),
            ("raised", self.raised.exact()),
            ("sold", self.sold.exact()),
            ("unsold", unsold),
        ];
        rows.extend(self.included.rows());
        table(&rows)
    }
}
