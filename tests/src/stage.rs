//! A misbehaving node, a chain with a story, and a database beside it: [`World`](crate::World) without anvil.

use alloy::primitives::B256;
use crowdsale::sync::Options;

use crate::{
    Database, Local, Random, mistakes,
    peer::{Block, Core, Finality, Peer, Tree, View},
    rest,
    story::{Author, Emitted, FACTORY, Ledger},
};

/// Everything that a test of one fault needs.
#[derive(Debug)]
pub struct Stage {
    /// The node.
    pub peer: Peer,
    /// Who writes its chain.
    pub author: Author,
    /// The database.
    pub database: Database,
    /// How it is indexed.
    pub options: Options,
    salts: Random,
}

impl Stage {
    /// A chain of a seed, of one block. Without `finality` the node knows no such tags.
    pub async fn new(seed: u64, finality: Option<Finality>) -> Self {
        let mut random = Random::of(seed);
        let core = Core::new(31_000 + seed, Tree::new(31_000 + seed, finality), random.fork());
        Self {
            author: Author::new(&mut random, 0),
            salts: random.fork(),
            peer: Peer::start(core).await,
            database: Database::migrated().await,
            options: Local::options(FACTORY, 0),
        }
    }

    /// New blocks at the head.
    pub fn grow(&mut self, count: u64) {
        self.author.grow(&mut self.peer.core().tree, count);
    }

    /// The last `depth` blocks become `count` others.
    pub fn reorg(&mut self, depth: u64, count: u64) {
        self.author.replace(&mut self.peer.core().tree, depth, count);
    }

    /// The chain now.
    pub fn view(&self) -> View {
        self.peer.core().tree.now().clone()
    }

    /// A block on the head with just what `write` says: it gets the block's number and the ledger, and returns transactions.
    pub fn write(&mut self, write: impl FnOnce(u64, &mut Ledger) -> Vec<Vec<Emitted>>) {
        let block = self.block_on(self.view().head(), write);
        self.peer.core().tree.replace(block.number - 1, vec![block]);
    }

    /// The same on any block, not shown yet.
    pub fn block_on(&mut self, parent: &Block, write: impl FnOnce(u64, &mut Ledger) -> Vec<Vec<Emitted>>) -> Block {
        let mut ledger = (*parent.ledger).clone();
        let transactions = write(parent.number + 1, &mut ledger);
        parent.next(self.salts.word(), transactions, ledger)
    }

    /// Another node of the same chain, which goes its own way from now on.
    pub async fn second_node(&mut self) -> Peer {
        let (chain_id, tree) = {
            let core = self.peer.core();
            (core.chain_id, core.tree.clone())
        };
        Peer::start(Core::new(chain_id, tree, self.salts.fork())).await
    }

    /// Starts an indexer.
    pub fn index(&self) -> Local {
        Local::follow(&self.peer.url, &self.database, &self.options)
    }

    /// Waits until it has seen everything.
    pub async fn rest(&self, indexer: &mut Local) {
        rest(&self.database, &self.view(), std::slice::from_mut(indexer)).await;
    }

    /// Everything goes right from now on: after two more blocks the database must say what a fresh index says, and the chain's
    /// own ledger.
    pub async fn agree(&mut self, indexer: &mut Local) {
        {
            let mut core = self.peer.core();
            core.faults.stop();
            core.director = None;
        }
        self.grow(2);
        self.rest(indexer).await;
        let fresh = Database::migrated().await;
        let mistakes = mistakes(&self.peer, &self.options, &self.database, &fresh).await;
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
        assert!(self.database.number("SELECT count(*) FROM contribution").await > 0, "the story is not empty");
    }

    /// A random word: a salt, or whatever else must be new.
    pub fn word(&mut self) -> B256 {
        self.salts.word()
    }
}
