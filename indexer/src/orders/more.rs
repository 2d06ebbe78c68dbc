//! Another transaction for an order, with the nonce of those before it: one that pays more, or one that contributes nothing.

use alloy::{
    consensus::TxEip1559,
    primitives::{TxKind, U256},
};
use sqlx::PgConnection;

use super::{OrderError, OrderOptions, Orders};
use crate::{
    chain::Fees,
    db::service::{
        order_transactions::{self as transactions, EventRow, NewTransaction, TransactionRow},
        orders::{self, OrderRow},
    },
    types::{Amount, Hash32},
};

/// So many times [`Fees::max`], which is twice the base fee and the tip, is the most that an order pays, however often it is signed again.
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

/// Why the service itself has an order cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// It was in no block for too long.
    NotIncluded,
    /// What it may pay is less than blocks ask for, and others wait behind it.
    FeeCap,
}

impl GivenUp {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotIncluded => "not_included",
            Self::FeeCap => "fee_cap",
        }
    }

    /// In words, as the end of a sentence.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotIncluded => "it was in no block for too long, and would hold up others",
            Self::FeeCap => "blocks ask for more than its max_fee_per_gas, and others wait behind it",
        }
    }

    /// What [`Self::as_str`] says.
    pub fn read(text: &str) -> Option<Self> {
        [Self::NotIncluded, Self::FeeCap].into_iter().find(|why| why.as_str() == text)
    }
}

/// Why another transaction is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its caller asked for it.
    Asked,
    /// What the order has pays less than blocks ask for.
    Cheap,
    /// The service gives the order up.
    GivenUp(GivenUp),
}

impl Why {
    fn text(self) -> Option<&'static str> {
        match self {
            Self::Asked => None,
            Self::Cheap => Some("it pays less than blocks ask for"),
            Self::GivenUp(why) => Some(why.text()),
        }
    }
}

/// Fees of a transaction that takes the place of others with its nonce, wei of a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raised {
    pub max: u128,
    pub priority: u128,
}

/// The most that a transaction may pay which takes the place of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// What is ordered: its caller's limit, if there is one, and four times what the market asks for.
    Order(Option<u128>),
    /// A transfer of nothing. It has to outbid what it takes the place of even when the market has fallen since, and takes little gas:
    /// so four times what was signed before it counts as well. Not what transfers were raised to: that would have no end.
    Transfer,
}

impl Limit {
    fn most(self, before: &[TransactionRow], fees: Fees, options: &OrderOptions) -> u128 {
        let (cap, counted) = match self {
            Self::Order(cap) => (cap.unwrap_or(u128::MAX).min(options.max_fee_of_order()), fees.max),
            Self::Transfer => {
                let replaced = before.iter().enumerate().filter(|(at, t)| *at == 0 || t.purpose == "speed_up");
                let signed = replaced.map(|(_, t)| t.max_fee.0.saturating_to()).max().unwrap_or_default();
                (options.max_fee, fees.max.max(signed))
            }
        };
        cap.min(counted.saturating_mul(MOST_TIMES))
    }
}

/// What blocks ask for, and an eighth more than those before, of both fees, as nodes ask for; no more than `limit` and what the operator
/// has set, as long as that is enough more. `None` where it is not, however often it is signed again.
pub(super) fn raise(before: &[TransactionRow], fees: Fees, limit: Limit, options: &OrderOptions) -> Option<Raised> {
    let least_max = before.iter().map(|t| raised(t.max_fee)).max().unwrap_or_default();
    let least_priority = before.iter().map(|t| raised(t.priority_fee)).max().unwrap_or_default();
    let cap = limit.most(before, fees, options);
    let priority = fees.priority.max(least_priority);
    let max = fees.max.max(least_max).max(priority).min(cap);
    let priority = priority.min(max);
    (max >= least_max && priority >= least_priority).then_some(Raised { max, priority })
}

/// Whether a transaction pays what blocks ask for.
pub(super) fn pays(transaction: &TransactionRow, fees: Fees) -> bool {
    transaction.max_fee.0 >= U256::from(fees.max) && transaction.priority_fee.0 >= U256::from(fees.priority)
}

/// Signs it and writes it; nothing is sent. `None` where the order's own limit of fees or the operator's does not allow what nodes ask for,
/// or it would be more than its [`Limit`].
///
/// # Errors
/// [`OrderError::NotOpen`] where the order is in a block, or came signed.
pub async fn add(
    connection: &mut PgConnection,
    orders: &Orders,
    id: &str,
    more: More,
    (head, fees): (u64, Fees),
    why: Why,
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
    let before = transactions::list(connection, id).await?;
    // What cancels is worth more than the caller's limit: it costs the gas of a transfer, and sets money free.
    let limit = match more {
        More::SpeedUp => Limit::Order(order.fee_cap.map(|cap| cap.0.saturating_to())),
        More::Cancel => Limit::Transfer,
    };
    let Some(Raised { max, priority }) = raise(&before, fees, limit, orders.options()) else { return Ok(None) };
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
    transactions::insert(connection, new).await?;
    let given_up = if let Why::GivenUp(why) = why { Some(why.as_str()) } else { None };
    orders::set_resent(connection, id, super::place::signed(head), more == More::Cancel, given_up).await?;
    let state = if more == More::Cancel { "cancelling" } else { "speeding_up" };
    let event = EventRow {
        state: state.to_owned(),
        transaction_hash: Some(Hash32(bytes.hash)),
        detail: why.text().map(str::to_owned),
        ..EventRow::default()
    };
    transactions::add_event(connection, id, &event).await?;
    Ok(orders::find_for_change(connection, id).await?)
}

/// An eighth more, rounded up.
fn raised(fee: Amount) -> u128 {
    let fee = fee.0.saturating_to::<u128>();
    fee.saturating_add(fee.div_ceil(8)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paying(max: u64, priority: u64) -> TransactionRow {
        let (max_fee, priority_fee) = (Amount(U256::from(max)), Amount(U256::from(priority)));
        let (hash, purpose) = (Hash32::default(), "original".to_owned());
        TransactionRow { hash, purpose, raw: None, max_fee, priority_fee, created_at: 0 }
    }

    #[test]
    fn a_transaction_is_raised_by_what_nodes_ask_for_and_within_its_limits() {
        let fees = |base: u128| Fees { base, max: 2 * base + 8, priority: 8 };
        let raise = |before: &[(u64, u64)], base, cap| {
            let before: Vec<_> = before.iter().map(|(max, priority)| paying(*max, *priority)).collect();
            super::raise(&before, fees(base), Limit::Order(cap), &OrderOptions::default()).map(|r| (r.max, r.priority))
        };
        assert_eq!(raise(&[], 100, None), Some((208, 8)), "a first one");
        assert_eq!(raise(&[(80, 8)], 100, None), Some((208, 10)), "what blocks ask for");
        assert_eq!(raise(&[(800, 8)], 200, None), Some((901, 10)), "an eighth more than before");
        assert_eq!(raise(&[(800, 8)], 104, None), None, "beyond four times what blocks ask for");
        // Up to the cap, where that is an eighth more at least.
        assert_eq!(raise(&[(80, 8)], 100, Some(100)), Some((100, 10)));
        assert_eq!(raise(&[(80, 8)], 100, Some(91)), Some((91, 10)));
        assert_eq!(raise(&[(80, 8)], 100, Some(90)), None);
        assert_eq!(raise(&[(8, 8)], 100, Some(10)), Some((10, 10)), "no more to who includes it than in all");
    }

    #[test]
    fn a_transfer_outbids_what_it_replaces_after_the_market_fell_and_not_without_end() {
        let fees = Fees { base: 4, max: 16, priority: 8 };
        let mut before = vec![paying(800, 8)];
        let raise =
            |before: &[TransactionRow], fees, limit| super::raise(before, fees, limit, &OrderOptions::default());
        assert_eq!(raise(&before, fees, Limit::Order(None)), None);
        assert_eq!(raise(&before, fees, Limit::Transfer), Some(Raised { max: 901, priority: 10 }));
        let mut signed = 0;
        while let Some(Raised { max, priority }) = raise(&before, fees, Limit::Transfer) {
            let fee = |fee| Amount(U256::from(fee));
            before.push(TransactionRow {
                purpose: "cancel".to_owned(),
                max_fee: fee(max),
                priority_fee: fee(priority),
                ..paying(0, 0)
            });
            signed += 1;
            assert!(max <= 3_200 && signed < 50, "{max}");
        }
        assert!(signed > 1, "{signed}");
    }
    #[test]
    fn nothing_pays_more_than_the_operator_lets_it_and_an_order_leaves_room_for_what_cancels_it() {
        for max_fee in [10, 11, 90, 1_000, 12_345_678_901, u128::MAX] {
            let options = OrderOptions { max_fee, ..OrderOptions::default() };
            let of_order = options.max_fee_of_order();
            let above = of_order.saturating_add(of_order.div_ceil(8)).saturating_add(1);
            assert!(above <= max_fee, "{max_fee}: {of_order} {above}");
            // Whatever a node says.
            let fees = Fees { base: u128::MAX, max: u128::MAX, priority: u128::MAX };
            let order = raise(&[], fees, Limit::Order(None), &options).unwrap();
            assert_eq!((order.max, order.priority), (of_order, of_order));
            let before = TransactionRow {
                max_fee: Amount(U256::from(order.max)),
                priority_fee: Amount(U256::from(order.priority)),
                ..paying(0, 0)
            };
            let before = [before];
            assert_eq!(raise(&before, fees, Limit::Order(None), &options), None);
            let cancel = raise(&before, fees, Limit::Transfer, &options).unwrap();
            assert_eq!((cancel.max, cancel.priority), (max_fee, max_fee));
        }
        let options = OrderOptions { max_fee: 90, ..OrderOptions::default() };
        assert_eq!(options.max_fee_of_order(), 79);
    }
}
