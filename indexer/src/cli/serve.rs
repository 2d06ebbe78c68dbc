//! `crowdsale serve`: the API.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use anyhow::Result;
use clap::Args;
use ipnet::IpNet;
use tokio::net::TcpListener;

use super::{allowlist::AllowlistArgs, database::DatabaseArgs, failure::Failure, printer::Printer, shutdown};
use crate::{
    access,
    api::{ApiOptions, ApiState, allowlists::Allowlists, auth::Service},
    config,
    db::{self, service::services},
    serve::{self, Limits, ServeOptions, Tls},
    telemetry,
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
    /// Requests that an address may make in a minute, ten times as many with a key; 0 sets no limit.
    #[arg(long, default_value_t = 600, value_name = "COUNT")]
    rate_limit: u32,
    /// Networks of proxies in front of it, as 10.0.0.0/8: what they write into X-Forwarded-For is believed.
    #[arg(long, value_delimiter = ',', value_name = "CIDR")]
    trusted_proxy: Vec<IpNet>,
    /// Certificates in PEM, the server's first: connections are then TLS alone. Read again when the file changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

/// Connections that answers share.
const READERS: u32 = 16;

/// Connections of privileged requests, which are few.
const WRITERS: u32 = 4;

/// What the API needs: a pool of readers on a database of this version, the process's metrics, and the lists it answers for. With a
/// master key in the environment, also what privileged requests write with.
pub async fn state(database: &PgConnectOptions, allowlists: Allowlists) -> Result<ApiState> {
    let pool = db::readers(database, READERS).await?;
    let options = ApiOptions::default();
    let options = ApiOptions { listeners: options.listeners.min(open_files() / 2), ..options };
    let state = ApiState::new(pool, telemetry::install_metrics()?, options).with_allowlists(allowlists);
    let Some(sealer) = config::find_sealer()? else {
        tracing::info!("no master key is set: public reads only");
        return Ok(state);
    };
    tracing::info!(master_key = %sealer.current(), "taking privileged requests");
    let pool = services(database, WRITERS).await?;
    // A master key that is not the one is said now, and not to the first who has a key.
    access::pepper(&mut *pool.acquire().await.map_err(db::DbError::from)?, &sealer).await?;
    Ok(state.with_service(Service::new(pool, sealer)))
}

/// Files, and so connections, that this process may have open: as many as the system lets it, which is more than it gives unasked.
fn open_files() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1_024, 1_024));
    let files = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    usize::try_from(files).unwrap_or(usize::MAX)
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
    let tls = match (&args.tls_certificate, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key).map_err(|e| {
            Failure::new("cannot serve TLS", e, "check --tls-certificate and --tls-key: PEM files that belong together")
        })?),
        _ => None,
    };
    let listener = listen(args.listen).await?;
    let shutdown = shutdown::on_signals()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    printer.note(format!("serving {scheme}://{}; Ctrl-C stops", listener.local_addr()?));
    let limits = Limits::new(NonZeroU32::new(args.rate_limit), args.trusted_proxy);
    let options = ServeOptions::default();
    // Some are for the database, files, and whoever is turned away.
    let connections = options.connections.min(open_files().saturating_sub(100).max(1));
    serve::run(listener, state, ServeOptions { limits, tls, connections, ..options }, shutdown).await?;
    Ok(())
}
