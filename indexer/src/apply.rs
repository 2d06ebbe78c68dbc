//! A batch of blocks becomes rows: events, totals, blocks, outbox and checkpoint in one transaction, or nothing.

mod batch;
mod digest;

pub use batch::{Batch, Builder};

use sqlx::Connection;

use crate::db::{
    DbError, Writer, blocks,
    chains::{self, NodeTips},
    outbox, sales,
};

/// Writes the batch, with what `currencies` says of tokens that its sales need and the database does not know, and with what the
/// node says of its head. Listeners are told when it is committed.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not the batch's parent; nothing is written then, as with any error. After an
/// error of the connection the batch may have been committed all the same: read the checkpoint before going on.
pub async fn apply(
    writer: &mut Writer,
    batch: &Batch,
    currencies: &[sales::Currency],
    node: NodeTips,
) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, batch.parent.map(|p| (p.number, p.hash))).await?;
    blocks::copy(&mut transaction, chain_id, &batch.blocks).await?;
    sales::insert_currencies(&mut transaction, chain_id, currencies).await?;
    batch.rows.copy(&mut transaction).await?;
    chains::advance(&mut transaction, chain_id, batch.tip, node).await?;
    blocks::prune(&mut transaction, chain_id, node.finalized).await?;
    if batch.rows.count() != 0 {
        outbox::applied(&mut transaction, chain_id, batch.from as i64, batch.tip).await?;
    }
    outbox::notify(&mut transaction, chain_id, batch.tip).await?;
    transaction.commit().await?;
    Ok(())
}
