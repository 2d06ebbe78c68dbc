//! What the contracts say of themselves as of a block, by its hash.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
    providers::Provider,
};

use super::{ChainError, Node};
use crate::contracts::{FixedPriceSale, RefundVault, SaleToken};

/// A sale; all modes have the same views. Amounts in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the views of ISale, documented in contracts/src/interfaces")]
pub struct SaleFigures {
    pub raised: U256,
    pub sold: U256,
    pub settled_at: U256,
    pub paused: bool,
    pub owner: Address,
    pub pending_owner: Address,
    pub compliance: Address,
    pub voucher_signer: Address,
    pub voucher_epoch: U256,
    pub whitepapers: Vec<B256>,
}

/// A vault. Payment base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the views of IRefundVault, documented in contracts/src/interfaces")]
pub struct VaultFigures {
    pub received: U256,
    pub released: U256,
    pub objected: U256,
    pub needed: U256,
    pub stopped: bool,
}

/// An investor in a sale and its vault. Base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the views of ISale and IRefundVault, documented in contracts/src/interfaces")]
pub struct PositionFigures {
    pub paid: U256,
    pub tokens: U256,
    pub claimed: U256,
    pub stake: U256,
    pub objected: bool,
    pub rest: U256,
}

/// Calls a view as of a block, with the node's time limit.
macro_rules! view {
    ($node:expr, $call:expr, $block:expr) => {
        async {
            let call = $call.block(BlockId::hash($block));
            $node.within("eth_call", call.call()).await?.map_err(|e| $node.call_failed(&e))
        }
    };
}

impl Node {
    /// A sale as of a block.
    pub async fn sale_figures(&self, sale: Address, block: B256) -> Result<SaleFigures, ChainError> {
        let sale = FixedPriceSale::new(sale, &self.provider);
        let (totals, settled_at, paused, owner, pending_owner, compliance, voucher, whitepapers) = tokio::try_join!(
            view!(self, sale.totals(), block),
            view!(self, sale.settledAt(), block),
            view!(self, sale.paused(), block),
            view!(self, sale.owner(), block),
            view!(self, sale.pendingOwner(), block),
            view!(self, sale.compliance(), block),
            view!(self, sale.voucherSigner(), block),
            view!(self, sale.whitepapers(), block),
        )?;
        Ok(SaleFigures {
            raised: totals.raised,
            sold: totals.sold,
            settled_at,
            paused,
            owner,
            pending_owner,
            compliance,
            voucher_signer: voucher.signer,
            voucher_epoch: voucher.epoch,
            whitepapers,
        })
    }

    /// A vault as of a block.
    pub async fn vault_figures(&self, vault: Address, block: B256) -> Result<VaultFigures, ChainError> {
        let vault = RefundVault::new(vault, &self.provider);
        let (account, objections) =
            tokio::try_join!(view!(self, vault.account(), block), view!(self, vault.objections(), block))?;
        Ok(VaultFigures {
            received: account.received,
            released: account.released,
            objected: objections.objected,
            needed: objections.needed,
            stopped: objections.stopped,
        })
    }

    /// A position as of a block.
    pub async fn position_figures(
        &self,
        sale: Address,
        vault: Address,
        investor: Address,
        block: B256,
    ) -> Result<PositionFigures, ChainError> {
        let sale = FixedPriceSale::new(sale, &self.provider);
        let vault = RefundVault::new(vault, &self.provider);
        let (position, claimed, stake, objected, rest) = tokio::try_join!(
            view!(self, sale.positionOf(investor), block),
            view!(self, sale.claimedOf(investor), block),
            view!(self, sale.stakeOf(investor), block),
            view!(self, vault.hasObjected(investor), block),
            view!(self, vault.refundable(investor), block),
        )?;
        Ok(PositionFigures { paid: position.paid, tokens: position.tokens, claimed, stake, objected, rest })
    }

    /// What `holder` has of a token as of a block; the zero token is ether. Base units.
    pub async fn balance(&self, token: Address, holder: Address, block: B256) -> Result<U256, ChainError> {
        if token.is_zero() {
            let balance = self.provider.get_balance(holder).block_id(BlockId::hash(block));
            return self.within("eth_getBalance", balance).await?.map_err(|e| self.failed("eth_getBalance", &e));
        }
        let token = SaleToken::new(token, &self.provider);
        view!(self, token.balanceOf(holder), block).await
    }
}
