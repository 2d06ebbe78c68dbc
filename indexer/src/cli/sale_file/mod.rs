//! `sale.toml`: what a team writes, and what the contracts are told.
//!
//! [`check`] reads a file as a whole and returns either the terms, or every problem with its line, reason and mend. It
//! mirrors the contracts' own check (`TermsCheck.sol`), so that what passes here is not refused there.

mod read;
mod terms;

pub use read::Problem;
pub use terms::{PRICE_UNIT, tokens_needed};

use alloy::primitives::{Address, B256};
use sha2::{Digest, Sha256};

use crate::{
    contracts::SaleFactory::{Documents, SaleTerms, TokenTerms},
    revert::{Unit, Units},
};

/// A sale file that can work.
#[derive(Clone, Debug)]
pub struct SaleFile {
    /// What the factory is told. `token` is zero where a new one is created.
    pub terms: SaleTerms,
    /// What is pinned.
    pub documents: Documents,
    /// The token to create, `None` where one exists.
    pub new_token: Option<TokenTerms>,
    /// How amounts are written.
    pub units: Units,
}

impl SaleFile {
    /// The existing token that is sold, `None` where a new one is created.
    pub fn existing_token(&self) -> Option<Address> {
        self.new_token.is_none().then_some(self.terms.token)
    }
}

/// What was found in a file.
#[derive(Debug)]
pub struct Report {
    /// The sale, if there is no problem.
    pub sale: Option<SaleFile>,
    /// What keeps it from working, by line.
    pub problems: Vec<Problem>,
    /// What is allowed, but worth a look, by line.
    pub warnings: Vec<Problem>,
}

/// Checks a file's bytes against itself and against `now`, Unix seconds of the chain or of this machine.
pub fn check(bytes: &[u8], now: u64) -> Report {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let problem = Problem {
            line: 1,
            reason: "the file is not UTF-8 text".to_owned(),
            mend: "save it as UTF-8; is it a sale.toml at all?".to_owned(),
        };
        return Report { sale: None, problems: vec![problem], warnings: Vec::new() };
    };
    let mut reader = read::Reader::new(text);
    let sale = terms::read(&mut reader, B256::from_slice(&Sha256::digest(bytes)), now);
    let read::Reader { mut problems, mut warnings, .. } = reader;
    problems.sort_by_key(|p| p.line);
    warnings.sort_by_key(|p| p.line);
    Report { sale: sale.filter(|_| problems.is_empty()), problems, warnings }
}

/// A unit with nothing known yet.
fn unit(decimals: u8, symbol: &str) -> Unit {
    Unit { decimals, symbol: symbol.to_owned() }
}
