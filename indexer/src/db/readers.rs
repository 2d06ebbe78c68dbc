//! Connections that only read, and the snapshots that answers are made of.
//!
//! A connection's prepared statements are of the tables that were live when it was made. When others take their place, it is replaced
//! before it reads again; a snapshot that has begun keeps them in place until it ends.

use std::time::Duration;

use sqlx::{
    Connection, Executor, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    DbError,
    schema::{enter_live, known_version, schema_version},
};

/// Which tables the connection's statements are of, as the connection remembers it.
const REMEMBER: &str =
    "SELECT set_config('crowdsale.tables', coalesce(to_regclass('checkpoint')::oid::text, ''), false)";
/// Whether they are still the live ones. One that remembers nothing was made by somebody else.
const IS_CURRENT: &str = "SELECT coalesce(nullif(current_setting('crowdsale.tables', true), '') = to_regclass('checkpoint')::oid::text, true)";
// The same, and from now on they stay; with the oldest version that can read them. Not before the lock: names mean now what they will
// mean until it is released.
macro_rules! hold {
    () => {
        "LOCK TABLE checkpoint IN ACCESS SHARE MODE;
        SELECT coalesce(nullif(current_setting('crowdsale.tables', true), '') = to_regclass('checkpoint')::oid::text, true),
            (SELECT oldest FROM reader)"
    };
}
const HOLD: &str = hold!();
/// A snapshot's beginning and [`HOLD`], in one round trip.
const BEGIN_AND_HOLD: &str = concat!("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;", hold!());
/// Tries for a snapshot: tables are switched once in months, not twice in a moment.
const TRIES: usize = 4;

/// A pool for reading. Fails if the schema is older than this version, or too new for it.
pub async fn readers(options: &PgConnectOptions, connections: u32) -> Result<PgPool, DbError> {
    // Readers only read, and no question may hold a connection for ever.
    let options = options.clone().options([
        ("default_transaction_read_only", "on"),
        ("statement_timeout", "10s"),
        // What it compiles a page's query for takes a hundred times as long as the page.
        ("jit", "off"),
        // Making plans takes longer than what they find, so they are made once a connection; `tests/api/plans.rs` holds these to account.
        ("plan_cache_mode", "force_generic_plan"),
    ]);
    // The pool would try a refused connection again until its time is up, and then name only the time.
    let mut connection = PgConnection::connect_with(&options).await.map_err(DbError::Connect)?;
    remember(&mut connection).await?;
    let (found, known) = (schema_version(&mut connection).await?, known_version());
    if found < known {
        return Err(DbError::OlderSchema { found, known });
    }
    let oldest: i64 = sqlx::query_scalar("SELECT oldest FROM reader").fetch_one(&mut connection).await?;
    if oldest > known {
        return Err(DbError::NewerSchema { found, known });
    }
    connection.close().await?;
    of_current_tables(connections).connect_with(options).await.map_err(DbError::Connect)
}

/// A pool of one connection like those of `pool`, for who asks the same few questions again and again. Connects when it is first asked.
pub fn follower(pool: &PgPool) -> PgPool {
    of_current_tables(1).connect_lazy_with((*pool.connect_options()).clone())
}

/// A pool of one connection that writes apart from the chain's writer, into the tables that are live. Connects when it is first asked.
pub fn counter(options: &PgConnectOptions) -> PgPool {
    let options =
        options.clone().options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "60s")]);
    of_current_tables(1).connect_lazy_with(options)
}

/// So many connections, each replaced when other tables have become the live ones.
fn of_current_tables(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        .after_connect(|connection, _| Box::pin(remember(connection)))
        // It is a round trip, as the test for a broken connection that it replaces.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async { sqlx::query_scalar(IS_CURRENT).fetch_one(connection).await }))
}

async fn remember(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    enter_live(connection).await?;
    connection.execute(REMEMBER).await?;
    Ok(())
}

/// A read-only transaction whose queries all see the same state: an answer and the checkpoint beside it belong together.
///
/// # Errors
/// [`DbError::NewerSchema`] if the tables have become newer than this version can read.
pub async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, DbError> {
    for _ in 0..TRIES {
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        if hold(&mut transaction, HOLD).await? {
            return Ok(transaction);
        }
        // The pool replaces the connection when it is asked for the next.
        transaction.rollback().await?;
    }
    Err(DbError::Query(sqlx::Error::PoolTimedOut))
}

/// Whether the connection's statements are of the tables that are live, which stay so until the transaction ends.
async fn hold(connection: &mut PgConnection, statements: &'static str) -> Result<bool, DbError> {
    let row = sqlx::raw_sql(statements).fetch_one(connection).await?;
    let (current, oldest): (bool, i64) = sqlx::FromRow::from_row(&row)?;
    let known = known_version();
    if oldest > known {
        return Err(DbError::NewerSchema { found: oldest, known });
    }
    Ok(current)
}

/// A connection of one's own for snapshots that begin in one round trip, for who is waited for. Given up with its first error.
#[derive(Debug)]
pub struct Snapshots(PgConnection);

impl Snapshots {
    /// Connects as those of `pool`.
    pub async fn connect(pool: &PgPool) -> Result<Self, DbError> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await.map_err(DbError::Connect)?;
        remember(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Begins a [`snapshot`]; `None` where another connection is needed, as other tables have become the live ones.
    pub async fn begin(&mut self) -> Result<Option<&mut PgConnection>, DbError> {
        Ok(hold(&mut self.0, BEGIN_AND_HOLD).await?.then_some(&mut self.0))
    }

    /// Ends it.
    pub async fn end(&mut self) -> Result<(), DbError> {
        self.0.execute("ROLLBACK").await?;
        Ok(())
    }
}
