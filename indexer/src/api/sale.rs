//! `GET /v1/sales/{chain}/{sale}`: how one sale stands.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiState, ReadProblems,
    extract::{BlockNumber, ChainId, FromPath, FromQuery, Path, Query, Reader},
    meta::{ChainMeta, Condition, Envelope, NoAnswer, Snapshot},
    problem::{Code, Problem},
    shapes::{AmountOut, BlockRef, Time, Token, sum},
    terms::{PRICE_UNIT, SaleState, is_sold_out, phase_at, price_per_token},
};
use crate::{
    db::{
        chains::Checkpoint,
        read::sales::{self, Phase, Sale},
    },
    types::{Addr, Hash32},
};

/// A sale in the path.
#[derive(Clone, Copy, Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SalePath {
    /// EIP-155 id.
    #[param(value_type = i64, minimum = 0, example = 1)]
    pub chain: ChainId,
    /// Address of the sale.
    pub sale: Addr,
}

impl FromPath for SalePath {
    fn read(reader: &mut Reader) -> Option<Self> {
        let (chain, sale) = (reader.read("chain"), reader.read("sale"));
        Some(Self { chain: chain?, sale: sale? })
    }
}

/// How current the answer must be.
#[derive(Clone, Copy, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SaleQuery {
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for SaleQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { min_block: reader.read("min_block") }
    }
}

/// A sale: its terms, where it stands, and what happened until the indexed block.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleOut {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The sale's contract.
    pub address: Addr,
    /// Name, as its creator gave it.
    #[schema(example = "Example Sale")]
    pub name: String,
    /// How tokens are priced.
    #[schema(example = "fixed_price")]
    pub mode: String,
    /// Where it stands at the timestamp of the indexed block.
    pub state: SaleState,
    /// Whether nothing can be bought any more: then it can be closed before `closes`.
    pub sold_out: bool,
    /// First second of the sale.
    pub opens: Time,
    /// First second after the sale.
    pub closes: Time,
    /// What is sold.
    pub token: Token,
    /// What is paid.
    pub currency: Token,
    /// Goal: below it, everybody is refunded.
    pub soft_cap: AmountOut,
    /// Most that is taken.
    pub hard_cap: AmountOut,
    /// Least that an investor may have paid in all.
    pub min_paid: AmountOut,
    /// Most that an investor may have paid in all.
    pub max_paid: AmountOut,
    /// Tokens that the sale holds from the start.
    pub tokens_for_sale: AmountOut,
    /// What becomes of unsold tokens after a success; after a failure they go back to the owner.
    pub unsold: Unsold,
    /// All phases, in order.
    pub phases: Vec<PhaseOut>,
    /// The phase that the next contribution begins in; null unless the sale is open and not sold out.
    pub active_phase: Option<PhaseOut>,
    /// Price of the active phase.
    pub price: Option<Price>,
    /// The phase that follows the active one; the first before the opening; null if there is none.
    pub next_phase: Option<PhaseOut>,
    /// What happened so far.
    pub totals: Totals,
    /// The outcome; null until there is one.
    pub settlement: Option<Settlement>,
    /// What investors were promised, with hashes that the chain has.
    pub documents: Documents,
    /// May cancel; receives unsold tokens.
    pub owner: Addr,
    /// Receives the money after a success.
    pub beneficiary: Addr,
    /// Who created the sale.
    pub creator: Addr,
    /// Passes the money on after a success.
    pub vault: Addr,
    /// The creation.
    pub created: Created,
    /// The newest event of the sale.
    pub block: BlockRef,
}

/// What becomes of unsold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unsold {
    /// They are burnt.
    Burn,
    /// They go back to the owner.
    Return,
}

/// A phase: until its end, or until so much is raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Phase)]
pub struct PhaseOut {
    /// Its place, from zero.
    pub index: i16,
    /// End of the phase before it, or the opening. It begins earlier if the phase before it is sold out.
    pub starts: Time,
    /// First second after it.
    pub ends: Time,
    /// It sells until the sale has raised this.
    pub raised_up_to: AmountOut,
    /// What a token costs in it.
    pub price: Price,
}

/// What a token costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Price {
    /// Payment base units for `unit` token base units.
    #[schema(example = "250000000000000", pattern = "^(0|[1-9][0-9]*)$")]
    pub raw: String,
    /// Token base units that `raw` buys, always 1e18.
    #[schema(example = "1000000000000000000", pattern = "^(0|[1-9][0-9]*)$")]
    pub unit: String,
    /// Price of one whole token; null if it is not a whole number of payment base units.
    pub per_token: Option<AmountOut>,
}

/// Sums over the sale until the indexed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Totals {
    /// Paid by investors, refunds not taken off.
    pub raised: AmountOut,
    /// Bought by investors.
    pub sold: AmountOut,
    /// Investors.
    #[schema(example = 120)]
    pub investors: i64,
    /// Contributions.
    #[schema(example = 134)]
    pub contributions: i64,
    /// Paid back to investors.
    pub refunded: AmountOut,
    /// Refunds.
    pub refunds: i64,
    /// Tokens that investors took.
    pub claimed: AmountOut,
    /// Claims.
    pub claims: i64,
    /// Paid to the beneficiary.
    pub released: AmountOut,
    /// Money that the contracts must still hold for investors: everything raised until the outcome, what is not yet refunded after
    /// a failure or cancellation, nothing after a success.
    pub held: AmountOut,
    /// Tokens that the contract must still hold for investors: nothing after a failure or cancellation.
    pub unclaimed: AmountOut,
}

/// The outcome of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settlement {
    /// `succeeded`, `failed` or `cancelled`.
    pub outcome: SaleState,
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// Documents of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Documents {
    /// The sale file: the terms, in words and figures.
    pub sale: Document,
    /// The whitepaper.
    pub whitepaper: Document,
}

/// A document that anybody can check against the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Document {
    /// Where it was served, as the creator said.
    #[schema(example = "https://example.org/sale.toml")]
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: Hash32,
}

/// The creation of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Created {
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// A sale and its phases as the database has them, and what follows from the two.
#[derive(Clone, Debug)]
pub struct FullSale {
    /// The sale.
    pub sale: Sale,
    /// Its phases, in order.
    pub phases: Vec<Phase>,
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
    fn new(sale: Sale, phases: Vec<Phase>) -> Result<Self, Problem> {
        let state = SaleState::from_name(&sale.state).ok_or_else(|| {
            tracing::error!(state = sale.state, "a state that this program does not know");
            Problem::internal()
        })?;
        Ok(Self {
            sold_out: is_sold_out(&phases, sale.chain_time, &sale.raised),
            state,
            token: Token::new(sale.token, &sale.token_symbol, &sale.token_name, sale.token_decimals),
            currency: Token::new(sale.currency, &sale.currency_symbol, &sale.currency_name, sale.currency_decimals),
            sale,
            phases,
        })
    }

    /// Completes sales with their phases, in their order.
    pub async fn complete(connection: &mut PgConnection, sales: Vec<Sale>) -> Result<Vec<Self>, Problem> {
        let keys: Vec<_> = sales.iter().map(|s| (s.chain_id, s.address)).collect();
        let mut phases: HashMap<_, Vec<Phase>> = HashMap::new();
        for phase in sales::list_phases(connection, &keys).await? {
            phases.entry((phase.chain_id, phase.sale)).or_default().push(phase);
        }
        sales
            .into_iter()
            .map(|sale| {
                let phases = phases.remove(&(sale.chain_id, sale.address)).unwrap_or_default();
                Self::new(sale, phases)
            })
            .collect()
    }

    /// The sale of a path.
    pub async fn get(connection: &mut PgConnection, path: SalePath) -> Result<Self, Problem> {
        let SalePath { chain: ChainId(chain_id), sale } = path;
        let found = sales::find(connection, chain_id, sale).await?;
        let full = Self::complete(connection, found.into_iter().collect()).await?.pop();
        full.ok_or_else(|| Problem::new(Code::SaleNotFound, format!("no sale {sale} is known on chain {chain_id}")))
    }

    fn price(&self, phase: &Phase) -> Price {
        let per_token = price_per_token(&sum(phase.price), self.token.decimals);
        Price {
            raw: phase.price.to_string(),
            unit: PRICE_UNIT.to_string(),
            per_token: per_token.map(|price| self.currency.amount(price)),
        }
    }

    fn phase(&self, phase: &Phase) -> PhaseOut {
        PhaseOut {
            index: phase.phase,
            starts: Time::from_unix(phase.starts),
            ends: Time::from_unix(phase.ends),
            raised_up_to: self.currency.amount(phase.raised_up_to),
            price: self.price(phase),
        }
    }

    /// As the API shows it; `checkpoint` is its chain's.
    pub fn show(&self, checkpoint: &Checkpoint) -> SaleOut {
        let s = &self.sale;
        let (money, tokens) = (&self.currency, &self.token);
        let active = match self.state {
            SaleState::Open if !self.sold_out => phase_at(&self.phases, s.chain_time, &s.raised),
            _ => None,
        };
        let next = match self.state {
            SaleState::Upcoming => self.phases.first(),
            _ => active.and_then(|index| self.phases.get(index + 1)),
        };
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
            name: s.name.clone(),
            mode: s.mode.clone(),
            state: self.state,
            sold_out: self.sold_out,
            opens: Time::from_unix(s.opens),
            closes: Time::from_unix(s.closes),
            soft_cap: money.amount(s.soft_cap),
            hard_cap: money.amount(s.hard_cap),
            min_paid: money.amount(s.min_paid),
            max_paid: money.amount(s.max_paid),
            tokens_for_sale: tokens.amount(s.tokens_for_sale),
            unsold: if s.burn_unsold { Unsold::Burn } else { Unsold::Return },
            phases: self.phases.iter().map(|p| self.phase(p)).collect(),
            active_phase: active.map(|p| self.phase(p)),
            price: active.map(|p| self.price(p)),
            next_phase: next.map(|p| self.phase(p)),
            totals: Totals {
                raised: money.amount(&s.raised),
                sold: tokens.amount(&s.sold),
                investors: s.investors,
                contributions: s.contributions,
                refunded: money.amount(&s.refunded),
                refunds: s.refunds,
                claimed: tokens.amount(&s.claimed),
                claims: s.claims,
                released: money.amount(&s.released),
                held: money.amount(&s.held),
                unclaimed: tokens.amount(&s.unclaimed),
            },
            settlement,
            documents: Documents {
                sale: Document { uri: s.sale_uri.clone(), sha256: s.sale_hash },
                whitepaper: Document { uri: s.whitepaper_uri.clone(), sha256: s.whitepaper_hash },
            },
            owner: s.owner,
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

/// How one sale stands
///
/// State and active phase are told by the timestamp of the indexed block, as the contract would tell them in that block.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}",
    tag = "sales",
    params(SalePath, SaleQuery),
    responses((status = 200, description = "The sale.", body = Envelope<SaleOut, ChainMeta>), ReadProblems)
)]
pub async fn get_sale(
    State(state): State<ApiState>,
    Path(path): Path<SalePath>,
    Query(query): Query<SaleQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let meta = snapshot.meta()?;
    let data = snapshot.checkpoint(path.chain.0).map(|c| sale.show(c)).ok_or_else(Problem::internal)?;
    Ok(snapshot.answer(Envelope { data, meta }))
}
