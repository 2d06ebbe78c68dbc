//! Another transaction for an order, with the nonce of those before it: one that pays more, or one that contributes nothing.

use alloy::{
    consensus::TxEip1559,
    primitives::{TxKind, U256},
};
use sqlx::PgConnection;

use super::{OrderError, Orders};
use crate::{
    chain::Fees,
    db::service::orders::{self, EventRow, NewTransaction, OrderRow},
    types::{Amount, Hash32},
};

/// So many times what the market asks for is the most that an order pays, however often it is signed again.
const MOST_TIMES: u128 = 4;

/// Gas of a transfer to an account.
pub(super) const TRANSFER_GAS: u64 = 21_000;

/// What the other transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// The same, included sooner.
    SpeedUp,
    /// In its place a transfer of nothing to its sender.
    Cancel,
}

impl More {
    fn purpose(self) -> &'static str {
        match self {
            Self::SpeedUp => "speed_up",
            Self::Cancel => "cancel",
        }
    }
}

/// Signs it and writes it; nothing is sent. Nodes take it in the place of another for an eighth more, of both fees. `None` where the
/// order's own limit of fees does not allow that, or it would be four times what the market asks for.
///
/// # Errors
/// [`OrderError::NotOpen`] where the order is in a block, or came signed.
pub async fn add(
    connection: &mut PgConnection,
    orders: &Orders,
    id: &str,
    more: More,
    (head, fees): (u64, Fees),
    why: Option<&str>,
) -> Result<Option<OrderRow>, OrderError> {
    let not_open = |state: String| OrderError::NotOpen { id: id.to_owned(), state };
    let order = orders::find_for_change(connection, id).await?.ok_or_else(|| not_open("not known".to_owned()))?;
    if !order.by_operator || order.settled || order.block_hash.is_some() || order.mined_hash.is_some() {
        return Err(not_open(order.state));
    }
    if order.cancelling && more == More::SpeedUp {
        return Err(not_open("being cancelled".to_owned()));
    }
    let signer = orders.signer().ok_or(OrderError::NoSigner)?;
    if signer.address() != order.sender.0 {
        return Err(OrderError::OtherSigner { id: id.to_owned(), sender: order.sender.0 });
    }
    let (mut max, mut priority) = (fees.max, fees.priority);
    for before in orders::list_transactions(connection, id).await? {
        max = max.max(raised(before.max_fee));
        priority = priority.max(raised(before.priority_fee));
    }
    max = max.max(priority);
    // However often it is asked for: what blocks ask for, twice over as they may ask for more soon, and no more than four times that.
    if max > fees.max.saturating_mul(MOST_TIMES) {
        return Ok(None);
    }
    let cap = order.fee_cap.map(|cap| cap.0.saturating_to::<u128>());
    // What cancels is worth more than the limit: it costs the gas of a transfer, and sets money free.
    if more == More::SpeedUp && cap.is_some_and(|cap| max > cap) {
        return Ok(None);
    }
    let base = TxEip1559 {
        chain_id: order.chain_id.unsigned_abs(),
        nonce: order.nonce.unsigned_abs(),
        max_fee_per_gas: max,
        max_priority_fee_per_gas: priority,
        ..TxEip1559::default()
    };
    let transaction = match more {
        More::SpeedUp => TxEip1559 {
            gas_limit: order.gas_limit.unsigned_abs(),
            to: TxKind::Call(order.sale.0),
            value: order.value.0,
            input: order.data.clone().into(),
            ..base
        },
        More::Cancel => TxEip1559 { gas_limit: TRANSFER_GAS, to: TxKind::Call(order.sender.0), ..base },
    };
    let bytes = signer.sign(transaction)?;
    let new = NewTransaction {
        hash: Hash32(bytes.hash),
        chain_id: order.chain_id,
        order_id: Some(id),
        sender: order.sender,
        nonce: order.nonce,
        purpose: more.purpose(),
        raw: Some(&bytes.raw),
        max_fee: Amount(U256::from(max)),
        priority_fee: Amount(U256::from(priority)),
    };
    orders::insert_transaction(connection, new).await?;
    orders::set_resent(connection, id, super::place::signed(head), more == More::Cancel).await?;
    let state = if more == More::Cancel { "cancelling" } else { "speeding_up" };
    let event = EventRow {
        state: state.to_owned(),
        transaction_hash: Some(Hash32(bytes.hash)),
        detail: why.map(str::to_owned),
        ..EventRow::default()
    };
    orders::add_event(connection, id, &event).await?;
    Ok(orders::find_for_change(connection, id).await?)
}

/// An eighth more, rounded up.
fn raised(fee: Amount) -> u128 {
    let fee = fee.0.saturating_to::<u128>();
    fee.saturating_add(fee.div_ceil(8)).saturating_add(1)
}
