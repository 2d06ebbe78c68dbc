//! A sale file as the structs that the factory takes.

use alloy::primitives::{
    Address, B256, U256,
    aliases::{U40, U120},
};

use super::{Gate, SaleFile, TokenEntry, draft::MODES};
use crate::contracts::SaleFactory::{Allocation, Documents, Phase, SaleTerms, Tap, TokenTerms, Vesting};

/// How the price is formed, as the contracts number it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each phase has its price.
    FixedPrice,
    /// One price, and everybody gets the same share.
    ProRata,
    /// The price falls, and all pay the one that is reached.
    DutchAuction,
}

impl Mode {
    /// Of a word in a sale file; an unknown one is not there.
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "pro-rata" => Self::ProRata,
            "dutch-auction" => Self::DutchAuction,
            _ => Self::FixedPrice,
        }
    }

    /// Of the contracts' number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::FixedPrice, Self::ProRata, Self::DutchAuction].into_iter().find(|m| m.number() == number)
    }

    /// The contracts' number.
    pub fn number(self) -> u8 {
        match self {
            Self::FixedPrice => 0,
            Self::ProRata => 1,
            Self::DutchAuction => 2,
        }
    }

    /// As the sale file writes it.
    pub fn word(self) -> &'static str {
        MODES[usize::from(self.number())]
    }

    /// In the middle of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::FixedPrice => "a sale at fixed prices",
            Self::ProRata => "a pro-rata sale",
            Self::DutchAuction => "an auction",
        }
    }
}

impl SaleFile {
    /// The terms. The token is zero where it is created with the sale.
    pub fn terms(&self) -> SaleTerms {
        SaleTerms {
            owner: self.owner,
            compliance: self.compliance,
            signer: self.voucher_signer,
            beneficiary: self.beneficiary,
            token: match self.token {
                TokenEntry::Existing { address } => address,
                TokenEntry::New { .. } => Address::ZERO,
            },
            currency: self.currency,
            opens: U40::saturating_from(self.opens),
            coolingOff: seconds(self.cooling_off),
            softCap: narrow(self.soft_cap),
            hardCap: narrow(self.hard_cap),
            minPaid: narrow(self.min),
            maxPaid: narrow(self.max),
            tokensForSale: narrow(self.for_sale),
            unsold: u8::from(self.burn_unsold),
            vesting: Vesting {
                atOnce: self.vesting.at_once,
                cliff: seconds(self.vesting.cliff),
                duration: seconds(self.vesting.duration),
            },
            tap: Tap {
                atOnce: self.release.at_once,
                duration: seconds(self.release.duration),
                objection: self.release.objection,
            },
            phases: self
                .phases
                .iter()
                .map(|p| Phase {
                    end: U40::saturating_from(p.ends),
                    raisedUpTo: narrow(p.raised_up_to),
                    price: p.price.saturating_to(),
                    gate: match p.gate {
                        Gate::Open => 0,
                        Gate::Voucher => 1,
                        Gate::List { .. } => 2,
                    },
                    root: match p.gate {
                        Gate::List { root } => root,
                        Gate::Open | Gate::Voucher => B256::ZERO,
                    },
                })
                .collect(),
        }
    }

    /// The team's tokens.
    pub fn allocation_terms(&self) -> Vec<Allocation> {
        let allocation = |a: &super::Allocation| Allocation {
            beneficiary: a.beneficiary,
            amount: narrow(a.amount),
            cliff: a.cliff,
            duration: a.duration,
        };
        self.allocations.iter().map(allocation).collect()
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
            TokenEntry::New { name, supply, contract_uri, restricted } => Some(TokenTerms {
                kind: u8::from(*restricted),
                name: name.clone(),
                symbol: self.token_asset.symbol.clone(),
                supply: *supply,
                contractURI: contract_uri.clone(),
            }),
        }
    }
}

/// The checks keep every time span below ten years.
fn seconds(span: u64) -> u32 {
    u32::try_from(span).unwrap_or(u32::MAX)
}

/// The checks keep every amount in 120 bits.
fn narrow(amount: U256) -> U120 {
    U120::saturating_from(amount)
}
