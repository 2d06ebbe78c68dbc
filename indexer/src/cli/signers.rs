//! What a service signs with, and how it follows what it sent.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use alloy::primitives::{Address, U256};
use anyhow::Result;
use clap::Args;

use super::failure::Failure;
use crate::{
    config::{KeyPlace, parse_address},
    orders::{DROP_AFTER, OrderOptions, Orders, Signer},
    serve::{self, KeyPlaces},
};

/// Less leaves an order nothing to pay.
const LEAST_FEE: u128 = 10;

/// Keys of a service, and limits of the orders that it sends.
#[derive(Args, Clone, Debug)]
pub struct SignerArgs {
    /// File with the private key that orders are sent with, in hexadecimal or a keystore, whose password is in
    /// CROWDSALE_ORDER_SIGNER_PASSWORD_FILE or CROWDSALE_KEY_PASSWORD_FILE; else the environment's CROWDSALE_ORDER_SIGNER or
    /// CROWDSALE_ORDER_SIGNER_FILE. Its account pays: keep no more in it than the orders of a day
    #[arg(long, value_name = "FILE", help_heading = "Orders and vouchers")]
    order_signer_file: Option<PathBuf>,
    /// File with the private key that vouchers are signed with, in hexadecimal or a keystore, whose password is in
    /// CROWDSALE_VOUCHER_SIGNER_PASSWORD_FILE or CROWDSALE_KEY_PASSWORD_FILE; else the environment's CROWDSALE_VOUCHER_SIGNER or
    /// CROWDSALE_VOUCHER_SIGNER_FILE. Read again when the file changes: the key before signs on for sales that still name it
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
    /// Most base units of all orders that a key places within 24 hours in a currency, on one chain, written as for --order-max. Those
    /// that were cancelled or failed do not count once that is final
    #[arg(
        long,
        env = "CROWDSALE_ORDER_DAY_MAX",
        value_name = "CURRENCY=UNITS",
        value_delimiter = ',',
        value_parser = most,
        help_heading = "Orders and vouchers"
    )]
    order_day_max: Vec<(Address, U256)>,
    /// Sale that the order signer's account pays into, as 1:0x…; without, any that the factory has made, and anybody can make one.
    /// Name several with commas between them, or repeat it
    #[arg(
        long,
        env = "CROWDSALE_ORDER_SALE",
        value_name = "CHAIN:ADDRESS",
        value_delimiter = ',',
        value_parser = sale,
        help_heading = "Orders and vouchers"
    )]
    order_sale: Vec<(u64, Address)>,
    /// Gwei that nothing which the order signer sends pays beyond for a unit of gas, whatever nodes say: order, speed-up, cancellation or
    /// filler. An order pays eight ninths of it at most, so that it can be cancelled. Above that new orders are refused, and others wait
    #[arg(
        long,
        env = "CROWDSALE_ORDER_MAX_FEE",
        default_value = "1000",
        value_name = "GWEI",
        allow_negative_numbers = true,
        value_parser = gwei,
        help_heading = "Orders and vouchers"
    )]
    order_max_fee: u128,
    /// Blocks after which an order that is next in line and in none is cancelled, so that those behind it go on
    #[arg(
        long,
        env = "CROWDSALE_ORDER_PATIENCE",
        default_value_t = OrderOptions::default().patience,
        value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Orders and vouchers"
    )]
    order_patience: u64,
    /// Blocks that may pass over an order whose max_fee_per_gas is less than they ask for, while others wait behind it, before it
    /// is cancelled
    #[arg(
        long,
        env = "CROWDSALE_ORDER_CAP_PATIENCE",
        default_value_t = OrderOptions::default().cap_patience,
        value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Orders and vouchers"
    )]
    order_cap_patience: u64,
    /// Blocks for which no node may have had a transaction that came signed before its order is expired
    #[arg(
        long,
        env = "CROWDSALE_ORDER_EXPIRY",
        default_value_t = OrderOptions::default().expiry,
        value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(DROP_AFTER..),
        help_heading = "Orders and vouchers"
    )]
    order_expiry: u64,
}

fn sale(text: &str) -> Result<(u64, Address), String> {
    let wrong = || "write such as 1:0x…, the chain's id and the sale's address".to_owned();
    let (chain_id, address) = text.split_once(':').ok_or_else(wrong)?;
    let is_number = !chain_id.is_empty() && chain_id.bytes().all(|b| b.is_ascii_digit());
    let chain_id = chain_id.parse::<u64>().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let address = parse_address(address).map_err(|e| format!("{e}; {}", wrong()))?;
    Ok((chain_id, address))
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

fn gwei(text: &str) -> Result<u128, String> {
    let wrong = || "write gwei such as 1000 or 0.25, with nine decimals at most".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 9 {
        return Err(wrong());
    }
    // Twelve digits are more than any chain asks for.
    if whole.len() > 12 {
        return Err("must be below 1000000000000 gwei".to_owned());
    }
    let wei: u128 = format!("{whole}{part:0<9}").parse().map_err(|_| wrong())?;
    if wei < LEAST_FEE { Err(format!("must be {LEAST_FEE} wei at least; {}", wrong())) } else { Ok(wei) }
}

/// Who signs, where there is somebody.
pub struct Signers {
    /// Orders.
    pub orders: Orders,
    /// Vouchers.
    pub vouchers: Option<Signer>,
    /// Where their keys are.
    pub keys: KeyPlaces,
}

impl SignerArgs {
    /// Who signs orders, and who signs vouchers.
    ///
    /// # Errors
    /// A [`Failure`] where a key cannot be read.
    pub fn read(&self) -> Result<Signers> {
        let most: HashMap<_, _> = self.order_max.iter().copied().collect();
        let options = OrderOptions {
            most,
            most_a_day: self.order_day_max.iter().copied().collect(),
            sales: self.order_sale.iter().copied().collect(),
            max_fee: self.order_max_fee,
            patience: self.order_patience,
            cap_patience: self.order_cap_patience,
            expiry: self.order_expiry,
            ..OrderOptions::default()
        };
        let mut keys = KeyPlaces {
            orders: place(self.order_signer_file.as_deref(), "CROWDSALE_ORDER_SIGNER")?,
            vouchers: place(self.voucher_signer_file.as_deref(), "CROWDSALE_VOUCHER_SIGNER")?,
        };
        let orders = keys.orders.as_mut().map(signer).transpose()?;
        if orders.is_some() && options.sales.is_empty() {
            tracing::warn!(
                "orders are sent to any sale that a followed factory has made, and anybody can make one: name yours with --order-sale"
            );
        }
        if orders.is_some() && options.most_a_day.is_empty() {
            tracing::warn!("a key orders as much in a day as the account has: set a limit with --order-day-max");
        }
        let vouchers = keys.vouchers.as_mut().map(signer).transpose()?;
        Ok(Signers { orders: Orders::new(orders, options), vouchers, keys })
    }
}

fn place(file: Option<&Path>, variable: &'static str) -> Result<Option<KeyPlace>> {
    KeyPlace::find(file, variable).map_err(|e| Failure::new(format!("cannot use {variable}"), &e, e.hint()))
}

fn signer(place: &mut KeyPlace) -> Result<Signer> {
    let variable = place.variable();
    let key = place.read().map_err(|e| Failure::new(format!("cannot use {variable}"), &e, e.hint()))?;
    tracing::info!(account = %key.address(), "signing with {variable}");
    Ok(serve::signer(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gwei_are_read_to_the_wei() {
        assert_eq!(gwei("1000"), Ok(OrderOptions::default().max_fee), "the default of the flag is that of the options");
        assert_eq!(gwei("0.25"), Ok(250_000_000));
        assert_eq!(gwei("12.000000001"), Ok(12_000_000_001));
        assert_eq!(gwei("0.00000001"), Ok(10));
        for text in
            ["", "0", "0.000000009", "-1", "+1", "1e3", "1.", ".5", "1.0000000001", "1 000", "1,000", "9999999999999"]
        {
            assert!(gwei(text).is_err(), "{text}");
        }
    }
}
