//! What an order that is placed pays for gas, and how much of it.

use super::OrderError;
use crate::chain::Fees;

/// Gas that a slot of storage takes more where it is zero before: 22,100 against 5,000 (EIP-2929).
const FRESH_SLOT: u64 = 17_100;
/// Slots that an order may have to fill although the next block would find them filled: the sale's sums, the investor's position, what the
/// sale has of the token that pays, and one that such a token may keep beside it.
const FRESH_SLOTS: u64 = 4;

/// What the market asks for, and no more than `most`.
pub(super) fn at_most(fees: Fees, most: u128) -> Fees {
    let max = fees.max.min(most);
    Fees { max, priority: fees.priority.min(max), ..fees }
}

/// What an order pays of what the market asks for, where the operator's limit is enough for the next block.
///
/// # Errors
/// [`OrderError::FeesAboveLimit`].
pub(super) fn within_limit(fees: Fees, most: u128) -> Result<Fees, OrderError> {
    if fees.asked() > most {
        let (base, tip) = (fees.base, fees.priority);
        return Err(OrderError::FeesAboveLimit { base, tip, most, seconds: seconds_until(fees, most) });
    }
    Ok(at_most(fees, most))
}

/// Seconds until blocks can ask for `most` at the soonest: the base fee falls by an eighth a block, and a block takes twelve seconds. An
/// hour at most: what whoever makes blocks wants can change at any time.
fn seconds_until(fees: Fees, most: u128) -> u32 {
    const BLOCK: u32 = 12;
    const HOUR: u32 = 3_600;
    let (mut base, mut seconds) = (fees.base, 0);
    while base.saturating_add(fees.priority) > most && seconds < HOUR {
        base -= base / 8;
        seconds += BLOCK;
    }
    seconds.max(BLOCK)
}

/// The gas that an order is given, by what it takes in the next block. State may move until it is included: another phase, or none of the
/// orders before it, which were to fill slots that it then fills itself: they can be cancelled. What is not used is not paid.
pub(super) fn gas_limit(estimate: u64) -> u64 {
    estimate.saturating_add(estimate / 4).saturating_add(FRESH_SLOTS * FRESH_SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_pays_no_more_than_the_operators_limit_whatever_a_node_says() {
        let fees = |base: u128, priority: u128| Fees { base, max: 2 * base + priority, priority };
        assert_eq!(within_limit(fees(50, 10), 110).ok(), Some(fees(50, 10)));
        assert_eq!(within_limit(fees(50, 10), 109).ok(), Some(Fees { max: 109, ..fees(50, 10) }));
        assert_eq!(within_limit(fees(50, 10), 60).ok(), Some(Fees { max: 60, ..fees(50, 10) }));
        // An eighth less a block: 88, 77, 68.
        let refused = |fees, most| match within_limit(fees, most) {
            Err(OrderError::FeesAboveLimit { base, tip, most, seconds }) => ((base, tip), most, seconds),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(fees(50, 10), 59), ((50, 10), 59, 12));
        assert_eq!(refused(fees(100, 0), 70), ((100, 0), 70, 36));
        assert_eq!(refused(fees(0, u128::MAX / 4), 70), ((0, u128::MAX / 4), 70, 3_600));
        assert_eq!(refused(Fees { base: u128::MAX, max: u128::MAX, priority: 1 }, 70).0, (u128::MAX, 1));
    }
}
