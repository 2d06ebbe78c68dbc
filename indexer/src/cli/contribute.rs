//! `contribute`: pays into a sale, with ether or an ERC-20.

use std::path::PathBuf;

use alloy::{
    eips::BlockId,
    primitives::{Address, Bytes, U256, hex},
    rpc::types::TransactionRequest,
    sol_types::SolError as _,
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    allowlist,
    failure::Failure,
    permit,
    printer::{Printer, Report, table},
    sale_file::Mode,
    send::{Included, Wallet},
    units::{Decimal, Money, UnitsError, parse_units},
    view::SaleView,
};
use crate::{
    config::{KeyArgs, NodeArgs, parse_address},
    contracts::{FixedPriceSale, SaleToken},
    explain::{Asker, explain},
    gates::allowlist::Allowlist,
    types::Addr,
};

/// Contributes to a sale
///
/// AMOUNT is in whole units of what the sale is paid with: 1.5 is one and a half ether, or one and a half dollars. Where that
/// is a token, exactly the amount needed is approved: with a signature in the same transaction if the token can (ERC-2612), else
/// with a transaction before it. What goes beyond the hard cap stays with the payer.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale contribute $SALE 1.5 --private-key-file key.txt
  crowdsale contribute $SALE 250 --for $INVESTOR --dev-account 5
  crowdsale contribute $SALE 1.5 --allowlist TREE.json --private-key-file key.txt
  crowdsale contribute $SALE 1.5 --eligibility $VOUCHER --private-key-file key.txt")]
pub struct ContributeArgs {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    /// In whole units of the payment currency, such as 1.5
    #[arg(value_name = "AMOUNT", value_parser = amount_text, allow_negative_numbers = true)]
    amount: String,

    /// Who gets the position, and the tokens or the refund; the signer by default
    #[arg(long = "for", value_name = "INVESTOR", value_parser = parse_address)]
    investor: Option<Address>,

    /// The sale's allowlist, in which the investor's proof is looked up
    #[arg(long, value_name = "TREE.json", conflicts_with = "eligibility")]
    allowlist: Option<PathBuf>,

    /// The investor's proof, as `crowdsale allowlist prove`, `crowdsale voucher issue` or the API gave it
    #[arg(long, value_name = "HEX", value_parser = bytes_text)]
    eligibility: Option<Bytes>,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Contributed {
    sale: Addr,
    investor: Addr,
    payer: Addr,
    accepted: Money,
    /// None where all share what is sold, or pay one price, once the sale is closed.
    tokens: Option<Money>,
    /// Of the amount that was named: beyond the hard cap, sent back or never taken.
    excess: Money,
    /// Investor's total.
    paid: Money,
    parts: Vec<Part>,
    /// How a token was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<ApprovedBy>,
    #[serde(flatten)]
    included: Included,
}

/// How a token was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ApprovedBy {
    /// With a signature in the contribution itself.
    Permit,
    /// With a transaction before it.
    Transaction,
    /// Before this command.
    Earlier,
}

/// What fell into one phase.
#[derive(Debug, Serialize)]
struct Part {
    /// From one.
    phase: u64,
    amount: Money,
    /// As of all.
    tokens: Option<Money>,
}

/// A decimal number, read when its decimals are known.
pub(super) fn amount_text(text: &str) -> Result<String, UnitsError> {
    Decimal::parse(text).map(|_| text.to_owned())
}

/// Bytes in hexadecimal.
pub(super) fn bytes_text(text: &str) -> Result<Bytes, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map(Bytes::from).map_err(|_| "write 0x and pairs of hexadecimal digits, all of them".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Where the amount cannot be, the contract refuses, or the node fails: in words, before anything is sent.
pub async fn run(args: ContributeArgs, printer: Printer) -> Result<()> {
    let list = args.allowlist.as_deref().map(allowlist::load).transpose()?;
    let wallet = Wallet::connect(&args.node, &args.key, printer).await?;
    let view = SaleView::read(&wallet.node, args.sale, BlockId::latest()).await?;
    let amount = parse_units(&args.amount, view.payment.decimals).map_err(|e| {
        let symbol = &view.payment.symbol;
        Failure::new("cannot contribute", format!("{:?} {symbol} {e}", args.amount), "write an amount such as 1.5")
    })?;
    let investor = args.investor.unwrap_or(wallet.address);
    let eligibility = match &list {
        Some(list) => prove(list, investor, &view, printer)?,
        None => args.eligibility.unwrap_or_default(),
    };
    // A contribution that was sent before and is still on its way must not be doubled by mistake.
    if wallet.count_waiting().await? != 0 {
        return Err(wallet.still_waiting());
    }
    let what = format!("contribute {}", view.payment.amount(amount));
    let (request, approved_by) = if view.takes_ether() {
        let call = FixedPriceSale::contributeCall { investor, amount, eligibility };
        (wallet.call(view.address, &call, amount), None)
    } else {
        let needed = check_token(&wallet, &view, investor, amount).await?;
        let (request, by) = approved(&wallet, &view, investor, amount, needed, eligibility).await?;
        (request, Some(by))
    };
    let receipt = wallet.send(&what, request, &view.about()).await?;

    let (mut accepted, mut tokens, mut paid, mut parts) = (U256::ZERO, U256::ZERO, U256::ZERO, Vec::new());
    for log in receipt.logs().iter().filter(|l| l.address() == view.address) {
        if let Ok(e) = log.log_decode::<FixedPriceSale::Contributed>() {
            let e = e.inner.data;
            accepted += e.amount;
            tokens += e.tokens;
            paid = e.paid;
            parts.push(Part {
                phase: e.phase.saturating_to::<u64>().saturating_add(1),
                amount: view.payment.amount(e.amount),
                tokens: (!e.tokens.is_zero()).then(|| view.token.amount(e.tokens)),
            });
        }
    }
    printer.result(&Contributed {
        sale: Addr(view.address),
        investor: Addr(investor),
        payer: Addr(wallet.address),
        accepted: view.payment.amount(accepted),
        tokens: (!tokens.is_zero() || accepted.is_zero()).then(|| view.token.amount(tokens)),
        excess: view.payment.amount(amount.saturating_sub(accepted)),
        paid: view.payment.amount(paid),
        parts,
        approved_by,
        included: Included::new(&receipt),
    })
}

/// The investor's proof from a list.
fn prove(list: &Allowlist, investor: Address, view: &SaleView, printer: Printer) -> Result<Bytes> {
    let member = list.find(investor).ok_or_else(|| allowlist::not_listed(investor, list))?;
    let payment = &view.payment;
    if list.decimals() != payment.decimals {
        printer.note(format!(
            "warning: the list was built with {} decimals, and {} has {}: the limit of {investor} is {}",
            list.decimals(),
            payment.symbol,
            payment.decimals,
            payment.amount(member.max_paid.get()),
        ));
    }
    Ok(member.eligibility())
}

/// The contribution of `amount`, of which `needed` will be taken, and how that is approved.
async fn approved(
    wallet: &Wallet,
    view: &SaleView,
    investor: Address,
    amount: U256,
    needed: U256,
    eligibility: Bytes,
) -> Result<(TransactionRequest, ApprovedBy)> {
    let token = view.terms.currency;
    let is_approved = wallet.allowance(token, view.address).await? >= needed;
    if !is_approved && let Some(permit) = permit::sign(wallet, token, view.address, needed).await? {
        // A permit is for the amount that the call names, so it names what will be taken.
        let call = permit.contribution(investor, needed, eligibility);
        wallet.printer.note(format!("approving {} with a signature, in one transaction", view.payment.amount(needed)));
        return Ok((wallet.call(view.address, &call, U256::ZERO), ApprovedBy::Permit));
    }
    wallet.approve(token, &view.payment, view.address, needed).await?;
    let call = FixedPriceSale::contributeCall { investor, amount, eligibility };
    let by = if is_approved { ApprovedBy::Earlier } else { ApprovedBy::Transaction };
    Ok((wallet.call(view.address, &call, U256::ZERO), by))
}

/// What will be taken of an amount of a token. It checks what the contract would check after the approval, so that nothing is
/// approved for a contribution that cannot be.
async fn check_token(wallet: &Wallet, view: &SaleView, investor: Address, amount: U256) -> Result<U256> {
    let about = view.about();
    let what = format!("contribute {}", view.payment.amount(amount));
    let refused = |data: Vec<u8>| {
        let explanation = explain(&data, &about.assets, Asker::CommandLine);
        let next = explanation.next.replace(" SALE", &format!(" {}", view.address));
        Failure::new(format!("cannot {what}"), explanation.sentence, next)
    };
    let quote = wallet.call(view.address, &FixedPriceSale::quoteCall { amount }, U256::ZERO);
    let quoted = wallet.simulate(&what, &quote, &about).await?;
    let (accepted, tokens) = <(U256, U256) as alloy::sol_types::SolValue>::abi_decode_params(&quoted)?;

    let sale = FixedPriceSale::new(view.address, &wallet.node.provider);
    let token = SaleToken::new(view.terms.currency, &wallet.node.provider);
    let (position, totals, balance) = (sale.positionOf(investor), sale.totals(), token.balanceOf(wallet.address));
    let (position, totals, balance) = tokio::join!(position.call(), totals.call(), balance.call());
    let failed = |e| wallet.node.read_failed("cannot read the sale", &e);
    let (position, totals, balance) = (position.map_err(failed)?, totals.map_err(failed)?, balance.map_err(failed)?);

    let mode = view.mode;
    let hard_cap: U256 = view.terms.hardCap.to();
    let (min, max): (U256, U256) = (view.terms.minPaid.to(), view.terms.maxPaid.to());
    let paid = position.paid.saturating_add(accepted);
    if accepted.is_zero() && !amount.is_zero() {
        return Err(refused(FixedPriceSale::SoldOut { hardCap: hard_cap }.abi_encode()));
    }
    if tokens.is_zero() {
        return Err(refused(FixedPriceSale::ZeroTokens { amount }.abi_encode()));
    }
    if paid > max {
        return Err(refused(FixedPriceSale::AboveMaximum { maxPaid: max, paid }.abi_encode()));
    }
    // In an auction the contract alone knows whether this sells the last tokens; a pro-rata sale is never sold out.
    let is_filled = mode != Some(Mode::ProRata) && totals.raised.saturating_add(accepted) == hard_cap;
    if paid < min && !is_filled && mode != Some(Mode::DutchAuction) {
        return Err(refused(FixedPriceSale::BelowMinimum { minPaid: min, paid }.abi_encode()));
    }
    if balance < accepted {
        return Err(Failure::new(
            format!("cannot {what}"),
            format!("{} has {}", wallet.address, view.payment.amount(balance)),
            "get more of it first, or contribute less",
        ));
    }
    Ok(accepted)
}

impl Report for Contributed {
    fn text(&self) -> String {
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("investor", self.investor.to_string()),
            ("accepted", self.accepted.exact()),
            ("tokens", self.tokens.as_ref().map_or_else(|| "known once the sale is closed".to_owned(), Money::exact)),
        ];
        if self.parts.len() > 1 {
            let line = |p: &Part| match &p.tokens {
                Some(tokens) => format!("{tokens} for {} in phase {}", p.amount, p.phase),
                None => format!("{} in phase {}", p.amount, p.phase),
            };
            rows.push(("of which", self.parts.iter().map(line).collect::<Vec<_>>().join("\n")));
        }
        if !self.excess.raw.is_zero() {
            rows.push(("excess returned", self.excess.exact()));
        }
        rows.push(("paid in all", self.paid.exact()));
        rows.extend(self.approved_by.map(|by| {
            let text = match by {
                ApprovedBy::Permit => "with a signature, in the same transaction",
                ApprovedBy::Transaction => "with a transaction before it",
                ApprovedBy::Earlier => "before",
            };
            ("approved", text.to_owned())
        }));
        rows.extend(self.included.rows());
        table(&rows)
    }
}
