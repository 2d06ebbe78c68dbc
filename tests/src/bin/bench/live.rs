//! At the head: from a block to its committed rows.

use std::time::{Duration, Instant};

use e2e::{Chain, Database};
use sqlx::postgres::PgListener;

use crate::{fixture::Fixture, process};

/// Events of a block.
const EVENTS: u64 = 10;

/// Prints p50 and p99 of the time from `evm_mine`'s answer to the notification of the commit, blocks a second apart.
pub async fn run(blocks: u64) {
    let fixture = Fixture::new(Chain::start(32).await, 10, 1_000).await;
    let database = Database::create().await;
    let url = fixture.world.chain.url.replace("http://", "ws://");
    let mut child = process::start(&url, fixture.world.factory, &database);
    e2e::until("the indexer is at the head", async || {
        let head = fixture.world.chain.head().await.header.number;
        database.checkpoint().await.filter(|c| c.number == head)
    })
    .await;
    let mut listener = PgListener::connect(&database.url).await.unwrap();
    listener.listen(crowdsale::db::outbox::CHANNEL).await.unwrap();
    let mut seconds = Vec::new();
    for block in 0..blocks {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fixture.block(block * EVENTS, EVENTS).await;
        let began = Instant::now();
        let head = fixture.world.chain.head().await.header.number;
        loop {
            let notice = listener.recv().await.unwrap();
            if notice.payload().split(':').nth(1) == Some(&head.to_string()) {
                break;
            }
        }
        seconds.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    eprintln!("bench: {seconds:.1?}");
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share).round() as usize];
    println!(
        "{blocks} blocks of {EVENTS} events, a second apart, over WebSocket: block to committed row p50 {:.1} ms, p99 {:.1} ms (10 and 40 asked)",
        at(0.5),
        at(0.99)
    );
}
