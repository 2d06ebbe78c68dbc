//! What a sale's terms mean at a time: the active phase, the next price, whether it is sold out, and what an investor can do.
//! Pure, and the same rules as `contracts/src/libraries/SaleArgs.sol` and the sales of each mode.

use bigdecimal::num_bigint::BigInt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{extract::Parameter, shapes::sum};
use crate::db::read::{Sum, sales::Phase};

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

/// How tokens are priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each phase sells at its own price.
    FixedPrice,
    /// One price; the sale takes more than its hard cap, everybody gets the same share, and the excess comes back.
    ProRata,
    /// The price falls; all pay the clearing price.
    DutchAuction,
}

impl Mode {
    /// As the database writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "fixed_price" => Some(Self::FixedPrice),
            "pro_rata" => Some(Self::ProRata),
            "dutch_auction" => Some(Self::DutchAuction),
            _ => None,
        }
    }
}

/// Index into `phases` of the first that is not over at `time` and has room at `raised`.
pub fn phase_at(phases: &[Phase], time: i64, raised: &Sum) -> Option<usize> {
    phases.iter().position(|p| time < p.ends && *raised < sum(p.raised_up_to))
}

/// Index of the phase that the next contribution begins in. Money counts only where a phase has a cap of its own: in the other
/// modes it is told by time alone.
pub fn active_phase(mode: Mode, phases: &[Phase], time: i64, raised: &Sum) -> Option<usize> {
    match mode {
        Mode::FixedPrice => phase_at(phases, time, raised),
        Mode::ProRata | Mode::DutchAuction => phase_at(phases, time, &Sum::default()),
    }
}

/// Price at `time` in phase `index`. In an auction it falls linearly from the phase's price to the next one's, and is rounded up:
/// at no second cheaper than the line (`DutchAuctionSale._phaseAndPrice`). `opens` is the sale's.
pub fn price_at(mode: Mode, phases: &[Phase], index: usize, opens: i64, time: i64) -> Option<Sum> {
    let phase = phases.get(index)?;
    let price = sum(phase.price);
    let Some(next) = phases.get(index + 1).filter(|_| mode == Mode::DutchAuction) else { return Some(price) };
    let start = if index == 0 { opens } else { phases.get(index - 1)?.ends };
    let elapsed = BigInt::from((time - start).max(0));
    let fall = (&price.0 - sum(next.price).0) * elapsed / BigInt::from((phase.ends - start).max(1));
    Some(Sum(price.0 - fall))
}

/// Whether nothing can be bought any more. At a fixed price: the hard cap is reached, or what is left below it buys no token base
/// unit at the last phase's price. In an auction: all tokens are spoken for at the price of now. A pro-rata sale takes any sum.
pub fn is_sold_out(mode: Mode, phases: &[Phase], opens: i64, time: i64, raised: &Sum, for_sale: &Sum) -> bool {
    let Some(last) = phases.last() else { return false };
    let cap = sum(last.raised_up_to);
    match mode {
        Mode::ProRata => false,
        Mode::DutchAuction => {
            let index = active_phase(mode, phases, time, raised).unwrap_or(phases.len() - 1);
            let price = price_at(mode, phases, index, opens, time).unwrap_or_default();
            let worth = &for_sale.0 * &price.0 / PRICE_UNIT;
            let room = worth.min(cap.0) - &raised.0;
            room <= BigInt::ZERO || room * PRICE_UNIT < price.0
        }
        Mode::FixedPrice => {
            if *raised >= cap {
                return true;
            }
            // Before the last phase the next price may still buy something.
            if phase_at(phases, time, raised).is_some_and(|index| index + 1 < phases.len()) {
                return false;
            }
            (cap.0 - &raised.0) * PRICE_UNIT < sum(last.price).0
        }
    }
}

/// Price of one whole token in payment base units, if it is a whole number of them.
pub fn price_per_token(price: &Sum, token_decimals: u8) -> Option<Sum> {
    let unit = BigInt::from(10).pow(u32::from(token_decimals));
    let product = &price.0 * unit;
    let exact = &product % PRICE_UNIT == BigInt::from(0);
    exact.then(|| Sum(product / PRICE_UNIT))
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
                gate: "open".to_owned(),
                root: crate::types::Hash32::default(),
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
        let sold_out =
            |phases: &[Phase], time, raised| is_sold_out(Mode::FixedPrice, phases, 0, time, &of(raised), &of(1_000));
        let phases = phases(&[(10, 100, PRICE_UNIT), (20, 101, 3 * PRICE_UNIT)]);
        assert!(!sold_out(&phases, 5, 99));
        assert!(sold_out(&phases, 5, 100));
        assert!(!sold_out(&phases, 15, 98));
        assert!(sold_out(&phases, 15, 99));
        assert!(sold_out(&phases, 5, 101));
        assert!(!sold_out(&[], 5, 0));
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

    #[test]
    fn an_auctions_price_falls_in_a_line_and_is_rounded_up() {
        let phases = phases(&[(110, 1_000, 1_000), (200, 1_000, 701), (300, 1_000, 50)]);
        let price = |index, time| price_at(Mode::DutchAuction, &phases, index, 10, time);
        // 299 less over 100 seconds.
        assert_eq!(price(0, 0), Some(of(1_000)), "before the opening it is the first");
        assert_eq!(price(0, 10), Some(of(1_000)));
        assert_eq!(price(0, 11), Some(of(998)));
        assert_eq!(price(0, 109), Some(of(704)));
        assert_eq!(price(1, 110), Some(of(701)));
        assert_eq!(price(2, 299), Some(of(50)), "the last keeps its own");
        assert_eq!(price_at(Mode::FixedPrice, &phases, 0, 10, 60), Some(of(1_000)));
    }

    #[test]
    fn an_auction_is_sold_out_when_the_price_of_now_takes_all_tokens() {
        let unit = PRICE_UNIT;
        let phases = phases(&[(100, 1_000, 10 * unit), (200, 1_000, 2 * unit)]);
        let sold_out = |time, raised| is_sold_out(Mode::DutchAuction, &phases, 0, time, &of(raised), &of(50));
        assert!(!sold_out(0, 490));
        assert!(sold_out(0, 491), "nine base units buy no token at ten");
        assert!(sold_out(0, 500));
        assert!(sold_out(50, 300), "50 tokens at six");
        assert!(sold_out(150, 99));
        assert!(!sold_out(150, 98));
        assert!(!is_sold_out(Mode::ProRata, &phases, 0, 150, &of(99_999), &of(50)));
    }
}
