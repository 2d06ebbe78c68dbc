//! The loop: chain -> decode -> apply. Transient errors are tried again, fatal ones stop it.
//!
//! Up to the node's `finalized` block, ranges are read, several at the same time; above it, each block by its hash. Before every step
//! the stored tip is compared with the canonical block of its height, so a reorg is found by hash alone, in each of its shapes: another
//! block at the tip, another branch below it, a chain that went back.

mod backfill;
mod follow;
pub mod holders;
mod openings;
mod progress;
mod reindex;
mod rewind;
mod wake;

pub use follow::{Follower, Step};
pub use progress::Backfill;
pub use reindex::{Reindexed, reindex};
pub use rewind::{Rewound, rewind};

use std::time::Duration;

use alloy::primitives::Address;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    apply::warm_up,
    chain::{Chain, ChainError},
    db::{
        DbError, Place, Writer,
        chains::{self, ChainIdentity},
        switch::Compared,
    },
    telemetry::metric,
};
use reindex::{Acquired, Beside};
use wake::Wake;

/// What the loop follows, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The factory whose sales are followed.
    pub factory: Address,
    /// First block that can hold its events.
    pub start_block: u64,
    /// Time between two looks at the head.
    pub poll: Duration,
    /// Most blocks in one request of a backfill; halved on errors.
    pub max_range: u64,
    /// Requests of a backfill at the same time: few for a node of one's own, more for one that is far away.
    pub fetchers: usize,
    /// Most events that one transaction of a backfill writes. More touch a position's row less often, and cost memory.
    pub batch_events: u64,
    /// How long a node may be behind the stored tip before that counts as a chain that went back.
    pub behind_grace: Duration,
    /// How long what listeners are told is kept for those that come back.
    pub keep_told: Duration,
    /// Told how far a backfill is.
    pub progress: Option<watch::Sender<Backfill>>,
}

/// Why the loop stopped or a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The chain contradicts a finalized block. Latched in the database; a person must decide.
    #[error("indexing of chain {chain_id} is halted: {reason}")]
    Halted {
        /// The chain.
        chain_id: i64,
        /// What happened.
        reason: String,
    },
    /// The chain was indexed anew, and what came out differs from the live tables in what is final. Nothing was switched.
    #[error(
        "chain {} indexed anew differs from the live tables from block {} on, which is final", .0.chain_id, .0.differs_from.unwrap_or(0)
    )]
    Differs(Compared),
}

impl SyncError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Chain(e) => e.is_transient(),
            Self::Db(e) => e.is_transient(),
            Self::Halted { .. } | Self::Differs(_) => false,
        }
    }
}

/// Longest pause between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// Pause between two tries to become the writer of a chain that another process writes.
const STANDBY: Duration = Duration::from_secs(1);

/// Follows the chain until `shutdown`, then returns. Another process that writes the same chain makes this one stand by.
///
/// # Errors
/// Fatal ones only: a wrong chain or database, a newer schema, a halt. Everything else is tried again with growing pauses.
pub async fn run(
    chain: &Chain,
    database: &PgConnectOptions,
    options: &Options,
    shutdown: &CancellationToken,
) -> Result<(), SyncError> {
    run_at(chain, database, options, None, shutdown).await
}

/// [`run`]; with `beside` until what was filled there has become live, too.
async fn run_at(
    chain: &Chain,
    database: &PgConnectOptions,
    options: &Options,
    mut beside: Option<&mut Beside>,
    shutdown: &CancellationToken,
) -> Result<(), SyncError> {
    let mut backoff = options.poll;
    let mut standing_by = false;
    while !shutdown.is_cancelled() {
        let acquired = match &mut beside {
            Some(beside) => beside.acquire(database, chain.chain_id() as i64).await,
            None => Writer::acquire(database, chain.chain_id() as i64, Place::Live).await.map(Acquired::from),
        };
        let pause = match acquired {
            Ok(Acquired::Writer(writer)) => {
                standing_by = false;
                match follow(chain, *writer, options, beside.as_deref_mut(), shutdown, &mut backoff).await {
                    Ok(()) => break,
                    Err(error) if error.is_transient() => retry(chain, &error, &mut backoff).await,
                    Err(error) => return Err(error),
                }
            }
            Ok(Acquired::Over) => break,
            Ok(Acquired::Busy) => {
                if !standing_by {
                    info!(chain_id = chain.chain_id(), "another process indexes this chain: standing by");
                    standing_by = true;
                }
                STANDBY
            }
            Err(error) if error.is_transient() => retry(chain, &error.into(), &mut backoff).await,
            Err(error) => return Err(error.into()),
        };
        sleep(pause, shutdown).await;
    }
    Ok(())
}

/// Steps with one writer. Errors of the node are retried here; an error of the database ends the writer, as its connection
/// and with it the lock may be gone, and what the database holds is read again by the next.
async fn follow(
    chain: &Chain,
    mut writer: Writer,
    options: &Options,
    mut beside: Option<&mut Beside>,
    shutdown: &CancellationToken,
    backoff: &mut Duration,
) -> Result<(), SyncError> {
    let identity = ChainIdentity {
        chain_id: chain.chain_id() as i64,
        genesis_hash: chain.genesis_hash().into(),
        factory: options.factory.into(),
        start_block: options.start_block as i64,
    };
    chains::register(&mut writer, identity).await?;
    warm_up(&mut writer).await?;
    let mut follower = Follower::resume(writer, options).await?;
    let mut wake = Wake::new(chain.node());
    while !shutdown.is_cancelled() {
        let node = chain.node();
        let step = tokio::select! {
            step = follower.step(&node) => step,
            // What was not committed is rolled back with the connection.
            () = shutdown.cancelled() => return Ok(()),
        };
        match step {
            Ok(step) => {
                *backoff = options.poll;
                follower.tidy().await?;
                if let Some(beside) = &mut beside
                    && beside.attempt(follower.writer()).await?
                {
                    return Ok(());
                }
                if matches!(step, Step::Idle | Step::Moved) {
                    wake.or_after(options.poll, shutdown).await;
                }
            }
            Err(SyncError::Chain(error)) if error.is_transient() => {
                follower.reload().await?;
                let pause = retry(chain, &error.into(), backoff).await;
                sleep(pause, shutdown).await;
                wake = Wake::new(chain.node());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn retry(chain: &Chain, error: &SyncError, backoff: &mut Duration) -> Duration {
    let pause = *backoff;
    warn!(chain_id = chain.chain_id(), %error, pause_ms = pause.as_millis() as u64, "trying again");
    metrics::counter!(metric::RETRIES, "chain_id" => chain.chain_id().to_string()).increment(1);
    chain.rotate().await;
    *backoff = (pause * 2).min(MAX_BACKOFF);
    pause
}

async fn sleep(pause: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = shutdown.cancelled() => {}
    }
}
