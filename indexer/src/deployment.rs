//! Puts the whole system on a chain.

use alloy::{contract::Error, primitives::Address, providers::Provider};

use crate::contracts::{
    DutchAuctionSale, FixedPriceSale, ProRataSale, RefundVault, SaleFactory, TeamWallet, TokenFactory,
};

/// Deploys everything; returns the factory.
pub async fn deploy_system(provider: impl Provider) -> Result<Address, Error> {
    let vault = *RefundVault::deploy(&provider).await?.address();
    let code = SaleFactory::Implementations {
        refundVault: vault,
        fixedPriceSale: *FixedPriceSale::deploy(&provider, vault).await?.address(),
        proRataSale: *ProRataSale::deploy(&provider, vault).await?.address(),
        dutchAuctionSale: *DutchAuctionSale::deploy(&provider, vault).await?.address(),
        teamWallet: *TeamWallet::deploy(&provider).await?.address(),
        tokenFactory: *TokenFactory::deploy(&provider).await?.address(),
    };
    Ok(*SaleFactory::deploy(&provider, code).await?.address())
}
