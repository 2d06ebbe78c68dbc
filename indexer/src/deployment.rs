//! The whole system on a chain: the code that sales, vaults and wallets share, and the factory that clones it.
//!
//! [`deploy`] is for any chain. [`deploy_devnet`] also puts a stablecoin there, and goes on where it was interrupted: on a
//! chain that nobody used before, every contract has an address that never changes.

use alloy::{
    primitives::{Address, Bytes, TxKind},
    providers::{PendingTransactionError, Provider},
    rpc::types::TransactionRequest,
    sol_types::SolConstructor as _,
    transports::TransportError,
};

use crate::contracts::{
    DevDollar, DutchAuctionSale, FixedPriceSale, ProRataSale, RefundVault,
    SaleFactory::{self, Implementations},
    TeamWallet, TokenFactory,
};

/// What stands on the chain after a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Creates sales.
    pub factory: Address,
    /// All contracts in the order of their deployment, the factory last.
    pub contracts: Vec<(&'static str, Address)>,
    /// Gas of all transactions that were sent.
    pub gas_used: u64,
}

/// A devnet's contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devnet {
    /// Creates sales.
    pub factory: Address,
    /// A stablecoin of 6 decimals that anyone may mint.
    pub dollar: Address,
}

/// Why the system is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// The node refused a transaction or did not answer.
    #[error("{contract} was not deployed: {source}")]
    Node {
        /// Which one.
        contract: &'static str,
        /// What stands on the chain already.
        done: Vec<(&'static str, Address)>,
        /// What the node says.
        source: TransportError,
    },
    /// A transaction was sent, and no receipt came.
    #[error("{contract} was sent, and is not in a block: {source}")]
    Pending {
        /// Which one.
        contract: &'static str,
        /// What stands on the chain already.
        done: Vec<(&'static str, Address)>,
        /// What was waited for.
        source: PendingTransactionError,
    },
    /// A transaction was included and created nothing.
    #[error("{contract} was not created: its transaction reverted, most often for want of gas")]
    Reverted {
        /// Which one.
        contract: &'static str,
        /// What stands on the chain already.
        done: Vec<(&'static str, Address)>,
    },
    /// The chain was used before, so the contracts cannot have their addresses.
    #[error("{contract} cannot be at {expected}: the account that deploys has sent other transactions before")]
    Used {
        /// Which one.
        contract: &'static str,
        /// Where it would have to be.
        expected: Address,
    },
}

impl DeploymentError {
    /// What stands on the chain already. None of it has money or power: it can be left as it is.
    pub fn done(&self) -> &[(&'static str, Address)] {
        match self {
            Self::Node { done, .. } | Self::Pending { done, .. } | Self::Reverted { done, .. } => done,
            Self::Used { .. } => &[],
        }
    }
}

/// Deploys the system anew, from the provider's first account.
///
/// # Errors
/// [`DeploymentError`]; what was deployed before it is useless, and harmless.
pub async fn deploy(provider: &impl Provider, from: Address) -> Result<Deployment, DeploymentError> {
    let mut steps = Steps { provider, from, fixed_addresses: false, done: Vec::new(), gas_used: 0 };
    let vault = steps.vault().await?;
    let factory = steps.rest(vault).await?;
    Ok(Deployment { factory, contracts: steps.done, gas_used: steps.gas_used })
}

/// Deploys the system and a stablecoin, each at the address that follows from the account and its place in the order, or
/// finds them there.
///
/// # Errors
/// [`DeploymentError`]; after another one than `Used` a second call does what is left.
pub async fn deploy_devnet(provider: &impl Provider, from: Address) -> Result<Devnet, DeploymentError> {
    let mut steps = Steps { provider, from, fixed_addresses: true, done: Vec::new(), gas_used: 0 };
    let vault = steps.vault().await?;
    // Second, as ever: its address stands in the examples.
    let dollar = steps.create("DevDollar", DevDollar::BYTECODE.clone()).await?;
    let factory = steps.rest(vault).await?;
    Ok(Devnet { factory, dollar })
}

struct Steps<'p, P> {
    provider: &'p P,
    from: Address,
    fixed_addresses: bool,
    done: Vec<(&'static str, Address)>,
    gas_used: u64,
}

impl<P: Provider> Steps<'_, P> {
    async fn vault(&mut self) -> Result<Address, DeploymentError> {
        self.create("RefundVault", RefundVault::BYTECODE.clone()).await
    }

    async fn rest(&mut self, vault: Address) -> Result<Address, DeploymentError> {
        let with = |code: &Bytes, arguments: Vec<u8>| Bytes::from([code.as_ref(), &arguments].concat());
        let fixed = FixedPriceSale::constructorCall { vaultImplementation: vault }.abi_encode();
        let fixed = self.create("FixedPriceSale", with(&FixedPriceSale::BYTECODE, fixed)).await?;
        let pro_rata = ProRataSale::constructorCall { vaultImplementation: vault }.abi_encode();
        let pro_rata = self.create("ProRataSale", with(&ProRataSale::BYTECODE, pro_rata)).await?;
        let auction = DutchAuctionSale::constructorCall { vaultImplementation: vault }.abi_encode();
        let auction = self.create("DutchAuctionSale", with(&DutchAuctionSale::BYTECODE, auction)).await?;
        let wallet = self.create("TeamWallet", TeamWallet::BYTECODE.clone()).await?;
        let tokens = self.create("TokenFactory", TokenFactory::BYTECODE.clone()).await?;
        let code = Implementations {
            fixedPriceSale: fixed,
            proRataSale: pro_rata,
            dutchAuctionSale: auction,
            refundVault: vault,
            teamWallet: wallet,
            tokenFactory: tokens,
        };
        let factory = SaleFactory::constructorCall { code }.abi_encode();
        self.create("SaleFactory", with(&SaleFactory::BYTECODE, factory)).await
    }

    async fn create(&mut self, contract: &'static str, code: Bytes) -> Result<Address, DeploymentError> {
        let done = self.done.clone();
        let failed = |source| DeploymentError::Node { contract, done: done.clone(), source };
        if self.fixed_addresses {
            let place = self.done.len() as u64;
            let expected = self.from.create(place);
            if !self.provider.get_code_at(expected).await.map_err(failed)?.is_empty() {
                self.done.push((contract, expected));
                return Ok(expected);
            }
            if self.provider.get_transaction_count(self.from).await.map_err(failed)? != place {
                return Err(DeploymentError::Used { contract, expected });
            }
        }
        let request = TransactionRequest {
            from: Some(self.from),
            to: Some(TxKind::Create),
            input: code.into(),
            ..TransactionRequest::default()
        };
        let pending = self.provider.send_transaction(request).await.map_err(failed)?;
        let receipt = pending.get_receipt().await;
        let receipt = receipt.map_err(|source| DeploymentError::Pending { contract, done: done.clone(), source })?;
        let Some(address) = receipt.contract_address.filter(|_| receipt.status()) else {
            return Err(DeploymentError::Reverted { contract, done });
        };
        self.gas_used += receipt.gas_used;
        self.done.push((contract, address));
        Ok(address)
    }
}
