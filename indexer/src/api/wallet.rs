//! `GET /v1/investors/{address}`: one wallet over all sales.

use std::collections::HashMap;

use axum::{extract::State, response::Response};

use super::{
    ApiState, PageProblems,
    extract::{BlockNumber, ChainId, CheckedPath, CheckedQuery, FromPath, FromQuery, Limit, Reader},
    meta::{ChainsMeta, Condition, NoAnswer},
    page::{self, Cursor, Page, QueryDigest},
    position::PositionOut,
    problem::Problem,
    sale::FullSale,
    sales::snapshot,
};
use crate::{
    db::read::{positions, sales},
    types::Addr,
};

/// A wallet in the path.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WalletPath {
    /// Address of the investor.
    pub address: Addr,
}

impl FromPath for WalletPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { address: reader.read("address")? })
    }
}

/// Which positions, and which page of them.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WalletQuery {
    /// Positions on this chain.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub chain: Option<ChainId>,
    /// Most positions on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed on `chain`. Waits briefly for it, then answers 503. Needs `chain`.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for WalletQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            chain: reader.read("chain"),
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// Positions of one wallet
///
/// Chains by id, in each the sales by address: an order in which nothing moves. A wallet that never contributed has none.
#[utoipa::path(
    get,
    path = "/v1/investors/{address}",
    tag = "investors",
    params(WalletPath, WalletQuery),
    responses((status = 200, description = "A page of positions.", body = Page<PositionOut, ChainsMeta>), PageProblems)
)]
pub async fn list_positions(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<WalletPath>,
    CheckedQuery(query): CheckedQuery<WalletQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = snapshot(&state, query.chain, query.min_block, condition).await?;
    let digest = QueryDigest::new("wallet", &(path, query.chain));
    let after = match snapshot.resume(query.cursor, digest).await? {
        Some(cursor) => {
            let sale = <[u8; 20]>::try_from(&cursor.key[..]).map_err(|_| Cursor::invalid())?;
            Some((cursor.chain_id, Addr(sale.into())))
        }
        None => None,
    };
    let chains: Vec<i64> = snapshot.chains().iter().map(|c| c.checkpoint.chain_id).collect();
    let Limit(limit) = query.limit;
    let mut rows = positions::list_of_investor(snapshot.connection(), path.address, &chains, after, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |p| Cursor {
        query: digest,
        chain_id: p.chain_id,
        block_number: p.block_number,
        block_hash: p.block_hash,
        log_index: p.log_index,
        key: p.sale.0.to_vec(),
    });
    let keys: Vec<_> = rows.iter().map(|p| (p.chain_id, p.sale)).collect();
    let found = sales::list_by_key(snapshot.connection(), &keys).await?;
    let found = FullSale::complete(snapshot.connection(), found).await?;
    let found: HashMap<_, _> = found.iter().map(|s| ((s.sale.chain_id, s.sale.address), s)).collect();
    let data = rows
        .iter()
        .map(|p| {
            let sale = found.get(&(p.chain_id, p.sale)).ok_or_else(Problem::internal)?;
            let checkpoint = snapshot.checkpoint(p.chain_id).ok_or_else(Problem::internal)?;
            Ok(PositionOut::new(p, sale, checkpoint))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    let meta = snapshot.metas();
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}
