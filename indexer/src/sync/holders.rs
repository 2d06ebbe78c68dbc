//! Holders of the factory's tokens: their transfers are counted apart from everything else, up to what is final.
//!
//! Transfers are everybody's word, so they are asked for by contract, and a token's first ones stand before the factory's log that
//! announces it. So they are read behind the index, which then knows every token; and only what is final, so that nothing has to be
//! taken back. Whoever asks is told up to which block it is.

use std::{collections::HashMap, time::Duration};

use alloy::primitives::{Address, B256, U256, b256};
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::SyncError;
use crate::{
    chain::{Chain, ChainError, Node},
    db::{
        self,
        holders::{self, Change, Progress},
    },
    types::{Hash32, Log},
};

/// `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// Time between two looks.
const POLL: Duration = Duration::from_secs(2);
/// Most blocks in one request.
const RANGE: u64 = 5_000;

/// Counts until `shutdown`. What goes wrong is tried again: the index goes on without it.
pub async fn run(chain: &Chain, database: &PgConnectOptions, shutdown: &CancellationToken) {
    let pool = db::counter(database);
    let mut range = RANGE;
    let counting = async {
        loop {
            match step(chain, &pool, &mut range).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => warn!(chain_id = chain.chain_id(), %error, "holders are not counted: trying again"),
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = counting => {}
    }
}

/// One range; whether there is more to do at once.
async fn step(chain: &Chain, pool: &sqlx::PgPool, range: &mut u64) -> Result<bool, SyncError> {
    let chain_id = chain.chain_id() as i64;
    let mut connection = pool.acquire().await.map_err(db::DbError::from)?;
    let Some(Progress { done, goal, first }) = holders::progress(&mut connection, chain_id).await? else {
        return Ok(false);
    };
    let from = done.map_or(first, |(number, _)| Some(number + 1)).unwrap_or(goal + 1);
    if done.is_some_and(|(number, _)| number >= goal) {
        return Ok(false);
    }
    let node = chain.node();
    if let Some((number, hash)) = done
        && hash_at(&node, number).await? != Some(hash.0)
    {
        // Somebody went back behind what was final, and the index with them.
        warn!(chain_id, number, "the block up to which holders were counted is gone: counting anew");
        holders::forget(&mut connection, chain_id).await?;
        return Ok(true);
    }
    let to = goal.min(from.saturating_add(i64::try_from(*range).unwrap_or(i64::MAX) - 1));
    // Without a token there is nothing to read.
    let to = if first.is_none_or(|first| first > goal) { goal } else { to };
    let tokens: Vec<Address> = holders::tokens(&mut connection, chain_id, to).await?.into_iter().map(|t| t.0).collect();
    let place = (from.max(0) as u64, to as u64);
    let (hash, logs) = match node.logs_from(&tokens, TRANSFER, place).await {
        Err(error) if error.is_answer() && to > from => {
            *range = (place.1 - place.0 + 1).div_ceil(2);
            debug!(%error, range, "fewer blocks at once");
            return Ok(true);
        }
        answer => answer?,
    };
    *range = range.saturating_mul(2).min(RANGE);
    let changes: Vec<_> = changes(&logs).into_iter().collect();
    let counted = holders::count(&mut connection, chain_id, done, (to, Hash32(hash)), &changes).await?;
    if counted && !logs.is_empty() {
        info!(chain_id, to, transfers = logs.len(), holders = changes.len(), "holders counted");
    }
    Ok(to < goal)
}

async fn hash_at(node: &Node, number: i64) -> Result<Option<B256>, ChainError> {
    let header = node.headers(&[number as u64]).await;
    match header {
        Ok(found) => Ok(found.first().map(|header| header.hash)),
        Err(ChainError::NoBlock { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the transfers change, holder by holder. Nobody is behind the zero address: from it tokens are made, to it they are burnt.
fn changes(logs: &[Log]) -> HashMap<(Address, Address), Change> {
    let mut changes: HashMap<(Address, Address), Change> = HashMap::new();
    for log in logs {
        let ([_, from, to], Some(amount)) = (&log.topics[..], U256::try_from_be_slice(&log.data)) else { continue };
        let (from, to) = (Address::from_word(*from), Address::from_word(*to));
        if from != Address::ZERO {
            changes.entry((log.emitter, from)).or_default().send(amount);
        }
        if to != Address::ZERO {
            changes.entry((log.emitter, to)).or_default().receive(amount);
        }
    }
    changes
}
