//! `order_signer`: where nonces are allotted one after the other, what is spoken for, and who follows.

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount},
};

/// What open orders of an account will take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Wei, gas included.
    pub wei: Amount,
    /// Base units of one token, for all sales: they share the account's balance.
    pub tokens: Amount,
    /// Of it, for one sale, which has an allowance of its own.
    pub tokens_for_sale: Amount,
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

/// What orders of an account will take at most, of ether and of a token, for all sales and for one, that had not taken it yet in block
/// `head`.
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
                  coalesce(sum(o.amount) FILTER (WHERE o.currency = $3), 0) AS "tokens!: Amount",
                  coalesce(sum(o.amount) FILTER (WHERE o.currency = $3 AND o.sale = $4), 0) AS "tokens_for_sale!: Amount"
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

/// What a caller has ordered of a currency within the last 24 hours, while nobody else orders for it until the transaction ends. Orders
/// that are over and moved nothing do not count; one whose nonce something unknown has used does, as nobody knows what that moved.
pub async fn ordered_today(
    connection: &mut PgConnection,
    caller: &str,
    chain_id: i64,
    currency: Addr,
) -> Result<Amount, DbError> {
    // Apart from the sum: a statement sees what was committed before it began.
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'crowdsale order day', $1::text, $2::bigint, encode($3, 'hex')), 0))",
        caller,
        chain_id,
        currency as _
    )
    .execute(&mut *connection)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount), 0) AS "sum!: Amount" FROM crowdsale_service.sale_order
           WHERE caller = $1 AND chain_id = $2 AND currency = $3 AND by_operator AND created_at > now() - interval '24 hours'
               AND NOT (settled AND mined_hash IS NOT NULL AND state IN ('cancelled', 'failed', 'replaced'))"#,
        caller,
        chain_id,
        currency as _
    )
    .fetch_one(connection)
    .await?)
}

/// Seconds until so much of that sum is older than 24 hours.
pub async fn seconds_until(
    connection: &mut PgConnection,
    caller: &str,
    chain_id: i64,
    currency: Addr,
    freed: Amount,
) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT coalesce(min(ceil(extract(epoch FROM created_at + interval '24 hours' - now()))), 86400)::bigint AS "seconds!"
           FROM (SELECT created_at, sum(amount) OVER (ORDER BY position) AS freed FROM crowdsale_service.sale_order
                 WHERE caller = $1 AND chain_id = $2 AND currency = $3 AND by_operator
                     AND created_at > now() - interval '24 hours'
                     AND NOT (settled AND mined_hash IS NOT NULL AND state IN ('cancelled', 'failed', 'replaced'))) AS o
           WHERE freed >= $4"#,
        caller,
        chain_id,
        currency as _,
        freed as _
    )
    .fetch_one(connection)
    .await?)
}

/// A gap below the open orders of a signer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// The height at which it was first seen.
    pub since: Option<i64>,
    /// The height at which the last transaction that fills it was signed.
    pub filled_since: Option<i64>,
}

/// The gap below the open orders of a signer.
pub async fn find_gap(connection: &mut PgConnection, chain_id: i64, signer: Addr) -> Result<Gap, DbError> {
    Ok(sqlx::query_as!(
        Gap,
        "SELECT gap_since AS since, filled_since FROM crowdsale_service.order_signer WHERE chain_id = $1 AND address = $2",
        chain_id,
        signer as _
    )
    .fetch_optional(connection)
    .await?
    .unwrap_or_default())
}

/// Notes how that gap stands.
pub async fn set_gap(connection: &mut PgConnection, chain_id: i64, signer: Addr, gap: Gap) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.order_signer SET gap_since = $3, filled_since = $4
         WHERE chain_id = $1 AND address = $2 AND (gap_since IS DISTINCT FROM $3 OR filled_since IS DISTINCT FROM $4)",
        chain_id,
        signer as _,
        gap.since,
        gap.filled_since
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

/// Makes a signer known, before its first order.
pub async fn add(connection: &mut PgConnection, chain_id: i64, signer: Addr) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.order_signer (chain_id, address) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        chain_id,
        signer as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what a node says of a signer: its wei, its next nonce, and what the next block asks for a unit of gas. Left out while somebody takes a nonce: who follows orders waits for no request.
pub async fn set_seen(
    connection: &mut PgConnection,
    (chain_id, signer): (i64, Addr),
    (balance, mined_nonce, fee_asked): (Amount, i64, Option<Amount>),
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.order_signer s SET balance = $3, mined_nonce = $4, fee_asked = coalesce($5, s.fee_asked), seen_at = now()
         FROM (SELECT chain_id, address FROM crowdsale_service.order_signer
               WHERE chain_id = $1 AND address = $2 FOR UPDATE SKIP LOCKED) AS free
         WHERE s.chain_id = free.chain_id AND s.address = free.address",
        chain_id,
        signer as _,
        balance as _,
        mined_nonce,
        fee_asked as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was last seen of a signer on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerRow {
    /// The chain.
    pub chain_id: i64,
    /// Wei that it had.
    pub balance: Option<Amount>,
    /// Nonces that were allotted and are in no block.
    pub unmined: Option<i64>,
    /// Wei that the next block asked for a unit of gas.
    pub fee_asked: Option<Amount>,
    /// Whether a nonce below all open orders is used by none of them.
    pub has_gap: bool,
    /// Seconds since a node was asked.
    pub seen_seconds_ago: Option<i64>,
}

/// A signer on every chain.
pub async fn list(connection: &mut PgConnection, signer: Addr) -> Result<Vec<SignerRow>, DbError> {
    Ok(sqlx::query_as!(
        SignerRow,
        r#"SELECT chain_id, balance AS "balance: Amount", fee_asked AS "fee_asked: Amount", greatest(next_nonce - mined_nonce, 0) AS unmined,
                  gap_since IS NOT NULL AS "has_gap!",
                  greatest(extract(epoch FROM now() - seen_at), 0)::bigint AS seen_seconds_ago
           FROM crowdsale_service.order_signer WHERE address = $1"#,
        signer as _
    )
    .fetch_all(connection)
    .await?)
}
