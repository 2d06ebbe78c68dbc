//! Tells what happens next: a block's transactions, by chance.

use alloy::{
    primitives::{Address, Bytes, U256, aliases::U512, keccak256},
    sol_types::SolValue,
};

use super::{Emitted, Ledger, Mode, Noise, Outcome, SaleDraft, Token};
use crate::Random;

/// Investors of all sales: few, so that positions meet again and again.
const INVESTORS: u64 = 6;
/// Sales of one branch that are open at the same time, and in all.
const MOST_OPEN: usize = 3;
const MOST_SALES: usize = 40;

/// A source of transactions. What it tells depends on its seed and on the ledger below.
#[derive(Debug)]
pub struct Teller {
    random: Random,
}

impl Teller {
    /// Of a seed.
    pub fn new(random: Random) -> Self {
        Self { random }
    }

    /// The transactions of block `number`, on top of `ledger`, which becomes what stands after the block.
    pub fn block(&mut self, number: u64, ledger: &mut Ledger) -> Vec<Vec<Emitted>> {
        let count = match self.random.within(0..10) {
            0..3 => 0,
            3..9 => self.random.within(1..4),
            _ => self.random.within(4..12),
        };
        (0..count).map(|_| self.transaction(number, ledger)).collect()
    }

    fn transaction(&mut self, number: u64, ledger: &mut Ledger) -> Vec<Emitted> {
        let open = ledger.sales.values().filter(|book| book.outcome.is_none()).count();
        let per_mille = match open {
            0 if ledger.sales.is_empty() => 1_000,
            0 => 300,
            _ => 60,
        };
        let create = open < MOST_OPEN && ledger.sales.len() < MOST_SALES && self.random.chance(per_mille);
        if create {
            let draft = self.draft(number, ledger);
            let mut logs = ledger.create(&draft);
            // Bought from in the very transaction that creates it.
            if self.random.chance(300) {
                logs.extend(self.contribution(number, ledger, draft.address));
            }
            return logs;
        }
        if self.random.chance(120) {
            let noise = *self.random.pick(&Noise::ALL).expect("some");
            return vec![ledger.noise(&mut self.random, noise)];
        }
        let sales: Vec<Address> = ledger.sales.keys().copied().collect();
        let sale = *self.random.pick(&sales).expect("a sale");
        let mut logs = self.deed(number, ledger, sale);
        if self.random.chance(200) {
            logs.extend(self.aside(ledger, sale));
        }
        logs
    }

    /// Addresses depend on how many contracts there are, with few variants: on another branch the same address is often
    /// another sale, or another token.
    fn draft(&mut self, number: u64, ledger: &Ledger) -> SaleDraft {
        let variant = self.random.within(0..2);
        let address = Address::from_word(keccak256((ledger.created, variant, "sale").abi_encode()));
        let mut draft = SaleDraft::plain(address);
        draft.creator = self.random.address();
        draft.mode = match self.random.within(0..3) {
            0 => Mode::FixedPrice,
            1 => Mode::ProRata,
            _ => Mode::DutchAuction,
        };
        draft.token = Address::from_word(keccak256((ledger.created, "token").abi_encode()));
        draft.new_token = [None, Some(false), Some(true)][self.random.within(0..3) as usize];
        if self.random.chance(500) {
            draft.currency = Address::from_word(keccak256((self.random.within(0..3), "currency").abi_encode()));
        }
        draft.answers = self.answers();
        draft.wallets = self.random.within(0..3) as u8;
        draft.phases = self.random.within(1..4) as u8;
        // Before it is created, while the story is told, or never.
        draft.opens = match self.random.within(0..4) {
            0 => self.random.within(1..1 << 39),
            _ => 1_000 + self.random.within(0..6 * number + 400),
        };
        draft.hard_cap = match self.random.within(0..3) {
            0 => U256::from(1_000),
            1 => U256::from(10).pow(U256::from(20)),
            _ => (U256::from(1) << 120) - U256::from(1),
        };
        draft.name =
            ["Aurora", "", "Ωmega\u{1F680}", "'; DROP TABLE sale; --"][self.random.within(0..4) as usize].into();
        draft
    }

    fn answers(&mut self) -> Token {
        let mut token = Token::plain("USD", "Dollar", self.random.within(0..19) as u8);
        match self.random.within(0..6) {
            // As some of the first tokens do: a word instead of a string.
            0 => token.symbol = Some(keccak256("word").0.to_vec().into()),
            1 => token.decimals = None,
            2 => token.name = Some(Bytes::from_static(b"")),
            3 => token.symbol = Some(("a\0b".to_owned() + &"é".repeat(200)).abi_encode().into()),
            4 => token.decimals = Some(U256::from(1_000).abi_encode().into()),
            _ => {}
        }
        token
    }

    fn contribution(&mut self, number: u64, ledger: &mut Ledger, sale: Address) -> Option<Emitted> {
        let (investor, payer) = (self.investor(), self.investor());
        let book = &ledger.sales[&sale];
        let rejected = book.positions.get(&investor).is_some_and(|p| !p.rejections.is_zero());
        if book.outcome.is_some() || rejected {
            return None;
        }
        // Shares of a uniform price multiply what is paid: the contracts bound it by 120 bits.
        let amount = match (self.random.within(0..4), book.mode) {
            (0, Mode::FixedPrice) => U256::MAX - U256::from(self.random.within(0..9)),
            (0 | 1, _) => (U256::from(1) << 120) - U256::from(self.random.within(1..9)),
            (2, _) => U256::from(self.random.number()),
            _ => U256::from(1),
        };
        let tokens = match book.mode {
            Mode::FixedPrice if self.random.chance(100) => U256::MAX,
            Mode::FixedPrice => amount / U256::from(3),
            _ => U256::from(self.random.number()),
        };
        let phase = self.random.within(0..9) as u8;
        Some(ledger.contribute(number, sale, (investor, payer), phase, amount, tokens))
    }

    fn investor(&mut self) -> Address {
        let index = self.random.within(0..INVESTORS);
        Address::from_word(keccak256((index, "investor").abi_encode()))
    }

    /// What changes the ledger of a sale, as far along as it is.
    fn deed(&mut self, number: u64, ledger: &mut Ledger, sale: Address) -> Vec<Emitted> {
        let book = ledger.sales[&sale].clone();
        let investors: Vec<Address> = book.positions.keys().copied().collect();
        let Some(&investor) = self.random.pick(&investors) else {
            return self.contribution(number, ledger, sale).into_iter().collect();
        };
        let position = book.positions[&investor];
        let holds = !position.held().is_zero();
        let rejected = !position.rejections.is_zero();
        match (book.outcome, self.random.within(0..10)) {
            (None, 0) if holds && !rejected => vec![ledger.withdraw(number, sale, investor)],
            (None, 1) if holds && !rejected => vec![ledger.reject(number, sale, investor, self.random.address())],
            (None, 2) if holds && rejected => vec![ledger.refund(number, sale, investor, investor)],
            (None, 3) => {
                let ends = [Outcome::Succeeded, Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled];
                vec![ledger.end(sale, *self.random.pick(&ends).expect("some"))]
            }
            (None, _) => self.contribution(number, ledger, sale).into_iter().collect(),
            (Some(Outcome::Succeeded), deed) => self.after_success(number, ledger, (sale, investor), deed),
            (Some(_), _) if holds => vec![ledger.refund(number, sale, investor, self.random.address())],
            (Some(_), _) => Vec::new(),
        }
    }

    fn after_success(
        &mut self,
        number: u64,
        ledger: &mut Ledger,
        (sale, investor): (Address, Address),
        deed: u64,
    ) -> Vec<Emitted> {
        let book = ledger.sales[&sale].clone();
        let position = book.positions[&investor];
        let holds = !position.held().is_zero();
        if !position.rejections.is_zero() {
            return if holds { vec![ledger.refund(number, sale, investor, investor)] } else { Vec::new() };
        }
        let uniform = book.mode != Mode::FixedPrice;
        match deed {
            0..5 if holds => {
                let mut logs = Vec::new();
                if uniform && position.shares.is_zero() {
                    logs.push(ledger.settle(number, sale, investor));
                }
                let position = ledger.sales[&sale].positions[&investor];
                if uniform && position.excess > position.excess_refunded {
                    logs.push(ledger.refund_excess(number, sale, investor));
                }
                let tokens = if uniform { position.share_tokens } else { position.held_tokens() };
                let free = (tokens - position.claimed) / U512::from(self.random.within(1..3));
                if !free.is_zero() {
                    logs.push(ledger.claim(number, sale, investor, free));
                }
                logs
            }
            5 if holds && position.objections.is_zero() && !book.stopped => {
                let mut logs = vec![ledger.object(number, sale, investor)];
                if self.random.chance(400) {
                    logs.push(ledger.stop(sale));
                }
                logs
            }
            6 if holds && book.stopped && position.rest_refunds.is_zero() => {
                vec![ledger.refund_rest(number, sale, investor)]
            }
            7 => vec![ledger.sweep(sale, U512::from(self.random.number()))],
            _ if !book.stopped => vec![ledger.release(sale, U512::from(self.random.within(1..1_000)))],
            _ => Vec::new(),
        }
    }

    /// Something beside the money.
    fn aside(&mut self, ledger: &mut Ledger, sale: Address) -> Option<Emitted> {
        let book = ledger.sales[&sale].clone();
        match self.random.within(0..3) {
            0 => {
                let wallet = *self.random.pick(&book.wallets)?;
                Some(ledger.manage_wallet(&mut self.random, wallet, book.token))
            }
            1 if book.restricted => Some(ledger.manage_token(&mut self.random, book.token)),
            _ => Some(ledger.manage(&mut self.random, sale)),
        }
    }
}

impl Token {
    /// One that answers as it should.
    pub fn plain(symbol: &str, name: &str, decimals: u8) -> Self {
        Self {
            symbol: Some(symbol.to_owned().abi_encode().into()),
            name: Some(name.to_owned().abi_encode().into()),
            decimals: Some(U256::from(decimals).abi_encode().into()),
        }
    }
}
