//! Backfill: events a second and memory, beside the limits of the node and of the database.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use alloy::{
    primitives::B256,
    providers::{Provider, ProviderBuilder, RootProvider},
    rpc::types::Filter,
};
use crowdsale::decode::TOPICS;
use e2e::{Chain, Database};
use futures::{StreamExt, stream};
use sqlx::AssertSqlSafe;

use crate::{copy, fixture::Fixture};

const COLUMNS: &str = "chain_id, block_number, log_index, transaction_hash, sale, investor, payer, phase, amount, tokens, paid, raised, sold";
const BARE: &str = "chain_id, block_number, log_index, transaction_hash, sale, investor, amount, tokens";

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// `crowdsale index` on an empty database until the last event, and every index, is there: seconds, and peak memory in MB.
async fn index(fixture: &Fixture, database: &Database, last: u64) -> (f64, f64) {
    let began = Instant::now();
    let mut child = fixture.index(&fixture.world.chain.url, database);
    // Looked at through the process's own word first, so that looking costs the database little.
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if let Some(status) = child.try_wait().unwrap() {
            panic!("crowdsale index ended: {status}");
        }
        let done: Option<bool> = sqlx::query_scalar(
            "SELECT (SELECT max(number) FROM checkpoint) >= $1 AND NOT EXISTS (SELECT FROM deferred_index)",
        )
        .bind(last as i64)
        .fetch_optional(&database.pool)
        .await
        .ok()
        .flatten()
        .flatten();
        if done == Some(true) {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let peak = peak_mb(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    (seconds, peak)
}

fn peak_mb(child: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    let kb: f64 = line.split_whitespace().nth(1).and_then(|v| v.parse().ok()).unwrap_or(f64::NAN);
    kb / 1024.0
}

/// The same logs, four requests at a time, read and thrown away: seconds.
async fn fetch(fixture: &Fixture, last: u64, range: u64) -> f64 {
    let provider: RootProvider = ProviderBuilder::default().connect_http(fixture.world.chain.url.parse().unwrap());
    let began = Instant::now();
    let starts = (0..=last).step_by(range as usize);
    let bytes: usize = stream::iter(starts)
        .map(|from| {
            let filter = Filter::new().from_block(from).to_block((from + range - 1).min(last));
            let filter = filter.event_signature(TOPICS.to_vec() as Vec<B256>);
            let client = provider.client();
            async move {
                let answer: Box<serde_json::value::RawValue> = client.request("eth_getLogs", (filter,)).await.unwrap();
                answer.get().len()
            }
        })
        .buffered(4)
        .fold(0, |sum, bytes| async move { sum + bytes })
        .await;
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("bench: fetched {} MB", bytes / 1_000_000);
    seconds
}

/// The database of a fresh index without contributions: schema, sales, totals.
async fn database_with_sales(filled: &Database) -> Database {
    let database = Database::create().await;
    crowdsale::db::migrate(&mut database.pool.acquire().await.unwrap()).await.unwrap();
    for table in ["sale", "sale_phase"] {
        let statement = format!("COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)");
        let mut from = filled.pool.acquire().await.unwrap();
        let parts: Vec<_> =
            futures::TryStreamExt::try_collect(from.copy_out_raw(&statement).await.unwrap()).await.unwrap();
        let mut into = database.pool.acquire().await.unwrap();
        let mut copy = into.copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await.unwrap();
        copy.send(parts.concat()).await.unwrap();
        copy.finish().await.unwrap();
    }
    database
}

/// Prints a table: each figure, and its share of each limit.
pub async fn run(events: u64, sales: u64, investors: u64, runs: u64) {
    eprintln!("bench: a chain with {sales} sales and {events} contributions by {investors} wallets");
    let fixture = Fixture::new(Chain::start(1).await, sales, investors).await;
    let last = fixture.fill(events).await;

    let (mut ours, mut peaks, mut fetches, mut copies, mut bares) = (vec![], vec![], vec![], vec![], vec![]);
    let mut filled = None;
    for run in 0..runs {
        let database = Database::create().await;
        let (seconds, peak) = index(&fixture, &database, last).await;
        let rows = database.number("SELECT count(*) FROM contribution").await as u64;
        assert_eq!(rows, events, "every contribution is there, once");
        let off = database
            .number(
                "SELECT count(*) FROM sale_total t JOIN (
                     SELECT sale, sum(amount) AS raised, count(*) AS contributions, count(DISTINCT investor) AS investors
                     FROM contribution GROUP BY sale
                 ) c USING (sale)
                 WHERE (t.raised, t.contributions, t.investors) IS DISTINCT FROM (c.raised, c.contributions, c.investors)",
            )
            .await;
        assert_eq!(off, 0, "totals are exact");
        fetches.push(fetch(&fixture, last, 50).await);
        let all = copy::read(&database, "contribution", COLUMNS).await;
        let target = database_with_sales(&database).await;
        copies.push(copy::write(&target, "contribution", COLUMNS, &all).await);
        let bare = copy::read(&database, "contribution", BARE).await;
        let target = Database::create().await;
        for statement in [
            "CREATE TABLE bare (chain_id bigint, block_number bigint, log_index integer, transaction_hash bytea, sale bytea,
                 investor bytea, amount numeric(78, 0), tokens numeric(78, 0), PRIMARY KEY (chain_id, block_number, log_index))",
            "CREATE INDEX ON bare (chain_id, sale, block_number, log_index)",
            "CREATE INDEX ON bare (chain_id, investor, block_number, log_index)",
        ] {
            sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&target.pool).await.unwrap();
        }
        bares.push(copy::write(&target, "bare", BARE, &bare).await);
        eprintln!(
            "bench: run {} of {runs}: index {seconds:.2} s, {peak:.0} MB; fetch {:.2} s; COPY into our tables {:.2} s; bare COPY {:.2} s",
            run + 1,
            fetches[fetches.len() - 1],
            copies[copies.len() - 1],
            bares[bares.len() - 1],
        );
        ours.push(seconds);
        peaks.push(peak);
        filled = Some(database);
    }
    drop(filled);
    let rate = |seconds: f64| events as f64 / seconds;
    let (ours, fetch, copy, bare) =
        (rate(median(ours)), rate(median(fetches)), rate(median(copies)), rate(median(bares)));
    let limit = fetch.min(copy);
    println!("| what | events/s | ours is |");
    println!("|---|---|---|");
    println!("| `crowdsale index`, process start to last row and index | {ours:.0} | |");
    println!("| fetching the same logs, nothing done to them | {fetch:.0} | {:.0} % |", 100.0 * ours / fetch);
    println!("| COPY into the same tables, keys, indexes, triggers | {copy:.0} | {:.0} % |", 100.0 * ours / copy);
    println!("| bare COPY, key and two indexes | {bare:.0} | {:.0} % |", 100.0 * ours / bare);
    println!();
    println!(
        "{:.0} % of the smaller limit (80 asked), {:.0} % of bare COPY (66 asked), peak memory {:.0} MB (100 asked)",
        100.0 * ours / limit,
        100.0 * ours / bare,
        median(peaks)
    );
}
