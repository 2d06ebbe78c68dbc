//! Benchmarks: `bench index`, `bench live`, `bench listen`, `bench rollback`, `bench restart`, `bench sales`, `bench scale`, `bench api`; `bench chain` makes the chain alone and keeps it. Started by `scripts/bench`, which builds everything and names a Postgres.
//!
//! Every figure stands beside a limit that was measured in the same run, on the same machine and data: what counts is the ratio.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops at what it did not expect"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its result")]
#![allow(clippy::float_arithmetic, reason = "rates, never amounts")]

mod answer;
mod api;
mod copy;
mod fixture;
mod index;
mod listen;
mod live;
mod made;
mod process;
mod recover;
mod scale;

use std::env;

#[tokio::main]
async fn main() {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let what = if arguments.is_empty() { String::new() } else { arguments.remove(0) };
    let number = |name: &str, default: u64| {
        let value = arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
        value.map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name} takes a number, not {v}")))
    };
    match what.as_str() {
        "index" => {
            index::run(
                number("--events", 300_000),
                number("--sales", 100),
                number("--investors", 10_000),
                number("--runs", 3),
            )
            .await;
        }
        "chain" => {
            let fixture = fixture::Fixture::new(
                e2e::Chain::start(1).await,
                number("--sales", 100),
                number("--investors", 10_000),
            )
            .await;
            let last = fixture.fill(number("--events", 300_000)).await;
            println!("{} {} {last}", fixture.world.chain.url, fixture.world.factory);
            tokio::signal::ctrl_c().await.expect("waits for Ctrl-C");
        }
        "rollback" => {
            recover::rollback(number("--blocks", 64), number("--events", 64_000), number("--investors", 10_000)).await;
        }
        "restart" => {
            recover::restart(number("--events", 100_000), number("--investors", 10_000), number("--runs", 5)).await;
        }
        "sales" => {
            recover::sales(number("--sales", 100_000), number("--events", 100_000), number("--investors", 10_000))
                .await;
        }
        "scale" => {
            scale::run(
                number("--events", 3_000_000),
                number("--sales", 100_000),
                number("--investors", 10_000),
                number("--runs", 3),
            )
            .await;
        }
        "api" => {
            let numbers = api::Numbers {
                few: number("--few", 10_000),
                contributions: number("--contributions", 1_000_000),
                sales: number("--sales", 1_000),
                connections: number("--connections", 4),
                requests: number("--requests", 400),
                rounds: number("--rounds", 10).max(1),
            };
            if !api::run(numbers).await {
                std::process::exit(1);
            }
        }
        "listen" => listen::run(number("--listeners", 1_000), number("--blocks", 30)).await,
        "live" => live::run(number("--blocks", 60)).await,
        _ => {
            eprintln!(
                "usage: scripts/bench index [--events N] [--sales N] [--investors N] [--runs N]\n       scripts/bench live [--blocks N]\n       scripts/bench listen [--listeners N] [--blocks N]\n       scripts/bench rollback [--blocks N] [--events N] [--investors N]\n       scripts/bench restart [--events N] [--investors N] [--runs N]\n       scripts/bench sales [--sales N] [--events N] [--investors N]\n       scripts/bench scale [--events N] [--sales N] [--investors N] [--runs N]\n       scripts/bench api [--few N] [--contributions N] [--sales N] [--connections N] [--requests N] [--rounds N]\n       scripts/bench chain [--events N] [--sales N] [--investors N]"
            );
            std::process::exit(2);
        }
    }
}
