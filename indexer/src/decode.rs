//! Pure: a log becomes an [`Event`], if its emitter is one we know.

mod emitters;
mod events;
#[cfg(test)]
mod tests;

pub use emitters::{Emitters, Kind};

use alloy::{primitives::B256, sol_types::SolEvent};

use crate::contracts::{FixedPriceSale, RefundVault, RestrictedSaleToken, SaleFactory, TeamWallet};

/// The topics that are asked for: every event of every contract, but for the transfers and approvals of tokens. Ownership and roles
/// are everybody's words, so a range can hold many logs of strangers: they are dropped by their emitter.
pub const TOPICS: [B256; 37] = [
    SaleFactory::SaleCreated::SIGNATURE_HASH,
    SaleFactory::TokenCreated::SIGNATURE_HASH,
    SaleFactory::AllocationCreated::SIGNATURE_HASH,
    FixedPriceSale::Contributed::SIGNATURE_HASH,
    FixedPriceSale::ExcessReturned::SIGNATURE_HASH,
    FixedPriceSale::Withdrawn::SIGNATURE_HASH,
    FixedPriceSale::Rejected::SIGNATURE_HASH,
    FixedPriceSale::PauseChanged::SIGNATURE_HASH,
    FixedPriceSale::VoucherSignerChanged::SIGNATURE_HASH,
    FixedPriceSale::ComplianceChanged::SIGNATURE_HASH,
    FixedPriceSale::OwnershipTransferStarted::SIGNATURE_HASH,
    FixedPriceSale::OwnershipTransferred::SIGNATURE_HASH,
    FixedPriceSale::WhitepaperSuperseded::SIGNATURE_HASH,
    FixedPriceSale::Closed::SIGNATURE_HASH,
    FixedPriceSale::Cancelled::SIGNATURE_HASH,
    FixedPriceSale::Settled::SIGNATURE_HASH,
    FixedPriceSale::Claimed::SIGNATURE_HASH,
    FixedPriceSale::Refunded::SIGNATURE_HASH,
    FixedPriceSale::ExcessRefunded::SIGNATURE_HASH,
    FixedPriceSale::UnsoldReturned::SIGNATURE_HASH,
    FixedPriceSale::Swept::SIGNATURE_HASH,
    RefundVault::Released::SIGNATURE_HASH,
    RefundVault::Objected::SIGNATURE_HASH,
    RefundVault::TapStopped::SIGNATURE_HASH,
    RefundVault::RestRefunded::SIGNATURE_HASH,
    TeamWallet::ERC20Released::SIGNATURE_HASH,
    TeamWallet::EtherReleased::SIGNATURE_HASH,
    TeamWallet::Reclaimed::SIGNATURE_HASH,
    RestrictedSaleToken::HolderSet::SIGNATURE_HASH,
    RestrictedSaleToken::Admitted::SIGNATURE_HASH,
    RestrictedSaleToken::ContractURIUpdated::SIGNATURE_HASH,
    RestrictedSaleToken::RoleGranted::SIGNATURE_HASH,
    RestrictedSaleToken::RoleRevoked::SIGNATURE_HASH,
    RestrictedSaleToken::DefaultAdminTransferScheduled::SIGNATURE_HASH,
    RestrictedSaleToken::DefaultAdminTransferCanceled::SIGNATURE_HASH,
    RestrictedSaleToken::DefaultAdminDelayChangeScheduled::SIGNATURE_HASH,
    RestrictedSaleToken::DefaultAdminDelayChangeCanceled::SIGNATURE_HASH,
];
