//! `allowlist verify`: whether a published file is what a table gives.

use std::{collections::BTreeSet, path::PathBuf};

use alloy::primitives::B256;
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{list, load};
use crate::{
    cli::{
        failure::Failure,
        printer::{Printer, Report, table},
    },
    gates::eligibility::MaxPaid,
    types::Amount,
};

/// Builds an allowlist again and compares it with a file
///
/// The table's limits are read with the decimals that the file says.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale allowlist verify LIST.csv TREE.json")]
pub struct VerifyArgs {
    /// The table
    #[arg(value_name = "LIST.csv")]
    list: PathBuf,

    /// The file that `crowdsale allowlist build` wrote
    #[arg(value_name = "TREE.json")]
    tree: PathBuf,
}

#[derive(Debug, Serialize)]
struct Verified {
    root: B256,
    count: usize,
    decimals: u8,
}

/// Runs the command.
///
/// # Errors
/// Where one of the files cannot be used, or they differ: with the first differences.
pub fn run(args: &VerifyArgs, printer: Printer) -> Result<()> {
    let tree = load(&args.tree)?;
    let decimals = tree.decimals();
    let list = list::read(&args.list, decimals)?;
    // The tree was checked against its own lines: the same lines are the same root.
    let units = |max_paid: &MaxPaid| Amount(max_paid.get()).to_units(decimals);
    let who: BTreeSet<_> = list.lines.keys().chain(tree.lines().keys()).collect();
    let differences: Vec<_> = who
        .into_iter()
        .filter_map(|who| match (list.lines.get(who), tree.lines().get(who)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(a), Some(b)) => Some(format!("{who} may pay {} by the table and {} by the tree", units(a), units(b))),
            (Some(a), None) => Some(format!("{who}, who may pay {}, is in the table alone", units(a))),
            (None, b) => {
                Some(format!("{who}, who may pay {}, is in the tree alone", b.map_or_else(String::new, units)))
            }
        })
        .collect();
    if !differences.is_empty() {
        return Err(Failure::new(
            format!("{} is not the tree of {}", args.tree.display(), args.list.display()),
            list::told(&differences, "difference"),
            "find out which of the two is right; a sale keeps the root that it was created with",
        ));
    }
    printer.result(&Verified { root: tree.root(), count: tree.len(), decimals })
}

impl Report for Verified {
    fn text(&self) -> String {
        table(&[
            ("the same", format!("table and tree, with {} decimals", self.decimals)),
            ("root", self.root.to_string()),
            ("investors", self.count.to_string()),
        ])
    }
}
