//! `sale lint`: every problem of a sale file in one run, offline or against a chain.

use std::path::{Path, PathBuf};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256},
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        clock,
        failure::Failure,
        node::Node,
        printer::{Printer, Report},
        sale_file::{self, Clock, Found, Problem, SaleFile, SaleFileError, Severity, TokenEntry, count},
    },
    config::{NodeArgs, RpcUrl, parse_address},
    contracts::SaleToken,
};

/// Checks a sale file and shows every problem with its line, the reason and the mend
///
/// Works without a network. With --rpc-url it also compares the file with the chain: the time, the decimals and symbols of
/// tokens, and with --creator whether that account has the tokens for sale.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale sale lint contracts/examples/aurora-eth.toml
  crowdsale sale lint sale.toml --rpc-url http://127.0.0.1:8545")]
pub struct LintArgs {
    /// The sale file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Also check against the chain that this node serves; without it nothing is sent over the network
    #[arg(long, value_name = "URL", help_heading = "Node")]
    rpc_url: Option<RpcUrl>,

    /// Refuse any other chain than this one
    #[arg(long, value_name = "ID", requires = "rpc_url", help_heading = "Node")]
    chain_id: Option<u64>,

    /// Check that this account has the tokens for sale
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address, requires = "rpc_url", help_heading = "Node")]
    creator: Option<Address>,
}

#[derive(Debug, Serialize)]
struct LintReport {
    file: String,
    ok: bool,
    sale_hash: B256,
    problems: Vec<Problem>,
    /// What the terms come to, by key; empty where the file has errors.
    terms: std::collections::BTreeMap<&'static str, String>,
    #[serde(skip)]
    sale: Option<SaleFile>,
}

/// Runs the command.
///
/// # Errors
/// Where the file cannot be read or has an error, after the report was printed.
pub async fn run(args: LintArgs, printer: Printer) -> Result<()> {
    let text = read(&args.file)?;
    let node = match args.rpc_url {
        Some(rpc_url) => Some(Node::connect(&NodeArgs { rpc_url, chain_id: args.chain_id }).await?),
        None => None,
    };
    let clock = match &node {
        Some(node) => chain_clock(node).await?,
        None => Clock { now: clock::now(), by: "by this computer's clock" },
    };
    let (sale, mut problems) = match SaleFile::parse_in(&text, folder(&args.file), Some(clock)) {
        Ok((sale, warnings)) => (Some(sale), warnings),
        Err(SaleFileError::Problems(problems)) => (None, problems),
        Err(other) => return Err(other.into()),
    };
    if let (Some(node), Some(sale)) = (&node, &sale) {
        problems.extend(check_chain(node, sale, args.creator).await?);
    }
    let ok = problems.iter().all(|p| p.severity == Severity::Warning);
    let file = args.file.display().to_string();
    let terms = sale.as_ref().filter(|_| ok).map(sale_file::unlocks).unwrap_or_default().into_iter().collect();
    let report = LintReport { file, ok, sale_hash: sale_file::sale_hash(&text), problems, terms, sale };
    printer.result(&report)?;
    if ok { Ok(()) } else { Err(refused(&args.file, &report.problems)) }
}

/// Reads a sale file's text.
///
/// # Errors
/// A [`Failure`] where it cannot be read.
pub fn read(file: &Path) -> Result<String> {
    sale_file::read_text(file).map_err(|error| match error {
        SaleFileError::Read { path, source } => Failure::new(
            format!("cannot read {path}"),
            source,
            "check the path; contracts/examples holds sale files to start from",
        ),
        other => Failure::new("cannot read the sale file", other, "save the file as UTF-8"),
    })
}

/// Where other files that a sale file names are looked for: beside it.
pub fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// The error for a file with problems.
pub fn refused(file: &Path, problems: &[Problem]) -> anyhow::Error {
    let file = file.display();
    Failure::new(
        format!("{file} is not ready"),
        count(problems),
        format!("mend it and check it again: crowdsale sale lint {file}"),
    )
}

/// The chain's own time, that of its latest block.
///
/// # Errors
/// Where the node fails.
pub async fn chain_clock(node: &Node) -> Result<Clock> {
    let block = node.block(BlockNumberOrTag::Latest).await?;
    Ok(Clock { now: block.timestamp, by: "by the chain's clock" })
}

/// What the file says about contracts, compared with the contracts.
///
/// # Errors
/// Where the node fails.
pub async fn check_chain(node: &Node, sale: &SaleFile, creator: Option<Address>) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for (key, address, written) in sale.named_tokens() {
        let found = find_token(node, address).await?;
        let told = sale.check_token(node.chain_id, (key, address, written), &found);
        let is_sold = matches!(sale.token, TokenEntry::Existing { address: sold } if sold == address);
        if let (Some(creator), true, true) = (creator, is_sold, told.is_empty()) {
            let balance = SaleToken::new(address, &node.provider).balanceOf(creator).call().await;
            let balance = balance.map_err(|e| node.read_failed("cannot read the token", &e))?;
            problems.extend(sale.check_balance(creator, balance));
        }
        problems.extend(told);
    }
    problems.sort_by_key(|p| p.line);
    Ok(problems)
}

async fn find_token(node: &Node, address: Address) -> Result<Found> {
    if !node.has_code(address).await? {
        return Ok(Found::Nothing);
    }
    Ok(node.asset(address, BlockId::latest()).await.map_or(Found::NoToken, Found::Token))
}

impl Report for LintReport {
    fn text(&self) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            text += &format!("{problem}\n");
        }
        let Some(sale) = self.sale.as_ref().filter(|_| self.ok) else {
            return text + &format!("{}: {}", self.file, count(&self.problems));
        };
        if !self.problems.is_empty() {
            text += "\n";
        }
        text + &format!("{}: no errors\n", self.file) + &super::summary::summary(sale, self.sale_hash)
    }
}
