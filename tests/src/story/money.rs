//! What moves money or tokens. Each function changes the ledger as the contract would, and returns what it emits.

use alloy::primitives::{Address, U256, aliases::U512};
use crowdsale::contracts::{FixedPriceSale as S, RefundVault as V};

use super::{
    Emitted, Ledger, Mode, Outcome, Position,
    ledger::{Book, wide, word},
};

const ONE: U512 = U512::from_limbs([1, 0, 0, 0, 0, 0, 0, 0]);

/// No event moves more than a word can say.
fn fit(value: U512) -> U512 {
    wide(word(value))
}

impl Ledger {
    /// Somebody pays, for an investor that was not rejected, before the outcome.
    pub fn contribute(
        &mut self,
        block: u64,
        sale: Address,
        (investor, payer): (Address, Address),
        phase: u8,
        amount: U256,
        tokens: U256,
    ) -> Emitted {
        let book = self.book(sale);
        let is_new = !book.positions.contains_key(&investor);
        let position = book.positions.entry(investor).or_default();
        position.paid += wide(amount);
        position.tokens += wide(tokens);
        position.contributions += ONE;
        position.last_block = U512::from(block);
        let paid = word(position.held());
        let totals = &mut book.totals;
        totals.investors += U512::from(u8::from(is_new));
        totals.contributions += ONE;
        totals.raised += wide(amount);
        totals.sold += wide(tokens);
        let (raised, sold) = (word(totals.raised), word(totals.sold));
        let phase = U256::from(phase);
        self.by(sale, "contribution", &S::Contributed { investor, payer, phase, amount, tokens, paid, raised, sold })
    }

    /// The whole position leaves, within the cooling-off.
    pub fn withdraw(&mut self, block: u64, sale: Address, investor: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let (amount, tokens) = (fit(position.held()), fit(position.held_tokens()));
        position.withdrawn += amount;
        position.withdrawn_tokens += tokens;
        book.withdrawn += amount;
        book.withdrawals += ONE;
        book.raised -= amount;
        book.sold -= tokens;
        let event = S::Withdrawn {
            investor,
            to: investor,
            amount: word(amount),
            tokens: word(tokens),
            raised: word(book.raised),
            sold: word(book.sold),
        };
        self.by(sale, "withdrawal", &event)
    }

    /// Compliance takes the position out of the totals.
    pub fn reject(&mut self, block: u64, sale: Address, investor: Address, by: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let (amount, tokens) = (fit(position.held()), fit(position.held_tokens()));
        position.rejections += ONE;
        position.rejected += amount;
        position.rejected_tokens += tokens;
        book.rejections += ONE;
        book.rejected += amount;
        book.raised -= amount;
        book.sold -= tokens;
        let event = S::Rejected {
            investor,
            by,
            amount: word(amount),
            tokens: word(tokens),
            raised: word(book.raised),
            sold: word(book.sold),
        };
        self.by(sale, "rejection", &event)
    }

    /// Latches the outcome, and what a success comes to.
    pub fn end(&mut self, sale: Address, outcome: Outcome) -> Emitted {
        let book = self.book(sale);
        book.outcome = Some(outcome);
        let (raised, sold) = (word(book.totals.raised), word(book.totals.sold));
        if outcome == Outcome::Succeeded {
            let shares: Vec<Share> = book.positions.values().map(|p| book.share(p)).collect();
            let totals = &mut book.totals;
            totals.kept = totals.raised.min(wide(book.hard_cap));
            totals.allotted = totals.sold;
            if book.mode != Mode::FixedPrice && !totals.raised.is_zero() {
                totals.excess = shares.iter().map(|s| s.excess).fold(U512::ZERO, |a, b| a + b);
                totals.allotted = shares.iter().map(|s| s.tokens).fold(U512::ZERO, |a, b| a + b);
            }
        }
        match outcome {
            Outcome::Cancelled => self.by(sale, "settlement", &S::Cancelled { raised, sold }),
            Outcome::Succeeded => self.by(sale, "settlement", &S::Closed { outcome: 1, raised, sold }),
            Outcome::Failed => self.by(sale, "settlement", &S::Closed { outcome: 2, raised, sold }),
        }
    }

    /// An investor's share of a success is written down.
    pub fn settle(&mut self, block: u64, sale: Address, investor: Address) -> Emitted {
        let book = self.book(sale);
        let share = book.share(&book.positions[&investor]);
        let (_, position) = self.touch(block, sale, investor);
        position.shares += ONE;
        position.kept += share.kept;
        position.share_tokens += share.tokens;
        position.excess += share.excess;
        let (kept, tokens, excess) = (word(share.kept), word(share.tokens), word(share.excess));
        self.by(sale, "share", &S::Settled { investor, kept, tokens, excess })
    }

    /// Tokens are taken.
    pub fn claim(&mut self, block: u64, sale: Address, investor: Address, tokens: U512) -> Emitted {
        let tokens = fit(tokens);
        let (book, position) = self.touch(block, sale, investor);
        position.claimed += tokens;
        book.claimed += tokens;
        book.claims += ONE;
        self.by(sale, "claim", &S::Claimed { investor, to: investor, tokens: word(tokens) })
    }

    /// Money goes back after a failure or a rejection.
    pub fn refund(&mut self, block: u64, sale: Address, investor: Address, to: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let amount = fit(position.held());
        position.refunded += amount;
        book.refunded += amount;
        book.refunds += ONE;
        self.by(sale, "refund", &S::Refunded { investor, to, amount: word(amount) })
    }

    /// Money beyond the share goes back.
    pub fn refund_excess(&mut self, block: u64, sale: Address, investor: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let amount = position.excess - position.excess_refunded;
        position.excess_refunded += amount;
        book.excess_refunded += amount;
        self.by(sale, "excess_refund", &S::ExcessRefunded { investor, to: investor, amount: word(amount) })
    }

    /// An investor objects to further payments.
    pub fn object(&mut self, block: u64, sale: Address, investor: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let weight = fit(position.held());
        position.objections += ONE;
        position.objected += weight;
        book.objected += weight;
        let (weight, objected) = (word(weight), word(book.objected));
        let vault = self.book(sale).vault;
        self.by(vault, "objection", &V::Objected { investor, weight, objected })
    }

    /// The vault pays nothing more.
    pub fn stop(&mut self, sale: Address) -> Emitted {
        let book = self.book(sale);
        book.stopped = true;
        let rest = word(book.totals.kept.saturating_sub(book.totals.released));
        let (vault, objected) = (book.vault, word(book.totals.objected));
        self.by(vault, "tap_stop", &V::TapStopped { rest, objected })
    }

    /// What the vault still held goes back in part.
    pub fn refund_rest(&mut self, block: u64, sale: Address, investor: Address) -> Emitted {
        let (book, position) = self.touch(block, sale, investor);
        let amount = fit(position.held() / U512::from(3));
        position.rest_refunds += ONE;
        position.rest_refunded += amount;
        book.rest_refunded += amount;
        let vault = self.book(sale).vault;
        self.by(vault, "rest_refund", &V::RestRefunded { investor, to: investor, amount: word(amount) })
    }

    /// The beneficiary is paid.
    pub fn release(&mut self, sale: Address, amount: U512) -> Emitted {
        let book = self.book(sale);
        book.totals.released += amount;
        let (vault, amount, released) = (book.vault, word(amount), word(book.totals.released));
        let beneficiary = book.token;
        self.by(vault, "release", &V::Released { beneficiary, to: beneficiary, amount, released })
    }

    /// The vault gets the sale's money.
    pub fn sweep(&mut self, sale: Address, amount: U512) -> Emitted {
        self.book(sale).totals.received += amount;
        self.by(sale, "sweep", &S::Swept { amount: word(amount) })
    }

    fn touch(&mut self, block: u64, sale: Address, investor: Address) -> (&mut super::Totals, &mut Position) {
        let book = self.book(sale);
        let position = book.positions.get_mut(&investor).expect("a position of this branch");
        position.last_block = U512::from(block);
        (&mut book.totals, position)
    }
}

/// What one investor gets of a success.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    kept: U512,
    /// Tokens.
    pub tokens: U512,
    /// Money that comes back.
    pub excess: U512,
}

impl Book {
    /// Rounded down for each, as the contract does.
    pub fn share(&self, position: &Position) -> Share {
        let totals = &self.totals;
        if !position.rejections.is_zero() || totals.raised.is_zero() {
            return Share::default();
        }
        let paid = position.held();
        if self.mode == Mode::FixedPrice {
            return Share { kept: paid, tokens: position.held_tokens(), excess: U512::ZERO };
        }
        let over = totals.raised.saturating_sub(wide(self.hard_cap));
        let excess = paid * over / totals.raised;
        Share { kept: paid - excess, tokens: paid * totals.sold / totals.raised, excess }
    }
}
