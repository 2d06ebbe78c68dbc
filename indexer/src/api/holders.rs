//! `GET /v1/tokens/{chain}/{token}/holders`: who holds a token, up to a block that is final.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, PageProblems,
    concentration::basis_points,
    extract::{BlockNumber, ChainId, CheckedPath, CheckedQuery, FromPath, FromQuery, Limit, Reader},
    meta::{ChainMeta, Condition, NoAnswer, Snapshot},
    page::{self, Cursor, QueryDigest},
    problem::{Code, Problem},
    shapes::{AmountOut, Token},
    supply::{DECIMALS, not_made},
};
use crate::{
    db::read::{
        Sum,
        holders::{self, Summary},
    },
    types::{Addr, Finality, Hash32},
};

/// Which token.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// EIP-155 id.
    #[param(value_type = i64, minimum = 0, example = 1)]
    pub chain: ChainId,
    /// Contract of the token.
    pub token: Addr,
}

impl FromPath for TokenPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        let (chain, token) = (reader.read("chain"), reader.read("token"));
        Some(Self { chain: chain?, token: token? })
    }
}

/// Which page of the holders.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HoldersQuery {
    /// Most holders on the page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, required = false)]
    pub cursor: Option<Cursor>,
    /// Height up to which holders must be counted; it has to be final. Answers 503 until they are.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for HoldersQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            limit: reader.read("limit").unwrap_or_default(),
            cursor: reader.read("cursor"),
            min_block: reader.read("min_block"),
        }
    }
}

/// A holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Holder)]
pub struct HolderOut {
    /// The address.
    pub address: Addr,
    /// `sale` or `team_wallet` where a contract of ours holds them for others, else `wallet`.
    #[schema(example = "wallet")]
    pub kind: String,
    /// What it holds.
    pub balance: AmountOut,
    /// Hundredths of a percent of all there are, rounded down.
    #[schema(example = 1_250)]
    pub basis_points: u16,
}

/// What some holders have together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldShare {
    /// What they hold.
    pub balance: AmountOut,
    /// Hundredths of a percent of all there are, rounded down; zero where there are none.
    #[schema(example = 6_000)]
    pub basis_points: u16,
}

/// The block up to which transfers are counted. It is final: what is told will not be taken back, and newer transfers are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountedTo {
    /// EIP-155 id.
    pub chain_id: i64,
    /// Height.
    pub number: i64,
    /// Hash.
    pub hash: Hash32,
    /// `finalized`.
    pub finality: Finality,
}

/// All holders together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoldersSummary {
    /// The block.
    pub block: CountedTo,
    /// How many there are.
    #[schema(example = 420)]
    pub holders: i64,
    /// What they hold together: the contract's `totalSupply` at that block.
    pub supply: AmountOut,
    /// The largest.
    pub top_1: HeldShare,
    /// The ten largest.
    pub top_10: HeldShare,
    /// The hundred largest.
    pub top_100: HeldShare,
}

/// A page of holders.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderPage {
    /// Holders, the largest first.
    pub data: Vec<HolderOut>,
    /// All of them together, and up to which block.
    pub summary: HoldersSummary,
    /// How current the index is, which can be ahead of the holders.
    pub meta: ChainMeta,
    /// Give it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// The balance and the address that a page goes on after.
fn key(cursor: &Cursor) -> Option<(Sum, Addr)> {
    let (address, balance) = cursor.key.split_first_chunk::<20>()?;
    Some((std::str::from_utf8(balance).ok()?.parse().ok()?, Addr((*address).into())))
}

fn show(summary: &Summary, block: CountedTo, token: &Token) -> HoldersSummary {
    let share =
        |part: &Sum| HeldShare { balance: token.amount(part), basis_points: basis_points(&part.0, &summary.supply.0) };
    HoldersSummary {
        block,
        holders: summary.holders,
        supply: token.amount(&summary.supply),
        top_1: share(&summary.top_1),
        top_10: share(&summary.top_10),
        top_100: share(&summary.top_100),
    }
}

/// Holders of a token
///
/// Of a token that a followed factory made, the largest first, from its transfers up to a block that is final: `summary.block` says which.
/// Somebody who moves tokens while the list is read can move in it. A sale's own balance is what it has not sold or not paid out yet. Of a
/// token that a sale sells and no factory made, nothing is known: `supply_unknown`.
#[utoipa::path(
    get,
    path = "/v1/tokens/{chain}/{token}/holders",
    tag = "tokens",
    params(TokenPath, HoldersQuery),
    responses((status = 200, description = "A page of holders.", body = HolderPage), PageProblems)
)]
pub async fn list_holders(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<TokenPath>,
    CheckedQuery(query): CheckedQuery<HoldersQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, None, condition).await?;
    let (chain_id, address) = (path.chain.0, path.token);
    let Some(made) = holders::find_token(snapshot.connection(), chain_id, address).await? else {
        return Err(not_made(&mut snapshot, chain_id, address).await?.into());
    };
    let counted = holders::counted_to(snapshot.connection(), chain_id).await?;
    let wanted = query.min_block.map_or(made.block_number, |block| block.0.max(made.block_number));
    let Some((number, hash)) = counted.filter(|(number, _)| *number >= wanted) else {
        let at = counted.map_or(-1, |(number, _)| number);
        let detail = format!("holders are counted up to block {at}, as far as is final, and not up to {wanted} yet");
        return Err(Problem::new(Code::BlockNotIndexed, detail).retry_after(10).into());
    };
    snapshot.also(hash.0.as_slice())?;
    let digest = QueryDigest::new("holders", &path);
    let cursor = snapshot.resume(query.cursor, digest).await?;
    let after = cursor.map(|c| key(&c).ok_or_else(Cursor::invalid)).transpose()?;
    let after = after.as_ref().map(|(balance, holder)| (balance, *holder));
    let Limit(limit) = query.limit;
    let mut rows = holders::list(snapshot.connection(), chain_id, address, after, limit + 1).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| {
        let mut key = row.holder.0.to_vec();
        key.extend(row.balance.to_string().into_bytes());
        let (block_number, block_hash, log_index) = (made.block_number, made.block_hash, made.log_index);
        Cursor { query: digest, chain_id, block_number, block_hash, log_index, key }
    });
    let summary = holders::summary(snapshot.connection(), chain_id, address).await?;
    let token = Token::new(address, &made.symbol, &made.name, i16::from(DECIMALS));
    let data = rows
        .into_iter()
        .map(|row| HolderOut {
            address: row.holder,
            kind: row.kind,
            basis_points: basis_points(&row.balance.0, &summary.supply.0),
            balance: token.amount(&row.balance),
        })
        .collect();
    let block = CountedTo { chain_id, number, hash, finality: Finality::Finalized };
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(HolderPage { data, summary: show(&summary, block, &token), meta, next_cursor }))
}
