//! The part of a block header that the indexer needs, read leniently: some nodes leave the bloom out or send it empty.

use alloy::primitives::{B256, Bloom, BloomInput, U64};
use serde::{Deserialize, Deserializer};

use crate::types::Block;

/// A header as a node returned it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Height.
    number: U64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block below.
    pub parent_hash: B256,
    /// Unix time in seconds.
    timestamp: U64,
    /// Absent where the node sends none that can be read; then it proves nothing.
    #[serde(default, deserialize_with = "lenient_bloom")]
    logs_bloom: Option<Bloom>,
}

impl Header {
    /// Height.
    pub fn number(&self) -> u64 {
        self.number.to()
    }

    /// Unix time in seconds.
    pub fn timestamp(&self) -> u64 {
        self.timestamp.to()
    }

    /// Whether the bloom says that a log with one of `topics` may be in the block. A hint: it can be wrong either way.
    pub fn may_hold(&self, topics: &[B256]) -> bool {
        self.logs_bloom.is_some_and(|bloom| topics.iter().any(|t| bloom.contains_input(BloomInput::Raw(t.as_slice()))))
    }

    /// Whether `bloom`, of the logs that a node shows of the block, is the block's own: then these are all.
    pub fn is_explained_by(&self, bloom: &Bloom) -> bool {
        self.logs_bloom.as_ref() == Some(bloom)
    }

    /// What is kept of it.
    pub fn block(&self) -> Block {
        Block { number: self.number(), hash: self.hash, parent_hash: self.parent_hash, timestamp: self.timestamp() }
    }
}

fn lenient_bloom<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bloom>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|t| t.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bloom: &str) -> Header {
        serde_json::from_str(&format!(
            r#"{{"number":"0x10","hash":"{h}","parentHash":"{h}","timestamp":"0x5","logsBloom":{bloom},"extra":1}}"#,
            h = B256::repeat_byte(7)
        ))
        .unwrap()
    }

    #[test]
    fn a_bloom_that_cannot_be_read_proves_nothing() {
        for bloom in ["null", r#""0x""#, r#""0x00""#, r#""nonsense""#] {
            assert!(!header(bloom).may_hold(&[B256::ZERO]), "{bloom}");
        }
        let full = format!(r#""{}""#, Bloom::repeat_byte(0xff));
        assert!(header(&full).may_hold(&[B256::ZERO]));
        assert_eq!(header("null").number(), 16);
    }
}
