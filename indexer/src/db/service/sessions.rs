//! `wallet_session`: wallets that have signed in. A token itself is nowhere here, only what it can be recognised by.

use sqlx::PgConnection;

use crate::{db::DbError, types::Addr};

/// A session. Times are Unix seconds of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// What it is named by.
    pub id: String,
    /// The wallet.
    pub address: Addr,
    /// The chain on which it is that wallet.
    pub chain_id: i64,
    /// When it was opened.
    pub created_at: i64,
    /// When it ends by itself.
    pub expires_at: i64,
}

/// Opens a session of so many seconds, and forgets some that are over.
pub async fn open(
    connection: &mut PgConnection,
    (id, hash): (&str, &[u8]),
    (address, chain_id): (Addr, i64),
    seconds: i64,
) -> Result<SessionRow, DbError> {
    sqlx::query!(
        "DELETE FROM crowdsale_service.wallet_session WHERE id IN (
             SELECT id FROM crowdsale_service.wallet_session WHERE expires_at < now() ORDER BY expires_at LIMIT 10
             FOR UPDATE SKIP LOCKED)"
    )
    .execute(&mut *connection)
    .await?;
    Ok(sqlx::query_as!(
        SessionRow,
        r#"INSERT INTO crowdsale_service.wallet_session (id, hash, address, chain_id, expires_at)
           VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::bigint))
           RETURNING id, address AS "address: _", chain_id, extract(epoch FROM created_at)::bigint AS "created_at!",
               extract(epoch FROM expires_at)::bigint AS "expires_at!""#,
        id,
        hash,
        address as _,
        chain_id,
        seconds
    )
    .fetch_one(connection)
    .await?)
}

/// The session with this hash, unless it is over.
pub async fn find(connection: &mut PgConnection, hash: &[u8]) -> Result<Option<SessionRow>, DbError> {
    Ok(sqlx::query_as!(
        SessionRow,
        r#"SELECT id, address AS "address: _", chain_id, extract(epoch FROM created_at)::bigint AS "created_at!",
               extract(epoch FROM expires_at)::bigint AS "expires_at!"
           FROM crowdsale_service.wallet_session WHERE hash = $1 AND expires_at > now()"#,
        hash
    )
    .fetch_optional(connection)
    .await?)
}

/// Ends a session.
pub async fn close(connection: &mut PgConnection, id: &str) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM crowdsale_service.wallet_session WHERE id = $1", id).execute(connection).await?;
    Ok(())
}
