//! A batch on its way into the database, with what is asked of the node for it.

use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256};
use futures::{StreamExt, TryStreamExt, stream};
use tracing::debug;

use super::{Follower, Step};
use crate::{
    apply::{Batch, apply},
    chain::{Header, Heads, Node},
    db::{DbError, blocks, chains::NodeTips, sales},
    sync::{SyncError, openings},
    telemetry::metric,
};

/// Tokens asked for their decimals at the same time.
const TOKENS_IN_FLIGHT: usize = 16;
/// Longest that a transaction may take: past it the database's connection hangs.
const WRITE_TIMEOUT: Duration = Duration::from_secs(300);

impl Follower {
    /// `state` is the block as of which new tokens are asked what they are.
    pub(super) async fn write(
        &mut self,
        node: &Node,
        mut batch: Batch,
        heads: &Heads,
        state: B256,
    ) -> Result<Step, SyncError> {
        let began = Instant::now();
        openings::add(&mut self.writer, node, &mut batch).await?;
        let currencies = self.describe(node, &batch, state).await?;
        let tips = self.tips(heads, Some(&batch)).await?;
        limited(apply(&mut self.writer, &batch, &currencies, tips)).await?;
        let (tip, events, seconds) = (batch.tip, batch.rows.count(), began.elapsed());
        debug!(
            from = batch.from,
            to = tip.number,
            events,
            bytes = batch.rows.size(),
            ms = seconds.as_millis() as u64,
            range = self.size.get(),
            digest = tip.digest.map(tracing::field::display),
            "batch"
        );
        let chain = self.writer.chain_id().to_string();
        metrics::counter!(metric::EVENTS, "chain_id" => chain.clone()).increment(events);
        metrics::histogram!(metric::BATCH_SECONDS, "chain_id" => chain.clone()).record(seconds.as_secs_f64());
        metrics::histogram!(metric::BATCH_EVENTS, "chain_id" => chain.clone()).record(events as f64);
        metrics::gauge!(metric::RANGE_BLOCKS, "chain_id" => chain).set(self.size.get() as f64);
        self.tip = Some(tip);
        self.progress.advance(tip.number as u64, events);
        Ok(Step::Advanced(tip.number))
    }

    /// Asks for the symbols and decimals of the tokens that new sales sell and take.
    async fn describe(&mut self, node: &Node, batch: &Batch, state: B256) -> Result<Vec<sales::Currency>, SyncError> {
        let addresses: Vec<_> = batch.rows.tokens_seen().collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let unknown = sales::list_unknown_currencies(&mut self.writer, &addresses).await?;
        stream::iter(unknown)
            .map(|address| async move {
                let (symbol, name, decimals) = if address.0 == Address::ZERO {
                    ("ETH".to_owned(), "Ether".to_owned(), 18)
                } else {
                    node.token(address.0, state).await?
                };
                Ok(sales::Currency { address, symbol, name, decimals })
            })
            .buffered(TOKENS_IN_FLIGHT)
            .try_collect()
            .await
    }

    /// What may be said of finality: a tag counts once its block is known to be on our chain. Tags and blocks can be those of
    /// different nodes; believed unseen, a tag would call final what another branch holds, and a reorg would look like a broken promise.
    pub(super) async fn tips(&mut self, heads: &Heads, batch: Option<&Batch>) -> Result<NodeTips, SyncError> {
        if let Some(tag) = &heads.finalized
            && tag.number() as i64 > self.finalized
            && self.holds(heads, tag, batch).await?
        {
            self.finalized = tag.number() as i64;
        }
        let safe = match &heads.safe {
            Some(tag) if tag.number() as i64 > self.finalized && self.holds(heads, tag, batch).await? => {
                tag.number() as i64
            }
            _ => self.finalized,
        };
        Ok(NodeTips { head: heads.latest.number() as i64, safe, finalized: self.finalized })
    }

    /// Whether a tagged block is on our chain: below a block of ours that the same exchange showed as canonical, or stored by its
    /// hash. Not every block is stored, so the second alone could wait for ever on a chain that stands still.
    async fn holds(&mut self, heads: &Heads, tag: &Header, batch: Option<&Batch>) -> Result<bool, SyncError> {
        if heads.beside.as_ref().is_some_and(|ours| tag.number() <= ours.number()) {
            return Ok(true);
        }
        let hash = match batch {
            Some(batch) if tag.number() >= batch.from => batch.hash_at(tag.number()),
            _ => {
                let stored = limited(blocks::find_at_or_below(&mut self.writer, tag.number() as i64)).await?;
                stored.filter(|stored| stored.number == tag.number() as i64).map(|stored| stored.hash)
            }
        };
        Ok(hash.is_some_and(|hash| hash.0 == tag.hash))
    }
}

/// A write, but not for ever.
pub(super) async fn limited<T>(write: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or(Err(DbError::Silent(WRITE_TIMEOUT.as_secs())))
}
