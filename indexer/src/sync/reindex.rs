//! Indexing a chain anew beside the live tables, until what was filled takes their place.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Options, SyncError, run_at};
use crate::{
    chain::Chain,
    db::{
        DbError, Place, Writer,
        switch::{self, NotYet, Switched},
    },
};

/// Time between two looks at whether it can be switched.
const PAUSE: Duration = Duration::from_secs(1);
/// Time between two words about why it cannot.
const REMINDER: Duration = Duration::from_secs(30);

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reindexed {
    /// What was filled is live.
    Here(Switched),
    /// It is, by a process that filled another chain beside.
    Elsewhere,
    /// It was stopped before. What is filled stays; the same again goes on.
    Stopped,
}

/// What came of asking for the right to write.
#[derive(Debug)]
pub(super) enum Acquired {
    Writer(Box<Writer>),
    /// Another process has it.
    Busy,
    /// What was to be filled is live.
    Over,
}

impl From<Option<Writer>> for Acquired {
    fn from(writer: Option<Writer>) -> Self {
        writer.map_or(Self::Busy, |writer| Self::Writer(Box::new(writer)))
    }
}

/// What is to become live, between two steps of filling it.
#[derive(Debug)]
pub(super) struct Beside {
    accept: bool,
    /// The live tables when it began.
    before: i64,
    tried: Option<Instant>,
    told: Option<(NotYet, Instant)>,
    outcome: Reindexed,
}

/// Fills a second set of tables and follows the chain there, while another process follows it in the live ones. Once both hold the same,
/// and so for every other chain of the live tables, the second takes the place of the first. With `accept`, also if what is final differs.
///
/// # Errors
/// Those of [`run`](super::run), and [`SyncError::Differs`].
pub async fn reindex(
    chain: &Chain,
    database: &PgConnectOptions,
    options: &Options,
    accept: bool,
    shutdown: &CancellationToken,
) -> Result<Reindexed, SyncError> {
    let before = switch::generation_of(database).await?;
    let mut beside = Beside { accept, before, tried: None, told: None, outcome: Reindexed::Stopped };
    run_at(chain, database, options, Some(&mut beside), shutdown).await?;
    Ok(beside.outcome)
}

impl Beside {
    /// The right to fill, unless other tables are live by now: then there is nothing left to fill.
    pub async fn acquire(&mut self, database: &PgConnectOptions, chain_id: i64) -> Result<Acquired, DbError> {
        // Asked before, as what is missing beside would be made anew, and after, as nobody switches while somebody writes there.
        if !self.is_over(database).await?
            && let Some(writer) = Writer::acquire(database, chain_id, Place::Beside).await?
        {
            if !self.is_over(database).await? {
                return Ok(Acquired::Writer(Box::new(writer)));
            }
        } else if !self.is_over(database).await? {
            return Ok(Acquired::Busy);
        }
        self.outcome = Reindexed::Elsewhere;
        Ok(Acquired::Over)
    }

    async fn is_over(&self, database: &PgConnectOptions) -> Result<bool, DbError> {
        Ok(switch::generation_of(database).await? != self.before)
    }

    /// Switches if it can be; says now and then why it cannot.
    pub async fn attempt(&mut self, writer: &mut Writer) -> Result<bool, SyncError> {
        if self.tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return Ok(false);
        }
        self.tried = Some(Instant::now());
        match switch::switch(writer, self.accept).await? {
            Ok(switched) => {
                self.outcome = Reindexed::Here(switched);
                Ok(true)
            }
            Err(NotYet::Differs(compared)) => Err(SyncError::Differs(compared)),
            Err(why) => {
                self.tell(why);
                Ok(false)
            }
        }
    }

    fn tell(&mut self, why: NotYet) {
        let kind = std::mem::discriminant(&why);
        if self.told.as_ref().is_some_and(|(told, at)| std::mem::discriminant(told) == kind && at.elapsed() < REMINDER)
        {
            return;
        }
        match &why {
            NotYet::Behind { chain_id, live, beside: Some(beside) } => {
                info!(chain_id, live, beside, "not switched yet: the live tables are ahead");
            }
            NotYet::Behind { chain_id, live, beside: None } => {
                warn!(
                    chain_id,
                    live, "not switched yet: this chain is live too; run `crowdsale index --reindex` for it as well"
                );
            }
            NotYet::Reorg { chain_id } => info!(chain_id, "not switched yet: a reorg is under way"),
            NotYet::Dependents(names) => warn!(
                dependents = names.join(", "),
                "not switched: these depend on the live tables and would go on reading the old ones; drop them, and create them again after the switch"
            ),
            NotYet::Writers => {
                warn!("not switched: the live indexer cannot be ended from here, as its role is another; stop it")
            }
            NotYet::Readers(sessions) => {
                warn!(sessions = sessions.join(", "), "not switched yet: somebody reads for long")
            }
            NotYet::Differs(_) => {}
        }
        self.told = Some((why, Instant::now()));
    }
}
