//! What a node shows of orders. Asks for all of them at once where that can be; writes nothing.

use std::collections::{BTreeSet, HashMap};

use alloy::{
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, B256},
    rpc::types::TransactionRequest,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::track::{Purpose, Seen};
use crate::{
    chain::{Called, ChainError, Node, Receipt, Sent},
    db::service::{order_transactions::TransactionRow, orders::OrderRow},
    explain::{Asker, Assets, explain},
    types::Hash32,
};

/// What is said of an order that no node takes for what it pays.
pub(super) const UNDERPRICED: &str = "it pays less than a block asks for, or than another transaction with its nonce";
/// Accounts whose orders are looked at at the same time.
const ACCOUNTS_AT_ONCE: usize = 8;

/// What came of a look at an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// This is what the node shows.
    Seen(Seen),
    /// Its nonce is used, and by none of its transactions.
    Taken,
    /// The node cannot tell.
    Unclear,
}

/// What one node says of many orders at one head.
#[derive(Debug)]
pub(super) struct View<'a> {
    node: &'a Node,
    transactions: &'a HashMap<String, Vec<TransactionRow>>,
    nonces: HashMap<Address, u64>,
    receipts: HashMap<B256, Receipt>,
    known: BTreeSet<B256>,
}

impl<'a> View<'a> {
    /// Asks for the nonces of all senders, and of `account`; where one is used, for receipts; where not, whether the node has
    /// what would use it.
    pub async fn of(
        node: &'a Node,
        orders: &[OrderRow],
        transactions: &'a HashMap<String, Vec<TransactionRow>>,
        account: Option<Address>,
    ) -> Result<Self, ChainError> {
        let accounts: Vec<Address> =
            orders.iter().map(|o| o.sender.0).chain(account).collect::<BTreeSet<_>>().into_iter().collect();
        let nonces = node.nonces(&accounts).await?;
        let nonces = accounts.into_iter().zip(nonces).collect();
        let mut view = Self { node, transactions, nonces, receipts: HashMap::new(), known: BTreeSet::new() };
        let (mut used, mut unused) = (Vec::new(), Vec::new());
        for order in orders {
            let is_used = view.uses(order) || order.block_hash.is_some();
            let hashes = view.transactions_of(order).iter().map(|t| t.hash.0);
            if is_used { used.extend(hashes) } else { unused.extend(hashes) }
        }
        let (receipts, known) = tokio::try_join!(node.receipts(&used), node.known(&unused))?;
        view.receipts = used.into_iter().zip(receipts).filter_map(|(hash, receipt)| Some((hash, receipt?))).collect();
        view.known = unused.into_iter().zip(known).filter_map(|(hash, known)| known.then_some(hash)).collect();
        Ok(view)
    }

    /// The nonce that follows those of an account in blocks.
    pub fn nonce(&self, account: Address) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }

    /// Whether the nonce of an order is used.
    pub fn uses(&self, order: &OrderRow) -> bool {
        self.nonce(order.sender.0) > order.nonce.unsigned_abs()
    }

    /// The order's transactions.
    pub fn transactions_of(&self, order: &OrderRow) -> &'a [TransactionRow] {
        self.transactions.get(&order.id).map_or(&[], Vec::as_slice)
    }

    /// Looks at orders, those of one sender one after the other, and sends what the node should have and has not.
    pub async fn look_at_all(&self, orders: &'a [OrderRow]) -> Result<Vec<(&'a OrderRow, Looked)>, ChainError> {
        let mut senders: Vec<Vec<&'a OrderRow>> = Vec::new();
        for order in orders {
            match senders.last_mut().filter(|group| group.last().is_some_and(|o| o.sender == order.sender)) {
                Some(group) => group.push(order),
                None => senders.push(vec![order]),
            }
        }
        let looks: Vec<_> = senders.into_iter().map(|group| self.look_at_each(group)).collect();
        let looked: Vec<Vec<_>> = stream::iter(looks).buffered(ACCOUNTS_AT_ONCE).try_collect().await?;
        Ok(looked.into_iter().flatten().collect())
    }

    async fn look_at_each(&self, orders: Vec<&'a OrderRow>) -> Result<Vec<(&'a OrderRow, Looked)>, ChainError> {
        let mut looked = Vec::with_capacity(orders.len());
        for order in orders {
            looked.push((order, self.look(order).await?));
        }
        Ok(looked)
    }

    /// What the node shows of an order; sends what it should have and has not.
    pub async fn look(&self, order: &OrderRow) -> Result<Looked, ChainError> {
        let transactions = self.transactions_of(order);
        for t in transactions {
            let Some(receipt) = self.receipts.get(&t.hash.0) else { continue };
            let is_news = order.block_hash != Some(Hash32(receipt.block_hash));
            let failed = !receipt.succeeded() && t.purpose != "cancel" && is_news;
            let why = if failed { self.why(order, receipt.block_number()).await } else { None };
            return Ok(Looked::Seen(Seen::Mined {
                hash: t.hash,
                purpose: Purpose::read(&t.purpose),
                block: super::place::signed(receipt.block_number()),
                block_hash: Hash32(receipt.block_hash),
                succeeded: receipt.succeeded(),
                why,
            }));
        }
        if let (Some(number), Some(hash)) = (order.block_number, order.block_hash) {
            // One node behind a balancer may lag: that it lacks the block means nothing, that it has another one does.
            return Ok(match self.node.find_header(number.unsigned_abs()).await? {
                None => Looked::Unclear,
                Some(now) if now.hash != hash.0 => Looked::Seen(Seen::BlockGone),
                // It is there as it was, and becomes final as its block does: the node may have forgotten the receipt.
                Some(_) => self.as_before(order, (number, hash)).map_or(Looked::Unclear, Looked::Seen),
            });
        }
        if self.uses(order) {
            return Ok(Looked::Taken);
        }
        // One that is dropped and came signed is its sender's to send again, or another in its place.
        let may_send = order.by_operator || !matches!(order.state.as_str(), "dropped" | "expired");
        // What the operator's account used the nonce for elsewhere, and a reorg took out of its block, is not this order: it is sent.
        let own = transactions.iter().filter(|t| !order.by_operator || t.purpose != "foreign");
        let newest_first = own.rev().filter(|t| !order.cancelling || t.purpose == "cancel");
        send(self.node, newest_first, &self.known, may_send).await
    }

    /// What was seen of an order when it came into its block.
    fn as_before(&self, order: &OrderRow, (block, block_hash): (i64, Hash32)) -> Option<Seen> {
        let mined = self.transactions_of(order).iter().find(|t| order.mined_hash == Some(t.hash))?;
        Some(Seen::Mined {
            hash: mined.hash,
            purpose: Purpose::read(&mined.purpose),
            block,
            block_hash,
            succeeded: order.state != "failed",
            why: None,
        })
    }

    /// Why the sale refused an order, by the same call on the block in which it did.
    async fn why(&self, order: &OrderRow, block: u64) -> Option<String> {
        let request = TransactionRequest::default()
            .with_from(order.sender.0)
            .with_to(order.sale.0)
            .with_value(order.value.0)
            .with_input(order.data.clone());
        match self.node.call(request, BlockId::number(block)).await {
            Ok(Called::Reverted(data)) => Some(explain(&data, &Assets::default(), Asker::Api).sentence),
            Ok(Called::Output(_)) => Some("it ran out of gas, or what it met was gone right after it".to_owned()),
            _ => None,
        }
    }
}

/// Makes sure that a node has one of these transactions, which have one nonce: the first that it takes. It has those that are `known`.
pub(super) async fn send(
    node: &Node,
    transactions: impl Iterator<Item = &TransactionRow>,
    known: &BTreeSet<B256>,
    may_send: bool,
) -> Result<Looked, ChainError> {
    let mut why = None;
    for t in transactions {
        if known.contains(&t.hash.0) {
            return Ok(Looked::Seen(Seen::Waiting { hash: t.hash }));
        }
        let Some(raw) = t.raw.as_ref().filter(|_| may_send) else { continue };
        match node.send_raw(raw).await? {
            Sent::Taken => return Ok(Looked::Seen(Seen::Waiting { hash: t.hash })),
            // The next look finds out by what.
            Sent::NonceUsed => return Ok(Looked::Unclear),
            Sent::Underpriced => {
                why.get_or_insert_with(|| UNDERPRICED.to_owned());
            }
            Sent::Refused(reason) => {
                why.get_or_insert(reason);
            }
        }
    }
    Ok(Looked::Seen(Seen::Unknown { why }))
}
