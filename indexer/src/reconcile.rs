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
        reconcile::{self, StoredPosition, StoredSale},
    },
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
    /// In the database, base units; addresses, hashes, times and yes or no as numbers.
    pub database: Amount,
    /// In the contract, in the same form.
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
        report.compare_sale(node, &stored, block).await?;
        let mut after = None;
        loop {
            let page = reconcile::list_positions(&mut snapshot, chain_id, stored.sale, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.investor);
            let (sale, vault) = (stored.sale.0, stored.vault.0);
            let asked: Vec<(StoredPosition, PositionFigures)> = stream::iter(page)
                .map(|p| async move {
                    Ok::<_, ChainError>((p, node.position_figures(sale, vault, p.investor.0, block).await?))
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
                ("raised", s.raised, sale.raised),
                ("sold", s.sold, sale.sold),
                ("settled_at", Amount(U256::from(s.settled_at.max(0))), sale.settled_at),
                ("paused", Amount(U256::from(s.paused)), U256::from(sale.paused)),
                ("owner", Amount(number(s.owner.0)), number(sale.owner)),
                ("pending_owner", Amount(number(s.pending_owner.0)), number(sale.pending_owner)),
                ("compliance", Amount(number(s.compliance.0)), number(sale.compliance)),
                ("voucher_signer", Amount(number(s.voucher_signer.0)), number(sale.voucher_signer)),
                ("voucher_epoch", s.voucher_epoch, sale.voucher_epoch),
                ("whitepapers", Amount(U256::from(s.whitepapers.len())), U256::from(sale.whitepapers.len())),
                ("received", s.received, vault.received),
                ("released", s.released, vault.released),
                ("objected", s.objected, vault.objected),
                ("objection_needed", s.needed, vault.needed),
                ("tap_stopped", Amount(U256::from(s.stopped)), U256::from(vault.stopped)),
            ],
        );
        for (stored, chain) in s.whitepapers.iter().zip(&sale.whitepapers) {
            self.compare(s.sale, None, &[("whitepaper", Amount(stored.0.into()), (*chain).into())]);
        }
        // Anybody can send a contract more than is its own: only what is missing is a difference.
        for (figure, token, holder, wanted) in [
            ("balance", s.currency, s.sale, s.balance),
            ("vault_balance", s.currency, s.vault, s.in_vault),
            ("token_balance", s.token, s.sale, s.unclaimed),
        ] {
            let chain = node.balance(token.0, holder.0, block).await?;
            self.compare(s.sale, None, &[(figure, wanted, chain.min(wanted.0))]);
        }
        Ok(())
    }

    fn compare_position(&mut self, sale: Addr, p: &StoredPosition, chain: &PositionFigures) {
        self.compare(
            sale,
            Some(p.investor),
            &[
                ("paid", p.paid, chain.paid),
                ("tokens", p.tokens, chain.tokens),
                ("claimed", p.claimed, chain.claimed),
                ("stake", p.stake, chain.stake),
                ("has_objected", Amount(U256::from(p.objected)), U256::from(chain.objected)),
                ("rest", p.rest, chain.rest),
            ],
        );
    }

    fn compare(&mut self, sale: Addr, investor: Option<Addr>, figures: &[(&'static str, Amount, U256)]) {
        for (figure, database, chain) in figures {
            if database.0 != *chain {
                let (database, chain) = (*database, Amount(*chain));
                self.differences.push(Difference { sale, investor, figure, database, chain });
            }
        }
    }
}
