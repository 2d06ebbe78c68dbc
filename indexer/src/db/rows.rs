//! Columns under construction: bulk inserts send one array a column, never a row at a time.

use crate::types::{Addr, Hash32, Log};

/// The columns every event table begins with.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub blocks: Vec<i64>,
    pub indexes: Vec<i32>,
    pub transactions: Vec<Hash32>,
    /// The sale that the event belongs to; for a factory's or an undecodable log, its emitter.
    pub sales: Vec<Addr>,
}

impl Head {
    pub fn push(&mut self, log: &Log, sale: Addr) {
        self.blocks.push(log.block_number as i64);
        self.indexes.push(log.log_index as i32);
        self.transactions.push(log.transaction_hash.into());
        self.sales.push(sale);
    }

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// A text as Postgres can hold it. Token and sale names are anybody's: NUL bytes become U+FFFD, as broken UTF-8 did when it
/// was decoded. The bytes as emitted are kept beside it.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nul_bytes_do_not_reach_postgres() {
        assert_eq!(super::clean("a\0b"), "a\u{FFFD}b");
    }
}
