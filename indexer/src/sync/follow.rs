//! One step after another along the chain.

use std::{collections::HashSet, time::Instant};

use alloy::primitives::Address;
use tracing::{debug, info, warn};

use super::{Options, SyncError};
use crate::{
    apply::{Batch, apply},
    chain::{ChainError, Header, Heads, Node},
    db::{
        Writer, blocks,
        chains::{self, NodeTips, Tip},
        rollback, sales,
    },
    decode::{Emitters, Kind, TOPICS},
    telemetry::metric,
    types::{Addr, Block, Event, EventLog, Log},
};

/// Most blocks above `finalized` that one transaction writes.
const MAX_HEAD_BLOCKS: u64 = 64;

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
    range: u64,
    behind_since: Option<Instant>,
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
            range: options.max_range,
            behind_since: None,
        };
        follower.reload().await?;
        Ok(follower)
    }

    /// Reads the checkpoint and the known sales again, after anything that failed half way.
    pub async fn reload(&mut self) -> Result<(), SyncError> {
        let chain_id = self.writer.chain_id();
        let checkpoint = chains::find_checkpoint(&mut self.writer.connection, chain_id).await?;
        if let Some(reason) = checkpoint.as_ref().and_then(|c| c.halted.clone()) {
            return Err(SyncError::Halted { chain_id, reason });
        }
        self.tip = checkpoint.as_ref().map(|c| Tip { number: c.number, hash: c.hash, timestamp: c.block_timestamp });
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
            self.emitters.insert(emitter.contract.0, kind);
        }
        Ok(())
    }

    /// Looks at the chain once and does the next thing.
    pub async fn step(&mut self, node: &Node) -> Result<Step, SyncError> {
        let heads = node.heads().await?;
        if let Some(tip) = self.tip {
            match node.find_header(tip.number as u64).await? {
                Some(header) if header.hash == tip.hash.0 => self.behind_since = None,
                Some(_) => return self.undo(node, &heads, tip).await,
                None if self.is_lagging(tip, &heads) => return Ok(Step::Idle),
                None => return self.undo(node, &heads, tip).await,
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
                rollback::reset(&mut self.writer, (tip.number, tip.hash)).await?;
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
        rollback::rollback(&mut self.writer, (tip.number, tip.hash), fork, tips_of(heads)).await?;
        let depth = tip.number - fork.number;
        info!(depth, fork = fork.number, hash = %fork.hash, "reorg: rolled back");
        metrics::counter!(metric::REORGS, "chain_id" => chain_id.to_string()).increment(1);
        self.behind_since = None;
        self.reload().await?;
        Ok(Step::RolledBack(fork.number))
    }

    async fn forward(&mut self, node: &Node, heads: &Heads) -> Result<Step, SyncError> {
        let next = self.tip.map_or(self.options.start_block, |t| t.number as u64 + 1);
        let latest = heads.latest.number();
        if next > latest {
            self.touch(tips_of(heads)).await?;
            return Ok(Step::Idle);
        }
        if next <= heads.finalized {
            let to = heads.finalized.min(next.saturating_add(self.range - 1));
            return match self.backfill(node, heads, next, to).await {
                Err(SyncError::Chain(error)) if error.is_transient() && self.range > 1 => {
                    self.range = (self.range / 2).max(1);
                    debug!(%error, range = self.range, "range halved");
                    Err(error.into())
                }
                Ok(step) => {
                    self.range = self.range.saturating_mul(2).min(self.options.max_range);
                    Ok(step)
                }
                error => error,
            };
        }
        self.follow_head(node, heads, next, latest.min(next + MAX_HEAD_BLOCKS - 1)).await
    }

    /// Reads `from..=to`, all of it final, in one request.
    async fn backfill(&mut self, node: &Node, heads: &Heads, from: u64, to: u64) -> Result<Step, SyncError> {
        if !self.continues(&node.get_header(from).await?) {
            return Ok(Step::Moved);
        }
        let end = node.get_header(to).await?;
        let (mut blocks, logs) = node.logs_between(from, &end, &TOPICS).await?;
        let events = self.emitters.decode(logs);
        let with_events: HashSet<u64> = events.iter().map(|e| e.log.block_number).collect();
        blocks.retain(|b| with_events.contains(&b.number));
        if blocks.last().is_none_or(|b| b.number != to) {
            blocks.push(end.block());
        }
        // A token is asked as of the head: not every node keeps the state of old blocks. Unless that head is older still: behind
        // a load balancer the tags can be those of two nodes.
        let state = if heads.latest.number() > to { &heads.latest } else { &end };
        self.write(node, heads, blocks, events, &end, state).await
    }

    /// Reads the blocks that can still change one by one, each by its hash and on top of the one before.
    async fn follow_head(&mut self, node: &Node, heads: &Heads, from: u64, to: u64) -> Result<Step, SyncError> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut events = Vec::new();
        let mut last: Option<Header> = None;
        for number in from..=to {
            let continues = |header: &Header| {
                last.as_ref().map_or_else(|| self.continues(header), |l| l.hash == header.parent_hash)
            };
            let (header, logs) = match self.read_block(node, number, continues).await {
                Ok(Some(block)) => block,
                Ok(None) => break,
                // What was read so far is written, or a node that fails now and then would never be followed.
                Err(error) if error.is_transient() && last.is_some() => {
                    debug!(number, %error, "the rest of the batch is read again");
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            events.extend(self.emitters.decode(logs));
            blocks.push(header.block());
            last = Some(header);
        }
        match last {
            Some(end) => self.write(node, heads, blocks, events, &end, &end).await,
            None => Ok(Step::Moved),
        }
    }

    /// A block with its logs; `None` if it is not there, or does not stand on what was read before.
    async fn read_block(
        &self,
        node: &Node,
        number: u64,
        continues: impl Fn(&Header) -> bool,
    ) -> Result<Option<(Header, Vec<Log>)>, ChainError> {
        match node.find_header(number).await? {
            Some(header) if continues(&header) => {
                let logs = node.logs_of(&header, &TOPICS).await?;
                Ok(Some((header, logs)))
            }
            _ => Ok(None),
        }
    }

    fn continues(&self, header: &Header) -> bool {
        self.tip.is_none_or(|tip| tip.hash.0 == header.parent_hash)
    }

    async fn write(
        &mut self,
        node: &Node,
        heads: &Heads,
        blocks: Vec<Block>,
        events: Vec<EventLog>,
        end: &Header,
        state: &Header,
    ) -> Result<Step, SyncError> {
        let tip = Tip { number: end.number() as i64, hash: end.hash.into(), timestamp: end.timestamp() as i64 };
        let currencies = self.describe(node, state, &events).await?;
        let batch = Batch { parent: self.tip, blocks, events, currencies, tip, node: tips_of(heads) };
        apply(&mut self.writer, &batch).await?;
        debug!(to = tip.number, events = batch.events.len(), "batch");
        let chain = self.writer.chain_id().to_string();
        metrics::counter!(metric::EVENTS, "chain_id" => chain).increment(batch.events.len() as u64);
        self.tip = Some(tip);
        self.finalized = self.finalized.max(batch.node.finalized);
        Ok(Step::Advanced(tip.number))
    }

    /// Asks for the symbols and decimals of the tokens that new sales sell and take.
    async fn describe(
        &mut self,
        node: &Node,
        state: &Header,
        events: &[EventLog],
    ) -> Result<Vec<sales::Currency>, SyncError> {
        let mut addresses: Vec<Addr> = Vec::new();
        for event in events {
            if let Ok(Event::SaleCreated(sale)) = &event.event {
                addresses.extend([Addr(sale.token), Addr(sale.currency)]);
            }
        }
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let mut currencies = Vec::new();
        for address in sales::list_unknown_currencies(&mut self.writer, &addresses).await? {
            let (symbol, name, decimals) = if address.0 == Address::ZERO {
                ("ETH".to_owned(), "Ether".to_owned(), 18)
            } else {
                node.token(address.0, state.hash).await?
            };
            currencies.push(sales::Currency { address, symbol, name, decimals });
        }
        Ok(currencies)
    }

    async fn touch(&mut self, node: NodeTips) -> Result<(), SyncError> {
        chains::touch(&mut self.writer, node).await?;
        self.finalized = self.finalized.max(node.finalized);
        Ok(())
    }
}

fn tips_of(heads: &Heads) -> NodeTips {
    NodeTips { head: heads.latest.number() as i64, safe: heads.safe as i64, finalized: heads.finalized as i64 }
}
