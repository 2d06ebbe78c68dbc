//! All SQL, a file a group of tables. Nothing here knows a log or a route.
//!
//! Writes go through one [`Writer`] a chain: a single connection that holds the chain's advisory lock, so that losing the
//! connection loses the right to write. Reads go through a pool of their own, so that neither starves the other.

pub mod blocks;
pub mod chains;
mod copy;
pub mod events;
pub mod indexes;
pub mod outbox;
pub mod read;
pub mod reconcile;
mod relay;
pub mod rollback;
mod rows;
pub mod sales;

use std::time::{Duration, Instant};

use sqlx::{
    Connection, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The migrations of this version, in order.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

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

/// The connection that writes a chain. At most one exists a chain and database.
#[derive(Debug)]
pub struct Writer {
    pub(crate) connection: PgConnection,
    pub(crate) chain_id: i64,
    /// How it connected.
    options: PgConnectOptions,
}

/// First half of the advisory lock's key; the second is the chain id.
const LOCK_CLASS: i64 = 0x6372_6f77_6473_616c;
/// Key of the lock on the schema: whoever writes shares it, whoever migrates has it alone. So nobody's tables change while it writes.
/// No chain's key is the same: its id would be negative.
const SCHEMA_LOCK: i64 = !LOCK_CLASS;
/// How long a migration waits for writers that are about to end.
const SCHEMA_PATIENCE: Duration = Duration::from_secs(5);

impl Writer {
    /// Connects, migrates the schema, and takes the chain's lock. `None` if another process writes this chain, or migrates.
    pub async fn acquire(options: &PgConnectOptions, chain_id: i64) -> Result<Option<Self>, DbError> {
        let mut connection = connect(options).await?;
        let read_only: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(&mut connection).await?;
        if read_only == "on" {
            return Err(DbError::ReadOnly);
        }
        migrate(&mut connection).await?;
        let shared: bool = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock_shared($1) AS "locked!""#, SCHEMA_LOCK)
            .fetch_one(&mut connection)
            .await?;
        if !shared {
            return Ok(None);
        }
        // A newer version may have migrated it in between.
        refuse_newer(schema_version(&mut connection).await?)?;
        let locked = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "locked!""#, LOCK_CLASS ^ chain_id)
            .fetch_one(&mut connection)
            .await?;
        Ok(locked.then(|| Self { connection, chain_id, options: options.clone() }))
    }

    /// The chain it writes.
    pub fn chain_id(&self) -> i64 {
        self.chain_id
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

/// Brings the schema to this version. Refuses a database that a newer version has migrated, or that a process of an older one writes,
/// and changes nothing in it.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), DbError> {
    let known = known_version();
    let mut began = Instant::now();
    loop {
        let found = schema_version(connection).await?;
        refuse_newer(found)?;
        if found == known {
            // Nothing to do, but a migration that was changed is noticed.
            return MIGRATIONS.run(connection).await.map_err(DbError::Migrate);
        }
        let alone = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "locked!""#, SCHEMA_LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if alone {
            MIGRATIONS.run(&mut *connection).await.map_err(DbError::Migrate)?;
            sqlx::query_scalar!("SELECT pg_advisory_unlock($1)", SCHEMA_LOCK).fetch_one(&mut *connection).await?;
            return Ok(());
        }
        // Whether it is writers that hold it, or somebody who migrates, which takes as long as it takes.
        let writers = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock_shared($1) AS "locked!""#, SCHEMA_LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if writers {
            sqlx::query_scalar!("SELECT pg_advisory_unlock_shared($1)", SCHEMA_LOCK)
                .fetch_one(&mut *connection)
                .await?;
            if began.elapsed() > SCHEMA_PATIENCE {
                return Err(DbError::InUse { found, known });
            }
        } else {
            began = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn refuse_newer(found: i64) -> Result<(), DbError> {
    let known = known_version();
    if found > known { Err(DbError::NewerSchema { found, known }) } else { Ok(()) }
}

/// A pool for reading. Fails if the schema is not of this version.
pub async fn readers(options: &PgConnectOptions, connections: u32) -> Result<PgPool, DbError> {
    // The pool would try a refused connection again until its time is up, and then name only the time.
    PgConnection::connect_with(options).await.map_err(DbError::Connect)?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        // Readers only read, and no question may hold a connection for ever.
        .connect_with(options.clone().options([("default_transaction_read_only", "on"), ("statement_timeout", "10s")]))
        .await
        .map_err(DbError::Connect)?;
    let mut connection = pool.acquire().await?;
    let found = schema_version(&mut connection).await?;
    refuse_newer(found)?;
    let known = known_version();
    if found < known { Err(DbError::OlderSchema { found, known }) } else { Ok(pool) }
}

/// Newest version among this program's migrations.
fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Newest version that was applied to the database, zero if none was.
async fn schema_version(connection: &mut PgConnection) -> Result<i64, DbError> {
    // Not a checked query: sqlx makes this table itself, and it is not there before the first migration.
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    if !exists {
        return Ok(0);
    }
    Ok(sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> sqlx::Error {
        sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())
    }

    /// A database as the version before this one left it.
    async fn older(pool: &PgPool) -> i64 {
        let mut all: Vec<_> = MIGRATIONS.iter().cloned().collect();
        all.pop();
        let older = Migrator { migrations: all.into(), ..Migrator::DEFAULT };
        older.run(pool).await.unwrap();
        schema_version(&mut pool.acquire().await.unwrap()).await.unwrap()
    }

    #[sqlx::test(migrations = false)]
    async fn a_running_older_version_is_not_migrated_under(pool: PgPool) {
        let before = older(&pool).await;
        assert!(before < known_version());
        let options = (*pool.connect_options()).clone();
        // What a writer of the older version holds.
        let mut writing = pool.acquire().await.unwrap();
        sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(SCHEMA_LOCK).execute(&mut *writing).await.unwrap();
        let error = Writer::acquire(&options, 7).await.unwrap_err();
        assert!(matches!(error, DbError::InUse { found, .. } if found == before), "{error}");
        assert!(error.is_transient(), "it goes on once the other has ended");
        assert_eq!(schema_version(&mut writing).await.unwrap(), before, "nothing was changed");

        sqlx::query("SELECT pg_advisory_unlock_shared($1)").bind(SCHEMA_LOCK).execute(&mut *writing).await.unwrap();
        let writer = Writer::acquire(&options, 7).await.unwrap().unwrap();
        assert_eq!(schema_version(&mut writing).await.unwrap(), known_version());
        // Another of the same version writes another chain beside it; nobody can migrate meanwhile.
        let beside = Writer::acquire(&options, 8).await.unwrap().unwrap();
        let alone = "SELECT pg_try_advisory_lock($1)";
        drop(writer);
        assert!(!sqlx::query_scalar::<_, bool>(alone).bind(SCHEMA_LOCK).fetch_one(&mut *writing).await.unwrap());
        drop(beside);
        // Not at once: the server has to notice that they are gone.
        sqlx::query("SELECT pg_advisory_lock($1)").bind(SCHEMA_LOCK).execute(&mut *writing).await.unwrap();
        assert!(Writer::acquire(&options, 7).await.unwrap().is_none(), "it stands by while another migrates");
    }

    #[sqlx::test(migrations = false)]
    async fn many_that_start_at_once_migrate_once(pool: PgPool) {
        let options = (*pool.connect_options()).clone();
        let all = (1..=8).map(|chain| Writer::acquire(&options, chain));
        for writer in futures::future::join_all(all).await {
            writer.unwrap().unwrap();
        }
    }

    #[test]
    fn a_connection_that_breaks_during_the_migration_is_no_reason_to_give_up() {
        assert!(DbError::Migrate(MigrateError::Execute(broken())).is_transient());
        assert!(DbError::Migrate(MigrateError::ExecuteMigration(broken(), 1)).is_transient());
        assert!(!DbError::Migrate(MigrateError::VersionMismatch(1)).is_transient());
        assert!(!DbError::Migrate(MigrateError::Execute(sqlx::Error::RowNotFound)).is_transient());
    }
}
