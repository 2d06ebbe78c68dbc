//! What a sale's terms mean at a time: the active phase, the next price, whether it is sold out, and what an investor can do.
//! Pure, and the same rules as `contracts/src/libraries/SaleArgs.sol` and `FixedPriceSale.sol`.

use bigdecimal::num_bigint::BigInt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{extract::Parameter, shapes::sum};
use crate::db::read::{
    Sum,
    sales::{Phase, Sale},
};

/// Token base units that a phase's price is for.
pub const PRICE_UNIT: u64 = 1_000_000_000_000_000_000;

/// Where a sale stands, by the chain's clock. Sales are open in the half-open interval from `opens` to `closes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SaleState {
    /// Before `opens`.
    Upcoming,
    /// Takes contributions, unless it is sold out.
    Open,
    /// From `closes` on, until somebody closes it. The money is still held.
    Ended,
    /// Closed at or above the soft cap: tokens can be claimed.
    Succeeded,
    /// Closed below the soft cap: payments can be refunded.
    Failed,
    /// Called off by the owner: payments can be refunded.
    Cancelled,
}

impl SaleState {
    const ALL: [(&'static str, Self); 6] = [
        ("upcoming", Self::Upcoming),
        ("open", Self::Open),
        ("ended", Self::Ended),
        ("succeeded", Self::Succeeded),
        ("failed", Self::Failed),
        ("cancelled", Self::Cancelled),
    ];

    /// As the database and JSON write it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }

    /// What `as_str` wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
    }

    /// Whether payments go back to their investors.
    pub fn refunds(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

impl Parameter for SaleState {
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_name(text).ok_or_else(|| {
            format!("must be one of {}", Self::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
        })
    }
}

/// The one thing an investor can usefully do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The sale is open, and takes more from this investor.
    Contribute,
    /// Nothing yet: the sale has not opened, or this investor has paid the most that one may.
    Wait,
    /// The sale has ended or is sold out: anybody can close it, which settles it.
    Close,
    /// Tokens are waiting.
    Claim,
    /// Money is waiting.
    Refund,
    /// Everything was claimed or refunded.
    None,
}

/// Index into `phases` of the first that is not over at `time` and has room at `raised`.
pub fn phase_at(phases: &[Phase], time: i64, raised: &Sum) -> Option<usize> {
    phases.iter().position(|p| time < p.ends && *raised < sum(p.raised_up_to))
}

/// Whether nothing can be bought any more: the hard cap is reached, or what is left below it buys no token base unit at the last
/// phase's price.
pub fn is_sold_out(phases: &[Phase], time: i64, raised: &Sum) -> bool {
    let Some(last) = phases.last() else { return false };
    let cap = sum(last.raised_up_to);
    if *raised >= cap {
        return true;
    }
    // Before the last phase the next price may still buy something.
    if phase_at(phases, time, raised).is_some_and(|index| index + 1 < phases.len()) {
        return false;
    }
    (cap.0 - &raised.0) * PRICE_UNIT < sum(last.price).0
}

/// Price of one whole token in payment base units, if it is a whole number of them.
pub fn price_per_token(price: &Sum, token_decimals: u8) -> Option<Sum> {
    let unit = BigInt::from(10).pow(u32::from(token_decimals));
    let product = &price.0 * unit;
    let exact = &product % PRICE_UNIT == BigInt::from(0);
    exact.then(|| Sum(product / PRICE_UNIT))
}

/// What an investor who has paid `paid` and has these amounts waiting can do.
pub fn action(sale: &Sale, sold_out: bool, state: SaleState, paid: &Sum, refundable: &Sum, claimable: &Sum) -> Action {
    let zero = Sum::default();
    match state {
        SaleState::Upcoming => Action::Wait,
        SaleState::Ended => Action::Close,
        SaleState::Open if sold_out => Action::Close,
        SaleState::Open if *paid >= sum(sale.max_paid) => Action::Wait,
        SaleState::Open => Action::Contribute,
        SaleState::Succeeded if *claimable > zero => Action::Claim,
        SaleState::Failed | SaleState::Cancelled if *refundable > zero => Action::Refund,
        SaleState::Succeeded | SaleState::Failed | SaleState::Cancelled => Action::None,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::types::{Addr, Amount};

    fn phases(list: &[(i64, u64, u64)]) -> Vec<Phase> {
        list.iter()
            .enumerate()
            .map(|(index, &(ends, cap, price))| Phase {
                chain_id: 1,
                sale: Addr::default(),
                phase: index as i16,
                starts: 0,
                ends,
                raised_up_to: Amount(U256::from(cap)),
                price: Amount(U256::from(price)),
            })
            .collect()
    }

    fn of(raised: u64) -> Sum {
        Sum(raised.into())
    }

    #[test]
    fn the_first_phase_with_time_and_room_is_active() {
        let phases = phases(&[(10, 100, 1), (20, 100, 2), (30, 300, 3)]);
        assert_eq!(phase_at(&phases, 9, &of(99)), Some(0));
        assert_eq!(phase_at(&phases, 10, &of(0)), Some(1));
        assert_eq!(phase_at(&phases, 9, &of(100)), Some(2));
        assert_eq!(phase_at(&phases, 29, &of(299)), Some(2));
        assert_eq!(phase_at(&phases, 30, &of(0)), None);
        assert_eq!(phase_at(&phases, 0, &of(300)), None);
    }

    #[test]
    fn dust_of_the_last_phase_sells_a_sale_out() {
        // One base unit of money buys a third of a token base unit in the last phase, a whole one before.
        let phases = phases(&[(10, 100, PRICE_UNIT), (20, 101, 3 * PRICE_UNIT)]);
        assert!(!is_sold_out(&phases, 5, &of(99)));
        assert!(is_sold_out(&phases, 5, &of(100)));
        assert!(!is_sold_out(&phases, 15, &of(98)));
        assert!(is_sold_out(&phases, 15, &of(99)));
        assert!(is_sold_out(&phases, 5, &of(101)));
        assert!(!is_sold_out(&[], 5, &of(0)));
    }

    #[test]
    fn whole_token_prices_are_exact_or_absent() {
        assert_eq!(price_per_token(&of(250), 18), Some(of(250)));
        assert_eq!(price_per_token(&of(250), 20), Some(of(25_000)));
        assert_eq!(price_per_token(&of(1_000), 16), Some(of(10)));
        assert_eq!(price_per_token(&of(1), 6), None);
        assert!(price_per_token(&of(1), 255).is_some());
    }

    #[test]
    fn states_have_one_name_each() {
        for (name, state) in SaleState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), name);
            assert_eq!(SaleState::from_name(state.as_str()), Some(state));
        }
        assert!(SaleState::parse("OPEN").is_err());
    }
}
