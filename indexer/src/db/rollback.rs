//! Forgetting what a reorg removed.

use sqlx::Connection;

use super::{
    DbError, Writer,
    chains::{self, NodeTips, Tip},
    outbox,
};
use crate::types::Hash32;

/// Deletes everything above `fork` and moves the checkpoint there, in one transaction.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not `from`.
pub async fn rollback(writer: &mut Writer, from: (i64, Hash32), fork: Tip, node: NodeTips) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, Some(from)).await?;
    sqlx::query!("SELECT rollback_to($1, $2)", chain_id, fork.number).execute(&mut *transaction).await?;
    chains::advance(&mut transaction, chain_id, fork, node).await?;
    outbox::notify(&mut transaction, chain_id, fork).await?;
    transaction.commit().await?;
    Ok(())
}

/// Forgets the chain's events and its checkpoint, in one transaction: nothing of what was indexed is canonical any more.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not `from`.
pub async fn reset(writer: &mut Writer, from: (i64, Hash32)) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, Some(from)).await?;
    sqlx::query!("SELECT rollback_to($1, -1)", chain_id).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM checkpoint WHERE chain_id = $1", chain_id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// What [`rollback`] does, by a person's word: also below what was final, and the halt is over.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not `from`.
pub async fn rewind(writer: &mut Writer, from: (i64, Hash32), to: Tip) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, Some(from)).await?;
    sqlx::query!("SELECT rollback_to($1, $2)", chain_id, to.number).execute(&mut *transaction).await?;
    sqlx::query!(
        "UPDATE checkpoint SET number = $2, hash = $3, block_timestamp = $4,
             finalized_number = least(finalized_number, $2), halted = NULL WHERE chain_id = $1",
        chain_id,
        to.number,
        to.hash as _,
        to.timestamp
    )
    .execute(&mut *transaction)
    .await?;
    outbox::notify(&mut transaction, chain_id, to).await?;
    transaction.commit().await?;
    Ok(())
}
