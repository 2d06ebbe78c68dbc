//! `block`: the window that can still change, and every block with events.

use sqlx::PgConnection;

use super::{
    DbError, Writer,
    chains::Tip,
    copy::{Column as _, Rows},
};
use crate::types::{Block, Hash32};

/// A block to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// Its header.
    pub block: Block,
    /// Whether events of ours are in it.
    pub has_events: bool,
    /// The running digest as of it, `None` where it is not known.
    pub digest: Option<Hash32>,
}

/// The stored block at or next below `number`, `None` if there is none: a step of the walk back to a fork point.
pub async fn find_at_or_below(writer: &mut Writer, number: i64) -> Result<Option<Tip>, DbError> {
    Ok(sqlx::query_as!(
        Tip,
        r#"SELECT number, hash AS "hash: _", timestamp, digest AS "digest: _" FROM block
           WHERE chain_id = $1 AND number <= $2 ORDER BY number DESC LIMIT 1"#,
        writer.chain_id,
        number
    )
    .fetch_optional(&mut writer.connection)
    .await?)
}

/// Stored blocks from `from` downwards, at most `limit` of them: number and hash.
pub async fn list_downwards(writer: &mut Writer, from: i64, limit: i64) -> Result<Vec<(i64, Hash32)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT number, hash AS "hash: Hash32" FROM block WHERE chain_id = $1 AND number <= $2 ORDER BY number DESC LIMIT $3"#,
        writer.chain_id,
        from,
        limit
    )
    .fetch_all(&mut writer.connection)
    .await?;
    Ok(rows.into_iter().map(|r| (r.number, r.hash)).collect())
}

/// Writes blocks, which must be new.
pub(crate) async fn copy(connection: &mut PgConnection, chain_id: i64, blocks: &[StoredBlock]) -> Result<(), DbError> {
    send(connection, chain_id, blocks, Rows::default()).await
}

/// [`copy`] of none.
pub(crate) async fn warm_up(connection: &mut PgConnection) -> Result<(), DbError> {
    let mut rows = Rows::default();
    rows.even_if_none();
    send(connection, 0, &[], rows).await
}

async fn send(
    connection: &mut PgConnection,
    chain_id: i64,
    blocks: &[StoredBlock],
    mut rows: Rows,
) -> Result<(), DbError> {
    for StoredBlock { block, has_events, digest } in blocks {
        let row = rows.begin(7);
        chain_id.put(row);
        (block.number as i64).put(row);
        Hash32(block.hash).put(row);
        Hash32(block.parent_hash).put(row);
        (block.timestamp as i64).put(row);
        has_events.put(row);
        digest.put(row);
    }
    rows.copy(
        connection,
        "COPY block (chain_id, number, hash, parent_hash, timestamp, has_events, digest) FROM STDIN (FORMAT binary)",
    )
    .await
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
