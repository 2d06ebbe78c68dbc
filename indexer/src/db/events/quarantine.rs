//! Logs that do not decode, and what has no columns of its own.

use sqlx::PgConnection;

use crate::{
    db::{
        DbError,
        rows::{Head, clean},
    },
    types::{Addr, Hash32, Log},
};

pub(super) async fn insert_quarantined(
    connection: &mut PgConnection,
    chain_id: i64,
    log: &Log,
    reason: &str,
) -> Result<(), DbError> {
    let topics: Vec<Vec<u8>> = log.topics.iter().map(|t| t.to_vec()).collect();
    sqlx::query!(
        "INSERT INTO quarantined_log
             (chain_id, block_number, log_index, transaction_hash, emitter, topics, data, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        chain_id,
        log.block_number as i64,
        log.log_index as i32,
        Hash32(log.transaction_hash) as _,
        Addr(log.emitter) as _,
        &topics,
        &log.data[..],
        clean(reason)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// `contract_uri_change`: it only says that something changed.
pub(super) async fn insert_contract_uri_changes(
    connection: &mut PgConnection,
    chain_id: i64,
    head: &Head,
) -> Result<(), DbError> {
    if head.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO contract_uri_change (chain_id, block_number, log_index, transaction_hash, token)
         SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[])",
        chain_id,
        &head.blocks,
        &head.indexes,
        &head.transactions[..] as _,
        &head.sales[..] as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
