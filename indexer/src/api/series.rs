//! `GET /v1/sales/{chain}/{sale}/series`: what came in over time, for charts.

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{BlockNumber, CheckedPath, CheckedQuery, FromQuery, Parameter, Reader},
    meta::{ChainMeta, Condition, Envelope, NoAnswer, Snapshot},
    problem::{Code, Fault, Problem},
    sale::{FullSale, SalePath},
    shapes::{AmountOut, Time},
};
use crate::db::read::series;

/// Most buckets of an answer.
const MAX_BUCKETS: i64 = 1_000;

/// How long a bucket is. Each begins with an hour or a day of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds.
    #[default]
    Day,
}

impl Interval {
    fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

impl Parameter for Interval {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err("must be hour or day".to_owned()),
        }
    }
}

/// Which part of the series.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// How long a bucket is.
    #[param(value_type = Option<Interval>, required = false)]
    pub interval: Interval,
    /// The first bucket is the one that this time is in. Without it: the one in which the sale opens, or later, so that no more than 1,000
    /// follow.
    #[param(required = false)]
    pub from: Option<Time>,
    /// The last bucket is the one before this time or that it is in. Without it, and at most: the one in which the sale got its outcome, or
    /// that the indexed block is in.
    #[param(required = false)]
    pub to: Option<Time>,
    /// Height that must be indexed, e.g. of the block with one's own transaction. Waits briefly for it, then answers 503.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub min_block: Option<BlockNumber>,
}

impl FromQuery for SeriesQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            interval: reader.read("interval").unwrap_or_default(),
            from: reader.read("from"),
            to: reader.read("to"),
            min_block: reader.read("min_block"),
        }
    }
}

/// What happened in an hour or a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Bucket)]
pub struct BucketOut {
    /// Its first second.
    pub start: Time,
    /// First second after it. If that is after the indexed block, more may come into the bucket.
    pub end: Time,
    /// Contributions.
    #[schema(example = 12)]
    pub contributions: i64,
    /// Investors whose first contribution to the sale this was. Who withdraws and comes again is not new.
    #[schema(example = 3)]
    pub new_investors: i64,
    /// What the contributions brought, whatever became of it later. Change that they gave back at once is not in it.
    pub contributed: AmountOut,
    /// What investors withdrew within the cooling-off, whenever it had been paid.
    pub withdrawn: AmountOut,
    /// What compliance rejected, whenever it had been paid.
    pub rejected: AmountOut,
    /// Raised at its end, as the sale counts: all that was contributed since the opening, less what was withdrawn and rejected. Refunds
    /// after the outcome do not change it.
    pub raised: AmountOut,
}

/// What came in over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Series)]
pub struct SeriesOut {
    /// How long a bucket is.
    pub interval: Interval,
    /// Every bucket, in order, those too in which nothing happened.
    pub buckets: Vec<BucketOut>,
}

/// The first second of the first bucket and the first after the last.
fn span(query: &SeriesQuery, opens: i64, latest: i64) -> Result<(i64, i64), Problem> {
    let fault = |name: &str, detail: String| {
        Problem::faults(Code::InvalidQuery, vec![Fault { pointer: format!("/query/{name}"), detail }])
    };
    let interval = query.interval.seconds();
    let start_of = |time: i64| time - time.rem_euclid(interval);
    if query.from.zip(query.to).is_some_and(|(from, to)| from >= to) {
        return Err(fault("to", "must be after from".to_owned()));
    }
    let end = start_of(latest) + interval;
    let to = query.to.map_or(end, |to| start_of(to.as_unix() - 1).saturating_add(interval).min(end));
    let from = match query.from {
        Some(from) => start_of(from.as_unix()),
        None => start_of(opens).max(to - MAX_BUCKETS * interval),
    };
    // What has not begun has no buckets.
    let from = from.min(to);
    let buckets = (to - from) / interval;
    if buckets > MAX_BUCKETS {
        let remedy = match query.interval {
            Interval::Hour => "ask with interval=day, or for less time at once",
            Interval::Day => "ask for less time at once",
        };
        return Err(fault("from", format!("is {buckets} buckets before the end, most are {MAX_BUCKETS}: {remedy}")));
    }
    Ok((from, to))
}

/// What came in over time
///
/// In hours or days of the chain's clock, every one between the first and the last. The sums are exact: over all buckets `contributed` less
/// `withdrawn` less `rejected` is what the sale has raised, and `new_investors` is its number of investors.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/series",
    tag = "sales",
    params(SalePath, SeriesQuery),
    responses((status = 200, description = "At most 1,000 buckets.", body = Envelope<SeriesOut, ChainMeta>), ReadProblems)
)]
pub async fn get_series(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(query): CheckedQuery<SeriesQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.min_block, condition).await?;
    let full = FullSale::get(snapshot.connection(), path).await?;
    let sale = &full.sale;
    let (from, to) = span(&query, sale.opens, sale.settled_at.unwrap_or(sale.chain_time))?;
    let interval = query.interval.seconds();
    let rows = series::list(snapshot.connection(), path.chain.0, path.sale, (from, to), interval).await?;
    let money = &full.currency;
    let buckets = rows
        .iter()
        .map(|b| BucketOut {
            start: Time::from_unix(b.start),
            end: Time::from_unix(b.start + interval),
            contributions: b.contributions,
            new_investors: b.new_investors,
            contributed: money.amount(&b.contributed),
            withdrawn: money.amount(&b.withdrawn),
            rejected: money.amount(&b.rejected),
            raised: money.amount(&b.raised),
        })
        .collect();
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Envelope { data: SeriesOut { interval: query.interval, buckets }, meta }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn query(from: Option<i64>, to: Option<i64>) -> SeriesQuery {
        let time = |seconds: Option<i64>| seconds.map(Time::from_unix);
        SeriesQuery { interval: Interval::Day, from: time(from), to: time(to), min_block: None }
    }

    #[test]
    fn a_span_is_of_whole_buckets_up_to_now() {
        let of = |from, to| span(&query(from, to), 10 * DAY + 5, 12 * DAY).unwrap();
        assert_eq!(of(None, None), (10 * DAY, 13 * DAY));
        assert_eq!(of(Some(11 * DAY - 1), Some(11 * DAY)), (10 * DAY, 11 * DAY));
        assert_eq!(of(Some(11 * DAY), Some(11 * DAY + 1)), (11 * DAY, 12 * DAY));
        assert_eq!(of(Some(0), Some(i64::MAX)), (0, 13 * DAY));
        // Not open yet, or after now.
        assert_eq!(span(&query(None, None), 20 * DAY, 12 * DAY).unwrap(), (13 * DAY, 13 * DAY));
        assert_eq!(of(Some(99 * DAY), None), (13 * DAY, 13 * DAY));
    }

    #[test]
    fn it_never_has_more_than_the_most() {
        let long = span(&query(None, None), 0, 5_000 * DAY).unwrap();
        assert_eq!(long, (4_001 * DAY, 5_001 * DAY));
        assert!(span(&query(Some(4_001 * DAY), None), 0, 5_000 * DAY).is_ok());
        assert!(span(&query(Some(4_001 * DAY - 1), None), 0, 5_000 * DAY).is_err());
        assert!(span(&query(Some(5), Some(5)), 0, DAY).is_err());
    }
}
