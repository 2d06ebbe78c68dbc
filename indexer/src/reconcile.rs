//! The database against the chain, at one block: a difference of one base unit is an alarm.
//!
//! Totals, roles and positions are read in one snapshot together with the checkpoint, then asked of the contracts as of the
//! checkpoint's block, by its hash. Nothing that the indexer decoded or added is trusted on the way.

use alloy::primitives::{Address, B256, U256};
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;

use crate::{
    chain::{ChainError, Node, PositionFigures},
    db::{
        DbError, chains,
        reconcile::{self, Figure, StoredPosition, StoredSale},
        snapshot,
    },
    types::Addr,
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
    /// In the database, base units, below zero where its own sums contradict each other; addresses, hashes, times and yes or no
    /// as numbers.
    pub database: Figure,
    /// In the contract, in the same form.
    pub chain: Figure,
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
    let mut snapshot = snapshot(pool).await?;
    let checkpoint = chains::find_checkpoint(&mut snapshot, chain_id).await?;
    let checkpoint = checkpoint.ok_or(ReconcileError::NotIndexed(chain_id))?;
    let block = checkpoint.hash.0;
    let mut report =
        Report { block_number: checkpoint.number, block_hash: block, sales: 0, positions: 0, differences: Vec::new() };
    for stored in reconcile::list_sales(&mut snapshot, chain_id).await? {
        report.sales += 1;
        report.compare_sale(node, &stored, block).await?;
        let mut after = None;
        loop {
            let page = reconcile::list_positions(&mut snapshot, chain_id, stored.sale, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.investor);
            let (sale, vault) = (stored.sale.0, stored.vault.0);
            let asked: Vec<(StoredPosition, PositionFigures)> = stream::iter(page)
                .map(|p| async move {
                    let figures = node.position_figures(sale, vault, p.investor.0, block).await?;
                    Ok::<_, ChainError>((p, figures))
                })
                .buffered(IN_FLIGHT)
                .try_collect()
                .await?;
            for (position, chain) in asked {
                report.positions += 1;
                report.compare_position(stored.sale, &position, &chain);
            }
        }
    }
    Ok(report)
}

/// An address as a number: a difference is told in numbers.
fn number(address: Address) -> U256 {
    address.into_word().into()
}

impl Report {
    async fn compare_sale(&mut self, node: &Node, s: &StoredSale, block: B256) -> Result<(), ChainError> {
        let sale = node.sale_figures(s.sale.0, block).await?;
        let vault = node.vault_figures(s.vault.0, block).await?;
        self.compare(
            s.sale,
            None,
            &[
                ("raised", s.raised.clone(), sale.raised),
                ("sold", s.sold.clone(), sale.sold),
                ("settled_at", U256::from(s.settled_at.max(0)).into(), sale.settled_at),
                ("paused", U256::from(s.paused).into(), U256::from(sale.paused)),
                ("owner", number(s.owner.0).into(), number(sale.owner)),
                ("pending_owner", number(s.pending_owner.0).into(), number(sale.pending_owner)),
                ("compliance", number(s.compliance.0).into(), number(sale.compliance)),
                ("voucher_signer", number(s.voucher_signer.0).into(), number(sale.voucher_signer)),
                ("voucher_epoch", s.voucher_epoch.clone(), sale.voucher_epoch),
                ("whitepapers", U256::from(s.whitepapers.len()).into(), U256::from(sale.whitepapers.len())),
                ("received", s.received.clone(), vault.received),
                ("released", s.released.clone(), vault.released),
                ("objected", s.objected.clone(), vault.objected),
                ("objection_needed", s.needed.clone(), vault.needed),
                ("tap_stopped", U256::from(s.stopped).into(), U256::from(vault.stopped)),
            ],
        );
        for (stored, chain) in s.whitepapers.iter().zip(&sale.whitepapers) {
            self.compare(s.sale, None, &[("whitepaper", U256::from_be_bytes(stored.0.0).into(), (*chain).into())]);
        }
        // Anybody can send a contract more than is its own: only what is missing is a difference.
        for (figure, token, holder, wanted) in [
            ("balance", s.currency, s.sale, &s.balance),
            ("vault_balance", s.currency, s.vault, &s.in_vault),
            ("token_balance", s.token, s.sale, &s.unclaimed),
        ] {
            let chain = node.balance(token.0, holder.0, block).await?;
            if Figure::from(chain) < *wanted || *wanted < Figure::from(U256::ZERO) {
                self.compare(s.sale, None, &[(figure, wanted.clone(), chain)]);
            }
        }
        Ok(())
    }

    fn compare_position(&mut self, sale: Addr, p: &StoredPosition, chain: &PositionFigures) {
        self.compare(
            sale,
            Some(p.investor),
            &[
                ("paid", p.paid.clone(), chain.paid),
                ("tokens", p.tokens.clone(), chain.tokens),
                ("claimed", p.claimed.clone(), chain.claimed),
                ("stake", p.stake.clone(), chain.stake),
                ("has_objected", U256::from(p.objected).into(), U256::from(chain.objected)),
                ("rest", p.rest.clone(), chain.rest),
            ],
        );
    }

    fn compare(&mut self, sale: Addr, investor: Option<Addr>, figures: &[(&'static str, Figure, U256)]) {
        for (figure, database, chain) in figures {
            let chain = Figure::from(*chain);
            if *database != chain {
                self.differences.push(Difference { sale, investor, figure, database: database.clone(), chain });
            }
        }
    }
}
