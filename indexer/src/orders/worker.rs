//! Sends what was stored, and follows it: one process a chain, by an advisory lock of the connection that it writes through.
//!
//! What it sends is harmless twice, and so are two that send. What it writes goes through the connection that holds the lock, so
//! whoever loses the one has lost the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use alloy::{
    consensus::TxEip1559,
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{Address, B256, TxKind, U256},
    rpc::types::TransactionRequest,
};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    DROP_AFTER, OrderError, Orders,
    more::{self, More, TRANSFER_GAS},
    place::signed,
    track::{self, At, Purpose, Seen},
};
use crate::{
    access::Source,
    chain::{Called, Chain, ChainError, Heads, Node, Nodes, Sent},
    db::{
        DbError,
        service::{
            self, audit,
            orders::{self, NewTransaction, OrderRow, TransactionRow},
        },
    },
    explain::{Assets, explain},
    types::{Addr, Amount, Hash32},
};

/// Time between two looks at a chain, where nothing new was ordered.
const POLL: Duration = Duration::from_millis(500);
/// Time until whoever stands by, or has met an error, tries again.
const RETRY: Duration = Duration::from_secs(2);
/// What is said of an order that no node takes for what it pays.
const UNDERPRICED: &str = "it pays less than a block asks for, or than another transaction with its nonce";
/// Blocks below the one in which an order was accepted that are looked at too: a reorg may have brought its nonce there.
const BELOW: u64 = 64;

/// Follows the orders of every chain until `shutdown`.
pub async fn run(orders: Orders, nodes: Nodes, pool: PgPool, shutdown: CancellationToken) {
    let mut followed = HashSet::new();
    let mut tasks = JoinSet::new();
    let looking = async {
        loop {
            // A node that was down at first is found when it answers.
            for chain in nodes.chains().await {
                if followed.insert(chain.chain_id()) {
                    tasks.spawn(follow(orders.clone(), chain, pool.clone()));
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = looking => {}
    }
    // Whatever is under way may be cut anywhere, as by a crash.
}

async fn follow(orders: Orders, chain: Arc<Chain>, pool: PgPool) {
    loop {
        let ended = match service::follower(&pool).await {
            Ok(mut connection) => lead(&orders, &chain, &mut connection).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, chain_id = chain.chain_id(), "orders cannot be followed: trying again");
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Does what is to be done, step by step, as long as the lock is held. Stands by where another has it.
async fn lead(orders: &Orders, chain: &Chain, connection: &mut PgConnection) -> Result<(), OrderError> {
    if !orders::elect(connection, signed(chain.chain_id())).await? {
        return Ok(());
    }
    let mut seen = None;
    loop {
        let fresh = orders.0.fresh.notified();
        let node = chain.node();
        match Step::new(orders, &node, chain.chain_id(), &mut seen).run(connection).await {
            Ok(()) => {}
            Err(OrderError::Chain(error)) => {
                tracing::warn!(%error, "orders wait for the node");
                seen = None;
                chain.rotate().await;
            }
            Err(error) => return Err(error),
        }
        drop(tokio::time::timeout(POLL, fresh).await);
    }
}

/// One look at all open orders of a chain, by one node.
struct Step<'a> {
    orders: &'a Orders,
    node: &'a Node,
    chain_id: u64,
    /// The head of the last look.
    seen: &'a mut Option<B256>,
    /// The nonces after those that are in blocks, by account.
    nonces: HashMap<Address, u64>,
}

impl<'a> Step<'a> {
    fn new(orders: &'a Orders, node: &'a Node, chain_id: u64, seen: &'a mut Option<B256>) -> Self {
        Self { orders, node, chain_id, seen, nonces: HashMap::new() }
    }

    async fn run(mut self, connection: &mut PgConnection) -> Result<(), OrderError> {
        let open = orders::list_open(connection, signed(self.chain_id)).await?;
        if open.is_empty() {
            // A connection that is never asked anything would not notice that it broke.
            return Ok(());
        }
        let heads = self.node.heads(None).await?;
        let is_new = self.seen.replace(heads.latest.hash) != Some(heads.latest.hash);
        for order in &open {
            // In a block, and no block since: nothing can have changed.
            if order.block_hash.is_some() && !is_new {
                continue;
            }
            self.follow(connection, order, &heads).await?;
        }
        if is_new {
            self.fill_gap(connection, &open, &heads).await?;
        }
        Ok(())
    }

    async fn follow(
        &mut self,
        connection: &mut PgConnection,
        order: &OrderRow,
        heads: &Heads,
    ) -> Result<(), OrderError> {
        let transactions = orders::list_transactions(connection, &order.id).await?;
        let Some(seen) = self.look(connection, order, &transactions, heads).await? else { return Ok(()) };
        let at = At { head: signed(heads.latest.number()), finalized: self.finalized(heads) };
        let waits = matches!(seen, Seen::Waiting { .. });
        let is_underpriced = matches!(&seen, Seen::Unknown { why: Some(why) } if why == UNDERPRICED);
        let (standing, events) = track::next(&order.standing(), seen, at, signed(DROP_AFTER));
        if standing != order.standing() || !events.is_empty() {
            let mut transaction = connection.begin().await.map_err(DbError::from)?;
            // Somebody may have it cancelled meanwhile: what they wrote is kept, this is of other columns.
            orders::find_for_change(&mut transaction, &order.id).await?;
            orders::set_standing(&mut transaction, &order.id, &standing).await?;
            for event in &events {
                tracing::info!(order = order.id, state = event.state, "an order went on");
                orders::add_event(&mut transaction, &order.id, event).await?;
            }
            transaction.commit().await.map_err(DbError::from)?;
        }
        if order.by_operator && standing.block_hash.is_none() {
            self.hurry(connection, order, &transactions, heads, (waits, is_underpriced)).await?;
        }
        Ok(())
    }

    /// Height up to which nothing changes; none where the node knows none.
    fn finalized(&self, heads: &Heads) -> i64 {
        heads.finalized.as_ref().map_or(-1, |f| signed(f.number().min(heads.latest.number())))
    }

    /// What the node shows of an order; sends what it should have and has not. `None` where it cannot tell.
    async fn look(
        &mut self,
        connection: &mut PgConnection,
        order: &OrderRow,
        transactions: &[TransactionRow],
        heads: &Heads,
    ) -> Result<Option<Seen>, OrderError> {
        let nonce = order.nonce.unsigned_abs();
        let used = self.nonce(order.sender.0).await? > nonce;
        if used || order.block_hash.is_some() {
            for t in transactions {
                if let Some(receipt) = self.node.find_receipt(t.hash.0).await? {
                    let is_news = order.block_hash != Some(Hash32(receipt.block_hash));
                    let failed = !receipt.succeeded() && t.purpose != "cancel" && is_news;
                    let why = if failed { self.why(order, receipt.block_number()).await } else { None };
                    return Ok(Some(Seen::Mined {
                        hash: t.hash,
                        purpose: Purpose::read(&t.purpose),
                        block: signed(receipt.block_number()),
                        block_hash: Hash32(receipt.block_hash),
                        succeeded: receipt.succeeded(),
                        why,
                    }));
                }
            }
        }
        if let (Some(number), Some(hash)) = (order.block_number, order.block_hash) {
            // One node behind a balancer may lag: that it lacks the block means nothing, that it has another one does.
            let now = self.node.find_header(number.unsigned_abs()).await?;
            return Ok(now.filter(|now| now.hash != hash.0).map(|_| Seen::BlockGone));
        }
        if used {
            self.find_foreign(connection, order, transactions, heads).await?;
            return Ok(None);
        }
        self.send(order, transactions).await
    }

    /// Why the sale refused an order, by the same call on the block in which it did.
    async fn why(&self, order: &OrderRow, block: u64) -> Option<String> {
        let request = TransactionRequest::default()
            .with_from(order.sender.0)
            .with_to(order.sale.0)
            .with_value(order.value.0)
            .with_input(order.data.clone());
        match self.node.call(request, BlockId::number(block)).await {
            Ok(Called::Reverted(data)) => Some(explain(&data, &Assets::default()).sentence),
            Ok(Called::Output(_)) => Some("it ran out of gas, or what it met was gone right after it".to_owned()),
            _ => None,
        }
    }

    /// Makes sure that the node has one of the order's transactions, the newest that it takes.
    async fn send(&self, order: &OrderRow, transactions: &[TransactionRow]) -> Result<Option<Seen>, OrderError> {
        // One that is dropped and came signed is its sender's to send again, or another in its place.
        let may_send = order.by_operator || order.state != "dropped";
        let mut why = None;
        for t in transactions.iter().rev().filter(|t| !order.cancelling || t.purpose == "cancel") {
            if self.node.knows(t.hash.0).await? {
                return Ok(Some(Seen::Waiting { hash: t.hash }));
            }
            let Some(raw) = t.raw.as_ref().filter(|_| may_send) else { continue };
            match self.node.send_raw(raw).await? {
                Sent::Taken => return Ok(Some(Seen::Waiting { hash: t.hash })),
                // The next look finds out by what.
                Sent::NonceUsed => return Ok(None),
                Sent::Underpriced => {
                    why.get_or_insert_with(|| UNDERPRICED.to_owned());
                }
                Sent::Refused(reason) => {
                    why.get_or_insert(reason);
                }
            }
        }
        Ok(Some(Seen::Unknown { why }))
    }

    /// The nonce is used, and by none of the order's own transactions: finds the one, and writes it beside them.
    async fn find_foreign(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        transactions: &[TransactionRow],
        heads: &Heads,
    ) -> Result<(), OrderError> {
        let (sender, nonce) = (order.sender.0, order.nonce.unsigned_abs());
        let first = order.since.unsigned_abs().saturating_sub(BELOW);
        let found = match self.node.find_by_nonce(sender, nonce, first, heads.latest.number()).await {
            Ok(found) => found,
            Err(error) if error.is_answer() => {
                tracing::warn!(%error, order = order.id, "which transaction took an order's nonce is not known yet");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Some(found) = found.filter(|f| transactions.iter().all(|t| t.hash.0 != f.hash)) else { return Ok(()) };
        let (chain_id, hash) = (order.chain_id, Hash32(found.hash));
        // Two orders with one nonce: one transaction is one order's alone, whatever the other asks for.
        let of_another = orders::find_by_hash(connection, chain_id, hash).await?.is_some();
        let is_same =
            found.to == Some(order.sale.0) && found.value == order.value.0 && found.input[..] == order.data[..];
        let to = if of_another {
            "foreign"
        } else if is_same {
            "speed_up"
        } else {
            "foreign"
        };
        let transaction = NewTransaction {
            hash: Hash32(found.hash),
            chain_id: order.chain_id,
            order_id: Some(&order.id),
            sender: order.sender,
            nonce: order.nonce,
            purpose: to,
            raw: None,
            max_fee: Amount::ZERO,
            priority_fee: Amount::ZERO,
        };
        orders::insert_transaction(connection, transaction).await?;
        Ok(())
    }

    /// Signs an order again that pays too little, or cancels one that holds up others for too long.
    async fn hurry(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        transactions: &[TransactionRow],
        heads: &Heads,
        (waits, is_underpriced): (bool, bool),
    ) -> Result<(), OrderError> {
        let Some(signer) = self.orders.signer().filter(|s| s.address() == order.sender.0) else { return Ok(()) };
        if signer.on(self.chain_id).is_err() {
            return Ok(());
        }
        let (head, options) = (heads.latest.number(), self.orders.options());
        let is_old = |since: i64, blocks: u64| head.saturating_sub(since.unsigned_abs()) >= blocks;
        let (more, why) = if !order.cancelling && is_old(order.since, options.patience) {
            (More::Cancel, "it was in no block for too long, and others wait behind it")
        } else if is_old(order.sent_since, options.bump_after) {
            (if order.cancelling { More::Cancel } else { More::SpeedUp }, "it pays less than blocks ask for")
        } else {
            return Ok(());
        };
        let fees = self.node.fees().await?;
        let Some(newest) = transactions.last() else { return Ok(()) };
        let pays = newest.max_fee.0 >= U256::from(fees.max) && newest.priority_fee.0 >= U256::from(fees.priority);
        let gives_up = more == More::Cancel && !order.cancelling;
        // Where it is refused for anything else, as for want of money, paying more does not help.
        if !gives_up && !is_underpriced && (pays || !waits) {
            return Ok(());
        }
        let mut transaction = connection.begin().await.map_err(DbError::from)?;
        match more::add(&mut transaction, self.orders, &order.id, more, (head, fees), Some(why)).await {
            Ok(Some(_)) => {}
            // Its limit does not allow more, or it went on meanwhile.
            Ok(None) | Err(OrderError::NotOpen { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        if gives_up {
            let source = Source { actor: "service".to_owned(), ..Source::default() };
            let entry = source.did("order.given_up", &order.id, Some(why.to_owned()));
            audit::append(&mut transaction, &entry).await?;
        }
        transaction.commit().await.map_err(DbError::from)?;
        Ok(())
    }

    /// Where the operator's signer has used a nonce elsewhere, in a transaction that was dropped, all orders behind it would wait
    /// for ever. Then a transfer of nothing takes it.
    async fn fill_gap(
        &mut self,
        connection: &mut PgConnection,
        open: &[OrderRow],
        heads: &Heads,
    ) -> Result<(), OrderError> {
        let Some(signer) = self.orders.signer().filter(|s| s.on(self.chain_id).is_ok()).cloned() else { return Ok(()) };
        let (account, chain_id) = (signer.address(), signed(self.chain_id));
        if !open.iter().any(|o| o.by_operator && o.sender.0 == account) {
            return Ok(());
        }
        let next = self.nonce(account).await?;
        let mut nonces = open.iter().filter(|o| o.sender.0 == account).map(|o| o.nonce.unsigned_abs());
        let lowest = nonces.by_ref().filter(|n| *n >= next).min();
        let is_gap = lowest.is_some_and(|lowest| lowest > next) && self.node.pending_nonce(account).await? <= next;
        let since = orders::find_gap(connection, chain_id, Addr(account)).await?;
        let head = heads.latest.number();
        if !is_gap {
            return Ok(orders::set_gap(connection, chain_id, Addr(account), None).await?);
        }
        let since = since.map_or(signed(head), |since| since.min(signed(head)));
        orders::set_gap(connection, chain_id, Addr(account), Some(since)).await?;
        if head.saturating_sub(since.unsigned_abs()) < DROP_AFTER {
            return Ok(());
        }
        let mut fillers = orders::list_fillers(connection, chain_id, Addr(account), signed(next)).await?;
        if fillers.is_empty() {
            let fees = self.node.fees().await?;
            let bytes = signer.sign(TxEip1559 {
                chain_id: self.chain_id,
                nonce: next,
                gas_limit: TRANSFER_GAS,
                max_fee_per_gas: fees.max,
                max_priority_fee_per_gas: fees.priority,
                to: TxKind::Call(account),
                ..TxEip1559::default()
            })?;
            let filler = NewTransaction {
                hash: Hash32(bytes.hash),
                chain_id,
                order_id: None,
                sender: Addr(account),
                nonce: signed(next),
                purpose: "filler",
                raw: Some(&bytes.raw),
                max_fee: Amount(U256::from(fees.max)),
                priority_fee: Amount(U256::from(fees.priority)),
            };
            let mut transaction = connection.begin().await.map_err(DbError::from)?;
            orders::insert_transaction(&mut transaction, filler).await?;
            let source = Source { actor: "service".to_owned(), ..Source::default() };
            let detail = format!("nonce {next} on chain {}", self.chain_id);
            audit::append(&mut transaction, &source.did("order.gap_filled", &account.to_string(), Some(detail)))
                .await?;
            transaction.commit().await.map_err(DbError::from)?;
            tracing::warn!(%account, nonce = next, "a nonce below the open orders was used by nobody: filling it");
            fillers.push(bytes.raw);
        }
        if let Some(raw) = fillers.first() {
            self.node.send_raw(raw).await?;
        }
        Ok(())
    }

    async fn nonce(&mut self, account: Address) -> Result<u64, ChainError> {
        if let Some(nonce) = self.nonces.get(&account) {
            return Ok(*nonce);
        }
        let nonce = self.node.nonce(account, BlockId::latest()).await?;
        self.nonces.insert(account, nonce);
        Ok(nonce)
    }
}
