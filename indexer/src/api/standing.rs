//! How an investor stands in a sale, as its contracts would count it at the chain's time: pure, and with their rounding.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    sale::FullSale,
    schedule::mul_div,
    shapes::sum,
    terms::{Mode, SaleState},
};
use crate::db::read::{Sum, positions::Position};

/// Seconds by which the contract counts the time of a contribution, rounded up.
const MARK_UNIT: i64 = 600;

/// Where a position stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionStatus {
    /// Its money is in the sale, which has no outcome yet.
    Contributed,
    /// The same, and it can still be withdrawn.
    CoolingOff,
    /// The investor took everything back within the cooling-off.
    Withdrawn,
    /// Compliance rejected it, and its money waits.
    Rejected,
    /// Compliance rejected it, and its money went back.
    RejectedRefunded,
    /// The sale ended and somebody has to close it.
    AwaitingClose,
    /// The sale failed or was cancelled, and the money waits.
    Refundable,
    /// The sale failed or was cancelled, and the money went back.
    Refunded,
    /// Tokens or an excess can be claimed now.
    Claimable,
    /// More tokens come with time; there is nothing to claim now.
    Vesting,
    /// Investors stopped the vault, and a share of its rest waits.
    RestRefundable,
    /// Nothing is left to come.
    Completed,
}

/// The one thing an investor can usefully do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The sale is open, and takes more from this investor.
    Contribute,
    /// Nothing yet: the sale has not opened, is paused, or is sold out and others decide when it closes; this investor has paid
    /// the most that one may, or tokens vest.
    Wait,
    /// The sale has ended, or is sold out and this investor need not wait for compliance: it can close it, which settles it.
    Close,
    /// Tokens are waiting, or an excess.
    Claim,
    /// Money is waiting.
    Refund,
    /// Nothing is left to come.
    None,
}

/// Figures of one position, base units and Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub status: PositionStatus,
    /// What can be done.
    pub action: Action,
    /// What a success keeps of its money.
    pub kept: Option<Sum>,
    /// Allotted, claims not taken off.
    pub tokens: Sum,
    /// What a success gives back, whether it went back or not.
    pub excess: Sum,
    /// What `withdraw` would pay.
    pub withdrawable: Sum,
    /// What refunds of sale and vault would pay.
    pub refundable: Sum,
    /// Of it, by the vault, out of the rest that investors stopped.
    pub rest_refundable: Sum,
    /// Free by the schedule, claims not taken off.
    pub vested: Sum,
    /// What `claim` would give.
    pub claimable: Sum,
    /// The first second at which more is free.
    pub next_unlock: Option<i64>,
    /// First second in which it cannot be withdrawn any more.
    pub cooling_off_until: Option<i64>,
    /// Whether `object` would be taken.
    pub can_object: bool,
}

/// How `p` stands in `sale`.
pub fn standing(p: &Position, sale: &FullSale) -> Standing {
    let zero = Sum::default();
    let rejected = p.rejections > 0;
    let mut s = Standing {
        status: PositionStatus::Completed,
        action: Action::None,
        kept: None,
        tokens: p.tokens.clone(),
        excess: zero.clone(),
        withdrawable: zero.clone(),
        refundable: zero.clone(),
        rest_refundable: zero.clone(),
        vested: zero.clone(),
        claimable: zero.clone(),
        next_unlock: None,
        cooling_off_until: None,
        can_object: false,
    };
    if rejected {
        // For ever and whatever the outcome.
        s.refundable = p.paid_now.clone();
        (s.status, s.action) = match s.refundable > zero {
            true => (PositionStatus::Rejected, Action::Refund),
            false => (PositionStatus::RejectedRefunded, Action::None),
        };
        return s;
    }
    match sale.state {
        SaleState::Succeeded => success(&mut s, p, sale),
        SaleState::Failed | SaleState::Cancelled => {
            s.refundable = p.paid_now.clone();
            (s.status, s.action) = if s.refundable > zero {
                (PositionStatus::Refundable, Action::Refund)
            } else if p.refunded > zero {
                (PositionStatus::Refunded, Action::None)
            } else {
                (PositionStatus::Withdrawn, Action::None)
            };
        }
        SaleState::Upcoming | SaleState::Open | SaleState::Ended => before_outcome(&mut s, p, sale),
    }
    s
}

fn before_outcome(s: &mut Standing, p: &Position, sale: &FullSale) {
    let (row, now) = (&sale.sale, sale.sale.chain_time);
    let inside = p.paid_now > Sum::default();
    if row.cooling_off > 0 && inside {
        // Rounded up, and never past the end (Sale._timeMark, Sale._coolingOffUntil).
        let since_opening = (p.contributed_at - row.opens).max(0);
        let mark = since_opening.div_euclid(MARK_UNIT) + i64::from(since_opening % MARK_UNIT != 0);
        let until = row.closes.min(row.opens + mark * MARK_UNIT + row.cooling_off);
        s.cooling_off_until = Some(until);
        if now < until {
            s.withdrawable = p.paid_now.clone();
        }
    }
    s.status = match sale.state {
        _ if !inside => PositionStatus::Withdrawn,
        SaleState::Ended => PositionStatus::AwaitingClose,
        _ if s.withdrawable > Sum::default() => PositionStatus::CoolingOff,
        _ => PositionStatus::Contributed,
    };
    s.action = match sale.state {
        SaleState::Ended => Action::Close,
        SaleState::Open if sale.can_close_early(p.investor) => Action::Close,
        SaleState::Open if sale.sold_out || row.paused || p.paid_now >= sum(row.max_paid) => Action::Wait,
        SaleState::Open => Action::Contribute,
        _ => Action::Wait,
    };
}

fn success(s: &mut Standing, p: &Position, sale: &FullSale) {
    let (row, zero) = (&sale.sale, Sum::default());
    let raised = &row.raised;
    let kept = if p.shares > 0 {
        (s.tokens, s.excess) = (p.share_tokens.clone(), p.excess.clone());
        p.kept.clone()
    } else if sale.mode == Mode::FixedPrice {
        p.paid_now.clone()
    } else {
        // UniformPriceSale._settled: each share is rounded down by itself.
        s.tokens = mul_div(&p.paid_now, &row.sold, raised);
        s.excess = mul_div(&p.paid_now, &Sum(&raised.0 - &row.kept.0), raised);
        mul_div(&p.paid_now, &row.kept, raised)
    };
    let elapsed = row.chain_time - row.settled_at.unwrap_or(row.chain_time);
    s.vested = sale.vesting().freed(&s.tokens, elapsed);
    s.claimable = Sum(&s.vested.0 - &p.claimed.0);
    s.next_unlock = sale.vesting().next(&s.tokens, elapsed).zip(row.settled_at).map(|(after, start)| start + after);
    let excess_due = Sum(&s.excess.0 - &p.excess_refunded.0);
    if row.tap_rest.is_some() && p.rest_refunds == 0 {
        s.rest_refundable = mul_div(&kept, &Sum(&row.received.0 - &row.released.0), &row.received);
    }
    s.can_object = row.tap_objection > 0
        && row.tap_rest.is_none()
        && p.objections == 0
        && kept > zero
        && elapsed < row.tap_duration;
    (s.status, s.action) = if s.claimable > zero || excess_due > zero {
        (PositionStatus::Claimable, Action::Claim)
    } else if s.rest_refundable > zero {
        (PositionStatus::RestRefundable, Action::Refund)
    } else if s.next_unlock.is_some() {
        (PositionStatus::Vesting, Action::Wait)
    } else if s.tokens == zero && p.withdrawn > zero && kept == zero {
        (PositionStatus::Withdrawn, Action::None)
    } else {
        (PositionStatus::Completed, Action::None)
    };
    s.refundable = Sum(excess_due.0 + &s.rest_refundable.0);
    s.kept = Some(kept);
}
