//! A sale before it exists: what of its file does not fit the chain, the addresses that an account gets for it, and the transactions
//! that are still missing. Nothing is kept: the same account asks for the same file as often as it likes, and the chain tells what of
//! it is done.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, U256},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};

use crate::{
    chain::{Called, ChainError, Node},
    contracts::{SaleFactory, SaleToken},
    sale_file::{Found, Order, Predicted, Problem, SaleFile, TokenEntry},
    types::units::Asset,
};

/// Most gas of a call: a file may name any contract as a token.
const MOST_GAS: u64 = 3_000_000;

/// What stands at the predicted addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Addresses of the sale, its vault and its token.
    pub predicted: Predicted,
    /// Wallets of the allocations, in their order.
    pub wallets: Vec<Address>,
    /// Whether this account has created it already.
    pub is_deployed: bool,
}

/// A transaction that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Lets the factory take exactly these tokens.
    Approve {
        /// The token.
        token: Address,
        /// Token base units.
        amount: U256,
        /// What is called there.
        data: Bytes,
    },
    /// Creates the sale.
    Create {
        /// What is called at the factory.
        data: Bytes,
    },
}

/// Why a plan cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The node's fault.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What stands there is no factory of this version.
    #[error("the contract at {0} does not answer as a factory of this version does")]
    NoFactory(Address),
}

/// Whether a factory is at an address. Only a factory names the code of its vaults.
///
/// # Errors
/// The node's.
pub async fn is_factory(node: &Node, address: Address) -> Result<bool, ChainError> {
    Ok(read(node, address, SaleFactory::REFUND_VAULTCall {}).await?.is_some())
}

/// Which addresses `creator` gets, and whether it has them already.
///
/// # Errors
/// The node's, and where there is no factory.
pub async fn predict(node: &Node, factory: Address, order: &Order, creator: Address) -> Result<Deployment, PlanError> {
    let none = || PlanError::NoFactory(factory);
    let answer = call(node, factory, order.predict(creator)).await?.ok_or_else(none)?;
    let predicted = order.predicted(&answer).map_err(|_| none())?;
    let mut wallets = Vec::new();
    for data in order.predict_wallets(predicted.sale) {
        let answer = call(node, factory, data).await?.ok_or_else(none)?;
        wallets.push(Order::predicted_wallet(&answer).map_err(|_| none())?);
    }
    Ok(Deployment { predicted, wallets, is_deployed: node.has_code(predicted.sale).await? })
}

/// What of a file does not fit the chain.
///
/// # Errors
/// The node's.
pub async fn check(
    node: &Node,
    chain_id: u64,
    sale: &SaleFile,
    creator: Option<Address>,
) -> Result<Vec<Problem>, ChainError> {
    let mut problems = Vec::new();
    for (key, address, written) in sale.named_tokens() {
        let told = sale.check_token(chain_id, (key, address, written), &find_token(node, address).await?);
        let is_sold = matches!(sale.token, TokenEntry::Existing { address: sold } if sold == address);
        if let (Some(creator), true, true) = (creator, is_sold, told.is_empty()) {
            let balance = read(node, address, SaleToken::balanceOfCall { account: creator }).await?;
            problems.extend(sale.check_balance(creator, balance.unwrap_or_default()));
        }
        problems.extend(told);
    }
    problems.sort_by_key(|p| p.line);
    Ok(problems)
}

/// The transactions that `creator` has still to send, in order.
///
/// # Errors
/// The node's.
pub async fn steps(
    node: &Node,
    factory: Address,
    (sale, hash): (&SaleFile, B256),
    creator: Address,
) -> Result<Vec<Step>, ChainError> {
    let mut steps = Vec::new();
    if let TokenEntry::Existing { address: token } = sale.token {
        let amount = sale.tokens_needed();
        let allowed = read(node, token, SaleToken::allowanceCall { owner: creator, spender: factory }).await?;
        if allowed.unwrap_or_default() < amount {
            let data = SaleToken::approveCall { spender: factory, value: amount }.abi_encode().into();
            steps.push(Step::Approve { token, amount, data });
        }
    }
    steps.push(Step::Create { data: Order::new(sale, hash).create() });
    Ok(steps)
}

async fn find_token(node: &Node, address: Address) -> Result<Found, ChainError> {
    if !node.has_code(address).await? {
        return Ok(Found::Nothing);
    }
    let Some(decimals) = read(node, address, SaleToken::decimalsCall {}).await? else { return Ok(Found::NoToken) };
    let symbol = read(node, address, SaleToken::symbolCall {}).await?.unwrap_or_default();
    // The symbol is a stranger's text: it must not fill the screen.
    let symbol: String = symbol.chars().filter(|c| !c.is_control()).take(32).collect();
    Ok(Found::Token(Asset { decimals, symbol: if symbol.is_empty() { "tokens".to_owned() } else { symbol } }))
}

/// What a contract answers; `None` where it refuses, or answers something else.
async fn read<C: SolCall>(node: &Node, to: Address, what: C) -> Result<Option<C::Return>, ChainError> {
    let answer = call(node, to, what.abi_encode().into()).await?;
    Ok(answer.and_then(|answer| C::abi_decode_returns_validate(&answer).ok()))
}

async fn call(node: &Node, to: Address, data: Bytes) -> Result<Option<Bytes>, ChainError> {
    let request = TransactionRequest::default().to(to).gas_limit(MOST_GAS).input(data.into());
    match node.call(request, BlockId::latest()).await {
        Ok(Called::Output(output)) => Ok(Some(output)),
        Ok(Called::Reverted(_) | Called::Short) => Ok(None),
        // Another node would say the same.
        Err(error) if error.is_out_of_gas() => Ok(None),
        Err(error) => Err(error),
    }
}
