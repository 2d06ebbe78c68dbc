//! The master key is replaced: every data key is wrapped anew, whatever it is of.

use sqlx::{Connection as _, PgConnection};

use super::{AccessError, Source};
use crate::{
    db::service::{audit, sealed},
    seal::{Place, Sealer},
};

/// Rows of one transaction.
const BATCH: i64 = 500;

/// How much was wrapped anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Columns that were looked through.
    pub columns: usize,
    /// Values that are now under the present master key, and were not.
    pub rewrapped: u64,
    /// Values that somebody else changed at the same moment. They are looked at again by the next run.
    pub changed: u64,
}

/// Wraps every data key in the database with the sealer's present master key. Services may run meanwhile, if they have both keys. Ended
/// half way, the next run does the rest.
///
/// # Errors
/// [`AccessError::Seal`] with the place of a value that does not open; what came before it is done.
pub async fn rewrap_all(
    connection: &mut PgConnection,
    sealer: &Sealer,
    source: &Source,
) -> Result<Rewrapped, AccessError> {
    let mut done = Rewrapped::default();
    let master = sealer.current();
    for of in sealed::columns(connection).await? {
        done.columns += 1;
        let mut behind: Option<String> = None;
        loop {
            let mut transaction = connection.begin().await.map_err(crate::db::DbError::from)?;
            let rows = sealed::batch(&mut transaction, &of, master.as_bytes(), behind.as_deref(), BATCH).await?;
            let Some((last, _)) = rows.last() else { break };
            behind = Some(last.clone());
            for (key, value) in &rows {
                let place = Place { table: &of.table, column: &of.column, row: key };
                let anew = sealer.rewrap(value, place).map_err(|source| AccessError::Seal {
                    table: of.table.clone(),
                    row: key.clone(),
                    source,
                })?;
                let Some(anew) = anew else { continue };
                if sealed::replace(&mut transaction, &of, key, value, &anew).await? {
                    done.rewrapped += 1;
                } else {
                    done.changed += 1;
                }
            }
            transaction.commit().await.map_err(crate::db::DbError::from)?;
        }
    }
    let detail = format!("{} values", done.rewrapped);
    audit::append(connection, &source.did("secrets.rotated", &format!("master:{master}"), Some(detail))).await?;
    Ok(done)
}
