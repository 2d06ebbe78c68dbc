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
    /// The sale it belongs to; the emitter, a factory or a token, where it belongs to none.
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
    /// Who may contribute: `open`, `voucher` or `merkle`.
    pub gate: &'static str,
    /// Root of the list of a `merkle` gate; zero with the others.
    pub root: B256,
}

/// When tokens can be claimed, counted from the success. Shares in hundredths of a percent, times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewVesting {
    /// Free at once.
    pub at_once: u16,
    /// Before it, nothing but that share.
    pub cliff: u32,
    /// The rest, linearly; zero: everything at once.
    pub duration: u32,
}

/// When the beneficiary is paid, counted from the success. Shares in hundredths of a percent, times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewTap {
    /// Due at once.
    pub at_once: u16,
    /// The rest, linearly; zero: everything at once.
    pub duration: u32,
    /// Share that objections must exceed; zero: nobody can object.
    pub objection: u16,
}

/// What happened to a role of a restricted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// `RoleGranted`
    Granted,
    /// `RoleRevoked`
    Revoked,
    /// `DefaultAdminTransferScheduled`
    AdminOffered,
    /// `DefaultAdminTransferCanceled`
    AdminOfferCancelled,
    /// `DefaultAdminDelayChangeScheduled`
    DelayAnnounced,
    /// `DefaultAdminDelayChangeCanceled`
    DelayCancelled,
}

impl RoleChange {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::AdminOffered => "admin_offered",
            Self::AdminOfferCancelled => "admin_offer_cancelled",
            Self::DelayAnnounced => "delay_announced",
            Self::DelayCancelled => "delay_cancelled",
        }
    }
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
    /// Name of its mode: `fixed_price`, `pro_rata` or `dutch_auction`.
    pub mode: &'static str,
    /// First owner: may cancel; receives unsold tokens.
    pub owner: Address,
    /// First address that may reject investors; zero: nobody.
    pub compliance: Address,
    /// First signer of vouchers; zero where no phase asks for them.
    pub signer: Address,
    /// Receives the money.
    pub beneficiary: Address,
    /// What is sold.
    pub token: Address,
    /// What is paid; zero is ether.
    pub currency: Address,
    /// First second of the sale.
    pub opens: u64,
    /// Seconds after the latest contribution in which an investor may withdraw; zero: not at all.
    pub cooling_off: u32,
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
    /// When tokens can be claimed.
    pub vesting: NewVesting,
    /// When the beneficiary is paid.
    pub tap: NewTap,
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
    TokenCreated {
        token: Address,
        creator: Address,
        restricted: bool,
        name: String,
        symbol: String,
        supply: U256,
        contract_uri: String,
    },
    /// `SaleFactory.AllocationCreated`
    AllocationCreated { wallet: Address, index: u8, beneficiary: Address, amount: U256, cliff: u64, duration: u64 },
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
    /// `Sale.Withdrawn`
    Withdrawn { investor: Address, to: Address, amount: U256, tokens: U256, raised: U256, sold: U256 },
    /// `Sale.Rejected`
    Rejected { investor: Address, by: Address, amount: U256, tokens: U256, raised: U256, sold: U256 },
    /// `Sale.PauseChanged`
    PauseChanged { paused: bool },
    /// `Sale.VoucherSignerChanged`
    VoucherSignerChanged { signer: Address, epoch: U256 },
    /// `Sale.ComplianceChanged`
    ComplianceChanged { compliance: Address },
    /// `OwnershipTransferStarted` and, where `done`, `OwnershipTransferred`, of a sale or a team wallet.
    OwnershipTransfer { previous_owner: Address, new_owner: Address, done: bool },
    /// `Sale.WhitepaperSuperseded`
    WhitepaperSuperseded { version: U256, hash: B256, uri: String },
    /// `Sale.Closed` or `Sale.Cancelled`
    Outcome { outcome: OutcomeKind, raised: U256, sold: U256 },
    /// `Sale.Settled`: an investor's share of the outcome.
    Shared { investor: Address, kept: U256, tokens: U256, excess: U256 },
    /// `Sale.ExcessRefunded`
    ExcessRefunded { investor: Address, to: Address, amount: U256 },
    /// `Sale.Claimed`
    Claimed { investor: Address, to: Address, tokens: U256 },
    /// `Sale.Refunded`
    Refunded { investor: Address, to: Address, amount: U256 },
    /// `Sale.UnsoldReturned`
    UnsoldReturned { to: Address, tokens: U256 },
    /// `Sale.Swept`
    Swept { amount: U256 },
    /// `RefundVault.Released`
    Released { beneficiary: Address, to: Address, amount: U256, released: U256 },
    /// `RefundVault.Objected`
    Objected { investor: Address, weight: U256, objected: U256 },
    /// `RefundVault.TapStopped`
    TapStopped { rest: U256, objected: U256 },
    /// `RefundVault.RestRefunded`
    RestRefunded { investor: Address, to: Address, amount: U256 },
    /// `TeamWallet.ERC20Released`, or `TeamWallet.EtherReleased` with the zero token.
    AllocationReleased { token: Address, amount: U256 },
    /// `TeamWallet.Reclaimed`
    AllocationReclaimed { token: Address, to: Address, amount: U256 },
    /// `RestrictedSaleToken.HolderSet`, or `RestrictedSaleToken.Admitted` without a time and a registrar.
    HolderApproved { holder: Address, until: Option<U256>, by: Option<Address> },
    /// `RestrictedSaleToken.ContractURIUpdated`
    ContractUriUpdated,
    /// A role of a restricted token, its default admin among them. `at` is the Unix second from which an announced change can be
    /// made, `delay` in seconds.
    TokenRole {
        change: RoleChange,
        role: Option<B256>,
        account: Option<Address>,
        sender: Option<Address>,
        delay: Option<u64>,
        at: Option<u64>,
    },
}
