//! When a message is sent again.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;

/// Longest that a receiver can ask to be left alone.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The pauses before the second and every further attempt. After the last, a message is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    /// What Standard Webhooks recommends: ten attempts over some three days.
    fn default() -> Self {
        const HOUR: u64 = 60 * 60;
        Self(
            [5, 5 * 60, 30 * 60, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
                .map(Duration::from_secs)
                .into(),
        )
    }
}

impl Schedule {
    /// With these pauses.
    pub fn new(pauses: impl IntoIterator<Item = Duration>) -> Self {
        Self(pauses.into_iter().collect())
    }

    /// The pause after so many failed attempts; `None` after the last. Up to a tenth longer than it says, so that what failed together
    /// does not come back together; and no shorter than the receiver asks, within a day.
    pub(super) fn pause(&self, failed: usize, asked: Option<Duration>) -> Option<Duration> {
        let pause = *self.0.get(failed.checked_sub(1)?)?;
        let mut byte = [0];
        // Without randomness it is merely on time.
        let _ = rand::fill(&mut byte);
        let pause = pause + pause * u32::from(byte[0]) / 2_560;
        Some(pause.max(asked.unwrap_or_default().min(LONGEST)))
    }
}

/// `Retry-After`: seconds, or a date.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number has are longer than anybody waits.
        return Some(text.parse().map_or(LONGEST, Duration::from_secs));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(u64::try_from(at.as_second()).ok()?.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let schedule = Schedule::default();
        assert_eq!(schedule.pause(0, None), None);
        for (failed, seconds) in [(1, 5), (2, 300), (3, 1_800), (9, 86_400)] {
            let exact = Duration::from_secs(seconds);
            for _ in 0..100 {
                let pause = schedule.pause(failed, None).unwrap();
                assert!(pause >= exact && pause <= exact + exact / 10, "{pause:?}");
            }
        }
        assert_eq!(schedule.pause(10, None), None);
        assert_eq!(schedule.pause(10, Some(Duration::from_secs(60))), None, "nobody can ask for more attempts");
        assert_eq!(schedule.pause(1, Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
        assert_eq!(schedule.pause(1, Some(Duration::MAX)), Some(LONGEST));
        assert!(schedule.pause(2, Some(Duration::from_secs(1))).unwrap() >= Duration::from_secs(300));
    }

    #[test]
    fn a_receiver_asks_in_seconds_or_with_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Sun, 06 Nov 1993 08:50:37 GMT", now), None, "no such day of the week");
        assert_eq!(retry_after("Sat, 06 Nov 1993 08:50:37 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after(&"9".repeat(40), now), Some(LONGEST));
        for text in ["", "soon", "-1", "1.5", "1e3"] {
            assert_eq!(retry_after(text, now), None, "{text}");
        }
    }
}
