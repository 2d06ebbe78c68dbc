//! Backfill: events a second and memory, beside the limits of the node and of the database.

use std::time::Instant;

use alloy::{
    primitives::B256,
    providers::{Provider, ProviderBuilder, RootProvider},
    rpc::types::Filter,
};
use crowdsale::decode::TOPICS;
use e2e::{Chain, Database};
use futures::{StreamExt, stream};
use sqlx::AssertSqlSafe;

use crate::{copy, fixture::Fixture, process};

const COLUMNS: &str = "chain_id, block_number, log_index, transaction_hash, sale, investor, payer, phase, amount, tokens, paid, raised, sold";
const BARE: &str = "chain_id, block_number, log_index, transaction_hash, sale, investor, amount, tokens";

/// Of measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The same logs, four requests at a time, read and thrown away: seconds.
pub async fn fetch(url: &str, last: u64, range: u64) -> f64 {
    let provider: RootProvider = ProviderBuilder::default().connect_http(url.parse().unwrap());
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
        let (seconds, peak) = process::backfill(&fixture.world.chain.url, fixture.world.factory, &database, last).await;
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
        fetches.push(fetch(&fixture.world.chain.url, last, 50).await);
        let all = copy::read(&database, "contribution", COLUMNS).await;
        let target = database_with_sales(&database).await;
        copies.push(copy::write(&target, "contribution", COLUMNS, &all).await);
        let bare = copy::read(&database, "contribution", BARE).await;
        let target = Database::create().await;
        for statement in [
            "CREATE SCHEMA crowdsale",
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
