//! A sale with its parts as the database has them, and what follows from them.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::{SaleOut, SalePath};
use crate::{
    api::{
        extract::ChainId,
        problem::{Code, Problem},
        sale_parts::{
            Allocation, Created, Document, Documents, Gate, Objections, PhaseOut, Price, Settlement,
            SupersedingDocument, Tap, Totals, Unsold, Vesting,
        },
        schedule::{Schedule, WHOLE, mul_div},
        shapes::{BlockRef, Time, Token, sum},
        terms::{Mode, PRICE_UNIT, SaleState, active_phase, is_sold_out, price_at, price_per_token},
    },
    db::{
        chains::Checkpoint,
        read::{
            Sum,
            sales::{self, Phase, Sale},
            team,
        },
    },
    types::{Addr, upright},
};

/// What the tables beside `sale` have of one.
#[derive(Debug, Default)]
struct Parts {
    phases: Vec<Phase>,
    whitepapers: Vec<team::Whitepaper>,
    allocations: Vec<team::Allocation>,
}

/// A sale with its parts as the database has them, and what follows from them.
#[derive(Clone, Debug)]
pub struct FullSale {
    /// The sale.
    pub sale: Sale,
    /// Its phases, in order.
    pub phases: Vec<Phase>,
    /// The whitepapers that superseded its own, in order.
    pub whitepapers: Vec<team::Whitepaper>,
    /// Its team's allocations, in order.
    pub allocations: Vec<team::Allocation>,
    /// How it is priced.
    pub mode: Mode,
    /// Where it stands.
    pub state: SaleState,
    /// Whether nothing can be bought any more.
    pub sold_out: bool,
    /// What is sold.
    pub token: Token,
    /// What is paid.
    pub currency: Token,
}

impl FullSale {
    fn new(sale: Sale, parts: Parts) -> Result<Self, Problem> {
        let (Some(state), Some(mode)) = (SaleState::from_name(&sale.state), Mode::from_name(&sale.mode)) else {
            tracing::error!(state = sale.state, mode = sale.mode, "a state or mode that this program does not know");
            return Err(Problem::internal());
        };
        let for_sale = sum(sale.tokens_for_sale);
        let phases = parts.phases;
        Ok(Self {
            sold_out: is_sold_out(mode, &phases, sale.opens, sale.chain_time, &sale.raised, &for_sale),
            mode,
            state,
            token: Token::new(sale.token, &sale.token_symbol, &sale.token_name, sale.token_decimals),
            currency: Token::new(sale.currency, &sale.currency_symbol, &sale.currency_name, sale.currency_decimals),
            sale,
            phases,
            whitepapers: parts.whitepapers,
            allocations: parts.allocations,
        })
    }

    /// Completes sales with their parts, in their order.
    pub async fn complete(connection: &mut PgConnection, sales: Vec<Sale>) -> Result<Vec<Self>, Problem> {
        let keys: Vec<_> = sales.iter().map(|s| (s.chain_id, s.address)).collect();
        let mut parts: HashMap<_, Parts> = HashMap::new();
        for phase in sales::list_phases(connection, &keys).await? {
            parts.entry((phase.chain_id, phase.sale)).or_default().phases.push(phase);
        }
        for paper in team::list_whitepapers(connection, &keys).await? {
            parts.entry((paper.chain_id, paper.sale)).or_default().whitepapers.push(paper);
        }
        for allocation in team::list_allocations(connection, &keys).await? {
            parts.entry((allocation.chain_id, allocation.sale)).or_default().allocations.push(allocation);
        }
        sales
            .into_iter()
            .map(|sale| {
                let parts = parts.remove(&(sale.chain_id, sale.address)).unwrap_or_default();
                Self::new(sale, parts)
            })
            .collect()
    }

    /// Whether `account` can close it before its end: it is sold out, nobody may still withdraw, and nobody else may reject.
    pub fn can_close_early(&self, account: Addr) -> bool {
        let compliance = self.sale.compliance;
        self.sold_out && self.sale.cooling_off == 0 && (compliance.0.is_zero() || compliance == account)
    }

    /// When tokens can be claimed.
    pub fn vesting(&self) -> Schedule {
        let s = &self.sale;
        Schedule { at_once: s.vesting_at_once, cliff: s.vesting_cliff, duration: s.vesting_duration }
    }

    /// What a release would pay now. Before the money is in the vault, it takes it there first.
    fn releasable(&self) -> Sum {
        let s = &self.sale;
        let Some(start) = s.settled_at.filter(|_| self.state == SaleState::Succeeded && s.tap_rest.is_none()) else {
            return Sum::default();
        };
        let tap = Schedule { at_once: s.tap_at_once, cliff: 0, duration: s.tap_duration };
        Sum(tap.freed(&s.kept, s.chain_time - start).0 - &s.released.0)
    }

    /// The sale of a path.
    pub async fn get(connection: &mut PgConnection, path: SalePath) -> Result<Self, Problem> {
        let SalePath { chain: ChainId(chain_id), sale } = path;
        let found = sales::find(connection, chain_id, sale).await?;
        let full = Self::complete(connection, found.into_iter().collect()).await?.pop();
        full.ok_or_else(|| Problem::new(Code::SaleNotFound, format!("no sale {sale} is known on chain {chain_id}")))
    }

    fn price(&self, raw: &Sum) -> Price {
        let per_token = price_per_token(raw, self.token.decimals);
        Price {
            raw: raw.to_string(),
            unit: PRICE_UNIT.to_string(),
            per_token: per_token.map(|price| self.currency.amount(price)),
        }
    }

    fn phase(&self, phase: &Phase) -> PhaseOut {
        let gate = Gate::from_name(&phase.gate);
        PhaseOut {
            index: phase.phase,
            starts: Time::from_unix(phase.starts),
            ends: Time::from_unix(phase.ends),
            raised_up_to: self.currency.amount(phase.raised_up_to),
            price: self.price(&sum(phase.price)),
            gate,
            root: (gate == Gate::Merkle).then_some(phase.root),
        }
    }

    fn totals(&self) -> Totals {
        let (s, money, tokens) = (&self.sale, &self.currency, &self.token);
        Totals {
            raised: money.amount(&s.raised),
            kept: (self.state == SaleState::Succeeded).then(|| money.amount(&s.kept)),
            sold: tokens.amount(&s.sold),
            investors: s.investors,
            contributions: s.contributions,
            withdrawn: money.amount(&s.withdrawn),
            withdrawals: s.withdrawals,
            rejected: money.amount(&s.rejected),
            rejections: s.rejections,
            refunded: money.amount(&s.refunded),
            refunds: s.refunds,
            excess: money.amount(&s.excess),
            excess_refunded: money.amount(&s.excess_refunded),
            claimed: tokens.amount(&s.claimed),
            claims: s.claims,
            released: money.amount(&s.released),
            releasable: money.amount(self.releasable()),
            held: money.amount(&s.held),
            unswept: money.amount(&s.unswept),
            dust: money.amount(&s.dust),
            in_vault: money.amount(&s.in_vault),
            unclaimed: tokens.amount(&s.unclaimed),
        }
    }

    fn objections(&self) -> Option<Objections> {
        let (s, money) = (&self.sale, &self.currency);
        let share = Sum(s.tap_objection.into());
        (s.tap_objection > 0).then(|| Objections {
            objected: money.amount(&s.objected),
            needed: money.amount(mul_div(&s.kept, &share, &Sum(WHOLE.into()))),
            until: s
                .settled_at
                .filter(|_| self.state == SaleState::Succeeded)
                .map(|start| Time::from_unix(start + s.tap_duration)),
            stopped: s.tap_rest.is_some(),
            rest: s.tap_rest.as_ref().map(|rest| money.amount(rest)),
            rest_refunded: money.amount(&s.rest_refunded),
        })
    }

    /// As OpenZeppelin's VestingWalletCliff counts, from the end of the sale.
    fn allocation(&self, a: &team::Allocation) -> Allocation {
        let elapsed = self.sale.chain_time - self.sale.closes;
        let schedule = Schedule { at_once: 0, cliff: a.cliff, duration: a.duration };
        let vested = match self.state {
            SaleState::Succeeded if elapsed >= a.cliff => schedule.freed(&sum(a.amount), elapsed),
            _ => Sum::default(),
        };
        Allocation {
            index: a.index,
            wallet: a.wallet,
            owner: a.owner,
            amount: self.token.amount(a.amount),
            cliff: Time::from_unix(self.sale.closes.saturating_add(a.cliff)),
            ends: Time::from_unix(self.sale.closes.saturating_add(a.duration)),
            vested: self.token.amount(vested),
            released: self.token.amount(&a.released),
            reclaimed: self.token.amount(&a.reclaimed),
        }
    }

    fn documents(&self, checkpoint: &Checkpoint) -> Documents {
        let s = &self.sale;
        Documents {
            sale: Document { uri: s.sale_uri.clone(), sha256: s.sale_hash },
            whitepaper: Document { uri: s.whitepaper_uri.clone(), sha256: s.whitepaper_hash },
            superseding: self
                .whitepapers
                .iter()
                .map(|w| SupersedingDocument {
                    version: w.version.to_string(),
                    uri: w.uri.clone(),
                    sha256: w.hash,
                    time: Time::from_unix(w.timestamp),
                    transaction_hash: w.transaction_hash,
                    block: BlockRef::new(checkpoint, w.block_number, w.block_hash, w.log_index),
                })
                .collect(),
        }
    }

    /// As the API shows it; `checkpoint` is its chain's.
    pub fn show(&self, checkpoint: &Checkpoint) -> SaleOut {
        let s = &self.sale;
        let (money, tokens) = (&self.currency, &self.token);
        let active = match self.state {
            SaleState::Open if !self.sold_out && !s.paused => {
                active_phase(self.mode, &self.phases, s.chain_time, &s.raised)
            }
            _ => None,
        };
        let next = match self.state {
            SaleState::Upcoming => self.phases.first(),
            _ => active.and_then(|index| self.phases.get(index + 1)),
        };
        let price = active.and_then(|index| price_at(self.mode, &self.phases, index, s.opens, s.chain_time));
        let active = active.and_then(|index| self.phases.get(index));
        let settlement =
            match (s.settled_number, s.settled_log_index, s.settled_transaction, s.settled_hash, s.settled_at) {
                (Some(number), Some(log_index), Some(transaction_hash), Some(hash), Some(time)) => Some(Settlement {
                    outcome: self.state,
                    time: Time::from_unix(time),
                    transaction_hash,
                    block: BlockRef::new(checkpoint, number, hash, log_index),
                }),
                _ => None,
            };
        SaleOut {
            chain_id: s.chain_id,
            address: s.address,
            name: upright(&s.name),
            mode: self.mode,
            state: self.state,
            sold_out: self.sold_out,
            paused: s.paused,
            opens: Time::from_unix(s.opens),
            closes: Time::from_unix(s.closes),
            soft_cap: money.amount(s.soft_cap),
            hard_cap: money.amount(s.hard_cap),
            min_paid: money.amount(s.min_paid),
            max_paid: money.amount(s.max_paid),
            tokens_for_sale: tokens.amount(s.tokens_for_sale),
            unsold: if s.burn_unsold { Unsold::Burn } else { Unsold::Return },
            cooling_off_seconds: s.cooling_off,
            vesting: Vesting {
                at_once_basis_points: s.vesting_at_once,
                cliff_seconds: s.vesting_cliff,
                duration_seconds: s.vesting_duration,
            },
            tap: Tap {
                at_once_basis_points: s.tap_at_once,
                duration_seconds: s.tap_duration,
                objection_basis_points: s.tap_objection,
            },
            phases: self.phases.iter().map(|p| self.phase(p)).collect(),
            active_phase: active.map(|p| self.phase(p)),
            price: price.map(|p| self.price(&p)),
            next_phase: next.map(|p| self.phase(p)),
            totals: self.totals(),
            settlement,
            documents: self.documents(checkpoint),
            objections: self.objections(),
            allocations: self.allocations.iter().map(|a| self.allocation(a)).collect(),
            owner: s.owner,
            pending_owner: s.pending_owner,
            compliance: named(s.compliance),
            voucher_signer: named(s.voucher_signer),
            voucher_epoch: s.voucher_epoch.to_string(),
            token_kind: s.token_kind.clone(),
            beneficiary: s.beneficiary,
            creator: s.creator,
            vault: s.vault,
            created: Created {
                time: Time::from_unix(s.created_at),
                transaction_hash: s.transaction_hash,
                block: BlockRef::new(checkpoint, s.block_number, s.created_hash, s.log_index),
            },
            block: BlockRef::new(checkpoint, s.last_number, s.last_hash, s.last_log_index),
            token: self.token.clone(),
            currency: self.currency.clone(),
        }
    }
}

/// The zero address is nobody.
fn named(address: Addr) -> Option<Addr> {
    (!address.0.is_zero()).then_some(address)
}
