//! A sale file as the factory takes it: one call that creates everything, and one that tells the addresses before.

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U40},
    sol_types::{Error, SolCall as _},
};

use super::{Mode, SaleFile};
use crate::contracts::SaleFactory::{self, Allocation, Documents, SaleTerms, TokenTerms};

/// A file as the factory takes it.
#[derive(Clone, Debug)]
pub struct Order {
    /// How the price is formed.
    pub mode: Mode,
    /// What the team keeps.
    pub allocations: Vec<Allocation>,
    /// Terms of the sale.
    pub terms: SaleTerms,
    /// What was published.
    pub documents: Documents,
    /// The token to be created, if one is.
    pub token: Option<TokenTerms>,
    closes: u64,
}

/// Addresses that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// The sale.
    pub sale: Address,
    /// Its vault.
    pub vault: Address,
    /// What it sells.
    pub token: Address,
}

impl Order {
    /// Of a file whose bytes have this SHA-256.
    pub fn new(sale: &SaleFile, hash: B256) -> Self {
        Self {
            mode: sale.mode,
            allocations: sale.allocation_terms(),
            terms: sale.terms(),
            documents: sale.documents(hash),
            token: sale.token_terms(),
            closes: sale.closes(),
        }
    }

    /// Data of the call that creates it.
    pub fn create(&self) -> Bytes {
        let (mode, terms, documents) = (self.mode.number(), self.terms.clone(), self.documents.clone());
        let allocations = self.allocations.clone();
        match &self.token {
            Some(token) => {
                let token_terms = token.clone();
                let call =
                    SaleFactory::createWithTokenCall { mode, terms, documents, allocations, tokenTerms: token_terms };
                call.abi_encode().into()
            }
            None => SaleFactory::createCall { mode, terms, documents, allocations }.abi_encode().into(),
        }
    }

    /// Data of the call that tells which addresses it gets from `creator`.
    pub fn predict(&self, creator: Address) -> Bytes {
        let (mode, terms, documents) = (self.mode.number(), self.terms.clone(), self.documents.clone());
        let allocations = self.allocations.clone();
        match &self.token {
            Some(token) => {
                let token_terms = token.clone();
                let call = SaleFactory::predictWithTokenCall {
                    creator,
                    mode,
                    terms,
                    documents,
                    allocations,
                    tokenTerms: token_terms,
                };
                call.abi_encode().into()
            }
            None => SaleFactory::predictCall { creator, mode, terms, documents, allocations }.abi_encode().into(),
        }
    }

    /// What that call answered.
    ///
    /// # Errors
    /// Where it is no answer of a factory of this version.
    pub fn predicted(&self, answer: &[u8]) -> Result<Predicted, Error> {
        if self.token.is_some() {
            let p = SaleFactory::predictWithTokenCall::abi_decode_returns_validate(answer)?;
            return Ok(Predicted { sale: p.sale, vault: p.vault, token: p.token });
        }
        let p = SaleFactory::predictCall::abi_decode_returns_validate(answer)?;
        Ok(Predicted { sale: p.sale, vault: p.vault, token: self.terms.token })
    }

    /// Data of the calls that tell the wallets of its allocations, in their order.
    pub fn predict_wallets(&self, sale: Address) -> Vec<Bytes> {
        let call = |(index, allocation): (usize, &Allocation)| {
            let closes = U40::saturating_from(self.closes);
            let (index, allocation) = (U256::from(index), allocation.clone());
            SaleFactory::predictWalletCall { sale, closes, index, allocation }.abi_encode().into()
        };
        self.allocations.iter().enumerate().map(call).collect()
    }

    /// What one of them answered.
    ///
    /// # Errors
    /// Where it is no answer of a factory of this version.
    pub fn predicted_wallet(answer: &[u8]) -> Result<Address, Error> {
        SaleFactory::predictWalletCall::abi_decode_returns_validate(answer)
    }
}
