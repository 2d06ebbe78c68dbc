//! Addresses and hashes: `bytea` in the database, EIP-55 and `0x` hex in JSON.

use std::fmt;

use alloy::primitives::{Address, B256};
use serde::{Serialize, Serializer};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};

/// An address: 20 bytes in the database, its EIP-55 form in text and JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr(pub Address);

/// A block or transaction hash, or a document's SHA-256: 32 bytes in the database, `0x` and 64 hex digits in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash32(pub B256);

macro_rules! bytea {
    ($outer:ident, $inner:ident) => {
        impl From<$inner> for $outer {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $outer {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl Type<Postgres> for $outer {
            fn type_info() -> PgTypeInfo {
                <[u8] as Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <[u8] as Type<Postgres>>::compatible(ty)
            }
        }

        impl PgHasArrayType for $outer {
            fn array_type_info() -> PgTypeInfo {
                <&[u8] as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $outer {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.0.as_slice().encode_by_ref(buffer)
            }
        }

        impl Decode<'_, Postgres> for $outer {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                Ok(Self($inner::try_from(<&[u8]>::decode(value)?)?))
            }
        }
    };
}

bytea!(Addr, Address);
bytea!(Hash32, B256);
