//! `page`: the investor page for any file server, which asks a node and nobody else.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::{
    eips::BlockId, primitives::Address, providers::Provider as _, rpc::types::Filter, sol_types::SolEvent as _,
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use url::Url;

use super::{
    failure::Failure,
    node::Node,
    printer::{Printer, Report, table},
    view::SaleView,
};
use crate::{
    config::{FactoryArgs, NodeArgs, RpcUrl, parse_address},
    contracts::{FixedPriceSale, SaleFactory},
    types::Addr,
    web::{EXPORT_MARK, Source, exported},
};

/// How long a node may take to look through the blocks.
const SEARCH: Duration = Duration::from_secs(60);

/// Writes the investor page into a folder, for any file server: it asks a node alone, no API and no index
///
/// With it investors read a sale and get their money or tokens when this service is gone. What needs an index, such as lists of
/// contributions, it has not. The node must let pages of other origins ask it (CORS).
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale page public --node https://node.example --chain-id 1 --factory $FACTORY
  crowdsale page public --node http://127.0.0.1:8545 --sale $SALE --sale $OTHER")]
pub struct PageArgs {
    /// The folder: a new or empty one, or one of an earlier export
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The node that the page asks, by http or https. Everybody sees this URL, so it must hold no secret
    #[arg(long, value_name = "URL", help_heading = "Node")]
    node: RpcUrl,

    /// Refuse any other chain than this one
    #[arg(long, env = "CROWDSALE_CHAIN_ID", hide_env_values = true, value_name = "ID", help_heading = "Node")]
    chain_id: Option<u64>,

    #[command(flatten)]
    factory: FactoryArgs,

    /// A sale that the page lists; repeat it for several. Without it, all that the factory has created; others of the factory can be
    /// opened by their address
    #[arg(long = "sale", value_name = "ADDRESS", value_parser = parse_address)]
    sales: Vec<Address>,
}

#[derive(Debug, Serialize)]
struct Exported {
    folder: PathBuf,
    files: usize,
    node: String,
    chain_id: u64,
    factory: Addr,
    sales: Vec<Addr>,
}

/// Runs the command.
///
/// # Errors
/// Before anything is written, where the node or a sale is none, or the folder holds something else.
pub async fn run(args: PageArgs, printer: Printer) -> Result<()> {
    export(args, printer).await.map_err(|mut error| {
        // Elsewhere the node has another flag.
        if let Some(failure) = error.downcast_mut::<Failure>() {
            failure.hint = failure.hint.replace(" or CROWDSALE_RPC_URL", "").replace("--rpc-url", "--node");
        }
        error
    })
}

async fn export(args: PageArgs, printer: Printer) -> Result<()> {
    let url = public_url(&args.node)?;
    let node = Node::connect(&NodeArgs { rpc_url: args.node.clone(), chain_id: args.chain_id }).await?;
    let Some(factory) = args.factory.on_chain(node.chain_id) else {
        let why = format!("chain {} is no development chain, and no factory was named", node.chain_id);
        return Err(Failure::new("no factory", why, "name it: --factory ADDRESS or CROWDSALE_FACTORY"));
    };
    let hint = "take the address that `crowdsale factory deploy` printed, on the chain where it did";
    node.require_factory(factory, hint).await?;
    let sales = if args.sales.is_empty() {
        find_sales(&node, factory).await?
    } else {
        for sale in &args.sales {
            check_sale(&node, factory, *sale).await?;
        }
        args.sales
    };
    let listed: Vec<String> = sales.iter().map(Address::to_string).collect();
    let origin = args.node.to_string();
    let source = Source {
        node: url.as_str(),
        origin: &origin,
        chain_id: node.chain_id,
        factory: &factory.to_string(),
        sales: &listed,
    };
    let Some(files) = exported(source) else {
        let why = "this program was built without the page";
        return Err(Failure::new("there is no page", why, "run scripts/web, and build the program again"));
    };
    check_folder(&args.folder)?;
    for (name, bytes) in &files {
        write(&args.folder, name, bytes)?;
    }
    printer.result(&Exported {
        files: files.len(),
        node: origin,
        chain_id: node.chain_id,
        factory: Addr(factory),
        sales: sales.into_iter().map(Addr).collect(),
        folder: args.folder,
    })?;
    printer.note(
        "next: put the folder on a file server, under any path. Who opens the page sees the whole URL of the node",
    );
    Ok(())
}

/// A browser asks by http, and refuses URLs with a name and a password in them.
fn public_url(node: &RpcUrl) -> Result<Url> {
    let what = "the page cannot ask this node";
    let url = Url::parse(node.as_str())?;
    if !matches!(url.scheme(), "http" | "https") {
        let why = format!("it is reached by {}", url.scheme());
        return Err(Failure::new(what, why, "name its http or https URL: --node https://node.example"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let why = "its URL holds a user or a password, which everybody who opens the page would see";
        return Err(Failure::new(what, why, "name a node that is open to the public: --node https://node.example"));
    }
    Ok(url)
}

/// All sales of a factory, the oldest first.
async fn find_sales(node: &Node, factory: Address) -> Result<Vec<Address>> {
    let filter =
        Filter::new().address(factory).event_signature(SaleFactory::SaleCreated::SIGNATURE_HASH).from_block(0u64);
    let hint = "name the sales: --sale ADDRESS, once for each";
    let what = "the sales of the factory cannot be listed";
    let logs = match tokio::time::timeout(SEARCH, node.provider.get_logs(&filter)).await {
        Ok(Ok(logs)) => logs,
        Ok(Err(_)) => return Err(Failure::new(what, "the node does not look through that many blocks", hint)),
        Err(_) => {
            let why = format!("the node did not answer within {} s", SEARCH.as_secs());
            return Err(Failure::new(what, why, hint));
        }
    };
    let created = logs.iter().filter_map(|log| log.log_decode::<SaleFactory::SaleCreated>().ok());
    Ok(created.map(|log| log.inner.data.sale).collect())
}

/// What says of itself that the factory made it is no proof: a sale shares the factory's code, and beside it stands a vault that the
/// factory alone can have put there.
async fn check_sale(node: &Node, factory: Address, sale: Address) -> Result<()> {
    let view = SaleView::read(node, sale, BlockId::latest()).await?;
    let named = FixedPriceSale::new(sale, &node.provider).factory().call().await;
    if view.mode.is_some() && named.is_ok_and(|found| found == factory) && node.has_code(view.vault).await? {
        return Ok(());
    }
    let why = format!("the contract at {sale} on chain {} is no sale of the factory {factory}", node.chain_id);
    Err(Failure::new("no sale", why, "name the factory that created it: --factory ADDRESS"))
}

fn check_folder(folder: &Path) -> Result<()> {
    let what = format!("cannot write into {}", folder.display());
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none() || is_export(folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::new(what, error, "name a folder that is new or empty")),
    };
    if is_free {
        return Ok(());
    }
    Err(Failure::new(what, "it holds something else than an exported page", "name a folder that is new or empty"))
}

fn is_export(folder: &Path) -> bool {
    fs::read_to_string(folder.join("index.html")).is_ok_and(|text| text.contains(EXPORT_MARK))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
    made.map_err(|error| {
        let hint = "check the rights to the folder and the space on its disk";
        Failure::new(format!("cannot write {}", path.display()), error, hint)
    })
}

impl Report for Exported {
    fn text(&self) -> String {
        let sales: Vec<String> = self.sales.iter().map(ToString::to_string).collect();
        table(&[
            ("folder", self.folder.display().to_string()),
            ("files", self.files.to_string()),
            ("node", self.node.clone()),
            ("chain", self.chain_id.to_string()),
            ("factory", self.factory.to_string()),
            ("sales", if sales.is_empty() { "none yet".to_owned() } else { sales.join("\n") }),
        ])
    }
}
