//! `crowdsale contribute`.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolEvent,
};
use anyhow::Result;
use clap::Args;

use super::{
    Failure,
    printer::Printer,
    session::{KeyArgs, NodeArgs, SaleOnChain, Session, parse_amount},
};
use crate::contracts::{
    FixedPriceSale::{Contributed, ExcessReturned},
    SaleToken,
};

/// Contributes to a sale, for oneself or for another. What the hard cap leaves over comes back in the same transaction.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale contribute 0x… 1.5 --dev-account 3")]
pub struct ContributeArgs {
    /// The sale.
    #[arg(value_name = "SALE")]
    sale: Address,
    /// How much, in whole units of what the sale is paid in, like 1.5.
    #[arg(value_name = "AMOUNT")]
    amount: String,
    /// Whose position it becomes; the signer's if not given.
    #[arg(long = "for", value_name = "ADDRESS")]
    investor: Option<Address>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    key: KeyArgs,
}

/// Contributes once.
pub async fn run(args: ContributeArgs, printer: &Printer) -> Result<()> {
    let session = args.node.connect_with(&args.key).await?;
    let sale = session.sale(args.sale).await?;
    let amount = parse_amount(&args.amount, &sale.units.currency)?;
    let investor = args.investor.unwrap_or(session.sender);

    let mut call = sale.contract.contribute(investor, amount, Bytes::new());
    if sale.terms.currency.is_zero() {
        call = call.value(amount);
    } else {
        approve(&session, &sale, amount, printer).await?;
    }
    let receipt = session.send("contributing", call, &sale.units, printer).await?;

    let (mut accepted, mut tokens, mut paid) = (U256::ZERO, U256::ZERO, U256::ZERO);
    let mut excess = U256::ZERO;
    for log in receipt.logs().iter().filter(|l| l.address() == args.sale) {
        if let Ok(e) = Contributed::decode_log(&log.inner) {
            accepted += e.amount;
            tokens += e.tokens;
            paid = e.paid;
        } else if let Ok(e) = ExcessReturned::decode_log(&log.inner) {
            excess += e.amount;
        }
    }
    let (money, token) = (&sale.units.currency, &sale.units.token);
    let mut rows = vec![
        ("investor", investor.to_string()),
        ("accepted", money.write(accepted)),
        ("tokens", token.write(tokens)),
        ("paid in all", money.write(paid)),
    ];
    if !excess.is_zero() {
        rows.push(("returned", money.write(excess)));
    } else if accepted < amount {
        rows.push(("not taken", money.write(amount - accepted)));
    }
    rows.push(("transaction", receipt.transaction_hash.to_string()));
    rows.push(("block", receipt.block_number.unwrap_or_default().to_string()));
    printer.table("contributed", &rows);
    Ok(())
}

/// Lets the sale take exactly what it will take: less than `amount` near the hard cap.
async fn approve(session: &Session, sale: &SaleOnChain, amount: U256, printer: &Printer) -> Result<()> {
    let token = SaleToken::new(sale.terms.currency, session.provider.clone());
    let spender = *sale.contract.address();
    let balance = token.balanceOf(session.sender).call().await?;
    // Outside the open state there is nothing to quote; the contribution itself then says why.
    let needed = sale.contract.quote(amount).call().await.map_or(amount, |q| q.accepted);
    if balance < needed {
        return Err(Failure::new(
            format!(
                "{} holds {}, {} are needed",
                session.sender,
                sale.units.currency.write(balance),
                sale.units.currency.write(needed)
            ),
            "get more of the payment token, or contribute less",
        )
        .into());
    }
    if sale.contract.activePhase().call().await.is_ok()
        && token.allowance(session.sender, spender).call().await? < needed
    {
        session.send("approving the payment", token.approve(spender, needed), &sale.units, printer).await?;
    }
    Ok(())
}
