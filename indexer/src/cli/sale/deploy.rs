//! `sale deploy`: from a sale file to a sale, safe to repeat after any interruption.
//!
//! The sale's address binds creator, terms and documents. So the whole state of a deployment is on the chain: is there code
//! at the predicted address, does the factory's allowance suffice. Every run reads that and does what is left.

use std::path::PathBuf;

use alloy::{
    primitives::{Address, B256, U256},
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
        sale_file::{MODE_FIXED_PRICE, Problem, SaleFile, SaleFileError, Severity, TokenEntry, sale_hash},
        send::{About, Included, Wallet},
        units::Asset,
    },
    config::{FactoryArgs, KeyArgs, NodeArgs},
    contracts::SaleFactory::{self, Documents, SaleTerms, TokenTerms},
    explain::Assets,
    types::Addr,
};

/// Deploys the sale that a file describes
///
/// The file is checked first, and nothing is sent for one with errors. The same file deployed twice by the same account is
/// recognised: the command says so and sends nothing, so it can be repeated after any interruption. Where an existing token
/// is sold, exactly the tokens for sale are approved for the factory.
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
    creator: Addr,
    factory: Addr,
    chain_id: u64,
    sale_hash: B256,
    #[serde(flatten)]
    included: Option<Included>,
}

/// A file as the factory takes it.
struct Order {
    terms: SaleTerms,
    documents: Documents,
    token: Option<TokenTerms>,
}

/// Addresses that it gets.
#[derive(Clone, Copy, Debug)]
struct Predicted {
    sale: Address,
    vault: Address,
    token: Address,
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
    wallet.node.require_code(factory, "factory", hint).await?;

    let hash = sale_hash(&text);
    let order = Order { terms: sale.terms(), documents: sale.documents(hash), token: sale.token_terms() };
    // A run that was interrupted may have sent it already.
    wallet.wait_for_earlier().await?;
    let predicted = predict(&wallet, factory, &order).await?;
    let deployed = |included: Option<Included>| Deployed {
        created: included.is_some(),
        sale: Addr(predicted.sale),
        vault: Addr(predicted.vault),
        token: Addr(predicted.token),
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
        wallet.approve(address, &sale.token_asset, factory, sale.for_sale).await?;
    }
    let known = |asset: &Asset| Some((asset.decimals, asset.symbol.clone()));
    let assets = Assets { currency: known(&sale.payment), token: known(&sale.token_asset) };
    let about = About { assets, sale: Some(predicted.sale), gas_reserve: 0, is_repeatable: true };
    let receipt = wallet.send("deploy the sale", order.request(&wallet, factory), &about).await?;
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
    match SaleFile::parse(text, clock) {
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
    let contract = SaleFactory::new(factory, &wallet.node.provider);
    let (mode, terms, documents) = (MODE_FIXED_PRICE, order.terms.clone(), order.documents.clone());
    let failed = |e| wallet.node.read_failed(&format!("cannot ask the factory {factory}"), &e);
    match &order.token {
        Some(token) => {
            let call = contract.predictWithToken(wallet.address, mode, terms, documents, Vec::new(), token.clone());
            let p = call.call().await.map_err(failed)?;
            Ok(Predicted { sale: p.sale, vault: p.vault, token: p.token })
        }
        None => {
            let token = terms.token;
            let p =
                contract.predict(wallet.address, mode, terms, documents, Vec::new()).call().await.map_err(failed)?;
            Ok(Predicted { sale: p.sale, vault: p.vault, token })
        }
    }
}

impl Order {
    fn request(&self, wallet: &Wallet, factory: Address) -> TransactionRequest {
        let (mode, terms, documents) = (MODE_FIXED_PRICE, self.terms.clone(), self.documents.clone());
        match &self.token {
            Some(token) => {
                let call = SaleFactory::createWithTokenCall {
                    mode,
                    terms,
                    documents,
                    allocations: Vec::new(),
                    tokenTerms: token.clone(),
                };
                wallet.call(factory, &call, U256::ZERO)
            }
            None => wallet.call(
                factory,
                &SaleFactory::createCall { mode, terms, documents, allocations: Vec::new() },
                U256::ZERO,
            ),
        }
    }
}

impl Report for Deployed {
    fn text(&self) -> String {
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("vault", self.vault.to_string()),
            ("token", self.token.to_string()),
            ("creator", self.creator.to_string()),
            ("chain", self.chain_id.to_string()),
            ("SHA-256", self.sale_hash.to_string()),
        ];
        rows.extend(self.included.iter().flat_map(Included::rows));
        table(&rows)
    }
}
