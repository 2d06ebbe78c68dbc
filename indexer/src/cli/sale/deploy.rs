//! `sale deploy`: from a sale file to a sale, safe to repeat after any interruption.
//!
//! The sale's address binds creator, terms and documents. So the whole state of a deployment is on the chain: is there code
//! at the predicted address, does the factory's allowance suffice. Every run reads that and does what is left.

use std::path::PathBuf;

use alloy::{
    primitives::{Address, B256, Bytes},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::lint;
use crate::{
    cli::{
        failure::Failure,
        printer::{Printer, Report, table},
        sale_file::{Order, Predicted, Problem, SaleFile, SaleFileError, Severity, TokenEntry, sale_hash},
        send::{About, Included, Wallet},
        units::{Asset, Money},
    },
    config::{FactoryArgs, KeyArgs, NodeArgs},
    explain::Assets,
    types::Addr,
};

/// Deploys the sale that a file describes
///
/// The file is checked first, and nothing is sent for one with errors. The same file deployed twice by the same account is
/// recognised: the command says so and sends nothing, so it can be repeated after any interruption. Where an existing token
/// is sold, exactly the tokens for sale and the allocations are approved for the factory.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale sale deploy contracts/examples/aurora-eth.toml --dev-account 0
  crowdsale sale deploy sale.toml --chain-id 1 --factory $FACTORY --private-key-file key.txt")]
pub struct DeployArgs {
    /// The sale file; its exact bytes are pinned on the chain by their SHA-256
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    factory: FactoryArgs,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Deployed {
    /// False where the sale was there already.
    created: bool,
    sale: Addr,
    vault: Addr,
    token: Addr,
    /// Of the team, in the order of the file.
    wallets: Vec<WalletEntry>,
    creator: Addr,
    factory: Addr,
    chain_id: u64,
    sale_hash: B256,
    #[serde(flatten)]
    included: Option<Included>,
}

/// One of the team's wallets.
#[derive(Clone, Debug, Serialize)]
struct WalletEntry {
    name: String,
    wallet: Addr,
    beneficiary: Addr,
    amount: Money,
}

/// Runs the command.
///
/// # Errors
/// Where the file has errors, the factory refuses, or the node fails: in words.
pub async fn run(args: DeployArgs, printer: Printer) -> Result<()> {
    let text = lint::read(&args.file)?;
    // Without a clock: a sale that is deployed already may have opened since.
    let (sale, _) = parse(&text, &args, printer, None)?;
    let wallet = Wallet::connect(&args.node, &args.key, printer).await?;
    let chain_id = wallet.node.chain_id;
    let Some(factory) = args.factory.on_chain(chain_id) else {
        return Err(Failure::new(
            "no factory",
            format!("none was named, and there is none by default on chain {chain_id}"),
            "name the factory: --factory ADDRESS or CROWDSALE_FACTORY",
        ));
    };
    let hint = "check --factory and --chain-id; a factory must be deployed on this chain first";
    wallet.node.require_factory(factory, hint).await?;

    let hash = sale_hash(&text);
    let order = Order::new(&sale, hash);
    // A run that was interrupted may have sent it already.
    wallet.wait_for_earlier().await?;
    let predicted = predict(&wallet, factory, &order).await?;
    let wallets = predict_wallets(&wallet, factory, &sale, &order, predicted.sale).await?;
    let deployed = |included: Option<Included>| Deployed {
        created: included.is_some(),
        sale: Addr(predicted.sale),
        vault: Addr(predicted.vault),
        token: Addr(predicted.token),
        wallets: wallets.clone(),
        creator: Addr(wallet.address),
        factory: Addr(factory),
        chain_id,
        sale_hash: hash,
        included,
    };
    if wallet.node.has_code(predicted.sale).await? {
        printer.note("this file is deployed already by this account: nothing was sent");
        return printer.result(&deployed(None));
    }

    let clock = lint::chain_clock(&wallet.node).await?;
    let (_, warnings) = parse(&text, &args, printer, Some(clock))?;
    for warning in warnings {
        printer.note(warning.to_string());
    }
    let problems = lint::check_chain(&wallet.node, &sale, Some(wallet.address)).await?;
    show(&problems, &args, printer)?;
    if let TokenEntry::Existing { address } = sale.token {
        wallet.approve(address, &sale.token_asset, factory, sale.tokens_needed()).await?;
    }
    let known = |asset: &Asset| Some((asset.decimals, asset.symbol.clone()));
    let assets = Assets { currency: known(&sale.payment), token: known(&sale.token_asset) };
    let about = About { assets, sale: Some(predicted.sale), gas_reserve: 0, is_repeatable: true };
    let request = TransactionRequest::default().from(wallet.address).to(factory).input(order.create().into());
    let receipt = wallet.send("deploy the sale", request, &about).await?;
    if !wallet.node.has_code(predicted.sale).await? {
        let why = format!(
            "transaction {} was included, but there is no sale at {}",
            receipt.transaction_hash, predicted.sale
        );
        return Err(Failure::new("the sale is not there", why, "check that --factory is a factory of this version"));
    }
    printer.result(&deployed(Some(Included::new(&receipt))))?;
    printer.note(format!("next: crowdsale sale status {}", predicted.sale));
    Ok(())
}

/// Reads the file; what is wrong goes to stderr.
fn parse(
    text: &str,
    args: &DeployArgs,
    printer: Printer,
    clock: Option<crate::cli::sale_file::Clock>,
) -> Result<(SaleFile, Vec<Problem>)> {
    match SaleFile::parse_in(text, lint::folder(&args.file), clock) {
        Err(SaleFileError::Problems(problems)) => {
            show(&problems, args, printer)?;
            Err(lint::refused(&args.file, &problems))
        }
        other => Ok(other?),
    }
}

/// Shows problems on stderr, and fails if one of them is an error.
fn show(problems: &[Problem], args: &DeployArgs, printer: Printer) -> Result<()> {
    for problem in problems {
        printer.note(problem.to_string());
    }
    if problems.iter().any(|p| p.severity == Severity::Error) {
        Err(lint::refused(&args.file, problems))
    } else {
        Ok(())
    }
}

async fn predict(wallet: &Wallet, factory: Address, order: &Order) -> Result<Predicted> {
    let answer = ask(wallet, factory, order.predict(wallet.address)).await?;
    order.predicted(&answer).map_err(|e| no_factory(factory, &e))
}

async fn predict_wallets(
    wallet: &Wallet,
    factory: Address,
    file: &SaleFile,
    order: &Order,
    sale: Address,
) -> Result<Vec<WalletEntry>> {
    let mut found = Vec::with_capacity(order.allocations.len());
    for (entry, data) in file.allocations.iter().zip(order.predict_wallets(sale)) {
        let answer = ask(wallet, factory, data).await?;
        let address = Order::predicted_wallet(&answer).map_err(|e| no_factory(factory, &e))?;
        found.push(WalletEntry {
            name: entry.name.clone(),
            wallet: Addr(address),
            beneficiary: Addr(entry.beneficiary),
            amount: file.token_asset.amount(entry.amount),
        });
    }
    Ok(found)
}

async fn ask(wallet: &Wallet, factory: Address, data: Bytes) -> Result<Bytes> {
    let request = TransactionRequest::default().to(factory).input(data.into());
    let answer = wallet.node.provider.call(request).await;
    answer.map_err(|e| wallet.node.read_failed(&format!("cannot ask the factory {factory}"), &e.into()))
}

fn no_factory(factory: Address, error: &alloy::sol_types::Error) -> anyhow::Error {
    let hint = "check --factory: it has to be a factory of this version";
    Failure::new(format!("cannot ask the factory {factory}"), error, hint)
}

impl Report for Deployed {
    fn text(&self) -> String {
        let mut rows =
            vec![("sale", self.sale.to_string()), ("vault", self.vault.to_string()), ("token", self.token.to_string())];
        let wallet = |w: &WalletEntry| format!("{} for {}, {}", w.wallet, w.name, w.amount);
        rows.extend(self.wallets.iter().map(|w| ("wallet", wallet(w))));
        rows.extend([
            ("creator", self.creator.to_string()),
            ("chain", self.chain_id.to_string()),
            ("SHA-256", self.sale_hash.to_string()),
        ]);
        rows.extend(self.included.iter().flat_map(Included::rows));
        table(&rows)
    }
}
