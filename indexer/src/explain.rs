//! What a revert means: one sentence with its values, and one next step, for every error of every contract.
//!
//! The matches are exhaustive over enums that are generated from `contracts/abi`: a new error without a sentence does not
//! compile.

mod factory;
mod sale;
mod token;
mod vault;
mod wallet;

use std::borrow::Cow;

use alloy::{
    primitives::{Address, U256},
    sol_types::{Panic, Revert, SolError, SolInterface as _},
};
use jiff::Timestamp;

use crate::{
    contracts::{
        FixedPriceSale::FixedPriceSaleErrors as Sale, RefundVault::RefundVaultErrors as Vault,
        RestrictedSaleToken::RestrictedSaleTokenErrors as Restricted, SaleFactory::SaleFactoryErrors as Factory,
        SaleToken::SaleTokenErrors as Token, TeamWallet::TeamWalletErrors as Wallet,
        TokenFactory::TokenFactoryErrors as TokenFactory,
    },
    types::{Amount, upright},
};

/// Decimals and symbol of an asset, where they are known.
pub type Known = Option<(u8, String)>;

/// What turns base units into amounts that a person reads. Unknown assets are written in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// What the sale is paid with.
    pub currency: Known,
    /// What is sold.
    pub token: Known,
}

/// Who is told what to do next: each does it in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Who runs commands.
    CommandLine,
    /// Who sends requests to the API.
    Api,
}

/// A revert, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The error's name in the contract; `None` where no contract of ours has it.
    pub name: Option<&'static str>,
    /// What happened, without a full stop.
    pub sentence: String,
    /// What to do next.
    pub next: String,
}

/// Explains the data of a revert. Data that none of our contracts returns is shown as it is.
pub fn explain(data: &[u8], assets: &Assets, asker: Asker) -> Explanation {
    let (said, name) = find(data, assets);
    Explanation { name, sentence: said.sentence.into_owned(), next: said.next.told(asker).into_owned() }
}

fn find(data: &[u8], assets: &Assets) -> (Said, Option<&'static str>) {
    if let Ok(e) = Factory::abi_decode(data) {
        return (factory::explain(&e, assets), Factory::name_by_selector(e.selector()));
    }
    if let Ok(e) = Sale::abi_decode(data) {
        return (sale::explain(&e, assets), Sale::name_by_selector(e.selector()));
    }
    if let Ok(e) = Vault::abi_decode(data) {
        return (vault::explain(&e, assets), Vault::name_by_selector(e.selector()));
    }
    // The development stablecoin has the same errors.
    if let Ok(e) = Token::abi_decode(data) {
        return (token::explain(&e), Token::name_by_selector(e.selector()));
    }
    if let Ok(e) = Restricted::abi_decode(data)
        && let Some(said) = token::explain_restricted(&e)
    {
        return (said, Restricted::name_by_selector(e.selector()));
    }
    if let Ok(e) = Wallet::abi_decode(data) {
        return (wallet::explain(&e), Wallet::name_by_selector(e.selector()));
    }
    if let Ok(e) = TokenFactory::abi_decode(data) {
        return (wallet::explain_token_factory(&e), TokenFactory::name_by_selector(e.selector()));
    }
    (foreign(data), None)
}

/// What no contract of ours says.
fn foreign(data: &[u8]) -> Said {
    if let Ok(e) = Revert::abi_decode(data) {
        let next = "the text comes from the contract that was called, most often a token: ask those who made it";
        return says(format!("a contract refused it: {}", upright(&e.reason)), next);
    }
    if let Ok(e) = Panic::abi_decode(data) {
        let code = e.code;
        return says(
            format!("a contract failed with panic code {code:#x}"),
            "this is a defect of that contract: report it",
        );
    }
    if data.is_empty() {
        return says(
            "a contract refused it without a reason",
            "check that the address is the right contract on this chain, and that the account can pay",
        );
    }
    says(
        format!(
            "a contract refused it with data that none of the sale's contracts uses: 0x{}",
            alloy::hex::encode(data)
        ),
        "it most often comes from the token: look the first four bytes up among its errors",
    )
}

/// What happened and what to do, before it is known who is told.
struct Said {
    sentence: Cow<'static, str>,
    next: Next,
}

/// What to do next.
enum Next {
    /// The same for everybody.
    All(Cow<'static, str>),
    /// What it is, and the command or the flag that does it.
    Run(&'static str, Cow<'static, str>),
    /// By a command, and by a request.
    Either(&'static str, &'static str),
}

impl Next {
    fn told(self, asker: Asker) -> Cow<'static, str> {
        match (self, asker) {
            (Self::All(text), _) => text,
            (Self::Run(text, command), Asker::CommandLine) => format!("{text}: {command}").into(),
            (Self::Run(text, _), Asker::Api) => text.into(),
            (Self::Either(text, _), Asker::CommandLine) | (Self::Either(_, text), Asker::Api) => text.into(),
        }
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Next {
    fn from(text: T) -> Self {
        Self::All(text.into())
    }
}

fn says(sentence: impl Into<Cow<'static, str>>, next: impl Into<Next>) -> Said {
    Said { sentence: sentence.into(), next: next.into() }
}

fn money(raw: U256, assets: &Assets) -> String {
    amount(raw, &assets.currency)
}

fn tokens(raw: U256, assets: &Assets) -> String {
    amount(raw, &assets.token)
}

fn amount(raw: U256, asset: &Known) -> String {
    match asset {
        Some((decimals, symbol)) => format!("{} {symbol}", Amount(raw).to_units(*decimals)),
        None => format!("{raw} base units"),
    }
}

fn time(seconds: U256) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
    time.map_or_else(|| format!("second {seconds}"), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A time span in days, and the seconds beyond them.
fn days(seconds: U256) -> String {
    let count = |n: U256, unit| format!("{n} {unit}{}", if n == U256::ONE { "" } else { "s" });
    let day = U256::from(86_400);
    let (days, rest) = (seconds / day, seconds % day);
    match (days.is_zero(), rest.is_zero()) {
        (_, true) => count(days, "day"),
        (true, false) => count(rest, "second"),
        (false, false) => format!("{} and {}", count(days, "day"), count(rest, "second")),
    }
}

/// Of a share in hundredths of a percent.
fn percent(share: U256) -> String {
    format!("{} %", Amount(share).to_units(2))
}

fn gate(gate: u8) -> &'static str {
    match gate {
        1 => "voucher",
        2 => "proof of a list",
        _ => "proof that this program knows",
    }
}

/// The phases that the bits of a voucher stand for, from one.
fn phases(bits: U256) -> String {
    let numbers: Vec<_> = (0..8).filter(|i| bits.bit(*i)).map(|i| (i + 1).to_string()).collect();
    match numbers.as_slice() {
        [] => "no phase".to_owned(),
        [one] => format!("phase {one}"),
        more => format!("phases {}", more.join(", ")),
    }
}

/// A phase's number as people count, from one.
fn phase(index: U256) -> String {
    format!("phase {}", index.saturating_add(U256::ONE))
}

fn state(state: u8) -> &'static str {
    match state {
        0 => "has not opened yet",
        1 => "is open",
        2 => "has ended and is not closed yet",
        3 => "succeeded",
        4 => "failed",
        5 => "was cancelled",
        _ => "is in a state that this program does not know",
    }
}

fn outcome(outcome: u8) -> &'static str {
    match outcome {
        0 => "has no outcome yet",
        1 => "has succeeded",
        2 => "has failed",
        3 => "was cancelled",
        _ => "has an outcome that this program does not know",
    }
}

const SEE_STATUS: Next = Next::Run("see where it stands", Cow::Borrowed("crowdsale sale status SALE"));
const MEND_FILE: Next = Next::Run("mend the sale file and check it", Cow::Borrowed("crowdsale sale lint FILE"));
const REPORT: &str = "this is a defect of the contracts or of this program: report it with the transaction";

fn not_yet(rule: &str, current: u8) -> Said {
    says(
        format!("{rule}, and the sale {}", state(current)),
        match current {
            2 => Next::Run("close it first, which anyone may do", "crowdsale sale close SALE".into()),
            3 => Next::Run("investors claim their tokens", "crowdsale claim SALE".into()),
            4 | 5 => Next::Run("investors take their money back", "crowdsale refund SALE".into()),
            _ => SEE_STATUS,
        },
    )
}

fn ether_refused(to: Address, amount: U256) -> Said {
    says(
        format!("{to} refused {amount} wei"),
        Next::Either(
            "it is a contract that takes no ether: the investor itself can name another receiver with --to",
            "it is a contract that takes no ether: the investor itself can name another receiver",
        ),
    )
}

fn transfer_not_exact(token: Address, expected: U256, received: U256) -> Said {
    says(
        format!("the token {token} moved {received} base units where {expected} were asked for"),
        "tokens that take a fee on transfers or change balances cannot be used here: use another token",
    )
}

fn erc20_failed(token: Address) -> Said {
    says(
        format!("the token {token} refused the transfer"),
        "check that the account has enough of it, that it is not blocked there, and that the token is not paused",
    )
}

fn too_large(bits: u8, value: U256) -> Said {
    says(format!("{value} does not fit into {bits} bits, in which the contract keeps it"), "use a smaller amount")
}

fn reentered() -> Said {
    says(
        "a contract that was paid called back into the sale, which is refused",
        "the receiver or the token is hostile or broken: use another receiver",
    )
}

fn clone_arguments() -> Said {
    says("the terms do not fit into a contract's code", "take fewer phases")
}

#[cfg(test)]
mod tests;
