//! `crowdsale index`: follows a chain into Postgres.

use std::time::Duration;

use alloy::primitives::Address;
use anyhow::Result;
use clap::Args;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{database::DatabaseArgs, failure::Failure, printer::Printer, shutdown};
use crate::{chain::Chain, config::parse_address, db, sync};

/// Most blocks in one request of a backfill, if nothing else is said.
pub const DEFAULT_RANGE: u64 = 2_000;

/// Follows the factory's sales into the database, until Ctrl-C. Several may run: one writes, the others stand by.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  CROWDSALE_DATABASE_URL=postgres://… crowdsale index --rpc-url http://127.0.0.1:8545 --factory 0xa513E6E4b8f2a923D98304ec87F64353C4D5C853"
)]
pub struct IndexArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// A node of the chain, by http or ws; several are tried in turn.
    #[arg(
        long,
        env = "CROWDSALE_RPC_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8545",
        value_name = "URL",
        hide_env_values = true
    )]
    rpc_url: Vec<String>,
    /// Refuses a node of another chain.
    #[arg(long, env = "CROWDSALE_CHAIN_ID", value_name = "ID")]
    chain_id: Option<u64>,
    /// The factory whose sales are followed.
    #[arg(long, env = "CROWDSALE_FACTORY", value_name = "ADDRESS", value_parser = parse_address)]
    factory: Address,
    /// Block in which the factory was deployed; earlier ones are not read.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    start_block: u64,
    /// Milliseconds between two looks at the head.
    #[arg(long, default_value_t = 500, value_name = "MS", value_parser = clap::value_parser!(u64).range(10..))]
    poll_ms: u64,
    /// Most blocks in one request of a backfill.
    #[arg(long, default_value_t = DEFAULT_RANGE, value_name = "BLOCKS", value_parser = clap::value_parser!(u64).range(1..))]
    max_range: u64,
    /// Milliseconds that a node may be behind what is indexed before its chain counts as gone back.
    #[arg(long, default_value_t = 3_000, value_name = "MS")]
    behind_grace_ms: u64,
}

/// Follows until a signal.
pub async fn run(args: IndexArgs, printer: Printer) -> Result<()> {
    let database = args.database.options()?;
    let chain = Chain::connect(&args.rpc_url, args.chain_id).await?;
    if !chain.node().has_code(args.factory).await? {
        return Err(Failure::new(
            "cannot follow the factory",
            format!("there is no contract at {} on chain {}", args.factory, chain.chain_id()),
            "check --factory and --rpc-url: a database follows one factory of a chain for good",
        ));
    }
    let options = sync::Options {
        factory: args.factory,
        start_block: args.start_block,
        poll: Duration::from_millis(args.poll_ms),
        max_range: args.max_range,
        behind_grace: Duration::from_millis(args.behind_grace_ms),
    };
    // The first connection is made here, so that a wrong URL or a newer schema is said at once.
    migrate(&database).await?;
    let shutdown = shutdown::on_signals()?;
    printer.note(format!("following factory {} on chain {}; Ctrl-C stops", args.factory, chain.chain_id()));
    sync::run(&chain, &database, &options, &shutdown).await?;
    Ok(())
}

/// Brings the schema to this version.
pub async fn migrate(database: &PgConnectOptions) -> Result<(), db::DbError> {
    let mut connection = PgConnection::connect_with(database).await.map_err(db::DbError::Connect)?;
    db::migrate(&mut connection).await
}
