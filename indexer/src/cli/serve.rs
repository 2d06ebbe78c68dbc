//! `crowdsale serve`: the API.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use anyhow::Result;
use clap::Args;
use ipnet::IpNet;
use tokio::net::TcpListener;
use url::Url;

use super::{
    allowlist::AllowlistArgs,
    database::DatabaseArgs,
    failure::Failure,
    keys::network,
    printer::Printer,
    shutdown,
    signers::{SignerArgs, Signers},
    webhook_args::WebhookArgs,
};
use crate::{
    access,
    api::{
        ApiOptions, ApiState,
        allowlists::Allowlists,
        auth::{Origins, Service},
    },
    chain::Nodes,
    config::{self, NodesArgs},
    db::{self, service::services},
    serve::{self, KeyPlaces, Limits, ServeOptions, Tls},
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
    #[command(flatten)]
    nodes: NodesArgs,
    #[command(flatten)]
    signers: SignerArgs,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS", value_parser = address)]
    listen: SocketAddr,
    /// URLs under which it is reached, as https://sales.example.org: signed requests and wallets that sign in name it; without, they
    /// have to come from this machine.
    #[arg(long, env = "CROWDSALE_PUBLIC_URL", hide_env_values = true, value_delimiter = ',', value_name = "URL", value_parser = public_url)]
    public_url: Vec<Url>,
    /// Requests that an address may make in a minute, ten times as many with a key, and as many each key; 0 sets no limit.
    #[arg(long, default_value_t = 600, value_name = "COUNT")]
    rate_limit: u32,
    /// Connections that an address may have at once, and streams of events, also where a trusted proxy passes them on; 0 sets no limit.
    #[arg(long, default_value_t = 256, value_name = "COUNT")]
    connections_per_address: usize,
    /// Networks of proxies in front of it, as 10.0.0.0/8: what they write into X-Forwarded-For is believed.
    #[arg(long, value_delimiter = ',', value_name = "CIDR", value_parser = network)]
    trusted_proxy: Vec<IpNet>,
    /// Certificates in PEM, the server's first: connections are then TLS alone. Read again when the file changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    webhooks: WebhookArgs,
}

fn public_url(text: &str) -> Result<Url, String> {
    let example = "write such as https://sales.example.org";
    let url = Url::parse(text).map_err(|e| format!("{e}; {example}"))?;
    let bare = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare { Ok(url) } else { Err(format!("is more or less than scheme, host and port; {example}")) }
}

/// Connections that answers share.
const READERS: u32 = 16;

/// Connections of privileged requests, which are few; an order holds one while the node is asked.
const WRITERS: u32 = 8;

/// So many times the limit of an address is what a key may ask, from wherever.
const WITH_KEY: u32 = 10;

/// What an operator sets for [`state`].
#[derive(Debug, Default)]
pub struct StateArgs {
    /// Nodes that are asked.
    pub nodes: Nodes,
    /// What it signs with; without, it takes no privileged requests.
    pub signers: Option<SignerArgs>,
    /// Lists that are answered for.
    pub allowlists: Allowlists,
    /// Names of the service.
    pub origins: Origins,
    /// Requests that a key may make in a minute.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Streams of events that an address may have.
    pub listeners_per_address: Option<NonZeroUsize>,
    /// Where webhooks are sent, by a process that sends them.
    pub webhooks: Option<WebhookArgs>,
}

/// Connections of webhooks. None is held while a receiver is waited for.
const WEBHOOK_WRITERS: u32 = 4;

/// What the API needs: a pool of readers on a database of this version, the process's metrics, and the lists it answers for. With a
/// master key in the environment, also what privileged requests write and sign with; then, where its keys are.
pub async fn state(database: &PgConnectOptions, args: StateArgs) -> Result<(ApiState, KeyPlaces)> {
    let pool = db::readers(database, READERS).await?;
    let options = ApiOptions::default();
    let listeners = options.listeners.min(open_files() / 2);
    let options = ApiOptions {
        listeners,
        listeners_per_address: args.listeners_per_address,
        requests_per_minute: args.requests_per_minute,
        ..options
    };
    let state = ApiState::new(pool, telemetry::install_metrics()?, options)
        .with_allowlists(args.allowlists)
        .with_nodes(args.nodes);
    let Some(signers) = args.signers else { return Ok((state, KeyPlaces::default())) };
    let Some(sealer) = config::find_sealer()? else {
        tracing::info!("no master key is set: public reads only");
        return Ok((state, KeyPlaces::default()));
    };
    tracing::info!(master_key = %sealer.current(), "taking privileged requests");
    let pool = services(database, WRITERS).await?;
    // A master key that is not the one is said now, and not to the first who has a key.
    let pepper = access::pepper(&mut *pool.acquire().await.map_err(db::DbError::from)?, &sealer).await?;
    let Signers { orders, vouchers, keys } = signers.read()?;
    let mut service = Service::new(pool, sealer).with_pepper(pepper).named(args.origins).with_signers(orders, vouchers);
    if let Some(args) = args.webhooks {
        let sending = services(database, WEBHOOK_WRITERS).await?;
        service = service.with_webhooks(sending, args.guard(), args.options());
    }
    Ok((state.with_service(service), keys))
}

/// The chains that the API asks. A node that is down is no reason not to serve what is indexed.
pub async fn nodes(urls: &[String]) -> Result<Nodes> {
    Nodes::connect(urls).await.map_err(|e| {
        Failure::new(
            "cannot use the nodes",
            e,
            "name nodes with --rpc-url or CROWDSALE_RPC_URL, such as http://127.0.0.1:8545",
        )
    })
}

/// Files, and so connections, that this process may have open: as many as the system lets it, which is more than it gives unasked.
fn open_files() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1_024, 1_024));
    let files = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// Where to listen, as it is written.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:8080".to_owned())
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
    let limit = NonZeroU32::new(args.rate_limit);
    let with_key = NonZeroU32::new(WITH_KEY).and_then(|times| Some(limit?.saturating_mul(times)));
    let each = NonZeroUsize::new(args.connections_per_address);
    let origins = Origins::new(args.public_url.iter().cloned());
    let state_args = StateArgs {
        allowlists: args.allowlists.load()?,
        nodes: nodes(&args.nodes.urls()).await?,
        signers: Some(args.signers.clone()),
        webhooks: Some(args.webhooks.clone()),
        origins,
        requests_per_minute: with_key,
        listeners_per_address: each,
    };
    let (state, keys) = state(&database, state_args).await?;
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
    let limits = Limits::new(limit, args.trusted_proxy);
    let options = ServeOptions { connections_per_address: each, ..ServeOptions::default() };
    // Some are for the database, files, and whoever is turned away.
    let connections = options.connections.min(open_files().saturating_sub(100).max(1));
    serve::run(listener, state, ServeOptions { limits, tls, connections, keys, ..options }, shutdown).await?;
    Ok(())
}
