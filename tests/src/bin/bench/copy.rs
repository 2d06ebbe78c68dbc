//! Binary COPY by hand: the limits that an indexer can be held against.

use std::time::Instant;

use e2e::Database;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// What the pipeline copies in one transaction.
pub const BATCH: u64 = 40_000;

/// The rows of a query in binary COPY, cut into batches by block number.
pub struct Rows {
    /// One COPY each, with the heights that it covers.
    pub chunks: Vec<Vec<u8>>,
}

/// Reads `columns` of `table` of a filled database.
pub async fn read(database: &Database, table: &str, columns: &str) -> Rows {
    let mut connection = PgConnection::connect_with(&database.options()).await.unwrap();
    let blocks: Vec<(i64, i64)> =
        sqlx::query_as("SELECT block_number, count(*) FROM contribution GROUP BY block_number ORDER BY block_number")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let mut bounds = vec![blocks[0].0];
    let mut count = 0;
    for (number, n) in &blocks {
        count += n;
        if count >= BATCH as i64 {
            bounds.push(number + 1);
            count = 0;
        }
    }
    bounds.push(blocks.last().unwrap().0 + 1);
    bounds.dedup();
    let mut chunks = Vec::new();
    for bound in bounds.windows(2) {
        let statement = format!(
            "COPY (SELECT {columns} FROM {table} WHERE block_number >= {} AND block_number < {} ORDER BY block_number, log_index)
             TO STDOUT (FORMAT binary)",
            bound[0], bound[1]
        );
        let parts: Vec<_> = connection.copy_out_raw(&statement).await.unwrap().try_collect().await.unwrap();
        chunks.push(parts.concat());
    }
    Rows { chunks }
}

/// Copies all into `table`, a chunk a transaction that also moves a checkpoint; returns seconds.
pub async fn write(database: &Database, table: &str, columns: &str, rows: &Rows) -> f64 {
    let mut connection = PgConnection::connect_with(&database.options()).await.unwrap();
    sqlx::query(AssertSqlSafe("CREATE TABLE bench_checkpoint AS SELECT 0 AS n".to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query(AssertSqlSafe("CHECKPOINT".to_owned())).execute(&mut connection).await.unwrap();
    let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let began = Instant::now();
    for chunk in &rows.chunks {
        let mut transaction = connection.begin().await.unwrap();
        let mut copy = transaction.copy_in_raw(&statement).await.unwrap();
        for part in chunk.chunks(128 * 1024) {
            copy.send(part).await.unwrap();
        }
        copy.finish().await.unwrap();
        sqlx::query(AssertSqlSafe("UPDATE bench_checkpoint SET n = n + 1".to_owned()))
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    began.elapsed().as_secs_f64()
}
