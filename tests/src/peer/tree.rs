//! The blocks of a chain, on all its branches, and every state that the chain was ever in.

use std::{collections::HashMap, sync::Arc};

use alloy::{
    primitives::{B256, Bloom, BloomInput, keccak256},
    sol_types::SolValue,
};

use crate::story::{Emitted, Ledger};

/// A log in its block; its index there is its place in [`Block::logs`].
#[derive(Clone, Debug)]
pub struct BlockLog {
    /// What was emitted.
    pub emitted: Emitted,
    /// Index of the transaction.
    pub transaction: usize,
}

/// A block. It never changes; a branch that is gone still has it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block below.
    pub parent: B256,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// Of all logs, as Ethereum has it.
    pub bloom: Bloom,
    /// Hashes of the transactions.
    pub transactions: Vec<B256>,
    /// Logs in their order.
    pub logs: Vec<BlockLog>,
    /// What the contracts hold after it.
    pub ledger: Arc<Ledger>,
}

impl Block {
    fn genesis(chain_id: u64) -> Self {
        Self {
            number: 0,
            hash: keccak256((chain_id, "genesis").abi_encode()),
            parent: B256::ZERO,
            timestamp: 1_000,
            bloom: Bloom::ZERO,
            transactions: Vec::new(),
            logs: Vec::new(),
            ledger: Arc::default(),
        }
    }

    /// The block that `salt` puts on top of this one: another salt, another hash. A transaction has its hash from what it does,
    /// so the same can stand in blocks of two branches.
    pub fn next(&self, salt: B256, transactions: Vec<Vec<Emitted>>, ledger: Ledger) -> Self {
        let number = self.number + 1;
        let mut bloom = Bloom::ZERO;
        let (mut hashes, mut logs) = (Vec::new(), Vec::new());
        for (transaction, emitted) in transactions.into_iter().enumerate() {
            let mut seed = (transaction as u64).abi_encode();
            for one in emitted {
                bloom.accrue(BloomInput::Raw(one.address.as_slice()));
                for topic in one.data.topics() {
                    bloom.accrue(BloomInput::Raw(topic.as_slice()));
                }
                seed.extend_from_slice(&one.data.data);
                logs.push(BlockLog { emitted: one, transaction });
            }
            hashes.push(keccak256(seed));
        }
        Self {
            number,
            hash: keccak256((self.hash, salt).abi_encode()),
            parent: self.hash,
            // Another on every branch; now and then it stands still, as on chains with several blocks a second.
            timestamp: self.timestamp + (number + u64::from(salt[0])) % 13,
            bloom,
            transactions: hashes,
            logs,
            ledger: Arc::new(ledger),
        }
    }
}

/// A chain as a node shows it at one moment: no answer mixes two of them, unless it is meant to.
#[derive(Clone, Debug)]
pub struct View {
    /// The canonical blocks, by height.
    pub blocks: Arc<Vec<Arc<Block>>>,
    /// `safe`, where the node knows one.
    pub safe: Option<u64>,
    /// `finalized`, where the node knows one.
    pub finalized: Option<u64>,
}

impl View {
    /// The block at the head.
    pub fn head(&self) -> &Arc<Block> {
        self.blocks.last().expect("a genesis block")
    }

    /// The canonical block of a height.
    pub fn at(&self, number: u64) -> Option<&Arc<Block>> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    /// Whether a block is canonical.
    pub fn has(&self, hash: B256) -> bool {
        self.blocks.iter().rev().any(|b| b.hash == hash)
    }

    /// The same without the blocks above a height.
    pub fn below(&self, head: u64) -> Self {
        let blocks = Arc::new(self.blocks.iter().take(head as usize + 1).cloned().collect());
        Self { blocks, safe: self.safe.map(|n| n.min(head)), finalized: self.finalized.map(|n| n.min(head)) }
    }
}

/// How far `safe` and `finalized` are behind the head.
#[derive(Clone, Copy, Debug)]
pub struct Finality {
    /// Blocks that `safe` is behind.
    pub safe: u64,
    /// Blocks that `finalized` is behind.
    pub finalized: u64,
}

/// Everything that the chain is and was.
#[derive(Clone, Debug)]
pub struct Tree {
    views: Vec<View>,
    by_hash: HashMap<B256, Arc<Block>>,
    finality: Option<Finality>,
}

impl Tree {
    /// A chain of one block. Without `finality` the node knows no such tags.
    pub fn new(chain_id: u64, finality: Option<Finality>) -> Self {
        let genesis = Arc::new(Block::genesis(chain_id));
        let by_hash = HashMap::from([(genesis.hash, genesis.clone())]);
        let zero = finality.map(|_| 0);
        let view = View { blocks: Arc::new(vec![genesis]), safe: zero, finalized: zero };
        Self { views: vec![view], by_hash, finality }
    }

    /// The chain now.
    pub fn now(&self) -> &View {
        self.views.last().expect("a view")
    }

    /// All states that it was in, the present one last.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// A block of any branch.
    pub fn find(&self, hash: B256) -> Option<&Arc<Block>> {
        self.by_hash.get(&hash)
    }

    /// Forgets the blocks above `keep`, puts others in their place, and shows the result at once.
    ///
    /// # Panics
    /// If a block does not stand on the one before it, or one that is final would go.
    pub fn replace(&mut self, keep: u64, blocks: Vec<Block>) {
        assert!(self.now().finalized.is_none_or(|final_| keep >= final_), "a final block would go");
        self.rewrite(keep, blocks);
    }

    /// The same, whatever is final: no honest chain does that.
    pub fn rewrite(&mut self, keep: u64, blocks: Vec<Block>) {
        let now = self.now().clone();
        let mut all: Vec<Arc<Block>> = now.blocks.iter().take(keep as usize + 1).cloned().collect();
        for block in blocks {
            let block = Arc::new(block);
            assert_eq!(Some(block.parent), all.last().map(|b| b.hash), "the blocks are a chain");
            self.by_hash.insert(block.hash, block.clone());
            all.push(block);
        }
        let head = all.len() as u64 - 1;
        let finalized = self.finality.map(|f| head.saturating_sub(f.finalized).max(now.finalized.unwrap_or(0)));
        let safe = self.finality.map(|f| head.saturating_sub(f.safe).max(finalized.unwrap_or(0)));
        self.views.push(View { blocks: Arc::new(all), safe, finalized });
    }

    /// The tags move without a block.
    pub fn finalize(&mut self, finality: Finality) {
        self.finality = Some(finality);
        self.replace(self.now().head().number, Vec::new());
    }
}
