//! What stands beside takes the place of the live tables: compared first, then in one transaction that renames two schemas.
//!
//! Readers go on throughout: those under way end on the old tables, the next begin on the new ones. Writers are ended and kept out for
//! the moment it takes; they go on with the new tables by themselves.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::{DbError, Place, Writer, chains::Tip, connect, outbox, read::chains::find_digest, schema::generation};
use crate::types::Hash32;

/// Longest wait for writers that are being ended.
const PATIENCE: &str = "SET lock_timeout = '5s'";
/// Longest wait for readers that have begun; those that come meanwhile wait as long. Then they go first, and it is tried again.
const READERS_WAIT: &str = "SET LOCAL lock_timeout = '500ms'";
/// Tries to get in between readers while writers wait.
const TRIES: usize = 3;
/// Tables that do not follow from the events, or are filled apart from them: they move with the switch.
const KEPT: [&str; 5] = ["outbox", "outbox_forgotten", "reverted_event", "holder_checkpoint", "token_holder"];

/// What a switch has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switched {
    /// The chains, with the height and the digest at which both sets of tables were compared.
    pub chains: Vec<Compared>,
    /// Tables and views of the old schema that have no namesake in the new one: they are left in `crowdsale_old`.
    pub left_behind: Vec<String>,
}

/// A chain in both sets of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The chain.
    pub chain_id: i64,
    /// The live tip, up to which they were compared.
    pub number: i64,
    /// Digest of the live tables there.
    pub live: Option<Hash32>,
    /// Digest of those beside.
    pub beside: Option<Hash32>,
    /// The lowest block at which the digests differ.
    pub differs_from: Option<i64>,
    /// Hash of the live tip.
    hash: Hash32,
    /// The tip beside.
    tip: (i64, Hash32),
}

/// Why it was not switched. Most of it passes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// A chain of the live tables is not indexed beside as far as it is there.
    Behind {
        /// The chain.
        chain_id: i64,
        /// Height of the live tables.
        live: i64,
        /// Height beside; `None` if nothing of the chain is there.
        beside: Option<i64>,
    },
    /// The two stand on different branches, or one of them has not yet followed a reorg.
    Reorg {
        /// The chain.
        chain_id: i64,
    },
    /// They differ in what is final.
    Differs(Compared),
    /// Views or tables of other schemas depend on the live tables, and would go on reading the old ones.
    Dependents(Vec<String>),
    /// The writers could not be ended: they are another role's, or somebody migrates.
    Writers,
    /// Somebody reads for longer than the switch waits; the sessions, as Postgres names them.
    Readers(Vec<String>),
}

/// Compares, and where all is well switches. With `accept`, also where the two differ in what is final.
///
/// # Errors
/// Those of the database; nothing was changed then, or all of it was: [`generation_of`] tells.
pub async fn switch(writer: &mut Writer, accept: bool) -> Result<Result<Switched, NotYet>, DbError> {
    // Without disturbing anybody first: mostly it is too early.
    let mut transaction = writer.connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let compared = compare(&mut transaction, accept).await?;
    transaction.rollback().await?;
    if let Err(why) = compared {
        return Ok(Err(why));
    }
    // What an earlier switch has left goes now, while nobody waits: its files can be large.
    sqlx::query("DROP SCHEMA IF EXISTS crowdsale_old CASCADE").execute(&mut writer.connection).await?;
    // Nor is a writer stopped while somebody reads for long: it would stand still until they have done.
    let reading = sqlx::query_scalar!(
        r#"SELECT concat_ws(' ', a.pid, nullif(a.application_name, ''), a.usename) AS "session!"
           FROM pg_locks l JOIN pg_stat_activity a USING (pid)
           WHERE l.relation = to_regclass('crowdsale.checkpoint') AND l.granted AND l.mode = 'AccessShareLock'
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND a.xact_start < clock_timestamp() - interval '1 second'
           ORDER BY a.xact_start LIMIT 5"#
    )
    .fetch_all(&mut writer.connection)
    .await?;
    if !reading.is_empty() {
        return Ok(Err(NotYet::Readers(reading)));
    }
    sqlx::query(PATIENCE).execute(&mut writer.connection).await?;
    let mut outcome = Ok(Err(NotYet::Writers));
    // Those beside first: they are ours alone.
    if alone(writer, Place::Beside).await? {
        if alone(writer, Place::Live).await? {
            outcome = swap(writer, accept).await;
            unlock(writer, Place::Live).await?;
        }
        unlock(writer, Place::Beside).await?;
    }
    sqlx::query("SET lock_timeout = 0").execute(&mut writer.connection).await?;
    outcome
}

/// What tells the live tables from others that take their place.
pub async fn generation_of(options: &sqlx::postgres::PgConnectOptions) -> Result<i64, DbError> {
    let mut connection = connect(options).await?;
    let found = generation(&mut connection).await?;
    connection.close().await?;
    Ok(found)
}

/// All chains of the live tables, compared at the live tip; or the first reason why they cannot take each other's place.
async fn compare(connection: &mut PgConnection, accept: bool) -> Result<Result<Vec<Compared>, NotYet>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT l.chain_id AS "chain_id!", l.number AS "live!", l.hash AS "hash!: Hash32",
                  b.number AS "beside?", b.hash AS "tip_hash?: Hash32", b.finalized_number AS "finalized?",
                  (SELECT s.hash FROM block s WHERE s.chain_id = l.chain_id AND s.number = l.number) AS "stored?: Hash32",
                  EXISTS (SELECT FROM deferred_index) AS "incomplete!"
           FROM crowdsale.checkpoint l LEFT JOIN checkpoint b ON b.chain_id = l.chain_id ORDER BY l.chain_id"#
    )
    .fetch_all(&mut *connection)
    .await?;
    let schemas = ["crowdsale", "crowdsale_old"].map(str::to_owned);
    let dependents: Vec<String> =
        sqlx::query_scalar!(r#"SELECT dependent AS "dependent!" FROM outside_dependents($1)"#, &schemas[..])
            .fetch_all(&mut *connection)
            .await?;
    let mut all = Vec::new();
    for row in rows {
        let (chain_id, live) = (row.chain_id, row.live);
        let (Some(beside), Some(tip_hash), Some(finalized)) = (row.beside, row.tip_hash, row.finalized) else {
            return Ok(Err(NotYet::Behind { chain_id, live, beside: None }));
        };
        if beside < live || row.incomplete {
            return Ok(Err(NotYet::Behind { chain_id, live, beside: Some(beside) }));
        }
        let (mut digests, mut differs_from) = (digests(connection, chain_id, live).await?, None);
        let tip = (beside, tip_hash);
        if digests.0 != digests.1 {
            let (mut same, mut different) = (-1, live);
            while different - same > 1 {
                let middle = same + (different - same) / 2;
                let at = self::digests(connection, chain_id, middle).await?;
                if at.0 == at.1 {
                    same = middle;
                } else {
                    (different, digests) = (middle, at);
                }
            }
            differs_from = Some(different);
        }
        let compared =
            Compared { chain_id, number: live, live: digests.0, beside: digests.1, differs_from, hash: row.hash, tip };
        match differs_from {
            Some(block) if block > finalized => return Ok(Err(NotYet::Reorg { chain_id })),
            Some(_) if !accept => return Ok(Err(NotYet::Differs(compared))),
            // Every block that is not final is stored; of the others the digest says what there is to say.
            None if row.stored.is_some_and(|stored| stored != row.hash) => return Ok(Err(NotYet::Reorg { chain_id })),
            _ => all.push(compared),
        }
    }
    Ok(if dependents.is_empty() { Ok(all) } else { Err(NotYet::Dependents(dependents)) })
}

/// The running digests as of a height, of the live tables and of those beside. None where nothing is stored below.
async fn digests(
    connection: &mut PgConnection,
    chain_id: i64,
    at: i64,
) -> Result<(Option<Hash32>, Option<Hash32>), DbError> {
    let live = sqlx::query_scalar!(
        r#"SELECT digest AS "digest: Hash32" FROM crowdsale.block WHERE chain_id = $1 AND number <= $2
           ORDER BY number DESC LIMIT 1"#,
        chain_id,
        at
    )
    .fetch_optional(&mut *connection)
    .await?;
    let beside = find_digest(connection, chain_id, at).await?;
    // Below the first stored block nothing was applied, as where the first block held nothing.
    Ok((live.unwrap_or(Some(Hash32::default())), beside.unwrap_or(Some(Hash32::default()))))
}

/// Takes the lock on a place's schema alone: ends the writers that share it, who cannot take it again while this waits for it.
async fn alone(writer: &mut Writer, place: Place) -> Result<bool, DbError> {
    let key = place.schema_lock();
    let own = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#).fetch_one(&mut writer.connection).await?;
    let mut other = connect(&writer.options).await?;
    let end_others = async {
        loop {
            // Not before the lock is waited for, or they would have it again at once. Only who is ours to end.
            sqlx::query!(
                r#"WITH locks AS MATERIALIZED (
                       SELECT pid, granted, mode FROM pg_locks
                       WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = $1
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
                   SELECT count(pg_terminate_backend(a.pid)) AS "count!"
                   FROM locks l JOIN pg_stat_activity a USING (pid)
                   WHERE l.granted AND l.mode = 'ShareLock' AND l.pid <> $2 AND pg_has_role(a.usesysid, 'MEMBER')
                     AND EXISTS (SELECT FROM locks w WHERE w.pid = $2 AND NOT w.granted)"#,
                key,
                own
            )
            .fetch_one(&mut other)
            .await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let locked = tokio::select! {
        locked = sqlx::query!("SELECT pg_advisory_lock($1)", key).fetch_one(&mut writer.connection) => locked.map(|_| ()),
        refused = end_others => {
            let refused: Result<std::convert::Infallible, sqlx::Error> = refused;
            match refused {
                Ok(never) => match never {},
                Err(error) => return Err(error.into()),
            }
        }
    };
    match locked {
        Ok(()) => Ok(true),
        Err(error) if is_lock_timeout(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn unlock(writer: &mut Writer, place: Place) -> Result<(), DbError> {
    sqlx::query_scalar!("SELECT pg_advisory_unlock($1)", place.schema_lock()).fetch_one(&mut writer.connection).await?;
    Ok(())
}

/// With all writers out: waits until nobody reads, compares once more, and renames.
async fn swap(writer: &mut Writer, accept: bool) -> Result<Result<Switched, NotYet>, DbError> {
    for _ in 0..TRIES {
        let mut transaction = writer.connection.begin().await?;
        sqlx::query(READERS_WAIT).execute(&mut *transaction).await?;
        // Whoever reads holds it, and whoever comes waits for it.
        match sqlx::query("LOCK TABLE crowdsale.checkpoint IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await {
            Ok(_) => return rename(transaction, accept).await,
            Err(error) if is_lock_timeout(&error) => transaction.rollback().await?,
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(Err(NotYet::Readers(Vec::new())))
}

async fn rename(mut transaction: Transaction<'_, Postgres>, accept: bool) -> Result<Result<Switched, NotYet>, DbError> {
    let chains = match compare(&mut transaction, accept).await? {
        Ok(chains) => chains,
        Err(why) => return Ok(Err(why)),
    };
    let left_behind = sqlx::query_scalar!(
        r#"SELECT o.relname::text AS "name!" FROM pg_class o
           WHERE o.relnamespace = to_regnamespace('crowdsale') AND o.relkind IN ('r', 'v', 'm', 'p')
             AND NOT EXISTS (SELECT FROM pg_class n WHERE n.relnamespace = to_regnamespace('crowdsale_next')
                             AND n.relname = o.relname)
           ORDER BY 1"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    for table in KEPT {
        sqlx::query!("SELECT carry_over('crowdsale', $1) WHERE to_regclass('crowdsale.' || $1) IS NOT NULL", table)
            .fetch_optional(&mut *transaction)
            .await?;
    }
    for chain in &chains {
        tell(&mut transaction, chain).await?;
    }
    sqlx::query!("SELECT copy_grants('crowdsale', 'crowdsale_next')").fetch_one(&mut *transaction).await?;
    for statement in
        ["ALTER SCHEMA crowdsale RENAME TO crowdsale_old", "ALTER SCHEMA crowdsale_next RENAME TO crowdsale"]
    {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(Ok(Switched { chains, left_behind }))
}

/// Whoever reads the outbox has been told of the live tables: it is told what of that no longer holds, and what is new.
async fn tell(connection: &mut PgConnection, chain: &Compared) -> Result<(), DbError> {
    let Compared { chain_id, number, hash, tip, .. } = *chain;
    if let Some(block) = chain.differs_from {
        let seq = outbox::reverted(connection, chain_id, block, (number, hash)).await?;
        sqlx::query!("SELECT note_reverted('crowdsale', $1, $2, $3)", chain_id, seq, block)
            .fetch_one(&mut *connection)
            .await?;
    }
    let from = chain.differs_from.unwrap_or(number + 1);
    let tip = Tip { number: tip.0, hash: tip.1, timestamp: 0, digest: None };
    if from <= tip.number {
        outbox::applied(connection, chain_id, from, tip).await?;
    }
    outbox::notify(connection, chain_id, tip).await
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if e.code().as_deref() == Some("55P03"))
}
