//! What a sale file comes to, as answers show it.

use alloy::primitives::{Address, U256};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    sale_parts::{Gate, PhaseOut, Price, Tap, Unsold, Vesting},
    shapes::{AmountOut, Time, Token, sum},
    terms::{Mode, PRICE_UNIT, price_per_token},
};
use crate::{
    sale_file::{self, FlowAsset, Receiver, SaleFile, TokenEntry, unlocks},
    types::{Addr, Amount, Hash32, units::Asset},
};

/// A sale as its file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedTerms {
    /// Name.
    #[schema(example = "Example Sale")]
    pub name: String,
    /// How tokens are priced.
    pub mode: Mode,
    /// First second of the sale.
    pub opens: Time,
    /// First second after the sale.
    pub closes: Time,
    /// Goal.
    pub soft_cap: AmountOut,
    /// Most that is kept.
    pub hard_cap: AmountOut,
    /// Least that an investor may have paid in all.
    pub min_paid: AmountOut,
    /// Most that an investor may have paid in all.
    pub max_paid: AmountOut,
    /// Phases, in order.
    pub phases: Vec<PhaseOut>,
    /// Their names, in that order; they stand in the file alone.
    pub phase_names: Vec<String>,
    /// What is paid.
    pub currency: Token,
    /// What is sold. A token that is created has no address here: its deployment tells it.
    pub token: Token,
    /// All of a token that is created; null of one that exists.
    pub supply: Option<AmountOut>,
    /// Whether a token that is created is for approved holders only (ERC-1404).
    pub is_restricted: bool,
    /// Tokens that the sale holds from the start.
    pub tokens_for_sale: AmountOut,
    /// What becomes of unsold tokens after a success.
    pub unsold: Unsold,
    /// Seconds after the latest contribution in which it may be withdrawn; zero: not at all.
    pub cooling_off_seconds: i64,
    /// When tokens can be claimed.
    pub vesting: Vesting,
    /// When the beneficiary is paid.
    pub tap: Tap,
    /// May cancel below the soft cap; receives unsold tokens.
    pub owner: Addr,
    /// Receives the money of a success.
    pub beneficiary: Addr,
    /// May reject investors; null: nobody.
    pub compliance: Option<Addr>,
    /// Whose vouchers count; null: nobody's.
    pub voucher_signer: Option<Addr>,
    /// What is free when, in the words of `crowdsale sale lint`.
    pub unlocks: Vec<Unlock>,
    /// Where everything goes, whatever becomes of the sale.
    pub outcomes: PlannedOutcomes,
}

/// What is free when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unlock {
    /// `tokens`, `money`, `withdrawal` or `team keeps`.
    #[schema(example = "tokens")]
    pub what: String,
    /// In words.
    pub text: String,
}

/// Every outcome of a sale, with what goes to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedOutcomes {
    /// With the transaction that creates it.
    pub created: Vec<PlannedFlow>,
    /// At or above the goal.
    pub succeeded: Vec<PlannedFlow>,
    /// Below it at the end.
    pub failed: Vec<PlannedFlow>,
    /// Called off by the owner.
    pub cancelled: Vec<PlannedFlow>,
}

/// What flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowKind {
    /// What is paid.
    Money,
    /// What is sold.
    Tokens,
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowTo {
    /// The contract of the sale.
    Sale,
    /// The wallet of an allocation.
    Wallet,
    /// The owner of the sale.
    Owner,
    /// Who is paid, of money or of an allocation.
    Beneficiary,
    /// Those who paid.
    Investors,
    /// Nobody: the tokens cease to exist.
    Burnt,
}

/// A part of the money or the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlannedFlow {
    /// Of what.
    pub what: FlowKind,
    /// To whom.
    pub to: FlowTo,
    /// The account, where the file names it.
    pub account: Option<Addr>,
    /// At least.
    pub least: AmountOut,
    /// At most; null where there is no bound.
    pub most: Option<AmountOut>,
    /// When, and on what it depends.
    #[schema(example = "20 % with the success")]
    pub when: String,
}

impl PlannedTerms {
    /// What a file comes to.
    pub fn new(sale: &SaleFile) -> Self {
        let pay = |raw| amount(&sale.payment, raw);
        let (address, name, supply, is_restricted) = match &sale.token {
            TokenEntry::Existing { address } => (*address, "", None, false),
            TokenEntry::New { name, supply, restricted, .. } => {
                (Address::ZERO, name.as_str(), Some(amount(&sale.token_asset, *supply)), *restricted)
            }
        };
        let mode = match sale.mode {
            sale_file::Mode::FixedPrice => Mode::FixedPrice,
            sale_file::Mode::ProRata => Mode::ProRata,
            sale_file::Mode::DutchAuction => Mode::DutchAuction,
        };
        let named = |address: Address| (!address.is_zero()).then_some(Addr(address));
        Self {
            name: sale.name.clone(),
            mode,
            opens: time(sale.opens),
            closes: time(sale.closes()),
            soft_cap: pay(sale.soft_cap),
            hard_cap: pay(sale.hard_cap),
            min_paid: pay(sale.min),
            max_paid: pay(sale.max),
            phases: phases(sale),
            phase_names: sale.phases.iter().map(|p| p.name.clone()).collect(),
            currency: token(sale.currency, "", &sale.payment),
            token: token(address, name, &sale.token_asset),
            supply,
            is_restricted,
            tokens_for_sale: amount(&sale.token_asset, sale.for_sale),
            unsold: if sale.burn_unsold { Unsold::Burn } else { Unsold::Return },
            cooling_off_seconds: seconds(sale.cooling_off),
            vesting: Vesting {
                at_once_basis_points: sale.vesting.at_once.into(),
                cliff_seconds: seconds(sale.vesting.cliff),
                duration_seconds: seconds(sale.vesting.duration),
            },
            tap: Tap {
                at_once_basis_points: sale.release.at_once.into(),
                duration_seconds: seconds(sale.release.duration),
                objection_basis_points: sale.release.objection.into(),
            },
            owner: Addr(sale.owner),
            beneficiary: Addr(sale.beneficiary),
            compliance: named(sale.compliance),
            voucher_signer: named(sale.voucher_signer),
            unlocks: unlocks(sale).into_iter().map(|(what, text)| Unlock { what: what.to_owned(), text }).collect(),
            outcomes: outcomes(sale),
        }
    }
}

fn seconds(span: u64) -> i64 {
    i64::try_from(span).unwrap_or(i64::MAX)
}

fn time(seconds_: u64) -> Time {
    Time::from_unix(seconds(seconds_))
}

fn amount(asset: &Asset, raw: U256) -> AmountOut {
    AmountOut { raw: raw.to_string(), decimals: asset.decimals, symbol: asset.symbol.clone() }
}

fn token(address: Address, name: &str, asset: &Asset) -> Token {
    Token { address: Addr(address), symbol: asset.symbol.clone(), name: name.to_owned(), decimals: asset.decimals }
}

fn phases(sale: &SaleFile) -> Vec<PhaseOut> {
    let mut starts = sale.opens;
    let mut shown = Vec::with_capacity(sale.phases.len());
    for (index, phase) in (0..).zip(&sale.phases) {
        let (gate, root) = match phase.gate {
            sale_file::Gate::Open => (Gate::Open, None),
            sale_file::Gate::Voucher => (Gate::Voucher, None),
            sale_file::Gate::List { root } => (Gate::Merkle, Some(Hash32(root))),
        };
        let per_token = price_per_token(&sum(Amount(phase.price)), sale.token_asset.decimals);
        shown.push(PhaseOut {
            index,
            starts: time(starts),
            ends: time(phase.ends),
            raised_up_to: amount(&sale.payment, phase.raised_up_to),
            price: Price {
                raw: phase.price.to_string(),
                unit: PRICE_UNIT.to_string(),
                per_token: per_token.map(|raw| AmountOut {
                    raw: raw.to_string(),
                    decimals: sale.payment.decimals,
                    symbol: sale.payment.symbol.clone(),
                }),
            },
            gate,
            root,
        });
        starts = phase.ends;
    }
    shown
}

fn outcomes(sale: &SaleFile) -> PlannedOutcomes {
    let show = |flows: Vec<sale_file::Flow>| flows.into_iter().map(|f| flow(sale, f)).collect();
    let all = sale.outcomes();
    PlannedOutcomes {
        created: show(all.created),
        succeeded: show(all.succeeded),
        failed: show(all.failed),
        cancelled: show(all.cancelled),
    }
}

fn flow(sale: &SaleFile, flow: sale_file::Flow) -> PlannedFlow {
    let (what, asset) = match flow.asset {
        FlowAsset::Money => (FlowKind::Money, &sale.payment),
        FlowAsset::Tokens => (FlowKind::Tokens, &sale.token_asset),
    };
    let to = match flow.to {
        Receiver::Sale => FlowTo::Sale,
        Receiver::Wallet => FlowTo::Wallet,
        Receiver::Owner => FlowTo::Owner,
        Receiver::Beneficiary => FlowTo::Beneficiary,
        Receiver::Investors => FlowTo::Investors,
        Receiver::Burnt => FlowTo::Burnt,
    };
    PlannedFlow {
        what,
        to,
        account: flow.account.map(Addr),
        least: amount(asset, flow.least),
        most: flow.most.map(|raw| amount(asset, raw)),
        when: flow.when,
    }
}
