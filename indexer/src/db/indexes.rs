//! Indexes that a first, large backfill does without: building one over all rows is much cheaper than growing it row by row.

use std::{
    slice::Iter,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use sqlx::{Connection, PgConnection};
use tracing::{debug, warn};

use super::{DbError, Writer};

/// Drops the indexes that only readers need, of event tables and positions, if there is no event yet. Which ones is kept beside
/// them, so that they are built whatever happens in between.
pub async fn defer(writer: &mut Writer) -> Result<bool, DbError> {
    let mut transaction = writer.connection.begin().await?;
    let deferred = sqlx::query_scalar!(r#"SELECT defer_indexes() AS "count!""#).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(deferred > 0)
}

/// Builds what is missing, on the writer's connection and one beside it: the database sorts one while it reads for the other.
/// Each index is a transaction of its own, so a kill in between loses none; one that somebody else has built meanwhile is left.
/// Returns how many there were.
pub async fn complete(writer: &mut Writer) -> Result<usize, DbError> {
    let names: Vec<String> =
        sqlx::query_scalar!("SELECT name FROM deferred_index ORDER BY name").fetch_all(&mut writer.connection).await?;
    if names.is_empty() {
        return Ok(0);
    }
    let next = Mutex::new(names.iter());
    match writer.beside().await {
        Ok(mut beside) => {
            // Both are waited for: one that is left in the middle would go on at the server, and hold its locks.
            let (first, second) = tokio::join!(build(&mut writer.connection, &next), build(&mut beside, &next));
            first.and(second)?;
        }
        Err(error) => {
            warn!(%error, "indexes are built one after the other");
            build(&mut writer.connection, &next).await?;
        }
    }
    Ok(names.len())
}

async fn build(connection: &mut PgConnection, names: &Mutex<Iter<'_, String>>) -> Result<(), DbError> {
    loop {
        let Some(name) = names.lock().unwrap_or_else(PoisonError::into_inner).next() else { return Ok(()) };
        let began = Instant::now();
        let mut transaction = connection.begin().await?;
        sqlx::query!("SELECT build_deferred_index($1)", name).execute(&mut *transaction).await?;
        transaction.commit().await?;
        debug!(index = name, ms = began.elapsed().as_millis() as u64, "index built");
    }
}
