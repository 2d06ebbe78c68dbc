//! Server-sent events: what is committed reaches listeners, what is reorged away is taken back, and a stream goes on where it broke off.

use std::{collections::BTreeMap, time::Duration};

use alloy::primitives::{Address, U256};
use crowdsale::serve;
use serde_json::Value;
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::support::*;

struct Served {
    url: String,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl Served {
    async fn start(pool: &PgPool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let (state, stop) = (state(pool), shutdown.clone());
        // However slow the machine is.
        let options = serve::ServeOptions { read_timeout: Duration::from_secs(600), ..serve::ServeOptions::default() };
        let server = tokio::spawn(async move { serve::run(listener, state, options, stop).await.unwrap() });
        Self { url, shutdown, server }
    }

    async fn ask(&self, path: &str, last: Option<&str>) -> Listener {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.url));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Listener { response, text: String::new() }
    }

    async fn listen(&self, path: &str, last: Option<&str>) -> Listener {
        let mut listener = self.ask(path, last).await;
        listener.expect("ready").await;
        listener
    }
}

struct Listener {
    response: reqwest::Response,
    text: String,
}

#[derive(Debug)]
struct Told {
    event: String,
    id: String,
    data: Value,
}

impl Listener {
    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let fields: BTreeMap<_, _> = event
                    .lines()
                    .filter_map(|l| l.split_once(": "))
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .collect();
                self.text = rest.to_owned();
                // A comment keeps the connection alive.
                if let Some(name) = fields.get("event") {
                    let data = serde_json::from_str(&fields["data"]).unwrap();
                    return Some(Told { event: name.clone(), id: fields["id"].clone(), data });
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn expect(&mut self, event: &str) -> Told {
        let told = self.next().await.unwrap();
        assert_eq!(told.event, event, "{told:?}");
        told
    }
}

/// Says what an indexer says when it has committed blocks `from` to `to`.
pub async fn applied(pool: &PgPool, from: i64, to: i64, fork: u8) {
    tip(pool, CHAIN, to, fork).await;
    tell(
        pool,
        "INSERT INTO outbox (chain_id, kind, from_block, to_block, hash) VALUES ($1, 'applied', $2, $3, sha256(''))",
        from,
        to,
    )
    .await;
}

async fn tell(pool: &PgPool, statement: &'static str, from: i64, to: i64) {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query(statement).bind(CHAIN).bind(from).bind(to).execute(&mut *transaction).await.unwrap();
    sqlx::query("SELECT tell_finalized($1)").bind(CHAIN).execute(&mut *transaction).await.unwrap();
    sqlx::query("SELECT pg_notify('crowdsale', '')").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

pub async fn reverted(pool: &PgPool, fork: i64) {
    rollback(pool, CHAIN, fork).await;
    sqlx::query("SELECT pg_notify('crowdsale', '')").execute(pool).await.unwrap();
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_committed_reaches_whoever_listens(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let (aurora, borealis) = (Terms::new("Aurora", 1, 0), Terms::new("Borealis", 1, 1));
    for terms in [&aurora, &borealis] {
        sale(&pool, terms).await;
    }
    tip(&pool, CHAIN, 1, 0).await;
    let served = Served::start(&pool).await;
    let (alice, bob) = (addr("alice"), addr("bob"));
    let mut of_aurora = served.listen(&format!("{}/events", aurora.path()), None).await;
    let mut of_borealis = served.listen(&format!("{}/events", borealis.path()), None).await;
    let mut of_bob = served.listen(&format!("/v1/investors/{bob}/events?chain={CHAIN}"), None).await;

    contribute(&pool, &aurora, (11, 0), alice, ether("1.5"), ether("6000")).await;
    contribute(&pool, &borealis, (11, 1), bob, ether("2"), ether("8000")).await;
    applied(&pool, 2, 11, 0).await;
    let told = of_aurora.expect("contribution.observed").await;
    assert_eq!(told.data["type"], "contribution.observed");
    assert_eq!(told.data["timestamp"], rfc3339(time(11)));
    let data = &told.data["data"];
    assert_eq!(data["kind"], "contributed");
    assert_eq!(data["sale"], aurora.sale.to_string());
    assert_eq!(data["account"], alice.to_string());
    assert_eq!(data["actor"], addr("payer").to_string());
    assert_eq!(data["amount"]["raw"], "1500000000000000000");
    assert_eq!(data["amount"]["symbol"], "ETH");
    assert_eq!(data["tokens"]["raw"], ether("6000").to_string());
    assert_eq!(data["tokens"]["symbol"], "TKN");
    assert_eq!(data["block"]["number"], 11);
    assert_eq!(data["block"]["hash"], hash(11, 0).to_string());
    assert_eq!(data["block"]["finality"], "latest");
    assert_eq!(of_borealis.expect("contribution.observed").await.data["data"]["account"], bob.to_string());
    let told = of_bob.expect("contribution.observed").await;
    assert_eq!(told.data["data"]["sale"], borealis.sale.to_string());
    // Blocks 1 to 3 are final by now, and with them the two sales' creation.
    let told = of_aurora.expect("sale.finalized").await;
    assert_eq!(told.data["data"]["text"], "Aurora");

    // A reorg: taken back with what it was, and told anew where it stands now.
    reverted(&pool, 10).await;
    let told = of_aurora.expect("contribution.reorged").await;
    assert_eq!(told.data["data"]["amount"]["raw"], "1500000000000000000");
    assert_eq!(told.data["data"]["block"]["confirmations"], 0);
    assert_eq!(of_bob.expect("contribution.reorged").await.data["data"]["sale"], borealis.sale.to_string());
    contribute_on(&pool, &aurora, (12, 0), 1, alice, ether("1"), ether("4000")).await;
    applied(&pool, 11, 12, 1).await;
    let told = of_aurora.expect("contribution.observed").await;
    assert_eq!(told.data["data"]["block"]["hash"], hash(12, 1).to_string());
    applied(&pool, 13, 20, 1).await;
    let told = of_aurora.expect("contribution.finalized").await;
    assert_eq!(told.data["data"]["block"]["finality"], "finalized");

    settle(&pool, &aurora, (31, 0), "failed").await;
    pay(&pool, "refund", &aurora, (31, 1), alice, ether("1")).await;
    applied(&pool, 21, 31, 1).await;
    let told = of_aurora.expect("sale.closed").await;
    assert_eq!(told.data["data"]["text"], "failed");
    assert_eq!(of_aurora.expect("refund.observed").await.data["data"]["recipient"], alice.to_string());

    // The end of the process ends the streams; nobody waits for a listener.
    served.shutdown.cancel();
    served.server.await.unwrap();
    while of_aurora.next().await.is_some() {}
}

/// What somebody has been told, added up: the contributions that stand, by place and amount.
fn fold(standing: &mut BTreeMap<(String, u64), String>, told: &Told) {
    let data = &told.data["data"];
    let place = (data["block"]["hash"].to_string(), data["block"]["log_index"].as_u64().unwrap());
    let amount = data["amount"]["raw"].to_string();
    match told.event.as_str() {
        "contribution.observed" => drop(standing.insert(place, amount)),
        "contribution.reorged" => {
            assert_eq!(standing.remove(&place), Some(amount), "what is taken back was told: {told:?}")
        }
        "contribution.finalized" => assert_eq!(standing.get(&place), Some(&amount), "what is final was told: {told:?}"),
        other => panic!("{other}"),
    }
}

/// Whoever comes back, at whatever event they left, knows in the end what stands in the database.
#[sqlx::test(migrations = "./migrations")]
async fn a_stream_goes_on_where_it_broke_off(pool: PgPool) {
    goes_on(pool, 42).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn and_over_other_reorgs(pool: PgPool) {
    goes_on(pool, 7).await;
}

async fn goes_on(pool: PgPool, seed: u64) {
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(&pool, &terms).await;
    applied(&pool, 1, 9, 0).await;
    let served = Served::start(&pool).await;
    let path = format!("{}/events", terms.path());
    let mut constant = served.listen(&path, None).await;
    let mut standing = BTreeMap::new();
    // Those who left: what they knew, and the last they heard.
    let mut left: Vec<(BTreeMap<_, _>, String)> = Vec::new();

    let mut random = seed;
    let mut next = move |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let (mut height, mut expected) = (9_i64, 0);
    let mut at = BTreeMap::from([(9_i64, 0_u64)]);
    for round in 0..60_u8 {
        if round % 3 == 2 {
            // Above what is final, which is eight below the highest tip.
            let depth = 1 + next(4) as i64;
            let fork = (height - depth).max(9);
            let gone: u64 = at.range(fork + 1..).map(|(_, count)| *count).sum();
            at.retain(|number, _| *number <= fork);
            expected += gone;
            reverted(&pool, fork).await;
            height = fork;
        } else {
            let (from, to) = (height + 1, height + 1 + next(3) as i64);
            for number in from..=to {
                let count = next(3);
                for log in 0..count as i32 {
                    let amount = U256::from(1_000 + next(1_000));
                    let investor = Address::with_last_byte(1 + next(5) as u8);
                    contribute_on(&pool, &terms, (number, log), round + 1, investor, amount, amount).await;
                }
                at.insert(number, count);
                expected += count;
            }
            applied(&pool, from, to, round + 1).await;
            height = to;
        }
        // Finality comes when it comes; everything else is counted.
        while expected > 0 {
            let told = constant.next().await.unwrap();
            if told.event.starts_with("sale.") {
                continue;
            }
            fold(&mut standing, &told);
            expected -= u64::from(!told.event.ends_with("finalized"));
            if next(6) == 0 {
                left.push((standing.clone(), told.id));
            }
        }
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM contribution").fetch_one(&pool).await.unwrap();
    assert_eq!(standing.len() as i64, rows);
    assert!(left.len() > 10 && rows > 0, "{} left, {rows} rows", left.len());
    // What all of them hear last.
    settle(&pool, &terms, (height + 1, 0), "failed").await;
    applied(&pool, height + 1, height + 1, 0).await;
    for (mut known, id) in left {
        let mut listener = served.listen(&path, Some(&id)).await;
        loop {
            let told = listener.next().await.unwrap();
            match told.event.as_str() {
                "sale.closed" => break,
                "sale.finalized" => {}
                _ => fold(&mut known, &told),
            }
        }
        assert_eq!(known, standing, "after {id}");
    }
    served.shutdown.cancel();
}

/// Who does not read for long is let go of, as nobody keeps for it what the database has; it is told all the same once it reads, in order.
#[sqlx::test(migrations = "./migrations")]
async fn whoever_does_not_read_for_long_is_told_all_the_same(pool: PgPool) {
    const BLOCKS: i64 = 400;
    const EACH: i32 = 5;
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(&pool, &terms).await;
    // Large events: what the kernel keeps for a connection, some 10 MB, is full long before the end.
    sqlx::query("UPDATE currency SET symbol = repeat('x', 6000)").execute(&pool).await.unwrap();
    applied(&pool, 1, 9, 0).await;
    let served = Served::start(&pool).await;
    let path = format!("{}/events", terms.path());
    let (mut slow, mut quick) = (served.listen(&path, None).await, served.listen(&path, None).await);
    async fn observed(listener: &mut Listener) -> (i64, i64) {
        loop {
            let told = listener.next().await.unwrap();
            if told.event == "contribution.observed" {
                let block = &told.data["data"]["block"];
                return (block["number"].as_i64().unwrap(), block["log_index"].as_i64().unwrap());
            }
        }
    }
    let all = |number| (0..EACH).map(move |log| (number, i64::from(log)));
    for number in 10..10 + BLOCKS {
        for log in 0..EACH {
            contribute(&pool, &terms, (number, log), addr("alice"), ether("1"), ether("4000")).await;
        }
        applied(&pool, number, number, 0).await;
        // Each block by itself, and nobody waits for who is slow.
        for place in all(number) {
            assert_eq!(observed(&mut quick).await, place);
        }
    }
    for place in (10..10 + BLOCKS).flat_map(all) {
        assert_eq!(observed(&mut slow).await, place);
    }
    // And from there on as everybody.
    contribute(&pool, &terms, (10 + BLOCKS, 0), addr("alice"), ether("1"), ether("4000")).await;
    applied(&pool, 10 + BLOCKS, 10 + BLOCKS, 0).await;
    assert_eq!(observed(&mut slow).await, (10 + BLOCKS, 0));
    served.shutdown.cancel();
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stream_that_cannot_be_is_refused(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(&pool, &terms).await;
    let app = app(&pool);
    get(&app, &format!("/v1/sales/{CHAIN}/{}/events", addr("nothing"))).await.is_problem(404, "sale_not_found");
    get(&app, &format!("/v1/sales/1/{}/events", terms.sale)).await.is_problem(404, "chain_not_found");
    let answer = get(&app, &format!("/v1/investors/{}/events", addr("alice"))).await;
    answer.is_problem(422, "invalid_query");
    assert_eq!(answer.body["errors"][0]["pointer"], "/query/chain");
    get(&app, &format!("/v1/investors/{}/events?chain=5", addr("alice"))).await.is_problem(404, "chain_not_found");
    for id in ["x", "-", "1-", "1-2", "1-2-3-4", "-1-2-3", "1-2-99999999999", "99999999999999999999", "1 ", "+1"] {
        let request = axum::http::Request::get(format!("{}/events", terms.path()))
            .header("last-event-id", id)
            .body(axum::body::Body::empty())
            .unwrap();
        send(&app, request).await.is_problem(422, "cursor_invalid");
    }
    // Of another database: nothing can be gone on with, and that is said.
    let served = Served::start(&pool).await;
    served.ask(&format!("{}/events", terms.path()), Some("4000-1-1")).await.expect("reset").await;
    served.shutdown.cancel();
}

/// Forgets what was told more than a day ago, so many rows at a time; how often there was more.
async fn forget(pool: &PgPool, at_once: i64) -> usize {
    let mut rounds = 0;
    while sqlx::query_scalar("SELECT forget_told($1, 86400, $2)")
        .bind(CHAIN)
        .bind(at_once)
        .fetch_one(pool)
        .await
        .unwrap()
    {
        rounds += 1;
    }
    rounds
}

async fn texts(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

/// What was told is kept for a while; who comes back later is told to read anew, and who comes back in time misses nothing.
#[sqlx::test(migrations = "./migrations")]
async fn what_is_forgotten_cannot_be_gone_on_with(pool: PgPool) {
    chain(&pool, CHAIN).await;
    let terms = Terms::new("Aurora", 1, 0);
    sale(&pool, &terms).await;
    applied(&pool, 0, 1, 0).await;
    let served = Served::start(&pool).await;
    let path = format!("{}/events", terms.path());
    let mut listener = served.listen(&path, None).await;
    let mut observed = Vec::new();
    for block in 2..=14_u8 {
        // The last is taken back, and comes again.
        for fork in if block == 14 { 0..2 } else { 0..1 } {
            let at = (i64::from(block), 0);
            contribute_on(&pool, &terms, at, fork, addr("alice"), ether("1"), ether("4000")).await;
            applied(&pool, at.0, at.0, fork).await;
            loop {
                let told = listener.next().await.unwrap();
                if told.event == "contribution.observed" {
                    observed.push(told.id);
                    break;
                }
            }
            if block == 14 && fork == 0 {
                reverted(&pool, 13).await;
                while listener.next().await.unwrap().event != "contribution.reorged" {}
            }
        }
    }
    let entries = "SELECT concat_ws(' ', seq, kind, from_block, to_block) FROM outbox ORDER BY seq";
    let all = texts(&pool, entries).await;
    assert_eq!(forget(&pool, 5_000).await, 0);
    assert_eq!(texts(&pool, entries).await, all, "nothing is old");

    // All of it is: what is needed to go on with is kept, and the rest goes a little at a time.
    sqlx::query("UPDATE outbox SET at = at - interval '2 days'").execute(&pool).await.unwrap();
    assert!(forget(&pool, 3).await >= 4);
    let kept = texts(&pool, entries).await;
    assert_eq!(kept, all[all.len() - kept.len()..]);
    let last = all.iter().rposition(|entry| entry.contains("finalized")).unwrap();
    assert_eq!(kept, all[last..], "the newest that says what is final, and what came after it");
    let forgotten = "SELECT seq::text FROM outbox_forgotten";
    let boundary = all[last - 1].split(' ').next().unwrap().to_owned();
    assert_eq!(texts(&pool, forgotten).await, [boundary.as_str()]);
    let reverted_rows =
        "SELECT count(*)::text FROM reverted_event r WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.seq = r.seq)";
    assert_eq!(texts(&pool, reverted_rows).await, ["0"]);

    // Who was told before cannot go on, and hears of what comes next; who stands at the boundary or behind it can.
    let mut late = served.ask(&path, observed.first().map(String::as_str)).await;
    let reset = late.expect("reset").await;
    assert_eq!(reset.id, all.last().unwrap().split(' ').next().unwrap());
    let mut at_boundary = served.listen(&path, Some(&boundary)).await;
    let mut in_time = served.listen(&path, observed.last().map(String::as_str)).await;
    contribute_on(&pool, &terms, (15, 0), 1, addr("bob"), ether("2"), ether("8000")).await;
    applied(&pool, 15, 15, 1).await;
    for listener in [&mut late, &mut in_time] {
        let told = listener.expect("contribution.observed").await;
        assert_eq!(told.data["data"]["account"], addr("bob").to_string());
    }
    at_boundary.expect("contribution.finalized").await;
    // What was told to be final is not told again, however little is kept.
    let told = "SELECT concat_ws(' ', from_block, to_block) FROM outbox WHERE kind = 'finalized' ORDER BY seq";
    assert_eq!(texts(&pool, told).await, ["6 6", "7 7"]);
    served.shutdown.cancel();
}
