//! In which blocks sales open. At the head every block is in a batch, and this asks nobody; of ranges that are read as a whole most are
//! not, and those that matter are asked for: the place of an opening must not depend on how the chain was read.

use super::SyncError;
use crate::{
    apply::Batch,
    chain::Node,
    db::{Writer, openings},
};

/// Adds to a batch the openings of its blocks.
pub(super) async fn add(writer: &mut Writer, node: &Node, batch: &mut Batch) -> Result<(), SyncError> {
    let mut upcoming = batch.upcoming();
    if let Some(parent) = batch.parent.filter(|parent| parent.timestamp < batch.tip.timestamp) {
        upcoming.extend(openings::list_upcoming(writer, parent.timestamp, batch.tip.timestamp).await?);
    }
    if upcoming.is_empty() {
        return Ok(());
    }
    let mut times = batch.times();
    let openings = loop {
        match times.place(&upcoming) {
            Ok(openings) => break openings,
            Err(missing) => {
                let missing: Vec<u64> = missing.into_iter().collect();
                times.add(node.headers(&missing).await?.iter().map(|header| header.block()));
            }
        }
    };
    // Those that were asked for by height alone may be of another branch: each has to fit the blocks below and above it that are known.
    for number in openings.iter().flat_map(|opening| [opening.block, opening.block.saturating_add(1)]) {
        if !times.is_linked(number) {
            return Err(node.another_branch(number).into());
        }
    }
    batch.open(openings, &times);
    Ok(())
}
