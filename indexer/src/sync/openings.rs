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

/// Openings that are looked for at a time where many are missing: new blocks wait for it, and what a node that fails has shown is lost.
const AT_ONCE: usize = 200;

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

/// Notes the first of the openings up to `tip` that are missing, as a version that noted none has written the tables; how many, and
/// whether there are more. They get the rows that they have where the chain is indexed from its beginning. Needs a tip that is canonical:
/// then so is all that is stored, and what is not stored between it is final.
pub(super) async fn complete(writer: &mut Writer, node: &Node, tip: Tip) -> Result<(i64, bool), SyncError> {
    let missing = openings::list_missing(writer, tip.timestamp).await?;
    if missing.is_empty() {
        return Ok((0, false));
    }
    let mut count = AT_ONCE;
    loop {
        let sales = &missing[..count.min(missing.len())];
        let more = sales.len() < missing.len();
        let opens: Vec<i64> = sales.iter().map(|sale| sale.opens as i64).collect();
        let created: Vec<i64> = sales.iter().filter_map(|sale| sale.created).map(|number| number as i64).collect();
        // Each sale's creation is stored, so nothing below the first known block can be meant.
        let mut times = Times::new(0, blocks::list_around(writer, &opens, &created).await?.into_iter());
        let mut found = place(node, &mut times, sales).await?;
        if more {
            leave_last(&mut found, &times);
        }
        if more && found.is_empty() {
            count = count.saturating_mul(2);
            continue;
        }
        let kept: Vec<Block> = found.iter().filter_map(|opening| times.get(opening.block)).copied().collect();
        return Ok((complete_openings(writer, tip, &found, &kept).await?, more));
    }
}

/// Leaves out those of the latest time. The places in a block depend on how many open with it, so all of them are noted together, and of
/// sales that are looked for in the order in which they open, the next ones may open in a block of that time, and in none before it.
fn leave_last(found: &mut Vec<Opening>, times: &Times) {
    let time = |opening: &Opening| times.get(opening.block).map(|block| block.timestamp);
    let last = found.iter().map(time).max();
    found.retain(|opening| Some(time(opening)) < last);
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

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};

    use super::*;
    use crate::types::Addr;

    #[test]
    fn openings_of_one_block_are_not_parted() {
        // The chain's time stands still between blocks 2 and 3.
        let blocks = [(1, 10), (2, 20), (3, 20), (4, 30)].map(|(number, timestamp)| Block {
            number,
            hash: B256::ZERO,
            parent_hash: B256::ZERO,
            timestamp,
        });
        let times = Times::new(0, blocks.into_iter());
        let noted = |found: &[u64]| {
            let opening = |block: &u64| Opening { sale: Addr(Address::ZERO), block: *block };
            let mut found: Vec<Opening> = found.iter().map(opening).collect();
            leave_last(&mut found, &times);
            found.iter().map(|opening| opening.block).collect::<Vec<_>>()
        };
        assert_eq!(noted(&[1, 1, 2, 4, 4]), [1, 1, 2]);
        // Of the next ones, one that opens at 20 may open in either block.
        assert_eq!(noted(&[1, 1, 2, 3]), [1, 1]);
        assert_eq!(noted(&[1, 3, 2]), [1]);
        assert!(noted(&[2, 2, 3]).is_empty() && noted(&[]).is_empty());
    }
}
