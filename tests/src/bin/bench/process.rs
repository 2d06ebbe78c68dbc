//! `crowdsale index`, a process of its own.

use std::{
    fs,
    process::{Child, Command, Stdio, id},
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use e2e::{Database, binary};
use sqlx::postgres::PgListener;

/// Starts it on the chain behind `url`.
pub fn start(url: &str, factory: Address, database: &Database) -> Child {
    Command::new(binary())
        .args(["index", "--rpc-url", url, "--factory", &factory.to_string()])
        .env("CROWDSALE_DATABASE_URL", &database.url)
        .env("CROWDSALE_LOG", std::env::var("CROWDSALE_LOG").unwrap_or_else(|_| "warn".to_owned()))
        .stdout(Stdio::null())
        .spawn()
        .expect("crowdsale index")
}

/// On an empty database until the last event, and every index, is there: seconds, and peak memory in MB.
pub async fn backfill(url: &str, factory: Address, database: &Database, last: u64) -> (f64, f64) {
    let began = Instant::now();
    let mut child = start(url, factory, database);
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
    let peak = peak_mb(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    (seconds, peak)
}

/// The most memory that a process had so far.
pub fn peak_mb(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    let kb: f64 = line.split_whitespace().nth(1).and_then(|v| v.parse().ok()).unwrap_or(f64::NAN);
    kb / 1024.0
}

/// The same of this one, and so of a node in it.
pub fn own_peak_mb() -> f64 {
    peak_mb(id())
}

/// An indexer, and what its commits say.
pub struct Indexer {
    child: Child,
    pub began: Instant,
    commits: PgListener,
}

impl Indexer {
    pub async fn start(url: &str, factory: Address, database: &Database) -> Self {
        let mut commits = PgListener::connect(&database.url).await.unwrap();
        commits.listen(crowdsale::db::outbox::CHANNEL).await.unwrap();
        let began = Instant::now();
        let child = start(url, factory, database);
        Self { child, began, commits }
    }

    /// Height of the next commit.
    pub async fn commit(&mut self) -> u64 {
        let notice = tokio::time::timeout(Duration::from_secs(600), self.commits.recv()).await;
        let notice = notice.expect("a commit within ten minutes").unwrap();
        notice.payload().split(':').nth(1).unwrap().parse().unwrap()
    }

    pub async fn reaches(&mut self, height: u64) {
        while self.commit().await < height {}
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The most memory that it had so far.
    pub fn peak_mb(&self) -> f64 {
        peak_mb(self.child.id())
    }
}
