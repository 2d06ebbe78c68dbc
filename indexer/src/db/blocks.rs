//! `block`: the window that can still change, and every block with events.

use sqlx::PgConnection;

use super::{DbError, Writer, chains::Tip};
use crate::types::{Block, Hash32};

/// The stored block at or next below `number`, `None` if there is none: a step of the walk back to a fork point.
pub async fn find_at_or_below(writer: &mut Writer, number: i64) -> Result<Option<Tip>, DbError> {
    Ok(sqlx::query_as!(
        Tip,
        r#"SELECT number, hash AS "hash: _", timestamp FROM block
           WHERE chain_id = $1 AND number <= $2 ORDER BY number DESC LIMIT 1"#,
        writer.chain_id,
        number
    )
    .fetch_optional(&mut writer.connection)
    .await?)
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    chain_id: i64,
    blocks: &[(Block, bool)],
) -> Result<(), DbError> {
    let numbers: Vec<i64> = blocks.iter().map(|(b, _)| b.number as i64).collect();
    let hashes: Vec<Hash32> = blocks.iter().map(|(b, _)| b.hash.into()).collect();
    let parents: Vec<Hash32> = blocks.iter().map(|(b, _)| b.parent_hash.into()).collect();
    let timestamps: Vec<i64> = blocks.iter().map(|(b, _)| b.timestamp as i64).collect();
    let has_events: Vec<bool> = blocks.iter().map(|(_, e)| *e).collect();
    sqlx::query!(
        "INSERT INTO block (chain_id, number, hash, parent_hash, timestamp, has_events)
         SELECT $1, * FROM UNNEST($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::boolean[])",
        chain_id,
        &numbers,
        &hashes[..] as _,
        &parents[..] as _,
        &timestamps,
        &has_events
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Drops blocks that are final, carry no event and are not the tip.
pub(crate) async fn prune(connection: &mut PgConnection, chain_id: i64, below: i64) -> Result<(), DbError> {
    sqlx::query!(
        "DELETE FROM block WHERE chain_id = $1 AND number < $2 AND NOT has_events
             AND number < (SELECT number FROM checkpoint WHERE chain_id = $1)",
        chain_id,
        below
    )
    .execute(connection)
    .await?;
    Ok(())
}
