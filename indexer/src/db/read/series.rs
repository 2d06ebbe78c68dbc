//! What came into a sale over time, in buckets of the chain's clock.

use sqlx::PgConnection;

use super::Sum;
use crate::{db::DbError, types::Addr};

/// A bucket. Amounts in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its first second, Unix time.
    pub start: i64,
    /// Contributions in it.
    pub contributions: i64,
    /// Investors whose first contribution is in it.
    pub new_investors: i64,
    /// What its contributions brought.
    pub contributed: Sum,
    /// What was withdrawn in it.
    pub withdrawn: Sum,
    /// What was rejected in it.
    pub rejected: Sum,
    /// Raised at its end: all that was ever contributed, less what was withdrawn and rejected.
    pub raised: Sum,
}

/// All buckets of `interval` seconds from `from` up to `to`, both Unix times at the start of a bucket, empty ones too.
pub async fn list(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    (from, to): (i64, i64),
    interval: i64,
) -> Result<Vec<Bucket>, DbError> {
    // What was before is one bucket more, which the running sum begins with and nobody sees.
    Ok(sqlx::query_as!(
        Bucket,
        r#"WITH event AS (
               SELECT e.kind, e.investor, e.amount, greatest(b.timestamp - b.timestamp % $5, $3 - $5) AS start
               FROM (
                   SELECT 'contributed' AS kind, block_number, investor, amount FROM contribution WHERE chain_id = $1 AND sale = $2
                   UNION ALL
                   SELECT 'withdrawn', block_number, investor, amount FROM withdrawal WHERE chain_id = $1 AND sale = $2
                   UNION ALL
                   SELECT 'rejected', block_number, investor, amount FROM rejection WHERE chain_id = $1 AND sale = $2
               ) e JOIN block b ON b.chain_id = $1 AND b.number = e.block_number
               WHERE b.timestamp < $4
           ), sums AS (
               SELECT start, count(*) FILTER (WHERE kind = 'contributed') AS contributions,
                   coalesce(sum(amount) FILTER (WHERE kind = 'contributed'), 0) AS contributed,
                   coalesce(sum(amount) FILTER (WHERE kind = 'withdrawn'), 0) AS withdrawn,
                   coalesce(sum(amount) FILTER (WHERE kind = 'rejected'), 0) AS rejected
               FROM event GROUP BY start
           ), firsts AS (
               SELECT start, count(*) AS investors
               FROM (SELECT min(start) AS start FROM event WHERE kind = 'contributed' GROUP BY investor) f GROUP BY start
           )
           SELECT g.start AS "start!", coalesce(s.contributions, 0) AS "contributions!",
               coalesce(f.investors, 0) AS "new_investors!", coalesce(s.contributed, 0) AS "contributed!: Sum",
               coalesce(s.withdrawn, 0) AS "withdrawn!: Sum", coalesce(s.rejected, 0) AS "rejected!: Sum",
               sum(coalesce(s.contributed - s.withdrawn - s.rejected, 0)) OVER (ORDER BY g.start) AS "raised!: Sum"
           FROM generate_series($3 - $5, $4 - $5, $5) g (start)
           LEFT JOIN sums s ON s.start = g.start LEFT JOIN firsts f ON f.start = g.start
           ORDER BY g.start OFFSET 1"#,
        chain_id,
        sale as _,
        from,
        to,
        interval
    )
    .fetch_all(connection)
    .await?)
}
