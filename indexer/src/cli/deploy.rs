//! `crowdsale sale deploy`.

use std::path::PathBuf;

use alloy::{primitives::Address, providers::Provider};
use anyhow::{Context, Result};
use clap::Args;

use super::{
    Failure, lint,
    printer::Printer,
    sale_file::SaleFile,
    session::{KeyArgs, NodeArgs, Session},
};
use crate::contracts::{
    SaleFactory::{self, SaleCreated, SaleFactoryInstance},
    SaleToken,
};

/// `Mode.FixedPrice`.
const FIXED_PRICE: u8 = 0;

/// Creates the sale of a file, with its vault and, where the file says so, its token, in one transaction. The same file of
/// the same creator is created once: a second deploy finds the first and sends nothing.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale sale deploy contracts/examples/aurora-eth.toml --dev-account 0")]
pub struct DeployArgs {
    /// The sale file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The factory; on a devnet the one that `crowdsale up` deploys.
    #[arg(long, env = "CROWDSALE_FACTORY", value_name = "ADDRESS")]
    factory: Option<Address>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    key: KeyArgs,
}

struct Addresses {
    sale: Address,
    vault: Address,
    token: Address,
}

/// Deploys one file.
pub async fn run(args: DeployArgs, printer: &Printer) -> Result<()> {
    let session = args.node.connect_with(&args.key).await?;
    let factory = SaleFactory::new(session.factory(args.factory).await?, session.provider.clone());
    // A file that was deployed before may have opened meanwhile: look for its sale before its dates are checked.
    let bytes = std::fs::read(&args.file).unwrap_or_default();
    if let Some(sale) = super::sale_file::check(&bytes, 0).sale {
        let at = predict(&session, &factory, &sale).await?;
        if !session.provider.get_code_at(at.sale).await?.is_empty() {
            printer.note("this file was deployed before by the same creator: nothing is sent");
            print(printer, "exists", &at, None);
            return Ok(());
        }
    }

    let (_, sale) = lint::load(&args.file, Some(&session), printer).await?;
    if let Some(token) = sale.existing_token() {
        approve(&session, &sale, token, *factory.address(), printer).await?;
    }
    let (terms, documents) = (sale.terms.clone(), sale.documents.clone());
    let receipt = match sale.new_token.clone() {
        Some(token) => {
            let call = factory.createWithToken(FIXED_PRICE, terms, documents, token);
            session.send("creating the sale", call, &sale.units, printer).await?
        }
        None => {
            session
                .send("creating the sale", factory.create(FIXED_PRICE, terms, documents), &sale.units, printer)
                .await?
        }
    };
    let created = receipt.decoded_log::<SaleCreated>().context("the transaction created no sale")?;
    let at = Addresses { sale: created.sale, vault: created.vault, token: created.token };
    print(printer, "created", &at, Some((receipt.transaction_hash.to_string(), receipt.gas_used)));
    Ok(())
}

async fn predict(
    session: &Session,
    factory: &SaleFactoryInstance<impl Provider>,
    sale: &SaleFile,
) -> Result<Addresses> {
    let (terms, documents) = (sale.terms.clone(), sale.documents.clone());
    let failed = "the factory does not answer: is it one?";
    Ok(match sale.new_token.clone() {
        Some(token) => {
            let at = factory
                .predictWithToken(session.sender, FIXED_PRICE, terms, documents, token)
                .call()
                .await
                .context(failed)?;
            Addresses { sale: at.sale, vault: at.vault, token: at.token }
        }
        None => {
            let at = factory.predict(session.sender, FIXED_PRICE, terms, documents).call().await.context(failed)?;
            Addresses { sale: at.sale, vault: at.vault, token: sale.terms.token }
        }
    })
}

/// Lets the factory take exactly the tokens for sale, and no more.
async fn approve(
    session: &Session,
    sale: &SaleFile,
    token: Address,
    factory: Address,
    printer: &Printer,
) -> Result<()> {
    let contract = SaleToken::new(token, session.provider.clone());
    let amount = sale.terms.tokensForSale.to();
    let balance = contract.balanceOf(session.sender).call().await?;
    if balance < amount {
        return Err(Failure::new(
            format!(
                "{} holds {}, the sale needs {}",
                session.sender,
                sale.units.token.write(balance),
                sale.units.token.write(amount)
            ),
            "send the missing tokens to this account, or sell fewer",
        )
        .into());
    }
    if contract.allowance(session.sender, factory).call().await? != amount {
        session.send("approving the tokens for sale", contract.approve(factory, amount), &sale.units, printer).await?;
    }
    Ok(())
}

fn print(printer: &Printer, status: &str, at: &Addresses, sent: Option<(String, u64)>) {
    let mut rows = vec![
        ("status", status.to_owned()),
        ("sale", at.sale.to_string()),
        ("vault", at.vault.to_string()),
        ("token", at.token.to_string()),
    ];
    if let Some((hash, gas)) = sent {
        rows.extend([("transaction", hash), ("gas", gas.to_string())]);
    }
    printer.table(&format!("sale {status}"), &rows);
}
