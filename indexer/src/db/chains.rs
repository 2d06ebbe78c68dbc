//! `chain` and `checkpoint`: what is followed, and how far.

use sqlx::{Connection, PgConnection};

use super::{DbError, Place, Writer, outbox};
use crate::types::{Addr, Hash32, Tips};

/// What identifies a chain and what is followed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// EIP-155 id.
    pub chain_id: i64,
    /// Hash of block 0.
    pub genesis_hash: Hash32,
    /// The factory whose sales are followed.
    pub factory: Addr,
    /// First block that can hold its events.
    pub start_block: i64,
}

/// How far a chain is indexed, and what the node said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The chain.
    pub chain_id: i64,
    /// Height of the tip.
    pub number: i64,
    /// Hash of the tip.
    pub hash: Hash32,
    /// Unix time of the tip, seconds.
    pub block_timestamp: i64,
    /// The node's head.
    pub head_number: i64,
    /// The node's `safe` block.
    pub safe_number: i64,
    /// The node's `finalized` block, as high as it ever was.
    pub finalized_number: i64,
    /// Seconds since the node was last asked.
    pub seen_seconds_ago: i64,
    /// Why indexing stopped for good, if it did.
    pub halted: Option<String>,
}

impl Checkpoint {
    /// The heights that tell finality.
    pub fn tips(&self) -> Tips {
        Tips {
            indexed: self.number,
            head: self.head_number,
            safe: self.safe_number.min(self.number),
            finalized: self.finalized_number.min(self.number),
        }
    }
}

/// Registers the chain, or checks that the database follows the very same.
///
/// # Errors
/// [`DbError::OtherChain`] and [`DbError::OtherFactory`]; nothing is written then.
pub async fn register(writer: &mut Writer, identity: ChainIdentity) -> Result<(), DbError> {
    let ChainIdentity { chain_id, genesis_hash, factory, start_block } = identity;
    // What is to take the place of the live tables is of the same chain and factory, or those who follow them could not go on.
    if writer.place == Place::Beside {
        let live = sqlx::query_as!(
            ChainIdentity,
            r#"SELECT chain_id, genesis_hash AS "genesis_hash: _", factory AS "factory: _", start_block
               FROM crowdsale.chain WHERE chain_id = $1"#,
            chain_id
        )
        .fetch_optional(&mut writer.connection)
        .await?;
        if let Some(live) = live {
            is_same(live, identity)?;
        }
    }
    sqlx::query!(
        "INSERT INTO chain (chain_id, genesis_hash, factory, start_block) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        chain_id,
        genesis_hash as _,
        factory as _,
        start_block
    )
    .execute(&mut writer.connection)
    .await?;
    let stored = sqlx::query_as!(
        ChainIdentity,
        r#"SELECT chain_id, genesis_hash AS "genesis_hash: _", factory AS "factory: _", start_block
           FROM chain WHERE chain_id = $1"#,
        chain_id
    )
    .fetch_one(&mut writer.connection)
    .await?;
    is_same(stored, identity)
}

fn is_same(stored: ChainIdentity, wanted: ChainIdentity) -> Result<(), DbError> {
    let ChainIdentity { chain_id, genesis_hash, factory, start_block } = wanted;
    if stored.genesis_hash != genesis_hash {
        return Err(DbError::OtherChain { chain_id, stored: stored.genesis_hash, found: genesis_hash });
    }
    if stored != wanted {
        return Err(DbError::OtherFactory {
            chain_id,
            stored: stored.factory,
            stored_start: stored.start_block,
            found: factory,
            found_start: start_block,
        });
    }
    Ok(())
}

/// The checkpoint of a chain, `None` before its first batch.
pub async fn find_checkpoint(connection: &mut PgConnection, chain_id: i64) -> Result<Option<Checkpoint>, DbError> {
    Ok(list_checkpoints(connection).await?.into_iter().find(|c| c.chain_id == chain_id))
}

/// The checkpoints of all chains, by chain id. There are as many rows as chains: a handful.
pub async fn list_checkpoints(connection: &mut PgConnection) -> Result<Vec<Checkpoint>, DbError> {
    Ok(sqlx::query_as!(
        Checkpoint,
        r#"SELECT chain_id, number, hash AS "hash: _", block_timestamp, head_number, safe_number, finalized_number,
                  greatest(0, extract(epoch FROM clock_timestamp() - seen_at))::bigint AS "seen_seconds_ago!", halted
           FROM checkpoint ORDER BY chain_id"#
    )
    .fetch_all(connection)
    .await?)
}

/// A tip: what a batch starts from or ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Height.
    pub number: i64,
    /// Hash.
    pub hash: Hash32,
    /// Unix time, seconds.
    pub timestamp: i64,
    /// The running digest as of this block; `None` where indexing began before digests were kept.
    pub digest: Option<Hash32>,
}

/// The node's tags, beside a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeTips {
    /// `latest`.
    pub head: i64,
    /// `safe`.
    pub safe: i64,
    /// `finalized`.
    pub finalized: i64,
}

/// Locks the checkpoint for the rest of the transaction and checks that it is still at `expected`; `None` is a chain without
/// a checkpoint.
///
/// # Errors
/// [`DbError::Stale`] if it is not.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    chain_id: i64,
    expected: Option<(i64, Hash32)>,
) -> Result<(), DbError> {
    let stored = sqlx::query!(
        r#"SELECT number, hash AS "hash: Hash32" FROM checkpoint WHERE chain_id = $1 FOR UPDATE"#,
        chain_id
    )
    .fetch_optional(connection)
    .await?
    .map(|row| (row.number, row.hash));
    if stored == expected {
        return Ok(());
    }
    Err(DbError::Stale { expected: expected.map_or(-1, |e| e.0), found: stored.map(|s| s.0) })
}

/// Moves the checkpoint to `tip`. `finalized` never goes back.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    chain_id: i64,
    tip: Tip,
    node: NodeTips,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO checkpoint AS c
             (chain_id, number, hash, block_timestamp, head_number, safe_number, finalized_number)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (chain_id) DO UPDATE SET
             number = excluded.number, hash = excluded.hash, block_timestamp = excluded.block_timestamp,
             head_number = excluded.head_number, safe_number = excluded.safe_number,
             finalized_number = greatest(c.finalized_number, excluded.finalized_number), seen_at = now()",
        chain_id,
        tip.number,
        tip.hash as _,
        tip.timestamp,
        node.head,
        node.safe,
        node.finalized
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what the node says, where there is no new block.
pub async fn touch(writer: &mut Writer, node: NodeTips) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    let tip = sqlx::query_as!(
        Tip,
        r#"UPDATE checkpoint SET head_number = $2, safe_number = $3, finalized_number = greatest(finalized_number, $4),
               seen_at = now() WHERE chain_id = $1
           RETURNING number, hash AS "hash: _", block_timestamp AS timestamp, NULL::bytea AS "digest: _""#,
        chain_id,
        node.head,
        node.safe,
        node.finalized
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if let Some(tip) = tip
        && outbox::finalized(&mut transaction, chain_id).await?
    {
        outbox::notify(&mut transaction, chain_id, tip).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Latches a halt: indexing of this chain stops until a person clears it. Reads go on.
pub async fn halt(writer: &mut Writer, reason: &str) -> Result<(), DbError> {
    sqlx::query!("UPDATE checkpoint SET halted = $2 WHERE chain_id = $1", writer.chain_id, reason)
        .execute(&mut writer.connection)
        .await?;
    Ok(())
}
