//! How much of a sum is free at a time. The same rounding as `contracts/src/libraries/Schedule.sol`.

use bigdecimal::num_bigint::BigInt;

use crate::db::read::Sum;

/// One whole, in hundredths of a percent.
pub const WHOLE: u32 = 10_000;

/// A share at once, the rest linearly. Times in seconds from the start, the share in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Free at once.
    pub at_once: i32,
    /// Before it, nothing but that share.
    pub cliff: i64,
    /// Everything is free from then on.
    pub duration: i64,
}

impl Schedule {
    fn at_once(&self, total: &Sum) -> BigInt {
        &total.0 * self.at_once / WHOLE
    }

    /// What is free after `elapsed`, rounded down.
    pub fn freed(&self, total: &Sum, elapsed: i64) -> Sum {
        if elapsed >= self.duration {
            return total.clone();
        }
        let first = self.at_once(total);
        if elapsed < self.cliff {
            return Sum(first);
        }
        let rest = &total.0 - &first;
        Sum(first + rest * elapsed / self.duration)
    }

    /// The first time after `elapsed` at which more is free; `None` if all is.
    pub fn next(&self, total: &Sum, elapsed: i64) -> Option<i64> {
        let now = self.freed(total, elapsed);
        if now >= *total {
            return None;
        }
        let first = self.at_once(total);
        let rest = &total.0 - &first;
        // The rest is above zero: else all would be free. At `duration` all is free, whatever the rounding.
        let one_more = (now.0 - first + 1) * self.duration;
        let linear = (one_more + &rest - 1) / rest;
        let linear = i64::try_from(linear).unwrap_or(self.duration);
        Some(linear.max(self.cliff).max(elapsed + 1).min(self.duration))
    }
}

/// `a * b / c`, rounded down; zero where `c` is.
pub fn mul_div(a: &Sum, b: &Sum, c: &Sum) -> Sum {
    if c.0 == BigInt::ZERO { Sum::default() } else { Sum(&a.0 * &b.0 / &c.0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(n: u64) -> Sum {
        Sum(n.into())
    }

    #[test]
    fn a_share_at_once_a_cliff_and_a_line() {
        let s = Schedule { at_once: 2_500, cliff: 10, duration: 100 };
        let freed = |elapsed| s.freed(&of(1_001), elapsed);
        assert_eq!(freed(0), of(250));
        assert_eq!(freed(9), of(250));
        assert_eq!(freed(10), of(250 + 75));
        assert_eq!(freed(99), of(250 + 743));
        assert_eq!(freed(100), of(1_001));
        let all_at_once = Schedule { at_once: 0, cliff: 0, duration: 0 };
        assert_eq!(all_at_once.freed(&of(7), 0), of(7));
        assert_eq!(all_at_once.next(&of(7), 0), None);
    }

    proptest! {
        #[test]
        fn the_next_unlock_is_the_first_second_with_more(
            total in 0u64..5_000, at_once in 0i32..=10_000, cliff in 0i64..50, more in 0i64..50, elapsed in 0i64..120,
        ) {
            let s = Schedule { at_once, cliff, duration: cliff + more };
            let (total, now) = (of(total), s.freed(&of(total), elapsed));
            match s.next(&total, elapsed) {
                None => prop_assert_eq!(now, total),
                Some(next) => {
                    prop_assert!(next > elapsed);
                    prop_assert!(s.freed(&total, next) > now);
                    prop_assert_eq!(s.freed(&total, next - 1), now);
                }
            }
        }
    }
}
