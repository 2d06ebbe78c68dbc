//! Blocks, raw logs and what the contracts' events mean.

use alloy::primitives::{Address, B256, Bytes, U256};

/// What the indexer keeps of a block header. `timestamp` is Unix time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Hash; what identifies the block.
    pub hash: B256,
    /// Hash of the block below.
    pub parent_hash: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
}

/// A log as the node returned it, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Height of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Hash of its transaction.
    pub transaction_hash: B256,
    /// Index in the block.
    pub log_index: u64,
    /// The contract that emitted it.
    pub emitter: Address,
    /// Topics, the event's signature first.
    pub topics: Vec<B256>,
    /// Data that is not indexed.
    pub data: Bytes,
}

/// An event of a known contract, with the log it came from. `event` is an error where the log carries one of our topics
/// but does not decode: it is kept raw and counted, and the chain goes on.
#[derive(Clone, Debug)]
pub struct EventLog {
    /// Where it stands.
    pub log: Log,
    /// The sale it belongs to; the emitter where it belongs to none.
    pub sale: Address,
    /// What it says.
    pub event: Result<Event, String>,
}

/// The latched outcome of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The soft cap was reached.
    Succeeded,
    /// It was not.
    Failed,
    /// The owner called it off.
    Cancelled,
}

impl OutcomeKind {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One phase of a new sale. Amounts in payment base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPhase {
    /// Unix time in seconds, exclusive.
    pub ends: u64,
    /// Cumulative cap.
    pub raised_up_to: U256,
    /// Payment base units per 1e18 token base units.
    pub price: U256,
}

/// What `SaleCreated` says. Amounts in base units, times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSale {
    /// The sale.
    pub sale: Address,
    /// Who created it.
    pub creator: Address,
    /// Its vault.
    pub vault: Address,
    /// Name of its mode, `fixed_price`.
    pub mode: &'static str,
    /// May cancel; receives unsold tokens.
    pub owner: Address,
    /// Receives the money.
    pub beneficiary: Address,
    /// What is sold.
    pub token: Address,
    /// What is paid; zero is ether.
    pub currency: Address,
    /// First second of the sale.
    pub opens: u64,
    /// Goal.
    pub soft_cap: U256,
    /// Most that is taken.
    pub hard_cap: U256,
    /// Least an investor may have paid.
    pub min_paid: U256,
    /// Most an investor may have paid.
    pub max_paid: U256,
    /// Tokens in the sale.
    pub tokens_for_sale: U256,
    /// Whether unsold tokens are burnt after success.
    pub burn_unsold: bool,
    /// Phases in the order of their ends.
    pub phases: Vec<NewPhase>,
    /// Name, for people.
    pub name: String,
    /// SHA-256 of the sale file.
    pub sale_hash: B256,
    /// Where the sale file is served.
    pub sale_uri: String,
    /// SHA-256 of the whitepaper.
    pub whitepaper_hash: B256,
    /// Where the whitepaper is served.
    pub whitepaper_uri: String,
}

/// What a log of a known contract says. Amounts in base units; the running totals are those after the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the events, documented in contracts/src/interfaces")]
pub enum Event {
    /// `SaleFactory.SaleCreated`
    SaleCreated(Box<NewSale>),
    /// `SaleFactory.TokenCreated`
    TokenCreated { token: Address, creator: Address, name: String, symbol: String, supply: U256, contract_uri: String },
    /// `Sale.Contributed`
    Contributed {
        investor: Address,
        payer: Address,
        phase: u8,
        amount: U256,
        tokens: U256,
        paid: U256,
        raised: U256,
        sold: U256,
    },
    /// `Sale.ExcessReturned`
    ExcessReturned { payer: Address, amount: U256 },
    /// `Sale.Closed` or `Sale.Cancelled`
    Settled { outcome: OutcomeKind, raised: U256, sold: U256 },
    /// `Sale.Claimed`
    Claimed { investor: Address, to: Address, tokens: U256 },
    /// `Sale.Refunded`
    Refunded { investor: Address, to: Address, amount: U256 },
    /// `Sale.UnsoldReturned`
    UnsoldReturned { to: Address, tokens: U256 },
    /// `Sale.Swept`
    Swept { amount: U256 },
    /// `RefundVault.Released`
    Released { beneficiary: Address, amount: U256, released: U256 },
}
