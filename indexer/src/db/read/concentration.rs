//! How a sale's money is spread over its investors.

use sqlx::PgConnection;

use super::Sum;
use crate::{db::DbError, types::Addr};

/// Investors whose stakes have the same number of digits. Of a sale there are 78 at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decade {
    /// Digits of the stake in base units.
    pub digits: i32,
    /// Investors.
    pub investors: i64,
    /// Their stakes together.
    pub stake: Sum,
    /// Of these stakes, that of the sale's largest investor.
    pub top_1: Sum,
    /// Those of its ten largest.
    pub top_10: Sum,
    /// Those of its hundred largest.
    pub top_100: Sum,
}

/// The investors of a sale by the size of their stake, the smallest first. A stake is what was paid and neither withdrawn nor rejected;
/// who has none is no investor any more. Equal stakes rank in any order: it changes no sum.
pub async fn list(connection: &mut PgConnection, chain_id: i64, sale: Addr) -> Result<Vec<Decade>, DbError> {
    Ok(sqlx::query_as!(
        Decade,
        r#"SELECT length(r.stake::text) AS "digits!", count(*) AS "investors!", sum(r.stake) AS "stake!: Sum",
                  coalesce(sum(r.stake) FILTER (WHERE r.place <= 1), 0) AS "top_1!: Sum",
                  coalesce(sum(r.stake) FILTER (WHERE r.place <= 10), 0) AS "top_10!: Sum",
                  coalesce(sum(r.stake) FILTER (WHERE r.place <= 100), 0) AS "top_100!: Sum"
           FROM (
               SELECT p.stake, row_number() OVER (ORDER BY p.stake DESC) AS place
               FROM (SELECT paid - withdrawn - rejected AS stake FROM position WHERE chain_id = $1 AND sale = $2) p
               WHERE p.stake > 0
           ) r GROUP BY 1 ORDER BY 1"#,
        chain_id,
        sale as _
    )
    .fetch_all(connection)
    .await?)
}
