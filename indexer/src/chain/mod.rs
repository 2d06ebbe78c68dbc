//! The node's side: headers, logs and tags, each answer checked before it is believed. Nothing here knows the database.
//!
//! A node can lie in ways that look like an empty chain: one that lags behind its load balancer answers `[]` beyond its head,
//! some clamp a range silently, some forget the logs of a block they serve. So the logs of a head block are asked for by its
//! hash, a range ends at a block that the same node has just shown, and every log must name the block that it was asked of.

mod account;
mod error;
mod figures;
mod header;
mod logs;
mod node;
mod nodes;
mod nonce;
mod token;
mod transport;
mod wire;

pub use account::{Called, Fees, Receipt, Sent};
pub use error::ChainError;
pub use figures::{PositionFigures, SaleFigures, VaultFigures};
pub use header::Header;
pub use logs::Range;
pub use node::{Heads, Node};
pub use nodes::Nodes;
pub use nonce::Found;

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use alloy::primitives::B256;
use tracing::{info, warn};

/// A chain behind one or more nodes that serve the same id. Requests of one step go to one node.
#[derive(Debug)]
pub struct Chain {
    nodes: RwLock<Vec<Node>>,
    /// Nodes that have not answered yet; each is tried again when another one fails.
    missing: RwLock<Vec<String>>,
    current: AtomicUsize,
    chain_id: u64,
    genesis_hash: B256,
}

impl Chain {
    /// Connects to the nodes and checks that all serve the same chain, `expected` if it is given. One that does not answer is left
    /// for later, as long as another does.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] if none answers, [`ChainError::WrongChain`], [`ChainError::OtherGenesis`].
    pub async fn connect(urls: &[String], expected: Option<u64>) -> Result<Self, ChainError> {
        let mut nodes = Vec::with_capacity(urls.len());
        let mut missing = Vec::new();
        let mut unreachable = None;
        let mut identity = None;
        for url in urls {
            match open(url, expected, identity).await {
                Ok((node, found)) => {
                    identity = Some(found);
                    nodes.push(node);
                }
                Err(error @ ChainError::Unreachable { .. }) => {
                    missing.push(url.clone());
                    unreachable.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        let Some((chain_id, genesis_hash)) = identity else {
            return Err(unreachable.unwrap_or(ChainError::NoNode));
        };
        if let Some(error) = unreachable {
            warn!(%error, "going on with the other nodes");
        }
        let (nodes, missing) = (RwLock::new(nodes), RwLock::new(missing));
        Ok(Self { nodes, missing, current: AtomicUsize::new(0), chain_id, genesis_hash })
    }

    /// EIP-155 id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Hash of block 0.
    pub fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// The node that is asked at present. A clone is the same connection.
    pub fn node(&self) -> Node {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes[self.current.load(Ordering::Relaxed) % nodes.len()].clone()
    }

    /// Asks the present node, and the others in turn while they fail.
    ///
    /// # Errors
    /// The last node's.
    pub async fn ask<T, F>(&self, ask: impl Fn(Node) -> F) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, ChainError>>,
    {
        let mut more = self.nodes.read().unwrap_or_else(PoisonError::into_inner).len();
        loop {
            more = more.saturating_sub(1);
            match ask(self.node()).await {
                Err(error) if error.is_transient() => {
                    self.rotate().await;
                    if more == 0 {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }

    /// Another node of the same chain, which is asked when one fails.
    fn join(&self, url: String, its: &Self) -> Result<(), ChainError> {
        if its.genesis_hash != self.genesis_hash {
            let (expected, found) = (self.genesis_hash, its.genesis_hash);
            return Err(ChainError::OtherGenesis { node: its.node().name().to_owned(), expected, found });
        }
        self.missing.write().unwrap_or_else(PoisonError::into_inner).push(url);
        Ok(())
    }

    /// Turns to the next node, after an error of this one, and tries those that have not answered yet.
    pub async fn rotate(&self) {
        let missing = std::mem::take(&mut *self.missing.write().unwrap_or_else(PoisonError::into_inner));
        for url in missing {
            match open(&url, Some(self.chain_id), Some((self.chain_id, self.genesis_hash))).await {
                Ok((node, _)) => {
                    info!(node = node.name(), "the node answers now");
                    self.nodes.write().unwrap_or_else(PoisonError::into_inner).push(node);
                }
                Err(error @ ChainError::Unreachable { .. }) => {
                    tracing::debug!(%error, "still no answer");
                    self.missing.write().unwrap_or_else(PoisonError::into_inner).push(url);
                }
                Err(error) => warn!(%error, "the node is left out"),
            }
        }
        self.current.fetch_add(1, Ordering::Relaxed);
    }
}

/// Chain id and genesis hash.
type Identity = (u64, B256);

/// Connects to a node and checks what it serves.
async fn open(url: &str, expected: Option<u64>, known: Option<Identity>) -> Result<(Node, Identity), ChainError> {
    let node = Node::connect(url).await?;
    let found = node.chain_id().await.map_err(|e| e.at_start(node.name()))?;
    let wanted = expected.or(known.map(|(id, _)| id)).unwrap_or(found);
    if found != wanted {
        return Err(ChainError::WrongChain { node: node.name().to_owned(), expected: wanted, found });
    }
    let genesis = node.get_header(0).await.map_err(|e| e.at_start(node.name()))?.hash;
    match known {
        Some((_, first)) if first != genesis => {
            Err(ChainError::OtherGenesis { node: node.name().to_owned(), expected: first, found: genesis })
        }
        _ => Ok((node, (found, genesis))),
    }
}
