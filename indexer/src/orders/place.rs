//! Takes an order: asks the node whether it can be, then writes all of it in one transaction of the caller's.

use alloy::{
    consensus::TxEip1559,
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, Bytes, TxKind, U256},
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use sqlx::PgConnection;

use super::{
    Decoded, OrderError, Orders,
    fees::{at_most, gas_limit, within_limit},
};
use crate::{
    chain::{Called, Chain, ChainError, Fees, Node},
    contracts::{FixedPriceSale, SaleToken},
    db::service::{
        order_signers::{self as signers, Outstanding},
        order_transactions::{self as transactions, EventRow, NewTransaction},
        orders::{self, NewOrder},
    },
    explain::{Assets, explain},
    types::{Addr, Amount, Hash32},
};

/// Orders of a caller that came signed and are not final yet: each is looked at block after block.
const MOST_RAW: i64 = 200;

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
    what: What,
    looked: Looked,
}

#[derive(Clone, Debug)]
enum What {
    Raw(Box<Decoded>),
    Own { intent: Box<Intent>, data: Vec<u8>, value: U256, gas_limit: u64, fees: Fees },
}

/// What the node said.
#[derive(Clone, Debug)]
struct Looked {
    head: u64,
    /// The nonce after those in blocks, and after those in the pool.
    latest: u64,
    pending: u64,
    wei: U256,
    fees: Fees,
    called: Called,
    gas: Option<u64>,
    tokens: U256,
    allowed: U256,
}

/// Whose order it is, and what it is called.
#[derive(Clone, Copy, Debug)]
pub struct Placing<'a> {
    /// The order's id.
    pub id: &'a str,
    /// Whose it is.
    pub caller: &'a str,
    /// Of the request.
    pub request_id: &'a str,
    /// The customer's reference, sealed, and what it is found by.
    pub reference: Option<(&'a [u8], &'a [u8])>,
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
    fn covers_tokens(
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

fn refused(data: &[u8], sale: &SaleFacts) -> OrderError {
    let explanation = explain(data, &sale.assets);
    let next = explanation.next.replace(" SALE", &format!(" {}", sale.address));
    OrderError::Refused { sentence: explanation.sentence, next }
}

/// Writes the order with its transaction: nonce, signed bytes, and the first line of its history. Nothing is sent.
///
/// # Errors
/// [`OrderError`]; the transaction is then to be given up.
pub async fn place(
    connection: &mut PgConnection,
    orders: &Orders,
    sale: &SaleFacts,
    prepared: &Prepared,
    placing: Placing<'_>,
) -> Result<(), OrderError> {
    match &prepared.what {
        What::Raw(decoded) => place_raw(connection, orders, sale, decoded, &prepared.looked, placing).await,
        What::Own { .. } => place_own(connection, orders, sale, prepared, placing).await,
    }
}

async fn place_raw(
    connection: &mut PgConnection,
    orders: &Orders,
    sale: &SaleFacts,
    decoded: &Decoded,
    looked: &Looked,
    placing: Placing<'_>,
) -> Result<(), OrderError> {
    let (chain_id, sender, hash) = (signed(sale.chain_id), Addr(decoded.sender), Hash32(decoded.hash));
    if orders.signer().is_some_and(|s| s.address() == decoded.sender) {
        return Err(OrderError::OperatorsOwn(decoded.sender));
    }
    if let Some((order, caller)) = transactions::find_by_hash(connection, chain_id, hash).await? {
        return Err(OrderError::Known { order: order.filter(|_| caller.as_deref() == Some(placing.caller)) });
    }
    if decoded.max_fee < looked.fees.base {
        return Err(OrderError::RawFee { max_fee: decoded.max_fee, base: looked.fees.base });
    }
    if orders::count_open_raw(connection, placing.caller).await? >= MOST_RAW {
        return Err(OrderError::ManyOpen { most: MOST_RAW });
    }
    // Those that were ordered before and have not reached the node yet count too.
    let ordered = orders::highest_nonce(connection, chain_id, sender).await?.map_or(0, |n| n.unsigned_abs() + 1);
    let next = looked.pending.max(ordered);
    if decoded.nonce > next {
        return Err(OrderError::NonceAhead { sender: decoded.sender, nonce: decoded.nonce, next });
    }
    let order = NewOrder {
        by_operator: false,
        investor: Addr(decoded.investor),
        amount: Amount(decoded.amount),
        sender,
        nonce: signed(decoded.nonce),
        value: Amount(decoded.value),
        data: &decoded.data,
        gas_limit: signed(decoded.gas_limit),
        fee_cap: None,
        ..new(sale, looked, placing)
    };
    let fees = Fees { base: 0, max: decoded.max_fee, priority: decoded.priority_fee };
    write(connection, &order, hash, &decoded.raw, fees).await
}

async fn place_own(
    connection: &mut PgConnection,
    orders: &Orders,
    sale: &SaleFacts,
    prepared: &Prepared,
    placing: Placing<'_>,
) -> Result<(), OrderError> {
    let Prepared { what: What::Own { intent, data, value, gas_limit, fees }, looked } = prepared else {
        return Err(OrderError::NoSigner);
    };
    let signer = orders.signer().ok_or(OrderError::NoSigner)?;
    let (chain_id, account) = (signed(sale.chain_id), signer.address());
    // From here on no other order of this signer gets a nonce, until this one is written or given up.
    let nonce = signers::take_nonce(connection, chain_id, Addr(account), signed(looked.pending)).await?;
    within_a_day(connection, orders, sale, intent.amount, placing.caller).await?;
    let before = signers::outstanding(
        connection,
        (chain_id, signed(looked.head)),
        Addr(account),
        Addr(sale.currency),
        Addr(sale.address),
    )
    .await?;
    let gas = U256::from(*gas_limit).saturating_mul(U256::from(fees.max));
    let needed = before.wei.0.saturating_add(*value).saturating_add(gas);
    if looked.wei < needed {
        return Err(OrderError::Short { account, has: looked.wei, needed });
    }
    if !sale.currency.is_zero() {
        looked.covers_tokens(account, sale, before, intent.amount)?;
    }
    // Last, as the node counts what those before it will take: it would blame the token for what they leave.
    match &looked.called {
        Called::Reverted(data) => return Err(refused(data, sale)),
        Called::Short => return Err(OrderError::Short { account, has: looked.wei, needed }),
        Called::Output(_) => {}
    }
    let transaction = TxEip1559 {
        chain_id: sale.chain_id,
        nonce: nonce.unsigned_abs(),
        gas_limit: *gas_limit,
        max_fee_per_gas: fees.max,
        max_priority_fee_per_gas: fees.priority,
        to: TxKind::Call(sale.address),
        value: *value,
        input: data.clone().into(),
        ..TxEip1559::default()
    };
    let bytes = signer.sign(transaction)?;
    let order = NewOrder {
        by_operator: true,
        investor: Addr(intent.investor),
        amount: Amount(intent.amount),
        sender: Addr(account),
        nonce,
        value: Amount(*value),
        data,
        gas_limit: signed(*gas_limit),
        fee_cap: intent.fee_cap.map(|cap| Amount(U256::from(cap))),
        ..new(sale, looked, placing)
    };
    write(connection, &order, Hash32(bytes.hash), &bytes.raw, *fees).await
}

/// Refuses what would be more than a key may order within 24 hours. Nobody else orders for it until the transaction ends.
async fn within_a_day(
    connection: &mut PgConnection,
    orders: &Orders,
    sale: &SaleFacts,
    amount: U256,
    caller: &str,
) -> Result<(), OrderError> {
    let Some(most) = orders.options().most_a_day.get(&sale.currency).copied() else { return Ok(()) };
    let (chain_id, currency) = (signed(sale.chain_id), Addr(sale.currency));
    let ordered = signers::ordered_today(connection, caller, chain_id, currency).await?.0;
    let left = most.saturating_sub(ordered);
    if amount <= left {
        return Ok(());
    }
    let freed = Amount(amount.saturating_sub(left));
    let seconds = signers::seconds_until(connection, caller, chain_id, currency, freed).await?;
    Err(OrderError::DayIsFull { most, left, seconds: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX) })
}

/// What both kinds share.
fn new<'a>(sale: &SaleFacts, looked: &Looked, placing: Placing<'a>) -> NewOrder<'a> {
    NewOrder {
        id: placing.id,
        caller: placing.caller,
        request_id: placing.request_id,
        chain_id: signed(sale.chain_id),
        sale: Addr(sale.address),
        currency: Addr(sale.currency),
        reference_sealed: placing.reference.map(|(sealed, _)| sealed),
        reference_hash: placing.reference.map(|(_, hash)| hash),
        since: signed(looked.head),
        by_operator: false,
        investor: Addr::default(),
        amount: Amount::ZERO,
        sender: Addr::default(),
        nonce: 0,
        value: Amount::ZERO,
        data: &[],
        gas_limit: 0,
        fee_cap: None,
    }
}

async fn write(
    connection: &mut PgConnection,
    order: &NewOrder<'_>,
    hash: Hash32,
    raw: &[u8],
    fees: Fees,
) -> Result<(), OrderError> {
    orders::insert(connection, order).await?;
    let transaction = NewTransaction {
        hash,
        chain_id: order.chain_id,
        order_id: Some(order.id),
        sender: order.sender,
        nonce: order.nonce,
        purpose: "original",
        raw: Some(raw),
        max_fee: Amount(U256::from(fees.max)),
        priority_fee: Amount(U256::from(fees.priority)),
    };
    if !transactions::insert(connection, transaction).await? {
        return Err(OrderError::Known { order: None });
    }
    let event = EventRow { state: "accepted".to_owned(), transaction_hash: Some(hash), ..EventRow::default() };
    Ok(transactions::add_event(connection, order.id, &event).await?)
}

/// A number of a chain as the database keeps it. None that is real is too large.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
