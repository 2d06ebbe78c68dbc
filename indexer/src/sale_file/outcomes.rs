//! Where every unit of money and every token goes, whatever becomes of the sale: to be looked over before it is created.

use alloy::primitives::{Address, U256};

use super::{
    Mode, SaleFile, TokenEntry,
    schedule::{self, percent},
    unlocks,
};
use crate::{
    contracts::FixedPriceSale::{Tap, Vesting},
    types::clock::span,
};

/// Hundredths of a percent in one whole.
const WHOLE: u64 = 10_000;

/// What moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    /// What is paid.
    Money,
    /// What is sold.
    Tokens,
}

/// To whom it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// The contract of the sale.
    Sale,
    /// The wallet of an allocation.
    Wallet,
    /// The owner of the sale.
    Owner,
    /// Who is paid.
    Beneficiary,
    /// Those who paid.
    Investors,
    /// Nobody: the tokens cease to exist.
    Burnt,
}

/// A part of the money or the tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Of what.
    pub asset: Asset,
    /// To whom.
    pub to: Receiver,
    /// The account, where it is one that the file names.
    pub account: Option<Address>,
    /// Base units at least.
    pub least: U256,
    /// Base units at most; `None` where there is no bound.
    pub most: Option<U256>,
    /// When, and on what it depends; a sentence's middle.
    pub when: String,
}

/// Every outcome. What goes to several receivers adds up to what is there: money to what was raised, tokens to what the sale holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// With the transaction that creates it.
    pub created: Vec<Flow>,
    /// At or above the soft cap.
    pub succeeded: Vec<Flow>,
    /// Below it at the end.
    pub failed: Vec<Flow>,
    /// Called off by the owner before the end, below the soft cap.
    pub cancelled: Vec<Flow>,
}

impl SaleFile {
    /// Every outcome of it.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes {
            created: self.created(),
            succeeded: self.succeeded(),
            failed: self.undone("once it is closed, whenever the investor asks, without a deadline"),
            cancelled: self.undone("from the cancellation on, whenever the investor asks, without a deadline"),
        }
    }

    fn created(&self) -> Vec<Flow> {
        let at_once = || "with the transaction that creates the sale".to_owned();
        let mut flows = vec![exactly(Asset::Tokens, Receiver::Sale, None, self.for_sale, at_once())];
        flows.extend(self.allocations.iter().map(|a| {
            let when = format!("for {}, {}", a.name, at_once());
            exactly(Asset::Tokens, Receiver::Wallet, None, a.amount, when)
        }));
        if let TokenEntry::New { supply, .. } = &self.token {
            let rest = supply.saturating_sub(self.tokens_needed());
            flows.push(exactly(Asset::Tokens, Receiver::Owner, Some(self.owner), rest, at_once()));
        }
        flows.retain(|f| f.most != Some(U256::ZERO));
        flows
    }

    fn succeeded(&self) -> Vec<Flow> {
        let terms = self.terms();
        let vesting =
            Vesting { atOnce: terms.vesting.atOnce, cliff: terms.vesting.cliff, duration: terms.vesting.duration };
        let tap = Tap { atOnce: terms.tap.atOnce, duration: terms.tap.duration, objection: terms.tap.objection };
        let mut flows = self.money_of_success(&tap);
        let (none, all) = (U256::ZERO, Some(self.for_sale));
        flows.push(Flow {
            asset: Asset::Tokens,
            to: Receiver::Investors,
            account: None,
            least: none,
            most: all,
            when: format!("what was sold: {}", schedule::vesting(&vesting, None)),
        });
        let (to, account) =
            if self.burn_unsold { (Receiver::Burnt, None) } else { (Receiver::Owner, Some(self.owner)) };
        flows.push(Flow {
            asset: Asset::Tokens,
            to,
            account,
            least: none,
            most: all,
            when: "what was not sold: with the closing".to_owned(),
        });
        flows.extend(self.allocations.iter().map(|a| {
            let when = format!("{}: {}", a.name, unlocks::allocation(self, a));
            exactly(Asset::Tokens, Receiver::Beneficiary, Some(a.beneficiary), a.amount, when)
        }));
        flows
    }

    /// The money that a success keeps is between the caps. Its parts are rounded as the vault does: what is at once down.
    fn money_of_success(&self, tap: &Tap) -> Vec<Flow> {
        let beneficiary = |least, most, when| Flow {
            asset: Asset::Money,
            to: Receiver::Beneficiary,
            account: Some(self.beneficiary),
            least,
            most: Some(most),
            when,
        };
        let mut flows = Vec::new();
        if tap.duration == 0 {
            flows.push(beneficiary(self.soft_cap, self.hard_cap, "all that is kept, with the success".to_owned()));
        } else {
            let first = |kept: U256| kept * U256::from(tap.atOnce) / U256::from(WHOLE);
            let (soft, hard) = (first(self.soft_cap), first(self.hard_cap));
            let spread = span(tap.duration.into());
            if tap.atOnce != 0 {
                flows.push(beneficiary(soft, hard, format!("{} with the success", percent(tap.atOnce))));
            }
            let when = format!("the rest by the second over {spread} after the success");
            flows.push(beneficiary(self.soft_cap - soft, self.hard_cap - hard, when));
            if tap.objection != 0 {
                let share = percent(tap.objection);
                flows.push(Flow {
                    asset: Asset::Money,
                    to: Receiver::Investors,
                    account: None,
                    least: U256::ZERO,
                    most: Some(self.hard_cap),
                    when: format!(
                        "in place of the beneficiary, what is not paid out when investors of more than {share} of the money have objected; each by the share of the money"
                    ),
                });
            }
        }
        if self.mode == Mode::ProRata {
            flows.push(Flow {
                asset: Asset::Money,
                to: Receiver::Investors,
                account: None,
                least: U256::ZERO,
                most: None,
                when: "what came in above the hard cap, with the claim or before".to_owned(),
            });
        }
        flows
    }

    fn undone(&self, when: &str) -> Vec<Flow> {
        let back = |amount, name: &str| {
            let when = format!("{name}, without the success none of them vests");
            exactly(Asset::Tokens, Receiver::Owner, Some(self.owner), amount, when)
        };
        let mut flows = vec![
            Flow {
                asset: Asset::Money,
                to: Receiver::Investors,
                account: None,
                least: U256::ZERO,
                most: Some(self.soft_cap - U256::ONE),
                when: format!("each exactly what it paid, {when}"),
            },
            exactly(
                Asset::Tokens,
                Receiver::Owner,
                Some(self.owner),
                self.for_sale,
                "all that were for sale, at once".to_owned(),
            ),
        ];
        flows.extend(self.allocations.iter().map(|a| back(a.amount, &a.name)));
        flows
    }
}

fn exactly(asset: Asset, to: Receiver, account: Option<Address>, amount: U256, when: String) -> Flow {
    Flow { asset, to, account, least: amount, most: Some(amount), when }
}
