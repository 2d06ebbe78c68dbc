//! A batch under construction: events encoded as they come, blocks with their digests.

use crate::{
    db::{
        blocks::StoredBlock,
        chains::Tip,
        events::EventRows,
        openings::{Opening, Upcoming},
    },
    types::{Block, EventLog, Hash32},
};

use super::{digest, opening::Times};

/// What one transaction writes. Made by [`Builder`].
#[derive(Debug)]
pub struct Batch {
    /// The tip that the batch continues, `None` for the first of a chain.
    pub parent: Option<Tip>,
    /// Height of its first block.
    pub from: u64,
    /// Blocks to keep, in order: those with events, those that can still change, and the last.
    pub(super) blocks: Vec<StoredBlock>,
    /// Events in their order.
    pub rows: EventRows,
    /// Where the chain is indexed to afterwards.
    pub tip: Tip,
    /// Sales that open in it.
    pub(super) openings: Vec<Opening>,
}

impl Batch {
    /// Hash of the block at `number`, if it is among those to keep.
    pub fn hash_at(&self, number: u64) -> Option<Hash32> {
        let at = self.blocks.binary_search_by_key(&number, |b| b.block.number).ok()?;
        Some(self.blocks[at].block.hash.into())
    }

    /// Sales that are created in it and open before its end.
    pub fn upcoming(&self) -> Vec<Upcoming> {
        let end = self.tip.timestamp as u64;
        self.rows.sales_seen().filter(|sale| sale.opens <= end).collect()
    }

    /// Its blocks that are kept.
    pub fn times(&self) -> Times {
        Times::new(self.from, self.blocks.iter().map(|stored| stored.block))
    }

    /// Lets sales open in it. Their blocks, which `times` knows, are kept.
    pub fn open(&mut self, openings: Vec<Opening>, times: &Times) {
        for opening in &openings {
            let Err(at) = self.blocks.binary_search_by_key(&opening.block, |b| b.block.number) else { continue };
            let Some(&block) = times.get(opening.block) else { continue };
            // Nothing of ours is in it, so the digest is that of the block before.
            let before = at.checked_sub(1).and_then(|before| self.blocks.get(before));
            let digest = before.map_or(first_digest(self.parent), |before| before.digest);
            self.blocks.insert(at, StoredBlock { block, has_events: false, digest });
        }
        self.openings = openings;
    }
}

/// A chain that begins now begins with a digest; one that began before there were any never has one.
fn first_digest(parent: Option<Tip>) -> Option<Hash32> {
    parent.map_or(Some(Hash32::default()), |tip| tip.digest)
}

/// Gathers ranges of blocks, one on top of the other.
#[derive(Debug)]
pub struct Builder {
    chain_id: i64,
    parent: Option<Tip>,
    from: u64,
    digest: Option<Hash32>,
    blocks: Vec<StoredBlock>,
    rows: EventRows,
    tip: Option<Tip>,
}

impl Builder {
    /// Continues `parent`, from height `from` on.
    pub fn new(chain_id: i64, parent: Option<Tip>, from: u64) -> Self {
        let digest = first_digest(parent);
        Self { chain_id, parent, from, digest, blocks: Vec::new(), rows: EventRows::new(chain_id), tip: None }
    }

    /// Appends a range: its blocks, of which those with events must be there and the last is its end, and its events, in order.
    pub fn push(&mut self, blocks: &[Block], events: &[EventLog]) {
        let mut rest = events;
        for block in blocks {
            let count = rest.iter().take_while(|e| e.log.block_number == block.number).count();
            let (of_block, later) = rest.split_at(count);
            rest = later;
            self.digest = self.digest.map(|previous| digest::advance(previous, block, of_block));
            for event in of_block {
                self.rows.push(event);
            }
            self.blocks.push(StoredBlock { block: *block, has_events: count != 0, digest: self.digest });
            self.tip = Some(Tip {
                number: block.number as i64,
                hash: block.hash.into(),
                timestamp: block.timestamp as i64,
                digest: self.digest,
            });
        }
        debug_assert!(rest.is_empty(), "every event's block is among the blocks");
    }

    /// Events so far.
    pub fn count(&self) -> u64 {
        self.rows.count()
    }

    /// Bytes that the events take.
    pub fn size(&self) -> usize {
        self.rows.size()
    }

    /// Closes the batch and begins the next on top of it. `None` where nothing was appended.
    pub fn take(&mut self) -> Option<Batch> {
        let tip = self.tip?;
        let next = Self::new(self.chain_id, Some(tip), tip.number as u64 + 1);
        let done = std::mem::replace(self, next);
        Some(Batch {
            parent: done.parent,
            from: done.from,
            blocks: done.blocks,
            rows: done.rows,
            tip,
            openings: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, Bytes};

    use super::*;
    use crate::types::{Event, Log};

    fn block(number: u64) -> Block {
        Block { number, hash: B256::with_last_byte(number as u8), parent_hash: B256::ZERO, timestamp: number }
    }

    fn event(number: u64, log_index: u64) -> EventLog {
        let log = Log {
            block_number: number,
            block_hash: block(number).hash,
            transaction_hash: B256::repeat_byte(9),
            log_index,
            emitter: Address::repeat_byte(1),
            topics: vec![B256::repeat_byte(2)],
            data: Bytes::from_static(b"data"),
        };
        EventLog { log, sale: Address::repeat_byte(1), event: Ok(Event::PauseChanged { paused: true }) }
    }

    fn digests(batch: &Batch) -> Vec<(u64, Option<Hash32>)> {
        batch.blocks.iter().filter(|b| b.has_events).map(|b| (b.block.number, b.digest)).collect()
    }

    #[test]
    fn the_digest_does_not_depend_on_how_the_chain_is_cut() {
        let blocks: Vec<Block> = (1..=6).map(block).collect();
        let events = [event(2, 0), event(2, 5), event(3, 1), event(6, 0)];
        let mut whole = Builder::new(1, None, 1);
        whole.push(&blocks, &events);
        let whole = whole.take().unwrap();

        // Without the empty blocks, in two batches, in three ranges.
        let mut cut = Builder::new(1, None, 1);
        cut.push(&[block(2)], &events[..2]);
        let first = cut.take().unwrap();
        cut.push(&[block(3), block(5)], &events[2..3]);
        cut.push(&[block(6)], &events[3..]);
        let second = cut.take().unwrap();
        assert_eq!(second.parent, Some(first.tip));
        assert_eq!(second.from, 3);
        assert_eq!([digests(&first), digests(&second)].concat(), digests(&whole));
        assert_eq!(second.tip.digest, whole.tip.digest);
        assert!(cut.take().is_none());
    }

    #[test]
    fn every_part_of_a_log_changes_the_digest() {
        let digest = |change: fn(&mut Log), hash: B256| {
            let mut event = event(2, 0);
            change(&mut event.log);
            let block = Block { hash, ..block(2) };
            digest::advance(Hash32::default(), &block, &[event])
        };
        let hash = block(2).hash;
        let mut all = vec![
            digest(|_| (), hash),
            digest(|_| (), B256::repeat_byte(7)),
            digest(|l| l.log_index = 1, hash),
            digest(|l| l.transaction_hash = B256::ZERO, hash),
            digest(|l| l.emitter = Address::ZERO, hash),
            digest(|l| l.topics.push(B256::ZERO), hash),
            digest(|l| l.topics[0] = B256::ZERO, hash),
            digest(|l| l.data = Bytes::from_static(b"date"), hash),
        ];
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_chain_that_began_without_digests_goes_on_without() {
        let parent = Tip { number: 1, hash: Hash32::default(), timestamp: 1, digest: None };
        let mut builder = Builder::new(1, Some(parent), 2);
        builder.push(&[block(2)], &[event(2, 0)]);
        assert_eq!(builder.take().unwrap().tip.digest, None);
    }
}
