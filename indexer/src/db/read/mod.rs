//! What the API reads, a file a resource. Every function takes a connection, so that all queries of one answer can run in one
//! snapshot ([`super::snapshot()`]).
//!
//! Pages are keyset pages: the caller gives the key after which to go on and how many rows to read at most, and no page
//! depends on how far into a list it is.

pub mod activity;
pub mod chains;
pub mod concentration;
pub mod contributions;
pub mod feed;
pub mod holders;
pub mod positions;
pub mod records;
pub mod sales;
pub mod series;
pub mod team;
pub mod tokens;

use std::{fmt, str::FromStr};

use bigdecimal::{
    BigDecimal,
    num_bigint::{BigInt, Sign},
};
use sqlx::{Decode, Postgres, Type, error::BoxDynError, postgres::PgTypeInfo, postgres::PgValueRef};

/// A sum of amounts: non-negative, whole and without an upper bound. Nine of the largest amounts no longer fit in 256 bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum(pub BigInt);

/// Why a database value or a text is no [`Sum`].
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a whole non-negative number")]
pub struct SumError(String);

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Sum {
    type Err = SumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SumError(text.to_owned());
        // 131,072 digits is what NUMERIC holds; nothing near it is an amount of money.
        if text.is_empty() || text.len() > 200 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        text.parse().map(Self).map_err(|_| error())
    }
}

impl Type<Postgres> for Sum {
    fn type_info() -> PgTypeInfo {
        <BigDecimal as Type<Postgres>>::type_info()
    }
}

impl Decode<'_, Postgres> for Sum {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let value = BigDecimal::decode(value)?;
        if !value.is_integer() {
            return Err(SumError(value.to_string()).into());
        }
        let (digits, _) = value.with_scale(0).into_bigint_and_exponent();
        if digits.sign() == Sign::Minus {
            return Err(SumError(digits.to_string()).into());
        }
        Ok(Self(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_digits_alone() {
        for text in ["", "-1", "+1", "1.0", "1e3", " 1", &"9".repeat(201)] {
            assert!(text.parse::<Sum>().is_err(), "{text:?}");
        }
        let large = "9".repeat(80);
        assert_eq!(large.parse::<Sum>().unwrap().to_string(), large);
    }
}
