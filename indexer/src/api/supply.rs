//! `GET /v1/tokens/{chain}/{token}/supply/{total,circulating,max}`: one number as plain text, as aggregators ask for it.

use axum::{extract::State, http::header, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{ChainId, CheckedPath, CheckedQuery, FromPath, Parameter, Reader},
    meta::{Condition, NoAnswer, Snapshot},
    problem::{Code, Problem},
    sale::SaleQuery,
};
use crate::{
    db::{
        DbError,
        read::tokens::{self, Supply},
    },
    types::{Addr, Amount},
};

/// Decimals of every token that a factory makes (SaleToken, RestrictedSaleToken).
pub(super) const DECIMALS: u8 = 18;

/// Which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SupplyKind {
    /// What exists.
    Total,
    /// What exists and neither a sale nor a team wallet holds.
    Circulating,
    /// What was made, which is all that can ever be.
    Max,
}

impl Parameter for SupplyKind {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "total" => Ok(Self::Total),
            "circulating" => Ok(Self::Circulating),
            "max" => Ok(Self::Max),
            _ => Err("must be total, circulating or max".to_owned()),
        }
    }
}

/// A number about a token.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SupplyPath {
    /// EIP-155 id.
    #[param(value_type = i64, minimum = 0, example = 1)]
    pub chain: ChainId,
    /// Contract of the token.
    pub token: Addr,
    /// Which number.
    pub kind: SupplyKind,
}

impl FromPath for SupplyPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        let (chain, token, kind) = (reader.read("chain"), reader.read("token"), reader.read("kind"));
        Some(Self { chain: chain?, token: token?, kind: kind? })
    }
}

fn number(supply: Supply, kind: SupplyKind) -> Amount {
    let left = |from: Amount, gone: &[Amount]| Amount(gone.iter().fold(from.0, |sum, a| sum.saturating_sub(a.0)));
    match kind {
        SupplyKind::Max => supply.made,
        SupplyKind::Total => left(supply.made, &[supply.burnt]),
        SupplyKind::Circulating => left(supply.made, &[supply.burnt, supply.in_sales, supply.in_wallets]),
    }
}

/// Why nothing is known of a token that no factory made.
pub(super) async fn not_made(snapshot: &mut Snapshot, chain_id: i64, token: Addr) -> Result<Problem, DbError> {
    if tokens::is_sold(snapshot.connection(), chain_id, token).await? {
        let detail = format!(
            "no factory followed here made {token}, so neither its supply nor its holders are in the index; ask its contract"
        );
        return Ok(Problem::new(Code::SupplyUnknown, detail));
    }
    let detail = format!("no factory made {token} and no sale sells it on chain {chain_id}");
    Ok(Problem::new(Code::TokenNotFound, detail))
}

/// Supply of a token
///
/// In whole tokens as plain text, exact, e.g. `1000000` or `999999.5`. Of tokens that a followed factory made:
///
/// `max` is what was made with the token; its contract cannot make more. `total` is that less what sales burnt because they did not sell it.
/// `circulating` is `total` less what sales hold (not sold and not returned, or sold and not claimed) and less what team wallets hold (neither
/// released nor reclaimed). Tokens that a sale returned unsold, or that never were in one, are in somebody's wallet and count as circulating.
///
/// What holders burn themselves is still in `total` and `circulating`: the contract's own `totalSupply` tells, and `/holders` in what is
/// final. Of a token that a sale sells and no factory made, nothing is known: `supply_unknown`.
#[utoipa::path(
    get,
    path = "/v1/tokens/{chain}/{token}/supply/{kind}",
    tag = "tokens",
    params(SupplyPath, SaleQuery),
    responses(
        (status = 200, description = "A decimal number of whole tokens.", body = String, content_type = "text/plain", example = "999999.5"),
        ReadProblems
    )
)]
pub async fn get_supply(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SupplyPath>,
    CheckedQuery(query): CheckedQuery<SaleQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let (chain_id, token) = (path.chain.0, path.token);
    let Some(supply) = tokens::find_supply(snapshot.connection(), chain_id, token).await? else {
        return Err(not_made(&mut snapshot, chain_id, token).await?.into());
    };
    let text = number(supply, path.kind).to_units(DECIMALS);
    Ok(snapshot.respond(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text)))
}
