//! `doctor`: what is found, what is missing, and the command that mends it.

use std::{path::PathBuf, process::Command as Process, time::Duration};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{
    failure::Failure,
    node::Node,
    printer::{Printer, Report},
    tools::{self, ToolError},
};
use crate::{
    access::{self, AccessError},
    config::{self, FactoryArgs, NodeArgs, RpcUrl, find_env},
    db::{DbError, enter_live, known_version, schema_version},
};

/// Says what is found on this machine and what is missing, with the command that mends it
///
/// A node and a database are looked at if they are given by flag or environment. Without them `crowdsale up` brings its own,
/// for which anvil and Postgres are needed. In the repository the tools for development are needed too.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale doctor
  crowdsale doctor --rpc-url https://node.example --factory $FACTORY
  CROWDSALE_DATABASE_URL=postgres://crowdsale@db/crowdsale crowdsale doctor --json")]
pub struct DoctorArgs {
    /// Look at this node
    #[arg(long, env = "CROWDSALE_RPC_URL", hide_env_values = true, value_name = "URL", help_heading = "Node")]
    rpc_url: Option<RpcUrl>,

    /// The chain that it must serve
    #[arg(long, env = "CROWDSALE_CHAIN_ID", hide_env_values = true, value_name = "ID", help_heading = "Node")]
    chain_id: Option<u64>,

    #[command(flatten)]
    factory: FactoryArgs,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    needed_for: &'static str,
    status: Status,
    /// Where it is, or why it is not.
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Missing,
    /// Missing, and not needed here.
    Skipped,
}

/// Runs the command.
///
/// # Errors
/// Where something that is needed is missing, after the diagnosis was printed.
pub async fn run(args: DoctorArgs, printer: Printer) -> Result<()> {
    let database = find_env("CROWDSALE_DATABASE_URL");
    let in_repository = tools::find_repository().is_some();
    let mut checks = vec![
        tool("forge", "development", in_repository, tools::find_forge()),
        tool("cast", "development", in_repository, tools::find_cast()),
        tool("node", "development", in_repository, tools::find_node()),
        tool("anvil", "crowdsale up", args.rpc_url.is_none(), tools::find_anvil()),
        postgres(database.is_none()),
    ];
    checks.extend(chain(&args).await);
    checks.push(schema(database.clone()).await);
    checks.push(master_key(database).await);
    let missing = checks.iter().filter(|c| c.status == Status::Missing).count();
    printer.result(&Diagnosis { ok: missing == 0, checks })?;
    match missing {
        0 => Ok(()),
        count => Err(Failure::new(
            "not ready",
            format!("{count} missing"),
            "run the commands above, and crowdsale doctor again",
        )),
    }
}

fn tool(name: &'static str, needed_for: &'static str, needed: bool, found: Result<PathBuf, ToolError>) -> Check {
    match found {
        Ok(path) => ok(name, needed_for, format!("{}{}", path.display(), version(&path))),
        Err(error) => missing(name, needed_for, needed, &error, error.hint()),
    }
}

fn postgres(needed: bool) -> Check {
    let (name, needed_for) = ("postgres", "crowdsale up");
    match tools::find_postgres_bin() {
        Ok(bin) => ok(name, needed_for, format!("{}{}", bin.display(), version(&bin.join("postgres")))),
        Err(error) => missing(name, needed_for, needed, &error, error.hint()),
    }
}

fn ok(name: &'static str, needed_for: &'static str, detail: String) -> Check {
    Check { name, needed_for, status: Status::Ok, detail, mend: None }
}

fn missing(
    name: &'static str,
    needed_for: &'static str,
    needed: bool,
    why: impl std::fmt::Display,
    mend: &str,
) -> Check {
    let status = if needed { Status::Missing } else { Status::Skipped };
    Check { name, needed_for, status, detail: why.to_string(), mend: Some(mend.to_owned()) }
}

/// The first line that `--version` prints, in brackets.
fn version(program: &PathBuf) -> String {
    let output = Process::new(program).arg("--version").output().ok().filter(|o| o.status.success());
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).lines().next().unwrap_or_default().to_owned());
    text.filter(|t| !t.is_empty()).map(|t| format!(" ({t})")).unwrap_or_default()
}

async fn chain(args: &DoctorArgs) -> Vec<Check> {
    let (name, needed_for) = ("chain", "every command that reads or sends");
    let Some(rpc_url) = args.rpc_url.clone() else {
        let mend = "name a node: --rpc-url URL or CROWDSALE_RPC_URL";
        return vec![missing(name, needed_for, false, "no node was named", mend)];
    };
    let node = match Node::connect(&NodeArgs { rpc_url, chain_id: args.chain_id }).await {
        Ok(node) => node,
        Err(error) => return vec![failed(name, needed_for, &error)],
    };
    let mut checks = vec![ok(name, needed_for, format!("chain {} at {}", node.chain_id, node.url))];
    let (name, needed_for) = ("factory", "crowdsale sale deploy");
    checks.push(match args.factory.on_chain(node.chain_id) {
        None => missing(name, needed_for, false, "none was named", "name it: --factory ADDRESS or CROWDSALE_FACTORY"),
        Some(factory) => match node.require_factory(factory, "check the address and the chain").await {
            Ok(()) => ok(name, needed_for, factory.to_string()),
            // The default address of a development chain is a guess.
            Err(error) if args.factory.factory.is_none() => {
                missing(name, needed_for, false, error, "name it: --factory ADDRESS or CROWDSALE_FACTORY")
            }
            Err(error) => failed(name, needed_for, &error),
        },
    });
    checks
}

fn failed(name: &'static str, needed_for: &'static str, error: &anyhow::Error) -> Check {
    let hint = error.downcast_ref::<Failure>().map_or("", |f| f.hint.as_str());
    missing(name, needed_for, true, error, hint)
}

async fn schema(url: Option<String>) -> Check {
    let (name, needed_for) = ("database", "crowdsale index and serve");
    let Some(url) = url else {
        let mend = "name one: CROWDSALE_DATABASE_URL=postgres://…";
        return missing(name, needed_for, false, "no database was named", mend);
    };
    let Ok(options) = url.parse::<PgConnectOptions>() else {
        // Not repeated: a password may stand in it.
        let why = "CROWDSALE_DATABASE_URL is not a Postgres URL";
        return missing(name, needed_for, true, why, "write such as postgres://user@host:5432/crowdsale");
    };
    let place = format!("{}:{}", options.get_host(), options.get_port());
    match tokio::time::timeout(Duration::from_secs(5), applied(&options)).await {
        Err(_) => missing(name, needed_for, true, format!("{place} did not answer within 5 s"), "check that it runs"),
        Ok(Err(error)) => {
            let mend = "check that it runs, and the user and password in CROWDSALE_DATABASE_URL";
            missing(name, needed_for, true, format!("{place}: {error}"), mend)
        }
        Ok(Ok(found)) => {
            let known = known_version();
            match found.cmp(&known) {
                std::cmp::Ordering::Equal => ok(name, needed_for, format!("{place}, schema version {found}")),
                std::cmp::Ordering::Less => {
                    let detail =
                        format!("{place}, schema version {found} of {known}: the indexer brings it up to date");
                    ok(name, needed_for, detail)
                }
                std::cmp::Ordering::Greater => {
                    let why = format!("{place} has schema version {found}, and this program knows {known}");
                    missing(name, needed_for, true, why, "install the newer crowdsale that migrated it")
                }
            }
        }
    }
}

async fn master_key(url: Option<String>) -> Check {
    let (name, needed_for) = ("master key", "keys, webhooks, orders and vouchers of the API");
    let sealer = match config::find_sealer() {
        Ok(Some(sealer)) => sealer,
        Ok(None) => return missing(name, needed_for, false, "none was given", config::MasterKeyError::None.hint()),
        Err(error) => return missing(name, needed_for, true, &error, error.hint()),
    };
    let current = sealer.current().to_string();
    let Some(options) = url.and_then(|url| url.parse::<PgConnectOptions>().ok()) else {
        return ok(
            name,
            needed_for,
            format!("{current}; without a database it is not known whether it is the right one"),
        );
    };
    let opened = async {
        let mut connection = PgConnection::connect_with(&options).await.map_err(DbError::Connect)?;
        access::opens(&mut connection, &sealer).await
    };
    match tokio::time::timeout(Duration::from_secs(5), opened).await {
        Ok(Ok(Some(()))) => ok(name, needed_for, format!("{current}, which opens what is sealed in the database")),
        Ok(Err(error @ AccessError::Seal { .. })) => {
            let mend = "give the master key that the service was set up with; as CROWDSALE_MASTER_KEY_OLD, where this one is to replace it";
            missing(name, needed_for, true, error, mend)
        }
        // Nothing is sealed yet, or the line above says what is wrong with the database.
        Ok(Ok(None) | Err(_)) | Err(_) => ok(name, needed_for, format!("{current}; nothing is sealed with it yet")),
    }
}

/// Newest migration in a database, zero if there is none.
async fn applied(options: &PgConnectOptions) -> Result<i64, DbError> {
    let mut connection = PgConnection::connect_with(options).await.map_err(DbError::Connect)?;
    enter_live(&mut connection).await?;
    let version = schema_version(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

impl Report for Diagnosis {
    fn text(&self) -> String {
        let width = self.checks.iter().map(|c| c.name.len()).max().unwrap_or(0);
        let line = |c: &Check| {
            let status = match c.status {
                Status::Ok => "ok      ",
                Status::Missing => "MISSING ",
                Status::Skipped => "-       ",
            };
            let mend = match (&c.mend, c.status) {
                (Some(mend), Status::Missing) => format!("\n{:indent$}mend: {mend}", "", indent = width + 10),
                (Some(mend), _) => format!("; if you need it for {}: {mend}", c.needed_for),
                _ => String::new(),
            };
            format!("{status}{:<width$}  {}{mend}\n", c.name, c.detail)
        };
        self.checks.iter().map(line).collect()
    }
}
