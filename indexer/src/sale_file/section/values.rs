//! Values that not every file has: durations, shares, words and hashes that may be missing.

use alloy::primitives::{Address, B256};

use super::{At, Section, quoted};
use crate::types::units::{Decimal, UnitsError};

impl Section<'_, '_> {
    /// An address that may be missing, checked as [`Section::address`] does.
    pub fn optional_address(&mut self, key: &'static str) -> Option<At<Address>> {
        let at = self.string(key, "an address")?;
        self.read_address(&at)
    }

    /// One of a few words, or nothing.
    pub fn optional_word(&mut self, key: &'static str, words: &[&'static str]) -> Option<At<&'static str>> {
        if self.has(key) {
            return self.word(key, words);
        }
        self.known(&[key]);
        None
    }

    /// A time span such as `"14d"`, in seconds. May be missing unless `required`.
    pub fn duration(&mut self, key: &'static str, required: bool) -> Option<At<u64>> {
        if required && !self.has(key) {
            self.known(&[key]);
            self.missing(key, "\"30d\"");
            return None;
        }
        let at = self.string(key, "a time span")?;
        let seconds = parse_duration(at.value);
        if seconds.is_none() {
            let mend = "write a whole number and s, m, h or d for seconds, minutes, hours or days, such as \"14d\"";
            self.reader.error_at(&at, format!("is {}, which is no time span", quoted(at.value)), mend);
        }
        seconds.map(|s| at.with(s))
    }

    /// A share such as `"12.5%"`, in hundredths of a percent. May be missing.
    pub fn percent(&mut self, key: &'static str) -> Option<At<u16>> {
        let at = self.string(key, "a share")?;
        let share = at.value.strip_suffix('%').map(|n| Decimal::parse(n.trim_end()).and_then(|n| n.scaled(2)));
        let mend = "write a number and %, such as \"20%\" or \"12.5%\"";
        match share {
            None => self.reader.error_at(&at, format!("is {}, and must end with %", quoted(at.value)), mend),
            Some(Err(UnitsError::TooPrecise { .. })) => {
                self.reader.error_at(&at, "is finer than 0.01 %, the smallest share that the contracts know", mend);
            }
            Some(Err(error)) => self.reader.error_at(&at, format!("{} {error}", quoted(at.value)), mend),
            Some(Ok(share)) => match u16::try_from(share) {
                Ok(share) if share <= WHOLE => return Some(at.with(share)),
                _ => self.reader.error_at(&at, "is more than 100 %", mend),
            },
        }
        None
    }

    /// The root of a list, 32 bytes in hexadecimal, not zero. May be missing.
    pub fn root(&mut self, key: &'static str) -> Option<At<B256>> {
        let at = self.string(key, "the root of a list")?;
        let root = at.value.strip_prefix("0x").filter(|d| d.len() == 64).and_then(|d| d.parse::<B256>().ok());
        if root.is_none_or(|r| r.is_zero()) {
            let mend = "write the root that `crowdsale allowlist build` printed: 0x and 64 hexadecimal digits";
            self.reader.error_at(&at, "is not the root of a list", mend);
            return None;
        }
        root.map(|r| at.with(r))
    }
}

/// One whole, in hundredths of a percent.
pub const WHOLE: u16 = 10_000;

/// Seconds of `90s`, `15m`, `36h` or `14d`.
fn parse_duration(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<u64>().ok()).flatten()?;
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(parse_duration("14d"), Some(1_209_600));
        assert_eq!(parse_duration("0s"), Some(0));
        assert_eq!(parse_duration("36h"), Some(129_600));
        assert_eq!(parse_duration("15m"), Some(900));
        for text in ["", "d", "14", "-1d", "+1d", "1.5d", "1 d", "1w", "14d ", "１d", "18446744073709551615d", "é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
