//! `crowdsale up`: everything on one machine.

mod anvil;
mod child;
mod postgres;

use std::{fs::File, net::SocketAddr, path::PathBuf, time::Duration};

use alloy::{
    network::EthereumWallet,
    primitives::{Address, address},
    providers::{Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    allowlist::AllowlistArgs,
    failure::Failure,
    index,
    printer::{Printer, Report, table},
    shutdown,
    signers::SignerArgs,
    tools,
    webhook_args::WebhookArgs,
};
use crate::{
    api::allowlists::Allowlists,
    chain::Chain,
    config::{DEV_ACCOUNTS, DEV_CHAIN_ID, DEV_FACTORY},
    deployment::{self, DeploymentError},
    serve, sync,
    types::Addr,
};

/// Where the stablecoin stands on a chain that `up` started: second contract of the first published account.
pub const DEV_DOLLAR: Address = address!("0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512");
/// Runs a devnet, a Postgres, the indexer and the API on this machine, until Ctrl-C. A second `up` continues where the
/// first was.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale up --data .crowdsale --listen 127.0.0.1:8080")]
pub struct UpArgs {
    /// Folder that keeps the chain and the database; made if it is not there.
    #[arg(long, default_value = ".crowdsale", value_name = "FOLDER")]
    data: PathBuf,
    /// Address of the API; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS", value_parser = super::serve::address)]
    listen: SocketAddr,
    /// Port of the devnet's JSON-RPC; 0 takes a free one.
    #[arg(long, default_value_t = 8545, value_name = "PORT")]
    rpc_port: u16,
    /// Seconds between two blocks without transactions; a transaction is mined at once.
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    block_time: u64,
    #[command(flatten)]
    allowlists: AllowlistArgs,
    #[command(flatten)]
    webhooks: WebhookArgs,
    #[command(flatten)]
    signers: SignerArgs,
}

/// Where everything is.
#[derive(Serialize)]
struct Running {
    api: String,
    rpc: String,
    factory: Addr,
    stablecoin: Addr,
    database_url_file: PathBuf,
}

impl Report for Running {
    fn text(&self) -> String {
        let rows = [
            ("API", self.api.clone()),
            ("JSON-RPC", self.rpc.clone()),
            ("factory", self.factory.to_string()),
            ("stablecoin", self.stablecoin.to_string()),
            ("database", format!("its URL is in {}", self.database_url_file.display())),
        ];
        format!("running; Ctrl-C stops everything\n{}", table(&rows))
    }
}

/// Starts everything, says where it is, and waits for Ctrl-C.
pub async fn run(args: UpArgs, printer: Printer) -> Result<()> {
    let missing = |e: tools::ToolError| Failure::new("cannot start", &e, e.hint());
    let anvil_bin = tools::find_anvil().map_err(missing)?;
    let allowlists = args.allowlists.load()?;
    let listener = super::serve::listen(args.listen).await?;

    std::fs::create_dir_all(&args.data).map_err(|e| {
        Failure::new(
            format!("cannot make the folder {}", args.data.display()),
            e,
            "name a folder that you may write, with --data",
        )
    })?;
    let data = args.data.canonicalize()?;
    let lock = File::create(data.join("lock")).context("cannot write to the data folder")?;
    if lock.try_lock().is_err() {
        return Err(Failure::new(
            "cannot start",
            format!("another `crowdsale up` runs in {}", data.display()),
            "stop it with Ctrl-C, or give this one a folder of its own with --data",
        ));
    }

    let shutdown = shutdown::on_signals()?;
    printer.note(format!("starting Postgres and anvil in {}", data.display()));
    let postgres = postgres::start(&data).await?;
    let result = match anvil::start(&anvil_bin, &data, args.rpc_port, args.block_time).await {
        Ok(anvil) => {
            let result = run_on(&anvil, &postgres, (listener, allowlists), &args, printer, &shutdown).await;
            printer.note("stopping: the chain and the database stay in the data folder");
            anvil.stop().await;
            result
        }
        Err(error) => Err(error),
    };
    postgres.stop().await;
    result
}

async fn run_on(
    anvil: &anvil::Anvil,
    postgres: &postgres::Postgres,
    (listener, allowlists): (TcpListener, Allowlists),
    args: &UpArgs,
    printer: Printer,
    shutdown: &CancellationToken,
) -> Result<()> {
    deploy(&anvil.url).await?;
    let chain = Chain::connect(std::slice::from_ref(&anvil.url), Some(DEV_CHAIN_ID)).await?;
    let options = sync::Options {
        factory: DEV_FACTORY,
        start_block: 0,
        poll: Duration::from_millis(200),
        max_range: index::DEFAULT_RANGE,
        fetchers: index::DEFAULT_FETCHERS.into(),
        batch_events: index::DEFAULT_BATCH,
        progress: None,
        keep_told: index::keep_told(index::DEFAULT_KEEP_TOLD_DAYS),
        behind_grace: Duration::from_secs(2),
    };
    let database = postgres.options();
    index::migrate(&database).await?;
    let api = listener.local_addr()?;
    let nodes = super::serve::nodes(std::slice::from_ref(&anvil.url)).await?;
    let signers = Some(args.signers.clone());
    let state_args = super::serve::StateArgs {
        allowlists,
        nodes,
        signers,
        webhooks: Some(args.webhooks.clone()),
        ..Default::default()
    };
    let (state, keys) = super::serve::state(&database, state_args).await?;

    printer.result(&Running {
        api: format!("http://{api}"),
        rpc: anvil.url.clone(),
        factory: Addr(DEV_FACTORY),
        stablecoin: Addr(DEV_DOLLAR),
        database_url_file: postgres.url_file.clone(),
    })?;
    info!(data = %args.data.display(), "up");

    // Whatever ends first ends the others.
    let all = shutdown.child_token();
    let guard = all.clone().drop_guard();
    let options_of_server = serve::ServeOptions { keys, ..serve::ServeOptions::default() };
    let served = tokio::spawn(serve::run(listener, state, options_of_server, all.clone()));
    let counting = all.child_token();
    let synced = async {
        let followed = async {
            let followed = sync::run(&chain, &database, &options, &all).await;
            counting.cancel();
            followed
        };
        tokio::join!(followed, sync::holders::run(&chain, &database, &counting)).0
    };
    tokio::pin!(synced);
    let result = tokio::select! {
        result = &mut synced => result.map_err(anyhow::Error::from),
        () = anvil.exited() => Err(anyhow::anyhow!("anvil ended by itself; its output is in {}", anvil.log.display())),
        () = postgres.exited() => Err(anyhow::anyhow!("Postgres ended by itself; its output is in {}", postgres.log.display())),
    };
    if let Err(error) = &result {
        // A halted indexer leaves the API up, so that what is known stays readable.
        if matches!(error.downcast_ref(), Some(sync::SyncError::Halted { .. })) {
            printer.note(format!("warning: {error}; the API stays up until Ctrl-C"));
            shutdown.cancelled().await;
        }
    }
    drop(guard);
    served.await.context("the API server panicked")??;
    result
}

/// Puts the system and a stablecoin on a fresh devnet, at addresses that never change.
async fn deploy(url: &str) -> Result<()> {
    let key: PrivateKeySigner = PrivateKeySigner::from_bytes(&DEV_ACCOUNTS[0])?;
    let from = key.address();
    let provider = ProviderBuilder::new().wallet(EthereumWallet::from(key)).connect(url).await?;
    if provider.get_chain_id().await? != DEV_CHAIN_ID {
        bail!("the devnet does not have chain id {DEV_CHAIN_ID}");
    }
    let devnet = deployment::deploy_devnet(&provider, from).await.map_err(|error| {
        let hint = match &error {
            DeploymentError::Used { .. } => "delete the data folder, or give another one with --data",
            _ => "run it again: it goes on where it stopped",
        };
        Failure::new("cannot put the contracts on the devnet", &error, hint)
    })?;
    if (devnet.factory, devnet.dollar) != (DEV_FACTORY, DEV_DOLLAR) {
        bail!("the factory is at {} and not at {DEV_FACTORY}: this program is inconsistent", devnet.factory);
    }
    Ok(())
}
