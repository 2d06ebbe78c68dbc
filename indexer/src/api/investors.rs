//! `GET /v1/sales/{chain}/{sale}/investors`: everybody's position in a sale.

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState, PageProblems,
    extract::{BlockNumber, CheckedPath, CheckedQuery, FromQuery, Limit, Parameter, Reader},
    meta::{ChainMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, Page, QueryDigest},
    position::PositionOut,
    problem::Problem,
    sale::{FullSale, SalePath},
};
use crate::{
    db::read::{Sum, positions},
    types::Addr,
};

/// What investors are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvestorSort {
    /// Who paid most, first. Somebody who pays while the list is read can move in it.
    #[default]
    Paid,
    /// By address, lowest first. Nobody moves.
    Address,
}

impl Parameter for InvestorSort {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "paid" => Ok(Self::Paid),
            "address" => Ok(Self::Address),
            _ => Err("must be paid or address".to_owned()),
        }
    }
}

/// Which page of the investors.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvestorsQuery {
    /// What they are sorted by.
    #[param(value_type = Option<InvestorSort>, required = false)]
    pub sort: InvestorSort,
    /// Most investors on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for InvestorsQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            sort: reader.read("sort").unwrap_or_default(),
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// The paid sum and the address that a page by paid sum goes on after.
fn paid_key(cursor: &Cursor) -> Option<(Sum, Addr)> {
    let (address, paid) = cursor.key.split_first_chunk::<20>()?;
    Some((std::str::from_utf8(paid).ok()?.parse().ok()?, Addr((*address).into())))
}

fn address_key(cursor: &Cursor) -> Option<Addr> {
    <[u8; 20]>::try_from(&cursor.key[..]).ok().map(|bytes| Addr(bytes.into()))
}

/// Investors of a sale
///
/// Sorted by what they ever paid, unless `sort=address`.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/investors",
    tag = "sales",
    params(SalePath, InvestorsQuery),
    responses((status = 200, description = "A page of positions.", body = Page<PositionOut, ChainMeta>), PageProblems)
)]
pub async fn list_investors(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<InvestorsQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let digest = QueryDigest::new("investors", &(path, query.sort));
    let cursor = snapshot.resume(query.cursor, digest).await?;
    let Limit(limit) = query.limit;
    let (chain_id, connection) = (path.chain.0, snapshot.connection());
    let mut rows = match query.sort {
        InvestorSort::Paid => {
            let after = cursor.map(|c| paid_key(&c).ok_or_else(Cursor::invalid)).transpose()?;
            let after = after.as_ref().map(|(paid, investor)| (paid, *investor));
            positions::list_by_paid(connection, chain_id, path.sale, after, limit + 1).await?
        }
        InvestorSort::Address => {
            let after = cursor.map(|c| address_key(&c).ok_or_else(Cursor::invalid)).transpose()?;
            positions::list_by_investor(connection, chain_id, path.sale, after, limit + 1).await?
        }
    };
    let next_cursor = page::cut(&mut rows, limit, |p| {
        let mut key = p.investor.0.to_vec();
        if query.sort == InvestorSort::Paid {
            key.extend(p.paid.to_string().into_bytes());
        }
        Cursor {
            query: digest,
            chain_id,
            block_number: p.block_number,
            block_hash: p.block_hash,
            log_index: p.log_index,
            key,
        }
    });
    let checkpoint = snapshot.checkpoint(chain_id).ok_or_else(Problem::internal)?;
    let data = rows.iter().map(|p| PositionOut::new(p, &sale, checkpoint)).collect();
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Page { data, meta, next_cursor }))
}
