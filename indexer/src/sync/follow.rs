//! One step after another along the chain.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, info, warn};

use super::{
    Options, SyncError,
    backfill::{self, Plan, Size, Stopped},
    openings,
    progress::Progress,
};
use crate::{
    apply::{Batch, Builder, apply},
    chain::{Header, Heads, Node},
    db::{
        DbError, Writer, blocks,
        chains::{self, NodeTips, Tip},
        indexes, outbox, rollback, sales,
    },
    decode::{Emitters, Kind, TOPICS},
    telemetry::metric,
};

/// Most blocks above `finalized` that one transaction writes.
const MAX_HEAD_BLOCKS: u64 = 64;
/// Headers and logs of head blocks asked for at the same time.
const HEAD_BLOCKS_IN_FLIGHT: usize = 8;
/// Tokens asked for their decimals at the same time.
const TOKENS_IN_FLIGHT: usize = 16;
/// A first backfill of more blocks builds indexes at its end.
const LARGE_BACKFILL: u64 = 500;
/// Time between two looks for what is to be forgotten, and between two steps of it.
const TIDY: Duration = Duration::from_secs(600);
const TIDY_ON: Duration = Duration::from_secs(1);
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

    /// The node does not have our tip. It may be a node behind its load balancer, so it gets time to catch up; when that is
    /// over, its chain has gone back.
    fn is_lagging(&mut self, tip: Tip, heads: &Heads) -> bool {
        let since = *self.behind_since.get_or_insert_with(Instant::now);
        let lagging = since.elapsed() < self.options.behind_grace;
        if lagging {
            debug!(tip = tip.number, head = heads.latest.number(), "the node is behind");
        }
        lagging
    }

    /// Walks back over the stored blocks to the highest that is canonical, whatever the depth, and forgets all above it.
    async fn undo(&mut self, node: &Node, heads: &Heads, tip: Tip) -> Result<Step, SyncError> {
        let chain_id = self.writer.chain_id();
        if (heads.latest.number() as i64) < self.finalized {
            // A node that is syncing, not a chain that was rewritten: nothing contradicts what is final.
            return Err(node.behind(self.finalized as u64, heads.latest.number()).into());
        }
        self.complete_indexes().await?;
        let mut below = (tip.number - 1).min(heads.latest.number() as i64);
        let fork = loop {
            let Some(stored) = blocks::find_at_or_below(&mut self.writer, below).await? else {
                break None;
            };
            if stored.number < self.finalized {
                break None;
            }
            match node.find_header(stored.number as u64).await? {
                Some(header) if header.hash == stored.hash.0 => break Some(stored),
                Some(_) => below = stored.number - 1,
                None => return Err(node.behind(stored.number as u64, heads.latest.number()).into()),
            }
        };
        let Some(fork) = fork else {
            if self.finalized < self.options.start_block as i64 {
                // Nothing of ours is final: begin again.
                warn!(tip = tip.number, "the whole indexed chain was replaced: starting over");
                limited(rollback::reset(&mut self.writer, (tip.number, tip.hash))).await?;
                self.reload().await?;
                return Ok(Step::RolledBack(-1));
            }
            let reason = format!(
                "the node's chain no longer contains block {} {}, and no common block at or above the finalized block {}",
                tip.number, tip.hash, self.finalized
            );
            chains::halt(&mut self.writer, &reason).await?;
            return Err(SyncError::Halted { chain_id, reason });
        };
        let began = Instant::now();
        let tips = NodeTips { head: heads.latest.number() as i64, safe: self.finalized, finalized: self.finalized };
        limited(rollback::rollback(&mut self.writer, (tip.number, tip.hash), fork, tips)).await?;
        let depth = tip.number - fork.number;
        info!(depth, fork = fork.number, hash = %fork.hash, ms = began.elapsed().as_millis() as u64, "reorg: rolled back");
        let chain = chain_id.to_string();
        metrics::counter!(metric::REORGS, "chain_id" => chain.clone()).increment(1);
        metrics::histogram!(metric::REORG_DEPTH, "chain_id" => chain).record(depth as f64);
        self.behind_since = None;
        self.tip = Some(fork);
        self.emitters.forget_above(fork.number as u64);
        Ok(Step::RolledBack(fork.number))
    }

    async fn forward(&mut self, node: &Node, heads: &Heads) -> Result<Step, SyncError> {
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

    /// `state` is the block as of which new tokens are asked what they are.
    async fn write(&mut self, node: &Node, mut batch: Batch, heads: &Heads, state: B256) -> Result<Step, SyncError> {
        let began = Instant::now();
        openings::add(&mut self.writer, node, &mut batch).await?;
        let currencies = self.describe(node, &batch, state).await?;
        let tips = self.tips(heads, Some(&batch)).await?;
        limited(apply(&mut self.writer, &batch, &currencies, tips)).await?;
        let (tip, events, seconds) = (batch.tip, batch.rows.count(), began.elapsed());
        debug!(
            from = batch.from,
            to = tip.number,
            events,
            bytes = batch.rows.size(),
            ms = seconds.as_millis() as u64,
            range = self.size.get(),
            digest = tip.digest.map(tracing::field::display),
            "batch"
        );
        let chain = self.writer.chain_id().to_string();
        metrics::counter!(metric::EVENTS, "chain_id" => chain.clone()).increment(events);
        metrics::histogram!(metric::BATCH_SECONDS, "chain_id" => chain.clone()).record(seconds.as_secs_f64());
        metrics::histogram!(metric::BATCH_EVENTS, "chain_id" => chain.clone()).record(events as f64);
        metrics::gauge!(metric::RANGE_BLOCKS, "chain_id" => chain).set(self.size.get() as f64);
        self.tip = Some(tip);
        self.progress.advance(tip.number as u64, events);
        Ok(Step::Advanced(tip.number))
    }

    /// Asks for the symbols and decimals of the tokens that new sales sell and take.
    async fn describe(&mut self, node: &Node, batch: &Batch, state: B256) -> Result<Vec<sales::Currency>, SyncError> {
        let addresses: Vec<_> = batch.rows.tokens_seen().collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let unknown = sales::list_unknown_currencies(&mut self.writer, &addresses).await?;
        stream::iter(unknown)
            .map(|address| async move {
                let (symbol, name, decimals) = if address.0 == Address::ZERO {
                    ("ETH".to_owned(), "Ether".to_owned(), 18)
                } else {
                    node.token(address.0, state).await?
                };
                Ok(sales::Currency { address, symbol, name, decimals })
            })
            .buffered(TOKENS_IN_FLIGHT)
            .try_collect()
            .await
    }

    /// What may be said of finality: a tag counts once its block is known to be on our chain. Tags and blocks can be those of
    /// different nodes; believed unseen, a tag would call final what another branch holds, and a reorg would look like a broken promise.
    async fn tips(&mut self, heads: &Heads, batch: Option<&Batch>) -> Result<NodeTips, SyncError> {
        if let Some(tag) = &heads.finalized
            && tag.number() as i64 > self.finalized
            && self.holds(heads, tag, batch).await?
        {
            self.finalized = tag.number() as i64;
        }
        let safe = match &heads.safe {
            Some(tag) if tag.number() as i64 > self.finalized && self.holds(heads, tag, batch).await? => {
                tag.number() as i64
            }
            _ => self.finalized,
        };
        Ok(NodeTips { head: heads.latest.number() as i64, safe, finalized: self.finalized })
    }

    /// Whether a tagged block is on our chain: below a block of ours that the same exchange showed as canonical, or stored by its
    /// hash. Not every block is stored, so the second alone could wait for ever on a chain that stands still.
    async fn holds(&mut self, heads: &Heads, tag: &Header, batch: Option<&Batch>) -> Result<bool, SyncError> {
        if heads.beside.as_ref().is_some_and(|ours| tag.number() <= ours.number()) {
            return Ok(true);
        }
        let hash = match batch {
            Some(batch) if tag.number() >= batch.from => batch.hash_at(tag.number()),
            _ => {
                let stored = limited(blocks::find_at_or_below(&mut self.writer, tag.number() as i64)).await?;
                stored.filter(|stored| stored.number == tag.number() as i64).map(|stored| stored.hash)
            }
        };
        Ok(hash.is_some_and(|hash| hash.0 == tag.hash))
    }
}

/// Longest that a transaction may take: past it the database's connection hangs.
const WRITE_TIMEOUT: Duration = Duration::from_secs(300);

async fn limited<T>(write: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or(Err(DbError::Silent(WRITE_TIMEOUT.as_secs())))
}
