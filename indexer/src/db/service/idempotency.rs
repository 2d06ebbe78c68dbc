//! `idempotency`: the first answer to each request that may be sent again.

use sqlx::PgConnection;

use crate::db::DbError;

/// The first answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAnswer {
    /// Of the request that it answered.
    pub fingerprint: Vec<u8>,
    /// Its status.
    pub status: i16,
    /// Its body, sealed.
    pub answer_sealed: Vec<u8>,
}

/// Takes the right to answer the request with this id until the transaction ends; false where another has it.
pub async fn claim(connection: &mut PgConnection, id: &str) -> Result<bool, DbError> {
    // Not a row: whoever inserts one waits for another that has inserted the same, and the caller is to be told instead.
    Ok(sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended('crowdsale idempotency ' || $1, 0)) AS "claimed!""#,
        id
    )
    .fetch_one(connection)
    .await?)
}

/// The answer that was given within the last 24 hours.
pub async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<FirstAnswer>, DbError> {
    Ok(sqlx::query_as!(
        FirstAnswer,
        "SELECT fingerprint, status, answer_sealed FROM crowdsale_service.idempotency
         WHERE id = $1 AND created_at > now() - interval '24 hours'",
        id
    )
    .fetch_optional(connection)
    .await?)
}

/// Keeps an answer, and forgets some that are too old.
pub async fn keep(connection: &mut PgConnection, id: &str, answer: &FirstAnswer) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.idempotency (id, fingerprint, status, answer_sealed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
             answer_sealed = excluded.answer_sealed, created_at = excluded.created_at",
        id,
        answer.fingerprint,
        answer.status,
        answer.answer_sealed
    )
    .execute(&mut *connection)
    .await?;
    // A few each time: more than one is added, so none stays for long.
    sqlx::query!(
        "DELETE FROM crowdsale_service.idempotency WHERE id IN (
             SELECT id FROM crowdsale_service.idempotency WHERE created_at < now() - interval '25 hours'
             ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED)"
    )
    .execute(connection)
    .await?;
    Ok(())
}
