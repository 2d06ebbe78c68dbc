//! One step after another along the chain.

mod reorg;
mod write;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use self::write::limited;
use super::{
    Options, SyncError,
    backfill::{self, Plan, Size, Stopped},
    openings,
    progress::Progress,
};
use crate::{
    apply::Builder,
    chain::{Heads, Node},
    db::{
        DbError, Writer, blocks,
        chains::{self, Tip},
        indexes, outbox, sales,
    },
    decode::{Emitters, Kind, TOPICS},
};

/// Most blocks above `finalized` that one transaction writes.
const MAX_HEAD_BLOCKS: u64 = 64;
/// Headers and logs of head blocks asked for at the same time.
const HEAD_BLOCKS_IN_FLIGHT: usize = 8;
/// A first backfill of more blocks builds indexes at its end.
const LARGE_BACKFILL: u64 = 500;
/// Time between two looks for what is to be forgotten, and between two steps of it.
const TIDY: Duration = Duration::from_secs(600);
const TIDY_ON: Duration = Duration::from_secs(1);
/// Time until a node is asked again in which blocks sales have opened: at first, and at most, as it doubles.
const OPENINGS_AGAIN: Duration = Duration::from_secs(60);
const OPENINGS_AGAIN_AT_MOST: Duration = Duration::from_secs(3_600);
/// How old the node's tags may get in a backfill.
const TAGS_MAX_AGE: Duration = Duration::from_secs(5);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A batch was written up to this height.
    Advanced(i64),
    /// A reorg was undone down to this height.
    RolledBack(i64),
    /// There was nothing to do: look again later.
    Idle,
    /// The chain moved meanwhile: look again at once.
    Moved,
}

/// The writer of a chain and what it knows between two steps; all of it is read again from the database by
/// [`Follower::reload`].
#[derive(Debug)]
pub struct Follower {
    writer: Writer,
    options: Options,
    tip: Option<Tip>,
    finalized: i64,
    emitters: Emitters,
    size: Arc<Size>,
    behind_since: Option<Instant>,
    /// Whether indexes may be missing, from a backfill of this or an earlier run.
    indexes_missing: bool,
    /// When it is looked for openings that an older version has not noted; never again once they are there.
    openings_at: Option<Instant>,
    /// How long after the next time that the node does not show their blocks.
    openings_again: Duration,
    progress: Progress,
    /// When it is looked again for what is to be forgotten.
    tidy_at: Instant,
}

impl Follower {
    /// Takes up where the database stands.
    ///
    /// # Errors
    /// [`SyncError::Halted`] if a halt is latched.
    pub async fn resume(writer: Writer, options: &Options) -> Result<Self, SyncError> {
        let mut follower = Self {
            writer,
            options: options.clone(),
            tip: None,
            finalized: 0,
            emitters: Emitters::new(options.factory),
            size: Arc::new(Size::new(options.max_range)),
            behind_since: None,
            indexes_missing: true,
            openings_at: Some(Instant::now()),
            openings_again: OPENINGS_AGAIN,
            progress: Progress::new(options.progress.clone()),
            tidy_at: Instant::now(),
        };
        follower.reload().await?;
        Ok(follower)
    }

    /// Reads the checkpoint and the known contracts again, after anything that failed half way.
    pub async fn reload(&mut self) -> Result<(), SyncError> {
        let chain_id = self.writer.chain_id();
        let checkpoint = chains::find_checkpoint(&mut self.writer.connection, chain_id).await?;
        if let Some(reason) = checkpoint.as_ref().and_then(|c| c.halted.clone()) {
            return Err(SyncError::Halted { chain_id, reason });
        }
        self.tip = match &checkpoint {
            Some(c) => blocks::find_at_or_below(&mut self.writer, c.number).await?,
            None => None,
        };
        if let Some(c) = &checkpoint
            && self.tip.is_none_or(|tip| (tip.number, tip.hash) != (c.number, c.hash))
        {
            return Err(DbError::Damaged { chain_id, number: c.number }.into());
        }
        self.finalized = checkpoint.as_ref().map_or(0, |c| c.finalized_number);
        self.behind_since = None;
        self.emitters = Emitters::new(self.options.factory);
        for emitter in sales::list_emitters(&mut self.writer).await? {
            let sale = emitter.sale.0;
            let kind = match emitter.kind.as_str() {
                "sale" => Kind::Sale,
                "vault" => Kind::Vault { sale },
                "wallet" => Kind::Wallet { sale },
                _ => Kind::Token,
            };
            self.emitters.insert(emitter.contract.0, kind, emitter.announced as u64);
        }
        Ok(())
    }

    /// Whoever holds the right to write.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Forgets, now and then and a little at a time, what listeners were told long ago.
    pub async fn tidy(&mut self) -> Result<(), SyncError> {
        if Instant::now() < self.tidy_at {
            return Ok(());
        }
        let keep = i64::try_from(self.options.keep_told.as_secs()).unwrap_or(i64::MAX);
        let more = limited(outbox::forget(&mut self.writer, keep)).await?;
        self.tidy_at = Instant::now() + if more { TIDY_ON } else { TIDY };
        Ok(())
    }

    /// Looks at the chain once and does the next thing.
    pub async fn step(&mut self, node: &Node) -> Result<Step, SyncError> {
        let mut heads = node.heads(self.tip.map(|tip| tip.number as u64)).await?;
        if let Some(tip) = self.tip {
            // The usual case costs no further question: the head is our tip, or stands on it, or the tip came beside the tags.
            let latest = &heads.latest;
            let is_tip = latest.number() as i64 == tip.number && latest.hash == tip.hash.0;
            let continues = latest.number() as i64 == tip.number + 1 && latest.parent_hash == tip.hash.0;
            // From here on: the tip, shown as canonical by whoever showed the tags.
            heads.beside = heads.beside.filter(|header| header.hash == tip.hash.0);
            if is_tip || continues || heads.beside.is_some() {
                self.behind_since = None;
            } else {
                match node.find_header(tip.number as u64).await? {
                    Some(header) if header.hash == tip.hash.0 => self.behind_since = None,
                    Some(_) => return self.undo(node, &heads, tip).await,
                    None if self.is_lagging(tip, &heads) => return Ok(Step::Idle),
                    None => return self.undo(node, &heads, tip).await,
                }
            }
        }
        self.forward(node, &heads).await
    }

    async fn forward(&mut self, node: &Node, heads: &Heads) -> Result<Step, SyncError> {
        self.complete_openings(node).await?;
        let next = self.tip.map_or(self.options.start_block, |t| t.number as u64 + 1);
        let latest = heads.latest.number();
        if next <= heads.final_height() {
            return self.backfill(node, heads, next).await;
        }
        self.complete_indexes().await?;
        if next > latest {
            let before = self.finalized;
            let tips = self.tips(heads, None).await?;
            limited(chains::touch(&mut self.writer, tips)).await?;
            if self.finalized > before {
                limited(blocks::prune(&mut self.writer.connection, self.writer.chain_id, self.finalized)).await?;
            }
            return Ok(Step::Idle);
        }
        self.follow_head(node, heads, next, latest.min(next + MAX_HEAD_BLOCKS - 1)).await
    }

    /// Reads all that is final, in ranges, and commits batch after batch.
    async fn backfill(&mut self, node: &Node, heads: &Heads, from: u64) -> Result<Step, SyncError> {
        let to = heads.final_height();
        if to - from >= LARGE_BACKFILL && limited(indexes::defer(&mut self.writer)).await? {
            info!("first backfill: the indexes that readers need are built at its end");
            self.indexes_missing = true;
        }
        let plan = Plan {
            chain_id: self.writer.chain_id(),
            tip: self.tip,
            from,
            to,
            fetchers: self.options.fetchers,
            batch_events: self.options.batch_events,
        };
        self.progress.begin(from, to);
        let emitters = std::mem::replace(&mut self.emitters, Emitters::new(self.options.factory));
        let (sender, mut batches) = mpsc::channel(1);
        let producer = backfill::produce(node.clone(), emitters, plan, self.size.clone(), sender);
        let producer = AbortOnDropHandle::new(tokio::spawn(producer));
        let mut heads = heads.clone();
        let mut asked = Instant::now();
        while let Some(batch) = batches.recv().await {
            if asked.elapsed() > TAGS_MAX_AGE {
                asked = Instant::now();
                // The tags tell people how far it is still; the range has to be final only.
                if let Ok(now) = node.heads(None).await {
                    heads = now;
                }
            }
            // A token is asked as of the head: not every node keeps the state of old blocks. Unless that head is older still: behind
            // a load balancer the tags can be those of two nodes.
            let is_newer = heads.latest.number() as i64 > batch.tip.number;
            let state = if is_newer { heads.latest.hash } else { batch.tip.hash.0 };
            self.write(node, batch, &heads, state).await?;
        }
        match producer.await {
            Ok(Ok(emitters)) => {
                self.emitters = emitters;
                Ok(Step::Advanced(to as i64))
            }
            Ok(Err(Stopped::Chain(error))) => Err(error.into()),
            Ok(Err(Stopped::Moved)) | Err(_) => {
                self.reload().await?;
                Ok(Step::Moved)
            }
        }
    }

    /// Reads the blocks that can still change, each by its hash and on top of the one before.
    async fn follow_head(&mut self, node: &Node, heads: &Heads, from: u64, to: u64) -> Result<Step, SyncError> {
        let headers = if from == heads.latest.number() {
            vec![heads.latest.clone()]
        } else {
            let numbers: Vec<u64> = (from..=to).collect();
            match node.headers(&numbers).await {
                // One that fails now and then, or whose head went back, is followed a block at a time.
                Err(error) if error.is_answer() => vec![node.get_header(from).await?],
                headers => headers?,
            }
        };
        let mut parent = self.tip.map(|tip| tip.hash.0);
        let count = headers
            .iter()
            .take_while(|header| {
                let continues = parent.is_none_or(|hash| hash == header.parent_hash);
                parent = Some(header.hash);
                continues
            })
            .count();
        let headers = &headers[..count];
        let mut builder = Builder::new(self.writer.chain_id(), self.tip, from);
        let mut answers = stream::iter(headers)
            .map(|header| async move { node.logs_of(header, &TOPICS).await.map(|logs| (header, logs)) })
            .buffered(HEAD_BLOCKS_IN_FLIGHT);
        let mut first = true;
        loop {
            match answers.try_next().await {
                Ok(Some((header, logs))) => builder.push(&[header.block()], &self.emitters.decode(logs)),
                Ok(None) => break,
                // What was read so far is written, or a node that fails now and then would never be followed.
                Err(error) if error.is_transient() && !first => {
                    debug!(%error, "the rest of the batch is read again");
                    break;
                }
                Err(error) => return Err(error.into()),
            }
            first = false;
        }
        match builder.take() {
            Some(batch) => {
                let state = batch.tip.hash.0;
                self.write(node, batch, heads, state).await
            }
            None => Ok(Step::Moved),
        }
    }

    /// Builds what a backfill has left for its end.
    async fn complete_indexes(&mut self) -> Result<(), SyncError> {
        if !self.indexes_missing {
            return Ok(());
        }
        let began = Instant::now();
        // No limit: it takes as long as there are rows.
        let built = indexes::complete(&mut self.writer).await?;
        if built != 0 {
            info!(built, ms = began.elapsed().as_millis() as u64, "the indexes that readers need are there");
        }
        self.indexes_missing = false;
        Ok(())
    }

    /// Notes once what a version that knew no openings has left out, some of it before each step. A node that does not show the blocks for
    /// that shows new ones all the same: it is asked again later, and the chain is followed meanwhile.
    async fn complete_openings(&mut self, node: &Node) -> Result<(), SyncError> {
        if self.openings_at.is_none_or(|at| Instant::now() < at) {
            return Ok(());
        }
        let noted = match self.tip {
            Some(tip) => openings::complete(&mut self.writer, node, tip).await,
            None => Ok((0, false)),
        };
        self.openings_at = match noted {
            Ok((0, _)) => None,
            Ok((count, more)) => {
                info!(count, more, "noted when sales opened that had opened before the tables had openings");
                self.openings_again = OPENINGS_AGAIN;
                more.then(Instant::now)
            }
            Err(SyncError::Chain(error)) if error.is_transient() => {
                let again = self.openings_again;
                self.openings_again = (again * 2).min(OPENINGS_AGAIN_AT_MOST);
                warn!(
                    %error,
                    again_seconds = again.as_secs(),
                    "sales opened before the tables had openings, and the node does not show in which blocks: it is asked again"
                );
                Some(Instant::now() + again)
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }
}
