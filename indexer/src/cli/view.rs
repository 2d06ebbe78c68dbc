//! A sale, read from the chain at one block: every number of an answer belongs to the same state.

use alloy::{
    eips::{BlockId, RpcBlockHash},
    primitives::{Address, U256},
    providers::Provider as _,
};
use anyhow::Result;

use super::{
    failure::Failure,
    node::{BlockRef, Node},
    sale_file::Mode,
    send::About,
    units::Asset,
};
use crate::{
    contracts::{
        FixedPriceSale::{self, SaleTerms},
        SaleFactory,
    },
    explain::Assets,
};

/// What a sale is, whatever its state: its terms, and what its amounts are in.
#[derive(Clone, Debug)]
pub struct SaleView {
    /// The sale.
    pub address: Address,
    /// How the price is formed; `None` where its factory is none of this version.
    pub mode: Option<Mode>,
    /// The terms.
    pub terms: SaleTerms,
    /// Its vault.
    pub vault: Address,
    /// What is paid.
    pub payment: Asset,
    /// What is sold.
    pub token: Asset,
}

/// A block by its hash, so that a reorg between two requests is an error and not a mixture.
pub fn at_hash(block: &BlockRef) -> BlockId {
    BlockId::Hash(RpcBlockHash::from_hash(block.hash, None))
}

impl SaleView {
    /// Reads a sale.
    ///
    /// # Errors
    /// Where there is no contract at the address, or it is no sale.
    pub async fn read(node: &Node, address: Address, block: BlockId) -> Result<Self> {
        let hint = "take the address that `crowdsale sale deploy` printed, on the chain where it did";
        node.require_code(address, "sale", hint).await?;
        let sale = FixedPriceSale::new(address, &node.provider);
        let (terms, vault) = (sale.terms().block(block), sale.vault().block(block));
        let (terms, vault) = tokio::join!(terms.call(), vault.call());
        let (Ok(terms), Ok(vault)) = (terms, vault) else {
            let code = node.provider.get_code_at(address).block_id(block).await;
            if code.is_ok_and(|c| c.is_empty()) {
                let why = format!("there is no contract at {address} in that block: it is newer");
                return Err(Failure::new("no sale yet", why, "ask for the latest block: --at latest"));
            }
            let why = format!("the contract at {address} on chain {} does not answer as a sale", node.chain_id);
            return Err(Failure::new("no sale", why, hint));
        };
        let (payment, token) = tokio::join!(node.asset(terms.currency, block), node.asset(terms.token, block));
        let mode = find_mode(node, address, block).await;
        Ok(Self { address, mode, vault, payment: payment?, token: token?, terms })
    }

    /// Whether it is paid with ether.
    pub fn takes_ether(&self) -> bool {
        self.terms.currency.is_zero()
    }

    /// What errors of this sale need to be put into words.
    pub fn about(&self) -> About {
        let known = |asset: &Asset| Some((asset.decimals, asset.symbol.clone()));
        let assets = Assets { currency: known(&self.payment), token: known(&self.token) };
        About { assets, sale: Some(self.address), gas_reserve: 0, is_repeatable: false }
    }

    /// Payment units per whole token, as text.
    pub fn price(&self, price: u128) -> String {
        let exponent = i32::from(self.payment.decimals) + 18 - i32::from(self.token.decimals);
        let price = U256::from(price);
        let text = match u8::try_from(exponent) {
            Ok(decimals) => crate::types::Amount(price).to_units(decimals),
            Err(_) => format!("{price}{}", "0".repeat(usize::try_from(-exponent).unwrap_or(0))),
        };
        format!("{text} {} per {}", self.payment.symbol, self.token.symbol)
    }
}

/// A sale says its factory, and its code names the code that it shares; the factory says of which mode that is.
async fn find_mode(node: &Node, sale: Address, block: BlockId) -> Option<Mode> {
    /// Before the address in the code of a clone (ERC-1167).
    const CLONE: usize = 10;
    let contract = FixedPriceSale::new(sale, &node.provider);
    let (factory, code) = (contract.factory().block(block), node.provider.get_code_at(sale).block_id(block));
    let (factory, code) = tokio::join!(factory.call(), code);
    let shared = Address::try_from(code.ok()?.get(CLONE..CLONE + 20)?).ok()?;
    let factory = SaleFactory::new(factory.ok()?, &node.provider);
    let (fixed, pro_rata, auction) =
        (factory.FIXED_PRICE_SALE(), factory.PRO_RATA_SALE(), factory.DUTCH_AUCTION_SALE());
    let (fixed, pro_rata, auction) = (fixed.block(block), pro_rata.block(block), auction.block(block));
    let (fixed, pro_rata, auction) = tokio::join!(fixed.call(), pro_rata.call(), auction.call());
    let is = |code: Result<Address, alloy::contract::Error>| code.is_ok_and(|c| c == shared);
    match (is(fixed), is(pro_rata), is(auction)) {
        (true, ..) => Some(Mode::FixedPrice),
        (_, true, _) => Some(Mode::ProRata),
        (.., true) => Some(Mode::DutchAuction),
        _ => None,
    }
}
