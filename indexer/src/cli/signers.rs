//! What a service signs with, and how it follows what it sent.

use std::{collections::HashMap, path::PathBuf};

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;

use super::failure::Failure;
use crate::{
    config::{DEV_CHAIN_ID, find_key, parse_address},
    orders::{OrderOptions, Orders, Signer},
};

/// Keys of a service, and limits of the orders that it sends.
#[derive(Args, Clone, Debug)]
pub struct SignerArgs {
    /// File with the private key that orders are sent with; else the environment's CROWDSALE_ORDER_SIGNER or
    /// CROWDSALE_ORDER_SIGNER_FILE. Its account pays: keep no more in it than the orders of a day
    #[arg(long, value_name = "FILE", help_heading = "Orders and vouchers")]
    order_signer_file: Option<PathBuf>,
    /// File with the private key that vouchers are signed with; else the environment's CROWDSALE_VOUCHER_SIGNER or
    /// CROWDSALE_VOUCHER_SIGNER_FILE
    #[arg(long, value_name = "FILE", help_heading = "Orders and vouchers")]
    voucher_signer_file: Option<PathBuf>,
    /// Most base units of one order in a currency, which is `eth` or a token's address: eth=1000000000000000000. Name several with
    /// commas between them, or repeat it
    #[arg(
        long,
        env = "CROWDSALE_ORDER_MAX",
        value_name = "CURRENCY=UNITS",
        value_delimiter = ',',
        value_parser = most,
        help_heading = "Orders and vouchers"
    )]
    order_max: Vec<(Address, U256)>,
    /// Blocks after which an order that is in none is cancelled, so that those behind it go on
    #[arg(
        long,
        env = "CROWDSALE_ORDER_PATIENCE",
        default_value_t = OrderOptions::default().patience,
        value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Orders and vouchers"
    )]
    order_patience: u64,
}

fn most(text: &str) -> Result<(Address, U256), String> {
    let wrong = || "write such as eth=1000000000000000000, or a token's address in place of eth".to_owned();
    let (currency, units) = text.split_once('=').ok_or_else(wrong)?;
    let currency = if currency == "eth" {
        Address::ZERO
    } else {
        parse_address(currency).map_err(|e| format!("{e}; {}", wrong()))?
    };
    let units = units.parse::<crate::types::Amount>().map_err(|_| wrong())?;
    Ok((currency, units.0))
}

impl SignerArgs {
    /// Who signs orders, and who signs vouchers, where there is somebody.
    ///
    /// # Errors
    /// A [`Failure`] where a key cannot be read.
    pub fn read(&self) -> Result<(Orders, Option<Signer>)> {
        let most: HashMap<_, _> = self.order_max.iter().copied().collect();
        let options = OrderOptions { most, patience: self.order_patience, ..OrderOptions::default() };
        let orders = signer(self.order_signer_file.as_ref(), "CROWDSALE_ORDER_SIGNER")?;
        let vouchers = signer(self.voucher_signer_file.as_ref(), "CROWDSALE_VOUCHER_SIGNER")?;
        Ok((Orders::new(orders, options), vouchers))
    }
}

fn signer(file: Option<&PathBuf>, variable: &'static str) -> Result<Option<Signer>> {
    let key = find_key(file.map(PathBuf::as_path), variable)
        .map_err(|e| Failure::new(format!("cannot use {variable}"), &e, e.hint()))?;
    Ok(key.map(|key| {
        let only_on = key.is_published().then_some(DEV_CHAIN_ID);
        tracing::info!(account = %key.address(), "signing with {variable}");
        Signer::new(key.into_signer(), only_on)
    }))
}
