//! A sale file as the structs that the factory takes.

use alloy::primitives::{
    Address, B256, U256,
    aliases::{U40, U120},
};

use super::{SaleFile, TokenEntry};
use crate::contracts::SaleFactory::{Documents, Phase, SaleTerms, Tap, TokenTerms, Vesting};

/// The only mode so far: fixed price.
pub const MODE_FIXED_PRICE: u8 = 0;

/// The only gate so far: open to all.
const GATE_OPEN: u8 = 0;

impl SaleFile {
    /// The terms. The token is zero where it is created with the sale.
    pub fn terms(&self) -> SaleTerms {
        SaleTerms {
            owner: self.owner,
            compliance: Address::ZERO,
            signer: Address::ZERO,
            coolingOff: 0,
            vesting: Vesting { atOnce: 0, cliff: 0, duration: 0 },
            tap: Tap { atOnce: 0, duration: 0, objection: 0 },
            beneficiary: self.beneficiary,
            token: match self.token {
                TokenEntry::Existing { address } => address,
                TokenEntry::New { .. } => Address::ZERO,
            },
            currency: self.currency,
            opens: U40::saturating_from(self.opens),
            softCap: narrow(self.soft_cap),
            hardCap: narrow(self.hard_cap),
            minPaid: narrow(self.min),
            maxPaid: narrow(self.max),
            tokensForSale: narrow(self.for_sale),
            unsold: u8::from(self.burn_unsold),
            phases: self
                .phases
                .iter()
                .map(|p| Phase {
                    end: U40::saturating_from(p.ends),
                    raisedUpTo: narrow(p.raised_up_to),
                    price: p.price.saturating_to(),
                    gate: GATE_OPEN,
                    root: B256::ZERO,
                })
                .collect(),
        }
    }

    /// What was published, with the hash of this file.
    pub fn documents(&self, sale_hash: B256) -> Documents {
        Documents {
            name: self.name.clone(),
            saleHash: sale_hash,
            saleURI: self.file_uri.clone(),
            whitepaperHash: self.whitepaper.sha256,
            whitepaperURI: self.whitepaper.uri.clone(),
        }
    }

    /// The token to be created; `None` where the file names an existing one.
    pub fn token_terms(&self) -> Option<TokenTerms> {
        match &self.token {
            TokenEntry::Existing { .. } => None,
            TokenEntry::New { name, supply, contract_uri } => Some(TokenTerms {
                kind: 0,
                name: name.clone(),
                symbol: self.token_asset.symbol.clone(),
                supply: *supply,
                contractURI: contract_uri.clone(),
            }),
        }
    }
}

/// The checks keep every amount in 120 bits.
fn narrow(amount: U256) -> U120 {
    U120::saturating_from(amount)
}
