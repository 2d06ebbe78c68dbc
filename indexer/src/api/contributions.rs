//! `GET /v1/sales/{chain}/{sale}/contributions`

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState, PageProblems,
    extract::{BlockNumber, CheckedPath, CheckedQuery, FromQuery, Limit, Parameter, Reader},
    meta::{ChainMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, Page, QueryDigest},
    problem::Problem,
    sale::{FullSale, SalePath},
    shapes::{AmountOut, BlockRef, Time},
};
use crate::{
    db::read::contributions::{self, Order},
    types::{Addr, Hash32},
};

/// Which way a list goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ListOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first: the last page's cursor later gives what is new.
    Oldest,
}

impl From<ListOrder> for Order {
    fn from(order: ListOrder) -> Self {
        match order {
            ListOrder::Newest => Self::NewestFirst,
            ListOrder::Oldest => Self::OldestFirst,
        }
    }
}

impl Parameter for ListOrder {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            _ => Err("must be newest or oldest".to_owned()),
        }
    }
}

/// Which contributions, and which page of them.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContributionsQuery {
    /// Contributions of this investor.
    #[param(required = false)]
    pub investor: Option<Addr>,
    /// Which way the list goes.
    #[param(value_type = Option<ListOrder>, required = false)]
    pub order: ListOrder,
    /// Most contributions on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for ContributionsQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            investor: reader.read("investor"),
            order: reader.read("order").unwrap_or_default(),
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// A contribution. One that crosses the cap of a phase is several: one a phase, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Contribution)]
pub struct ContributionOut {
    /// The sale.
    pub sale: Addr,
    /// Whose position it adds to.
    pub investor: Addr,
    /// Who paid.
    pub payer: Addr,
    /// Index of the phase whose price applied.
    pub phase: i16,
    /// What was taken.
    pub amount: AmountOut,
    /// What it bought.
    pub tokens: AmountOut,
    /// Running totals after it, as the contract emitted them.
    pub after: RunningTotals,
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// Running totals after a contribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunningTotals {
    /// Paid by the investor.
    pub paid: AmountOut,
    /// Raised by the sale.
    pub raised: AmountOut,
    /// Sold by the sale.
    pub sold: AmountOut,
}

/// Contributions to a sale
///
/// Newest first unless `order=oldest`.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/contributions",
    tag = "sales",
    params(SalePath, ContributionsQuery),
    responses((status = 200, description = "A page of contributions.", body = Page<ContributionOut, ChainMeta>), PageProblems)
)]
pub async fn list_contributions(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<ContributionsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let digest = QueryDigest::new("contributions", &(path, query.investor, query.order));
    let after = snapshot.resume(query.cursor, digest).await?.map(|c| (c.block_number, c.log_index));
    let order = query.order.into();
    let Limit(limit) = query.limit;
    let chain_id = path.chain.0;
    let mut rows =
        contributions::list(snapshot.connection(), chain_id, path.sale, query.investor, order, after, limit + 1)
            .await?;
    let next_cursor = page::cut(&mut rows, limit, |c| Cursor {
        query: digest,
        chain_id,
        block_number: c.block_number,
        block_hash: c.block_hash,
        log_index: c.log_index,
        key: Vec::new(),
    });
    let checkpoint = snapshot.checkpoint(chain_id).ok_or_else(Problem::internal)?;
    let (money, tokens) = (&sale.currency, &sale.token);
    let data = rows
        .into_iter()
        .map(|c| ContributionOut {
            sale: path.sale,
            investor: c.investor,
            payer: c.payer,
            phase: c.phase,
            amount: money.amount(c.amount),
            tokens: tokens.amount(c.tokens),
            after: RunningTotals {
                paid: money.amount(c.paid),
                raised: money.amount(c.raised),
                sold: tokens.amount(c.sold),
            },
            time: Time::from_unix(c.timestamp),
            transaction_hash: c.transaction_hash,
            block: BlockRef::new(checkpoint, c.block_number, c.block_hash, c.log_index),
        })
        .collect();
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}
