//! `allowlist prove`: what one investor hands in.

use std::path::PathBuf;

use alloy::primitives::{Address, B256, Bytes};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{load, not_listed};
use crate::{
    cli::printer::{Printer, Report, table},
    config::parse_address,
    gates::eligibility::MaxPaid,
    types::{Addr, Amount},
};

/// Shows an investor's limit and the proof of it
///
/// The file is checked first: root and proofs are worked out from its lines again. Compare the root with the sale's.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale allowlist prove TREE.json $INVESTOR
  crowdsale contribute $SALE 1.5 --eligibility $ELIGIBILITY --private-key-file key.txt")]
pub struct ProveArgs {
    /// The file that `crowdsale allowlist build` wrote
    #[arg(value_name = "TREE.json")]
    tree: PathBuf,

    /// Whose
    #[arg(value_name = "INVESTOR", value_parser = parse_address)]
    investor: Address,
}

#[derive(Debug, Serialize)]
struct Proved {
    root: B256,
    investor: Addr,
    /// Base units.
    max_paid: MaxPaid,
    decimals: u8,
    proof: Vec<B256>,
    eligibility: Bytes,
}

/// Runs the command.
///
/// # Errors
/// Where the file cannot be used, or the investor is not on the list.
pub fn run(args: &ProveArgs, printer: Printer) -> Result<()> {
    let list = load(&args.tree)?;
    let found = list.find(args.investor).ok_or_else(|| not_listed(args.investor, &list))?;
    printer.result(&Proved {
        root: list.root(),
        investor: Addr(args.investor),
        max_paid: found.max_paid,
        decimals: list.decimals(),
        eligibility: found.eligibility(),
        proof: found.proof,
    })
}

impl Report for Proved {
    fn text(&self) -> String {
        let raw = self.max_paid.get();
        let proof: Vec<_> = self.proof.iter().map(ToString::to_string).collect();
        table(&[
            ("root", self.root.to_string()),
            ("investor", self.investor.to_string()),
            ("may pay in all", format!("{} ({raw} base units)", Amount(raw).to_units(self.decimals))),
            ("proof", if proof.is_empty() { "empty: nobody else is on the list".to_owned() } else { proof.join("\n") }),
            ("eligibility", self.eligibility.to_string()),
        ])
    }
}
