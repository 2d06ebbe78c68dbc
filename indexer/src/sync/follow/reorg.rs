//! Where the stored tip is not, or no longer, canonical.

use std::time::Instant;

use tracing::{debug, info, warn};

use super::{Follower, Step, write::limited};
use crate::{
    chain::{Heads, Node},
    db::{
        blocks,
        chains::{self, NodeTips, Tip},
        rollback,
    },
    sync::SyncError,
    telemetry::metric,
};

impl Follower {
    /// The node does not have our tip. It may be a node behind its load balancer, so it gets time to catch up; when that is
    /// over, its chain has gone back.
    pub(super) fn is_lagging(&mut self, tip: Tip, heads: &Heads) -> bool {
        let since = *self.behind_since.get_or_insert_with(Instant::now);
        let lagging = since.elapsed() < self.options.behind_grace;
        if lagging {
            debug!(tip = tip.number, head = heads.latest.number(), "the node is behind");
        }
        lagging
    }

    /// Walks back over the stored blocks to the highest that is canonical, whatever the depth, and forgets all above it.
    pub(super) async fn undo(&mut self, node: &Node, heads: &Heads, tip: Tip) -> Result<Step, SyncError> {
        let chain_id = self.writer.chain_id();
        if (heads.latest.number() as i64) < self.finalized {
            // A node that is syncing, not a chain that was rewritten: nothing contradicts what is final.
            return Err(node.behind(self.finalized as u64, heads.latest.number()).into());
        }
        self.complete_indexes().await?;
        let mut below = (tip.number - 1).min(heads.latest.number() as i64);
        let fork = loop {
            let Some(stored) = blocks::find_at_or_below(&mut self.writer, below).await? else {
                break None;
            };
            if stored.number < self.finalized {
                break None;
            }
            match node.find_header(stored.number as u64).await? {
                Some(header) if header.hash == stored.hash.0 => break Some(stored),
                Some(_) => below = stored.number - 1,
                None => return Err(node.behind(stored.number as u64, heads.latest.number()).into()),
            }
        };
        let Some(fork) = fork else {
            if self.finalized < self.options.start_block as i64 {
                // Nothing of ours is final: begin again.
                warn!(tip = tip.number, "the whole indexed chain was replaced: starting over");
                limited(rollback::reset(&mut self.writer, (tip.number, tip.hash))).await?;
                self.reload().await?;
                return Ok(Step::RolledBack(-1));
            }
            let reason = format!(
                "the node's chain no longer contains block {} {}, and no common block at or above the finalized block {}",
                tip.number, tip.hash, self.finalized
            );
            chains::halt(&mut self.writer, &reason).await?;
            return Err(SyncError::Halted { chain_id, reason });
        };
        let began = Instant::now();
        let tips = NodeTips { head: heads.latest.number() as i64, safe: self.finalized, finalized: self.finalized };
        limited(rollback::rollback(&mut self.writer, (tip.number, tip.hash), fork, tips)).await?;
        let depth = tip.number - fork.number;
        info!(depth, fork = fork.number, hash = %fork.hash, ms = began.elapsed().as_millis() as u64, "reorg: rolled back");
        let chain = chain_id.to_string();
        metrics::counter!(metric::REORGS, "chain_id" => chain.clone()).increment(1);
        metrics::histogram!(metric::REORG_DEPTH, "chain_id" => chain).record(depth as f64);
        self.behind_since = None;
        self.tip = Some(fork);
        self.emitters.forget_above(fork.number as u64);
        Ok(Step::RolledBack(fork.number))
    }
}
