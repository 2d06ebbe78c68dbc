//! `sale_order`, and the transactions and events of each; `order_signer`, where nonces are allotted.

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// An order. Amounts in base units and wei, heights of its chain, times in Unix seconds of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of sale_order, documented in migrations/0014_orders.sql")]
pub struct OrderRow {
    pub id: String,
    pub caller: String,
    pub chain_id: i64,
    pub sale: Addr,
    pub by_operator: bool,
    pub investor: Addr,
    pub currency: Addr,
    pub amount: Amount,
    pub sender: Addr,
    pub nonce: i64,
    pub value: Amount,
    pub data: Vec<u8>,
    pub gas_limit: i64,
    pub fee_cap: Option<Amount>,
    pub customer_reference_sealed: Option<Vec<u8>>,
    pub state: String,
    pub cancelling: bool,
    pub settled: bool,
    pub since: i64,
    pub sent_since: i64,
    pub unseen_since: Option<i64>,
    pub mined_hash: Option<Hash32>,
    pub block_number: Option<i64>,
    pub block_hash: Option<Hash32>,
    pub detail: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// An order on its way in.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of sale_order")]
pub struct NewOrder<'a> {
    pub id: &'a str,
    pub caller: &'a str,
    pub request_id: &'a str,
    pub chain_id: i64,
    pub sale: Addr,
    pub by_operator: bool,
    pub investor: Addr,
    pub currency: Addr,
    pub amount: Amount,
    pub sender: Addr,
    pub nonce: i64,
    pub value: Amount,
    pub data: &'a [u8],
    pub gas_limit: i64,
    pub fee_cap: Option<Amount>,
    pub reference_sealed: Option<&'a [u8]>,
    pub reference_hash: Option<&'a [u8]>,
    pub since: i64,
}

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

/// How an order stands, as it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of sale_order")]
pub struct Standing {
    pub state: String,
    pub settled: bool,
    pub unseen_since: Option<i64>,
    pub mined_hash: Option<Hash32>,
    pub block_number: Option<i64>,
    pub block_hash: Option<Hash32>,
    pub detail: Option<String>,
}

impl OrderRow {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state.clone(),
            settled: self.settled,
            unseen_since: self.unseen_since,
            mined_hash: self.mined_hash,
            block_number: self.block_number,
            block_hash: self.block_hash,
            detail: self.detail.clone(),
        }
    }
}

/// What a list of orders is narrowed to.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrderFilter<'a> {
    /// Orders on this chain.
    pub chain_id: Option<i64>,
    /// Orders in this sale.
    pub sale: Option<Addr>,
    /// Orders in this state.
    pub state: Option<&'a str>,
    /// Orders with this hash of their reference.
    pub reference_hash: Option<&'a [u8]>,
}

/// What open orders of an account will take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Wei, gas included.
    pub wei: Amount,
    /// Base units of one token, for one sale.
    pub tokens: Amount,
}

macro_rules! orders {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT id, caller, chain_id, sale AS "sale: Addr", by_operator, investor AS "investor: Addr",
                      currency AS "currency: Addr", amount AS "amount: Amount", sender AS "sender: Addr", nonce,
                      value AS "value: Amount", data, gas_limit, fee_cap AS "fee_cap: Amount", customer_reference_sealed, state,
                      cancelling, settled, since, sent_since, unseen_since, mined_hash AS "mined_hash: Hash32", block_number,
                      block_hash AS "block_hash: Hash32", detail, extract(epoch FROM created_at)::bigint AS "created_at!",
                      extract(epoch FROM updated_at)::bigint AS "updated_at!"
               FROM crowdsale_service.sale_order "# + $rest
            $(, $argument)*
        )
    };
}

/// One order of a caller.
pub async fn find(connection: &mut PgConnection, caller: &str, id: &str) -> Result<Option<OrderRow>, DbError> {
    Ok(orders!("WHERE id = $1 AND caller = $2", id, caller).fetch_optional(connection).await?)
}

/// One order, kept as it is until the transaction ends.
pub async fn find_for_change(connection: &mut PgConnection, id: &str) -> Result<Option<OrderRow>, DbError> {
    Ok(orders!("WHERE id = $1 FOR UPDATE", id).fetch_optional(connection).await?)
}

/// The order that a request made, whenever that was.
pub async fn find_by_request(connection: &mut PgConnection, request_id: &str) -> Result<Option<String>, DbError> {
    Ok(sqlx::query_scalar!("SELECT id FROM crowdsale_service.sale_order WHERE request_id = $1", request_id)
        .fetch_optional(connection)
        .await?)
}

/// Orders of a caller, the newest first, behind one.
pub async fn list(
    connection: &mut PgConnection,
    caller: &str,
    filter: OrderFilter<'_>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OrderRow>, DbError> {
    Ok(orders!(
        "WHERE caller = $1 AND ($2::bigint IS NULL OR chain_id = $2) AND ($3::bytea IS NULL OR sale = $3)
             AND ($4::text IS NULL OR state = $4) AND ($5::bytea IS NULL OR customer_reference_hash = $5)
             AND ($6::text IS NULL OR position < (SELECT o.position FROM crowdsale_service.sale_order o
                                                  WHERE o.id = $6 AND o.caller = $1))
         ORDER BY position DESC LIMIT $7",
        caller,
        filter.chain_id,
        filter.sale as _,
        filter.state,
        filter.reference_hash,
        after,
        limit
    )
    .fetch_all(connection)
    .await?)
}

/// Orders of a chain that can still change, by sender and nonce.
pub async fn list_open(connection: &mut PgConnection, chain_id: i64) -> Result<Vec<OrderRow>, DbError> {
    Ok(orders!("WHERE chain_id = $1 AND NOT settled ORDER BY sender, nonce, position", chain_id)
        .fetch_all(connection)
        .await?)
}

/// Adds an order, in state `accepted`.
pub async fn insert(connection: &mut PgConnection, o: &NewOrder<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.sale_order
             (id, caller, request_id, chain_id, sale, by_operator, investor, currency, amount, sender, nonce, value, data, gas_limit,
              fee_cap, customer_reference_sealed, customer_reference_hash, state, since, sent_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 'accepted', $18, $18)",
        o.id,
        o.caller,
        o.request_id,
        o.chain_id,
        o.sale as _,
        o.by_operator,
        o.investor as _,
        o.currency as _,
        o.amount as _,
        o.sender as _,
        o.nonce,
        o.value as _,
        o.data,
        o.gas_limit,
        o.fee_cap as _,
        o.reference_sealed,
        o.reference_hash,
        o.since
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a transaction; false where it is there already.
pub async fn insert_transaction(connection: &mut PgConnection, t: NewTransaction<'_>) -> Result<bool, DbError> {
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
pub async fn list_transactions(connection: &mut PgConnection, id: &str) -> Result<Vec<TransactionRow>, DbError> {
    Ok(sqlx::query_as!(
        TransactionRow,
        r#"SELECT hash AS "hash: Hash32", purpose, raw, max_fee AS "max_fee: Amount", priority_fee AS "priority_fee: Amount",
                  extract(epoch FROM created_at)::bigint AS "created_at!"
           FROM crowdsale_service.order_transaction WHERE order_id = $1 ORDER BY position"#,
        id
    )
    .fetch_all(connection)
    .await?)
}

/// Signed transactions that only fill a nonce, the newest first.
pub async fn list_fillers(
    connection: &mut PgConnection,
    chain_id: i64,
    sender: Addr,
    nonce: i64,
) -> Result<Vec<Vec<u8>>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT raw AS "raw!" FROM crowdsale_service.order_transaction
           WHERE chain_id = $1 AND sender = $2 AND nonce = $3 AND purpose = 'filler' AND raw IS NOT NULL ORDER BY position DESC"#,
        chain_id,
        sender as _,
        nonce
    )
    .fetch_all(connection)
    .await?)
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

/// What happened to an order, in order.
pub async fn list_events(connection: &mut PgConnection, id: &str) -> Result<Vec<EventRow>, DbError> {
    Ok(sqlx::query_as!(
        EventRow,
        r#"SELECT extract(epoch FROM at)::bigint AS "at!", state, transaction_hash AS "transaction_hash: Hash32", block_number,
                  block_hash AS "block_hash: Hash32", detail
           FROM crowdsale_service.order_event WHERE order_id = $1 ORDER BY id"#,
        id
    )
    .fetch_all(connection)
    .await?)
}

/// Writes how an order stands now.
pub async fn set_standing(connection: &mut PgConnection, id: &str, s: &Standing) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.sale_order
         SET state = $2, settled = $3, unseen_since = $4, mined_hash = $5, block_number = $6, block_hash = $7, detail = $8,
             updated_at = now()
         WHERE id = $1",
        id,
        s.state,
        s.settled,
        s.unseen_since,
        s.mined_hash as _,
        s.block_number,
        s.block_hash as _,
        s.detail
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that another transaction was signed for an order at a height, and whether it cancels it.
pub async fn set_resent(connection: &mut PgConnection, id: &str, at: i64, cancelling: bool) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.sale_order SET sent_since = $2, cancelling = cancelling OR $3, updated_at = now() WHERE id = $1",
        id,
        at,
        cancelling
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The next nonce of a signer, which is taken with this: others wait until the transaction ends. `least` is what the node says.
pub async fn take_nonce(
    connection: &mut PgConnection,
    chain_id: i64,
    signer: Addr,
    least: i64,
) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO crowdsale_service.order_signer AS s (chain_id, address, next_nonce) VALUES ($1, $2, $3::bigint + 1)
           ON CONFLICT (chain_id, address) DO UPDATE SET next_nonce = greatest(s.next_nonce, $3) + 1
           RETURNING next_nonce - 1 AS "nonce!""#,
        chain_id,
        signer as _,
        least
    )
    .fetch_one(connection)
    .await?)
}

/// Takes the lock of a signer's row without taking a nonce.
pub async fn lock_signer(connection: &mut PgConnection, chain_id: i64, signer: Addr) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.order_signer AS s (chain_id, address) VALUES ($1, $2)
         ON CONFLICT (chain_id, address) DO UPDATE SET next_nonce = s.next_nonce",
        chain_id,
        signer as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What orders of an account will take at most, of ether and of a token for one sale, that had not taken it yet in block `head`.
pub async fn outstanding(
    connection: &mut PgConnection,
    (chain_id, head): (i64, i64),
    sender: Addr,
    token: Addr,
    sale: Addr,
) -> Result<Outstanding, DbError> {
    Ok(sqlx::query_as!(
        Outstanding,
        r#"SELECT coalesce(sum(o.value + o.gas_limit * (SELECT max(t.max_fee) FROM crowdsale_service.order_transaction t
                                                        WHERE t.order_id = o.id)), 0) AS "wei!: Amount",
                  coalesce(sum(o.amount) FILTER (WHERE o.currency = $3 AND o.sale = $4), 0) AS "tokens!: Amount"
           FROM crowdsale_service.sale_order o
           WHERE o.chain_id = $1 AND o.sender = $2
               AND (NOT o.settled AND o.state IN ('accepted', 'pending', 'dropped', 'reorged') OR o.block_number > $5)"#,
        chain_id,
        sender as _,
        token as _,
        sale as _,
        head
    )
    .fetch_one(connection)
    .await?)
}

/// The height at which a gap below the open orders of a signer was first seen.
pub async fn find_gap(connection: &mut PgConnection, chain_id: i64, signer: Addr) -> Result<Option<i64>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT gap_since FROM crowdsale_service.order_signer WHERE chain_id = $1 AND address = $2",
        chain_id,
        signer as _
    )
    .fetch_optional(connection)
    .await?
    .flatten())
}

/// Notes since when there is such a gap, or that there is none.
pub async fn set_gap(
    connection: &mut PgConnection,
    chain_id: i64,
    signer: Addr,
    since: Option<i64>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.order_signer SET gap_since = $3
         WHERE chain_id = $1 AND address = $2 AND gap_since IS DISTINCT FROM $3",
        chain_id,
        signer as _,
        since
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the right to follow the orders of a chain, for as long as the connection lives; false where another has it.
pub async fn elect(connection: &mut PgConnection, chain_id: i64) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock(hashtextextended('crowdsale orders ' || $1::bigint, 0)) AS "elected!""#,
        chain_id
    )
    .fetch_one(connection)
    .await?)
}

/// The highest nonce among open orders of an account, where there is one.
pub async fn highest_nonce(connection: &mut PgConnection, chain_id: i64, sender: Addr) -> Result<Option<i64>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT max(nonce) FROM crowdsale_service.sale_order WHERE chain_id = $1 AND sender = $2 AND NOT settled",
        chain_id,
        sender as _
    )
    .fetch_one(connection)
    .await?)
}

/// Orders of a caller that came signed and are not settled.
pub async fn count_open_raw(connection: &mut PgConnection, caller: &str) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM crowdsale_service.sale_order WHERE caller = $1 AND NOT by_operator AND NOT settled"#,
        caller
    )
    .fetch_one(connection)
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
