//! What the chain has, held against what a sale file says of it. Whoever asks the chain is another's business.

use alloy::primitives::{Address, U256};

use super::{Problem, SaleFile, TokenEntry};
use crate::types::units::Asset;

/// What was found at a token's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No contract.
    Nothing,
    /// A contract without decimals.
    NoToken,
    /// A token.
    Token(Asset),
}

impl SaleFile {
    /// The tokens that it names and does not create: key, address, and what the file says they are.
    pub fn named_tokens(&self) -> Vec<(&'static str, Address, &Asset)> {
        let mut named = Vec::new();
        if !self.currency.is_zero() {
            named.push(("payment.currency", self.currency, &self.payment));
        }
        if let TokenEntry::Existing { address } = self.token {
            named.push(("token.address", address, &self.token_asset));
        }
        named
    }

    /// What is wrong with a token that it names.
    pub fn check_token(
        &self,
        chain_id: u64,
        (key, address, written): (&'static str, Address, &Asset),
        found: &Found,
    ) -> Vec<Problem> {
        let found = match found {
            Found::Nothing => {
                let message = format!("there is no contract at {address} on chain {chain_id}");
                return vec![self.problem(key, message, "check the address, and that the node is of the right chain")];
            }
            Found::NoToken => {
                let message = format!("the contract at {address} has no decimals: it is no ERC-20 token");
                return vec![self.problem(key, message, "write the token's address")];
            }
            Found::Token(asset) => asset,
        };
        let mut problems = Vec::new();
        if found.decimals != written.decimals {
            let message = format!(
                "the token has {} decimals on the chain, and {} in this file: every amount would be another",
                found.decimals, written.decimals
            );
            let mend = format!("write decimals = {}, and look over the amounts", found.decimals);
            problems.push(self.problem(key, message, mend));
        }
        if found.symbol != written.symbol {
            let message =
                format!("the token's symbol is {:?} on the chain, and {:?} in this file", found.symbol, written.symbol);
            problems.push(self.problem(key, message, "check that it is the token that is meant, and write its symbol"));
        }
        problems
    }

    /// What is wrong with the balance of who deploys, of an existing token that is sold.
    pub fn check_balance(&self, creator: Address, balance: U256) -> Option<Problem> {
        let needed = self.tokens_needed();
        if balance >= needed {
            return None;
        }
        let with = if self.allocations.is_empty() { "" } else { " with the allocations" };
        let message = format!(
            "is {}{with}, and {creator}, who deploys, has {}",
            self.token_asset.amount(needed),
            self.token_asset.amount(balance)
        );
        Some(self.problem("token.for_sale", message, "send that account the tokens first, or sell fewer"))
    }
}
