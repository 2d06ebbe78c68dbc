//! A node that makes its chain when it is asked, and keeps none of it: anvil needs 6 KB for each event, so it cannot hold millions.
//!
//! ```text
//! block 0 │ sales, a hundred in a block │ contributions, a hundred in a block │ empty
//! ```
//!
//! Every block is a function of its number, every contribution of its index, and what an index must come to is a formula. All that
//! is shown is final.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy::primitives::{Address, B256, U256, keccak256};
use axum::{Router, body::Bytes, extract::State, routing::post, serve::ListenerExt};
use crowdsale::contracts::FixedPriceSale::Contributed;
use e2e::story::{Emitted, FACTORY, Ledger, SaleDraft};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{answer, fixture::PER_BLOCK};

/// Paid by each contribution.
pub const AMOUNT: u64 = 1_234_567_890_123_456;
/// Bought by each contribution.
pub const TOKENS: u64 = 12_345_678_901_234_567_890;
/// Pays for all.
const PAYER: Address = Address::repeat_byte(0xcc);

/// What is on the chain.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Sales of the factory.
    pub sales: u64,
    /// Those that are contributed to, the first ones.
    pub busy: u64,
    /// Wallets that contribute in turns, each once a turn.
    pub investors: u64,
    /// Contributions in all.
    pub events: u64,
    /// Whether [`skew`] says who contributes to what, and every sale has a name of its own.
    pub skewed: bool,
}

/// Wallets of a skewed chain that contribute everywhere.
pub const REGULARS: u64 = 50;

/// Where a contribution of a skewed chain goes: the numbers of sale and wallet, and how many the sale and the wallet in it had before.
/// Of ten, six go to the first sale, one to each of the next two, and two to one of the others in turns. Half of the first sale's, and
/// the first two of each other's, are of the regulars.
pub fn skew(index: u64, sales: u64, investors: u64) -> (u64, u64, [u64; 2]) {
    let (turn, place) = (index / 10, index % 10);
    let others = investors - REGULARS;
    match place {
        0..6 => {
            let before = turn * 6 + place;
            let (half, of) = (before / 2, if before.is_multiple_of(2) { REGULARS } else { others });
            let wallet = half % of + if of == REGULARS { 0 } else { REGULARS };
            (0, wallet, [before, half / of])
        }
        6 | 7 => (place - 5, REGULARS + turn % others, [turn, turn / others]),
        _ => {
            let small = turn * 2 + place - 8;
            let (sale, before) = (small % (sales - 3), small / (sales - 3));
            let wallet = if before < 2 { (sale + before) % REGULARS } else { REGULARS + (sale * 37 + before) % others };
            (3 + sale, wallet, [before, 0])
        }
    }
}

impl Plan {
    /// The last block that creates sales.
    pub fn founded(&self) -> u64 {
        self.sales.div_ceil(PER_BLOCK)
    }

    /// The block that holds the contribution at the end of so many.
    pub fn height_of(&self, events: u64) -> u64 {
        self.founded() + events.div_ceil(PER_BLOCK)
    }

    /// Contributions after which a wallet contributes to the same sale again: there are as many positions.
    pub fn cycle(&self) -> u64 {
        let (mut a, mut b) = (self.busy, self.investors);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        self.busy / a * self.investors
    }
}

/// A chain as its node knows it.
pub struct Made {
    pub plan: Plan,
    height: AtomicU64,
    /// Of those that are contributed to.
    sales: Vec<Address>,
    investors: Vec<Address>,
}

impl Made {
    fn new(plan: Plan) -> Self {
        let investors = (0..plan.investors).map(investor).collect();
        let sales = (0..plan.busy).map(sale).collect();
        Self { plan, height: AtomicU64::new(0), sales, investors }
    }

    /// The head, which is final.
    pub fn height(&self) -> u64 {
        self.height.load(Ordering::Relaxed)
    }

    /// Numbers of the sales and contributions in a block, of which one is empty.
    fn content(&self, block: u64) -> (std::ops::Range<u64>, std::ops::Range<u64>) {
        let cut = |blocks: u64, most: u64| (blocks * PER_BLOCK).min(most)..((blocks + 1) * PER_BLOCK).min(most);
        match block.checked_sub(self.plan.founded() + 1) {
            Some(later) => (0..0, cut(later, self.plan.events)),
            None => (block.checked_sub(1).map_or(0..0, |b| cut(b, self.plan.sales)), 0..0),
        }
    }

    /// Whether a block holds logs.
    pub fn has_logs(&self, block: u64) -> bool {
        let (sales, contributions) = self.content(block);
        !sales.is_empty() || !contributions.is_empty()
    }

    /// The logs of a block: creations and contributions, each if it is wanted.
    pub fn logs(&self, block: u64, wanted: (bool, bool)) -> impl Iterator<Item = Emitted> {
        let (sales, contributions) = self.content(block);
        let skewed = self.plan.skewed;
        let sales = sales.filter(move |_| wanted.0).map(move |index| created(index, skewed));
        sales.chain(contributions.filter(move |_| wanted.1).map(|i| self.contributed(i)))
    }

    fn contributed(&self, index: u64) -> Emitted {
        let Plan { busy, investors, skewed, .. } = self.plan;
        let (sale, investor, [of_sale, of_investor]) = if skewed {
            skew(index, busy, investors)
        } else {
            (index % busy, index % investors, [index / busy, index / self.plan.cycle()])
        };
        let times = |each: u64, before: u64| U256::from(each) * U256::from(before + 1);
        let event = Contributed {
            investor: self.investors[investor as usize],
            payer: PAYER,
            phase: U256::ZERO,
            amount: U256::from(AMOUNT),
            tokens: U256::from(TOKENS),
            paid: times(AMOUNT, of_investor),
            raised: times(AMOUNT, of_sale),
            sold: times(TOKENS, of_sale),
        };
        Emitted { address: self.sales[sale as usize], data: alloy::sol_types::SolEvent::encode_log_data(&event) }
    }
}

fn address(what: &str, index: u64) -> Address {
    Address::from_word(keccak256([what.as_bytes(), &index.to_be_bytes()].concat()))
}

/// Where a sale stands.
pub fn sale(index: u64) -> Address {
    address("sale", index)
}

/// A wallet that contributes.
pub fn investor(index: u64) -> Address {
    address("investor", index)
}

/// What the factory says of a new sale, with a token that existed before.
fn created(index: u64, named: bool) -> Emitted {
    let mut draft = SaleDraft::plain(sale(index));
    if named {
        draft.name = format!("Aurora {index}");
    }
    draft.new_token = None;
    draft.wallets = 0;
    Ledger::default().create(&draft).remove(0)
}

/// It ends in the number, so that a block is found by its hash.
pub fn hash(block: u64) -> B256 {
    let mut hash = keccak256(block.to_be_bytes());
    hash[24..].copy_from_slice(&block.to_be_bytes());
    hash
}

/// The number in a hash, if it is one of ours.
pub fn number(of: B256) -> Option<u64> {
    let number = u64::from_be_bytes(of[24..].try_into().unwrap());
    (hash(number) == of).then_some(number)
}

/// The node. It ends with the value.
pub struct MadeNode {
    pub url: String,
    pub factory: Address,
    pub chain: Arc<Made>,
    serving: JoinHandle<()>,
}

impl MadeNode {
    /// Listens on a free port; the chain is at its first block.
    pub async fn start(plan: Plan) -> Self {
        let chain = Arc::new(Made::new(plan));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let exchange = async |State(chain): State<Arc<Made>>, body: Bytes| answer::exchange(&chain, &body);
        let router = Router::new().route("/", post(exchange)).with_state(chain.clone());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, factory: FACTORY, chain, serving }
    }

    /// Its head is at `height` from now on.
    pub fn show(&self, height: u64) {
        self.chain.height.store(height, Ordering::Relaxed);
    }
}

impl Drop for MadeNode {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
