//! `withdraw`: all that an investor paid, within the cooling-off.

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        printer::{Printer, Report, table},
        send::Included,
        target::{SaleTarget, get_event},
        units::Money,
    },
    config::parse_address,
    contracts::FixedPriceSale,
    types::Addr,
};

/// Takes a contribution back within the cooling-off of the sale
///
/// All that the signer has paid comes back, and the position is given up. How long that is possible
/// follows from the sale's terms: crowdsale sale status SALE.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale withdraw $SALE --private-key-file key.txt
  crowdsale withdraw $SALE --to $OTHER --private-key-file key.txt")]
pub struct WithdrawArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// Another receiver: for an address that cannot receive
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    to: Option<Address>,
}

#[derive(Debug, Serialize)]
struct Withdrawn {
    sale: Addr,
    investor: Addr,
    to: Addr,
    amount: Money,
    /// That are free again.
    tokens: Money,
    /// The sale's total after it.
    raised: Money,
    #[serde(flatten)]
    included: Included,
}

/// Runs `withdraw`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn withdraw(args: WithdrawArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let request = match args.to {
        Some(to) => wallet.call(view.address, &FixedPriceSale::withdrawToCall { to }, U256::ZERO),
        None => wallet.call(view.address, &FixedPriceSale::withdrawCall {}, U256::ZERO),
    };
    let receipt = wallet.send("withdraw the contribution", request, &view.about()).await?;
    let e: FixedPriceSale::Withdrawn = get_event(&receipt, view.address)?;
    printer.result(&Withdrawn {
        sale: Addr(view.address),
        investor: Addr(e.investor),
        to: Addr(e.to),
        amount: view.payment.amount(e.amount),
        tokens: view.token.amount(e.tokens),
        raised: view.payment.amount(e.raised),
        included: Included::new(&receipt),
    })
}

impl Report for Withdrawn {
    fn text(&self) -> String {
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("investor", self.investor.to_string()),
            ("withdrawn", self.amount.exact()),
            ("to", self.to.to_string()),
            ("tokens given up", self.tokens.exact()),
            ("raised now", self.raised.exact()),
        ];
        rows.extend(self.included.rows());
        table(&rows)
    }
}
