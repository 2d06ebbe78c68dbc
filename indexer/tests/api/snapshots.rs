//! All figures of an answer are of one state of the database, whatever is written meanwhile.

use alloy::primitives::U256;
use sqlx::PgPool;

use crate::support::*;

#[sqlx::test(migrations = "./migrations")]
async fn figures_and_checkpoint_of_an_answer_belong_together(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let t = Terms::new("first", 5, 0);
    sale(&pool, &t).await;
    tip(&pool, CHAIN, 10, 0).await;
    let app = app(&pool);

    // A writer adds a block with one contribution of one base unit at a time, checkpoint and all, as the indexer does: at
    // block 10 + n exactly n is raised.
    let writer = {
        let pool = pool.clone();
        tokio::spawn(async move {
            for n in 1..=150_i64 {
                let mut transaction = pool.begin().await.unwrap();
                for sql in [
                    "INSERT INTO block SELECT 31337, $1, sha256(int8send($1)), sha256(int8send($1 - 1)), 1800000000 + 12 * $1, true",
                    "INSERT INTO contribution SELECT 31337, $1, 0, sha256(int8send($1)), address, substr(sha256('i'), 1, 20), owner, 0, 1, 1,
                         1, 1, 1 FROM sale",
                    "UPDATE checkpoint SET number = $1, hash = sha256(int8send($1))",
                ] {
                    sqlx::query(sql).bind(10 + n).execute(&mut *transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
            }
        })
    };
    let mut heights = std::collections::BTreeSet::new();
    let mut finished = false;
    while !finished {
        finished = writer.is_finished();
        for path in [t.path(), "/v1/sales".to_owned()] {
            let answer = get(&app, &path).await.ok();
            let (data, meta) = match answer.body["data"].as_array() {
                Some(rows) => (rows[0].clone(), answer.body["meta"]["chains"][0].clone()),
                None => (answer.body["data"].clone(), answer.body["meta"].clone()),
            };
            let height = meta["indexed_block"]["number"].as_i64().unwrap();
            assert_eq!(data["totals"]["raised"]["raw"], U256::from(height - 10).to_string());
            assert_eq!(data["totals"]["contributions"], height - 10);
            if height > 10 {
                assert_eq!(data["block"]["number"], height);
            }
            heights.insert(height);
        }
        let page = get(&app, &format!("{}/contributions?limit=1", t.path())).await.ok();
        let height = page.body["meta"]["indexed_block"]["number"].as_i64().unwrap();
        if height > 10 {
            assert_eq!(page.rows()[0]["block"]["number"], height);
        }
    }
    writer.await.unwrap();
    assert!(heights.contains(&160));
}
