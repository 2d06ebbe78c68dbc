//! What is asked of the node before an order is taken: whether it can be paid, and whether the sale would take it.

use alloy::{
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, Bytes, U256},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};

use super::{
    Decoded, OrderError, Orders,
    fees::{at_most, gas_limit, within_limit},
};
use crate::{
    chain::{Called, Chain, ChainError, Fees, Node},
    contracts::{FixedPriceSale, SaleToken},
    db::service::order_signers::Outstanding,
    explain::{Asker, Assets, explain},
};

/// What has to be known of a sale.
#[derive(Clone, Debug)]
pub struct SaleFacts {
    /// The chain.
    pub chain_id: u64,
    /// The sale.
    pub address: Address,
    /// What it is paid with; zero is ether.
    pub currency: Address,
    /// Decimals and symbols, for what its contract says.
    pub assets: Assets,
}

/// What the operator's signer is to contribute.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Whose position it adds to.
    pub investor: Address,
    /// Base units.
    pub amount: U256,
    /// Voucher or proof, where the sale asks for one.
    pub eligibility: Bytes,
    /// Wei of a unit of gas, at most.
    pub fee_cap: Option<u128>,
}

/// An order that the node has nothing against.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) what: What,
    pub(super) looked: Looked,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub(super) enum What {
    Raw(Box<Decoded>),
    Own { intent: Box<Intent>, data: Vec<u8>, value: U256, gas_limit: u64, fees: Fees },
}

/// What the node said.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    pub head: u64,
    /// The nonce after those in blocks, and after those in the pool.
    pub latest: u64,
    pub pending: u64,
    pub wei: U256,
    pub fees: Fees,
    pub called: Called,
    pub gas: Option<u64>,
    pub tokens: U256,
    pub allowed: U256,
}

/// Asks the node about a transaction that came signed.
///
/// # Errors
/// [`OrderError`].
pub async fn prepare_raw(chain: &Chain, sale: &SaleFacts, decoded: Decoded) -> Result<Prepared, OrderError> {
    let request = TransactionRequest::default()
        .with_from(decoded.sender)
        .with_to(decoded.to)
        .with_value(decoded.value)
        .with_input(decoded.data.clone())
        .with_gas_limit(decoded.gas_limit);
    let looked = look(chain, sale, request, false).await?;
    if decoded.nonce < looked.latest {
        let (sender, nonce, next) = (decoded.sender, decoded.nonce, looked.latest);
        return Err(OrderError::NonceUsed { sender, nonce, next });
    }
    let gas = U256::from(decoded.gas_limit).saturating_mul(U256::from(decoded.max_fee));
    let needed = decoded.value.saturating_add(gas);
    if looked.wei < needed || looked.called == Called::Short {
        return Err(OrderError::Short { account: decoded.sender, has: looked.wei, needed });
    }
    if let Called::Reverted(data) = &looked.called {
        return Err(refused(data, sale));
    }
    Ok(Prepared { what: What::Raw(Box::new(decoded)), looked })
}

/// Asks the node about a contribution of the operator's signer.
///
/// # Errors
/// [`OrderError`].
pub async fn prepare_intent(
    chain: &Chain,
    orders: &Orders,
    sale: &SaleFacts,
    intent: Intent,
) -> Result<Prepared, OrderError> {
    let signer = orders.signer().ok_or(OrderError::NoSigner)?;
    signer.on(sale.chain_id)?;
    let options = orders.options();
    if !options.sales.is_empty() && !options.sales.contains(&(sale.chain_id, sale.address)) {
        return Err(OrderError::OtherSale { sale: sale.address, chain_id: sale.chain_id });
    }
    if let Some(most) = options.most_a_day.get(&sale.currency).filter(|most| intent.amount > **most) {
        return Err(OrderError::MoreThanADay { most: *most });
    }
    if let Some(most) = options.most.get(&sale.currency).filter(|most| intent.amount > **most) {
        return Err(OrderError::TooMuch { most: *most });
    }
    let account = signer.address();
    let (investor, amount, eligibility) = (intent.investor, intent.amount, intent.eligibility.clone());
    let data = FixedPriceSale::contributeCall { investor, amount, eligibility }.abi_encode();
    let value = if sale.currency.is_zero() { amount } else { U256::ZERO };
    let request = TransactionRequest::default()
        .with_from(account)
        .with_to(sale.address)
        .with_value(value)
        .with_input(data.clone());
    let looked = look(chain, sale, request, true).await?;
    let mut fees = within_limit(looked.fees, options.max_fee_of_order())?;
    if let Some(cap) = intent.fee_cap {
        // What the next block asks for may have doubled in six: others wait behind it until it is included.
        let least = fees.base.max(1).saturating_mul(2);
        if cap < least {
            return Err(OrderError::FeeCap { cap, base: least });
        }
        fees = at_most(fees, cap);
    }
    let gas_limit = gas_limit(looked.gas.unwrap_or(500_000));
    Ok(Prepared { what: What::Own { intent: Box::new(intent), data, value, gas_limit, fees }, looked })
}

impl Looked {
    /// Whether tokens and allowance reach for so much more than what orders take already: the tokens are all sales', the allowance is
    /// one sale's.
    pub fn covers_tokens(
        &self,
        account: Address,
        sale: &SaleFacts,
        before: Outstanding,
        amount: U256,
    ) -> Result<(), OrderError> {
        let token = sale.currency;
        let needed = before.tokens.0.saturating_add(amount);
        if self.tokens < needed {
            return Err(OrderError::FewTokens { account, token, has: self.tokens, needed });
        }
        let needed = before.tokens_for_sale.0.saturating_add(amount);
        if self.allowed < needed {
            return Err(OrderError::Allowance { account, token, sale: sale.address, allowed: self.allowed, needed });
        }
        Ok(())
    }
}

async fn look(chain: &Chain, sale: &SaleFacts, request: TransactionRequest, own: bool) -> Result<Looked, OrderError> {
    let (token, spender) = (sale.currency, sale.address);
    let asked = chain.ask(|node| look_at(node, request.clone(), own, (token, spender))).await;
    Ok(asked?)
}

async fn look_at(
    node: Node,
    request: TransactionRequest,
    own: bool,
    (token, spender): (Address, Address),
) -> Result<Looked, ChainError> {
    let account = request.from.unwrap_or_default();
    let heads = node.heads(None).await?;
    let pending = node.pending_nonce(account).await?;
    let latest = node.nonce(account, BlockId::latest()).await?;
    let (wei, fees) = (node.ether_of(account).await?, node.fees().await?);
    let called = node.call_next(request.clone()).await?;
    let gas = match (&called, own) {
        (Called::Output(_), true) => node.estimate_gas(request).await?.ok(),
        _ => None,
    };
    let (mut tokens, mut allowed) = (U256::ZERO, U256::ZERO);
    if own && !token.is_zero() {
        tokens = number(&node, token, &SaleToken::balanceOfCall { account }).await?;
        allowed = number(&node, token, &SaleToken::allowanceCall { owner: account, spender }).await?;
    }
    Ok(Looked { head: heads.latest.number(), latest, pending, wei, fees, called, gas, tokens, allowed })
}

/// What a token says; nothing where it says something else than a number.
async fn number(node: &Node, token: Address, call: &impl SolCall) -> Result<U256, ChainError> {
    let request = TransactionRequest::default().with_to(token).with_input(call.abi_encode());
    // Not of the next block, which has taken already what is counted beside it.
    Ok(match node.call(request, BlockId::latest()).await? {
        Called::Output(output) if output.len() == 32 => U256::from_be_slice(&output),
        _ => U256::ZERO,
    })
}

/// What the contract says no with, in words.
pub(super) fn refused(data: &[u8], sale: &SaleFacts) -> OrderError {
    let explanation = explain(data, &sale.assets, Asker::Api);
    OrderError::Refused { sentence: explanation.sentence, next: explanation.next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Amount;

    #[test]
    fn all_sales_share_the_tokens_and_each_has_its_allowance() {
        let looked = |tokens: u64, allowed: u64| Looked {
            head: 0,
            latest: 0,
            pending: 0,
            wei: U256::ZERO,
            fees: Fees::default(),
            called: Called::Short,
            gas: None,
            tokens: U256::from(tokens),
            allowed: U256::from(allowed),
        };
        let sale = SaleFacts {
            chain_id: 1,
            address: Address::repeat_byte(1),
            currency: Address::repeat_byte(2),
            assets: Assets::default(),
        };
        // 70 are spoken for, 20 of them for this sale.
        let (tokens, tokens_for_sale) = (Amount(U256::from(70)), Amount(U256::from(20)));
        let before = Outstanding { wei: Amount::ZERO, tokens, tokens_for_sale };
        let covers = |looked: Looked| looked.covers_tokens(Address::ZERO, &sale, before, U256::from(30));
        assert!(covers(looked(100, 50)).is_ok());
        assert!(
            matches!(covers(looked(99, 50)), Err(OrderError::FewTokens { needed, .. }) if needed == U256::from(100))
        );
        assert!(
            matches!(covers(looked(100, 49)), Err(OrderError::Allowance { needed, .. }) if needed == U256::from(50))
        );
    }
}
