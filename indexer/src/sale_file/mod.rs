//! `sale.toml`: what a team writes, publishes and pins by its SHA-256 on chain. Reading it finds every problem in one pass.
//!
//! [`SaleFile::parse`] goes text → [`draft`] (tables with lines) → [`check`] (rules) → [`SaleFile`] (base units), and
//! [`terms`] makes the contracts' structs of it.

pub mod bounds;
mod check;
mod draft;
mod found;
mod list;
mod order;
mod outcomes;
mod problem;
pub mod schedule;
mod section;
mod terms;
#[cfg(test)]
mod tests;
mod unlocks;

use std::{collections::BTreeMap, path::Path};

use alloy::primitives::{Address, B256, U256};
use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

pub use found::Found;
pub use order::{Order, Predicted};
pub use outcomes::{Asset as FlowAsset, Flow, Outcomes, Receiver};
pub use problem::{Problem, SaleFileError, Severity, count};
pub use terms::Mode;
pub use unlocks::unlocks;

use self::{draft::Draft, section::Reader};
use crate::types::units::Asset;

/// What the time is, and by whose clock, as the middle of a sentence: `by this computer's clock`.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Unix seconds.
    pub now: u64,
    /// Whose clock.
    pub by: &'static str,
}

/// A sale file without a problem. Amounts in base units, times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleFile {
    /// How the price is formed.
    pub mode: Mode,
    /// Name of the sale.
    pub name: String,
    /// May cancel below the soft cap; receives unsold tokens.
    pub owner: Address,
    /// May reject investors; zero: nobody.
    pub compliance: Address,
    /// Whose vouchers count; zero: nobody's.
    pub voucher_signer: Address,
    /// Seconds after a contribution in which it may be withdrawn; zero: not at all.
    pub cooling_off: u64,
    /// When tokens can be claimed.
    pub vesting: Vesting,
    /// When the beneficiary is paid.
    pub release: Release,
    /// Tokens that the team keeps.
    pub allocations: Vec<Allocation>,
    /// Receives the money of a successful sale.
    pub beneficiary: Address,
    /// First second in which one can contribute.
    pub opens: u64,
    /// Goal.
    pub soft_cap: U256,
    /// Most that is taken.
    pub hard_cap: U256,
    /// Whether unsold tokens are burnt after success; else they go to the owner.
    pub burn_unsold: bool,
    /// Where this file is served; may be empty.
    pub file_uri: String,
    /// Least an investor may have paid.
    pub min: U256,
    /// Most an investor may have paid.
    pub max: U256,
    /// What is paid; zero is ether.
    pub currency: Address,
    /// Decimals and symbol of what is paid.
    pub payment: Asset,
    /// What is sold.
    pub token: TokenEntry,
    /// Decimals and symbol of what is sold.
    pub token_asset: Asset,
    /// Tokens that the sale holds.
    pub for_sale: U256,
    /// In the order of their ends.
    pub phases: Vec<PhaseEntry>,
    /// What is published.
    pub whitepaper: Whitepaper,
    lines: Lines,
}

/// What is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenEntry {
    /// A token that exists.
    Existing {
        /// Its address.
        address: Address,
    },
    /// A token that is created with the sale.
    New {
        /// ERC-20 name.
        name: String,
        /// Base units of 1e-18.
        supply: U256,
        /// ERC-7572 metadata; may be empty.
        contract_uri: String,
        /// Whether only approved holders may have it (ERC-1404).
        restricted: bool,
    },
}

/// One phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseEntry {
    /// For people; not on chain.
    pub name: String,
    /// First second after it.
    pub ends: u64,
    /// Cumulative cap.
    pub raised_up_to: U256,
    /// Payment base units per 1e18 token base units.
    pub price: U256,
    /// Payment units per whole token, as written.
    pub price_text: String,
    /// Who may contribute.
    pub gate: Gate,
}

/// Who may contribute in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everybody.
    Open,
    /// Who has a voucher by the sale's signer.
    Voucher,
    /// Who is on the list.
    List {
        /// Of the list's Merkle tree.
        root: B256,
    },
}

/// When tokens can be claimed, counted from the success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vesting {
    /// Hundredths of a percent.
    pub at_once: u16,
    /// Seconds.
    pub cliff: u64,
    /// Seconds; zero: everything at once.
    pub duration: u64,
}

/// When the beneficiary is paid, counted from the success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Hundredths of a percent.
    pub at_once: u16,
    /// Seconds; zero: everything at once.
    pub duration: u64,
    /// Hundredths of a percent of the money that objections must exceed; zero: nobody can object.
    pub objection: u16,
}

/// Tokens that the team keeps; they vest from the end of the sale, if it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// For people; not on chain.
    pub name: String,
    /// Who gets them.
    pub beneficiary: Address,
    /// Token base units.
    pub amount: U256,
    /// Seconds.
    pub cliff: u64,
    /// Seconds.
    pub duration: u64,
}

/// What the team publishes before the sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whitepaper {
    /// The six items, key and text.
    pub texts: Vec<(&'static str, String)>,
    /// Where the document is served; may be empty.
    pub uri: String,
    /// SHA-256 of the document; zero if there is none.
    pub sha256: B256,
}

/// Lines of the keys that are checked against the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lines(BTreeMap<&'static str, usize>);

/// With more syntax errors than this a file is something else, and what it lacks says nothing.
const MOST_SYNTAX: usize = 5;

impl SaleFile {
    /// Reads a file's text. Returns the warnings beside the sale. Lists that it names are looked for in the current folder.
    ///
    /// # Errors
    /// [`SaleFileError::Problems`] with every problem of the file, warnings included.
    pub fn parse(text: &str, clock: Option<Clock>) -> Result<(Self, Vec<Problem>), SaleFileError> {
        Self::parse_in(text, Path::new(""), clock)
    }

    /// The same for a text that came alone: no other file is read, whatever it names.
    ///
    /// # Errors
    /// [`SaleFileError::Problems`] with every problem of the file, warnings included.
    pub fn parse_alone(text: &str, clock: Option<Clock>) -> Result<(Self, Vec<Problem>), SaleFileError> {
        Self::parse_with(text, None, clock)
    }

    /// The same for a file that stands in `folder`.
    ///
    /// # Errors
    /// [`SaleFileError::Problems`] with every problem of the file, warnings included.
    pub fn parse_in(text: &str, folder: &Path, clock: Option<Clock>) -> Result<(Self, Vec<Problem>), SaleFileError> {
        Self::parse_with(text, Some(folder), clock)
    }

    fn parse_with(
        text: &str,
        folder: Option<&Path>,
        clock: Option<Clock>,
    ) -> Result<(Self, Vec<Problem>), SaleFileError> {
        let reader = Reader::new(text);
        let (root, syntax) = DeTable::parse_recoverable(text);
        for error in syntax.iter().take(MOST_SYNTAX) {
            let line = error.span().map_or(1, |span| reader.line(&span));
            reader.syntax(line, error.message().trim().replace('\n', ", "), "write it as TOML has it");
        }
        if syntax.len() > MOST_SYNTAX {
            let mend = "check that it is the right file; contracts/examples holds sale files to start from";
            reader.syntax(1, "this does not look like a sale file, which is TOML", mend);
            return Err(SaleFileError::Problems(reader.into_problems()));
        }
        let sale = check::check(&reader, Draft::read(&reader, root.get_ref(), folder), clock);
        let problems = reader.into_problems();
        let is_error = problems.iter().any(|p| p.severity == Severity::Error);
        match sale {
            Some(sale) if !is_error => Ok((sale, problems)),
            _ => Err(SaleFileError::Problems(problems)),
        }
    }

    /// An error about a key of this file, found outside of it: on the chain.
    pub fn problem(&self, key: &'static str, message: impl Into<String>, mend: impl Into<String>) -> Problem {
        let line = self.lines.0.get(key).copied().unwrap_or(1);
        let key = key.to_owned();
        Problem { line, severity: Severity::Error, key, message: message.into(), mend: mend.into() }
    }

    /// Token base units that must be there: for sale and allocated.
    pub fn tokens_needed(&self) -> U256 {
        self.for_sale + self.allocations.iter().map(|a| a.amount).sum::<U256>()
    }

    /// First second in which nobody can contribute any more.
    pub fn closes(&self) -> u64 {
        self.phases.last().map_or(self.opens, |p| p.ends)
    }
}

/// Reads a sale file's bytes as text.
///
/// # Errors
/// [`SaleFileError::Read`], [`SaleFileError::NotText`].
pub fn read_text(path: &Path) -> Result<String, SaleFileError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| SaleFileError::Read { path: shown.clone(), source })?;
    String::from_utf8(bytes).map_err(|_| SaleFileError::NotText { path: shown })
}

/// SHA-256 of the file's bytes: what the creating event and the sale's address bind.
pub fn sale_hash(text: &str) -> B256 {
    B256::from_slice(&Sha256::digest(text.as_bytes()))
}
