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

/// The stored blocks between which these times fall, Unix seconds and in order: of each stretch between two of them the first and the
/// last block. And the stored ones of `numbers`.
pub async fn list_around(writer: &mut Writer, times: &[i64], numbers: &[i64]) -> Result<Vec<Block>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT number, hash AS "hash: Hash32", parent_hash AS "parent_hash: Hash32", timestamp FROM block
           WHERE chain_id = $1 AND number IN (
               SELECT unnest(ARRAY[min(number), max(number)]) FROM block WHERE chain_id = $1
               GROUP BY width_bucket(timestamp, $2::bigint[])
               UNION ALL SELECT unnest($3::bigint[]))"#,
        writer.chain_id,
        times,
        numbers
    )
    .fetch_all(&mut writer.connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Block {
            number: row.number as u64,
            hash: row.hash.0,
            parent_hash: row.parent_hash.0,
            timestamp: row.timestamp as u64,
        })
        .collect())
}

/// Stores blocks between others, but for those that are. Nothing of ours is in them, so the digest is that of the block before.
pub(crate) async fn insert(connection: &mut PgConnection, chain_id: i64, blocks: &[Block]) -> Result<(), DbError> {
    let (numbers, timestamps): (Vec<i64>, Vec<i64>) =
        blocks.iter().map(|block| (block.number as i64, block.timestamp as i64)).unzip();
    let (hashes, parents): (Vec<Hash32>, Vec<Hash32>) =
        blocks.iter().map(|block| (Hash32(block.hash), Hash32(block.parent_hash))).unzip();
    sqlx::query!(
        "INSERT INTO block (chain_id, number, hash, parent_hash, timestamp, has_events, digest)
         SELECT $1, n.number, n.hash, n.parent_hash, n.timestamp, false,
                (SELECT b.digest FROM block b WHERE b.chain_id = $1 AND b.number < n.number ORDER BY b.number DESC LIMIT 1)
         FROM UNNEST($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[]) AS n (number, hash, parent_hash, timestamp)
         ON CONFLICT (chain_id, number) DO NOTHING",
        chain_id,
        &numbers,
        &hashes[..] as _,
        &parents[..] as _,
        &timestamps
    )
    .execute(connection)
    .await?;
    Ok(())
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
