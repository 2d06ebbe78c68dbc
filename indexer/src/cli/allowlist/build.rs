//! `allowlist build`: a table becomes the file that investors take their proofs from.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use alloy::primitives::{B256, U256};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::list;
use crate::{
    cli::{
        failure::Failure,
        printer::{Printer, Report, table},
    },
    gates::allowlist::Allowlist,
    types::Amount,
};

/// Builds an allowlist: its root, for the sale file, and everybody's proof
///
/// LIST.csv has the header `investor,max_paid` and a line an investor: an address, and what it may have paid in all, in whole
/// units of the payment currency. Every problem is shown with its line. The root is that of OpenZeppelin's StandardMerkleTree.
/// TREE.json holds no secret: publish it, so that investors and `crowdsale serve` have it.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale allowlist build LIST.csv --out TREE.json
  crowdsale allowlist build LIST.csv --out TREE.json --decimals 6")]
pub struct BuildArgs {
    /// The table
    #[arg(value_name = "LIST.csv")]
    list: PathBuf,

    /// The file to write
    #[arg(long, value_name = "TREE.json")]
    out: PathBuf,

    /// Decimals of the payment currency
    #[arg(long, default_value_t = 18, value_name = "N", value_parser = clap::value_parser!(u8).range(..=36))]
    decimals: u8,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
struct Built {
    file: String,
    root: B256,
    count: usize,
    decimals: u8,
    /// Of all limits, base units.
    total: Amount,
}

/// Runs the command.
///
/// # Errors
/// Where the list has problems, or the file is there or cannot be written.
pub fn run(args: &BuildArgs, printer: Printer) -> Result<()> {
    // Said again when it is written; here it saves the work.
    if !args.force && fs::exists(&args.out).unwrap_or(false) {
        return Err(exists(&args.out));
    }
    let list = list::read(&args.list, args.decimals)?;
    if list.unchecked > 0 {
        printer.note(format!(
            "warning: {} of {} addresses have no checksum, so that a mistyped letter cannot be seen",
            list.unchecked,
            list.lines.len()
        ));
    }
    // Limits have 120 bits: no list that fits into memory adds up to 256.
    let total = list.lines.values().fold(U256::ZERO, |sum, max_paid| sum.saturating_add(max_paid.get()));
    let built = Allowlist::new(args.decimals, list.lines)
        .ok_or_else(|| Failure::new("nothing to build", "nobody is on the list", "write a line an investor"))?;
    write(&built, &args.out, args.force).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => exists(&args.out),
        _ => Failure::new(
            format!("cannot write {}", args.out.display()),
            e,
            "name a file in a folder that you may write, with --out",
        ),
    })?;
    printer.result(&Built {
        file: args.out.display().to_string(),
        root: built.root(),
        count: built.len(),
        decimals: args.decimals,
        total: Amount(total),
    })
}

fn exists(file: &Path) -> anyhow::Error {
    Failure::new(
        format!("cannot write {}", file.display()),
        "it is there already, and a sale may count on it",
        "name another file with --out, or replace it with --force",
    )
}

/// Writes beside the file and renames: whoever reads it meets the whole old file or the whole new one.
fn write(list: &Allowlist, file: &Path, force: bool) -> io::Result<()> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // As any other file, by the umask: it is to be published.
    let temporary = builder.prefix(".allowlist-").permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder)?;
    let mut out = BufWriter::new(temporary.as_file());
    list.write_json(&mut out)?;
    out.flush()?;
    drop(out);
    temporary.as_file().sync_all()?;
    let persisted = if force { temporary.persist(file) } else { temporary.persist_noclobber(file) };
    persisted.map(drop).map_err(|e| e.error)
}

impl Report for Built {
    fn text(&self) -> String {
        table(&[
            ("root", self.root.to_string()),
            ("investors", self.count.to_string()),
            ("limits in all", format!("{} ({} base units)", self.total.to_units(self.decimals), self.total)),
            ("file", self.file.clone()),
        ])
    }
}
