//! What a seed decides.

use std::collections::VecDeque;

use e2e::{
    Random,
    peer::{Beyond, Core, Fault, Finality, LIMIT_MESSAGES, Limit, Tree, Unknown},
    story::Author,
};
use tokio::sync::mpsc::UnboundedSender;

/// Something that happens outside of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The indexer is dropped in the middle of whatever it does, and started again.
    Kill,
    /// It is asked to stop, and started again.
    Restart,
    /// Another is started beside it; the next kill or restart ends the elder.
    Twin,
    /// Postgres ends its connection.
    Terminate,
    /// The network does.
    Cut,
    /// Its next commit happens, and the answer is lost.
    LoseCommit,
    /// A statement or a commit fails, so many statements on.
    Fail(u64),
    /// The story is over.
    End,
}

/// One step of the chain.
#[derive(Clone, Copy, Debug)]
enum Step {
    Grow(u64),
    /// The last blocks become others: as many, more, or none, to grow again later.
    Reorg {
        depth: u64,
        count: u64,
    },
    Outside(Outside),
}

/// Steps, each after a number of exchanges with the node.
#[derive(Debug)]
pub struct Plan {
    steps: VecDeque<(u64, Step)>,
    author: Author,
    /// First block that is indexed.
    pub start_block: u64,
    /// Reorgs that took something away.
    pub reorgs: u64,
}

/// Depths of reorgs, the common ones often.
const DEPTHS: [u64; 10] = [1, 1, 1, 2, 3, 3, 10, 10, 64, 300];
const FINALITIES: [Option<Finality>; 6] = [
    None,
    Some(Finality { safe: 1, finalized: 3 }),
    Some(Finality { safe: 6, finalized: 12 }),
    Some(Finality { safe: 6, finalized: 12 }),
    Some(Finality { safe: 35, finalized: 70 }),
    Some(Finality { safe: 160, finalized: 320 }),
];

impl Plan {
    /// The plan of a seed, and the node that it happens to.
    pub fn new(chain_id: u64, seed: u64) -> (Self, Core) {
        let mut random = Random::of(seed);
        let finality = *random.pick(&FINALITIES).expect("some");
        let start_block = if random.chance(300) { random.within(1..4) } else { 0 };
        let mut author = Author::new(&mut random, start_block);
        let mut tree = Tree::new(chain_id, finality);
        let deep = random.chance(60);
        author.grow(&mut tree, if deep { random.within(310..340) } else { random.within(4..40) });
        let mut core = Core::new(chain_id, tree, random.fork());
        misbehave(&mut core, &mut random);

        let mut steps = VecDeque::new();
        let mut at = 0;
        for _ in 0..random.within(12..30) {
            // Often at once: what happens while something is being read is what goes wrong.
            at += if random.chance(400) { random.within(1..7) } else { random.within(4..50) };
            let step = match random.within(0..20) {
                0..8 => Step::Grow(random.within(1..5)),
                8..13 => {
                    let depth = *random.pick(&DEPTHS).expect("some");
                    let count = match random.within(0..4) {
                        0 | 1 => depth,
                        2 => depth + random.within(1..4),
                        _ => 0,
                    };
                    Step::Reorg { depth, count }
                }
                13 => Step::Outside(Outside::Restart),
                14 | 15 => Step::Outside(Outside::Kill),
                16 => Step::Outside(if random.chance(300) { Outside::Twin } else { Outside::Kill }),
                17 => Step::Outside(if random.chance(500) { Outside::Terminate } else { Outside::Cut }),
                18 => Step::Outside(Outside::LoseCommit),
                _ => Step::Outside(Outside::Fail(random.within(1..60))),
            };
            steps.push_back((at, step));
        }
        steps.push_back((at + 20, Step::Outside(Outside::End)));
        (Self { steps, author, start_block, reorgs: 0 }, core)
    }

    /// Does what is due before this exchange.
    pub fn advance(&mut self, core: &mut Core, outside: &UnboundedSender<Outside>) {
        while self.steps.front().is_some_and(|(at, _)| *at <= core.exchanges) {
            let Some((_, step)) = self.steps.pop_front() else { return };
            match step {
                Step::Grow(count) => self.author.grow(&mut core.tree, count),
                Step::Reorg { depth, count } => {
                    let now = core.tree.now();
                    // The genesis block stays: another would be another chain.
                    let most = now.head().number - now.finalized.unwrap_or(0);
                    let cut = depth.min(most);
                    let count = if count == 0 { 0 } else { count - (depth - cut).min(count) };
                    self.reorgs += u64::from(cut > 0);
                    self.author.replace(&mut core.tree, cut, count);
                }
                // Nobody listens any more when the simulation has failed.
                Step::Outside(what) => drop(outside.send(what)),
            }
        }
    }

    /// A few more blocks that everybody sees alike, up to where indexing begins at least.
    pub fn finish(&mut self, core: &mut Core) {
        core.faults.stop();
        self.author.grow(&mut core.tree, 2 + self.start_block);
    }
}

/// Chooses faults. Where blooms are wrong, a block without logs cannot be told from one whose logs are kept back: a node has
/// one of these faults or the other.
fn misbehave(core: &mut Core, random: &mut Random) {
    let honest_bloom = random.chance(600);
    for fault in Fault::COMMON {
        let of_bloom = matches!(fault, Fault::BloomNull | Fault::BloomEmpty);
        if random.chance(300) && !(of_bloom && honest_bloom) {
            core.faults.rate(fault, random.within(3..25));
        }
    }
    if honest_bloom {
        core.faults.rate(Fault::NoLogs, random.within(0..60));
        core.faults.unknown = [Unknown::Error, Unknown::Empty, Unknown::Orphan][random.within(0..3) as usize];
    } else {
        core.faults.rate(Fault::BloomZero, random.within(0..60));
    }
    if random.chance(300) {
        core.faults.beyond = Beyond::Clamp;
        for fault in [Fault::Stale, Fault::Behind, Fault::Syncing] {
            core.faults.rate(fault, 0);
        }
    }
    if random.chance(500) {
        core.faults.limit = Some(Limit {
            blocks: random.within(1..20),
            logs: if random.chance(300) { 12 } else { usize::MAX },
            message: random.within(0..LIMIT_MESSAGES.len() as u64) as usize,
        });
    }
}
