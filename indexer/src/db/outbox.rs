//! `outbox`: what happened to the tables, for whoever passes events on, and the notification that something did.

use sqlx::PgConnection;

use super::{DbError, Writer, chains::Tip};
use crate::types::Hash32;

/// The channel of `NOTIFY`. The payload is `chain:height:hash` of the new tip.
pub const CHANNEL: &str = "crowdsale";

/// Rows that are forgotten in one transaction, about.
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Notes that events of `from..=tip` stand in their tables.
pub(crate) async fn applied(connection: &mut PgConnection, chain_id: i64, from: i64, tip: Tip) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO outbox (chain_id, kind, from_block, to_block, hash) VALUES ($1, 'applied', $2, $3, $4)",
        chain_id,
        from,
        tip.number,
        tip.hash as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that what was told of blocks from `from` up to `tip` no longer holds. The entry's number.
pub(crate) async fn reverted(
    connection: &mut PgConnection,
    chain_id: i64,
    from: i64,
    tip: (i64, Hash32),
) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO outbox (chain_id, kind, from_block, to_block, hash) VALUES ($1, 'reverted', $2, $3, $4) RETURNING seq",
        chain_id,
        from,
        tip.0,
        tip.1 as _
    )
    .fetch_one(connection)
    .await?)
}

/// Forgets some of the oldest entries if they are older than so many seconds, and what they took back. Whether there is more.
pub async fn forget(writer: &mut Writer, keep_seconds: i64) -> Result<bool, DbError> {
    let chain_id = writer.chain_id;
    Ok(sqlx::query_scalar!(r#"SELECT forget_told($1, $2, $3) AS "more!""#, chain_id, keep_seconds, FORGOTTEN_AT_ONCE)
        .fetch_one(&mut writer.connection)
        .await?)
}

/// Notes what of the events that were told before is final by now. Whether there was anything.
pub(crate) async fn finalized(connection: &mut PgConnection, chain_id: i64) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(r#"SELECT tell_finalized($1) AS "told!""#, chain_id).fetch_one(connection).await?)
}

/// Wakes listeners once the transaction is committed.
pub(crate) async fn notify(connection: &mut PgConnection, chain_id: i64, tip: Tip) -> Result<(), DbError> {
    let payload = format!("{chain_id}:{}:{}", tip.number, tip.hash);
    sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, payload).execute(connection).await?;
    Ok(())
}
