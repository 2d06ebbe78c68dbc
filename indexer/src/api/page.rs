//! Pages and their opaque cursors.
//!
//! A cursor is the place of the last row of a page: its block, with the hash it had, its log index, and the row's key where the
//! list is not in the order of blocks. It also carries a digest of the query it came from, so that it goes on in no other list.
//! It is not signed: whoever makes one up gets a page that could be asked for anyway.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    extract::Parameter,
    problem::{Code, Fault, Problem},
};
use crate::types::Hash32;

/// Layout of the bytes below; another is refused.
const VERSION: u8 = 1;
/// Version, digest of the query, chain id, block number, block hash, log index.
const HEAD: usize = 1 + 8 + 8 + 8 + 32 + 4;

/// What a list is narrowed to and sorted by, as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryDigest([u8; 8]);

impl QueryDigest {
    /// Of a list and everything that decides which rows it has, in which order. Not of `limit`, which may change between pages.
    pub fn new(list: &str, conditions: &impl std::fmt::Debug) -> Self {
        let digest = Sha256::digest(format!("{list} {conditions:?}"));
        let mut short = [0; 8];
        short.copy_from_slice(&digest[..8]);
        Self(short)
    }
}

/// The place of a row in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The query it goes on in.
    pub query: QueryDigest,
    /// Chain of the row's block.
    pub chain_id: i64,
    /// Height of the row's block.
    pub block_number: i64,
    /// Its hash when the row was read.
    pub block_hash: Hash32,
    /// Log index of the row's event.
    pub log_index: i32,
    /// The row's own key, where its list is not in the order of blocks.
    pub key: Vec<u8>,
}

impl Cursor {
    /// As the client sees it.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + self.key.len());
        bytes.push(VERSION);
        bytes.extend(self.query.0);
        bytes.extend(self.chain_id.to_be_bytes());
        bytes.extend(self.block_number.to_be_bytes());
        bytes.extend(self.block_hash.0);
        bytes.extend(self.log_index.to_be_bytes());
        bytes.extend(&self.key);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        // Longer than any key: an amount of 80 digits and an address.
        if text.len() > 512 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, key) = bytes.split_at_checked(HEAD)?;
        let (version, head) = head.split_first()?;
        let (query, head) = head.split_first_chunk()?;
        let (chain_id, head) = head.split_first_chunk()?;
        let (block_number, head) = head.split_first_chunk()?;
        let (hash, log_index) = head.split_first_chunk::<32>()?;
        (*version == VERSION).then_some(Self {
            query: QueryDigest(*query),
            chain_id: i64::from_be_bytes(*chain_id),
            block_number: i64::from_be_bytes(*block_number),
            block_hash: Hash32((*hash).into()),
            log_index: i32::from_be_bytes(log_index.try_into().ok()?),
            key: key.to_vec(),
        })
    }

    /// This cursor, if it came from `query`.
    pub fn of(self, query: QueryDigest) -> Result<Self, Problem> {
        if self.query == query {
            return Ok(self);
        }
        let detail = "came from a query with another path, filter or order".to_owned();
        Err(Problem::faults(Code::CursorMismatch, vec![Fault { pointer: "/query/cursor".to_owned(), detail }]))
    }

    /// The problem of a cursor whose key does not belong to its list.
    pub fn invalid() -> Problem {
        let detail = "is not a cursor of this service".to_owned();
        Problem::faults(Code::CursorInvalid, vec![Fault { pointer: "/query/cursor".to_owned(), detail }])
    }
}

impl Parameter for Cursor {
    fn parse(text: &str) -> Result<Self, String> {
        Self::decode(text).ok_or_else(|| "is not a cursor of this service".to_owned())
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T, M> {
    /// The rows.
    pub data: Vec<T>,
    /// How current they are. All rows are of one snapshot of the database.
    pub meta: M,
    /// Give it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Cuts the one row too many that was read to see whether there is a next page, and makes its cursor.
pub fn cut<T>(rows: &mut Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> Cursor) -> Option<String> {
    cut_after(rows, limit, cursor).map(|cursor| cursor.encode())
}

/// The same for a list that goes on behind a row: what names the last one, where there are more.
pub fn cut_after<T, N>(rows: &mut Vec<T>, limit: i64, name: impl FnOnce(&T) -> N) -> Option<N> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(query: QueryDigest, number: i64, key: Vec<u8>) -> Cursor {
        Cursor { query, chain_id: 1, block_number: number, block_hash: Hash32([7; 32].into()), log_index: 3, key }
    }

    #[test]
    fn a_cursor_belongs_to_its_query() {
        let [one, other] = [1, 2].map(|n| QueryDigest::new("sales", &n));
        assert!(cursor(one, 1, vec![]).of(one).is_ok());
        assert_eq!(cursor(one, 1, vec![]).of(other).unwrap_err().code(), Code::CursorMismatch);
    }

    #[test]
    fn another_version_is_refused() {
        let text = cursor(QueryDigest::new("sales", &1), 1, vec![]).encode();
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        bytes[0] = 2;
        assert!(Cursor::parse(&text).is_ok());
        assert!(Cursor::parse(&URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number: i64, key in proptest::collection::vec(any::<u8>(), 0..100)) {
            let cursor = cursor(QueryDigest::new("sales", &1), number, key);
            prop_assert_eq!(Cursor::parse(&cursor.encode()).unwrap(), cursor);
        }

        #[test]
        fn nothing_else_breaks_it(text in ".{0,300}") {
            let _ = Cursor::parse(&text);
        }
    }
}
