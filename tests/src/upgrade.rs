//! A database as an older version of the program left it.

use std::borrow::Cow;

use crowdsale::db::{LIVE_SCHEMA, MIGRATIONS};
use sqlx::{AssertSqlSafe, migrate::Migrator};

use crate::Database;

impl Database {
    /// Another database with the tables of the version whose newest migration is `version`, and the rows of those that this one has too.
    pub async fn as_of(&self, version: i64) -> Self {
        let old = Self::create().await;
        old.execute(&format!("CREATE SCHEMA {LIVE_SCHEMA}")).await;
        let migrations: Vec<_> = MIGRATIONS.iter().filter(|m| m.version <= version).cloned().collect();
        let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
        migrator.run(&old.pool).await.expect("it can be migrated");
        // What the triggers would do has been done.
        old.execute("SET session_replication_role = replica").await;
        let tables =
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'crowdsale' AND tablename <> '_sqlx_migrations'";
        for table in old.texts(tables).await {
            let rows =
                self.texts(&format!("SELECT coalesce(json_agg(t), '[]')::text FROM \"{table}\" t")).await.remove(0);
            old.execute(&format!("DELETE FROM \"{table}\"")).await;
            let copy = format!(
                "INSERT INTO \"{table}\" OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::\"{table}\", $1::json)"
            );
            sqlx::query(AssertSqlSafe(copy)).bind(rows).execute(&old.pool).await.expect("the rows fit");
        }
        old.execute("SELECT setval(pg_get_serial_sequence('outbox', 'seq'), (SELECT max(seq) FROM outbox))").await;
        old.execute("RESET session_replication_role").await;
        old
    }
}
