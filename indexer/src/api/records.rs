//! `GET /v1/sales/{chain}/{sale}/{claims,refunds,releases,objections}`: what a sale and its vault paid, and what investors objected.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, PageProblems,
    contributions::ListOrder,
    extract::{BlockNumber, CheckedPath, CheckedQuery, FromQuery, Limit, Reader},
    meta::{ChainMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, Page, QueryDigest},
    problem::Problem,
    sale::{FullSale, SalePath},
    shapes::{AmountOut, BlockRef, Time},
};
use crate::{
    db::{
        chains::Checkpoint,
        read::records::{self, Record, Records},
    },
    types::{Addr, Hash32},
};

/// Which page of the records.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordsQuery {
    /// Which way the list goes.
    #[param(value_type = Option<ListOrder>, required = false)]
    pub order: ListOrder,
    /// Most records on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for RecordsQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            order: reader.read("order").unwrap_or_default(),
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// Where and when a record was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Origin {
    /// The sale.
    pub sale: Addr,
    /// Time of its block.
    pub time: Time,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place.
    pub block: BlockRef,
}

/// Tokens that an investor claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Claim)]
pub struct ClaimOut {
    /// Whose tokens they were.
    pub investor: Addr,
    /// Where they went.
    pub recipient: Addr,
    /// How many.
    pub tokens: AmountOut,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields stand in the record themselves")]
    pub origin: Origin,
}

/// Money that went back to an investor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundOut {
    /// What for: `refunded` after a failure, a cancellation or a rejection; `excess_refunded` after a success that took more than it
    /// keeps; `rest_refunded` of a vault that investors stopped; `withdrawn` by the investor within the cooling-off. New kinds may come.
    #[schema(example = "refunded")]
    pub kind: String,
    /// Whose money it was.
    pub investor: Addr,
    /// Where it went.
    pub recipient: Addr,
    /// How much.
    pub amount: AmountOut,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields stand in the record themselves")]
    pub origin: Origin,
}

/// Money that the vault paid for the beneficiary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Release)]
pub struct ReleaseOut {
    /// Whose money it was.
    pub beneficiary: Addr,
    /// Where it went.
    pub recipient: Addr,
    /// How much.
    pub amount: AmountOut,
    /// How much in all, this included.
    pub released: AmountOut,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields stand in the record themselves")]
    pub origin: Origin,
}

/// An investor's vote against paying the beneficiary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Objection)]
pub struct ObjectionOut {
    /// Who objected.
    pub investor: Addr,
    /// Its weight: what the sale kept of the investor's money.
    pub weight: AmountOut,
    /// The weight of all objections, this included.
    pub objected: AmountOut,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields stand in the record themselves")]
    pub origin: Origin,
}

/// What is the same in all four: only the shape of a record differs.
async fn page<T: Serialize>(
    state: &ApiState,
    path: SalePath,
    query: RecordsQuery,
    condition: Condition,
    records: Records,
    show: impl Fn(&Record, &FullSale, Origin) -> T,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let digest = QueryDigest::new("records", &(records, path, query.order));
    let after = snapshot.resume(query.cursor, digest).await?.map(|c| (c.block_number, c.log_index));
    let Limit(limit) = query.limit;
    let chain_id = path.chain.0;
    let order = query.order.into();
    let mut rows = records::list(snapshot.connection(), records, chain_id, path.sale, order, after, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |r| Cursor {
        query: digest,
        chain_id,
        block_number: r.block_number,
        block_hash: r.block_hash,
        log_index: r.log_index,
        key: Vec::new(),
    });
    let checkpoint = snapshot.checkpoint(chain_id).ok_or_else(Problem::internal)?;
    let data = rows.iter().map(|r| show(r, &sale, origin(r, path.sale, checkpoint))).collect();
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}

fn origin(r: &Record, sale: Addr, checkpoint: &Checkpoint) -> Origin {
    Origin {
        sale,
        time: Time::from_unix(r.timestamp),
        transaction_hash: r.transaction_hash,
        block: BlockRef::new(checkpoint, r.block_number, r.block_hash, r.log_index),
    }
}

/// Claims of tokens
///
/// Every transfer of tokens from the sale to an investor, newest first unless `order=oldest`.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/claims",
    tag = "sales",
    params(SalePath, RecordsQuery),
    responses((status = 200, description = "A page of claims.", body = Page<ClaimOut, ChainMeta>), PageProblems)
)]
pub async fn list_claims(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<RecordsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    page(&state, path, query, condition, Records::Claims, |r, sale, origin| ClaimOut {
        investor: r.account,
        recipient: r.recipient.unwrap_or_default(),
        tokens: sale.token.amount(r.amount),
        origin,
    })
    .await
}

/// Money back to investors
///
/// Every payment of money from the sale or its vault back to an investor, whatever for, newest first unless `order=oldest`. Change that a
/// contribution gave back at once is not among them: it never was the sale's.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/refunds",
    tag = "sales",
    params(SalePath, RecordsQuery),
    responses((status = 200, description = "A page of refunds.", body = Page<RefundOut, ChainMeta>), PageProblems)
)]
pub async fn list_refunds(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<RecordsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    page(&state, path, query, condition, Records::Refunds, |r, sale, origin| RefundOut {
        kind: r.kind.clone(),
        investor: r.account,
        recipient: r.recipient.unwrap_or_default(),
        amount: sale.currency.amount(r.amount),
        origin,
    })
    .await
}

/// Money to the beneficiary
///
/// Every payment of the vault to or for the beneficiary, newest first unless `order=oldest`.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/releases",
    tag = "sales",
    params(SalePath, RecordsQuery),
    responses((status = 200, description = "A page of releases.", body = Page<ReleaseOut, ChainMeta>), PageProblems)
)]
pub async fn list_releases(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<RecordsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    page(&state, path, query, condition, Records::Releases, |r, sale, origin| ReleaseOut {
        beneficiary: r.account,
        recipient: r.recipient.unwrap_or_default(),
        amount: sale.currency.amount(r.amount),
        released: sale.currency.amount(r.running.unwrap_or_default()),
        origin,
    })
    .await
}

/// Objections of investors
///
/// Every vote against paying the beneficiary, newest first unless `order=oldest`.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/objections",
    tag = "sales",
    params(SalePath, RecordsQuery),
    responses((status = 200, description = "A page of objections.", body = Page<ObjectionOut, ChainMeta>), PageProblems)
)]
pub async fn list_objections(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<RecordsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    page(&state, path, query, condition, Records::Objections, |r, sale, origin| ObjectionOut {
        investor: r.account,
        weight: sale.currency.amount(r.amount),
        objected: sale.currency.amount(r.running.unwrap_or_default()),
        origin,
    })
    .await
}
