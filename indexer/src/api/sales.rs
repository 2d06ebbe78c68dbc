//! `GET /v1/sales`: the directory.

use axum::{extract::State, response::Response};

use super::{
    ApiState, PageProblems,
    extract::{BlockNumber, ChainId, CheckedQuery, FromQuery, Limit, Reader, SearchText},
    meta::{ChainsMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, Page, QueryDigest},
    problem::{Code, Fault, Problem},
    sale::{FullSale, SaleOut},
    terms::SaleState,
};
use crate::{
    db::read::sales::{self, SaleFilter},
    types::Addr,
};

/// Which sales, and which page of them.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SalesQuery {
    /// Sales with this in their name, or in the symbol or name of their token. Case does not matter, nor in which of its forms Unicode
    /// writes a letter; every character stands for itself. Of a longer name the first 256 characters are searched.
    #[param(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]*$", required = false, example = "token")]
    pub q: Option<SearchText>,
    /// Sales on this chain.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub chain: Option<ChainId>,
    /// Sales in this state.
    #[param(required = false)]
    pub state: Option<SaleState>,
    /// Sales of this owner.
    #[param(required = false)]
    pub owner: Option<Addr>,
    /// Sales of this token.
    #[param(required = false)]
    pub token: Option<Addr>,
    /// Sales paid in this token; the zero address is ether.
    #[param(required = false)]
    pub currency: Option<Addr>,
    /// Most sales on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed on `chain`. Waits briefly for it, then answers 503. Needs `chain`.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for SalesQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            q: reader.read("q"),
            chain: reader.read("chain"),
            state: reader.read("state"),
            owner: reader.read("owner"),
            token: reader.read("token"),
            currency: reader.read("currency"),
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// A snapshot of one chain if one is asked for, else of all.
pub(super) async fn snapshot(
    state: &ApiState,
    chain: Option<ChainId>,
    min_block: Option<BlockNumber>,
    condition: Condition,
) -> Result<Snapshot, NoAnswer> {
    match (chain, min_block) {
        (Some(chain), min_block) => Snapshot::of_chain(state, chain, min_block, condition).await,
        (None, None) => Snapshot::of_all(state, condition).await,
        (None, Some(_)) => {
            let detail = "needs chain: heights of several chains say nothing about each other".to_owned();
            let fault = Fault { pointer: "/query/min_block".to_owned(), detail };
            Err(Problem::faults(Code::InvalidQuery, vec![fault]).into())
        }
    }
}

/// All sales
///
/// Chains by id, in each the newest sale first.
#[utoipa::path(
    get,
    path = "/v1/sales",
    tag = "sales",
    params(SalesQuery),
    responses((status = 200, description = "A page of sales.", body = Page<SaleOut, ChainsMeta>), PageProblems)
)]
pub async fn list_sales(
    State(state): State<ApiState>,
    CheckedQuery(query): CheckedQuery<SalesQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = snapshot(&state, query.chain, query.min_block, condition).await?;
    let filter = SaleFilter {
        chain_id: query.chain.map(|c| c.0),
        state: query.state.map(|s| s.as_str().to_owned()),
        owner: query.owner,
        token: query.token,
        currency: query.currency,
        text: query.q.map(|q| q.0),
    };
    let digest = QueryDigest::new("sales", &filter);
    let after = snapshot.resume(query.cursor, digest).await?.map(|c| (c.chain_id, c.block_number, c.log_index));
    let Limit(limit) = query.limit;
    let mut rows = sales::list(snapshot.connection(), &filter, after, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |s| Cursor {
        query: digest,
        chain_id: s.chain_id,
        block_number: s.block_number,
        block_hash: s.created_hash,
        log_index: s.log_index,
        key: Vec::new(),
    });
    let rows = FullSale::complete(snapshot.connection(), rows).await?;
    let data = rows
        .iter()
        .map(|s| snapshot.checkpoint(s.sale.chain_id).map(|c| s.show(c)).ok_or_else(Problem::internal))
        .collect::<Result<Vec<_>, _>>()?;
    let meta = snapshot.metas();
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}
