//! A JSON-RPC peer of our own that misbehaves on command: a chain in memory with all its branches, and every fault that nodes
//! and their providers were seen to have (`docs/failure-modes.md`).
//!
//! One HTTP exchange is answered by one node: with several behind the URL, two requests can meet two of them, the two parts of
//! a batch cannot.

mod answers;
mod core;
mod faults;
mod json;
mod server;
mod socket;
mod tree;

pub use self::core::{Core, Director};
pub use faults::{Beyond, Fault, Faults, LIMIT_MESSAGES, Limit, Unknown};
pub use server::{Mask, Peer};
pub use socket::Socket;
pub use tree::{Block, BlockLog, Finality, Tree, View};
