//! All SQL, a file a group of tables. Nothing here knows a log or a route.
//!
//! Writes go through one [`Writer`] a chain: a single connection that holds the chain's advisory lock, so that losing the
//! connection loses the right to write. Reads go through a pool of their own, so that neither starves the other.

pub mod blocks;
pub mod chains;
mod copy;
pub mod events;
pub mod holders;
pub mod indexes;
pub mod openings;
pub mod outbox;
pub mod read;
mod readers;
pub mod reconcile;
mod relay;
pub mod rollback;
mod rows;
pub mod sales;
mod schema;
pub mod service;
pub mod switch;

use sqlx::{PgConnection, migrate::MigrateError, postgres::PgConnectOptions};

pub use readers::{Snapshots, counter, follower, readers, snapshot};
pub use schema::{LIVE_SCHEMA, MIGRATIONS, Place, enter_live, known_version, migrate, schema_version};

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// It does not answer, or refuses us.
    #[error("cannot connect to the database: {0}")]
    Connect(#[source] sqlx::Error),
    /// A newer version of this program has written it.
    #[error(
        "the database has schema version {found}, this program knows {known}: a newer version of crowdsale has migrated it"
    )]
    NewerSchema {
        /// Version of the database.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// No indexer of this version has migrated it yet.
    #[error("the database has schema version {found}, this program needs {known}: it has not been migrated yet")]
    OlderSchema {
        /// Version of the database, zero if it has none.
        found: i64,
        /// Version that this program needs.
        known: i64,
    },
    /// A process that knows no newer schema writes it.
    #[error(
        "the database has schema version {found} and is being written by a process that knows no newer one; this program needs {known}"
    )]
    InUse {
        /// Version of the database, zero if it has none.
        found: i64,
        /// Version that this program needs.
        known: i64,
    },
    /// A migration was changed after it was applied, or one failed half way.
    #[error("cannot migrate the database: {0}")]
    Migrate(#[source] MigrateError),
    /// There is nothing that could be indexed anew.
    #[error("nothing is indexed in this database yet")]
    NothingIndexed,
    /// The tables stand in `public`, where something else may stand too.
    #[error("the tables stand in schema public: an older version made them, and they cannot be switched as a whole")]
    InPublic,
    /// The role may not write what does not follow from the chain.
    #[error("the database's role may not write the tables of schema crowdsale_service")]
    MayNotWrite,
    /// The tables are another role's: what takes their place would be no longer.
    #[error("the live tables belong to role {owner}, and this connection is of role {role}")]
    OtherRole {
        /// Whose they are.
        owner: String,
        /// Who we are.
        role: String,
    },
    /// The connection is to a standby, which takes no writes.
    #[error("the database is read-only: this is a standby, or a failover is under way")]
    ReadOnly,
    /// The database follows another chain that has the same id.
    #[error("the database follows another chain with id {chain_id}: its genesis is {stored}, the node's is {found}")]
    OtherChain {
        /// The id both have.
        chain_id: i64,
        /// Genesis hash in the database.
        stored: crate::types::Hash32,
        /// Genesis hash of the node.
        found: crate::types::Hash32,
    },
    /// The database follows another factory, or the same from another block.
    #[error(
        "the database follows factory {stored} from block {stored_start} on chain {chain_id}, not {found} from block {found_start}"
    )]
    OtherFactory {
        /// The chain.
        chain_id: i64,
        /// Factory in the database.
        stored: crate::types::Addr,
        /// First block in the database.
        stored_start: i64,
        /// Factory that was asked for.
        found: crate::types::Addr,
        /// First block that was asked for.
        found_start: i64,
    },
    /// The block of the checkpoint is not stored, or another one is.
    #[error(
        "the database is damaged: block {number} of chain {chain_id}, where its checkpoint stands, is not the block that is stored"
    )]
    Damaged {
        /// The chain.
        chain_id: i64,
        /// Height of the checkpoint.
        number: i64,
    },
    /// The stored tip is not what the batch was built on; read the checkpoint again.
    #[error("the checkpoint moved: expected block {expected}, found {found:?}")]
    Stale {
        /// Height that the batch was built on.
        expected: i64,
        /// Height that is stored.
        found: Option<i64>,
    },
    /// The connection neither answers nor breaks.
    #[error("the database did not answer within {0} s")]
    Silent(u64),
    /// A query failed.
    #[error("the database failed: {0}")]
    Query(#[from] sqlx::Error),
}

impl DbError {
    /// Whether doing the same again later can succeed: the connection broke, or the server is restarting.
    pub fn is_transient(&self) -> bool {
        match self {
            // Every writer migrates first, so a connection can break there as anywhere.
            Self::Connect(e)
            | Self::Query(e)
            | Self::Migrate(MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _)) => is_broken(e),
            Self::ReadOnly | Self::Stale { .. } | Self::Silent(_) | Self::InUse { .. } => true,
            _ => false,
        }
    }
}

/// Whether an error is about the connection or the server's state, not about what was asked.
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => true,
        // Connection exceptions, insufficient resources, operator intervention, serialization and deadlock.
        sqlx::Error::Database(e) => {
            e.code().is_some_and(|c| ["08", "53", "57", "40", "25"].iter().any(|class| c.starts_with(class)))
        }
        _ => false,
    }
}

/// The connection that writes a chain. At most one exists a chain, database and place.
#[derive(Debug)]
pub struct Writer {
    pub(crate) connection: PgConnection,
    pub(crate) chain_id: i64,
    /// How it connected.
    options: PgConnectOptions,
    place: Place,
}

impl Writer {
    /// Connects, migrates the schema, and takes the chain's lock. `None` if another process writes this chain, or migrates.
    pub async fn acquire(options: &PgConnectOptions, chain_id: i64, place: Place) -> Result<Option<Self>, DbError> {
        let mut connection = connect(options).await?;
        let read_only: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(&mut connection).await?;
        if read_only == "on" {
            return Err(DbError::ReadOnly);
        }
        schema::migrate_at(&mut connection, place).await?;
        let shared: bool =
            sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock_shared($1) AS "locked!""#, place.schema_lock())
                .fetch_one(&mut connection)
                .await?;
        if !shared {
            return Ok(None);
        }
        // In between, a newer version may have migrated it, or what stood beside may have become what is live.
        if !schema::is_known(&mut connection).await? {
            return Ok(None);
        }
        let locked = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "locked!""#, place.chain_lock(chain_id))
            .fetch_one(&mut connection)
            .await?;
        Ok(locked.then(|| Self { connection, chain_id, options: options.clone(), place }))
    }

    /// The chain it writes.
    pub fn chain_id(&self) -> i64 {
        self.chain_id
    }

    /// Another connection like its own, without its locks.
    async fn beside(&self) -> Result<PgConnection, DbError> {
        let mut connection = connect(&self.options).await?;
        schema::enter(&mut connection, self.place).await?;
        Ok(connection)
    }
}

/// A connection that writes. If it hangs, or its host is gone, it must not hold its locks for ever.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, DbError> {
    let mut connection = relay::connect(options).await.map_err(DbError::Connect)?;
    for setting in [
        "SET idle_in_transaction_session_timeout = '60s'",
        "SET tcp_keepalives_idle = 10",
        "SET tcp_keepalives_interval = 5",
        "SET tcp_keepalives_count = 3",
        "SET tcp_user_timeout = '30s'",
    ] {
        sqlx::query(setting).execute(&mut connection).await?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_breaks_during_the_migration_is_no_reason_to_give_up() {
        let broken = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(DbError::Migrate(MigrateError::Execute(broken())).is_transient());
        assert!(DbError::Migrate(MigrateError::ExecuteMigration(broken(), 1)).is_transient());
        assert!(!DbError::Migrate(MigrateError::VersionMismatch(1)).is_transient());
        assert!(!DbError::Migrate(MigrateError::Execute(sqlx::Error::RowNotFound)).is_transient());
    }
}
