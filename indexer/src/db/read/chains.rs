//! How far the chains are indexed, as every answer says.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::{
    db::{DbError, chains::Checkpoint},
    types::{Addr, Hash32},
};

/// A chain that has been indexed to some block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// How far, and what the node said last.
    pub checkpoint: Checkpoint,
    /// Seconds by which the tip's timestamp is behind the database's clock; zero where it is ahead.
    pub lag_seconds: i64,
    /// Whether a log of a known contract could not be decoded.
    pub has_quarantined: bool,
}

/// All chains that have a checkpoint, by chain id.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ChainState>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT c.chain_id, number, hash AS "hash: Hash32", block_timestamp, head_number, safe_number, finalized_number,
                  greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::bigint AS "seen_seconds_ago!",
                  greatest(0, floor(extract(epoch FROM clock_timestamp()))::bigint - block_timestamp) AS "lag_seconds!",
                  halted, EXISTS (SELECT FROM quarantined_log q WHERE q.chain_id = c.chain_id) AS "has_quarantined!"
           FROM checkpoint c ORDER BY c.chain_id"#
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| ChainState {
            checkpoint: Checkpoint {
                chain_id: r.chain_id,
                number: r.number,
                hash: r.hash,
                block_timestamp: r.block_timestamp,
                head_number: r.head_number,
                safe_number: r.safe_number,
                finalized_number: r.finalized_number,
                seen_seconds_ago: r.seen_seconds_ago,
                halted: r.halted,
            },
            lag_seconds: r.lag_seconds,
            has_quarantined: r.has_quarantined,
        })
        .collect())
}

/// A chain that is followed, whether or not anything of it is indexed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowedChain {
    /// EIP-155 id.
    pub chain_id: i64,
    /// Hash of block 0.
    pub genesis_hash: Hash32,
    /// The factory whose sales are followed.
    pub factory: Addr,
    /// First block that can hold its events.
    pub start_block: i64,
    /// Logs that could not be decoded.
    pub quarantined_logs: i64,
    /// Sales.
    pub sales: i64,
}

/// All chains that are followed, by chain id.
pub async fn list_followed(connection: &mut PgConnection) -> Result<Vec<FollowedChain>, DbError> {
    Ok(sqlx::query_as!(
        FollowedChain,
        r#"SELECT chain_id, genesis_hash AS "genesis_hash: _", factory AS "factory: _", start_block,
                  (SELECT count(*) FROM quarantined_log q WHERE q.chain_id = c.chain_id) AS "quarantined_logs!",
                  (SELECT count(*) FROM sale s WHERE s.chain_id = c.chain_id) AS "sales!"
           FROM chain c ORDER BY chain_id"#
    )
    .fetch_all(connection)
    .await?)
}

/// Whether the block is stored with this very hash, i.e. was not reorged away since it was read.
pub async fn is_canonical(
    connection: &mut PgConnection,
    chain_id: i64,
    number: i64,
    hash: Hash32,
) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM block WHERE chain_id = $1 AND number = $2 AND hash = $3) AS "exists!""#,
        chain_id,
        number,
        hash as _
    )
    .fetch_one(connection)
    .await?)
}

/// The hashes of the blocks of these chains and heights, of those that are stored.
pub async fn list_hashes(
    connection: &mut PgConnection,
    blocks: &[(i64, i64)],
) -> Result<HashMap<(i64, i64), Hash32>, DbError> {
    let (chains, numbers): (Vec<i64>, Vec<i64>) = blocks.iter().copied().unzip();
    let rows = sqlx::query!(
        r#"SELECT b.chain_id, b.number, b.hash AS "hash: Hash32"
           FROM UNNEST($1::bigint[], $2::bigint[]) AS m (chain_id, number)
           JOIN block b ON b.chain_id = m.chain_id AND b.number = m.number"#,
        &chains,
        &numbers
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|r| ((r.chain_id, r.number), r.hash)).collect())
}

/// The running digest as of a height: that of the highest stored block not above it. `None` below the first of them,
/// `Some(None)` where indexing began before digests were kept.
pub async fn find_digest(
    connection: &mut PgConnection,
    chain_id: i64,
    at: i64,
) -> Result<Option<Option<Hash32>>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT digest AS "digest: Hash32" FROM block WHERE chain_id = $1 AND number <= $2 ORDER BY number DESC LIMIT 1"#,
        chain_id,
        at
    )
    .fetch_optional(connection)
    .await?)
}
