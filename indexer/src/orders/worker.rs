//! Sends what was stored, and follows it: one process a chain, by an advisory lock of the connection that it writes through.
//!
//! What it sends is harmless twice, and so are two that send. What it writes goes through the connection that holds the lock, so
//! whoever loses the one has lost the other.

use std::{collections::HashSet, sync::Arc, time::Duration};

use alloy::primitives::{B256, U256};
use metrics::{counter, gauge};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    DROP_AFTER, OrderError, OrderOptions, Orders, Signer, WAITS_FOR_FEES,
    look::{Looked, View},
    place::signed,
    spent::Searches,
    track::{self, At, Seen, Terms},
};
use crate::{
    chain::{Chain, Fees, Heads, Node, Nodes},
    db::{
        self, DbError,
        service::{
            self, order_signers as signers,
            order_transactions::{self as transactions, EventRow, TransactionRow},
            orders::{self, OrderRow, Standing},
        },
    },
    telemetry::metric,
    types::{Addr, Amount},
};

/// Time between two looks at a chain, where nothing new was ordered.
const POLL: Duration = Duration::from_millis(500);
/// Time until whoever stands by, or has met an error, tries again.
const RETRY: Duration = Duration::from_secs(2);
/// Time between two looks while no order is open.
const IDLE: Duration = Duration::from_secs(5);
/// Expired orders that are looked at with each block.
const EXPIRED_AT_ONCE: i64 = 100;

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
    let index = db::follower(&pool);
    let follows = gauge!(metric::ORDER_FOLLOWER, "chain_id" => chain.chain_id().to_string());
    loop {
        follows.set(0.0);
        let ended = match service::follower(&pool).await {
            Ok(mut connection) => lead(&orders, &chain, &index, &mut connection).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, chain_id = chain.chain_id(), "orders cannot be followed: trying again");
        }
        follows.set(0.0);
        tokio::time::sleep(RETRY).await;
    }
}

/// Does what is to be done, step by step, as long as the lock is held. Stands by where another has it.
async fn lead(orders: &Orders, chain: &Chain, index: &PgPool, connection: &mut PgConnection) -> Result<(), OrderError> {
    let chain_id = signed(chain.chain_id());
    if !signers::elect(connection, chain_id).await? {
        return Ok(());
    }
    gauge!(metric::ORDER_FOLLOWER, "chain_id" => chain_id.to_string()).set(1.0);
    if let Some(signer) = orders.signer() {
        signers::add(connection, chain_id, Addr(signer.address())).await?;
    }
    let (mut last, mut searches) = (Last::default(), Searches::default());
    loop {
        let fresh = orders.0.fresh.notified();
        let node = chain.node();
        match step((orders, index), &node, chain.chain_id(), (&mut last, &mut searches), connection).await {
            Ok(()) => {}
            Err(OrderError::Chain(error)) => {
                tracing::warn!(%error, "orders wait for the node");
                last = Last { asked: last.asked, ..Last::default() };
                chain.rotate().await;
            }
            Err(error) => return Err(error),
        }
        drop(tokio::time::timeout(POLL, fresh).await);
    }
}

/// The last look at a chain.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    head: Option<B256>,
    at: Option<Instant>,
    /// What its next block asks for, where there is something to pay and the node says it.
    fees: Option<Fees>,
    /// The same of the last head at which a node said it.
    asked: Option<u128>,
}

/// One look at the orders of a chain, by one node.
async fn step(
    (orders, index): (&Orders, &PgPool),
    node: &Node,
    chain_id: u64,
    (last, searches): (&mut Last, &mut Searches),
    connection: &mut PgConnection,
) -> Result<(), OrderError> {
    // Also so that a connection which broke is noticed.
    let mut due = orders::list_open(connection, signed(chain_id)).await?;
    if due.is_empty() && last.at.is_some_and(|at| at.elapsed() < IDLE) {
        return Ok(());
    }
    let heads = node.heads(None).await?;
    let is_new = last.head != Some(heads.latest.hash);
    let mut step = Step { orders, index, node, chain_id, heads, is_new, fees: last.fees, asked: last.asked };
    if is_new && step.signer().is_some() {
        step.fees = match node.fees().await {
            Ok(fees) => Some(fees),
            // Nothing is signed at this head; all that needs no fees goes on.
            Err(error) => {
                if orders.is_first_time(&format!("fees {chain_id}")) {
                    tracing::warn!(%error, chain_id, "a node does not say what blocks ask for: while none does, orders are followed and not signed again");
                }
                None
            }
        };
        let most = orders.options().max_fee_of_order();
        if let Some(fees) = step.fees.filter(|fees| fees.priority > most)
            && orders.is_first_time(&format!("tip {chain_id}"))
        {
            tracing::warn!(
                chain_id,
                tip = fees.priority,
                most,
                "the tip alone that a node suggests is more than --order-max-fee lets an order pay: none is taken until one suggests less"
            );
        }
        step.asked = step.fees.map(|fees| fees.asked()).or(last.asked);
    }
    step.run(connection, &mut due, searches).await?;
    *last = Last { head: Some(step.heads.latest.hash), at: Some(Instant::now()), fees: step.fees, asked: step.asked };
    Ok(())
}

/// One look at the orders of a chain, by one node, at one head.
pub(super) struct Step<'a> {
    orders: &'a Orders,
    /// Connections to what is indexed.
    index: &'a PgPool,
    node: &'a Node,
    chain_id: u64,
    heads: Heads,
    /// Whether it is another head than that of the last look.
    is_new: bool,
    /// What the next block asks for, where the operator's signer may have to pay it and the node says it.
    fees: Option<Fees>,
    /// Wei of a unit of gas that a next block asked for when a node said it last.
    asked: Option<u128>,
}

impl<'a> Step<'a> {
    pub(super) fn orders(&self) -> &'a Orders {
        self.orders
    }

    pub(super) fn options(&self) -> &'a OrderOptions {
        self.orders.options()
    }

    /// The operator's signer, where it signs on this chain.
    pub(super) fn signer(&self) -> Option<&'a Signer> {
        self.orders.signer().filter(|s| s.on(self.chain_id).is_ok())
    }

    pub(super) fn index(&self) -> &'a PgPool {
        self.index
    }

    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    pub(super) fn chain_id(&self) -> u64 {
        self.chain_id
    }

    pub(super) fn fees(&self) -> Option<Fees> {
        self.fees
    }

    pub(super) fn head(&self) -> u64 {
        self.heads.latest.number()
    }

    /// Whether blocks ask for more than an order of the operator's may pay.
    pub(super) fn is_too_dear(&self) -> bool {
        self.asked.is_some_and(|asked| asked > self.options().max_fee_of_order())
    }

    /// Whether one of these transactions pays what the next block asks for: one that cancels may pay more than an order, and so may one that
    /// was signed under a higher limit.
    fn may_be_next(&self, transactions: &[TransactionRow]) -> bool {
        self.asked.is_none_or(|asked| transactions.iter().any(|t| t.max_fee.0 >= U256::from(asked)))
    }

    pub(super) fn head_hash(&self) -> B256 {
        self.heads.latest.hash
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        open: &mut Vec<OrderRow>,
        searches: &mut Searches,
    ) -> Result<(), OrderError> {
        let of_operator: Vec<OrderRow> = open.iter().filter(|o| o.by_operator).cloned().collect();
        open.retain(|order| self.is_due(order));
        if self.is_new {
            open.extend(orders::list_expired(connection, signed(self.chain_id), EXPIRED_AT_ONCE).await?);
        }
        // The operator's first: those that came signed are their senders' to send too.
        open.sort_by_key(|order| !order.by_operator);
        let ids: Vec<String> = open.iter().map(|o| o.id.clone()).collect();
        let signed_for = transactions::list_of(connection, &ids).await?;
        let account = self.signer().map(Signer::address);
        let view = View::of(self.node, open, &signed_for, account).await?;
        let parted = open.partition_point(|order| order.by_operator);
        let mut taken = Vec::new();
        for orders in [&open[..parted], &open[parted..]] {
            for (order, looked) in view.look_at_all(orders).await? {
                match looked {
                    Looked::Seen(seen) => {
                        let is_last = of_operator.iter().all(|o| o.sender != order.sender || o.nonce <= order.nonce);
                        self.follow(connection, order, seen, &view, is_last).await?;
                    }
                    Looked::Taken => taken.push(order.clone()),
                    Looked::Unclear => {}
                }
            }
        }
        if self.is_new {
            let unused: Vec<String> = open.iter().filter(|o| !view.uses(o)).map(|o| o.id.clone()).collect();
            orders::set_looked(connection, &ids, &unused, signed(self.head())).await?;
            self.note_signer(connection, &of_operator, &view).await?;
        }
        // Last, as it may take long: nobody waits for it.
        let traced = self.trace(connection, &taken, &view, searches).await?;
        // What took their nonces is known now, and is in a block.
        let ids_of_traced: Vec<String> = traced.iter().map(|o| o.id.clone()).collect();
        let signed_for = transactions::list_of(connection, &ids_of_traced).await?;
        let view_of_traced = View::of(self.node, &traced, &signed_for, None).await?;
        for (order, looked) in view_of_traced.look_at_all(&traced).await? {
            if let Looked::Seen(seen) = looked {
                self.follow(connection, order, seen, &view_of_traced, true).await?;
            }
        }
        Ok(())
    }

    /// Keeps the line of the operator's signer whole, and notes what a node says of its account.
    async fn note_signer(
        &self,
        connection: &mut PgConnection,
        of_operator: &[OrderRow],
        view: &View<'_>,
    ) -> Result<(), OrderError> {
        let Some(signer) = self.signer() else { return Ok(()) };
        let next = view.nonce(signer.address());
        if !of_operator.is_empty() {
            self.fill_gap(connection, signer, of_operator, next).await?;
        }
        let balance = Amount(self.node.ether_of(signer.address()).await?);
        let (account, next) = (Addr(signer.address()), signed(next));
        let asked = self.asked.map(|asked| Amount(U256::from(asked)));
        Ok(signers::set_seen(connection, (signed(self.chain_id), account), (balance, next, asked)).await?)
    }

    /// Whether something about an order may have changed since the last look. In a block, it may with the next one; one that came
    /// signed and was sent is looked at with each block too, as there may be many.
    fn is_due(&self, order: &OrderRow) -> bool {
        let is_fresh = order.state == "accepted" && order.unseen_since.is_none();
        self.is_new || order.block_hash.is_none() && (order.by_operator || is_fresh)
    }

    /// Writes what came of a look at an order, and does what follows from it.
    pub(super) async fn follow(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        seen: Seen,
        view: &View<'_>,
        is_last: bool,
    ) -> Result<(), OrderError> {
        let at = At { head: signed(self.head()), finalized: self.finalized() };
        let expire = (!order.by_operator).then(|| signed(self.options().expiry));
        let waits = order.by_operator && self.is_too_dear() && !self.may_be_next(view.transactions_of(order));
        // No node takes what pays too little for any block: that is no reason to call it dropped.
        let drop = if waits { i64::MAX } else { signed(DROP_AFTER) };
        let (mut standing, events) = track::next(&order.standing(), seen.clone(), at, Terms { drop, expire });
        if standing.block_hash.is_none() && !matches!(seen, Seen::BlockGone) {
            if waits {
                standing.detail = Some(WAITS_FOR_FEES.to_owned());
            } else if standing.detail.as_deref() == Some(WAITS_FOR_FEES) {
                standing.detail = None;
            }
        }
        if standing != order.standing() || !events.is_empty() {
            self.write(connection, order, &standing, &events).await?;
        }
        if order.by_operator && standing.block_hash.is_none() && !matches!(seen, Seen::BlockGone) {
            self.hurry(connection, order, &seen, view.nonce(order.sender.0), is_last).await?;
        }
        Ok(())
    }

    /// Writes how an order stands now, and what happened to it.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        standing: &Standing,
        events: &[EventRow],
    ) -> Result<(), OrderError> {
        let mut transaction = connection.begin().await.map_err(DbError::from)?;
        // Somebody may have it cancelled meanwhile: what they wrote is kept, this is of other columns.
        orders::find_for_change(&mut transaction, &order.id).await?;
        orders::set_standing(&mut transaction, &order.id, standing).await?;
        for event in events {
            tracing::info!(order = order.id, state = event.state, "an order went on");
            transactions::add_event(&mut transaction, &order.id, event).await?;
        }
        transaction.commit().await.map_err(DbError::from)?;
        if standing.settled {
            let (chain_id, outcome) = (self.chain_id.to_string(), standing.state.clone());
            counter!(metric::ORDERS_SETTLED, "chain_id" => chain_id, "outcome" => outcome).increment(1);
        }
        Ok(())
    }

    /// Height up to which nothing changes; none where the node knows none.
    pub(super) fn finalized(&self) -> i64 {
        self.heads.finalized.as_ref().map_or(-1, |f| signed(f.number().min(self.head())))
    }
}
