//! One investor in one sale, as answers show it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    sale::FullSale,
    shapes::{AmountOut, BlockRef, Time},
    standing::{Action, PositionStatus, standing},
    terms::SaleState,
};
use crate::{
    db::{chains::Checkpoint, read::positions::Position},
    types::{Addr, upright},
};

/// One investor in one sale. What can be claimed, refunded or withdrawn is told at the time of the indexed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Position)]
pub struct PositionOut {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// Name of the sale, as its creator gave it.
    #[schema(example = "Example Sale")]
    pub sale_name: String,
    /// The investor.
    pub investor: Addr,
    /// Where the sale stands.
    pub state: SaleState,
    /// Where the position stands.
    pub status: PositionStatus,
    /// Paid in all; withdrawals and refunds not taken off.
    pub paid: AmountOut,
    /// Withdrawn within the cooling-off, in all.
    pub withdrawn: AmountOut,
    /// What a withdrawal would pay now; zero where there is no cooling-off, or it is over.
    pub withdrawable: AmountOut,
    /// First time at which it cannot be withdrawn any more; null where that was never possible, or there is an outcome.
    pub cooling_off_until: Option<Time>,
    /// Whether compliance rejected it: its money goes back whatever the outcome, and it cannot contribute again.
    pub rejected: bool,
    /// Paid back after a failure, a cancellation or the rejection.
    pub refunded: AmountOut,
    /// What refunds would pay now, to the base unit: everything after a failure, a cancellation or a rejection; after a success the
    /// excess, and the share of a stopped vault's rest.
    pub refundable: AmountOut,
    /// What the success kept of its money; null before it. It weighs an objection.
    pub kept: Option<AmountOut>,
    /// What the success gives back, because the sale took more than it keeps.
    pub excess: AmountOut,
    /// Of the excess, paid back.
    pub excess_refunded: AmountOut,
    /// Allotted, claims not taken off; zero until the outcome where that allots tokens. Worth nothing after a failure or
    /// cancellation.
    pub tokens: AmountOut,
    /// Free by the vesting, claims not taken off.
    pub vested: AmountOut,
    /// Claimed.
    pub claimed: AmountOut,
    /// What a claim would give now, to the base unit; zero unless the sale succeeded.
    pub claimable: AmountOut,
    /// The first time at which more is free; null if nothing more comes.
    pub next_unlock: Option<Time>,
    /// Whether it objected to paying the beneficiary.
    pub objected: bool,
    /// Whether it can object now.
    pub can_object: bool,
    /// What the vault would pay now of the rest that investors stopped; it is part of `refundable`.
    pub rest_refundable: AmountOut,
    /// What the vault paid of it.
    pub rest_refunded: AmountOut,
    /// Number of contributions.
    #[schema(example = 2)]
    pub contributions: i64,
    /// The one thing the investor can usefully do now.
    pub action: Action,
    /// The newest event of the position.
    pub block: BlockRef,
}

impl PositionOut {
    /// A position in `sale`; `checkpoint` is the sale's chain's.
    pub fn new(position: &Position, sale: &FullSale, checkpoint: &Checkpoint) -> Self {
        let (p, s) = (position, standing(position, sale));
        let (money, tokens) = (&sale.currency, &sale.token);
        Self {
            chain_id: p.chain_id,
            sale: p.sale,
            sale_name: upright(&sale.sale.name),
            investor: p.investor,
            state: sale.state,
            status: s.status,
            paid: money.amount(&p.paid),
            withdrawn: money.amount(&p.withdrawn),
            withdrawable: money.amount(s.withdrawable),
            cooling_off_until: s.cooling_off_until.map(Time::from_unix),
            rejected: p.rejections > 0,
            refunded: money.amount(&p.refunded),
            refundable: money.amount(s.refundable),
            kept: s.kept.map(|kept| money.amount(kept)),
            excess: money.amount(s.excess),
            excess_refunded: money.amount(&p.excess_refunded),
            tokens: tokens.amount(s.tokens),
            vested: tokens.amount(s.vested),
            claimed: tokens.amount(&p.claimed),
            claimable: tokens.amount(s.claimable),
            next_unlock: s.next_unlock.map(Time::from_unix),
            objected: p.objections > 0,
            can_object: s.can_object,
            rest_refundable: money.amount(s.rest_refundable),
            rest_refunded: money.amount(&p.rest_refunded),
            contributions: p.contributions,
            action: s.action,
            block: BlockRef::new(checkpoint, p.block_number, p.block_hash, p.log_index),
        }
    }
}
