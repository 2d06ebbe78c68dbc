//! Server-sent events: from the commit to a thousand listeners.

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use e2e::{Chain, Database, binary};
use sqlx::postgres::PgListener;

use crate::{fixture::Fixture, process};

/// Prints p50 and p99 of the time from the notification of a commit to each listener's event, one contribution a block.
pub async fn run(listeners: u64, blocks: u64) {
    let fixture = Fixture::new(Chain::start(32).await, 1, 100).await;
    let database = Database::create().await;
    let url = fixture.world.chain.url.replace("http://", "ws://");
    let mut indexer = process::start(&url, fixture.world.factory, &database);
    e2e::until("the indexer is at the head", async || {
        let head = fixture.world.chain.head().await.header.number;
        database.checkpoint().await.filter(|c| c.number == head)
    })
    .await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(binary())
        .args(["serve", "--rate-limit", "0", "--listen", &format!("127.0.0.1:{port}")])
        .env("CROWDSALE_DATABASE_URL", &database.url)
        .env("CROWDSALE_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()
        .expect("crowdsale serve");
    let base = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::new();
    e2e::until("the API answers", async || {
        client.get(format!("{base}/readyz")).send().await.ok().filter(|r| r.status().is_success())
    })
    .await;

    let heard: Arc<Mutex<Vec<(u64, Instant)>>> = Arc::default();
    let path = format!("{base}/v1/sales/31337/{}/events", fixture.sales[0].address);
    for _ in 0..listeners {
        let mut response = client.get(&path).send().await.unwrap();
        assert!(response.status().is_success());
        let heard = heard.clone();
        tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                let now = Instant::now();
                text.push_str(&String::from_utf8_lossy(&chunk));
                while let Some((event, rest)) = text.split_once("\n\n") {
                    if event.contains("contribution.observed") {
                        let number = event.split("\"number\":").nth(1).and_then(|t| t.split(',').next()?.parse().ok());
                        heard.lock().unwrap().push((number.unwrap(), now));
                    }
                    text = rest.to_owned();
                }
            }
        });
    }
    let mut commits = PgListener::connect(&database.url).await.unwrap();
    commits.listen(crowdsale::db::outbox::CHANNEL).await.unwrap();
    let mut milliseconds = Vec::new();
    for block in 0..blocks {
        tokio::time::sleep(Duration::from_millis(500)).await;
        fixture.block(block, 1).await;
        let head = fixture.world.chain.head().await.header.number;
        let committed = loop {
            let notice = commits.recv().await.unwrap();
            if notice.payload().split(':').nth(1) == Some(&head.to_string()) {
                break Instant::now();
            }
        };
        e2e::until("everybody has heard", async || {
            let heard = heard.lock().unwrap();
            (heard.iter().filter(|(number, _)| *number == head).count() as u64 == listeners).then_some(())
        })
        .await;
        let heard = heard.lock().unwrap();
        milliseconds.extend(heard.iter().filter(|(number, _)| *number == head).map(|(_, at)| {
            // One that is there before this process has heard of the commit took no time that could be measured.
            at.saturating_duration_since(committed).as_secs_f64() * 1_000.0
        }));
    }
    for child in [&mut server, &mut indexer] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |share: f64| milliseconds[((milliseconds.len() - 1) as f64 * share).round() as usize];
    println!(
        "{listeners} listeners, {blocks} blocks of one contribution: notification of the commit to each listener p50 {:.1} ms (5 asked), p99 {:.1} ms",
        at(0.5),
        at(0.99)
    );
}
