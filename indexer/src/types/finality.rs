//! How final a block is: by the node's own `safe` and `finalized` tags, never by counting confirmations.

use serde::Serialize;
use utoipa::ToSchema;

/// How final a record is. `latest` can still be reorged away, `finalized` cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Finality {
    /// In the canonical chain as the indexer sees it; a reorg can remove it.
    Latest,
    /// At or below the node's `safe` block.
    Safe,
    /// At or below the node's `finalized` block.
    Finalized,
}

impl Finality {
    /// As JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Safe => "safe",
            Self::Finalized => "finalized",
        }
    }
}

/// The heights that tell the finality of everything else, as of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tips {
    /// Highest block that is indexed.
    pub indexed: i64,
    /// The node's head when it was last asked.
    pub head: i64,
    /// The node's `safe` block; below it a reorg needs an attack on the network.
    pub safe: i64,
    /// The node's `finalized` block; it never goes back.
    pub finalized: i64,
}

impl Tips {
    /// The finality of block `number`.
    pub fn finality(&self, number: i64) -> Finality {
        if number <= self.finalized {
            Finality::Finalized
        } else if number <= self.safe {
            Finality::Safe
        } else {
            Finality::Latest
        }
    }

    /// Blocks on top of `number`, itself included; zero if it is above the head.
    pub fn confirmations(&self, number: i64) -> i64 {
        (self.head.max(self.indexed) - number + 1).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finality_follows_the_tags() {
        let tips = Tips { indexed: 100, head: 101, safe: 96, finalized: 92 };
        assert_eq!(tips.finality(92), Finality::Finalized);
        assert_eq!(tips.finality(93), Finality::Safe);
        assert_eq!(tips.finality(96), Finality::Safe);
        assert_eq!(tips.finality(97), Finality::Latest);
        assert_eq!(tips.confirmations(101), 1);
        assert_eq!(tips.confirmations(92), 10);
        assert_eq!(tips.confirmations(102), 0);
    }
}
