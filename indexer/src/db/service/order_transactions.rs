//! `order_transaction` and `order_event`: what was signed for orders, and what happened to them.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// A transaction of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRow {
    /// What identifies it.
    pub hash: Hash32,
    /// `original`, `speed_up`, `cancel`, `filler`, or `foreign`: somebody else's.
    pub purpose: String,
    /// Signed; none of somebody else's.
    pub raw: Option<Vec<u8>>,
    /// Wei of a unit of gas, at most.
    pub max_fee: Amount,
    /// Of it, to who includes it, at most.
    pub priority_fee: Amount,
    /// When it was signed.
    pub created_at: i64,
}

/// A transaction on its way in.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the columns of order_transaction")]
pub struct NewTransaction<'a> {
    pub hash: Hash32,
    pub chain_id: i64,
    pub order_id: Option<&'a str>,
    pub sender: Addr,
    pub nonce: i64,
    pub purpose: &'a str,
    pub raw: Option<&'a [u8]>,
    pub max_fee: Amount,
    pub priority_fee: Amount,
}

/// Something that happened to an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventRow {
    /// When.
    pub at: i64,
    /// The state it came into, or `cancelling` and the like.
    pub state: String,
    /// By which transaction.
    pub transaction_hash: Option<Hash32>,
    /// In which block.
    pub block_number: Option<i64>,
    /// Its hash.
    pub block_hash: Option<Hash32>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// Adds a transaction; false where it is there already.
pub async fn insert(connection: &mut PgConnection, t: NewTransaction<'_>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO crowdsale_service.order_transaction
             (hash, chain_id, order_id, sender, nonce, purpose, raw, max_fee, priority_fee)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        t.hash as _,
        t.chain_id,
        t.order_id,
        t.sender as _,
        t.nonce,
        t.purpose,
        t.raw,
        t.max_fee as _,
        t.priority_fee as _
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Transactions of an order, in the order in which they were signed.
pub async fn list(connection: &mut PgConnection, id: &str) -> Result<Vec<TransactionRow>, DbError> {
    Ok(list_of(connection, &[id.to_owned()]).await?.remove(id).unwrap_or_default())
}

/// The same of several orders, by order.
pub async fn list_of(
    connection: &mut PgConnection,
    ids: &[String],
) -> Result<HashMap<String, Vec<TransactionRow>>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT order_id AS "order_id!", hash AS "hash: Hash32", purpose, raw, max_fee AS "max_fee: Amount",
                  priority_fee AS "priority_fee: Amount", extract(epoch FROM created_at)::bigint AS "created_at!"
           FROM crowdsale_service.order_transaction WHERE order_id = ANY($1) ORDER BY position"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows {
        let (hash, purpose, raw, created_at) = (r.hash, r.purpose, r.raw, r.created_at);
        let row = TransactionRow { hash, purpose, raw, max_fee: r.max_fee, priority_fee: r.priority_fee, created_at };
        found.entry(r.order_id).or_default().push(row);
    }
    Ok(found)
}

/// Transactions that only fill a nonce, in the order in which they were signed.
pub async fn list_fillers(
    connection: &mut PgConnection,
    chain_id: i64,
    sender: Addr,
    nonce: i64,
) -> Result<Vec<TransactionRow>, DbError> {
    Ok(sqlx::query_as!(
        TransactionRow,
        r#"SELECT hash AS "hash: Hash32", purpose, raw, max_fee AS "max_fee: Amount", priority_fee AS "priority_fee: Amount",
                  extract(epoch FROM created_at)::bigint AS "created_at!"
           FROM crowdsale_service.order_transaction
           WHERE chain_id = $1 AND sender = $2 AND nonce = $3 AND purpose = 'filler' ORDER BY position"#,
        chain_id,
        sender as _,
        nonce
    )
    .fetch_all(connection)
    .await?)
}

/// The order that a transaction is of, and whose that is, where the transaction is known.
pub async fn find_by_hash(
    connection: &mut PgConnection,
    chain_id: i64,
    hash: Hash32,
) -> Result<Option<(Option<String>, Option<String>)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT t.order_id AS "order_id?", o.caller AS "caller?" FROM crowdsale_service.order_transaction t
           LEFT JOIN crowdsale_service.sale_order o ON o.id = t.order_id
           WHERE t.chain_id = $1 AND t.hash = $2 AND t.purpose <> 'foreign'"#,
        chain_id,
        hash as _
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|r| (r.order_id, r.caller)))
}

/// Adds what happened to an order.
pub async fn add_event(connection: &mut PgConnection, id: &str, e: &EventRow) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.order_event (order_id, state, transaction_hash, block_number, block_hash, detail)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        e.state,
        e.transaction_hash as _,
        e.block_number,
        e.block_hash as _,
        e.detail
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What happened to these orders, by order, each in order.
pub async fn list_events_of(
    connection: &mut PgConnection,
    ids: &[String],
) -> Result<HashMap<String, Vec<EventRow>>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT order_id, extract(epoch FROM at)::bigint AS "at!", state, transaction_hash AS "transaction_hash: Hash32",
                  block_number, block_hash AS "block_hash: Hash32", detail
           FROM crowdsale_service.order_event WHERE order_id = ANY($1) ORDER BY id"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows {
        found.entry(r.order_id).or_default().push(EventRow {
            at: r.at,
            state: r.state,
            transaction_hash: r.transaction_hash,
            block_number: r.block_number,
            block_hash: r.block_hash,
            detail: r.detail,
        });
    }
    Ok(found)
}
