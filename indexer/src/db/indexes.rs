//! Indexes that a first, large backfill does without: building one over all rows is much cheaper than growing it row by row.

use sqlx::Connection;

use super::{DbError, Writer};

/// Drops the indexes that only readers need, of event tables and positions, if there is no event yet. Which ones is kept beside
/// them, so that they are built whatever happens in between.
pub async fn defer(writer: &mut Writer) -> Result<bool, DbError> {
    let mut transaction = writer.connection.begin().await?;
    let deferred = sqlx::query_scalar!(r#"SELECT defer_indexes() AS "count!""#).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(deferred > 0)
}

/// Names of the indexes that are missing, in the order in which they are to be built.
pub async fn list_deferred(writer: &mut Writer) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!("SELECT name FROM deferred_index ORDER BY name").fetch_all(&mut writer.connection).await?)
}

/// Builds one of them, in a transaction of its own.
pub async fn build(writer: &mut Writer, name: &str) -> Result<(), DbError> {
    let mut transaction = writer.connection.begin().await?;
    sqlx::query!("SELECT build_deferred_index($1)", name).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
