//! What happens on a chain of our own: sales, told in the real events of all contracts, and a ledger that says what an index of
//! them must come to.
//!
//! The ledger belongs to a block: every branch has its own. What it counts is worked out here a second time, by other means than
//! the triggers in Postgres.

mod author;
mod created;
mod figures;
mod ledger;
mod money;
mod noise;
mod roles;
mod teller;

pub use author::Author;
pub use created::SaleDraft;
pub use figures::{Position, Totals};
pub use ledger::{Book, Ledger, Mode, Outcome, Token};
pub use noise::Noise;
pub use teller::Teller;

use alloy::primitives::{Address, LogData};

/// A log as a contract emits it.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The contract.
    pub address: Address,
    /// Topics and data.
    pub data: LogData,
}

/// The factory of all stories.
pub const FACTORY: Address = Address::repeat_byte(0xfa);
