//! Words that every module shares: amounts, addresses and hashes as the database and JSON write them, blocks and events.
//! A leaf: no I/O, nothing of this crate is used here but the contract bindings' enums.

mod amount;
mod bytes;
mod event;
mod finality;

pub use amount::{Amount, AmountError};
pub use bytes::{Addr, Hash32};
pub use event::{Block, Event, EventLog, Log, NewPhase, NewSale, NewTap, NewVesting, OutcomeKind, RoleChange};
pub use finality::{Finality, Tips};
