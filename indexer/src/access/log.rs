//! The audit log, held against its own hashes.

use sqlx::PgConnection;

use super::AccessError;
use crate::db::service::audit::{self, AuditRow};

const BATCH: i64 = 1000;

/// Where the log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditFault {
    /// A row is missing before this one.
    #[error("rows {from} to {to} are missing")]
    Missing {
        /// The first that is missing.
        from: i64,
        /// The last.
        to: i64,
    },
    /// It does not follow the row before it.
    #[error("row {0} does not follow the row before it: one of the two was replaced")]
    Parted(i64),
    /// A row's hash is not that of its contents.
    #[error("row {0} was changed")]
    Changed(i64),
    /// The row that was noted earlier is not there, or is another.
    #[error("row {0} is not the one that was noted: the log was cut off or written anew")]
    NotAsNoted(i64),
}

/// The log is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its rows.
    pub rows: i64,
    /// Hash of the last one. Whoever notes it elsewhere will see if rows at the end are taken away.
    pub head: Vec<u8>,
}

/// Follows the log from its first row to its last. `noted` is the place and hash of a row as an earlier run gave them.
///
/// # Errors
/// Those of the database. A fault of the log is no error of this function, but what it finds.
pub async fn verify(
    connection: &mut PgConnection,
    noted: Option<(i64, &[u8])>,
) -> Result<Result<Verified, AuditFault>, AccessError> {
    let (mut rows, mut head) = (0, vec![0; 32]);
    let mut seen = noted.is_none();
    loop {
        let batch = audit::list(connection, rows, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        for row in batch {
            if let Err(fault) = follows(&row, rows, &head) {
                return Ok(Err(fault));
            }
            if let Some((id, hash)) = noted.filter(|(id, _)| *id == row.id) {
                if hash != row.hash {
                    return Ok(Err(AuditFault::NotAsNoted(id)));
                }
                seen = true;
            }
            (rows, head) = (row.id, row.hash);
        }
    }
    match noted {
        Some((id, _)) if !seen => Ok(Err(AuditFault::NotAsNoted(id))),
        _ => Ok(Ok(Verified { rows, head })),
    }
}

fn follows(row: &AuditRow, before: i64, head: &[u8]) -> Result<(), AuditFault> {
    if row.id != before + 1 {
        return Err(AuditFault::Missing { from: before + 1, to: row.id - 1 });
    }
    if row.previous != head {
        return Err(AuditFault::Parted(row.id));
    }
    if row.right_hash()[..] != row.hash { Err(AuditFault::Changed(row.id)) } else { Ok(()) }
}
