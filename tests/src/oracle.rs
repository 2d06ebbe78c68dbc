//! What a database must say once the chain stands still: what a fresh index says, and what the chain's own ledger says.

use std::time::{Duration, Instant};

use crowdsale::sync::Options;

use crate::{
    Database, Local, PATIENCE, compare,
    peer::{Peer, View},
    story::{Ledger, Position, Totals},
};

/// Waits until the database stands at the head of `view` and has heard its tags.
///
/// # Panics
/// If it takes longer than [`PATIENCE`], or an indexer ends.
pub async fn rest(database: &Database, view: &View, indexers: &mut [Local]) {
    let head = view.head();
    let query = format!(
        "SELECT count(*) FROM checkpoint WHERE hash = decode('{:x}', 'hex') AND head_number = {} AND safe_number = {}
             AND finalized_number = {}",
        head.hash,
        head.number,
        view.safe.unwrap_or(0),
        view.finalized.unwrap_or(0)
    );
    let start = Instant::now();
    // Before the first batch there may be no schema.
    while database.checkpoint().await.is_none() || database.number(&query).await == 0 {
        indexers.iter_mut().for_each(Local::assert_running);
        assert!(
            start.elapsed() < PATIENCE,
            "block {} was never reached: {:?}",
            head.number,
            database.checkpoint().await
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Indexes the chain into `fresh`, and says what `database` says otherwise than it, or than the ledger of the head.
pub async fn mistakes(peer: &Peer, options: &Options, database: &Database, fresh: &Database) -> Vec<String> {
    let view = peer.core().tree.now().clone();
    let mut indexer = Local::follow(&peer.url, fresh, options);
    rest(fresh, &view, std::slice::from_mut(&mut indexer)).await;
    indexer.kill().await;
    let mut mistakes: Vec<String> = compare(database, fresh).await.iter().map(ToString::to_string).collect();
    mistakes.extend(against_ledger(database, &view.head().ledger).await);
    mistakes.extend(opened_wrong(database, &view).await);
    mistakes.extend(told_wrong(database).await);
    mistakes
}

/// A sale opens with the first block whose time is not before its own, once it is created and unless it is settled by then.
async fn opened_wrong(database: &Database, view: &View) -> Vec<String> {
    let sales = database
        .texts(
            "SELECT concat_ws(' ', encode(s.address, 'hex'), s.opens, s.block_number, coalesce(o.block_number, -1))
             FROM sale s LEFT JOIN settlement o ON o.chain_id = s.chain_id AND o.sale = s.address",
        )
        .await;
    let mut expected = Vec::new();
    for sale in &sales {
        let parts: Vec<&str> = sale.split(' ').collect();
        let [opens, created, settled] = [1, 2, 3].map(|n| parts[n].parse::<i64>().expect("a number"));
        let opening = view.blocks.iter().find(|b| b.number as i64 >= created && b.timestamp as i64 >= opens);
        if let Some(block) = opening.filter(|b| settled < 0 || settled >= b.number as i64) {
            expected.push(format!("{} {}", parts[0], block.number));
        }
    }
    expected.sort_unstable();
    let mut found = database.texts("SELECT encode(sale, 'hex') || ' ' || block_number FROM sale_opening").await;
    found.sort_unstable();
    if found == expected {
        return Vec::new();
    }
    vec![format!("sale_opening: {found:?}, and by the times of the blocks {expected:?}")]
}

/// Whoever only listens to the outbox must have heard of every block with events once, and of none that is gone.
async fn told_wrong(database: &Database) -> Vec<String> {
    if database.number("SELECT count(*) FROM pg_tables WHERE tablename = 'outbox'").await == 0 {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    let (applied, finalized) = (told(database, "applied").await, told(database, "finalized").await);
    for pair in [&applied, &finalized].iter().flat_map(|ranges| ranges.windows(2)).filter(|p| p[1].0 <= p[0].1) {
        mistakes.push(format!("outbox: the blocks {:?} are told twice", (pair[1].0, pair[0].1)));
    }
    let (ranges, last) = (applied, finalized.last().map_or(-1, |range| range.1));
    let never = "SELECT number::text FROM block b WHERE has_events
        AND number <= (SELECT least(c.number, finalized_number) FROM checkpoint c WHERE c.chain_id = b.chain_id)";
    for block in database.texts(never).await {
        let number: i64 = block.parse().expect("a height");
        if !finalized.iter().any(|(from, to)| (from..=to).contains(&&number)) {
            mistakes.push(format!("outbox: that block {number} is final was never told"));
        }
    }
    let too_early = format!("SELECT count(*) FROM checkpoint WHERE finalized_number < {last}");
    if database.number(&too_early).await != 0 {
        mistakes.push(format!("outbox: block {last} was told to be final, and is not"));
    }
    for block in database.texts("SELECT number::text FROM block WHERE has_events ORDER BY number").await {
        let number: i64 = block.parse().expect("a height");
        if !ranges.iter().any(|(from, to)| (from..=to).contains(&&number)) {
            mistakes.push(format!("outbox: block {number} was never told"));
        }
    }
    mistakes
}

/// What the database says otherwise than the chain's own ledger.
async fn against_ledger(database: &Database, ledger: &Ledger) -> Vec<String> {
    let mut mistakes = Vec::new();
    let totals =
        format!("SELECT encode(sale, 'hex') || ' ' || concat_ws(' ', {}) FROM sale_total", Totals::COLUMNS.join(", "));
    let positions = format!(
        "SELECT encode(sale, 'hex') || ' ' || encode(investor, 'hex') || ' ' || concat_ws(' ', {}) FROM position",
        Position::COLUMNS.join(", ")
    );
    for (table, query, mut expected) in
        [("sale_total", totals, ledger.total_lines()), ("position", positions, ledger.position_lines())]
    {
        let mut found = database.texts(&query).await;
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            let different = found.iter().zip(&expected).find(|(f, e)| f != e);
            let (has, should) = (found.len(), expected.len());
            mistakes.push(format!("{table}: {has} rows, the ledger says {should}; first: {different:#?}"));
        }
    }
    for (table, rows) in &ledger.rows {
        let found = database.number(&format!("SELECT count(*) FROM {table}")).await;
        if found != *rows as i64 {
            mistakes.push(format!("{table}: {found} rows, the ledger says {rows}"));
        }
    }
    mistakes
}

/// The ranges of a kind that still hold, after what was taken back.
async fn told(database: &Database, kind: &str) -> Vec<(i64, i64)> {
    let numbers = |line: String| line.split(' ').map(|n| n.parse().expect("a height")).collect::<Vec<i64>>();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let query = format!(
        "SELECT concat_ws(' ', (kind = '{kind}')::int, from_block, to_block) FROM outbox
         WHERE kind IN ('{kind}', 'reverted') ORDER BY seq"
    );
    for line in database.texts(&query).await.into_iter().map(numbers) {
        let (holds, from, to) = (line[0] == 1, line[1], line[2]);
        if holds {
            ranges.push((from, to));
        } else {
            ranges.retain(|range| range.0 < from);
            ranges.iter_mut().for_each(|range| range.1 = range.1.min(from - 1));
        }
    }
    ranges
}
