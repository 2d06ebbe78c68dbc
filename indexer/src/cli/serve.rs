//! `crowdsale serve`: the API.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Args;
use tokio::net::TcpListener;

use super::{allowlist::AllowlistArgs, database::DatabaseArgs, failure::Failure, printer::Printer, shutdown};
use crate::{
    api::{ApiOptions, ApiState, allowlists::Allowlists, auth::Service},
    config,
    db::{self, service::services},
    serve, telemetry,
};
use sqlx::postgres::PgConnectOptions;

/// Serves the API from a database that `crowdsale index` keeps, until Ctrl-C.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  CROWDSALE_DATABASE_URL=postgres://… crowdsale serve --listen 127.0.0.1:8080")]
pub struct ServeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    allowlists: AllowlistArgs,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Connections that answers share.
const READERS: u32 = 16;

/// Connections of privileged requests, which are few.
const WRITERS: u32 = 4;

/// What the API needs: a pool of readers on a database of this version, the process's metrics, and the lists it answers for. With a
/// master key in the environment, also what privileged requests write with.
pub async fn state(database: &PgConnectOptions, allowlists: Allowlists) -> Result<ApiState> {
    let pool = db::readers(database, READERS).await?;
    let state = ApiState::new(pool, telemetry::install_metrics()?, ApiOptions::default()).with_allowlists(allowlists);
    let Some(sealer) = config::find_sealer()? else {
        tracing::info!("no master key is set: public reads only");
        return Ok(state);
    };
    tracing::info!(master_key = %sealer.current(), "taking privileged requests");
    Ok(state.with_service(Service::new(services(database, WRITERS).await?, sealer)))
}

/// Takes the API's address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| {
        Failure::new(
            format!("cannot listen on {address}"),
            e,
            "choose another address or port with --listen; port 0 takes a free one",
        )
    })
}

/// Serves until a signal.
pub async fn run(args: ServeArgs, printer: Printer) -> Result<()> {
    let database = args.database.options()?;
    let state = state(&database, args.allowlists.load()?).await?;
    let listener = listen(args.listen).await?;
    let shutdown = shutdown::on_signals()?;
    printer.note(format!("serving http://{}; Ctrl-C stops", listener.local_addr()?));
    serve::run(listener, state, shutdown).await?;
    Ok(())
}
