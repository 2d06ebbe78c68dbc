//! A batch of blocks becomes rows: events, totals, blocks and checkpoint in one transaction, or nothing.

use std::collections::HashSet;

use sqlx::Connection;

use crate::{
    db::{
        DbError, Writer, blocks,
        chains::{self, NodeTips, Tip},
        events, sales,
    },
    types::{Block, EventLog},
};

/// What one transaction writes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The tip that the batch continues, `None` for the first of a chain.
    pub parent: Option<Tip>,
    /// Blocks to keep, in order: those with events, those that can still change, and the last.
    pub blocks: Vec<Block>,
    /// Events in their order.
    pub events: Vec<EventLog>,
    /// Tokens that the events' sales need and the database does not know.
    pub currencies: Vec<sales::Currency>,
    /// Where the chain is indexed to afterwards.
    pub tip: Tip,
    /// What the node said.
    pub node: NodeTips,
}

/// Writes the batch.
///
/// # Errors
/// [`DbError::Stale`] if the stored tip is not the batch's parent; nothing is written then, as with any error. After an
/// error of the connection the batch may have been committed all the same: read the checkpoint before going on.
pub async fn apply(writer: &mut Writer, batch: &Batch) -> Result<(), DbError> {
    let chain_id = writer.chain_id;
    let with_events: HashSet<u64> = batch.events.iter().map(|e| e.log.block_number).collect();
    let blocks: Vec<(Block, bool)> = batch.blocks.iter().map(|b| (*b, with_events.contains(&b.number))).collect();

    let mut transaction = writer.connection.begin().await?;
    chains::lock(&mut transaction, chain_id, batch.parent.map(|p| (p.number, p.hash))).await?;
    blocks::insert(&mut transaction, chain_id, &blocks).await?;
    sales::insert_currencies(&mut transaction, chain_id, &batch.currencies).await?;
    events::insert(&mut transaction, chain_id, &batch.events).await?;
    chains::advance(&mut transaction, chain_id, batch.tip, batch.node).await?;
    blocks::prune(&mut transaction, chain_id, batch.node.finalized).await?;
    transaction.commit().await?;
    Ok(())
}
