//! `crowdsale doctor`: what is here, what is missing, and the command that mends it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{Failure, failure, printer::Printer, tools};
use crate::{chain::Chain, db};

/// Says what is found and what is missing, with the command that mends it.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale doctor --rpc-url http://127.0.0.1:8545")]
pub struct DoctorArgs {
    /// Also checks this node.
    #[arg(long, env = "CROWDSALE_RPC_URL", value_name = "URL", hide_env_values = true)]
    rpc_url: Option<String>,
    /// Refuses a node of another chain.
    #[arg(long, env = "CROWDSALE_CHAIN_ID", value_name = "ID")]
    chain_id: Option<u64>,
    /// Also checks the database whose URL this file holds. Else CROWDSALE_DATABASE_URL, if it is set.
    #[arg(long, env = "CROWDSALE_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Check {
    fn of(what: &'static str, result: Result<String>) -> Self {
        match result {
            Ok(found) => Self { what, ok: true, found, mend: None },
            Err(error) => Self { what, ok: false, mend: failure::hint(&error), found: format!("{error:#}") },
        }
    }
}

/// Checks everything that applies.
pub async fn run(args: DoctorArgs, printer: &Printer) -> Result<()> {
    let path = |result: Result<PathBuf>| result.map(|p| p.display().to_string());
    let mut checks = vec![
        Check::of("anvil, for `up`", path(tools::find_anvil())),
        Check::of("Postgres, for `up`", path(tools::find_postgres_bin())),
        Check::of("forge, to change contracts", path(tools::find_foundry("forge"))),
        Check::of("cast, to look at the chain", path(tools::find_foundry("cast"))),
    ];
    if let Some(url) = &args.rpc_url {
        checks.push(Check::of("node", node(url, args.chain_id).await));
    }
    if args.database_url_file.is_some() || std::env::var_os("CROWDSALE_DATABASE_URL").is_some() {
        let database = super::DatabaseArgs::from_file(args.database_url_file);
        checks.push(Check::of("database", self::database(&database).await));
    }
    printer.result(&checks, || {
        let line = |c: &Check| {
            let mend = c.mend.as_ref().map_or_else(String::new, |m| format!("\n            mend: {m}"));
            format!("{}  {}: {}{mend}\n", if c.ok { "ok      " } else { "missing " }, c.what, c.found)
        };
        checks.iter().map(line).collect()
    });
    if checks.iter().all(|c| c.ok) {
        return Ok(());
    }
    Err(Failure::new("something is missing", "do what stands behind `mend` above").into())
}

async fn node(url: &str, chain_id: Option<u64>) -> Result<String> {
    let chain = Chain::connect(&[url.to_owned()], chain_id).await?;
    let heads = chain.node().heads().await?;
    Ok(format!(
        "{} serves chain {}, head {}, finalized {}",
        chain.node().name(),
        chain.chain_id(),
        heads.latest.number(),
        heads.finalized
    ))
}

async fn database(args: &super::DatabaseArgs) -> Result<String> {
    let pool = db::readers(&args.options()?, 1).await?;
    let checkpoints = db::chains::list_checkpoints(&mut *pool.acquire().await?).await?;
    let chains: Vec<String> = checkpoints
        .iter()
        .map(|c| {
            format!("chain {} to block {}{}", c.chain_id, c.number, if c.halted.is_some() { ", halted" } else { "" })
        })
        .collect();
    Ok(if chains.is_empty() {
        "schema is current, nothing indexed yet".to_owned()
    } else {
        format!("indexed {}", chains.join("; "))
    })
}
