//! The node's side: headers, logs and tags, each answer checked before it is believed. Nothing here knows the database.
//!
//! A node can lie in ways that look like an empty chain: one that lags behind its load balancer answers `[]` beyond its head,
//! some clamp a range silently, some forget the logs of a block they serve. So the logs of a head block are asked for by its
//! hash, a range ends at a block that the same node has just shown, and every log must name the block that it was asked of.

mod error;
mod figures;
mod header;
mod node;

pub use error::ChainError;
pub use figures::{PositionFigures, SaleFigures, VaultFigures};
pub use header::Header;
pub use node::{Heads, Node};

use std::sync::atomic::{AtomicUsize, Ordering};

use alloy::primitives::B256;

/// A chain behind one or more nodes that serve the same id. Requests of one step go to one node.
#[derive(Debug)]
pub struct Chain {
    nodes: Vec<Node>,
    current: AtomicUsize,
    chain_id: u64,
    genesis_hash: B256,
}

impl Chain {
    /// Connects to the nodes and checks that all serve the same chain, `expected` if it is given.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`], [`ChainError::WrongChain`], [`ChainError::OtherGenesis`].
    pub async fn connect(urls: &[String], expected: Option<u64>) -> Result<Self, ChainError> {
        let mut nodes = Vec::with_capacity(urls.len());
        let mut identity = None;
        for url in urls {
            let node = Node::connect(url).await?;
            let found = node.chain_id().await.map_err(|e| e.at_start(node.name()))?;
            let wanted = expected.or(identity.map(|(id, _)| id)).unwrap_or(found);
            if found != wanted {
                return Err(ChainError::WrongChain { node: node.name().to_owned(), expected: wanted, found });
            }
            let genesis = node.get_header(0).await?.hash;
            match identity {
                Some((_, first)) if first != genesis => {
                    return Err(ChainError::OtherGenesis {
                        node: node.name().to_owned(),
                        expected: first,
                        found: genesis,
                    });
                }
                _ => identity = Some((found, genesis)),
            }
            nodes.push(node);
        }
        let (chain_id, genesis_hash) = identity.ok_or(ChainError::NoNode)?;
        Ok(Self { nodes, current: AtomicUsize::new(0), chain_id, genesis_hash })
    }

    /// EIP-155 id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Hash of block 0.
    pub fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// The node that is asked at present.
    pub fn node(&self) -> &Node {
        &self.nodes[self.current.load(Ordering::Relaxed) % self.nodes.len()]
    }

    /// Turns to the next node, after an error of this one.
    pub fn rotate(&self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }
}
