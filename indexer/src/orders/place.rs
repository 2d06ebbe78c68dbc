//! Takes an order that the node has nothing against: writes all of it in one transaction of the caller's.

use alloy::{
    consensus::TxEip1559,
    primitives::{TxKind, U256},
};
use sqlx::PgConnection;

use super::{
    Decoded, OrderError, Orders,
    prepare::{Looked, Prepared, SaleFacts, What, refused},
};
use crate::{
    chain::{Called, Fees},
    db::service::{
        order_signers as signers,
        order_transactions::{self as transactions, EventRow, NewTransaction},
        orders::{self, NewOrder},
    },
    types::{Addr, Amount, Hash32},
};

/// Orders of a caller that came signed and are not final yet: each is looked at block after block.
const MOST_RAW: i64 = 200;

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
