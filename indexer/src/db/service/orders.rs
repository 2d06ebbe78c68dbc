//! `sale_order`: orders, and how they stand.

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// An order. Amounts in base units and wei, heights of its chain, times in Unix seconds of the database's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the columns of sale_order, documented in migrations/0014_orders.sql, 0019_orders_in_line.sql and 0022_orders_spent_and_fees.sql"
)]
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
    pub unused_at: Option<i64>,
    pub first_since: Option<i64>,
    pub given_up: Option<String>,
    pub spent_at: Option<i64>,
    pub spent_hash: Option<Hash32>,
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

/// All states that a row can have.
const STATES: [&str; 10] =
    ["accepted", "pending", "included", "failed", "final", "replaced", "cancelled", "dropped", "expired", "reorged"];

macro_rules! orders {
    (@ $($part:literal)+ $(, $argument:expr)*) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT id, caller, chain_id, sale AS "sale: Addr", by_operator, investor AS "investor: Addr",
                      currency AS "currency: Addr", amount AS "amount: Amount", sender AS "sender: Addr", nonce,
                      value AS "value: Amount", data, gas_limit, fee_cap AS "fee_cap: Amount", customer_reference_sealed, state,
                      cancelling, settled, since, sent_since, unseen_since, unused_at, first_since, given_up,
                      spent_at, spent_hash AS "spent_hash: Hash32", mined_hash AS "mined_hash: Hash32", block_number, block_hash AS "block_hash: Hash32", detail, extract(epoch FROM created_at)::bigint AS "created_at!",
                      extract(epoch FROM updated_at)::bigint AS "updated_at!"
               FROM "# $(+ $part)+
            $(, $argument)*
        )
    };
    ($rest:literal $(, $argument:expr)*) => { orders!(@ "crowdsale_service.sale_order " $rest $(, $argument)*) };
}

// Orders of caller `$1` in the states `$2`, before order `$3`, at most `$4`: a page of each state, put together. Those of a state are of
// what begins an index behind its caller, and are compared and ordered by all that is in it, so that no other has that order: whichever
// the database takes for likely, it reads no more than the pages.
macro_rules! page {
    ($columns:literal, $values:literal, $order:literal, $besides:literal $(, $argument:expr)*) => {
        orders!(
            @ "unnest($2::text[]) AS w (wanted) CROSS JOIN LATERAL (
                   SELECT o.* FROM crowdsale_service.sale_order o
                   WHERE o.caller = $1 AND (" $columns "o.state, o.position) > (" $values "w.wanted, 0)
                       AND (" $columns "o.state, o.position) < (" $values "w.wanted, CASE WHEN $3::text IS NULL THEN 9223372036854775807
                           ELSE (SELECT a.position FROM crowdsale_service.sale_order a WHERE a.id = $3 AND a.caller = $1) END)"
                   $besides " ORDER BY " $order "o.state DESC, o.position DESC LIMIT $4) o
               ORDER BY position DESC LIMIT $4"
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
    let states: Vec<String> = match filter.state {
        Some(state) => vec![state.to_owned()],
        None => STATES.map(str::to_owned).into(),
    };
    let OrderFilter { chain_id, sale, state, reference_hash } = filter;
    // By what is seldom first. A reference is of few orders and a sale of one chain: what else is asked for is looked for among these.
    Ok(match (reference_hash, sale, chain_id) {
        (Some(reference), ..) => {
            page!(
                "o.customer_reference_hash, ",
                "$5, ",
                "o.customer_reference_hash DESC, ",
                " AND o.customer_reference_hash IS NOT NULL AND ($6::bytea IS NULL OR o.sale = $6)
                  AND ($7::bigint IS NULL OR o.chain_id = $7)",
                caller,
                &states,
                after,
                limit,
                reference,
                sale as _,
                chain_id
            )
            .fetch_all(connection)
            .await?
        }
        (None, Some(sale), _) => {
            page!(
                "o.sale, ",
                "$5, ",
                "o.sale DESC, ",
                " AND ($6::bigint IS NULL OR o.chain_id = $6)",
                caller,
                &states,
                after,
                limit,
                sale as _,
                chain_id
            )
            .fetch_all(connection)
            .await?
        }
        (None, None, Some(chain_id)) => {
            page!("o.chain_id, ", "$5, ", "o.chain_id DESC, ", "", caller, &states, after, limit, chain_id)
                .fetch_all(connection)
                .await?
        }
        (None, None, None) if state.is_some() => {
            page!("", "", "", "", caller, &states, after, limit).fetch_all(connection).await?
        }
        (None, None, None) => {
            orders!(
                "WHERE caller = $1 AND position < CASE WHEN $2::text IS NULL THEN 9223372036854775807
                     ELSE (SELECT a.position FROM crowdsale_service.sale_order a WHERE a.id = $2 AND a.caller = $1) END
                 ORDER BY position DESC LIMIT $3",
                caller,
                after,
                limit
            )
            .fetch_all(connection)
            .await?
        }
    })
}

/// Orders of a chain that can still change and are not expired, by sender and nonce.
pub async fn list_open(connection: &mut PgConnection, chain_id: i64) -> Result<Vec<OrderRow>, DbError> {
    Ok(orders!("WHERE chain_id = $1 AND NOT settled AND state <> 'expired' ORDER BY sender, nonce, position", chain_id)
        .fetch_all(connection)
        .await?)
}

/// Expired orders of a chain, those first that were not looked at for the longest.
pub async fn list_expired(connection: &mut PgConnection, chain_id: i64, limit: i64) -> Result<Vec<OrderRow>, DbError> {
    Ok(orders!("WHERE chain_id = $1 AND state = 'expired' ORDER BY looked_at NULLS FIRST LIMIT $2", chain_id, limit)
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

/// Notes that another transaction was signed for an order at a height, whether it cancels it, and why where the service itself does.
pub async fn set_resent(
    connection: &mut PgConnection,
    id: &str,
    at: i64,
    cancelling: bool,
    given_up: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.sale_order
         SET sent_since = $2, cancelling = cancelling OR $3, given_up = coalesce(given_up, $4), updated_at = now() WHERE id = $1",
        id,
        at,
        cancelling,
        given_up
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that orders were looked at at a height, and of which of them the nonce was not used there.
pub async fn set_looked(
    connection: &mut PgConnection,
    looked: &[String],
    unused: &[String],
    at: i64,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.sale_order
         SET looked_at = $3, unused_at = CASE WHEN id = ANY($2) THEN $3 ELSE unused_at END,
             spent_at = CASE WHEN id = ANY($2) THEN NULL ELSE spent_at END,
             spent_hash = CASE WHEN id = ANY($2) THEN NULL ELSE spent_hash END
         WHERE id = ANY($1)",
        looked,
        unused,
        at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the block at whose end the nonce of an order was used, by something that is not known; or that no such block is known.
pub async fn set_spent(connection: &mut PgConnection, id: &str, block: Option<(i64, Hash32)>) -> Result<(), DbError> {
    let (at, hash) = block.unzip();
    sqlx::query!(
        "UPDATE crowdsale_service.sale_order SET spent_at = $2, spent_hash = $3, updated_at = now() WHERE id = $1",
        id,
        at,
        hash as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes since when no nonce before an order's is missing, or that one is.
pub async fn set_first(connection: &mut PgConnection, id: &str, since: Option<i64>) -> Result<(), DbError> {
    sqlx::query!("UPDATE crowdsale_service.sale_order SET first_since = $2 WHERE id = $1", id, since)
        .execute(connection)
        .await?;
    Ok(())
}

/// The highest nonce among open orders of an account, where there is one.
pub async fn highest_nonce(connection: &mut PgConnection, chain_id: i64, sender: Addr) -> Result<Option<i64>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT max(nonce) FROM crowdsale_service.sale_order
         WHERE chain_id = $1 AND sender = $2 AND NOT settled AND state <> 'expired'",
        chain_id,
        sender as _
    )
    .fetch_one(connection)
    .await?)
}

/// Orders of a caller that came signed and are not settled.
pub async fn count_open_raw(connection: &mut PgConnection, caller: &str) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM crowdsale_service.sale_order
           WHERE caller = $1 AND NOT by_operator AND NOT settled AND state <> 'expired'"#,
        caller
    )
    .fetch_one(connection)
    .await?)
}

/// Open orders of one chain in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCount {
    /// The chain.
    pub chain_id: i64,
    /// The state.
    pub state: String,
    /// How many.
    pub count: i64,
    /// Seconds since the oldest was accepted.
    pub oldest_seconds: i64,
}

/// How many orders are open, by chain and state.
pub async fn count_open(connection: &mut PgConnection) -> Result<Vec<OpenCount>, DbError> {
    Ok(sqlx::query_as!(
        OpenCount,
        r#"SELECT chain_id, state, count(*) AS "count!",
                  greatest(extract(epoch FROM now() - min(created_at)), 0)::bigint AS "oldest_seconds!"
           FROM crowdsale_service.sale_order WHERE NOT settled GROUP BY chain_id, state"#
    )
    .fetch_all(connection)
    .await?)
}
