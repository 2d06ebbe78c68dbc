//! `crowdsale index`: follows a chain into Postgres; compares and rewinds what is there.

mod bar;
mod compare;
mod reindex;
mod rewind;

use std::{net::SocketAddr, time::Duration};

use alloy::primitives::Address;
use anyhow::Result;
use clap::Args;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{database::DatabaseArgs, failure::Failure, printer::Printer, serve, shutdown};
use crate::{chain::Chain, config::parse_address, db, plan, sync, telemetry};

/// Most blocks in one request of a backfill, if nothing else is said.
pub const DEFAULT_RANGE: u64 = 2_000;

/// Requests of a backfill at the same time, if nothing else is said.
pub const DEFAULT_FETCHERS: u8 = 4;

/// Most events of one transaction of a backfill, if nothing else is said.
pub const DEFAULT_BATCH: u64 = 40_000;
/// Days for which it is kept what listeners are told.
pub const DEFAULT_KEEP_TOLD_DAYS: u16 = 30;

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
    /// Requests of a backfill at the same time: 4 for a node nearby, 8 to 16 for one far away.
    #[arg(long, default_value_t = DEFAULT_FETCHERS, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=64))]
    fetchers: u8,
    /// Most events that one transaction of a backfill writes: about 300 bytes of memory each, three times.
    #[arg(long, default_value_t = DEFAULT_BATCH, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    batch_events: u64,
    /// Milliseconds that a node may be behind what is indexed before its chain counts as gone back.
    #[arg(long, default_value_t = 3_000, value_name = "MS")]
    behind_grace_ms: u64,
    /// Days for which it is kept what listeners and webhooks are told: who was away for longer is told to read anew.
    #[arg(long, default_value_t = DEFAULT_KEEP_TOLD_DAYS, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    keep_told_days: u16,
    /// Serves /healthz, /readyz and /metrics of this process here; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", value_parser = serve::address)]
    metrics_listen: Option<SocketAddr>,
    /// Does not follow: says whether the service at URL, a `crowdsale serve`, has indexed the same, and if not from which block on.
    #[arg(long, value_name = "URL", conflicts_with = "rewind_to")]
    compare: Option<url::Url>,
    /// Does not follow: forgets everything above this block, also what was final, and ends a halt. First every stored block up to
    /// it is compared with the node's chain. The next `crowdsale index` goes on from there.
    #[arg(long, value_name = "NUMBER")]
    rewind_to: Option<u64>,
    /// Indexes the chain anew into tables beside the live ones, while the other indexer and the API go on. Once both hold the same, the
    /// new ones take their place in one moment, and it goes on as `crowdsale index` does. What was filled is kept over a restart.
    #[arg(long, conflicts_with_all = ["compare", "rewind_to", "metrics_listen"])]
    reindex: bool,
    /// With --reindex: switches also where the new tables differ from the live ones in what is final.
    #[arg(long, requires = "reindex")]
    accept_differences: bool,
}

const HINT_FACTORY: &str = "check --factory and --rpc-url: a database follows one factory of a chain for good";

/// So many days.
pub(super) fn keep_told(days: u16) -> Duration {
    Duration::from_secs(u64::from(days) * 24 * 60 * 60)
}

/// Follows until a signal.
pub async fn run(args: IndexArgs, printer: Printer) -> Result<()> {
    let database = args.database.options()?;
    let chain = Chain::connect(&args.rpc_url, args.chain_id).await?;
    if let Some(url) = args.compare {
        return compare::run(&database, chain.chain_id() as i64, url, printer).await;
    }
    if !chain.node().has_code(args.factory).await? {
        return Err(Failure::new(
            "cannot follow the factory",
            format!("there is no contract at {} on chain {}", args.factory, chain.chain_id()),
            HINT_FACTORY,
        ));
    }
    if !plan::is_factory(&chain.node(), args.factory).await? {
        let why =
            format!("the contract at {} on chain {} does not answer as a factory", args.factory, chain.chain_id());
        return Err(Failure::new("cannot follow the factory", why, HINT_FACTORY));
    }
    if let Some(height) = args.rewind_to {
        return rewind::run(&chain, &database, height, printer).await;
    }
    // The first connection is made here, so that a wrong URL or a newer schema is said at once.
    if !args.reindex {
        migrate(&database).await?;
    }
    let shutdown = shutdown::on_signals()?;
    let operator = match args.metrics_listen {
        Some(address) => {
            let (state, _) = serve::state(&database, super::serve::StateArgs::default()).await?;
            let listener = serve::listen(address).await?;
            printer.note(format!("health and metrics on http://{}", listener.local_addr()?));
            Some(tokio::spawn(crate::serve::run_operator(listener, state, shutdown.clone())))
        }
        None => {
            telemetry::install_metrics()?;
            None
        }
    };
    let options = sync::Options {
        factory: args.factory,
        start_block: args.start_block,
        poll: Duration::from_millis(args.poll_ms),
        max_range: args.max_range,
        fetchers: args.fetchers.into(),
        batch_events: args.batch_events,
        behind_grace: Duration::from_millis(args.behind_grace_ms),
        keep_told: keep_told(args.keep_told_days),
        progress: bar::show(),
    };
    if args.reindex {
        reindex::run(&chain, &database, &options, args.accept_differences, &shutdown, printer).await?;
        if shutdown.is_cancelled() {
            return Ok(());
        }
    }
    printer.note(format!("following factory {} on chain {}; Ctrl-C stops", args.factory, chain.chain_id()));
    let counting = sync::holders::run(&chain, &database, &shutdown);
    let followed = async {
        let followed = sync::run(&chain, &database, &options, &shutdown).await;
        shutdown.cancel();
        followed
    };
    let ((), followed) = tokio::join!(counting, followed);
    if let Some(operator) = operator {
        operator.await??;
    }
    Ok(followed?)
}

/// Brings the schema to this version.
pub async fn migrate(database: &PgConnectOptions) -> Result<(), db::DbError> {
    let mut connection = PgConnection::connect_with(database).await.map_err(db::DbError::Connect)?;
    db::migrate(&mut connection).await
}
