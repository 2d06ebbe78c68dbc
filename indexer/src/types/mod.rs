//! Words that every module shares: amounts, addresses and hashes as the database and JSON write them, blocks and events.
//! A leaf: no I/O, nothing of this crate is used here but the contract bindings' enums.

pub mod address;
mod amount;
mod bytes;
pub mod clock;
mod event;
mod finality;
mod text;
pub mod units;

pub use amount::{Amount, AmountError};
pub use bytes::{Addr, Hash32};
pub use event::{Block, Event, EventLog, Log, NewPhase, NewSale, NewTap, NewVesting, OutcomeKind, RoleChange};
pub use finality::{Finality, Tips};
pub use text::upright;
