//! Unix seconds, as people read them.

use jiff::Timestamp;

/// `2031-03-01 14:00:00 UTC`. A number that is no date is written as it is.
pub fn utc(seconds: u64) -> String {
    match i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()) {
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => format!("second {seconds}"),
    }
}

/// RFC 3339, for JSON. A number that is no date is written as it is.
pub fn rfc3339(seconds: u64) -> String {
    match i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok()) {
        Some(time) => time.to_string(),
        None => seconds.to_string(),
    }
}

/// A distance in time by its two largest units: `3 d 4 h`, `12 min 5 s`.
pub fn span(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let words: Vec<_> =
        parts.iter().skip(first).take(2).filter(|(n, _)| *n > 0).map(|(n, u)| format!("{n} {u}")).collect();
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_date() {
        assert_eq!(utc(1_930_140_000), "2031-03-01 14:00:00 UTC");
        assert_eq!(rfc3339(1_930_140_000), "2031-03-01T14:00:00Z");
        assert_eq!(utc(u64::MAX), "second 18446744073709551615");
    }

    #[test]
    fn spans_use_two_units() {
        assert_eq!(span(0), "0 s");
        assert_eq!(span(59), "59 s");
        assert_eq!(span(3_600), "1 h");
        assert_eq!(span(273_700), "3 d 4 h");
        assert_eq!(span(86_405), "1 d");
    }
}
