//! Server-sent events: what happens in a sale or to a wallet, as it is committed.
//!
//! One task hears the database's notifications, reads what is new once for all, and passes it to every listener. A listener that comes
//! back with `Last-Event-ID`, or could not keep up, reads from the database from where it was. Either way it is told the same. `fan_out`
//! makes of the same what webhooks are sent.

mod fan_out;
mod hub;
mod message;
mod reading;
mod stream;

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sqlx::{PgConnection, PgPool, postgres::PgListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        auth::counted,
        problem::{Code, Problem},
    },
    db::{
        DbError, Snapshots, outbox,
        read::feed::{self, Audience, Position},
    },
    shares::{Share, Shares},
};
pub use fan_out::fan_out;
use hub::Hub;
use message::Message;
pub use message::{FeedOut, StreamEvent};
use reading::{Reading, read};
pub use stream::{__path_listen_to_sale, __path_listen_to_wallet, listen_to_sale, listen_to_wallet};

/// How long what is new may stay unknown if no notification comes: a pooler between can swallow them.
const POLL: Duration = Duration::from_secs(1);
/// Most events of one reading for all; of more, everybody reads their own.
const AT_ONCE: i64 = 2_000;

/// What is new on a chain.
#[derive(Debug)]
struct Batch {
    chain_id: i64,
    /// What it begins behind.
    from: Position,
    /// What it ends behind.
    to: Position,
    /// `None` where it is too much for all to hear.
    messages: Option<Vec<Message>>,
}

/// Longest that a reading may take, for all or for one: the database ends a query sooner.
const READING: Duration = Duration::from_secs(15);
/// Listeners that read from the database at a time.
const CATCHING_UP: usize = 4;

/// What a listener holds.
#[derive(Debug)]
struct Place {
    _share: Option<Share<IpAddr>>,
    _permit: OwnedSemaphorePermit,
}

/// Passes on what is new. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    hub: Hub,
    /// The newest entry that was passed on, chain by chain.
    newest: RwLock<HashMap<i64, i64>>,
    listeners: Arc<Semaphore>,
    shares: Option<Arc<Shares<IpAddr>>>,
    catching_up: Semaphore,
    closed: CancellationToken,
}

impl Live {
    /// For so many listeners at most, and of them so many of one address.
    pub fn new(listeners: usize, of_one_address: Option<NonZeroUsize>) -> Self {
        Self(Arc::new(Shared {
            hub: Hub::new(),
            newest: RwLock::default(),
            listeners: Arc::new(Semaphore::new(listeners)),
            shares: of_one_address.map(Shares::new),
            catching_up: Semaphore::new(CATCHING_UP),
            closed: CancellationToken::new(),
        }))
    }

    /// Hears and passes on until `shutdown`; then every stream ends.
    pub async fn run(&self, pool: PgPool, shutdown: CancellationToken) {
        let following = async {
            loop {
                if let Err(error) = self.follow(&pool).await {
                    tracing::warn!(%error, "what is new cannot be read: trying again");
                    tokio::time::sleep(POLL).await;
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = following => {}
        }
        // Whoever comes later finds it closed.
        self.0.closed.cancel();
        self.0.hub.close();
    }

    async fn follow(&self, pool: &PgPool) -> Result<(), DbError> {
        // A connection of its own: it waits all the time, and the pool's are for answers.
        let mut listener = PgListener::connect_with(&single(pool)).await.map_err(DbError::Connect)?;
        listener.listen(outbox::CHANNEL).await?;
        let mut snapshots = limited(Snapshots::connect(pool)).await?;
        loop {
            let reading = async {
                let Some(snapshot) = snapshots.begin().await? else { return Ok(false) };
                self.pass_on(snapshot).await?;
                snapshots.end().await?;
                Ok(true)
            };
            if !limited(reading).await? {
                return Ok(());
            }
            // Several that came meanwhile are one.
            match tokio::time::timeout(POLL, listener.try_recv()).await {
                Ok(Ok(Some(_))) | Err(_) => {}
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Reads what is new of every chain. The connection is in a snapshot.
    async fn pass_on(&self, snapshot: &mut PgConnection) -> Result<(), DbError> {
        for ends in feed::ends(snapshot).await? {
            let feed::Ends { chain_id, newest, .. } = ends;
            let known = self.newest(chain_id);
            let is_there = |known: &i64| *known <= newest && !ends.has_forgotten(Position::behind(*known));
            let Some(known) = known.filter(is_there) else {
                // The first time, or another database, or it slept for long: who was told before starts over.
                self.set_newest(chain_id, newest);
                continue;
            };
            let mut reading = Reading::behind(chain_id, Position::behind(known));
            let from = reading.position();
            let mut messages = Vec::new();
            while !reading.is_at(newest) {
                let more = read(snapshot, &mut reading, Audience::default(), newest, AT_ONCE).await?;
                if messages.len() + more.len() > AT_ONCE as usize {
                    messages.clear();
                    reading.skip_to(newest);
                    break;
                }
                messages.extend(more);
            }
            if known != newest {
                let whole = reading.is_whole();
                let to = Position::behind(newest);
                let batch = Batch { chain_id, from, to, messages: whole.then_some(messages) };
                self.0.hub.tell(&Arc::new(batch));
                self.set_newest(chain_id, newest);
            }
        }
        Ok(())
    }

    fn newest(&self, chain_id: i64) -> Option<i64> {
        self.0.newest.read().unwrap_or_else(PoisonError::into_inner).get(&chain_id).copied()
    }

    fn set_newest(&self, chain_id: i64, seq: i64) {
        self.0.newest.write().unwrap_or_else(PoisonError::into_inner).insert(chain_id, seq);
    }

    fn subscribe(&self) -> mpsc::Receiver<Arc<Batch>> {
        self.0.hub.subscribe()
    }

    async fn news(&self) {
        self.0.hub.news().await;
    }

    /// A listener's place, for as long as it listens.
    fn place(&self, address: Option<IpAddr>) -> Result<Place, Problem> {
        let share = match (&self.0.shares, address) {
            (Some(shares), Some(address)) => Some(shares.take(counted(address)).ok_or_else(|| {
                let detail = format!(
                    "this address has {} streams, as many as it may: end some, listen to a wallet rather than to each of its sales, or have webhooks sent",
                    shares.most()
                );
                Problem::new(Code::TooManyRequests, detail).retry_after(5)
            })?),
            _ => None,
        };
        let permit = self.0.listeners.clone().try_acquire_owned().map_err(|_| {
            Problem::new(Code::TooManyListeners, "this process has as many as it takes; try again").retry_after(5)
        })?;
        Ok(Place { _share: share, _permit: permit })
    }

    /// Somebody's turn to read what it has missed. After a restart all come at once, and others need the database too.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.catching_up.acquire().await.ok()
    }

    fn closed(&self) -> &CancellationToken {
        &self.0.closed
    }
}

/// A reading, but not for ever: a connection can be lost without a word.
async fn limited<T>(reading: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    tokio::time::timeout(READING, reading).await.unwrap_or(Err(DbError::Silent(READING.as_secs())))
}

/// A pool of one connection, made as those of `pool` are.
fn single(pool: &PgPool) -> PgPool {
    sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_lazy_with((*pool.connect_options()).clone())
}
