//! In which blocks sales open. At the head every block is in a batch, and this asks nobody; of ranges that are read as a whole most are
//! not, and those that matter are asked for: the place of an opening must not depend on how the chain was read.

use super::SyncError;
use crate::{
    apply::{Batch, Times, complete_openings},
    chain::Node,
    db::{
        Writer, blocks,
        chains::Tip,
        openings::{self, Opening, Upcoming},
    },
    types::Block,
};

/// Openings that are looked for at a time where many are missing: what is known of their blocks is held in memory.
const AT_ONCE: usize = 1_000;

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
    let openings = place(node, &mut times, &upcoming).await?;
    batch.open(openings, &times);
    Ok(())
}

/// Notes the openings up to `tip` that are missing, as a version that noted none has written the tables; how many there were. They get
/// the rows that they have where the chain is indexed from its beginning. Needs a tip that is canonical: then so is all that is stored,
/// and what is not stored between it is final.
pub(super) async fn complete(writer: &mut Writer, node: &Node, tip: Tip) -> Result<i64, SyncError> {
    let missing = openings::list_missing(writer, tip.timestamp).await?;
    if missing.is_empty() {
        return Ok(0);
    }
    let (mut found, mut kept) = (Vec::<Opening>::new(), Vec::<Block>::new());
    for sales in missing.chunks(AT_ONCE) {
        let opens: Vec<i64> = sales.iter().map(|sale| sale.opens as i64).collect();
        let created: Vec<i64> = sales.iter().filter_map(|sale| sale.created).map(|number| number as i64).collect();
        // Each sale's creation is stored, so nothing below the first known block can be meant.
        let mut times = Times::new(0, blocks::list_around(writer, &opens, &created).await?.into_iter());
        let openings = place(node, &mut times, sales).await?;
        kept.extend(openings.iter().filter_map(|opening| times.get(opening.block)));
        found.extend(openings);
    }
    // All in one statement, as the places in a block depend on how many open with it.
    Ok(complete_openings(writer, tip, &found, &kept).await?)
}

/// Where the sales open. Blocks that have to be known for that and are not are asked for.
async fn place(node: &Node, times: &mut Times, upcoming: &[Upcoming]) -> Result<Vec<Opening>, SyncError> {
    let openings = loop {
        match times.place(upcoming) {
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
    Ok(openings)
}
