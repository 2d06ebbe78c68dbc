//! Orders with all that belongs to them: a page as one, in a fixed number of statements.
//!
//! First what the service's own tables say, then what the index does. So no reader is held while a connection of the few that write is
//! waited for, and the index is as new as the orders at least: a contribution that was indexed when its order was read is there. It can
//! be newer, and have another block where an order still names its own; such a block is never called final.

use std::collections::HashMap;

use sqlx::{Connection as _, PgConnection};

use super::shape::{Indexed, OrderOut};
use crate::{
    api::{auth::Service, meta::Snapshot, problem::Problem},
    db::{
        DbError,
        read::{
            chains,
            contributions::{self, Mined},
            sales,
        },
        service::{
            order_transactions::{self as transactions, EventRow, TransactionRow},
            orders::OrderRow,
        },
    },
};

/// Orders, with their transactions and what happened to them.
pub(super) struct Page {
    rows: Vec<OrderRow>,
    transactions: HashMap<String, Vec<TransactionRow>>,
    events: HashMap<String, Vec<EventRow>>,
}

impl Page {
    /// Those that `find` finds, all of one moment.
    pub(super) async fn find<T>(
        connection: &mut PgConnection,
        find: impl AsyncFnOnce(&mut PgConnection) -> Result<(Vec<OrderRow>, T), DbError>,
    ) -> Result<(Self, T), DbError> {
        let mut moment = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        let (rows, found) = find(&mut moment).await?;
        let page = Self::of(&mut moment, rows).await?;
        moment.commit().await?;
        Ok((page, found))
    }

    /// These.
    pub(super) async fn of(connection: &mut PgConnection, rows: Vec<OrderRow>) -> Result<Self, DbError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let transactions = transactions::list_of(connection, &ids).await?;
        let events = transactions::list_events_of(connection, &ids).await?;
        Ok(Self { rows, transactions, events })
    }

    /// Whether any of them has a customer's reference, which is sealed.
    pub(super) fn has_references(&self) -> bool {
        self.rows.iter().any(|row| row.customer_reference_sealed.is_some())
    }

    /// With what the index has of them.
    pub(super) async fn complete(
        mut self,
        service: &Service,
        snapshot: &mut Snapshot,
    ) -> Result<Vec<OrderOut>, Problem> {
        let keys = unique(self.rows.iter().map(|row| (row.chain_id, row.sale)));
        let sales = sales::list_by_key(snapshot.connection(), &keys).await?;
        let sales: HashMap<_, _> = sales.into_iter().map(|sale| ((sale.chain_id, sale.address), sale)).collect();
        let included = unique(self.rows.iter().filter_map(mined));
        let contributions = contributions::list_of_transactions(snapshot.connection(), &included).await?;
        let blocks = unique(self.rows.iter().filter_map(|row| Some((row.chain_id, row.block_number?))));
        let hashes = chains::list_hashes(snapshot.connection(), &blocks).await?;
        let answer = |row: OrderRow| {
            let made = mined(&row).and_then(|mined| contributions.get(&mined));
            let indexed = Indexed {
                sale: sales.get(&(row.chain_id, row.sale)),
                checkpoint: snapshot.checkpoint(row.chain_id),
                contributions: made.map_or(&[], Vec::as_slice),
                block_hash: row.block_number.and_then(|number| hashes.get(&(row.chain_id, number))).copied(),
            };
            let signed = self.transactions.remove(&row.id).unwrap_or_default();
            let history = self.events.remove(&row.id).unwrap_or_default();
            OrderOut::new(service, row, &signed, history, &indexed)
        };
        self.rows.into_iter().map(answer).collect()
    }

    /// The one order that this is a page of.
    pub(super) async fn complete_one(self, service: &Service, snapshot: &mut Snapshot) -> Result<OrderOut, Problem> {
        self.complete(service, snapshot).await?.pop().ok_or_else(Problem::internal)
    }
}

/// The transaction of an order that is in a block. What took an order's nonce may have contributed too: for itself, or for another order.
fn mined(row: &OrderRow) -> Option<Mined> {
    let hash = row.mined_hash.filter(|_| row.state != "replaced")?;
    Some((row.chain_id, row.block_number?, hash))
}

/// Each once.
fn unique<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
