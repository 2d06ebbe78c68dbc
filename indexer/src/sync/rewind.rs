//! The way out of a halt: going back to a block that the chain and the database agree on.

use super::SyncError;
use crate::{
    chain::Chain,
    db::{Place, Writer, blocks, chains, chains::Tip, rollback},
};

/// Blocks compared at a time.
const PAGE: i64 = 1_000;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewound {
    /// Everything above this block is forgotten; it and all stored blocks below are on the node's chain.
    To(Tip),
    /// Nothing is stored at or below the height: everything is forgotten.
    ToNothing,
    /// This block, at or below the height, is not on the node's chain: nothing was changed.
    NotCanonical(i64),
    /// Another process writes the chain: nothing was changed.
    Busy,
    /// Nothing of the chain is indexed.
    NotIndexed,
}

/// Forgets all above `height`, whatever was final, and ends a halt. Before that, every stored block at or below it is compared with
/// the node's chain; `checked` is told how far down that is.
pub async fn rewind(
    chain: &Chain,
    database: &sqlx::postgres::PgConnectOptions,
    height: u64,
    checked: impl Fn(i64),
) -> Result<Rewound, SyncError> {
    let chain_id = chain.chain_id() as i64;
    let Some(mut writer) = Writer::acquire(database, chain_id, Place::Live).await? else {
        return Ok(Rewound::Busy);
    };
    let Some(checkpoint) = chains::find_checkpoint(&mut writer.connection, chain_id).await? else {
        return Ok(Rewound::NotIndexed);
    };
    let from = (checkpoint.number, checkpoint.hash);
    let height = i64::try_from(height).unwrap_or(i64::MAX).min(checkpoint.number);
    let target = blocks::find_at_or_below(&mut writer, height).await?;

    let node = chain.node();
    let mut below = height;
    loop {
        let page = blocks::list_downwards(&mut writer, below, PAGE).await?;
        let Some((lowest, _)) = page.last() else { break };
        let numbers: Vec<u64> = page.iter().map(|(number, _)| *number as u64).collect();
        let headers = node.headers(&numbers).await?;
        if let Some(((number, _), _)) = page.iter().zip(&headers).find(|((_, hash), header)| header.hash != hash.0) {
            return Ok(Rewound::NotCanonical(*number));
        }
        below = lowest - 1;
        checked(below);
    }

    let Some(target) = target else {
        rollback::reset(&mut writer, from).await?;
        return Ok(Rewound::ToNothing);
    };
    rollback::rewind(&mut writer, from, target).await?;
    Ok(Rewound::To(target))
}
