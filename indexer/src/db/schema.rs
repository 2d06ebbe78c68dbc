//! Where the tables stand and of which version they are.
//!
//! They have a schema of their own, [`Place::Live`], which readers and writers find by `search_path`. Beside it the chain can be indexed
//! anew in another, [`Place::Beside`], which then takes the first one's name: `switch` does that.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, migrate::Migrator};

use super::DbError;

/// The migrations of this version, in order.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The schema that the tables have for themselves.
pub const LIVE_SCHEMA: &str = "crowdsale";

/// Makes the live tables those that a connection means: in their schema, or in `public` where a version before that made them. In one
/// schema alone, so that nothing is found in another where this one lacks it.
const ENTER_LIVE: &str = "SELECT set_config('search_path', CASE
    WHEN to_regclass('crowdsale._sqlx_migrations') IS NULL AND to_regclass('public.sale_total') IS NOT NULL
        AND to_regclass('public._sqlx_migrations') IS NOT NULL THEN 'public'
    ELSE 'crowdsale' END, false)";

/// First half of an advisory lock's key; the second is the chain id.
const LOCK_CLASS: i64 = 0x6372_6f77_6473_616c;
/// Another key for the same lock beside. No chain id has this bit.
const BESIDE: i64 = 1 << 62;
/// How long a migration waits for writers that are about to end.
const SCHEMA_PATIENCE: Duration = Duration::from_secs(5);

/// Which tables a writer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those that are read.
    Live,
    /// A second set, which becomes live once it is complete.
    Beside,
}

impl Place {
    /// Key of the lock on the schema: whoever writes shares it, whoever migrates or switches has it alone. So nobody's tables change
    /// while it writes. No chain's key is the same: its id would be negative.
    pub(super) fn schema_lock(self) -> i64 {
        self.key(!LOCK_CLASS)
    }

    /// Key of the right to write a chain.
    pub(super) fn chain_lock(self, chain_id: i64) -> i64 {
        self.key(LOCK_CLASS ^ chain_id)
    }

    fn key(self, live: i64) -> i64 {
        match self {
            Self::Live => live,
            Self::Beside => live ^ BESIDE,
        }
    }
}

/// Makes the place's tables those that the connection means.
///
/// # Errors
/// [`DbError::NothingIndexed`] and [`DbError::InPublic`] where nothing can stand beside.
pub(super) async fn enter(connection: &mut PgConnection, place: Place) -> Result<(), DbError> {
    let live = enter_live(connection).await?;
    if place == Place::Beside {
        if live != LIVE_SCHEMA {
            return Err(DbError::InPublic);
        }
        if schema_version(connection).await? == 0 {
            return Err(DbError::NothingIndexed);
        }
        let (owner, role): (String, String) = sqlx::query_as(
            "SELECT pg_get_userbyid(nspowner)::text, current_user::text FROM pg_namespace WHERE nspname = 'crowdsale'",
        )
        .fetch_one(&mut *connection)
        .await?;
        if owner != role {
            return Err(DbError::OtherRole { owner, role });
        }
        sqlx::query("SET search_path = crowdsale_next").execute(connection).await?;
    }
    Ok(())
}

/// [`enter`] for whoever only reads; returns the schema's name.
pub async fn enter_live(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(ENTER_LIVE).fetch_one(connection).await
}

/// Brings the live schema to this version. Refuses a database that a newer version has migrated, or that a process of an older one
/// writes, and changes nothing in it.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), DbError> {
    migrate_at(connection, Place::Live).await
}

/// [`migrate`] at a place. What an older version has begun beside is begun anew: it was not filled as this one fills it.
pub(super) async fn migrate_at(connection: &mut PgConnection, place: Place) -> Result<(), DbError> {
    let known = known_version();
    let lock = place.schema_lock();
    let mut began = Instant::now();
    enter(connection, place).await?;
    loop {
        let found = schema_version(connection).await?;
        refuse_newer(found)?;
        if found == known {
            // Nothing to do, but a migration that was changed is noticed.
            return MIGRATIONS.run(connection).await.map_err(DbError::Migrate);
        }
        let alone = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "locked!""#, lock)
            .fetch_one(&mut *connection)
            .await?;
        if alone {
            make(connection, place).await?;
            MIGRATIONS.run(&mut *connection).await.map_err(DbError::Migrate)?;
            sqlx::query_scalar!("SELECT pg_advisory_unlock($1)", lock).fetch_one(&mut *connection).await?;
            return Ok(());
        }
        // Whether it is writers that hold it, or somebody who migrates, which takes as long as it takes.
        let writers = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock_shared($1) AS "locked!""#, lock)
            .fetch_one(&mut *connection)
            .await?;
        if writers {
            sqlx::query_scalar!("SELECT pg_advisory_unlock_shared($1)", lock).fetch_one(&mut *connection).await?;
            if began.elapsed() > SCHEMA_PATIENCE {
                return Err(DbError::InUse { found, known });
            }
        } else {
            began = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The schema itself. By the caller's lock nobody else does it meanwhile.
async fn make(connection: &mut PgConnection, place: Place) -> Result<(), DbError> {
    // Asked first: making one that exists needs the right to make one.
    let statements: &[&'static str] = match place {
        Place::Live => {
            let exists: bool = sqlx::query_scalar(
                "SELECT to_regnamespace(split_part(current_setting('search_path'), ',', 1)) IS NOT NULL",
            )
            .fetch_one(&mut *connection)
            .await?;
            if exists { &[] } else { &["CREATE SCHEMA crowdsale"] }
        }
        Place::Beside => &["DROP SCHEMA IF EXISTS crowdsale_next CASCADE", "CREATE SCHEMA crowdsale_next"],
    };
    // Both or none: whoever may not make one keeps what they had.
    let mut transaction = connection.begin().await?;
    for statement in statements {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

pub(super) fn refuse_newer(found: i64) -> Result<(), DbError> {
    let known = known_version();
    if found > known { Err(DbError::NewerSchema { found, known }) } else { Ok(()) }
}

/// Whether the tables are of this version. None may be there any more.
///
/// # Errors
/// [`DbError::NewerSchema`].
pub(super) async fn is_known(connection: &mut PgConnection) -> Result<bool, DbError> {
    let found = schema_version(connection).await?;
    refuse_newer(found)?;
    Ok(found == known_version())
}

/// What tells one set of live tables from another; zero if there is none.
pub async fn generation(connection: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar("SELECT coalesce(to_regclass('crowdsale.checkpoint')::oid::bigint, 0)")
        .fetch_one(connection)
        .await?)
}

/// Newest version among this program's migrations.
pub fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Newest version that was applied where the connection looks, zero if none was.
pub async fn schema_version(connection: &mut PgConnection) -> Result<i64, DbError> {
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
    use sqlx::PgPool;

    use super::*;
    use crate::db::Writer;

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
        sqlx::query("SELECT pg_advisory_lock_shared($1)")
            .bind(Place::Live.schema_lock())
            .execute(&mut *writing)
            .await
            .unwrap();
        let error = Writer::acquire(&options, 7, Place::Live).await.unwrap_err();
        assert!(matches!(error, DbError::InUse { found, .. } if found == before), "{error}");
        assert!(error.is_transient(), "it goes on once the other has ended");
        assert_eq!(schema_version(&mut writing).await.unwrap(), before, "nothing was changed");

        sqlx::query("SELECT pg_advisory_unlock_shared($1)")
            .bind(Place::Live.schema_lock())
            .execute(&mut *writing)
            .await
            .unwrap();
        let writer = Writer::acquire(&options, 7, Place::Live).await.unwrap().unwrap();
        assert_eq!(schema_version(&mut writing).await.unwrap(), known_version());
        // Another of the same version writes another chain beside it; nobody can migrate meanwhile.
        let beside = Writer::acquire(&options, 8, Place::Live).await.unwrap().unwrap();
        let alone = "SELECT pg_try_advisory_lock($1)";
        drop(writer);
        assert!(
            !sqlx::query_scalar::<_, bool>(alone)
                .bind(Place::Live.schema_lock())
                .fetch_one(&mut *writing)
                .await
                .unwrap()
        );
        drop(beside);
        // Not at once: the server has to notice that they are gone.
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(Place::Live.schema_lock())
            .execute(&mut *writing)
            .await
            .unwrap();
        assert!(
            Writer::acquire(&options, 7, Place::Live).await.unwrap().is_none(),
            "it stands by while another migrates"
        );
    }

    #[sqlx::test(migrations = false)]
    async fn many_that_start_at_once_migrate_once(pool: PgPool) {
        let options = (*pool.connect_options()).clone();
        let all = (1..=8).map(|chain| Writer::acquire(&options, chain, Place::Live));
        for writer in futures::future::join_all(all).await {
            writer.unwrap().unwrap();
        }
    }

    #[sqlx::test(migrations = false)]
    async fn tables_have_a_schema_of_their_own_and_those_of_before_stay_where_they_are(pool: PgPool) {
        let options = (*pool.connect_options()).clone();
        let schemas = "SELECT string_agg(DISTINCT schemaname, ' ') FROM pg_tables WHERE tablename = 'checkpoint'";
        // Another program's table of the same name is not ours.
        sqlx::query("CREATE TABLE public._sqlx_migrations (version bigint)").execute(&pool).await.unwrap();
        drop(Writer::acquire(&options, 7, Place::Live).await.unwrap().unwrap());
        let found: String = sqlx::query_scalar(schemas).fetch_one(&pool).await.unwrap();
        assert_eq!(found, "crowdsale");

        sqlx::query("DROP SCHEMA crowdsale CASCADE").execute(&pool).await.unwrap();
        sqlx::query("DROP TABLE public._sqlx_migrations").execute(&pool).await.unwrap();
        let error = Writer::acquire(&options, 7, Place::Beside).await.unwrap_err();
        assert!(matches!(error, DbError::NothingIndexed), "{error}");
        older(&pool).await;
        let writer = Writer::acquire(&options, 7, Place::Live).await.unwrap().unwrap();
        let found: String = sqlx::query_scalar(schemas).fetch_one(&pool).await.unwrap();
        assert_eq!(found, "public", "an index begun before goes on");
        let error = Writer::acquire(&options, 7, Place::Beside).await.unwrap_err();
        assert!(matches!(error, DbError::InPublic), "{error}");
        drop(writer);
    }

    #[sqlx::test(migrations = false)]
    async fn what_an_older_version_began_beside_is_begun_anew(pool: PgPool) {
        let options = (*pool.connect_options()).clone();
        drop(Writer::acquire(&options, 7, Place::Live).await.unwrap().unwrap());
        let mut beside = Writer::acquire(&options, 7, Place::Beside).await.unwrap().unwrap().connection;
        let count = "SELECT count(*) FROM outbox";
        for statement in [
            "INSERT INTO outbox (chain_id, kind, from_block, to_block, hash) VALUES (7, 'applied', 1, 1, sha256('a'))",
            "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
        ] {
            sqlx::query(statement).execute(&mut beside).await.unwrap();
        }
        sqlx::Connection::close(beside).await.unwrap();
        let mut beside = loop {
            // The server may not have noticed yet that the other is gone.
            if let Some(writer) = Writer::acquire(&options, 7, Place::Beside).await.unwrap() {
                break writer.connection;
            }
        };
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut beside).await.unwrap(), 0);
        // And is not the live one.
        let live: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut beside).await.unwrap();
        assert_eq!(live, "crowdsale_next");
    }
}
