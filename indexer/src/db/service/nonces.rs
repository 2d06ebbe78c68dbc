//! `used_nonce`: what may be used once.

use sqlx::PgConnection;

use crate::db::DbError;

/// Uses a nonce that is good for so many seconds more; false where it was used before.
pub async fn spend(connection: &mut PgConnection, id: &str, seconds: i64) -> Result<bool, DbError> {
    let spent = sqlx::query!(
        "INSERT INTO crowdsale_service.used_nonce (id, expires_at) VALUES ($1, now() + make_interval(secs => $2::bigint))
         ON CONFLICT DO NOTHING",
        id,
        seconds
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    // A few each time: more than one is added, so none stays for long.
    sqlx::query!(
        "DELETE FROM crowdsale_service.used_nonce WHERE id IN (
             SELECT id FROM crowdsale_service.used_nonce WHERE expires_at < now() ORDER BY expires_at LIMIT 10
             FOR UPDATE SKIP LOCKED)"
    )
    .execute(connection)
    .await?;
    Ok(spent == 1)
}
