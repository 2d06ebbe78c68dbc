//! Orders whose nonce is used, and by none of their own transactions that the node shows. What the node has forgotten may be indexed: then
//! the order is in that block. Else what used the nonce is searched for. Where that is not found, because no transaction of the account did
//! it or the node has not kept the state of then, the order ends once that is final, and indexed.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use alloy::{eips::BlockId, primitives::B256};
use futures::{StreamExt as _, stream};
use sqlx::PgConnection;

use super::{
    OrderError,
    look::View,
    place::signed,
    track::{Purpose, Seen},
    worker::Step,
};
use crate::{
    chain::{ChainError, Found},
    db::{
        self, chains,
        read::contributions::{self, Contribution},
        service::{
            order_transactions::{self as transactions, EventRow, NewTransaction, TransactionRow},
            orders::{self, OrderRow, Standing},
        },
    },
    types::{Amount, Hash32},
};

/// Blocks below the last at which an order's nonce was not used that are searched too: a reorg may have brought it there.
const BELOW: u64 = 64;
/// Orders that are searched for in one step, so that many of them hold up no others.
const AT_ONCE: usize = 8;
/// Time for the search of an order. All of a step are searched for at the same time, and the chain is not looked at meanwhile.
const TIME: Duration = Duration::from_secs(8);
/// Time for what is asked beside that, by order.
const MOMENT: Duration = Duration::from_secs(2);
/// Of an order that has ended so.
const UNKNOWN: &str = "its nonce is used, and by no transaction that is known; that is final";

/// Which orders were searched for, and when.
#[derive(Debug, Default)]
pub(super) struct Searches {
    turn: u64,
    last: HashMap<String, (u64, B256)>,
}

impl Searches {
    /// So many of these orders as are searched for in one step: first those that were not for the longest, and none twice at one head.
    fn pick<'o>(&mut self, taken: &'o [OrderRow], head: B256) -> Vec<&'o OrderRow> {
        let there: HashSet<&str> = taken.iter().map(|o| o.id.as_str()).collect();
        // Those of an older head are out of date anyway: what is not asked about any more is forgotten.
        self.last.retain(|id, (_, at)| *at == head || there.contains(id.as_str()));
        let last = |order: &OrderRow| self.last.get(&order.id).copied();
        let mut due: Vec<&OrderRow> = taken.iter().filter(|o| last(o).is_none_or(|(_, at)| at != head)).collect();
        due.sort_by_key(|order| last(order).map(|(turn, _)| turn));
        due.truncate(AT_ONCE);
        self.turn += 1;
        for order in &due {
            self.last.insert(order.id.clone(), (self.turn, head));
        }
        due
    }
}

impl Step<'_> {
    /// Looks in the index, and searches, for what used the nonces of `taken`, and writes what it finds beside the order's own transactions.
    /// Ends orders of which it finds nothing, where that is final. Returns those of which it found something that is to be looked at.
    pub(super) async fn trace(
        &self,
        connection: &mut PgConnection,
        taken: &[OrderRow],
        view: &View<'_>,
        searches: &mut Searches,
    ) -> Result<Vec<OrderRow>, OrderError> {
        let due = searches.pick(taken, self.head_hash());
        if due.is_empty() {
            return Ok(Vec::new());
        }
        // Before the search: what is indexed later is of the next look.
        let (indexed_to, indexed) = self.indexed(&due, view).await?;
        let mut unindexed = Vec::new();
        for (order, contribution) in due.into_iter().zip(indexed) {
            match contribution {
                Some(contribution) => {
                    let followed = self.follow_indexed(connection, order, &contribution, view).await;
                    alone(order, followed)?;
                }
                None => unindexed.push(order),
            }
        }
        let looks: Vec<_> =
            unindexed.into_iter().map(|order| async move { (order, within(TIME, self.search(order)).await) }).collect();
        let searched: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        let mut known = Vec::new();
        for (order, found) in searched {
            let own = view.transactions_of(order);
            match found {
                // The next time it has its turn.
                Err(error) => alone(order, Err(error))?,
                // Of its own, and the node has not shown the receipt yet: the next look has it.
                Ok(Some(found)) if own.iter().any(|t| t.hash.0 == found.hash) => {}
                Ok(Some(found)) => {
                    if self.write_foreign(connection, order, &found).await? {
                        known.push(order.clone());
                    }
                }
                Ok(None) => alone(order, self.end_unknown(connection, order, own, indexed_to).await)?,
            }
        }
        Ok(known)
    }

    /// Up to which block the index is final, and of each order the contribution of one of its own transactions, if it has one.
    async fn indexed(
        &self,
        orders: &[&OrderRow],
        view: &View<'_>,
    ) -> Result<(i64, Vec<Option<Contribution>>), OrderError> {
        let chain_id = signed(self.chain_id());
        let mut snapshot = db::snapshot(self.index()).await?;
        let checkpoint = chains::find_checkpoint(&mut snapshot, chain_id).await?;
        let mut found = Vec::with_capacity(orders.len());
        for order in orders {
            let hashes: Vec<Hash32> = view.transactions_of(order).iter().map(|t| t.hash).collect();
            let whose = (order.sale, order.investor);
            found.push(contributions::find_of_transactions(&mut snapshot, chain_id, whose, &hashes).await?);
        }
        Ok((checkpoint.map_or(-1, |c| c.tips().finalized), found))
    }

    /// Follows an order that the index has in a block, where the node has this block too.
    async fn follow_indexed(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        contribution: &Contribution,
        view: &View<'_>,
    ) -> Result<(), OrderError> {
        let (block, block_hash, hash) =
            (contribution.block_number, contribution.block_hash, contribution.transaction_hash);
        let Some(mined) = view.transactions_of(order).iter().find(|t| t.hash == hash) else { return Ok(()) };
        let header = within(MOMENT, self.node().find_header(block.unsigned_abs())).await?;
        // A node that lags, or one of the two on another branch: the next look tells.
        if header.is_none_or(|header| header.hash != block_hash.0) {
            return Ok(());
        }
        let purpose = Purpose::read(&mined.purpose);
        let seen = Seen::Mined { hash, purpose, block, block_hash, succeeded: true, why: None };
        self.follow(connection, order, seen, view, true).await
    }

    async fn search(&self, order: &OrderRow) -> Result<Option<Found>, ChainError> {
        // The state of long ago is what many nodes do not keep.
        let first = order.unused_at.unwrap_or(order.since).unsigned_abs().saturating_sub(BELOW);
        self.node().find_by_nonce(order.sender.0, order.nonce.unsigned_abs(), first, self.head()).await
    }

    /// Writes what used an order's nonce beside its own transactions; false where it is there already.
    async fn write_foreign(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        found: &Found,
    ) -> Result<bool, OrderError> {
        let hash = Hash32(found.hash);
        // Two orders with one nonce: one transaction is one order's alone, whatever the other asks for.
        let is_of_another = transactions::find_by_hash(connection, order.chain_id, hash).await?.is_some();
        let is_same =
            found.to == Some(order.sale.0) && found.value == order.value.0 && found.input[..] == order.data[..];
        let transaction = NewTransaction {
            hash,
            chain_id: order.chain_id,
            order_id: Some(&order.id),
            sender: order.sender,
            nonce: order.nonce,
            purpose: if is_same && !is_of_another { "speed_up" } else { "foreign" },
            raw: None,
            max_fee: Amount::ZERO,
            priority_fee: Amount::ZERO,
        };
        Ok(transactions::insert(connection, transaction).await?)
    }

    /// Notes the block at whose end the nonce is used; ends the order once that block is final and indexed, and its chain has none of the
    /// order's own transactions. A reorg before that leaves it open.
    async fn end_unknown(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        own: &[TransactionRow],
        indexed_to: i64,
    ) -> Result<(), OrderError> {
        let Some((number, hash)) = order.spent_at.zip(order.spent_hash) else {
            // By its hash: behind a balancer the latest block of a moment ago may be another's.
            let next = within(MOMENT, self.node().nonce(order.sender.0, BlockId::hash(self.head_hash()))).await?;
            // Else a node that lags, or another branch: the next look tells.
            if next > order.nonce.unsigned_abs() {
                tracing::warn!(order = order.id, "an order's nonce is used, and by no transaction that is known");
                let block = (signed(self.head()), Hash32(self.head_hash()));
                orders::set_spent(connection, &order.id, Some(block)).await?;
            }
            return Ok(());
        };
        // That the node shows no receipt may mean that it has forgotten it: only the index has them all.
        if number > self.finalized().min(indexed_to) {
            return Ok(());
        }
        let hashes: Vec<B256> = own.iter().map(|t| t.hash.0).collect();
        let (header, receipts) = within(MOMENT, self.node().receipts_beside(number.unsigned_abs(), &hashes)).await?;
        // A node that lags has no such block.
        let Some(header) = header else { return Ok(()) };
        if header.hash != hash.0 {
            return Ok(orders::set_spent(connection, &order.id, None).await?);
        }
        if receipts.iter().any(Option::is_some) {
            return Ok(());
        }
        let detail = Some(UNKNOWN.to_owned());
        let standing =
            Standing { state: "replaced".to_owned(), settled: true, detail: detail.clone(), ..Standing::default() };
        let event = EventRow {
            state: standing.state.clone(),
            block_number: Some(number),
            block_hash: Some(hash),
            detail,
            ..EventRow::default()
        };
        self.write(connection, order, &standing, &[event]).await
    }
}

/// What a node says within that time.
async fn within<T>(time: Duration, asked: impl Future<Output = Result<T, ChainError>>) -> Result<T, OrderError> {
    Ok(tokio::time::timeout(time, asked).await.map_err(|_| ChainError::NotYet)??)
}

/// That a node fails one order is no reason to leave the others: what is found of them is written, and this one has its turn again.
fn alone(order: &OrderRow, done: Result<(), OrderError>) -> Result<(), OrderError> {
    match done {
        Err(OrderError::Chain(error)) => {
            tracing::warn!(%error, order = order.id, "which transaction took an order's nonce is not known yet");
            Ok(())
        }
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn every_order_has_its_turn_and_none_two_at_one_head() {
        let order = |n: u32| OrderRow { id: format!("ord_{n:02}"), ..OrderRow::default() };
        let taken: Vec<OrderRow> = (0..20).map(order).collect();
        let mut searches = Searches::default();
        let mut pick = |head: u8| -> Vec<String> {
            searches.pick(&taken, B256::repeat_byte(head)).iter().map(|o| o.id.clone()).collect()
        };
        let (one, two, three, four) = (pick(1), pick(1), pick(1), pick(1));
        assert_eq!((one.len(), two.len(), three.len(), four.len()), (8, 8, 4, 0));
        let all: HashSet<_> = [one.clone(), two, three].concat().into_iter().collect();
        assert_eq!(all.len(), 20);
        assert_eq!(pick(2), one, "those first that wait for the longest");
    }
}
