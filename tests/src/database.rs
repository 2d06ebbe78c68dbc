//! A database of its own for every test.

use std::{
    env, process,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy::primitives::{B256, keccak256};
use crowdsale::db::LIVE_SCHEMA;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task,
};

use crate::until;

/// How far the indexer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Height of the tip.
    pub number: u64,
    /// Hash of the tip.
    pub hash: B256,
    /// The node's head when the indexer last asked.
    pub head: u64,
    /// Why it halted, if it did.
    pub halted: Option<String>,
}

/// A database, dropped with the value.
#[derive(Debug)]
pub struct Database {
    name: String,
    server: String,
    /// URL for the binary under test.
    pub url: String,
    /// One connection of the test's own.
    pub pool: PgPool,
}

impl Database {
    /// Creates it, without a schema, on the server of `DATABASE_URL`.
    pub async fn create() -> Self {
        Self::create_from("template0").await
    }

    /// Creates it with the schema.
    pub async fn migrated() -> Self {
        Template::with("").await.database().await
    }

    async fn create_from(template: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let server = server();
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("e2e_{}_{}_{nanos}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let url = url_of(&server, &name);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            // Statements are prepared each time: after a switch the tables of that name are others.
            .connect_with(options_of(&url).statement_cache_capacity(0))
            .await
            .expect("the new database");
        Self { name, server, url, pool }
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        options_of(&self.url)
    }

    /// The first column of what a query returns, as texts.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_all(&self.pool)
            .await
            .unwrap_or_else(|e| panic!("{e}: {query}"))
    }

    /// The one number that a query returns.
    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&self.pool)
            .await
            .unwrap_or_else(|e| panic!("{e}: {query}"))
    }

    /// Runs a statement.
    pub async fn execute(&self, statement: &str) -> u64 {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap_or_else(|e| panic!("{e}: {statement}"))
            .rows_affected()
    }

    /// The only chain's checkpoint; `None` before the first batch, even before the schema is there.
    pub async fn checkpoint(&self) -> Option<Checkpoint> {
        let row = match sqlx::query("SELECT number, hash, head_number, halted FROM checkpoint")
            .fetch_optional(&self.pool)
            .await
        {
            Ok(row) => row?,
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P01") => return None,
            Err(e) => panic!("{e}"),
        };
        Some(Checkpoint {
            number: u64::try_from(row.get::<i64, _>("number")).unwrap(),
            hash: B256::from_slice(row.get("hash")),
            head: u64::try_from(row.get::<i64, _>("head_number")).unwrap(),
            halted: row.get("halted"),
        })
    }

    /// All rows of all tables but those named, each as a text.
    pub async fn dump(&self, but: &[&str]) -> Vec<String> {
        let mut rows = Vec::new();
        for table in self.texts("SELECT tablename::text FROM pg_tables WHERE schemaname = 'crowdsale' ORDER BY 1").await
        {
            // Holders are counted at their own pace.
            let apart = ["holder_checkpoint", "token_holder"].contains(&table.as_str());
            if !apart && !but.contains(&table.as_str()) {
                let query = format!("SELECT '{table}: ' || t::text FROM {table} t ORDER BY 1");
                rows.extend(self.texts(&query).await);
            }
        }
        rows
    }

    /// Ends all connections but the test's own; returns how many of them were an indexer's
    /// that has the right to write.
    pub async fn cut_connections(&self) -> i64 {
        self.number(
            // Who holds the lock is read before anybody is cut: the dead hold none.
            "WITH others AS MATERIALIZED (
                 SELECT pid, pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted) AS writes
                 FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid())
             SELECT count(*) FILTER (WHERE cut AND writes)
             FROM (SELECT pg_terminate_backend(pid) AS cut, writes FROM others) c",
        )
        .await
    }
}

/// A database with the schema, of which others are made: faster than migrating each. It stays on the server for the next run.
#[derive(Clone, Debug)]
pub struct Template(String);

impl Template {
    /// With a script on top of the schema. It is made once for each schema and script.
    pub async fn with(script: &'static str) -> Self {
        let mut versions = script.as_bytes().to_vec();
        crowdsale::db::MIGRATIONS.iter().for_each(|m| versions.extend_from_slice(&m.checksum));
        let name = format!("e2e_template_{}", alloy::hex::encode(&keccak256(versions)[..12]));
        let (url, mut server) = (server(), connect(&server()).await);
        // Tests run in processes of their own.
        let lock = "SELECT pg_advisory_lock(hashtext('e2e_template'))";
        sqlx::query(lock).execute(&mut server).await.expect("the lock");
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
            .bind(&name)
            .fetch_one(&mut server)
            .await
            .expect("the server answers");
        if found == 0 {
            let draft = format!("{name}_{}", process::id());
            execute(&url, format!("CREATE DATABASE {draft} TEMPLATE template0")).await;
            let mut connection = connect(&url_of(&url, &draft)).await;
            crowdsale::db::migrate(&mut connection).await.expect("it can be migrated");
            sqlx::raw_sql(script).execute(&mut connection).await.expect("the script runs");
            // Nobody may be connected to what is copied.
            connection.close().await.expect("the server is there");
            execute(&url, format!("ALTER DATABASE {draft} RENAME TO {name}")).await;
        }
        server.close().await.expect("the server is there");
        Self(name)
    }

    /// A database like it.
    pub async fn database(&self) -> Database {
        Database::create_from(&self.0).await
    }
}

/// With the live tables as those that a query means.
fn options_of(url: &str) -> PgConnectOptions {
    let options: PgConnectOptions = url.parse().expect("a URL of Postgres");
    options.options([("search_path", LIVE_SCHEMA)])
}

/// The server that tests make their databases on.
fn server() -> String {
    env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres server, as `scripts/postgres start` prints it")
}

fn url_of(server: &str, database: &str) -> String {
    let (start, _) = server.rsplit_once('/').expect("DATABASE_URL ends with a database");
    format!("{start}/{database}")
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap_or_else(|e| panic!("no Postgres server at DATABASE_URL: {e}"))
}

/// A table that nobody else can write.
#[derive(Debug)]
pub struct Held<'a> {
    database: &'a Database,
    connection: PgConnection,
    table: &'a str,
}

impl Database {
    /// Lets everybody read a table, and write it when this is released.
    pub async fn hold<'a>(&'a self, table: &'a str) -> Held<'a> {
        let mut connection = PgConnection::connect_with(&self.options()).await.expect("the database");
        for statement in ["BEGIN".to_owned(), format!("LOCK TABLE {table} IN SHARE MODE")] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the table");
        }
        Held { database: self, connection, table }
    }
}

impl Held<'_> {
    /// Waits until somebody wants to write the table.
    pub async fn wanted(&self) {
        let query = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}'::regclass
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            self.table
        );
        let what = format!("somebody writes {}", self.table);
        until(&what, async || (self.database.number(&query).await > 0).then_some(())).await;
    }

    /// Releases it, and waits until no writer's connection is left.
    pub async fn release(self) {
        self.connection.close().await.expect("the server is there");
        until("the killed writer's connection is gone", async || {
            let query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            (self.database.number(query).await == 0).then_some(())
        })
        .await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        // Its connections end before it does, and something may have to run for that.
        let several = Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread);
        let dropped = if several { task::block_in_place(|| dropping.join()) } else { dropping.join() };
        if dropped.is_err() {
            eprintln!("the database {} is left behind", self.name);
        }
    }
}

async fn execute(server: &str, statement: String) {
    let mut connection = connect(server).await;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("the server obeys");
}
