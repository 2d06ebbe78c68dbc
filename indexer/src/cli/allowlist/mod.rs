//! `allowlist …`: who may contribute, from a table that a team keeps to the proof that an investor hands in.

mod build;
mod list;
mod prove;
mod verify;

use std::{ffi::OsString, path::Path};

use alloy::primitives::Address;
use anyhow::Result;
use clap::{Args, Subcommand};

use super::{failure::Failure, printer::Printer};
use crate::{api::allowlists::Allowlists, gates::allowlist::Allowlist};

/// The commands below `allowlist`.
#[derive(Debug, Subcommand)]
pub enum AllowlistCommand {
    Build(build::BuildArgs),
    Prove(prove::ProveArgs),
    Verify(verify::VerifyArgs),
}

/// Runs the command.
///
/// # Errors
/// Those of the command.
pub fn run(command: AllowlistCommand, printer: Printer) -> Result<()> {
    match command {
        AllowlistCommand::Build(args) => build::run(&args, printer),
        AllowlistCommand::Prove(args) => prove::run(&args, printer),
        AllowlistCommand::Verify(args) => verify::run(&args, printer),
    }
}

/// The lists that a service answers for.
#[derive(Args, Debug)]
pub struct AllowlistArgs {
    /// An allowlist to answer for, as `crowdsale allowlist build` wrote it. Name several with commas between them, or repeat it.
    #[arg(
        long = "allowlist",
        env = "CROWDSALE_ALLOWLISTS",
        hide_env_values = true,
        value_name = "TREE.json",
        value_delimiter = ','
    )]
    files: Vec<OsString>,
}

impl AllowlistArgs {
    /// Reads the lists and works every root and proof out again.
    ///
    /// # Errors
    /// A [`Failure`] for the first file that cannot be read or was changed.
    pub fn load(&self) -> Result<Allowlists> {
        self.files.iter().filter(|f| !f.is_empty()).map(|f| load(f.as_ref())).collect()
    }
}

/// Reads a list and works its root and proofs out again.
///
/// # Errors
/// A [`Failure`] where the file cannot be read, is no list, or was changed after it was built.
pub fn load(file: &Path) -> Result<Allowlist> {
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(file, &e))?;
    Allowlist::parse(&text).map_err(|e| {
        Failure::new(
            format!("cannot use {}", file.display()),
            e,
            "get the file again from whoever published it, or build it again: crowdsale allowlist build LIST.csv --out TREE.json",
        )
    })
}

/// The error for a file that cannot be read.
fn unreadable(file: &Path, error: &std::io::Error) -> anyhow::Error {
    Failure::new(format!("cannot read {}", file.display()), error, "check the path, and that you may read the file")
}

/// The error for somebody who is not on a list.
pub fn not_listed(investor: Address, list: &Allowlist) -> anyhow::Error {
    let (count, root) = (list.len(), list.root());
    Failure::new(
        "no proof",
        format!("{investor} is not among the {count} investors of the list with root {root}"),
        "check the address, and that it is the sale's list; whoever keeps the list decides who is on it",
    )
}
