//! The parts of a sale, as answers show them.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    shapes::{AmountOut, BlockRef, Time},
    terms::SaleState,
};
use crate::types::{Addr, Hash32};

/// What becomes of unsold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unsold {
    /// They are burnt.
    Burn,
    /// They go back to the owner.
    Return,
}

/// A phase: until its end, or until so much is raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Phase)]
pub struct PhaseOut {
    /// Its place, from zero.
    pub index: i16,
    /// End of the phase before it, or the opening. It begins earlier if the phase before it is sold out.
    pub starts: Time,
    /// First second after it.
    pub ends: Time,
    /// It sells until the sale has raised this.
    pub raised_up_to: AmountOut,
    /// What a token costs in it; in an auction, at its beginning.
    pub price: Price,
    /// Who may contribute.
    pub gate: Gate,
    /// Root of the list of a `merkle` gate; null with the others.
    pub root: Option<Hash32>,
}

/// Who may contribute in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Everybody.
    Open,
    /// Who has a voucher by the sale's signer.
    Voucher,
    /// Who is on the phase's list.
    Merkle,
}

impl Gate {
    /// As the database writes it.
    pub fn from_name(name: &str) -> Self {
        match name {
            "voucher" => Self::Voucher,
            "merkle" => Self::Merkle,
            _ => Self::Open,
        }
    }
}

/// When tokens can be claimed, counted from the success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vesting {
    /// Share that is free at once, in hundredths of a percent; everything is if `duration_seconds` is zero.
    #[schema(example = 2500)]
    pub at_once_basis_points: i32,
    /// Before it, nothing but that share.
    pub cliff_seconds: i64,
    /// The rest, linearly; zero: everything at once.
    pub duration_seconds: i64,
}

/// When the beneficiary is paid, counted from the success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tap {
    /// Share that is due at once, in hundredths of a percent; everything is if `duration_seconds` is zero.
    #[schema(example = 2000)]
    pub at_once_basis_points: i32,
    /// The rest, linearly; zero: everything at once.
    pub duration_seconds: i64,
    /// Share of the money that objecting investors must exceed to stop it, in hundredths of a percent; zero: nobody can object.
    #[schema(example = 5000)]
    pub objection_basis_points: i32,
}

/// How far investors are with stopping the payments to the beneficiary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Objections {
    /// Weight of all objections: what the sale kept of the objectors' money.
    pub objected: AmountOut,
    /// Weight that must be exceeded.
    pub needed: AmountOut,
    /// First time at which nobody can object any more; null before a success.
    pub until: Option<Time>,
    /// Whether the beneficiary gets nothing more, for ever.
    pub stopped: bool,
    /// What goes back to investors; null unless stopped.
    pub rest: Option<AmountOut>,
    /// Of it, paid back.
    pub rest_refunded: AmountOut,
}

/// Tokens that the team keeps: they vest from the end of the sale, if it succeeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Allocation {
    /// Its place, from zero.
    pub index: i16,
    /// The contract that holds them.
    pub wallet: Addr,
    /// Who gets what vests: the beneficiary, or to whom the wallet was handed on.
    pub owner: Addr,
    /// Put in with the sale.
    pub amount: AmountOut,
    /// Nothing vests before.
    pub cliff: Time,
    /// Everything has vested from then on.
    pub ends: Time,
    /// Vested by now, releases not taken off; zero without a success.
    pub vested: AmountOut,
    /// Paid to owners.
    pub released: AmountOut,
    /// Gone back to the sale's owner after a failure or cancellation.
    pub reclaimed: AmountOut,
}

/// What a token costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Price {
    /// Payment base units for `unit` token base units.
    #[schema(example = "250000000000000", pattern = "^(0|[1-9][0-9]*)$")]
    pub raw: String,
    /// Token base units that `raw` buys, always 1e18.
    #[schema(example = "1000000000000000000", pattern = "^(0|[1-9][0-9]*)$")]
    pub unit: String,
    /// Price of one whole token; null if it is not a whole number of payment base units.
    pub per_token: Option<AmountOut>,
}

/// Sums over the sale until the indexed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Totals {
    /// Paid by investors: what was withdrawn or rejected is taken off, refunds are not. In a pro-rata sale it can exceed the hard cap.
    pub raised: AmountOut,
    /// What a success keeps of it: never more than the hard cap. Null before.
    pub kept: Option<AmountOut>,
    /// Allotted to investors. Where the outcome allots, zero before it.
    pub sold: AmountOut,
    /// Investors, those who withdrew or were rejected too.
    #[schema(example = 120)]
    pub investors: i64,
    /// Contributions.
    #[schema(example = 134)]
    pub contributions: i64,
    /// Withdrawn within the cooling-off.
    pub withdrawn: AmountOut,
    /// Withdrawals.
    pub withdrawals: i64,
    /// Money of rejected investors, paid back or not.
    pub rejected: AmountOut,
    /// Rejected investors.
    pub rejections: i64,
    /// Paid back to investors after a failure, a cancellation or a rejection.
    pub refunded: AmountOut,
    /// Refunds.
    pub refunds: i64,
    /// What a success gives back to all investors together.
    pub excess: AmountOut,
    /// Of it, paid back.
    pub excess_refunded: AmountOut,
    /// Tokens that investors took.
    pub claimed: AmountOut,
    /// Claims.
    pub claims: i64,
    /// Paid to the beneficiary.
    pub released: AmountOut,
    /// What a release would pay the beneficiary now.
    pub releasable: AmountOut,
    /// Money that the sale must still hold for investors: everything raised until the outcome, what is not yet refunded after a
    /// failure or cancellation, the excess not yet refunded after a success; always also what rejected investors have not yet had
    /// back.
    pub held: AmountOut,
    /// Money of a success that the vault has not yet taken from the sale.
    pub unswept: AmountOut,
    /// Money that stays in the sale for ever, because shares are rounded down.
    pub dust: AmountOut,
    /// Money that the vault must hold.
    pub in_vault: AmountOut,
    /// Tokens that the contract must still hold for investors: nothing after a failure or cancellation.
    pub unclaimed: AmountOut,
}

/// The outcome of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settlement {
    /// `succeeded`, `failed` or `cancelled`.
    pub outcome: SaleState,
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// Documents of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Documents {
    /// The sale file: the terms, in words and figures.
    pub sale: Document,
    /// The whitepaper that the sale was created with.
    pub whitepaper: Document,
    /// What took its place, in order; the last is in force.
    pub superseding: Vec<SupersedingDocument>,
}

/// A whitepaper that took the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SupersedingDocument {
    /// From 1.
    pub version: String,
    /// Where it was served, as the owner said.
    #[schema(example = "https://example.org/whitepaper-2.pdf")]
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash32,
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// A document that anybody can check against the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Document {
    /// Where it was served, as the creator said.
    #[schema(example = "https://example.org/sale.toml")]
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash32,
}

/// The creation of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Created {
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}
