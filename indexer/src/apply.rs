//! A batch of blocks becomes rows: events, totals, blocks, outbox and checkpoint in one transaction, or nothing.

mod batch;
mod digest;
mod opening;

pub use batch::{Batch, Builder};
pub use opening::Times;

use sqlx::Connection;

use crate::{
    db::{
        DbError, Writer, blocks,
        chains::{self, NodeTips, Tip},
        events::EventRows,
        openings::{self, Opening},
        outbox, sales,
    },
    types::{Block, Hash32},
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
    let mut opened = 0;
    if !batch.openings.is_empty() {
        opened = openings::insert(&mut transaction, chain_id, &batch.openings).await?;
    }
    chains::advance(&mut transaction, chain_id, batch.tip, node).await?;
    blocks::prune(&mut transaction, chain_id, node.finalized).await?;
    if batch.rows.count() != 0 || opened != 0 {
        outbox::applied(&mut transaction, chain_id, batch.from as i64, batch.tip).await?;
    }
    outbox::finalized(&mut transaction, chain_id).await?;
    outbox::notify(&mut transaction, chain_id, batch.tip).await?;
    transaction.commit().await?;
    Ok(())
}

/// Notes openings of blocks that were written before, and stores their `blocks` where they are not. How many there were. Listeners are
/// not told: it happened long ago, and who indexes the chain anew, which has the same rows, tells nobody either.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not `tip`; nothing is written then, as with any error.
pub async fn complete_openings(
    writer: &mut Writer,
    tip: Tip,
    openings: &[Opening],
    blocks: &[Block],
) -> Result<i64, DbError> {
    let chain_id = writer.chain_id;
    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, Some((tip.number, tip.hash))).await?;
    blocks::insert(&mut transaction, chain_id, blocks).await?;
    let opened = openings::insert(&mut transaction, chain_id, openings).await?;
    transaction.commit().await?;
    Ok(opened)
}

/// Does what [`apply`] does with nothing, and takes it back: statements are prepared, triggers are compiled and the catalog is read
/// now, and not while the first block at the head waits for it.
pub async fn warm_up(writer: &mut Writer) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let (nothing, node) = (Hash32::default(), NodeTips { head: 0, safe: 0, finalized: 0 });
    let tip = Tip { number: 0, hash: nothing, timestamp: 0, digest: None };
    let mut transaction = writer.connection.begin().await?;
    // What it finds does not matter.
    chains::lock(&mut transaction, chain_id, None).await.or_else(|e| match e {
        DbError::Stale { .. } => Ok(()),
        e => Err(e),
    })?;
    blocks::warm_up(&mut transaction).await?;
    EventRows::none_in_every_table(chain_id).copy(&mut transaction).await?;
    openings::insert(&mut transaction, chain_id, &[]).await?;
    chains::advance(&mut transaction, chain_id, tip, node).await?;
    blocks::prune(&mut transaction, chain_id, 0).await?;
    outbox::applied(&mut transaction, chain_id, 0, tip).await?;
    outbox::finalized(&mut transaction, chain_id).await?;
    outbox::notify(&mut transaction, chain_id, tip).await?;
    transaction.rollback().await?;
    Ok(())
}
