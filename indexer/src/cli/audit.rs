//! `crowdsale audit`: the log of privileged acts.

use alloy::primitives::{B256, hex};
use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    database::DatabaseArgs,
    failure::Failure,
    printer::{Printer, Report, table},
};
use crate::{
    access,
    db::service::{
        self,
        audit::{self, AuditRow},
    },
};

/// The commands below `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    List(ListArgs),
    Verify(VerifyArgs),
}

/// Shows the last acts, or those behind one
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Acts behind this one; without, the last
    #[arg(long, value_name = "N")]
    after: Option<i64>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Holds the log against its own hashes: no row changed, replaced or taken away
///
/// Each row holds the hash of the one before it. What was cut off at the end cannot be seen from what is left: note the result
/// somewhere else from time to time, and give it with --noted.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale audit verify --noted 1208:7d1c…")]
pub struct VerifyArgs {
    /// A row and its hash, as an earlier run gave them
    #[arg(long, value_name = "ROW:HASH", value_parser = noted)]
    noted: Option<(i64, B256)>,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn noted(text: &str) -> Result<(i64, B256), String> {
    let parsed = text.split_once(':').and_then(|(row, hash)| Some((row.parse().ok()?, hash.parse().ok()?)));
    parsed
        .filter(|(row, _)| *row > 0)
        .ok_or_else(|| "write a row and its hash, as `crowdsale audit verify` prints them".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Those of the command.
pub async fn run(command: AuditCommand, printer: Printer) -> Result<()> {
    match command {
        AuditCommand::List(args) => {
            let pool = service::services(&args.database.options()?, 1).await?;
            let mut connection = pool.acquire().await?;
            let after = match args.after {
                Some(after) => after,
                None => audit::last(&mut connection).await? - args.limit,
            };
            let rows = audit::list(&mut connection, after, args.limit).await?;
            printer.result(&Acts { acts: rows.into_iter().map(Act::from).collect() })
        }
        AuditCommand::Verify(args) => {
            let pool = service::services(&args.database.options()?, 1).await?;
            let noted = args.noted.as_ref().map(|(row, hash)| (*row, hash.as_slice()));
            let found = access::verify(&mut *pool.acquire().await?, noted).await?;
            let whole = found.map_err(|fault| {
                Failure::new(
                    "the audit log is not what was written",
                    fault,
                    "keep the database as it is, compare it with its last backup, and replace every key that could have been misused",
                )
            })?;
            printer.result(&Whole { rows: whole.rows, head: hex::encode(whole.head) })
        }
    }
}

#[derive(Serialize)]
struct Act {
    id: i64,
    at: String,
    actor: String,
    act: String,
    subject: String,
    client: Option<String>,
    request_id: Option<String>,
    detail: Option<String>,
    hash: String,
}

impl From<AuditRow> for Act {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: Timestamp::from_microsecond(row.at_micros).map(|t| t.to_string()).unwrap_or_default(),
            actor: row.actor,
            act: row.act,
            subject: row.subject,
            client: row.client,
            request_id: row.request_id,
            detail: row.detail,
            hash: hex::encode(row.hash),
        }
    }
}

#[derive(Serialize)]
struct Acts {
    acts: Vec<Act>,
}

impl Report for Acts {
    fn text(&self) -> String {
        if self.acts.is_empty() {
            return "nothing is in the log".to_owned();
        }
        let line = |a: &Act| {
            let more = [&a.client, &a.detail].into_iter().flatten().map(|m| format!("  {m}")).collect::<String>();
            format!("{}  {}  {}  {}  {}{more}\n", a.id, a.at, a.actor, a.act, a.subject)
        };
        self.acts.iter().map(line).collect()
    }
}

#[derive(Serialize)]
struct Whole {
    rows: i64,
    head: String,
}

impl Report for Whole {
    fn text(&self) -> String {
        table(&[("rows", self.rows.to_string()), ("noted", format!("{}:{}", self.rows, self.head))])
    }
}
