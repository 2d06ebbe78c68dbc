//! `token holders set`, `token holder`: who may hold a restricted token, and until when.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, U256, aliases::U40};
use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    clock,
    failure::Failure,
    node::Node,
    printer::{Printer, Report, table},
    send::{About, Included, Wallet},
};
use crate::{
    config::{KeyArgs, NodeArgs, parse_address},
    contracts::RestrictedSaleToken,
    types::Addr,
};

/// The commands below `token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Approves holders of a restricted token
    #[command(subcommand)]
    Holders(HoldersCommand),
    Holder(HolderArgs),
}

/// The commands below `token holders`.
#[derive(Debug, Subcommand)]
pub enum HoldersCommand {
    Set(SetArgs),
}

/// Approves the holders of a CSV file, each until its time: a registrar's
///
/// A line holds an address and a time with an offset, such as 2032-01-01T00:00:00Z, or `never` for an approval that ends now.
/// A first line `holder,until` is left out. The holders go into as many transactions as they need, 200 in each; lines that
/// are right on the chain already are left out, so the command can be repeated.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale token holders set $TOKEN holders.csv --private-key-file registrar.txt")]
pub struct SetArgs {
    /// The token's address
    #[arg(value_name = "TOKEN", value_parser = parse_address)]
    token: Address,

    /// Lines of holder,until
    #[arg(value_name = "CSV")]
    file: PathBuf,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

/// Shows until when an address may hold a restricted token
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale token holder $TOKEN $ADDRESS")]
pub struct HolderArgs {
    /// The token's address
    #[arg(value_name = "TOKEN", value_parser = parse_address)]
    token: Address,

    /// Who would hold it
    #[arg(value_name = "ADDRESS", value_parser = parse_address)]
    holder: Address,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Set {
    token: Addr,
    /// Lines that changed something.
    set: usize,
    /// Lines that were so already.
    unchanged: usize,
    transactions: Vec<Included>,
}

#[derive(Debug, Serialize)]
struct Holder {
    token: Addr,
    holder: Addr,
    approved: bool,
    /// `None` for a contract of the sale, and for who never was.
    until: Option<String>,
    /// A contract of the sale.
    for_ever: bool,
}

/// Holders in one transaction: far below any block's gas.
const BATCH: usize = 200;

/// Runs `token …`.
///
/// # Errors
/// Where the file is wrong, the token is no restricted one or refuses, in words.
pub async fn run(command: TokenCommand, printer: Printer) -> Result<()> {
    match command {
        TokenCommand::Holders(HoldersCommand::Set(args)) => set(args, printer).await,
        TokenCommand::Holder(args) => show(args, printer).await,
    }
}

async fn set(args: SetArgs, printer: Printer) -> Result<()> {
    let lines = read_file(&args.file)?;
    let wallet = Wallet::connect(&args.node, &args.key, printer).await?;
    wallet.wait_for_earlier().await?;
    let mut changes = Vec::new();
    for (holder, until) in &lines {
        let now = approved_until(&wallet.node, args.token, *holder).await?;
        // A contract of the sale stays approved, whatever a registrar says.
        if now != U256::MAX && now != U256::from(*until) {
            changes.push((*holder, *until));
        }
    }
    let mut transactions = Vec::new();
    for batch in changes.chunks(BATCH) {
        let call = RestrictedSaleToken::setHoldersCall {
            holders: batch.iter().map(|(holder, _)| *holder).collect(),
            untils: batch.iter().map(|(_, until)| U40::saturating_from(*until)).collect(),
        };
        let what = format!("set {} holders", batch.len());
        let about = About { is_repeatable: true, ..About::default() };
        let receipt = wallet.send(&what, wallet.call(args.token, &call, U256::ZERO), &about).await?;
        transactions.push(Included::new(&receipt));
    }
    let (set, unchanged) = (changes.len(), lines.len() - changes.len());
    printer.result(&Set { token: Addr(args.token), set, unchanged, transactions })
}

async fn show(args: HolderArgs, printer: Printer) -> Result<()> {
    let node = Node::connect(&args.node).await?;
    let until = approved_until(&node, args.token, args.holder).await?;
    let now = node.block(alloy::eips::BlockNumberOrTag::Latest).await?.timestamp;
    let for_ever = until == U256::MAX;
    printer.result(&Holder {
        token: Addr(args.token),
        holder: Addr(args.holder),
        approved: until > U256::from(now),
        until: (!for_ever && !until.is_zero()).then(|| clock::rfc3339(until.saturating_to())),
        for_ever,
    })
}

async fn approved_until(node: &Node, token: Address, holder: Address) -> Result<U256> {
    let hint = "check the address; only tokens of kind \"restricted\" have holders that are approved";
    node.require_code(token, "token", hint).await?;
    let answer = RestrictedSaleToken::new(token, &node.provider).approvedUntil(holder).call().await;
    answer.map_err(|e| match node.read_failed("cannot read the token", &e).downcast::<Failure>() {
        Ok(failure) => Failure::new("no restricted token", failure.why, hint),
        Err(other) => other,
    })
}

/// The file's lines: holder, and Unix seconds until when.
fn read_file(path: &Path) -> Result<Vec<(Address, u64)>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::new(format!("cannot read {shown}"), e, "check the path; the file is UTF-8 text"))?;
    let mut found: Vec<(Address, u64)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || (index == 0 && line.replace(' ', "") == "holder,until") {
            continue;
        }
        let (holder, until) = read_line(line).map_err(|why| {
            let hint = "write lines such as 0x…,2032-01-01T00:00:00Z";
            Failure::new(format!("{shown} is not ready"), format!("line {}: {why}", index + 1), hint)
        })?;
        if found.iter().any(|(other, _)| *other == holder) {
            let why = format!("line {}: {holder} stands in it twice", index + 1);
            return Err(Failure::new(format!("{shown} is not ready"), why, "leave one of the two lines out"));
        }
        found.push((holder, until));
    }
    if found.is_empty() {
        return Err(Failure::new(
            format!("{shown} is not ready"),
            "it holds no holder",
            "write a line for each: holder,until",
        ));
    }
    Ok(found)
}

fn read_line(line: &str) -> Result<(Address, u64), String> {
    let (holder, until) = line.split_once(',').ok_or("an address, a comma and a time are needed")?;
    let holder = parse_address(holder.trim()).map_err(|e| e.to_string())?;
    if holder.is_zero() {
        return Err("the zero address cannot hold tokens".to_owned());
    }
    let until = until.trim();
    if until == "never" {
        return Ok((holder, 0));
    }
    let time = until.parse::<Timestamp>().map_err(|_| format!("{until:?} is no time with an offset"))?;
    let seconds = u64::try_from(time.as_second()).map_err(|_| format!("{until:?} is before 1970"))?;
    Ok((holder, seconds))
}

impl Report for Set {
    fn text(&self) -> String {
        let mut rows = vec![
            ("token", self.token.to_string()),
            ("holders set", self.set.to_string()),
            ("as they were", self.unchanged.to_string()),
        ];
        rows.extend(self.transactions.iter().flat_map(Included::rows));
        table(&rows)
    }
}

impl Report for Holder {
    fn text(&self) -> String {
        let approved = match (&self.until, self.for_ever, self.approved) {
            (_, true, _) => "for ever: a contract of the sale".to_owned(),
            (Some(until), _, true) => format!("until {until}"),
            (Some(until), _, false) => format!("no more: it was until {until}"),
            (None, ..) => "no".to_owned(),
        };
        table(&[("token", self.token.to_string()), ("holder", self.holder.to_string()), ("approved", approved)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let holder = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        let read = |rest: &str| read_line(&format!("{holder}{rest}"));
        assert_eq!(read(",2031-03-01T14:00:00Z").unwrap().1, 1_930_140_000);
        assert_eq!(read(", 2031-03-01T16:00:00+02:00").unwrap().1, 1_930_140_000);
        assert_eq!(read(",never").unwrap().1, 0);
        for wrong in ["", ",", ",2031-03-01", ",1930140000", ",1960-01-01T00:00:00Z"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read_line(",never").is_err());
    }
}
