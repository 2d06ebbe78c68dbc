//! A chain, its node, the database and the indexer's process all misbehave at once, by seed; in the end everything stands
//! still, and the database must be what a fresh index of that chain writes, and what the chain's own ledger says.
//!
//! `CROWDSALE_SIM_SEEDS=COUNT` or `COUNT:FIRST` chooses the seeds of all parts together, 200 from 0 if it is not set. A seed
//! decides the chain, every reorg, and after which request each thing goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]
#![allow(clippy::print_stderr, reason = "what a failed test shows")]

mod plan;
mod run;

use std::{env, ops::Range};

use futures::{StreamExt, stream};
use tracing_subscriber::EnvFilter;

/// Parts that run as tests of their own.
const PARTS: u64 = 4;
/// Simulations at the same time within a part: they wait for clocks more than for processors.
const AT_ONCE: usize = 10;

/// Seeds of one part.
fn seeds(part: u64) -> Range<u64> {
    let text = env::var("CROWDSALE_SIM_SEEDS").unwrap_or_else(|_| "200".to_owned());
    let (count, first) = text.split_once(':').unwrap_or((&text, "0"));
    let number = |text: &str| text.parse::<u64>().expect("CROWDSALE_SIM_SEEDS is COUNT or COUNT:FIRST");
    let (count, first) = (number(count), number(first));
    first + count * part / PARTS..first + count * (part + 1) / PARTS
}

async fn part(part: u64) {
    if env::var("RUST_LOG").is_ok() {
        // Another part of this process may have done it.
        drop(
            tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::from_default_env())
                .with_writer(std::io::stderr)
                .try_init(),
        );
    }
    let seeds = seeds(part);
    if seeds.is_empty() {
        return;
    }
    let template = run::prepare().await;
    let reports: Vec<_> = stream::iter(seeds)
        .map(|seed| {
            let template = template.clone();
            async move { (seed, run::simulate(template, seed).await) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut sum = run::Report::default();
    let mut failed = Vec::new();
    for (seed, report) in reports {
        match report {
            Ok(report) => sum += report,
            Err(why) => {
                eprintln!("seed {seed}: {why}");
                eprintln!("repeat with: CROWDSALE_SIM_SEEDS=1:{seed} cargo nextest run -p e2e --test simulation\n");
                failed.push(seed);
            }
        }
    }
    eprintln!("{sum}");
    assert!(failed.is_empty(), "seeds {failed:?} failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_quarter_of_the_seeds() {
    part(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_quarter_of_the_seeds() {
    part(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn third_quarter_of_the_seeds() {
    part(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fourth_quarter_of_the_seeds() {
    part(3).await;
}
