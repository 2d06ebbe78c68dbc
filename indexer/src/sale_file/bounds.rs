//! The arithmetic of `TermsCheck.sol`, number for number.

use alloy::primitives::{U256, uint};

/// Most phases a sale can have.
pub const MAX_PHASES: usize = 8;

/// Longest a sale may take contributions, in seconds.
pub const MAX_DURATION: u64 = 366 * 86_400;

/// Longest that tokens may vest or money be released, in seconds.
pub const MAX_SCHEDULE: u64 = 3653 * 86_400;

/// Most allocations a sale can have.
pub const MAX_ALLOCATIONS: usize = 16;

/// Price unit: payment base units per this many token base units.
pub const PRICE_UNIT: U256 = uint!(1_000_000_000_000_000_000_U256);

/// Highest amount that the contracts keep: 120 bits.
pub const MAX_AMOUNT: U256 = uint!(0xffffff_ffffffffffffffffffffffff_U256);

/// Highest price that the contracts keep: 128 bits.
pub const MAX_PRICE: U256 = uint!(0xffffffff_ffffffffffffffffffffffff_U256);

/// Most token base units that phases can sell, however the contributions fall. Each is `(raised_up_to, price)`, caps not
/// falling and below 2^120, prices not zero.
pub fn tokens_needed(phases: &[(U256, U256)]) -> U256 {
    let mut price = U256::MAX;
    let mut needed = U256::ZERO;
    for (index, (cap, own)) in phases.iter().enumerate().rev() {
        price = price.min(*own);
        let floor = if index == 0 { U256::ZERO } else { phases[index - 1].0 };
        needed += ((cap - floor) * PRICE_UNIT).div_ceil(price);
    }
    needed
}

/// Payment base units that tokens cost, rounded down. Tokens below 2^120, prices below 2^128.
pub fn cost_of(tokens: U256, price: U256) -> U256 {
    tokens * price / PRICE_UNIT
}

/// Highest soft cap, in payment base units, that no dust can put out of reach. `reach` is the most that can be taken.
pub fn highest_soft_cap(reach: U256, last_price: U256) -> U256 {
    (reach + U256::ONE).saturating_sub(last_price.div_ceil(PRICE_UNIT))
}

/// The same of an auction, which can be sold out at any of its prices. `cost` is what the tokens cost at the last.
pub fn highest_in_auction(hard_cap: U256, cost: U256, first_price: U256, last_price: U256) -> U256 {
    let above_last = first_price.min(last_price + U256::ONE);
    highest_soft_cap(hard_cap, first_price).min(highest_soft_cap(cost, above_last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(list: &[(u64, u64)]) -> Vec<(U256, U256)> {
        list.iter().map(|(c, p)| (U256::from(*c), U256::from(*p))).collect()
    }

    #[test]
    fn a_cheap_late_phase_counts_for_the_layers_below() {
        let unit = PRICE_UNIT;
        assert_eq!(tokens_needed(&phases(&[(100, 2), (200, 1)])), U256::from(200) * unit);
        assert_eq!(tokens_needed(&phases(&[(100, 1), (200, 2)])), U256::from(150) * unit);
        assert_eq!(tokens_needed(&phases(&[(1, 3)])), unit / U256::from(3) + U256::ONE);
    }

    #[test]
    fn the_soft_cap_stays_reachable() {
        let unit = PRICE_UNIT;
        assert_eq!(highest_soft_cap(U256::from(100), unit), U256::from(100));
        assert_eq!(highest_soft_cap(U256::from(100), unit + U256::ONE), U256::from(99));
        assert_eq!(highest_soft_cap(U256::from(1), unit * U256::from(9)), U256::ZERO);
    }

    #[test]
    fn an_auction_can_be_sold_out_at_any_price() {
        let (unit, of) = (PRICE_UNIT, |n: u64| U256::from(n));
        assert_eq!(highest_in_auction(of(100), of(1_000), unit * of(3), unit), of(98));
        assert_eq!(highest_in_auction(of(1_000), of(100), unit * of(2), unit), of(99));
        assert_eq!(highest_in_auction(of(1_000), of(100), unit, unit), of(100));
        assert_eq!(highest_in_auction(of(1_000), of(100), unit, unit / of(2)), of(100));
    }

    #[test]
    fn bounds_are_those_of_the_types() {
        assert_eq!(MAX_AMOUNT, (U256::ONE << 120) - U256::ONE);
        assert_eq!(MAX_PRICE, (U256::ONE << 128) - U256::ONE);
    }
}
