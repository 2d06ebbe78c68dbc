//! An amount of base units: `NUMERIC(78,0)` in the database, a decimal string in JSON, never a float.

use std::{fmt, str::FromStr};

use alloy::primitives::U256;
use bigdecimal::{
    BigDecimal,
    num_bigint::{BigInt, Sign},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};

/// A non-negative whole number of base units, below 2^256.
///
/// alloy's own `sqlx` support stores bytes and targets an older sqlx; amounts here are numbers that SQL can add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub U256);

/// Why a text or a database value is not an [`Amount`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// The text is not a decimal number below 2^256 without sign, point or exponent.
    #[error("{0:?} is not a whole number of base units")]
    Text(String),
    /// The database holds a value that no amount can have.
    #[error("the database holds {0}, which is not a whole number of base units below 2^256")]
    Database(BigDecimal),
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);

    /// This amount in whole units, e.g. `1500000` with 6 decimals is `1.5`. For people; machines read the base units.
    pub fn to_units(self, decimals: u8) -> String {
        let digits = self.0.to_string();
        let decimals = usize::from(decimals);
        let padded = format!("{digits:0>width$}", width = decimals + 1);
        let (whole, fraction) = padded.split_at(padded.len() - decimals);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AmountError::Text(text.to_owned());
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        U256::from_str_radix(text, 10).map(Self).map_err(|_| error())
    }
}

impl From<U256> for Amount {
    fn from(value: U256) -> Self {
        Self(value)
    }
}

impl From<Amount> for BigDecimal {
    fn from(amount: Amount) -> Self {
        BigInt::from_bytes_be(Sign::Plus, &amount.0.to_be_bytes::<32>()).into()
    }
}

impl TryFrom<BigDecimal> for Amount {
    type Error = AmountError;

    fn try_from(value: BigDecimal) -> Result<Self, Self::Error> {
        let error = || AmountError::Database(value.clone());
        if !value.is_integer() {
            return Err(error());
        }
        let (digits, scale) = value.with_scale(0).into_bigint_and_exponent();
        let (sign, bytes) = digits.to_bytes_be();
        if scale != 0 || sign == Sign::Minus {
            return Err(error());
        }
        U256::try_from_be_slice(&bytes).map(Self).ok_or_else(error)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Type<Postgres> for Amount {
    fn type_info() -> PgTypeInfo {
        <BigDecimal as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Amount {
    fn array_type_info() -> PgTypeInfo {
        <BigDecimal as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Amount {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        BigDecimal::from(*self).encode_by_ref(buffer)
    }
}

impl Decode<'_, Postgres> for Amount {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(BigDecimal::decode(value)?.try_into()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_not_a_whole_number() {
        for text in ["", "-1", "+1", "1.0", "1e3", " 1", "1 ", "0x10", "１", &format!("{}0", U256::MAX)] {
            assert!(text.parse::<Amount>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn writes_whole_units() {
        let units = |raw: u64, decimals| Amount(U256::from(raw)).to_units(decimals);
        assert_eq!(units(1_500_000, 6), "1.5");
        assert_eq!(units(1, 18), "0.000000000000000001");
        assert_eq!(units(42, 0), "42");
        assert_eq!(units(0, 6), "0");
        assert_eq!(units(100, 2), "1");
    }

    #[test]
    fn refuses_fractions_and_negatives_of_the_database() {
        for text in ["0.5", "-1", "1e78"] {
            assert!(Amount::try_from(text.parse::<BigDecimal>().unwrap()).is_err(), "{text}");
        }
        assert_eq!(Amount::try_from("1e3".parse::<BigDecimal>().unwrap()).unwrap(), Amount(U256::from(1000)));
    }

    proptest! {
        #[test]
        fn every_amount_survives_text_and_database(words: [u64; 4]) {
            let amount = Amount(U256::from_limbs(words));
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
            prop_assert_eq!(Amount::try_from(BigDecimal::from(amount)).unwrap(), amount);
        }
    }
}
