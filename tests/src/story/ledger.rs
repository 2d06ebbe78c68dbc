//! What the contracts' storage would hold after a block.

use std::{collections::BTreeMap, sync::Arc};

use alloy::{
    primitives::{Address, Bytes, U256, aliases::U512},
    sol_types::SolEvent,
};

use super::{Emitted, FACTORY, Position, Totals};

/// How a sale prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By phase; what was bought stands.
    #[default]
    FixedPrice,
    /// All get the same share.
    ProRata,
    /// All pay the clearing price.
    DutchAuction,
}

/// The latched end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens.
    Succeeded,
    /// Money back.
    Failed,
    /// The same, by the owner.
    Cancelled,
}

/// What a token's contract answers when it is called.
#[derive(Clone, Debug, Default)]
pub struct Token {
    /// To `symbol()`; `None` reverts.
    pub symbol: Option<Bytes>,
    /// To `name()`.
    pub name: Option<Bytes>,
    /// To `decimals()`.
    pub decimals: Option<Bytes>,
}

/// One sale.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The sale.
    pub address: Address,
    /// Its vault.
    pub vault: Address,
    /// The wallets of its team.
    pub wallets: Vec<Address>,
    /// What is sold.
    pub token: Address,
    /// Whether that token is one of the factory's restricted ones.
    pub restricted: bool,
    /// How it prices.
    pub mode: Mode,
    /// Most that it keeps.
    pub hard_cap: U256,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether objections stopped the payments.
    pub stopped: bool,
    /// `PauseChanged` comes in turns.
    pub paused: bool,
    /// Signers so far.
    pub epoch: u64,
    /// Whitepapers so far.
    pub version: u64,
    /// What `sale_total` must say.
    pub totals: Totals,
    /// What `position` must say, by investor.
    pub positions: BTreeMap<Address, Position>,
}

/// All sales and tokens after a block.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Sales by address.
    pub sales: BTreeMap<Address, Arc<Book>>,
    /// Contracts that answer calls.
    pub tokens: BTreeMap<Address, Arc<Token>>,
    /// How many rows each event table must have.
    pub rows: BTreeMap<&'static str, u64>,
    /// Contracts created so far: the next one's address depends on it, as with a real account's nonce.
    pub created: u64,
}

impl Ledger {
    /// A sale, to be changed.
    pub fn book(&mut self, sale: Address) -> &mut Book {
        Arc::make_mut(self.sales.get_mut(&sale).expect("a sale of this branch"))
    }

    /// What `sale_total` must hold, a line a sale.
    pub fn total_lines(&self) -> Vec<String> {
        let line = |book: &Arc<Book>| format!("{:x} {}", book.address, book.totals.values().join(" "));
        self.sales.values().map(line).collect()
    }

    /// What `position` must hold, a line each.
    pub fn position_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for book in self.sales.values() {
            for (investor, position) in &book.positions {
                lines.push(format!("{:x} {investor:x} {}", book.address, position.values().join(" ")));
            }
        }
        lines
    }

    /// A row that an event adds to a table.
    pub(super) fn count(&mut self, table: &'static str) {
        *self.rows.entry(table).or_default() += 1;
    }

    /// An event of the factory.
    pub(super) fn by_factory(&mut self, table: &'static str, event: &impl SolEvent) -> Emitted {
        self.by(FACTORY, table, event)
    }

    /// An event of a contract, which adds a row to a table.
    pub(super) fn by(&mut self, address: Address, table: &'static str, event: &impl SolEvent) -> Emitted {
        self.count(table);
        Emitted { address, data: event.encode_log_data() }
    }
}

/// As an event can carry it: a sum that no longer fits a word stays at its largest.
pub(super) fn word(value: U512) -> U256 {
    U256::saturating_from(value)
}

/// As the ledger counts.
pub(super) fn wide(value: U256) -> U512 {
    U512::from(value)
}
