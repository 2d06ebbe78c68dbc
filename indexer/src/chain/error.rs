//! What can go wrong with a node.

use alloy::primitives::B256;

/// An error of a node. Names of nodes are host and port: the rest of a URL can hold a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No URL was given.
    #[error("no node is configured")]
    NoNode,
    /// The URL is none that a node could have.
    #[error("the node's URL cannot be used: {0}")]
    Url(String),
    /// The node does not answer at start.
    #[error("cannot reach the node at {node}: {reason}")]
    Unreachable {
        /// Host and port.
        node: String,
        /// Why.
        reason: String,
    },
    /// It has not said yet which chain it serves.
    #[error("a node has not answered yet")]
    NotYet,
    /// The node serves another chain.
    #[error("the node at {node} serves chain {found}, not {expected}")]
    WrongChain {
        /// Host and port.
        node: String,
        /// Chain that was asked for.
        expected: u64,
        /// Chain that it serves.
        found: u64,
    },
    /// The node serves a chain with the same id and another first block.
    #[error("the node at {node} serves another chain with the same id: its genesis is {found}, the others' {expected}")]
    OtherGenesis {
        /// Host and port.
        node: String,
        /// Genesis hash of the first node.
        expected: B256,
        /// Genesis hash of this node.
        found: B256,
    },
    /// A request failed.
    #[error("{method} failed at {node}: {reason}")]
    Request {
        /// JSON-RPC method.
        method: &'static str,
        /// Host and port.
        node: String,
        /// Why.
        reason: String,
    },
    /// A request was not answered in time.
    #[error("{method} failed at {node}: no answer within {seconds} s")]
    NoAnswer {
        /// JSON-RPC method.
        method: &'static str,
        /// Host and port.
        node: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The node has no block where it must have one.
    #[error("{node} has no block {number}")]
    NoBlock {
        /// Host and port.
        node: String,
        /// Height.
        number: u64,
    },
    /// An answer contradicts itself or another answer.
    #[error("{node} contradicts itself: {what}")]
    Inconsistent {
        /// Host and port.
        node: String,
        /// What does not fit.
        what: String,
    },
}

impl ChainError {
    /// Whether asking again, or another node, can help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NotYet
                | Self::Request { .. }
                | Self::NoAnswer { .. }
                | Self::NoBlock { .. }
                | Self::Inconsistent { .. }
        )
    }

    /// Whether asking the same node for less, or in another way, can help. One that keeps silent is not asked again at once:
    /// another may answer meanwhile.
    pub fn is_answer(&self) -> bool {
        self.is_transient() && !matches!(self, Self::NoAnswer { .. })
    }

    /// Whether a call took more gas than it was given, in the words of nodes that take this for no refusal.
    pub fn is_out_of_gas(&self) -> bool {
        let Self::Request { reason, .. } = self else { return false };
        let reason = reason.to_lowercase();
        reason.contains("out of gas") || reason.contains("outofgas")
    }

    /// Whether the node has not kept the state that was asked for. Each has its own words, but for the code that most give with them.
    pub fn is_state_gone(&self) -> bool {
        const WORDS: [&str; 6] = ["trie node", "prune", "archive", "historical state", "out of range", "outofrange"];
        let Self::Request { reason, .. } = self else { return false };
        let reason = reason.to_lowercase();
        let is_of_state =
            || reason.contains("state") && ["available", "no state", "not found"].iter().any(|w| reason.contains(w));
        WORDS.iter().any(|w| reason.contains(w)) || is_of_state() || reason.contains("(code -32000)")
    }

    /// A failed first request means that the node is not there.
    pub(super) fn at_start(self, node: &str) -> Self {
        match self {
            Self::Request { reason, .. } => Self::Unreachable { node: node.to_owned(), reason },
            Self::NoAnswer { seconds, .. } => {
                Self::Unreachable { node: node.to_owned(), reason: format!("no answer within {seconds} s") }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_that_is_gone_is_told_from_a_node_that_is_asked_too_much() {
        let said = |reason: &str| {
            let reason = reason.to_owned();
            ChainError::Request { method: "eth_getTransactionCount", node: "node".to_owned(), reason }.is_state_gone()
        };
        for reason in [
            "missing trie node 1b2c (path ) state 0x1b2c is not available (code -32000)",
            "historical state 1b2c is not available (code -32000)",
            "state at block #12 is pruned (code -32602)",
            "No state available for block 12 (code -32002)",
            "World state unavailable (code -32001)",
            "BlockOutOfRangeError: block height is 20 but requested was 12 (code -32602)",
            "Archive requests require a plan (code -32600)",
        ] {
            assert!(said(reason), "{reason}");
        }
        for reason in ["too many requests (code 429)", "daily request count exceeded (code -32005)", "HTTP error 502"] {
            assert!(!said(reason), "{reason}");
        }
    }
}
