//! Webhooks: messages that are signed and sent to an address, until they have arrived or are given up. By Standard Webhooks 1.0.0.
//!
//! ```text
//! outbox -> webhook_delivery      `api::live` adds the messages and moves the cursor, in one transaction
//! webhook_delivery -> receiver    `deliver` takes what is due, signs it (`sign`), sends it (`send`), notes what came of it
//! ```
//!
//! A message is sent at least once, always with the same id and the same bytes. Where it goes is checked when a webhook is made and
//! again for every attempt, on the very addresses that are connected to (`target`).

mod acts;
mod deliver;
mod events;
mod schedule;
mod send;
mod sign;
mod target;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::sync::Notify;

pub use acts::{
    Created, Filter, MAX_OVERLAP, MAX_SECRETS, MAX_WEBHOOKS, REPLAYED_AT_ONCE, Terms, WebhookError, create, remove,
    replay, replay_dead, rotate, send_test, update,
};
pub use deliver::run;
pub use events::{RESET, TEST, hears, is_known};
pub use schedule::Schedule;
pub use sign::SigningSecret;
pub use target::{Guard, Resolver, SystemResolver, Target, TargetError};

use crate::seal::Sealer;

/// Largest body of a message, bytes.
pub const MAX_BODY: usize = 20_000;

/// What an operator can set.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a message is sent again.
    pub schedule: Schedule,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for an attempt, until the answer's head.
    pub timeout: Duration,
    /// Most attempts at once to one webhook; one, where the last has failed.
    pub each: usize,
    /// Most attempts at once.
    pub most: usize,
    /// How long what is due may stay unknown, if nobody says that there is something.
    pub poll: Duration,
    /// Messages that may wait for a webhook. The events beyond stay where they are, and are told when there is room.
    pub waiting: i64,
    /// How long messages are kept that were delivered.
    pub keep_delivered: Duration,
    /// How long those are kept that were given up.
    pub keep_dead: Duration,
}

impl Default for Options {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            schedule: Schedule::default(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            each: 8,
            most: 256,
            poll: Duration::from_secs(1),
            waiting: 5_000,
            keep_delivered: Duration::from_secs(7 * DAY),
            keep_dead: Duration::from_secs(30 * DAY),
        }
    }
}

/// What webhooks work with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    sealer: Arc<Sealer>,
    guard: Guard,
    options: Options,
    wake: Notify,
}

impl Webhooks {
    /// Reads and writes through `pool`, opens secrets with `sealer`, and sends where `guard` lets it.
    pub fn new(pool: PgPool, sealer: Arc<Sealer>, guard: Guard, options: Options) -> Self {
        Self(Arc::new(Shared { pool, sealer, guard, options, wake: Notify::new() }))
    }

    /// Connections for messages and cursors.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// Where messages may go.
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// What the operator set.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Says that something may be due.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }
}

/// The `webhook-id` of what the parts name: the same for the same parts, and of no others.
pub fn message_id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    format!("msg_{}", alloy::primitives::hex::encode(&digest.finalize()[..16]))
}
