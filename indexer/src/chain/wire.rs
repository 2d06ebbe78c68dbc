//! A log as it comes: read in one pass, without the detour of alloy's type, whose flattened parts are gathered first.

use alloy::primitives::{Address, B256, Bytes, U64};
use serde::Deserialize;

use crate::types::Log;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: Option<U64>,
    block_hash: Option<B256>,
    transaction_hash: Option<B256>,
    log_index: Option<U64>,
    #[serde(default)]
    removed: Option<bool>,
}

impl WireLog {
    /// The log with its place in the chain.
    ///
    /// # Errors
    /// What is wrong with it: a node asked for a range or a block must not answer with logs that stand nowhere, or no more.
    pub fn placed(self) -> Result<Log, &'static str> {
        if self.removed == Some(true) {
            return Err("it returned a removed log");
        }
        let (Some(block_number), Some(block_hash), Some(transaction_hash), Some(log_index)) =
            (self.block_number, self.block_hash, self.transaction_hash, self.log_index)
        else {
            return Err("it returned a log without its place");
        };
        Ok(Log {
            block_number: block_number.to(),
            block_hash,
            transaction_hash,
            log_index: log_index.to(),
            emitter: self.address,
            topics: self.topics,
            data: self.data,
        })
    }
}
