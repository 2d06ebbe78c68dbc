//! Writes a chain: blocks with what the teller tells.

use super::Teller;
use crate::{Random, peer::Tree};

/// A source of blocks.
#[derive(Debug)]
pub struct Author {
    teller: Teller,
    salts: Random,
    /// Blocks up to this one stay empty.
    pub quiet: u64,
}

impl Author {
    /// Of a seed; nothing happens up to block `quiet`.
    pub fn new(random: &mut Random, quiet: u64) -> Self {
        Self { teller: Teller::new(random.fork()), salts: random.fork(), quiet }
    }

    /// Puts `count` new blocks on the head.
    pub fn grow(&mut self, tree: &mut Tree, count: u64) {
        self.replace(tree, 0, count);
    }

    /// Takes the last `depth` blocks away and puts `count` new ones in their place, seen by everybody at once.
    pub fn replace(&mut self, tree: &mut Tree, depth: u64, count: u64) {
        let keep = tree.now().head().number - depth;
        let mut below = tree.now().at(keep).expect("a canonical block").clone();
        let mut blocks = Vec::new();
        for number in keep + 1..=keep + count {
            let mut ledger = (*below.ledger).clone();
            let quiet = number <= self.quiet;
            let transactions = if quiet { Vec::new() } else { self.teller.block(number, &mut ledger) };
            let block = below.next(self.salts.word(), transactions, ledger);
            blocks.push(block.clone());
            below = block.into();
        }
        tree.replace(keep, blocks);
    }
}
