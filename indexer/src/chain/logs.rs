//! The logs of a block or of a range, and what has to hold of an answer before it is believed.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    primitives::{Address, B256, Bloom, BloomInput},
    rpc::types::Filter,
};
use tracing::warn;

use super::{ChainError, Header, Node};
use crate::types::{Block, Log};

/// Addresses in one request for logs.
const ADDRESSES: usize = 500;
/// How often the logs of a block are asked for again, where its bloom says there are some and the node returns none.
const EMPTY_RETRIES: usize = 5;

/// A range of the chain: its logs, and the blocks that hold them.
#[derive(Clone, Debug)]
pub struct Range {
    /// Height of its first block.
    pub from: u64,
    /// Hash of the block below it.
    pub parent_hash: B256,
    /// Header of its last block.
    pub end: Header,
    /// The blocks that hold logs, in order.
    pub blocks: Vec<Block>,
    /// The logs, in order.
    pub logs: Vec<Log>,
}

impl Node {
    /// The logs of a block with one of `topics`, by the block's hash, in their order.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] where the block's bloom says that there are some, the node shows none, and what it shows of
    /// the block does not explain the bloom: another node may know better.
    pub async fn logs_of(&self, header: &Header, topics: &[B256]) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().at_block_hash(header.hash).event_signature(topics.to_vec());
        let mut logs = self.request_logs(&filter).await?;
        for attempt in 0..EMPTY_RETRIES {
            if !logs.is_empty() || !header.may_hold(topics) {
                break;
            }
            // A bloom is shared by all of a block's logs, so it can match by chance: the whole block tells, if it is not too large.
            match self.request_logs(&Filter::new().at_block_hash(header.hash)).await {
                Ok(all) => {
                    self.of_block(header, &all)?;
                    let explained = header.is_explained_by(&bloom_of(&all));
                    logs.extend(all.into_iter().filter(|l| l.topics.first().is_some_and(|t| topics.contains(t))));
                    if !logs.is_empty() || explained {
                        break;
                    }
                }
                Err(error) if error.is_answer() => {}
                Err(error) => return Err(error),
            }
            if attempt + 1 == EMPTY_RETRIES {
                if !self.may_doubt_bloom(header.hash) {
                    let number = header.number();
                    return Err(self.inconsistent(&format!("block {number} has a bloom of logs that it does not show")));
                }
                warn!(
                    block = header.number(),
                    node = self.name(),
                    "nothing explains this block's bloom: it is taken for empty"
                );
                break;
            }
            tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
            logs = self.request_logs(&filter).await?;
        }
        self.of_block(header, &logs)?;
        Ok(logs)
    }

    fn of_block(&self, header: &Header, logs: &[Log]) -> Result<(), ChainError> {
        match logs.iter().find(|l| l.block_hash != header.hash || l.block_number != header.number()) {
            None => Ok(()),
            Some(log) => {
                Err(self.inconsistent(&format!("asked for the logs of {}, got one of {}", header.hash, log.block_hash)))
            }
        }
    }

    /// The logs of `from..=to` with one of `topics`.
    ///
    /// The range ends at a block that this node has shown before and shows again after the logs, and every block that holds one
    /// is compared with its header: a node behind its head, or in the middle of a reorg, is noticed.
    pub async fn logs_between(&self, from: u64, to: u64, topics: &[B256]) -> Result<Range, ChainError> {
        let ends = if from == to { vec![to] } else { vec![from, to] };
        let ends = self.headers(&ends).await?;
        let (Some(first), Some(end)) = (ends.first(), ends.last()) else {
            return Err(ChainError::NoBlock { node: self.name().to_owned(), number: to });
        };
        let logs = self.request_range(from, end, topics).await?;
        if let Some(log) = logs.iter().find(|l| !(from..=to).contains(&l.block_number)) {
            return Err(self.inconsistent(&format!("a log of block {} outside the range", log.block_number)));
        }

        let mut hashes: BTreeMap<u64, B256> = BTreeMap::new();
        for log in &logs {
            if *hashes.entry(log.block_number).or_insert(log.block_hash) != log.block_hash {
                return Err(self.inconsistent(&format!("two hashes of block {} in one answer", log.block_number)));
            }
        }
        let mut numbers: Vec<u64> = hashes.keys().copied().collect();
        numbers.push(to);
        let mut headers = self.headers(&numbers).await?;
        if headers.pop().is_none_or(|again| again.hash != end.hash) {
            return Err(self.inconsistent(&format!("block {to} changed while its range was read")));
        }
        if let Some(header) = headers.iter().find(|h| hashes.get(&h.number()) != Some(&h.hash)) {
            return Err(self.inconsistent(&format!("a log of block {} names another hash", header.number())));
        }
        Ok(Range {
            from,
            parent_hash: first.parent_hash,
            end: end.clone(),
            blocks: headers.iter().map(Header::block).collect(),
            logs,
        })
    }

    /// The logs of `from..=to` with a topic that some contracts have emitted, and the hash of the last block: the same before and after.
    ///
    /// # Errors
    /// [`ChainError::Inconsistent`] where the last block is another after the logs, or a log is of elsewhere.
    pub async fn logs_from(
        &self,
        contracts: &[Address],
        topic: B256,
        (from, to): (u64, u64),
    ) -> Result<(B256, Vec<Log>), ChainError> {
        let end = self.headers(&[to]).await?.pop();
        let end = end.ok_or_else(|| ChainError::NoBlock { node: self.name().to_owned(), number: to })?;
        let mut found = Vec::new();
        // Nodes take so many addresses at once.
        for some in contracts.chunks(ADDRESSES) {
            let filter = Filter::new().from_block(from).to_block(to).address(some.to_vec()).event_signature(topic);
            let (logs, shown) = self.request_logs_up_to(&filter, to).await?;
            if shown.is_none_or(|header| header.hash != end.hash) {
                return Err(self.inconsistent(&format!("block {to} changed while its range was read")));
            }
            if logs.iter().any(|log| !(from..=to).contains(&log.block_number) || !some.contains(&log.emitter)) {
                return Err(self.inconsistent("a log of another contract or block than was asked for"));
            }
            found.extend(logs);
        }
        Ok((end.hash, found))
    }

    /// One block can hold more than a node returns at once: then it is asked for fewer topics at a time.
    async fn request_range(&self, from: u64, end: &Header, topics: &[B256]) -> Result<Vec<Log>, ChainError> {
        if from != end.number() {
            let filter = Filter::new().from_block(from).to_block(end.number()).event_signature(topics.to_vec());
            // In one exchange with the range's last block: behind a load balancer another exchange may be another node's, and one
            // that lags knows no logs of blocks that it does not have.
            let (logs, shown) = self.request_logs_up_to(&filter, end.number()).await?;
            if shown.is_none_or(|header| header.hash != end.hash) {
                return Err(self.inconsistent(&format!("it has another block {} than just before", end.number())));
            }
            return Ok(logs);
        }
        // By its hash, and with a look at its bloom: there are nodes that forget the logs of a block.
        match self.logs_of(end, topics).await {
            Err(error) if error.is_answer() => {}
            answer => return answer,
        }
        let mut logs = Vec::new();
        let (low, high) = topics.split_at(topics.len() / 2);
        let mut parts = vec![low, high];
        while let Some(part) = parts.pop() {
            let filter = Filter::new().at_block_hash(end.hash).event_signature(part.to_vec());
            match self.request_logs(&filter).await {
                Ok(found) => logs.extend(found),
                Err(error) if part.len() > 1 && error.is_answer() => {
                    let (low, high) = part.split_at(part.len() / 2);
                    parts.extend([low, high]);
                }
                Err(error) => return Err(error),
            }
        }
        if logs.is_empty() && end.may_hold(topics) {
            return Err(self.inconsistent(&format!("block {} has a bloom of logs that it does not show", end.number())));
        }
        logs.sort_unstable_by_key(|l| l.log_index);
        self.of_block(end, &logs)?;
        Ok(logs)
    }
}

fn bloom_of(logs: &[Log]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        bloom.accrue(BloomInput::Raw(log.emitter.as_slice()));
        for topic in &log.topics {
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
        }
    }
    bloom
}
