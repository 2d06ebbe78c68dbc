//! Keeps the line of the operator's signer moving: nonces are used in order, so what stands still holds up all behind it.

use alloy::{
    consensus::TxEip1559,
    primitives::{TxKind, U256},
};
use sqlx::{Connection as _, PgConnection};

use super::{
    DROP_AFTER, OrderError, Signer,
    look::{self, Looked, UNDERPRICED},
    more::{self, GivenUp, Limit, More, Raised, TRANSFER_GAS, Why},
    place::signed,
    track::Seen,
    worker::Step,
};
use crate::{
    access::Source,
    chain::Fees,
    db::{
        DbError,
        service::{
            audit,
            order_signers::{self as signers, Gap},
            order_transactions::{self as transactions, NewTransaction, TransactionRow},
            orders::{self, OrderRow},
        },
    },
    types::{Addr, Amount, Hash32},
};

/// The service itself, in the audit log.
fn service() -> Source {
    Source { actor: "service".to_owned(), ..Source::default() }
}

impl Step<'_> {
    fn is_old(&self, since: i64, blocks: u64) -> bool {
        self.head().saturating_sub(since.unsigned_abs()) >= blocks
    }

    /// Signs an order of the operator's signer again that pays too little, or cancels one that holds up others for too long.
    pub(super) async fn hurry(
        &self,
        connection: &mut PgConnection,
        order: &OrderRow,
        seen: &Seen,
        next: u64,
        is_last: bool,
    ) -> Result<(), OrderError> {
        if self.signer().is_none_or(|s| s.address() != order.sender.0) {
            return Ok(());
        }
        let is_first = order.nonce.unsigned_abs() == next;
        // While blocks ask for more than any transaction may pay, nothing is passed over: it waits, and counts on from then.
        let since = order.first_since.filter(|_| !self.is_too_dear());
        let first_since = is_first.then(|| since.map_or(signed(self.head()), |since| since.min(signed(self.head()))));
        if first_since != order.first_since {
            orders::set_first(connection, &order.id, first_since).await?;
        }
        if self.is_too_dear() {
            return Ok(());
        }
        let options = self.options();
        let is_due = self.is_old(order.sent_since, options.bump_after);
        // What counts against it begins when nothing before it is in its way.
        let waits_for = |blocks| !order.cancelling && first_since.is_some_and(|since| self.is_old(since, blocks));
        // One with a limit of its own may wait for cheaper blocks as long as it holds up nobody.
        let may_wait = is_last && order.fee_cap.is_some();
        let gives_up = !may_wait && waits_for(options.patience);
        let is_passed_over = !is_last && order.fee_cap.is_some() && waits_for(options.cap_patience);
        if !(is_due || gives_up || is_passed_over) {
            return Ok(());
        }
        // Of what took its nonce elsewhere, and lost its block again, no fees are known.
        let signed_for = transactions::list(connection, &order.id).await?;
        let Some(newest) = signed_for.into_iter().rfind(|t| t.raw.is_some()) else { return Ok(()) };
        let Some(fees) = self.fees() else { return Ok(()) };
        let asked = U256::from(fees.asked());
        let (more, why) = if is_passed_over && order.fee_cap.is_some_and(|cap| cap.0 < asked) {
            (More::Cancel, Why::GivenUp(GivenUp::FeeCap))
        } else if gives_up {
            (More::Cancel, Why::GivenUp(GivenUp::NotIncluded))
        } else if is_due && should_raise(seen, &newest, fees) {
            (if order.cancelling { More::Cancel } else { More::SpeedUp }, Why::Cheap)
        } else {
            return Ok(());
        };
        let mut transaction = connection.begin().await.map_err(DbError::from)?;
        match more::add(&mut transaction, self.orders(), &order.id, more, (self.head(), fees), why).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                if self.orders().is_first_time(&format!("{} {more:?}", order.id)) {
                    tracing::warn!(
                        order = order.id,
                        cancel = more == More::Cancel,
                        "what nodes ask for in place of an order's transaction is beyond its limit of fees: it waits"
                    );
                }
                return Ok(());
            }
            // It went on meanwhile.
            Err(OrderError::NotOpen { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        if let Why::GivenUp(why) = why {
            let entry = service().did("order.given_up", &order.id, Some(why.text().to_owned()));
            audit::append(&mut transaction, &entry).await?;
        }
        transaction.commit().await.map_err(DbError::from)?;
        Ok(())
    }

    /// Where the operator's signer has used a nonce elsewhere, in a transaction that was dropped or is never included, all orders
    /// behind it would wait for ever. Then a transfer of nothing takes it, and pays more and more until it is included.
    pub(super) async fn fill_gap(
        &self,
        connection: &mut PgConnection,
        signer: &Signer,
        open: &[OrderRow],
        next: u64,
    ) -> Result<(), OrderError> {
        let (account, chain_id, head) = (Addr(signer.address()), signed(self.chain_id()), self.head());
        let nonces = open.iter().filter(|o| o.sender == account).map(|o| o.nonce.unsigned_abs());
        let lowest = nonces.filter(|nonce| *nonce >= next).min();
        if lowest.is_none_or(|lowest| lowest == next) {
            return Ok(signers::set_gap(connection, chain_id, account, Gap::default()).await?);
        }
        let gap = signers::find_gap(connection, chain_id, account).await?;
        // A chain that went back counts on from where it is.
        let since = gap.since.map_or(signed(head), |since| since.min(signed(head)));
        let gap = Gap { since: Some(since), ..gap };
        signers::set_gap(connection, chain_id, account, gap).await?;
        let mut fillers = transactions::list_fillers(connection, chain_id, account, signed(next)).await?;
        if fillers.is_empty() && self.is_too_dear() {
            return Ok(());
        }
        if fillers.is_empty() {
            // Something else that is in the pool may be included yet.
            let is_in_pool = self.node().pending_nonce(account.0).await? > next;
            if !self.is_old(since, if is_in_pool { self.options().patience } else { DROP_AFTER }) {
                return Ok(());
            }
            self.fill(connection, signer, next, &fillers).await?;
            fillers = transactions::list_fillers(connection, chain_id, account, signed(next)).await?;
        }
        let seen = match self.send_fillers(&fillers).await? {
            Looked::Seen(seen) => seen,
            Looked::Taken | Looked::Unclear => return Ok(()),
        };
        let Some(newest) = fillers.last() else { return Ok(()) };
        // While blocks are too dear it waits as it is, as orders do.
        let is_due =
            !self.is_too_dear() && gap.filled_since.is_some_and(|at| self.is_old(at, self.options().bump_after));
        if is_due && self.fees().is_some_and(|fees| should_raise(&seen, newest, fees)) {
            self.fill(connection, signer, next, &fillers).await?;
            let fillers = transactions::list_fillers(connection, chain_id, account, signed(next)).await?;
            self.send_fillers(&fillers).await?;
        }
        Ok(())
    }

    async fn send_fillers(&self, fillers: &[TransactionRow]) -> Result<Looked, OrderError> {
        let hashes: Vec<_> = fillers.iter().map(|f| f.hash.0).collect();
        let known = self.node().known(&hashes).await?;
        let known = hashes.into_iter().zip(known).filter_map(|(hash, known)| known.then_some(hash)).collect();
        Ok(look::send(self.node(), fillers.iter().rev(), &known, true).await?)
    }

    /// Signs a transfer of nothing and writes it, in the place of those `before`; nothing is sent.
    async fn fill(
        &self,
        connection: &mut PgConnection,
        signer: &Signer,
        nonce: u64,
        before: &[TransactionRow],
    ) -> Result<(), OrderError> {
        let (account, chain_id, head) = (signer.address(), signed(self.chain_id()), signed(self.head()));
        let Some(fees) = self.fees() else { return Ok(()) };
        let Some(Raised { max, priority }) = more::raise(before, fees, Limit::Transfer, self.options()) else {
            if self.orders().is_first_time(&format!("filler {chain_id} {nonce}")) {
                tracing::warn!(%account, nonce, "what nodes ask for to fill a nonce is beyond the limit of fees: orders wait");
            }
            return Ok(());
        };
        let bytes = signer.sign(TxEip1559 {
            chain_id: self.chain_id(),
            nonce,
            gas_limit: TRANSFER_GAS,
            max_fee_per_gas: max,
            max_priority_fee_per_gas: priority,
            to: TxKind::Call(account),
            ..TxEip1559::default()
        })?;
        let filler = NewTransaction {
            hash: Hash32(bytes.hash),
            chain_id,
            order_id: None,
            sender: Addr(account),
            nonce: signed(nonce),
            purpose: "filler",
            raw: Some(&bytes.raw),
            max_fee: Amount(U256::from(max)),
            priority_fee: Amount(U256::from(priority)),
        };
        let mut transaction = connection.begin().await.map_err(DbError::from)?;
        transactions::insert(&mut transaction, filler).await?;
        let gap = signers::find_gap(&mut transaction, chain_id, Addr(account)).await?;
        let gap = Gap { filled_since: Some(head), ..gap };
        signers::set_gap(&mut transaction, chain_id, Addr(account), gap).await?;
        if before.is_empty() {
            let detail = format!("nonce {nonce} on chain {}", self.chain_id());
            let entry = service().did("order.gap_filled", &account.to_string(), Some(detail));
            audit::append(&mut transaction, &entry).await?;
        }
        transaction.commit().await.map_err(DbError::from)?;
        tracing::warn!(%account, nonce, max_fee = max, "no open order uses a nonce that all of them wait for: filling it");
        Ok(())
    }
}

/// Whether paying more may help: a node has it or has something dearer in its place, and blocks ask for more than it pays. Where it is
/// refused for anything else, as for want of money, it does not.
fn should_raise(seen: &Seen, newest: &TransactionRow, fees: Fees) -> bool {
    match seen {
        Seen::Waiting { .. } => !more::pays(newest, fees),
        Seen::Unknown { why: Some(why) } => why == UNDERPRICED,
        _ => false,
    }
}
