//! Orders: contributions that are sent for a caller and followed until nothing about them changes any more.
//!
//! ```text
//! request -> checked -> one transaction { nonce, signed bytes, order, answer } -> sent -> in a block -> final
//! ```
//!
//! What can be spent is decided in that one transaction. Nothing is sent before it is committed, and what is sent afterwards are the
//! bytes that it holds: again after a crash, as often as need be. Another transaction of an order, that pays more or cancels it, is
//! signed for the same nonce and stored before it is sent. Of all that share a nonce, a chain takes one.

mod error;
mod fees;
mod line;
mod look;
mod more;
mod place;
mod prepare;
mod raw;
mod signer;
mod spent;
mod track;
mod worker;

pub use error::OrderError;
pub use more::{GivenUp, More, Why, add as add_transaction};
pub use place::{Placing, place};
pub use prepare::{Intent, Prepared, SaleFacts, prepare_intent, prepare_raw};
pub use raw::{Decoded, MAX_RAW, RawFault, decode};
pub use signer::Signer;
pub use worker::run;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use alloy::primitives::{Address, U256};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// What an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderOptions {
    /// Most base units of one order of the operator's signer, by currency; no limit for others.
    pub most: HashMap<Address, U256>,
    /// Most base units of all such orders of a key within 24 hours, on one chain, by currency; no limit for others.
    pub most_a_day: HashMap<Address, U256>,
    /// Sales that the operator's signer contributes to, by chain; to any that is followed, where there are none.
    pub sales: HashSet<(u64, Address)>,
    /// Wei of a unit of gas that no transaction of the operator's signer pays beyond, whatever a node says that blocks ask for.
    pub max_fee: u128,
    /// Blocks after which an order of the operator's signer that is in none is cancelled, so that those behind it go on. One that has a
    /// limit of its own and holds up nobody is not.
    pub patience: u64,
    /// Blocks that may pass over one that is next in line and may not pay what they ask for, before it is cancelled if others wait.
    pub cap_patience: u64,
    /// Blocks after which one that pays too little is signed again for more.
    pub bump_after: u64,
    /// Blocks that one which came signed has to be unknown for before it counts as expired.
    pub expiry: u64,
}

impl Default for OrderOptions {
    fn default() -> Self {
        // 1,000 gwei: Ethereum asks for more only in the rush of a few minutes. Half an hour, two minutes, one minute and a day, of
        // twelve seconds a block.
        Self {
            most: HashMap::new(),
            most_a_day: HashMap::new(),
            sales: HashSet::new(),
            max_fee: 1_000 * GWEI,
            patience: 150,
            cap_patience: 10,
            bump_after: 5,
            expiry: 7_200,
        }
    }
}

impl OrderOptions {
    /// Wei of a unit of gas that an order pays at most: an eighth less than [`Self::max_fee`], and one. A transaction that cancels it has to
    /// pay so much more, and never pays beyond that either.
    pub fn max_fee_of_order(&self) -> u128 {
        let left = self.max_fee.saturating_sub(1);
        // Eight ninths; in two parts, as eight times the whole may be too large.
        left / 9 * 8 + left % 9 * 8 / 9
    }
}

/// Wei of a gwei.
pub const GWEI: u128 = 1_000_000_000;

/// What is said of an order of the operator's that waits for cheaper blocks.
pub const WAITS_FOR_FEES: &str = "blocks ask for more for a unit of gas than the operator lets an order pay";

/// Blocks that a transaction has to be unknown for before it counts as dropped.
pub const DROP_AFTER: u64 = 5;

/// Orders that are taken at once: each holds a connection while the node is asked.
pub const AT_ONCE: usize = 4;

/// Who signs orders, and how they are followed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Orders(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    signer: Option<Signer>,
    options: OrderOptions,
    fresh: Notify,
    turns: Semaphore,
    /// What was logged, and is looked at again and again.
    told: Mutex<HashSet<String>>,
}

impl Orders {
    /// Signs with `signer`, where there is one.
    pub fn new(signer: Option<Signer>, options: OrderOptions) -> Self {
        let (fresh, turns, told) = (Notify::new(), Semaphore::new(AT_ONCE), Mutex::default());
        Self(Arc::new(Shared { signer, options, fresh, turns, told }))
    }

    /// The operator's signer.
    pub fn signer(&self) -> Option<&Signer> {
        self.0.signer.as_ref()
    }

    /// What the operator set.
    pub fn options(&self) -> &OrderOptions {
        &self.0.options
    }

    /// Waits until fewer than [`AT_ONCE`] others ask a node.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.turns.acquire().await.ok()
    }

    /// Whether this is said for the first time.
    fn is_first_time(&self, what: &str) -> bool {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned())
    }

    /// There is something to be sent: looked at at once, if it is this process that sends.
    pub fn wake(&self) {
        self.0.fresh.notify_waiters();
    }
}
