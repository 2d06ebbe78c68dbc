//! Pages of the API with few contributions and with a hundred times as many: each must take the same time.

use std::{
    fmt::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use e2e::{Database, binary};
use reqwest::Client;
use serde_json::Value;

use crate::{
    made::{self, MadeNode, Plan, REGULARS},
    process,
};

/// Wallets in all.
const INVESTORS: u64 = 20_000;
/// Times that p99 may grow by where there are so many more contributions.
const ASKED: f64 = 1.5;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Contributions on the smaller side: enough for a thousand pages in the largest sale.
    pub few: u64,
    /// Contributions on the larger side.
    pub contributions: u64,
    /// Sales on each side.
    pub sales: u64,
    /// Requests under way at a time, each on a connection of its own that stays open.
    pub connections: u64,
    /// Requests of a kind in a round.
    pub requests: u64,
    /// Rounds; each meets both sides.
    pub rounds: u64,
}

/// Prints requests a second, p50 and p99 of each kind on both sides. False if a p99 has grown by more than is asked.
pub async fn run(numbers: Numbers) -> bool {
    let mut sides = [Side::new(numbers, numbers.few).await, Side::new(numbers, numbers.contributions).await];
    let kinds: Vec<&'static str> = sides[0].kinds.iter().map(|kind| kind.name).collect();
    // The first round only warms up.
    for round in 0..=numbers.rounds {
        for index in 0..kinds.len() {
            // Whatever else the machine does should not always meet the same side.
            let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
            for side in order {
                sides[side].measure(index, numbers, round > 0).await;
            }
        }
        eprintln!("bench: round {round} of {}", numbers.rounds);
    }
    let [few, many] = &sides;
    println!(
        "| page | {} contributions: requests/s | p50 ms | p99 ms | {}: requests/s | p50 ms | p99 ms | p99 grows by |",
        few.contributions, many.contributions
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut kept = true;
    for ((name, few), many) in kinds.iter().zip(&few.kinds).zip(&many.kinds) {
        let (few, many) = (few.figures(), many.figures());
        let grows = many.p99 / few.p99;
        kept &= grows <= ASKED;
        let mut line = format!("| {name} |");
        for f in [few, many] {
            write!(line, " {:.0} | {:.2} | {:.2} |", f.rate, f.p50, f.p99).unwrap();
        }
        println!("{line} {grows:.2} × |");
    }
    println!();
    println!("p99 may grow by {ASKED} ×: {}", if kept { "kept" } else { "not kept" });
    for side in &sides {
        let (rows, seconds, before, peak) = side.export().await;
        println!(
            "CSV of the largest sale, {} contributions: {rows} rows in {seconds:.1} s; the server's peak {before:.0} MB before, {peak:.0} MB after",
            side.contributions
        );
    }
    kept
}

/// A kind of request, and what it took.
struct Kind {
    name: &'static str,
    /// They are asked for in turns.
    paths: Vec<String>,
    milliseconds: Vec<f64>,
    seconds: f64,
}

struct Figures {
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Kind {
    fn figures(&self) -> Figures {
        let mut sorted = self.milliseconds.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        Figures { rate: sorted.len() as f64 / self.seconds, p50: at(0.5), p99: at(0.99) }
    }
}

/// A database with so many contributions, and its server.
struct Side {
    contributions: u64,
    server: Child,
    base: String,
    chain: u64,
    kinds: Vec<Kind>,
    _database: Database,
}

impl Drop for Side {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

impl Side {
    /// Indexed by the real indexer, from a node that makes the chain.
    async fn new(numbers: Numbers, contributions: u64) -> Self {
        let sales = numbers.sales;
        let plan = Plan { sales, busy: sales, investors: INVESTORS, events: contributions, skewed: true };
        let node = MadeNode::start(plan).await;
        let last = plan.height_of(contributions);
        node.show(last);
        let database = Database::create().await;
        let (seconds, _) = process::backfill(&node.url, node.factory, &database, last).await;
        check(&database, contributions).await;
        for settle in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            database.execute(settle).await;
        }
        let of = database.number("SELECT contributions FROM sale_total ORDER BY 1 DESC LIMIT 1").await;
        eprintln!("bench: {contributions} contributions, {of} of them in one sale, indexed in {seconds:.1} s");
        let chain = u64::try_from(database.number("SELECT chain_id FROM chain").await).unwrap();
        let (server, base) = serve(&database).await;
        let mut side = Self { contributions, server, base, chain, kinds: Vec::new(), _database: database };
        side.kinds = side.kinds(sales).await;
        side
    }

    /// What is asked for. Lists have limits that both sides fill.
    async fn kinds(&self, sales: u64) -> Vec<Kind> {
        let sale = |index: u64| format!("/v1/sales/{}/{}", self.chain, made::sale(index));
        let regulars = || (0..REGULARS).map(made::investor);
        let largest = sale(0);
        let deep = |list: &'static str, pages| self.page(format!("{largest}/{list}"), pages);
        let all = |name, paths| Kind { name, paths, milliseconds: Vec::new(), seconds: 0.0 };
        let one = |name, path: String| all(name, vec![path]);
        let wallets = |path: &dyn Fn(Address) -> String| regulars().map(path).collect::<Vec<_>>();
        vec![
            all("a sale", (0..sales).map(sale).collect()),
            all(
                "an investor's contributions to a sale",
                wallets(&|w| format!("{largest}/contributions?investor={w}&limit=20")),
            ),
            all("a wallet over all sales", wallets(&|w| format!("/v1/investors/{w}?limit=20"))),
            one("contributions, first page", format!("{largest}/contributions?limit=5")),
            one("contributions, thousandth page", deep("contributions?limit=5", 1_000).await),
            one("investors by paid, first page", format!("{largest}/investors?sort=paid&limit=20")),
            one("investors by paid, hundredth page", deep("investors?sort=paid&limit=20", 100).await),
            one("activity, first page", format!("{largest}/activity?limit=20")),
            one("activity, hundredth page", deep("activity?limit=20", 100).await),
            one("sales, first page", "/v1/sales?limit=20".to_owned()),
            all("sales by name", (0..sales).map(|i| format!("/v1/sales?q=aurora%20{i}&limit=5")).collect()),
            one("sales by state", "/v1/sales?state=ended&limit=20".to_owned()),
        ]
    }

    /// The path of a page so far into a list.
    async fn page(&self, first: String, number: u64) -> String {
        let client = Client::new();
        let mut path = first.clone();
        for _ in 1..number {
            let text = client.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap();
            let page: Value = serde_json::from_str(&text).unwrap();
            let cursor = page["next_cursor"].as_str().unwrap_or_else(|| panic!("{first} has a page {number}: {text}"));
            path = format!("{first}&cursor={cursor}");
        }
        path
    }

    /// As many requests of a kind as a round has, on connections that stay open, each sent when the last was answered.
    async fn measure(&mut self, kind: usize, numbers: Numbers, counts: bool) {
        let kind = &mut self.kinds[kind];
        let began = Instant::now();
        let workers = (0..numbers.connections).map(|worker| {
            let urls: Vec<String> = (worker..numbers.requests)
                .step_by(numbers.connections as usize)
                .map(|n| format!("{}{}", self.base, kind.paths[n as usize * 7 % kind.paths.len()]))
                .collect();
            tokio::spawn(async move {
                let client = Client::builder().pool_max_idle_per_host(1).tcp_nodelay(true).build().unwrap();
                let mut taken = Vec::with_capacity(urls.len());
                for (n, url) in urls.iter().enumerate() {
                    let began = Instant::now();
                    let response = client.get(url).send().await.unwrap();
                    assert_eq!(response.status(), 200, "{url}");
                    let body = response.bytes().await.unwrap();
                    // The first opens the connection.
                    if n > 0 {
                        taken.push(began.elapsed().as_secs_f64() * 1_000.0);
                    }
                    assert!(body.len() > 100, "{url}");
                }
                taken
            })
        });
        for worker in futures::future::join_all(workers).await {
            let taken = worker.unwrap();
            if counts {
                kind.milliseconds.extend(taken);
            }
        }
        if counts {
            kind.seconds += began.elapsed().as_secs_f64();
        }
    }

    /// The whole list of the largest sale: rows, seconds, and the server's peak before and after.
    async fn export(&self) -> (u64, f64, f64, f64) {
        let path = format!("{}/v1/sales/{}/{}/contributions.csv", self.base, self.chain, made::sale(0));
        let before = process::peak_mb(self.server.id());
        let began = Instant::now();
        let mut response = Client::new().get(path).send().await.unwrap();
        let mut lines = 0;
        while let Some(chunk) = response.chunk().await.unwrap() {
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        (lines - 1, began.elapsed().as_secs_f64(), before, process::peak_mb(self.server.id()))
    }
}

async fn serve(database: &Database) -> (Child, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new(binary())
        .args(["serve", "--rate-limit", "0", "--listen", &format!("127.0.0.1:{port}")])
        .env("CROWDSALE_DATABASE_URL", &database.url)
        .env("CROWDSALE_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("crowdsale serve");
    let base = format!("http://127.0.0.1:{port}");
    let client = Client::new();
    e2e::until("the API answers", async || {
        client.get(format!("{base}/v1/sales?limit=1")).send().await.ok().filter(|r| r.status().is_success())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    (server, base)
}

/// Every contribution is there, where it was meant to go.
async fn check(database: &Database, contributions: u64) {
    let found = database.number("SELECT sum(contributions)::bigint FROM sale_total").await as u64;
    assert_eq!(found, contributions, "every contribution is there");
    let largest = database.number("SELECT max(contributions) FROM sale_total").await as u64;
    assert_eq!(largest, contributions * 6 / 10, "six of ten are in one sale");
}
