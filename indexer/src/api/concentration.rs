//! `GET /v1/sales/{chain}/{sale}/concentration`: how the money is spread over the investors.

use axum::{extract::State, response::Response};
use bigdecimal::num_bigint::BigInt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{CheckedPath, CheckedQuery},
    meta::{ChainMeta, Condition, Envelope, NoAnswer, Snapshot},
    sale::{FullSale, SalePath, SaleQuery},
    shapes::{AmountOut, Token},
};
use crate::db::read::{
    Sum,
    concentration::{self, Decade},
};

/// How a sale's money is spread. A stake is what an investor paid and neither withdrew nor lost to a rejection; who has none does not count.
/// Refunds after the outcome do not change it. A person can have many addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Concentration)]
pub struct ConcentrationOut {
    /// Investors with a stake.
    #[schema(example = 420)]
    pub investors: i64,
    /// All stakes: what the sale has raised.
    pub raised: AmountOut,
    /// The largest investor.
    pub top_1: Share,
    /// The ten largest.
    pub top_10: Share,
    /// The hundred largest.
    pub top_100: Share,
    /// The investors by the size of their stakes, the smallest first; sizes that nobody has are left out.
    pub sizes: Vec<Size>,
}

/// What some investors have together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Share {
    /// Their stakes.
    pub stake: AmountOut,
    /// Hundredths of a percent of all stakes, rounded down; zero where there are none.
    #[schema(example = 1_250)]
    pub basis_points: u16,
}

/// Investors with stakes of one order of magnitude.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Size {
    /// The least stake of this size: a power of ten of base units.
    pub from: AmountOut,
    /// The least of the next.
    pub below: AmountOut,
    /// Investors.
    #[schema(example = 37)]
    pub investors: i64,
    /// Their stakes together.
    pub stake: AmountOut,
}

pub(super) fn basis_points(part: &BigInt, whole: &BigInt) -> u16 {
    let scaled = part * BigInt::from(10_000);
    u16::try_from(scaled.checked_div(whole).unwrap_or_default()).unwrap_or(10_000)
}

fn show(decades: &[Decade], money: &Token) -> ConcentrationOut {
    let sum = |of: fn(&Decade) -> &Sum| decades.iter().map(|d| &of(d).0).sum::<BigInt>();
    let raised = sum(|d| &d.stake);
    let share = |stake: BigInt| Share { basis_points: basis_points(&stake, &raised), stake: money.amount(stake) };
    let power = |digits: i32| money.amount(BigInt::from(10).pow(digits.unsigned_abs()));
    ConcentrationOut {
        investors: decades.iter().map(|d| d.investors).sum(),
        top_1: share(sum(|d| &d.top_1)),
        top_10: share(sum(|d| &d.top_10)),
        top_100: share(sum(|d| &d.top_100)),
        raised: money.amount(&raised),
        sizes: decades
            .iter()
            .map(|d| Size {
                from: power(d.digits - 1),
                below: power(d.digits),
                investors: d.investors,
                stake: money.amount(&d.stake),
            })
            .collect(),
    }
}

/// How the money is spread
///
/// Over the investors of a sale: exact sums of the largest one, ten and hundred, and how many there are of each size.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/concentration",
    tag = "sales",
    params(SalePath, SaleQuery),
    responses((status = 200, description = "How it is spread.", body = Envelope<ConcentrationOut, ChainMeta>), ReadProblems)
)]
pub async fn get_concentration(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<SaleQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let sale = FullSale::get(snapshot.connection(), path).await?;
    let decades = concentration::list(snapshot.connection(), path.chain.0, path.sale).await?;
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Envelope { data: show(&decades, &sale.currency), meta }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down_and_never_fail() {
        let of = |part: i64, whole: i64| basis_points(&part.into(), &whole.into());
        assert_eq!(of(2, 3), 6_666);
        assert_eq!(of(3, 3), 10_000);
        assert_eq!(of(0, 0), 0);
        let huge = BigInt::from(10).pow(90);
        assert_eq!(basis_points(&(&huge - 1), &huge), 9_999);
    }
}
