//! Rows under construction, in Postgres' binary COPY format: what is written in bulk is never a statement a row.
//!
//! A batch is encoded where it is decoded, beside the connection that writes the one before; the writer only ships bytes.

use alloy::primitives::{B256, U256};
use sqlx::PgConnection;

use super::DbError;
use crate::types::{Addr, Amount, Hash32};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// Bytes after which a chunk is full. Each is sent as one message, and all being of one size, what is freed fits what is next.
const CHUNK: usize = 128 * 1024;
/// Room for the row that fills a chunk.
const SLACK: usize = 4 * 1024;
const NUMERIC_BASE: u64 = 10_000;
const BYTEA_OID: u32 = 17;

/// Rows of one table.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    count: u64,
    even_if_none: bool,
}

impl Rows {
    /// Begins a row of so many columns; just as many must be [put](Column::put).
    pub fn begin(&mut self, columns: i16) -> &mut Vec<u8> {
        if self.last.len() >= CHUNK {
            self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(CHUNK + SLACK)));
        }
        self.count += 1;
        self.last.extend_from_slice(&columns.to_be_bytes());
        &mut self.last
    }

    /// Has a statement sent even if there are no rows.
    pub fn even_if_none(&mut self) {
        self.even_if_none = true;
    }

    /// Bytes so far.
    pub fn size(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.last.len()
    }

    /// Ships the rows by `statement`, a `COPY … FROM STDIN (FORMAT binary)`. No statement where there are none, unless one is wanted.
    pub async fn copy(&self, connection: &mut PgConnection, statement: &'static str) -> Result<(), DbError> {
        if self.count == 0 && !self.even_if_none {
            return Ok(());
        }
        // No checked query: COPY is not of the protocol that the macros describe. A test compares all columns with the catalog.
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(SIGNATURE).await?;
        for chunk in self.full.iter().chain([&self.last]) {
            copy.send(&chunk[..]).await?;
        }
        copy.send(&TRAILER[..]).await?;
        let copied = copy.finish().await?;
        debug_assert_eq!(copied, self.count);
        Ok(())
    }
}

/// A value as binary COPY writes it.
pub(crate) trait Column {
    /// Name of its type in the catalog; a domain's underlying type.
    #[allow(dead_code, reason = "a test holds it against the catalog")]
    const TYPE: &'static str;
    /// Appends length and value.
    fn put(&self, row: &mut Vec<u8>);
}

fn put_bytes(row: &mut Vec<u8>, bytes: &[u8]) {
    row.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    row.extend_from_slice(bytes);
}

macro_rules! integers {
    ($($type:ty => $name:literal),+) => {
        $(impl Column for $type {
            const TYPE: &'static str = $name;
            fn put(&self, row: &mut Vec<u8>) {
                put_bytes(row, &self.to_be_bytes());
            }
        })+
    };
}
integers!(i16 => "int2", i32 => "int4", i64 => "int8");

impl Column for bool {
    const TYPE: &'static str = "bool";
    fn put(&self, row: &mut Vec<u8>) {
        put_bytes(row, &[u8::from(*self)]);
    }
}

impl Column for &str {
    const TYPE: &'static str = "text";
    /// Names and addresses in the web are anybody's: NUL bytes, which Postgres cannot hold, become U+FFFD, as broken UTF-8 did
    /// when it was decoded. The bytes as emitted are kept beside it.
    fn put(&self, row: &mut Vec<u8>) {
        if self.contains('\0') {
            put_bytes(row, super::rows::clean(self).as_bytes());
        } else {
            put_bytes(row, self.as_bytes());
        }
    }
}

impl Column for &[u8] {
    const TYPE: &'static str = "bytea";
    fn put(&self, row: &mut Vec<u8>) {
        put_bytes(row, self);
    }
}

impl Column for Addr {
    const TYPE: &'static str = "bytea";
    fn put(&self, row: &mut Vec<u8>) {
        put_bytes(row, self.0.as_slice());
    }
}

impl Column for Hash32 {
    const TYPE: &'static str = "bytea";
    fn put(&self, row: &mut Vec<u8>) {
        put_bytes(row, self.0.as_slice());
    }
}

impl Column for &[B256] {
    const TYPE: &'static str = "_bytea";
    fn put(&self, row: &mut Vec<u8>) {
        let (dimensions, first) = (i32::from(!self.is_empty()), 1_i32);
        let head = if self.is_empty() { 12 } else { 20 };
        row.extend_from_slice(&((head + self.len() * 36) as i32).to_be_bytes());
        row.extend_from_slice(&dimensions.to_be_bytes());
        row.extend_from_slice(&0_i32.to_be_bytes());
        row.extend_from_slice(&BYTEA_OID.to_be_bytes());
        if !self.is_empty() {
            row.extend_from_slice(&(self.len() as i32).to_be_bytes());
            row.extend_from_slice(&first.to_be_bytes());
        }
        for item in *self {
            put_bytes(row, item.as_slice());
        }
    }
}

impl<T: Column> Column for Option<T> {
    const TYPE: &'static str = T::TYPE;
    fn put(&self, row: &mut Vec<u8>) {
        match self {
            Some(value) => value.put(row),
            None => row.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }
}

impl Column for Amount {
    const TYPE: &'static str = "numeric";
    /// Digits of base 10,000, the highest first, without zeros at the end; their count, the highest one's power, sign and scale.
    fn put(&self, row: &mut Vec<u8>) {
        // 2^256 has 78 decimal digits, so 20 of these.
        let mut digits = [0_u16; 20];
        let mut count = 0;
        let mut push = |mut word: u64, least: usize| {
            let mut taken = 0;
            while word != 0 || taken < least {
                digits[count] = (word % NUMERIC_BASE) as u16;
                word /= NUMERIC_BASE;
                count += 1;
                taken += 1;
            }
        };
        // Sixteen decimal digits at a time: most amounts are two such words, and one division apart.
        const WORD: u128 = 10_000_000_000_000_000;
        match u128::try_from(self.0) {
            Ok(mut rest) => {
                while rest >= WORD {
                    push((rest % WORD) as u64, 4);
                    rest /= WORD;
                }
                push(rest as u64, 0);
            }
            Err(_) => {
                let (mut rest, word) = (self.0, U256::from(WORD));
                while rest >= word {
                    let (quotient, remainder) = rest.div_rem(word);
                    push(remainder.to::<u64>(), 4);
                    rest = quotient;
                }
                push(rest.to::<u64>(), 0);
            }
        }
        let low = digits[..count].iter().take_while(|d| **d == 0).count();
        let kept = if count == 0 { &[][..] } else { &digits[low..count] };
        row.extend_from_slice(&((8 + 2 * kept.len()) as i32).to_be_bytes());
        row.extend_from_slice(&(kept.len() as i16).to_be_bytes());
        row.extend_from_slice(&(count as i16 - i16::from(count != 0)).to_be_bytes());
        row.extend_from_slice(&[0; 4]);
        for digit in kept.iter().rev() {
            row.extend_from_slice(&digit.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sqlx::{Connection, PgPool};

    use super::*;

    #[sqlx::test(migrations = false)]
    async fn postgres_reads_what_is_written(pool: PgPool) {
        let mut connection = pool.acquire().await.unwrap();
        sqlx::query(
            "CREATE TABLE t (n numeric(78,0), s text, b bytea, l bytea[], x boolean, i bigint, j integer, k smallint)",
        )
        .execute(&mut *connection)
        .await
        .unwrap();
        let mut amounts: Vec<U256> = vec![U256::ZERO, U256::ONE, U256::MAX, U256::from(u128::MAX)];
        for power in 0..78_u64 {
            let ten = U256::from(10).pow(U256::from(power));
            amounts.extend([ten, ten - U256::ONE, ten * U256::from(7) / U256::from(3)]);
        }
        let mut rows = Rows::default();
        for amount in &amounts {
            let row = rows.begin(8);
            Amount(*amount).put(row);
            "a\0ü".put(row);
            (&[0_u8, 255][..]).put(row);
            (&[B256::repeat_byte(1), B256::repeat_byte(2)][..]).put(row);
            true.put(row);
            i64::MIN.put(row);
            Some(-7_i32).put(row);
            None::<i16>.put(row);
        }
        rows.copy(&mut connection, "COPY t FROM STDIN (FORMAT binary)").await.unwrap();
        let read: Vec<String> =
            sqlx::query_scalar("SELECT n::text FROM t ORDER BY ctid").fetch_all(&mut *connection).await.unwrap();
        assert_eq!(read, amounts.iter().map(U256::to_string).collect::<Vec<_>>());
        let odd: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM t WHERE s IS DISTINCT FROM 'a\u{FFFD}ü' OR b <> '\\x00ff' OR NOT x OR i <> -9223372036854775808
                OR j <> -7 OR k IS NOT NULL OR l <> ARRAY[decode(repeat('01', 32), 'hex'), decode(repeat('02', 32), 'hex')]
                OR n <> n::text::numeric",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        assert_eq!(odd, 0);
        // An error leaves the connection usable.
        let mut short = Rows::default();
        Amount::ZERO.put(short.begin(1));
        assert!(short.copy(&mut connection, "COPY t FROM STDIN (FORMAT binary)").await.is_err());
        connection.ping().await.unwrap();
    }

    proptest! {
        #[test]
        fn numerics_are_canonical(words: [u64; 4], shift in 0_usize..256) {
            let amount = U256::from_limbs(words) >> shift;
            let mut bytes = Vec::new();
            Amount(amount).put(&mut bytes);
            let word = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
            let (count, weight) = (word(4) as usize, word(6));
            prop_assert_eq!(bytes.len(), 12 + 2 * count);
            let digits: Vec<i16> = (0..count).map(|i| word(12 + 2 * i)).collect();
            prop_assert!(digits.iter().all(|d| (0..10_000).contains(d)));
            prop_assert!(digits.first().is_none_or(|d| *d != 0) && digits.last().is_none_or(|d| *d != 0));
            let mut value = U256::ZERO;
            for (index, digit) in digits.iter().enumerate() {
                let power = weight as usize - index;
                value += U256::from(*digit) * U256::from(10_000).pow(U256::from(power));
            }
            prop_assert_eq!(value, amount);
        }
    }
}
