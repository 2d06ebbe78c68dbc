//! What the contracts' views say of one investor, and what they must say by the logs alone: computed a second time here, with
//! nothing of the indexer's.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256, U512},
};
use crowdsale::contracts::{FixedPriceSale, RefundVault};

use crate::{
    World,
    agree::{PositionSums, SaleSums},
};

/// Of sale and vault, at one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Views {
    /// `positionOf`
    pub paid: U256,
    /// `positionOf`
    pub tokens: U256,
    /// `claimedOf`
    pub claimed: U256,
    /// `claimable`
    pub claimable: U256,
    /// `claimable`
    pub excess: U256,
    /// `stakeOf`
    pub stake: U256,
    /// `hasObjected`
    pub objected: bool,
    /// `refundable` of the vault
    pub rest: U256,
}

/// What only the contract says, for the API to be compared with.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub views: Views,
    /// `coolingOffUntil`, none if it is zero.
    pub cooling_off_until: Option<U256>,
    /// Whether `object` would be taken.
    pub can_object: bool,
    /// Time of the block.
    pub now: U256,
}

impl World {
    /// Asks the contracts.
    pub(crate) async fn views(&self, sale: Address, vault: Address, investor: Address, head: B256) -> Asked {
        let block = BlockId::hash(head);
        let sale = FixedPriceSale::new(sale, &self.chain.provider);
        let vault = RefundVault::new(vault, &self.chain.provider);
        let position = sale.positionOf(investor).block(block).call().await.unwrap();
        let claimable = sale.claimable(investor).block(block).call().await.unwrap();
        let until = sale.coolingOffUntil(investor).block(block).call().await.unwrap();
        let header = self.chain.head().await.header;
        assert_eq!(header.hash, head, "the chain was not quiet");
        Asked {
            views: Views {
                paid: position.paid,
                tokens: position.tokens,
                claimed: sale.claimedOf(investor).block(block).call().await.unwrap(),
                claimable: claimable.tokens,
                excess: claimable.excess,
                stake: sale.stakeOf(investor).block(block).call().await.unwrap(),
                objected: vault.hasObjected(investor).block(block).call().await.unwrap(),
                rest: vault.refundable(investor).block(block).call().await.unwrap(),
            },
            cooling_off_until: Some(until).filter(|u| !u.is_zero()),
            can_object: vault.object().from(investor).block(block).call().await.is_ok(),
            now: U256::from(header.timestamp),
        }
    }
}

/// `a * b / c`, rounded down.
pub(crate) fn mul_div(a: U256, b: U256, c: U256) -> U256 {
    (U512::from(a) * U512::from(b) / U512::from(c)).to()
}

/// What is free of a sum: a share at once, the rest linearly.
fn freed(total: U256, at_once: u16, cliff: u64, duration: u64, elapsed: u64) -> U256 {
    let first = mul_div(total, U256::from(at_once), U256::from(10_000));
    match elapsed {
        e if e >= duration => total,
        e if e < cliff => first,
        e => first + mul_div(total - first, U256::from(e), U256::from(duration)),
    }
}

impl SaleSums {
    /// Whether the outcome tells the shares, and not each contribution.
    pub(crate) fn is_uniform(&self) -> bool {
        self.created.as_ref().expect("the sale's creation").mode != 0
    }

    /// What a success gives a position that is in it: kept, tokens and excess.
    pub(crate) fn share(&self, p: &PositionSums) -> (U256, U256, U256) {
        let paid = p.paid - p.withdrawn;
        if self.outcome != 1 || p.rejections > 0 || paid.is_zero() {
            return (U256::ZERO, U256::ZERO, U256::ZERO);
        }
        if !self.is_uniform() {
            return (paid, p.tokens - p.withdrawn_tokens, U256::ZERO);
        }
        let part = |of| mul_div(paid, of, self.raised);
        (part(self.kept), part(self.sold), part(self.raised - self.kept))
    }

    /// What the views must say.
    pub(crate) fn views(&self, p: &PositionSums, now: u64) -> Views {
        let t = &self.created.as_ref().expect("the sale's creation").terms;
        let vests = t.vesting.duration != 0;
        let (kept, tokens, excess) = self.share(p);
        let elapsed = now - self.settled_time;
        let free = freed(tokens, t.vesting.atOnce, t.vesting.cliff.into(), t.vesting.duration.into(), elapsed);
        let (paid, left) = match p.share {
            Some((kept, tokens)) => (kept, tokens - p.claimed),
            // A refund takes the tokens too, and so does a rejection.
            None if p.rejections > 0 || !p.refunded.is_zero() => (p.paid - p.withdrawn - p.refunded, U256::ZERO),
            None => (p.paid - p.withdrawn, p.tokens - p.withdrawn_tokens - p.claimed),
        };
        let rest = match self.stopped {
            Some(rest) if p.rest_refunds == 0 => mul_div(kept, rest, self.swept),
            _ => U256::ZERO,
        };
        Views {
            paid,
            tokens: left,
            claimed: if vests { p.claimed } else { U256::ZERO },
            claimable: free - p.claimed,
            excess: if p.share.is_some() { U256::ZERO } else { excess },
            stake: kept,
            objected: p.objections > 0,
            rest,
        }
    }
}
