//! A running hash of what was applied.

use alloy::primitives::B256;
use sha2::{Digest as _, Sha256};

use crate::types::{Block, EventLog, Hash32};

/// The running digest: of the one before it, the block, and its logs as the node returned them. A block without events of ours
/// leaves it as it is, so it does not depend on how the chain was cut into ranges, nor on which empty blocks are kept.
///
/// `sha256(previous ‖ number ‖ hash ‖ for each log: index ‖ transaction ‖ emitter ‖ topics' count ‖ topics ‖ data's length ‖ data)`,
/// numbers as eight bytes, the highest first. Before the first event it is zero.
pub(super) fn advance(previous: Hash32, block: &Block, events: &[EventLog]) -> Hash32 {
    if events.is_empty() {
        return previous;
    }
    let mut hasher = Sha256::new();
    hasher.update(previous.0);
    hasher.update(block.number.to_be_bytes());
    hasher.update(block.hash);
    for EventLog { log, .. } in events {
        hasher.update(log.log_index.to_be_bytes());
        hasher.update(log.transaction_hash);
        hasher.update(log.emitter);
        hasher.update((log.topics.len() as u64).to_be_bytes());
        for topic in &log.topics {
            hasher.update(topic);
        }
        hasher.update((log.data.len() as u64).to_be_bytes());
        hasher.update(&log.data);
    }
    Hash32(B256::new(hasher.finalize().into()))
}
