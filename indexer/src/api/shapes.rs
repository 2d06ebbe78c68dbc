//! The shapes that all answers share: amounts, times, tokens and block references.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

use crate::{
    db::{chains::Checkpoint, read::Sum},
    types::{Addr, Amount, Finality, Hash32, upright},
};

/// An amount of a token or of ether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Amount)]
pub struct AmountOut {
    /// Base units in decimal digits. A string, because it may exceed what a JSON number holds exactly.
    #[schema(example = "1500000000000000000", pattern = "^(0|[1-9][0-9]*)$")]
    pub raw: String,
    /// Decimals of the token: whole units are `raw` divided by ten to this power.
    #[schema(example = 18)]
    pub decimals: u8,
    /// Symbol of the token, as its contract says, but for characters that turn the direction of writing: anybody can take any symbol. Empty if
    /// it has none.
    #[schema(example = "ETH")]
    pub symbol: String,
}

/// A token, or ether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Token {
    /// Its contract; the zero address is ether.
    pub address: Addr,
    /// ERC-20 symbol, empty if it has none.
    #[schema(example = "ETH")]
    pub symbol: String,
    /// ERC-20 name, empty if it has none.
    #[schema(example = "Ether")]
    pub name: String,
    /// ERC-20 decimals.
    #[schema(example = 18)]
    pub decimals: u8,
}

impl Token {
    /// A token as the database describes it.
    pub fn new(address: Addr, symbol: &str, name: &str, decimals: i16) -> Self {
        // The column is constrained to 0..=255.
        let decimals = u8::try_from(decimals).unwrap_or_default();
        Self { address, symbol: upright(symbol), name: upright(name), decimals }
    }

    /// So many base units of it.
    pub fn amount(&self, raw: impl ToString) -> AmountOut {
        AmountOut { raw: raw.to_string(), decimals: self.decimals, symbol: self.symbol.clone() }
    }
}

/// A time of the chain: RFC 3339 in UTC, whole seconds. RFC 3339 ends with the year 9999, and so does this type; contracts can
/// name later seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// Of Unix seconds.
    pub fn from_unix(seconds: i64) -> Self {
        let latest = Timestamp::MAX.as_second();
        let earliest = Timestamp::MIN.as_second();
        Self(Timestamp::from_second(seconds.clamp(earliest, latest)).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// In Unix seconds.
    pub fn as_unix(self) -> i64 {
        self.0.as_second()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Where a record stands in the chain, and how final it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlockRef {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// Height.
    #[schema(example = 21_000_000)]
    pub number: i64,
    /// Hash.
    pub hash: Hash32,
    /// Index of the event's log in the block.
    #[schema(example = 7)]
    pub log_index: i32,
    /// Blocks from this one to the head, both included.
    #[schema(example = 12)]
    pub confirmations: i64,
    /// By the node's own tags, never by counting.
    pub finality: Finality,
}

impl BlockRef {
    /// A place in the chain of `checkpoint`.
    pub fn new(checkpoint: &Checkpoint, number: i64, hash: Hash32, log_index: i32) -> Self {
        let tips = checkpoint.tips();
        Self {
            chain_id: checkpoint.chain_id,
            number,
            hash,
            log_index,
            confirmations: tips.confirmations(number),
            finality: tips.finality(number),
        }
    }
}

/// An amount as an unbounded sum, to be compared with sums.
pub fn sum(amount: Amount) -> Sum {
    use bigdecimal::num_bigint::{BigInt, Sign};
    Sum(BigInt::from_bytes_be(Sign::Plus, &amount.0.to_be_bytes::<32>()))
}

macro_rules! text_schema {
    ($type:ident, $name:literal, $build:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let build: fn(ObjectBuilder) -> ObjectBuilder = $build;
                build(ObjectBuilder::new().schema_type(Type::String)).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

text_schema!(Addr, "Address", |b| b
    .description(Some("An address with its EIP-55 checksum."))
    .pattern(Some("^0x[0-9a-fA-F]{40}$"))
    .examples([serde_json::json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")]));
text_schema!(Hash32, "Hash", |b| b
    .description(Some("32 bytes: the hash of a block, a transaction or a document."))
    .pattern(Some("^0x[0-9a-f]{64}$"))
    .examples([serde_json::json!("0x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]));
text_schema!(Time, "Time", |b| b
    .description(Some("A time of the chain: RFC 3339 in UTC."))
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
    .pattern(Some("^(19[7-9][0-9]|[2-9][0-9]{3})-"))
    .examples([serde_json::json!("2027-01-15T14:00:00Z")]));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_never_fail() {
        let text = |seconds| serde_json::to_string(&Time::from_unix(seconds)).unwrap();
        assert_eq!(text(1_800_000_000), "\"2027-01-15T08:00:00Z\"");
        assert_eq!(text(0), "\"1970-01-01T00:00:00Z\"");
        // uint40, uint64: what a contract can hold.
        for seconds in [(1 << 40) - 1, i64::MAX] {
            assert!(text(seconds).starts_with("\"9999-12-30T"), "{}", text(seconds));
        }
    }
}
