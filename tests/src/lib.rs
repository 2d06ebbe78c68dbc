//! The harness of the end-to-end tests: a real anvil, a database of its own on a real Postgres, the real binary, and
//! [`World::agree`], which compares contracts, logs, database and API to the wei at one quiet block.
//!
//! Beside it a [`Stage`]: a node of our own that misbehaves on command ([`peer`]), a chain of sales that knows what they come to
//! ([`story`]), the indexer's loop in this process ([`Local`]), a way to Postgres that breaks ([`Proxy`]), and
//! [`Stage::agree`], which compares with a fresh index and with the chain's own ledger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]
#![allow(clippy::print_stderr, reason = "what a failed test shows")]

mod agree;
mod api;
mod chain;
mod clients;
mod compare;
mod database;
mod desk;
mod gate;
mod local;
mod oracle;
/// A node that misbehaves.
pub mod peer;
mod process;
mod proxy;
mod random;
mod sale;
mod stage;
/// What happens on its chain.
pub mod story;
mod upgrade;
mod views;
mod world;

pub use api::Api;
pub use chain::{Call, Chain};
pub use clients::{Client, ClientNode};
pub use compare::{Difference, compare};
pub use database::{Checkpoint, Database, Held, Template};
pub use desk::{Desk, DeskFlags, api_key, history};
pub use gate::{Fate, Gate};
pub use local::Local;
pub use oracle::{mistakes, rest};
pub use process::{Flags, Indexer, binary, index_once, reconcile};
pub use proxy::Proxy;
pub use random::Random;
pub use sale::{DevDollar, Draft, Sale, emitter_of_anything, ether};
pub use stage::Stage;
pub use world::{World, deploy_factory};

use std::time::{Duration, Instant};

/// Longest that anything is waited for; far above what it takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within [`PATIENCE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
