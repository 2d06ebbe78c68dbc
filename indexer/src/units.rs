//! Whole units and base units, exactly: `"1.5"` with 6 decimals is 1500000. No float anywhere.

use alloy::primitives::U256;

/// Why a text is no amount in whole units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitsError {
    /// Not digits with at most one point.
    #[error("{0:?} is not a plain decimal number: write it like 1500 or 0.05, without sign, comma, space or exponent")]
    Form(String),
    /// More digits after the point than the unit has.
    #[error("{text:?} has {found} decimals, the currency has {decimals}")]
    TooPrecise {
        /// As written.
        text: String,
        /// Digits after the point, trailing zeros apart.
        found: usize,
        /// Digits that exist.
        decimals: u8,
    },
    /// Above 2^256.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// Base units of `text` whole units.
pub fn parse(text: &str, decimals: u8) -> Result<U256, UnitsError> {
    let form = || UnitsError::Form(text.to_owned());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
        return Err(form());
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = usize::from(decimals).checked_sub(fraction.len()).ok_or_else(|| UnitsError::TooPrecise {
        text: text.to_owned(),
        found: fraction.len(),
        decimals,
    })?;
    let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
    U256::from_str_radix(&digits, 10).map_err(|_| UnitsError::TooLarge(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::Amount;

    #[test]
    fn reads_plain_decimals_only() {
        assert_eq!(parse("1.5", 6), Ok(U256::from(1_500_000)));
        assert_eq!(parse("0.000001", 6), Ok(U256::from(1)));
        assert_eq!(parse("1.50000000000", 6), Ok(U256::from(1_500_000)));
        assert_eq!(parse("7", 0), Ok(U256::from(7)));
        for text in ["", ".", "1.", ".5", "-1", "+1", "1,5", "1 000", "1e3", "0x1", "1.2.3", "١"] {
            assert!(matches!(parse(text, 18), Err(UnitsError::Form(_))), "{text:?}");
        }
        assert!(matches!(parse("0.0000001", 6), Err(UnitsError::TooPrecise { found: 7, decimals: 6, .. })));
        assert!(matches!(parse(&"9".repeat(78), 18), Err(UnitsError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn is_the_inverse_of_writing(raw: u128, decimals in 0u8..40) {
            let raw = U256::from(raw);
            prop_assert_eq!(parse(&Amount(raw).to_units(decimals), decimals), Ok(raw));
        }
    }
}
