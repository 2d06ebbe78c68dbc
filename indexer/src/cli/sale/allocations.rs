//! `sale allocations`, `sale allocation release|reclaim`: the tokens that the team keeps, each in a wallet of its own.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, U256},
    providers::Provider as _,
    rpc::types::Filter,
    sol_types::SolEvent as _,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    cli::{
        clock,
        failure::Failure,
        node::Node,
        printer::{Printer, Report, table},
        send::{Included, Wallet},
        target::get_event,
        units::Money,
        view::SaleView,
    },
    config::{KeyArgs, NodeArgs, parse_address},
    contracts::{FixedPriceSale, SaleFactory, SaleToken, TeamWallet},
    types::Addr,
};

/// Shows the wallets of the team: whose they are, what is in them, and when it is free
///
/// They are found in the events of the sale's factory. A node that refuses to look through all its blocks needs --created-in.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale sale allocations $SALE
  crowdsale sale allocations $SALE --created-in 21000000 --json")]
pub struct AllocationsArgs {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    /// The block in which the sale was created, as `crowdsale sale deploy` printed it
    #[arg(long, value_name = "BLOCK")]
    created_in: Option<u64>,

    #[command(flatten)]
    node: NodeArgs,
}

/// Moves the tokens of one of the team's wallets
#[derive(Debug, Subcommand)]
pub enum AllocationCommand {
    Release(ReleaseArgs),
    Reclaim(ReclaimArgs),
}

/// Sends the owner of a team's wallet the tokens that are free
///
/// Nothing is free before the sale has succeeded. Anyone may do this: the tokens go to the wallet's owner.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale allocation release $WALLET --private-key-file key.txt")]
pub struct ReleaseArgs {
    #[command(flatten)]
    common: Common,
}

/// Sends the tokens of a team's wallet back to the sale's owner, after a failure or a cancellation
///
/// Anyone may do this.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale allocation reclaim $WALLET --private-key-file key.txt")]
pub struct ReclaimArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
struct Common {
    /// The wallet's address, as `crowdsale sale allocations` prints it
    #[arg(value_name = "WALLET", value_parser = parse_address)]
    wallet: Address,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Allocations {
    sale: Addr,
    allocations: Vec<AllocationStatus>,
}

/// One of the team's wallets.
#[derive(Debug, Serialize)]
pub struct AllocationStatus {
    wallet: Addr,
    /// From one.
    number: String,
    owner: Addr,
    allocated: Money,
    held: Money,
    released: Money,
    releasable: Money,
    cliff: String,
    complete: String,
    #[serde(skip)]
    times: (u64, u64),
}

#[derive(Debug, Serialize)]
struct Moved {
    wallet: Addr,
    sale: Addr,
    to: Addr,
    amount: Money,
    #[serde(flatten)]
    included: Included,
    #[serde(skip)]
    action: &'static str,
}

/// Runs `sale allocations`.
///
/// # Errors
/// Where the node fails or the address is no sale.
pub async fn run(args: AllocationsArgs, printer: Printer) -> Result<()> {
    let node = Node::connect(&args.node).await?;
    let view = SaleView::read(&node, args.sale, BlockId::latest()).await?;
    let head = node.block(BlockNumberOrTag::Latest).await?;
    let at = crate::cli::view::at_hash(&head);
    let allocations = read(&node, &view, args.created_in.unwrap_or(0), head.number, at).await?;
    printer.result(&Allocations { sale: Addr(args.sale), allocations })
}

/// The wallets of a sale, from the events of its factory up to a block, as they stand in it.
///
/// # Errors
/// Where the node fails, or refuses so many blocks.
pub async fn read(node: &Node, view: &SaleView, from: u64, to: u64, at: BlockId) -> Result<Vec<AllocationStatus>> {
    let failed = |e| node.read_failed("cannot read the allocations", &e);
    let sale = FixedPriceSale::new(view.address, &node.provider);
    let factory = sale.factory().block(at).call().await.map_err(failed)?;
    let filter = Filter::new()
        .address(factory)
        .event_signature(SaleFactory::AllocationCreated::SIGNATURE_HASH)
        .topic1(view.address)
        .from_block(from)
        .to_block(to);
    let logs = node.provider.get_logs(&filter).await.map_err(|e| {
        let why = format!("the node does not look through blocks {from} to {to}: {e}");
        Failure::new("cannot find the allocations", why, "name the block of the sale's creation: --created-in BLOCK")
    })?;
    let mut found = Vec::with_capacity(logs.len());
    for log in logs {
        let Ok(event) = log.log_decode::<SaleFactory::AllocationCreated>() else { continue };
        let e = event.inner.data;
        let wallet = TeamWallet::new(e.wallet, &node.provider);
        let token = SaleToken::new(view.terms.token, &node.provider);
        let owner = wallet.owner().block(at);
        let held = token.balanceOf(e.wallet).block(at);
        let released = wallet.released_1(view.terms.token).block(at);
        let releasable = wallet.releasable_0(view.terms.token).block(at);
        let (cliff, end) = (wallet.cliff().block(at), wallet.end().block(at));
        let (owner, held, released, releasable, cliff, end) =
            tokio::join!(owner.call(), held.call(), released.call(), releasable.call(), cliff.call(), end.call());
        let times = (cliff.map_err(failed)?.saturating_to(), end.map_err(failed)?.saturating_to());
        found.push(AllocationStatus {
            wallet: Addr(e.wallet),
            number: e.index.saturating_add(U256::ONE).to_string(),
            owner: Addr(owner.map_err(failed)?),
            allocated: view.token.amount(e.allocation.amount.to()),
            held: view.token.amount(held.map_err(failed)?),
            released: view.token.amount(released.map_err(failed)?),
            releasable: view.token.amount(releasable.map_err(failed)?),
            cliff: clock::rfc3339(times.0),
            complete: clock::rfc3339(times.1),
            times,
        });
    }
    Ok(found)
}

/// Runs `sale allocation …`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn act(command: AllocationCommand, printer: Printer) -> Result<()> {
    match command {
        AllocationCommand::Release(args) => {
            let (wallet, view) = args.common.connect(printer).await?;
            let token = view.terms.token;
            let request = wallet.call(args.common.wallet, &TeamWallet::release_0Call { token }, U256::ZERO);
            let receipt = wallet.send("release the allocation", request, &view.about()).await?;
            let e: TeamWallet::ERC20Released = get_event(&receipt, args.common.wallet)?;
            let owner = TeamWallet::new(args.common.wallet, &wallet.node.provider).owner().call().await;
            let owner = owner.map_err(|e| wallet.node.read_failed("cannot read the wallet", &e))?;
            moved(&args.common, &view, owner, e.amount, Included::new(&receipt), "released", printer)
        }
        AllocationCommand::Reclaim(args) => {
            let (wallet, view) = args.common.connect(printer).await?;
            let token = view.terms.token;
            let request = wallet.call(args.common.wallet, &TeamWallet::reclaimCall { token }, U256::ZERO);
            let receipt = wallet.send("reclaim the allocation", request, &view.about()).await?;
            let e: TeamWallet::Reclaimed = get_event(&receipt, args.common.wallet)?;
            moved(&args.common, &view, e.to, e.amount, Included::new(&receipt), "reclaimed", printer)
        }
    }
}

fn moved(
    common: &Common,
    view: &SaleView,
    to: Address,
    amount: U256,
    included: Included,
    action: &'static str,
    printer: Printer,
) -> Result<()> {
    let (wallet, sale) = (Addr(common.wallet), Addr(view.address));
    printer.result(&Moved { wallet, sale, to: Addr(to), amount: view.token.amount(amount), included, action })
}

impl Common {
    async fn connect(&self, printer: Printer) -> Result<(Wallet, SaleView)> {
        let wallet = Wallet::connect(&self.node, &self.key, printer).await?;
        let hint = "take a wallet's address as `crowdsale sale allocations SALE` prints it";
        wallet.node.require_code(self.wallet, "wallet", hint).await?;
        let Ok(sale) = TeamWallet::new(self.wallet, &wallet.node.provider).sale().call().await else {
            let why = format!("the contract at {} does not answer as a team's wallet", self.wallet);
            return Err(Failure::new("no wallet", why, hint));
        };
        let view = SaleView::read(&wallet.node, sale, BlockId::latest()).await?;
        Ok((wallet, view))
    }
}

impl AllocationStatus {
    /// In a few lines.
    pub fn text(&self) -> String {
        format!(
            "{} in {}\nof {}; released {}, free now {}\nfirst from {}, all from {}, if the sale succeeds",
            self.allocated,
            self.wallet,
            self.owner,
            self.released,
            self.releasable,
            clock::utc(self.times.0),
            clock::utc(self.times.1)
        )
    }
}

impl Report for Allocations {
    fn text(&self) -> String {
        let mut rows = vec![("sale", self.sale.to_string())];
        if self.allocations.is_empty() {
            rows.push(("allocations", "none".to_owned()));
        }
        rows.extend(self.allocations.iter().map(|a| ("allocation", a.text())));
        table(&rows)
    }
}

impl Report for Moved {
    fn text(&self) -> String {
        let mut rows = vec![
            ("wallet", self.wallet.to_string()),
            ("sale", self.sale.to_string()),
            (self.action, self.amount.exact()),
            ("to", self.to.to_string()),
        ];
        rows.extend(self.included.rows());
        table(&rows)
    }
}
