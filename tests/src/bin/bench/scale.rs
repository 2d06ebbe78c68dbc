//! Millions of events, and a factory with very many sales: whether cost stays linear and memory stays the same.

use std::time::Instant;

use e2e::Database;

use crate::{
    fixture::PER_BLOCK,
    index::{fetch, median},
    made::{self, AMOUNT, MadeNode, Plan, TOKENS},
    process::{self, Indexer},
};

/// Sales that are contributed to.
const BUSY: u64 = 100;
/// Contributions of a round with few sales or many.
const ROUND: u64 = 100_000;
/// Blocks of a request: 2,000 logs, as the indexer asks for.
const RANGE: u64 = 20;

/// Prints what ten times the events, and what `sales` in the factory, do to time and memory; without events or without sales that
/// part is left out.
pub async fn run(events: u64, sales: u64, investors: u64, runs: u64) {
    if events != 0 {
        tenfold(events, investors, runs).await;
    }
    if sales != 0 {
        crowded(sales, investors, runs).await;
    }
}

/// A tenth of the events and all of them, in turns, so that what else the machine does meets both.
async fn tenfold(events: u64, investors: u64, runs: u64) {
    let mut measured = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    let counts = [events / 10, events];
    for run in 0..runs {
        for (count, (times, peaks)) in counts.into_iter().zip(&mut measured) {
            let plan = Plan { sales: BUSY, busy: BUSY, investors, events: count, skewed: false };
            let node = MadeNode::start(plan).await;
            let last = plan.height_of(count);
            node.show(last);
            let database = Database::create().await;
            let (seconds, peak) = process::backfill(&node.url, node.factory, &database, last).await;
            check(&database, plan, count).await;
            let fetched = fetch(&node.url, last, RANGE).await;
            eprintln!(
                "bench: run {} of {runs}: {count} events in {seconds:.2} s, {peak:.0} MB; fetch {fetched:.2} s; the node's process {:.0} MB",
                run + 1,
                process::own_peak_mb()
            );
            times.push(seconds);
            peaks.push(peak);
        }
    }
    let [few, many] = measured.map(|(times, peaks)| (median(times), median(peaks)));
    println!("| events | seconds | events/s | peak memory |");
    println!("|---|---|---|---|");
    for (count, (seconds, peak)) in counts.into_iter().zip([few, many]) {
        println!("| {count} | {seconds:.2} | {:.0} | {peak:.0} MB |", count as f64 / seconds);
    }
    println!();
    println!(
        "ten times the events: {:.2} × the time (11 asked), {:+.0} % memory (± 10 asked)",
        many.0 / few.0,
        100.0 * (many.1 / few.1 - 1.0)
    );
}

/// An index of a factory with so many sales.
struct Side {
    node: MadeNode,
    database: Database,
    times: Vec<f64>,
    peak: f64,
}

impl Side {
    /// The sales are known, and none has contributions.
    async fn new(sales: u64, investors: u64, rounds: u64) -> Self {
        let plan = Plan { sales, busy: BUSY, investors, events: rounds * ROUND, skewed: false };
        let node = MadeNode::start(plan).await;
        node.show(plan.founded());
        let side = Self { node, database: Database::create().await, times: Vec::new(), peak: 0.0 };
        let mut indexer = side.start().await;
        indexer.reaches(plan.founded()).await;
        let seconds = indexer.began.elapsed().as_secs_f64();
        eprintln!("bench: {sales} sales known after {seconds:.1} s, {:.0} MB", indexer.peak_mb());
        indexer.kill();
        side
    }

    async fn start(&self) -> Indexer {
        Indexer::start(&self.node.url, self.node.factory, &self.database).await
    }

    /// From the first commit of a round's contributions to the last.
    async fn round(&mut self, round: u64) {
        let plan = self.node.chain.plan;
        let (before, last) = (plan.height_of(round * ROUND), plan.height_of((round + 1) * ROUND));
        self.node.show(last);
        let mut indexer = self.start().await;
        while indexer.commit().await <= before {}
        let began = Instant::now();
        indexer.reaches(last).await;
        self.times.push(began.elapsed().as_secs_f64());
        self.peak = self.peak.max(indexer.peak_mb());
        indexer.kill();
        check(&self.database, plan, (round + 1) * ROUND).await;
    }
}

/// The same contributions, to the same sales, without and with others beside them, in turns.
async fn crowded(sales: u64, investors: u64, runs: u64) {
    // In the first round every position is new: it does not count.
    let rounds = 2 * runs + 2;
    let mut sides = [Side::new(BUSY, investors, rounds).await, Side::new(sales, investors, rounds).await];
    for round in 0..rounds {
        for side in &mut sides {
            side.round(round).await;
        }
    }
    for side in &mut sides {
        side.times.remove(0);
        eprintln!("bench: with {} sales {:.2?} s, {:.0} MB", side.node.chain.plan.sales, side.times, side.peak);
    }
    let [few, many] = sides.map(|side| median(side.times));
    println!(
        "{ROUND} contributions: {few:.2} s with {BUSY} sales, {many:.2} s with {sales}: {:+.1} % (below 10 asked)",
        100.0 * (many / few - 1.0)
    );
}

/// The rows, positions and totals of the first `events` contributions are what the formulas say, to the wei: worked out from the
/// plan, not read from the node.
async fn check(database: &Database, plan: Plan, events: u64) {
    let Plan { sales, busy, .. } = plan;
    let (cycle, first) = (plan.cycle(), plan.founded() + 1);
    assert_eq!(
        database.number("SELECT count(*) FROM contribution").await as u64,
        events,
        "every contribution is there"
    );
    let off = format!(
        "SELECT count(*) FROM contribution, LATERAL (SELECT (block_number - {first}) * {PER_BLOCK} + log_index AS i) n
         WHERE (amount, tokens) <> ({AMOUNT}, {TOKENS}) OR paid <> {AMOUNT} * (i / {cycle} + 1)::numeric
             OR raised <> {AMOUNT} * (i / {busy} + 1)::numeric OR sold <> {TOKENS} * (i / {busy} + 1)::numeric"
    );
    assert_eq!(database.number(&off).await, 0, "every contribution is as emitted");
    let each = |of: u64, index: u64| (events + of - 1 - index) / of;
    let mut wanted: Vec<String> = (0..sales)
        .map(|index| {
            let count = if index < busy { each(busy, index) } else { 0 };
            let (raised, sold) = (u128::from(count) * u128::from(AMOUNT), u128::from(count) * u128::from(TOKENS));
            format!("{:x} {raised} {sold} {count} {}", made::sale(index), count.min(cycle / busy))
        })
        .collect();
    wanted.sort_unstable();
    let totals = "SELECT concat_ws(' ', encode(sale, 'hex'), raised, sold, contributions, investors) FROM sale_total
         ORDER BY encode(sale, 'hex') COLLATE \"C\"";
    assert!(database.texts(totals).await == wanted, "totals are exact");
    let off = format!(
        "SELECT count(*) FROM position WHERE (paid, tokens) <> (contributions * {AMOUNT}::numeric, contributions * {TOKENS}::numeric)"
    );
    assert_eq!(database.number(&off).await, 0, "positions are exact");
    let shape = "SELECT contributions || ' ' || count(*) FROM position GROUP BY contributions ORDER BY contributions";
    let (turns, rest) = (events / cycle, events % cycle);
    let wanted: Vec<String> = [(turns, cycle - rest), (turns + 1, rest)]
        .into_iter()
        .filter(|(turns, count)| *turns != 0 && *count != 0)
        .map(|(turns, count)| format!("{turns} {count}"))
        .collect();
    assert_eq!(database.texts(shape).await, wanted, "each wallet contributed in its turn");
}
