//! What terms come to, in words: what is free when.

use crate::{
    contracts::FixedPriceSale::{Tap, Vesting},
    types::{
        Amount,
        clock::{span, utc},
    },
};

/// Hundredths of a percent, as people write them.
pub fn percent(share: u16) -> String {
    format!("{} %", Amount(alloy::primitives::U256::from(share)).to_units(2))
}

/// When tokens can be claimed. `start` is the second in which success was latched, if it was.
pub fn vesting(v: &Vesting, start: Option<u64>) -> String {
    if v.duration == 0 {
        return "all of them with the success".to_owned();
    }
    let (cliff, end) = (moment(v.cliff.into(), start), moment(v.duration.into(), start));
    let first = match (v.atOnce, v.cliff) {
        (0, 0) => "from the success on by the second".to_owned(),
        (0, _) => format!("none before {cliff}, then by the second"),
        (share, 0) => format!("{} with the success, the rest by the second", percent(share)),
        (share, _) => format!("{} with the success, the rest by the second but none before {cliff}", percent(share)),
    };
    format!("{first}, all of them from {end}")
}

/// When the beneficiary gets the money. `start` is the second in which success was latched, if it was.
pub fn release(tap: &Tap, start: Option<u64>) -> String {
    if tap.duration == 0 {
        return "all of it with the success; investors cannot object".to_owned();
    }
    let end = moment(tap.duration.into(), start);
    let first = match tap.atOnce {
        0 => "by the second from the success on".to_owned(),
        share => format!("{} with the success, the rest by the second", percent(share)),
    };
    let objection = match tap.objection {
        0 => "investors cannot object".to_owned(),
        share => format!("it stops for ever once investors of more than {} of the money object", percent(share)),
    };
    format!("{first}, all of it from {end}; {objection}")
}

/// A span after the start, and the moment where the start is known.
fn moment(seconds: u64, start: Option<u64>) -> String {
    match start {
        Some(start) => utc(start.saturating_add(seconds)),
        None => format!("{} after it", span(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 86_400;

    #[test]
    fn schedules_read_as_sentences() {
        let v = |at_once, cliff, duration| Vesting { atOnce: at_once, cliff: cliff * DAY, duration: duration * DAY };
        assert_eq!(vesting(&v(0, 0, 0), None), "all of them with the success");
        assert_eq!(
            vesting(&v(2_050, 30, 365), None),
            "20.5 % with the success, the rest by the second but none before 30 d after it, all of them from 365 d after it"
        );
        assert_eq!(
            vesting(&v(0, 1, 2), Some(1_930_140_000)),
            "none before 2031-03-02 14:00:00 UTC, then by the second, all of them from 2031-03-03 14:00:00 UTC"
        );
        let tap = Tap { atOnce: 1_000, duration: 100 * DAY, objection: 5_000 };
        assert_eq!(
            release(&tap, None),
            "10 % with the success, the rest by the second, all of it from 100 d after it; it stops for ever once investors of more than 50 % of the money object"
        );
    }
}
