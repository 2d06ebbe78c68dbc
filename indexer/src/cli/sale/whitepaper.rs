//! `sale whitepaper`: another document takes the place of the one in force, pinned by its hash.

use std::path::PathBuf;

use alloy::primitives::B256;
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::roles::act;
use crate::{
    cli::{
        failure::Failure,
        printer::{Printer, Report, table},
        send::Included,
        target::{SaleTarget, get_event},
    },
    contracts::FixedPriceSale,
    types::Addr,
};

/// Publishes another whitepaper in place of the one in force: the owner's
///
/// The file is not uploaded: its SHA-256 is written into the chain, and with --uri where it is served. Earlier ones stay on
/// record.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale whitepaper $SALE paper-2.pdf --uri https://example.org/paper-2.pdf --private-key-file owner.txt")]
pub struct WhitepaperArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// The document; its exact bytes are pinned
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where it is served
    #[arg(long, value_name = "URI")]
    uri: Option<Url>,
}

#[derive(Debug, Serialize)]
struct Superseded {
    sale: Addr,
    /// 1 for the first that supersedes the one of the sale's creation.
    version: String,
    sha256: B256,
    uri: String,
    #[serde(flatten)]
    included: Included,
}

/// Runs `sale whitepaper`.
///
/// # Errors
/// Where the file cannot be read or the contract refuses, in words.
pub async fn run(args: WhitepaperArgs, printer: Printer) -> Result<()> {
    let bytes = std::fs::read(&args.file)
        .map_err(|e| Failure::new(format!("cannot read {}", args.file.display()), e, "check the path"))?;
    let hash = B256::from_slice(&Sha256::digest(&bytes));
    let (wallet, view) = args.target.connect(printer).await?;
    let uri = args.uri.map(String::from).unwrap_or_default();
    let call = FixedPriceSale::supersedeWhitepaperCall { hash, uri };
    let (receipt, included) = act(&wallet, &view, "publish the whitepaper", &call).await?;
    let e: FixedPriceSale::WhitepaperSuperseded = get_event(&receipt, view.address)?;
    printer.result(&Superseded {
        sale: Addr(view.address),
        version: e.version.to_string(),
        sha256: e.hash,
        uri: e.uri,
        included,
    })
}

impl Report for Superseded {
    fn text(&self) -> String {
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("version", self.version.clone()),
            ("SHA-256", self.sha256.to_string()),
        ];
        if !self.uri.is_empty() {
            rows.push(("served at", self.uri.clone()));
        }
        rows.extend(self.included.rows());
        table(&rows)
    }
}
