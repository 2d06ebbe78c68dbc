//! How the peer misbehaves.

use std::collections::HashMap;

use crate::Random;

/// Something that a node was seen to do. What it concerns is said per answer; the others stay right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    // Of a whole HTTP exchange.
    /// HTTP 429.
    Busy,
    /// HTTP 500 with a page.
    Broken,
    /// HTTP 200 with half of the JSON.
    Truncated,
    /// The connection closes without an answer.
    Dropped,
    /// The answer comes late.
    Slow,
    /// It never comes.
    Silent,
    // Of which chain is shown, for a whole HTTP exchange.
    /// An earlier state of the chain: another node of those behind the URL, which lags or is still on another branch.
    Stale,
    /// A head that is some blocks back.
    Behind,
    /// A node that is syncing: far back, below what is final.
    Syncing,
    // Of any method.
    /// A JSON-RPC error instead of a result.
    Refused,
    /// `null` instead of a result.
    Null,
    // Of headers.
    /// `logsBloom: null`.
    BloomNull,
    /// `logsBloom: "0x"`.
    BloomEmpty,
    /// All bits set, though there may be no log.
    BloomFull,
    /// No bit set, though there may be logs.
    BloomZero,
    // Of logs.
    /// `[]` for a block that the node has.
    NoLogs,
    /// `[]` for a range.
    NoLogsInRange,
    /// A log appears twice.
    Twice,
    /// A log names the hash of another block.
    OtherHash,
    /// A log names another height.
    OtherNumber,
    /// The order is reversed.
    Unsorted,
    /// A log is marked as removed.
    Removed,
    // Of calls.
    /// `eth_call` and `eth_getCode` do not find the state for a moment.
    NoState,
}

impl Fault {
    /// What a simulation draws from: nothing that takes long, and nothing that no index could see through.
    pub const COMMON: [Self; 18] = [
        Self::Busy,
        Self::Broken,
        Self::Truncated,
        Self::Dropped,
        Self::Slow,
        Self::Stale,
        Self::Behind,
        Self::Syncing,
        Self::Refused,
        Self::Null,
        Self::BloomNull,
        Self::BloomEmpty,
        Self::Twice,
        Self::OtherHash,
        Self::OtherNumber,
        Self::Unsorted,
        Self::Removed,
        Self::NoState,
    ];
}

/// What is answered about a block that the node does not have in its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// An error, as most do.
    #[default]
    Error,
    /// `[]`, as some do.
    Empty,
    /// The logs of the block that is no longer canonical.
    Orphan,
}

/// What is answered about a range that ends above the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// An error.
    #[default]
    Error,
    /// The part that there is.
    Clamp,
    /// `[]`.
    Empty,
}

/// A provider's limit on ranges.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Most blocks.
    pub blocks: u64,
    /// Most logs.
    pub logs: usize,
    /// Which of [`LIMIT_MESSAGES`].
    pub message: usize,
}

/// How providers say that a range is too long. `{from}` and `{to}` are those of the request: one suggests the same range again.
pub const LIMIT_MESSAGES: [(i64, &str); 6] = [
    (-32602, "query exceeds max block range"),
    (-32005, "query returned more than 10000 results. Try with this block range [{from}, {to}]."),
    (-32000, "Log response size exceeded. this block range should work: [{from}, {to}]"),
    (-32701, "Please specify an address in your request or, to remove restrictions, order a dedicated full node"),
    (35, "ranges over 10000 blocks are not supported on freetier"),
    (-32603, "request timed out"),
];

/// Which faults strike, and how often.
#[derive(Debug)]
pub struct Faults {
    random: Random,
    per_mille: HashMap<Fault, u64>,
    next: HashMap<Fault, u64>,
    /// Of blocks that are not there.
    pub unknown: Unknown,
    /// Of ranges that end above the head.
    pub beyond: Beyond,
    /// Of long ranges.
    pub limit: Option<Limit>,
    /// Answers with the logs of more blocks than this are megabytes long.
    pub bulky_above: Option<u64>,
    /// How often each struck.
    pub struck: HashMap<Fault, u64>,
}

impl Faults {
    /// None.
    pub fn new(random: Random) -> Self {
        Self {
            random,
            per_mille: HashMap::new(),
            next: HashMap::new(),
            unknown: Unknown::default(),
            beyond: Beyond::default(),
            limit: None,
            bulky_above: None,
            struck: HashMap::new(),
        }
    }

    /// In so many of a thousand cases from now on.
    pub fn rate(&mut self, fault: Fault, per_mille: u64) {
        self.per_mille.insert(fault, per_mille);
    }

    /// The next `times` that it can strike.
    pub fn next(&mut self, fault: Fault, times: u64) {
        self.next.insert(fault, times);
    }

    /// No more faults.
    pub fn stop(&mut self) {
        *self = Self { struck: std::mem::take(&mut self.struck), ..Self::new(self.random.clone()) };
    }

    /// Whether it strikes here.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = match self.next.get_mut(&fault) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => self.per_mille.get(&fault).is_some_and(|rate| self.random.chance(*rate)),
        };
        if strikes {
            *self.struck.entry(fault).or_default() += 1;
        }
        strikes
    }

    /// The first of several that strikes.
    pub fn first(&mut self, faults: &[Fault]) -> Option<Fault> {
        faults.iter().copied().find(|fault| self.strikes(*fault))
    }

    /// A number below `end`.
    pub fn number(&mut self, end: u64) -> u64 {
        self.random.within(0..end.max(1))
    }
}
