//! What is final already: ranges fetched at the same time, decoded in their order, handed over in large batches.
//!
//! ```text
//! fetch, fetch, fetch, fetch ──in order──▶ decode, encode ──one batch ahead──▶ write
//! ```
//!
//! Each stage waits for the next, so memory is bounded by what is in flight and not by the length of the chain.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy::primitives::B256;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::{
    apply::{Batch, Builder},
    chain::{ChainError, Node, Range},
    db::chains::Tip,
    decode::{Emitters, TOPICS},
};

/// Logs that a request should return: more make it slower and cost memory.
const LOGS_PER_REQUEST: u64 = 2_000;
/// Blocks of the first requests, which show how dense the chain is.
const FIRST_RANGE: u64 = 32;
/// Answers after which a request that failed counts half.
const ANSWERS_TO_FORGET: u64 = 16;
/// Events of the first batch of a run: it is committed soon. Each later one may be twice as large as the one before.
const FIRST_BATCH: u64 = 5_000;
/// Bytes at which a batch is closed, however few its events.
const BATCH_BYTES: usize = 12 << 20;
/// Blocks at which a batch is closed, even if it is empty: progress is kept.
const BATCH_BLOCKS: u64 = 200_000;

/// What to fetch.
pub(super) struct Plan {
    pub chain_id: i64,
    pub tip: Option<Tip>,
    pub from: u64,
    pub to: u64,
    /// Requests at the same time.
    pub fetchers: usize,
    /// Events of the largest batch.
    pub batch_events: u64,
}

/// Blocks of the next request, as the density of the last ones and the limits of the node suggest.
#[derive(Debug)]
pub(super) struct Size {
    blocks: AtomicU64,
    /// Up to here it may double; beyond, where a request has failed not long ago, it grows slowly.
    steady: AtomicU64,
    /// Answers since then.
    answered: AtomicU64,
    max: u64,
}

impl Size {
    pub fn new(max: u64) -> Self {
        Self {
            blocks: AtomicU64::new(max.min(FIRST_RANGE)),
            steady: AtomicU64::new(max),
            answered: AtomicU64::new(0),
            max,
        }
    }

    pub fn get(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }

    /// At most to twice what was answered, so that a few empty blocks do not make the next request huge; several that are answered at
    /// the same time do not double it several times.
    fn learn(&self, blocks: u64, logs: u64) {
        let (now, mut steady) = (self.get(), self.steady.load(Ordering::Relaxed));
        // What failed may have been an outage, or a limit that holds no more.
        if (self.answered.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(ANSWERS_TO_FORGET) {
            steady = steady.saturating_mul(2).min(self.max);
            self.steady.store(steady, Ordering::Relaxed);
        }
        let fitting = LOGS_PER_REQUEST.saturating_mul(blocks) / logs.max(1);
        let reach = if now < steady {
            now.max(blocks.saturating_mul(2)).min(steady)
        } else {
            now.max(blocks.saturating_add((blocks / 16).max(1)))
        };
        self.blocks.store(fitting.clamp(1, reach).min(self.max), Ordering::Relaxed);
    }

    fn halve(&self, blocks: u64) {
        // Nothing is less than a block: that it failed says nothing of ranges.
        if blocks > 1 {
            self.blocks.fetch_min(blocks / 2, Ordering::Relaxed);
            self.steady.store(blocks / 2, Ordering::Relaxed);
            self.answered.store(0, Ordering::Relaxed);
        }
    }
}

/// Why the stage ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The node.
    Chain(ChainError),
    /// The range does not continue what is indexed: the chain moved.
    Moved,
}

/// Fetches and decodes, and sends batches to `out`, each on top of the one before. Gives the emitters back, with what it learnt.
pub(super) async fn produce(
    node: Node,
    mut emitters: Emitters,
    plan: Plan,
    size: Arc<Size>,
    out: mpsc::Sender<Batch>,
) -> Result<Emitters, Stopped> {
    let mut builder = Builder::new(plan.chain_id, plan.tip, plan.from);
    let mut expected: Option<B256> = plan.tip.map(|t| t.hash.0);
    let mut flight: VecDeque<AbortOnDropHandle<Result<Vec<Range>, ChainError>>> =
        VecDeque::with_capacity(plan.fetchers);
    let mut next = plan.from;
    let mut begun = plan.from;
    let mut limit = FIRST_BATCH.min(plan.batch_events);
    loop {
        while flight.len() < plan.fetchers && next <= plan.to {
            let to = plan.to.min(next.saturating_add(size.get() - 1));
            flight.push_back(AbortOnDropHandle::new(tokio::spawn(fetch(node.clone(), next, to, size.clone()))));
            next = to + 1;
        }
        let Some(first) = flight.pop_front() else { break };
        let ranges = match first.await {
            Ok(Ok(ranges)) => ranges,
            stopped => {
                // What was read so far is written, or a node that fails now and then would never be followed.
                if let Some(batch) = builder.take() {
                    drop(out.send(batch).await);
                }
                return Err(match stopped {
                    Ok(Err(error)) => Stopped::Chain(error),
                    _ => Stopped::Moved,
                });
            }
        };
        for range in ranges {
            if expected.is_some_and(|hash| hash != range.parent_hash) {
                if let Some(batch) = builder.take() {
                    drop(out.send(batch).await);
                }
                return Err(Stopped::Moved);
            }
            expected = Some(range.end.hash);
            let end = range.end.block();
            append(&mut builder, &mut emitters, range);
            let full = builder.count() >= limit
                || builder.size() >= BATCH_BYTES
                || end.number - begun >= BATCH_BLOCKS
                || end.number == plan.to;
            if full && let Some(batch) = builder.take() {
                limit = (limit * 2).min(plan.batch_events);
                begun = end.number;
                if out.send(batch).await.is_err() {
                    return Err(Stopped::Moved);
                }
            }
        }
    }
    Ok(emitters)
}

/// Decodes a range; of its blocks those with events of ours are kept, and its end.
fn append(builder: &mut Builder, emitters: &mut Emitters, range: Range) {
    let Range { end, mut blocks, logs, .. } = range;
    let events = emitters.decode(logs);
    let mut heights = events.iter().map(|e| e.log.block_number).peekable();
    blocks.retain(|block| {
        while heights.next_if(|height| *height < block.number).is_some() {}
        heights.peek() == Some(&block.number)
    });
    if blocks.last().is_none_or(|b| b.number != end.number()) {
        blocks.push(end.block());
    }
    builder.push(&blocks, &events);
}

/// A range; on any error its halves, down to single blocks.
async fn fetch(node: Node, from: u64, to: u64, size: Arc<Size>) -> Result<Vec<Range>, ChainError> {
    let mut done = Vec::new();
    let mut todo = vec![(from, to)];
    while let Some((from, to)) = todo.pop() {
        let blocks = to - from + 1;
        match node.logs_between(from, to, &TOPICS).await {
            Ok(range) => {
                size.learn(blocks, range.logs.len() as u64);
                done.push(range);
            }
            Err(error) if error.is_answer() && blocks > 1 => {
                size.halve(blocks);
                debug!(%error, from, to, "range halved");
                metrics::counter!(crate::telemetry::metric::HALVINGS).increment(1);
                let middle = from + (blocks - 1) / 2;
                todo.extend([(middle + 1, to), (from, middle)]);
            }
            Err(error) => {
                // The range may have been too much: whoever is asked next is asked for less.
                size.halve(blocks);
                return Err(error);
            }
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_the_density_of_the_chain() {
        let size = Size::new(2_000);
        assert_eq!(size.get(), FIRST_RANGE);
        for _ in 0..4 {
            size.learn(FIRST_RANGE, 0);
        }
        assert_eq!(size.get(), 2 * FIRST_RANGE, "an empty chain: twice as many, however many answers say so");
        size.learn(1, 0);
        assert_eq!(size.get(), 2 * FIRST_RANGE, "a short one says little");
        size.learn(100, 10_000);
        assert_eq!(size.get(), LOGS_PER_REQUEST / 100, "a dense one: what gives the logs of one request");
        size.learn(50, 1_000_000);
        assert_eq!(size.get(), 1, "never none");
        for _ in 0..20 {
            size.learn(size.get(), 1);
        }
        assert_eq!(size.get(), 2_000, "never more than allowed");
        size.halve(3);
        assert_eq!(size.get(), 1);
    }

    #[test]
    fn a_fixed_limit_is_seldom_run_into() {
        const LIMIT: u64 = 500;
        let size = Size::new(2_000);
        let mut failed = 0;
        for _ in 0..100 {
            let blocks = size.get();
            if blocks > LIMIT {
                failed += 1;
                size.halve(blocks);
            } else {
                size.learn(blocks, 0);
            }
        }
        assert!(failed <= 10, "{failed} of 100 requests failed");
        assert!(size.get() >= LIMIT / 2, "and what it allows is made use of");
    }

    #[test]
    fn an_outage_is_forgotten() {
        let size = Size::new(2_000);
        for _ in 0..10 {
            size.learn(size.get(), 0);
        }
        assert_eq!(size.get(), 2_000);
        let mut blocks = 2_000;
        while blocks > 1 {
            size.halve(blocks);
            blocks /= 2;
        }
        size.halve(1);
        assert_eq!(size.get(), 1);
        for _ in 0..11 * ANSWERS_TO_FORGET {
            size.learn(size.get(), 0);
        }
        assert_eq!(size.get(), 2_000);
    }
}
