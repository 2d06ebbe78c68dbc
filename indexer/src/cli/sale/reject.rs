//! `sale reject`: compliance takes an investor out of a sale, and the money goes back at once.

use alloy::primitives::Address;
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::roles::act;
use crate::{
    cli::{
        leave::{RefundPart, refund_from_sale},
        printer::{Printer, Report, table},
        send::Included,
        target::{SaleTarget, get_event},
        units::Money,
    },
    config::parse_address,
    contracts::FixedPriceSale,
    types::Addr,
};

/// Rejects an investor before the end of a sale, and sends the money back: compliance's
///
/// The position leaves the sale for ever, and the investor cannot contribute again. The money goes back to the investor in a
/// second transaction; where that fails, it waits for the investor, and nobody else can have it.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale reject $SALE $INVESTOR --private-key-file compliance.txt")]
pub struct RejectArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// Who is rejected
    #[arg(value_name = "INVESTOR", value_parser = parse_address)]
    investor: Address,
}

#[derive(Debug, Serialize)]
struct Rejected {
    sale: Addr,
    investor: Addr,
    /// All that was paid.
    amount: Money,
    /// That are free again.
    tokens: Money,
    /// The sale's total after it.
    raised: Money,
    /// `None` where the money could not be sent: it waits for the investor.
    refund: Option<RefundPart>,
    #[serde(flatten)]
    included: Included,
}

/// Runs `sale reject`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn run(args: RejectArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let call = FixedPriceSale::rejectCall { investor: args.investor };
    let (receipt, included) = act(&wallet, &view, &format!("reject {}", args.investor), &call).await?;
    let e: FixedPriceSale::Rejected = get_event(&receipt, view.address)?;
    // The rejection stands, whatever becomes of the refund.
    let refund = refund_from_sale(&wallet, &view, args.investor, None).await;
    let failed = refund.as_ref().err().map(|e| format!("{e:#}"));
    printer.result(&Rejected {
        sale: Addr(view.address),
        investor: Addr(e.investor),
        amount: view.payment.amount(e.amount),
        tokens: view.token.amount(e.tokens),
        raised: view.payment.amount(e.raised),
        refund: refund.ok(),
        included,
    })?;
    if let Some(why) = failed {
        printer.note(format!(
            "warning: {} is rejected, but the money could not be sent: {why}; it waits for the investor: crowdsale refund {} --to ADDRESS",
            args.investor, view.address
        ));
    }
    Ok(())
}

impl Report for Rejected {
    fn text(&self) -> String {
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("rejected", self.investor.to_string()),
            ("had paid", self.amount.exact()),
            ("tokens given up", self.tokens.exact()),
            ("raised now", self.raised.exact()),
        ];
        rows.extend(self.included.rows());
        match &self.refund {
            Some(part) => rows.extend(part.rows()),
            None => rows.push(("refunded", "not yet: it waits for the investor".to_owned())),
        }
        table(&rows)
    }
}
