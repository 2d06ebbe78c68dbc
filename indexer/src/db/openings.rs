//! `sale_opening`: in which block a sale opened. No log says so; it follows from the times of the blocks.

use sqlx::PgConnection;

use super::{DbError, Writer};
use crate::types::Addr;

/// A sale that has an opening before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// The sale.
    pub sale: Addr,
    /// When it opens, Unix seconds.
    pub opens: u64,
    /// The block that created it, where it may open with that block.
    pub created: Option<u64>,
}

/// A sale that opens, and the block with which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The sale.
    pub sale: Addr,
    /// The block.
    pub block: u64,
}

/// Stored sales that open after a time and not after another, Unix seconds, and have no outcome yet.
pub async fn list_upcoming(writer: &mut Writer, after: i64, up_to: i64) -> Result<Vec<Upcoming>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT s.address AS "sale: Addr", s.opens FROM sale s
           WHERE s.chain_id = $1 AND s.opens > $2 AND s.opens <= $3
             AND NOT EXISTS (SELECT FROM settlement o WHERE o.chain_id = s.chain_id AND o.sale = s.address)"#,
        writer.chain_id,
        after,
        up_to
    )
    .fetch_all(&mut writer.connection)
    .await?;
    Ok(rows.into_iter().map(|row| Upcoming { sale: row.sale, opens: row.opens as u64, created: None }).collect())
}

/// Sales that opened up to a time, Unix seconds, and of which that is not noted, in the order in which they open: those of tables in
/// which an older version noted no openings. Without those that have their outcome from a block before the time at which they open.
pub async fn list_missing(writer: &mut Writer, up_to: i64) -> Result<Vec<Upcoming>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT s.address AS "sale: Addr", s.opens, s.block_number FROM sale s
           WHERE s.chain_id = $1 AND s.opens <= $2
             AND NOT EXISTS (SELECT FROM sale_opening n WHERE n.chain_id = s.chain_id AND n.sale = s.address)
             AND NOT EXISTS (SELECT FROM settlement o
                             JOIN block b ON b.chain_id = o.chain_id AND b.number = o.block_number
                             WHERE o.chain_id = s.chain_id AND o.sale = s.address AND b.timestamp < s.opens)
           ORDER BY s.opens"#,
        writer.chain_id,
        up_to
    )
    .fetch_all(&mut writer.connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Upcoming { sale: row.sale, opens: row.opens as u64, created: Some(row.block_number as u64) })
        .collect())
}

/// Notes openings, but for sales that had their outcome before. The events of their blocks are written, and their blocks are kept from
/// now on. How many there were.
pub(crate) async fn insert(connection: &mut PgConnection, chain_id: i64, openings: &[Opening]) -> Result<i64, DbError> {
    let (sales, blocks): (Vec<Addr>, Vec<i64>) = openings.iter().map(|o| (o.sale, o.block as i64)).unzip();
    Ok(sqlx::query_scalar!(
        r#"WITH new AS (
               SELECT n.sale, n.block, s.owner, s.block_number = n.block AS at_once, s.block_number, s.log_index
               FROM UNNEST($2::bytea[], $3::bigint[]) AS n (sale, block)
               JOIN sale s ON s.chain_id = $1 AND s.address = n.sale
               WHERE NOT EXISTS (SELECT FROM settlement o
                                 WHERE o.chain_id = $1 AND o.sale = n.sale AND o.block_number < n.block)
           ), owned AS (
               SELECT DISTINCT ON (n.sale) n.sale, e.new_owner
               FROM new n JOIN ownership_transfer e
                   ON e.chain_id = $1 AND e.contract = n.sale AND e.done AND e.block_number < n.block
               ORDER BY n.sale, e.block_number DESC, e.log_index DESC
           ), opened AS (
               INSERT INTO sale_opening (chain_id, block_number, log_index, sale, owner)
               SELECT $1, n.block,
                   CASE WHEN n.at_once THEN 1 << 30 ELSE -count(*) OVER (PARTITION BY n.block, n.at_once) END
                       + row_number() OVER (PARTITION BY n.block, n.at_once ORDER BY n.block_number, n.log_index) - 1,
                   n.sale, coalesce(o.new_owner, n.owner)
               FROM new n LEFT JOIN owned o USING (sale)
               ON CONFLICT (chain_id, sale) DO NOTHING
               RETURNING block_number
           ), kept AS (
               UPDATE block b SET has_events = true FROM (SELECT DISTINCT block_number FROM opened) o
               WHERE b.chain_id = $1 AND b.number = o.block_number AND NOT b.has_events
           )
           SELECT count(*) AS "count!" FROM opened"#,
        chain_id,
        &sales[..] as _,
        &blocks
    )
    .fetch_one(connection)
    .await?)
}
