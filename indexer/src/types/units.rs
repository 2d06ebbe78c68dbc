//! Decimal text to base units and back, exactly: no float is ever between what a person writes and what a contract gets.

use std::fmt;

use alloy::primitives::U256;
use serde::{Serialize, ser::SerializeStruct as _};

use crate::types::Amount;

/// Why a text is not an amount. Each variant reads as the end of a sentence that begins with the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitsError {
    /// Nothing was written.
    #[error("is empty: write a decimal number such as 1.5")]
    Empty,
    /// A minus or plus sign.
    #[error("has a sign: amounts are positive, write the digits alone")]
    Sign,
    /// A comma, an apostrophe, an underscore or a space.
    #[error("has {0:?} in it: write digits with one point and no separators, such as 1250.5")]
    Separator(char),
    /// `1e18` and the like.
    #[error("has an exponent: write all the digits")]
    Exponent,
    /// Anything else.
    #[error("is not a decimal number such as 1.5")]
    NotANumber,
    /// More digits after the point than the asset has.
    #[error("has {given} digits after the point, but there are only {allowed}: nothing smaller exists")]
    TooPrecise {
        /// Digits after the point, trailing zeros left out.
        given: usize,
        /// Decimals of the asset.
        allowed: i32,
    },
    /// 2^256 base units or more.
    #[error("is too large: it must stay below 2^256 base units")]
    TooLarge,
}

/// A decimal number as it was written: `digits` × 10^-`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: U256,
    scale: usize,
}

impl Decimal {
    /// Reads `1`, `1.5` or `0.05`. Trailing zeros after the point are dropped.
    ///
    /// # Errors
    /// Every [`UnitsError`] but `TooPrecise`.
    pub fn parse(text: &str) -> Result<Self, UnitsError> {
        if text.is_empty() {
            return Err(UnitsError::Empty);
        }
        if text.starts_with(['-', '+', '\u{2212}']) {
            return Err(UnitsError::Sign);
        }
        if let Some(found) = text.chars().find(|c| matches!(c, ',' | '\'' | '_' | '\u{2019}') || c.is_whitespace()) {
            return Err(UnitsError::Separator(found));
        }
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if !all_digits(whole) || !all_digits(fraction) {
            let mut parts = text.splitn(2, ['e', 'E']);
            let mantissa = parts.next().unwrap_or_default();
            let exponent = parts.next().is_some_and(|e| all_digits(e.trim_start_matches(['-', '+'])));
            let is_number = exponent && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            return Err(if is_number { UnitsError::Exponent } else { UnitsError::NotANumber });
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = U256::from_str_radix(&format!("{whole}{fraction}"), 10).map_err(|_| UnitsError::TooLarge)?;
        Ok(Self { digits, scale: fraction.len() })
    }

    /// This number × 10^`exponent`, which must be whole.
    ///
    /// # Errors
    /// `TooPrecise` where it is not whole, `TooLarge` from 2^256 on.
    pub fn scaled(self, exponent: i32) -> Result<U256, UnitsError> {
        match self.scaled_rounding_down(exponent)? {
            (value, true) => Ok(value),
            (_, false) => Err(UnitsError::TooPrecise { given: self.scale, allowed: exponent }),
        }
    }

    /// This number × 10^`exponent`, rounded down, and whether it was whole.
    ///
    /// # Errors
    /// `TooLarge` from 2^256 on.
    pub fn scaled_rounding_down(self, exponent: i32) -> Result<(U256, bool), UnitsError> {
        let shift = i64::from(exponent) - i64::try_from(self.scale).map_err(|_| UnitsError::TooLarge)?;
        if self.digits.is_zero() {
            return Ok((U256::ZERO, true));
        }
        let power = U256::from(10).checked_pow(U256::from(shift.unsigned_abs()));
        match (power, shift >= 0) {
            (Some(power), true) => Ok((self.digits.checked_mul(power).ok_or(UnitsError::TooLarge)?, true)),
            (None, true) => Err(UnitsError::TooLarge),
            (Some(power), false) => Ok((self.digits / power, (self.digits % power).is_zero())),
            // The divisor is above every 256-bit number.
            (None, false) => Ok((U256::ZERO, false)),
        }
    }
}

/// Base units of a decimal text in whole units: `"1.5"` with 6 decimals is 1,500,000.
///
/// # Errors
/// Every [`UnitsError`].
///
/// ```
/// use crowdsale::types::units::parse_units;
/// assert_eq!(parse_units("1.5", 6)?.to_string(), "1500000");
/// # Ok::<(), crowdsale::types::units::UnitsError>(())
/// ```
pub fn parse_units(text: &str, decimals: u8) -> Result<U256, UnitsError> {
    Decimal::parse(text)?.scaled(i32::from(decimals))
}

/// An asset's decimals and symbol: what turns base units into something a person reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asset {
    /// Digits after the point.
    pub decimals: u8,
    /// `ETH`, `USDC`, …
    pub symbol: String,
}

impl Asset {
    /// Ether.
    pub fn ether() -> Self {
        Self { decimals: 18, symbol: "ETH".to_owned() }
    }

    /// An amount of this asset.
    pub fn amount(&self, raw: U256) -> Money {
        Money { raw, asset: self.clone() }
    }
}

/// An amount of an asset. Text is `1.5 ETH`; JSON is `{"raw": "1500000000000000000", "decimals": 18, "symbol": "ETH"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// Base units.
    pub raw: U256,
    /// Of what.
    pub asset: Asset,
}

impl Money {
    /// In units and to the last base unit: `1.5 ETH (1500000000000000000 wei)`.
    pub fn exact(&self) -> String {
        let unit = if self.asset == Asset::ether() { "wei" } else { "base units" };
        format!("{self} ({} {unit})", self.raw)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Amount(self.raw).to_units(self.asset.decimals), self.asset.symbol)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut s = serializer.serialize_struct("Money", 3)?;
        s.serialize_field("raw", &self.raw.to_string())?;
        s.serialize_field("decimals", &self.asset.decimals)?;
        s.serialize_field("symbol", &self.asset.symbol)?;
        s.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_exactly() {
        let units = |text, decimals| parse_units(text, decimals).unwrap().to_string();
        assert_eq!(units("1.5", 18), "1500000000000000000");
        assert_eq!(units("0.000000000000000001", 18), "1");
        assert_eq!(units("1.500000000000000000000", 18), "1500000000000000000");
        assert_eq!(units("0", 0), "0");
        assert_eq!(units("42", 0), "42");
        assert_eq!(units("42.0", 0), "42");
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| parse_units(text, 6).unwrap_err();
        assert_eq!(error(""), UnitsError::Empty);
        for text in ["-1", "+1", "\u{2212}1"] {
            assert_eq!(error(text), UnitsError::Sign, "{text}");
        }
        assert_eq!(error("1,5"), UnitsError::Separator(','));
        assert_eq!(error("1 000"), UnitsError::Separator(' '));
        assert_eq!(error("1_000"), UnitsError::Separator('_'));
        for text in ["1e18", "1E3", "1.5e-3"] {
            assert_eq!(error(text), UnitsError::Exponent, "{text}");
        }
        for text in [".", "1.", ".5", "1.2.3", "0x10", "one", "１", "1ETH", "NaN", "inf"] {
            assert_eq!(error(text), UnitsError::NotANumber, "{text}");
        }
        assert_eq!(error("0.0000001"), UnitsError::TooPrecise { given: 7, allowed: 6 });
        assert_eq!(error(&U256::MAX.to_string()), UnitsError::TooLarge);
        assert_eq!(error(&format!("{}0", U256::MAX)), UnitsError::TooLarge);
    }

    #[test]
    fn scales_by_negative_powers() {
        let number = Decimal::parse("1200").unwrap();
        assert_eq!(number.scaled(-2).unwrap(), U256::from(12));
        assert_eq!(number.scaled(-3), Err(UnitsError::TooPrecise { given: 0, allowed: -3 }));
        assert_eq!(number.scaled_rounding_down(-3).unwrap(), (U256::ONE, false));
        assert_eq!(number.scaled_rounding_down(-100).unwrap(), (U256::ZERO, false));
        assert_eq!(number.scaled(100), Err(UnitsError::TooLarge));
    }

    #[test]
    fn money_reads_in_units_and_to_the_wei() {
        let money = Asset::ether().amount(U256::from(1_500_000_000_000_000_001_u64));
        assert_eq!(money.exact(), "1.500000000000000001 ETH (1500000000000000001 wei)");
        assert_eq!(
            serde_json::to_string(&money).unwrap(),
            r#"{"raw":"1500000000000000001","decimals":18,"symbol":"ETH"}"#
        );
    }

    proptest! {
        #[test]
        fn every_amount_survives_text(words: [u64; 4], decimals in 0_u8..=36) {
            let raw = U256::from_limbs(words);
            prop_assert_eq!(parse_units(&Amount(raw).to_units(decimals), decimals).unwrap(), raw);
        }

        #[test]
        fn no_text_panics(text: String, decimals: u8) {
            let _ = parse_units(&text, decimals);
        }
    }
}
