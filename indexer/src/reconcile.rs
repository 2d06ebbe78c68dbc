//! The database against the chain, at one block: a difference of one base unit is an alarm.
//!
//! Totals and positions are read in one snapshot together with the checkpoint, then asked of the contracts as of the
//! checkpoint's block, by its hash. Nothing that the indexer decoded or added is trusted on the way.

use alloy::primitives::{B256, U256};
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;

use crate::{
    chain::{ChainError, Node},
    db::{DbError, chains, reconcile},
    types::{Addr, Amount},
};

/// Positions asked for at the same time.
const IN_FLIGHT: usize = 16;
/// Positions read from the database at a time.
const PAGE: i64 = 1_000;

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The database has no checkpoint of this chain.
    #[error("nothing of chain {0} is indexed yet")]
    NotIndexed(i64),
}

/// A figure that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The sale.
    pub sale: Addr,
    /// The investor, where it is a figure of a position.
    pub investor: Option<Addr>,
    /// Which figure.
    pub figure: &'static str,
    /// In the database, base units.
    pub database: Amount,
    /// In the contract, base units.
    pub chain: Amount,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Height of the block at which everything was read.
    pub block_number: i64,
    /// Hash of that block.
    pub block_hash: B256,
    /// Sales compared.
    pub sales: usize,
    /// Positions compared.
    pub positions: usize,
    /// What differs; empty if all is well.
    pub differences: Vec<Difference>,
}

/// Compares everything of a chain at the checkpoint's block.
///
/// # Errors
/// Where the node no longer has the state of that block, or the database does not answer.
pub async fn reconcile(node: &Node, pool: &PgPool, chain_id: i64) -> Result<Report, ReconcileError> {
    let mut snapshot = chains::snapshot(pool).await?;
    let checkpoint = chains::find_checkpoint(&mut snapshot, chain_id).await?;
    let checkpoint = checkpoint.ok_or(ReconcileError::NotIndexed(chain_id))?;
    let block = checkpoint.hash.0;
    let mut report =
        Report { block_number: checkpoint.number, block_hash: block, sales: 0, positions: 0, differences: Vec::new() };
    for stored in reconcile::list_sales(&mut snapshot, chain_id).await? {
        report.sales += 1;
        let totals = node.sale_totals(stored.sale.0, block).await?;
        let released = node.vault_released(stored.vault.0, block).await?;
        let figures = [
            ("raised", stored.raised, totals.0),
            ("sold", stored.sold, totals.1),
            ("released", stored.released, released),
        ];
        report.compare(stored.sale, None, &figures);

        let mut after = None;
        loop {
            let page = reconcile::list_positions(&mut snapshot, chain_id, stored.sale, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.investor);
            let asked: Vec<(reconcile::StoredPosition, (U256, U256))> =
                stream::iter(page)
                    .map(|p| async move {
                        Ok::<_, ChainError>((p, node.position(stored.sale.0, p.investor.0, block).await?))
                    })
                    .buffered(IN_FLIGHT)
                    .try_collect()
                    .await?;
            for (position, (paid, tokens)) in asked {
                report.positions += 1;
                let figures = [("paid", position.paid, paid), ("tokens", position.tokens, tokens)];
                report.compare(stored.sale, Some(position.investor), &figures);
            }
        }
    }
    Ok(report)
}

impl Report {
    fn compare(&mut self, sale: Addr, investor: Option<Addr>, figures: &[(&'static str, Amount, U256)]) {
        for (figure, database, chain) in figures {
            if database.0 != *chain {
                let (database, chain) = (*database, Amount(*chain));
                self.differences.push(Difference { sale, investor, figure, database, chain });
            }
        }
    }
}
