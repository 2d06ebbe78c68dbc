//! `GET /v1/sales/{chain}/{sale}`: how one sale stands.

mod full;

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::full::FullSale;
use super::{
    ApiState, ReadProblems,
    extract::{BlockNumber, ChainId, CheckedPath, CheckedQuery, FromPath, FromQuery, Reader},
    meta::{ChainMeta, Condition, Envelope, NoAnswer, Snapshot},
    problem::Problem,
    sale_parts::{
        Allocation, Created, Documents, Objections, PhaseOut, Price, Settlement, Tap, Totals, Unsold, Vesting,
    },
    shapes::{AmountOut, BlockRef, Time, Token},
    terms::{Mode, SaleState},
};
use crate::types::Addr;

/// A sale in the path.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
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
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
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
    pub mode: Mode,
    /// Where it stands at the timestamp of the indexed block.
    pub state: SaleState,
    /// Whether nothing can be bought any more: then it can be closed before `closes`, unless it has a cooling-off, by compliance
    /// alone where there is one.
    pub sold_out: bool,
    /// Whether the owner has paused contributions. Nothing else is paused.
    pub paused: bool,
    /// First second of the sale.
    pub opens: Time,
    /// First second after the sale.
    pub closes: Time,
    /// What is sold.
    pub token: Token,
    /// What kind of token: `plain`, or `restricted` to approved holders (ERC-1404). Null where it was not created with a sale.
    #[schema(example = "plain")]
    pub token_kind: Option<String>,
    /// What is paid.
    pub currency: Token,
    /// Goal: below it, everybody is refunded.
    pub soft_cap: AmountOut,
    /// Most that is kept; more is taken in a pro-rata sale alone.
    pub hard_cap: AmountOut,
    /// Least that an investor may have paid in all.
    pub min_paid: AmountOut,
    /// Most that an investor may have paid in all.
    pub max_paid: AmountOut,
    /// Tokens that the sale holds from the start.
    pub tokens_for_sale: AmountOut,
    /// What becomes of unsold tokens after a success; after a failure they go back to the owner.
    pub unsold: Unsold,
    /// Seconds after the latest contribution in which it may be withdrawn; zero: not at all. Counted up to ten minutes longer.
    pub cooling_off_seconds: i64,
    /// When tokens can be claimed.
    pub vesting: Vesting,
    /// When the beneficiary is paid.
    pub tap: Tap,
    /// All phases, in order.
    pub phases: Vec<PhaseOut>,
    /// The phase that the next contribution begins in; null unless the sale is open, not paused and not sold out.
    pub active_phase: Option<PhaseOut>,
    /// Price of now; in an auction it falls with every second, and this is its price at the indexed block.
    pub price: Option<Price>,
    /// The phase that follows the active one; the first before the opening; null if there is none.
    pub next_phase: Option<PhaseOut>,
    /// What happened so far.
    pub totals: Totals,
    /// The outcome; null until there is one.
    pub settlement: Option<Settlement>,
    /// What investors were promised, with hashes that the chain has.
    pub documents: Documents,
    /// Objections to paying the beneficiary; null where the terms give none.
    pub objections: Option<Objections>,
    /// What the team keeps.
    pub allocations: Vec<Allocation>,
    /// May cancel, pause and name the other roles; receives unsold tokens.
    pub owner: Addr,
    /// To whom the ownership is offered; null if to nobody.
    pub pending_owner: Option<Addr>,
    /// May reject investors, and alone close a sold-out sale early; null: nobody rejects, and anybody closes.
    pub compliance: Option<Addr>,
    /// Whose vouchers count; null where no phase ever asked for any.
    pub voucher_signer: Option<Addr>,
    /// The epoch that vouchers must name.
    #[schema(example = "0")]
    pub voucher_epoch: String,
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
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<SaleQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let meta = snapshot.meta()?;
    let data = snapshot.checkpoint(path.chain.0).map(|c| sale.show(c)).ok_or_else(Problem::internal)?;
    Ok(snapshot.answer(Envelope { data, meta }))
}
