//! What a reorg and a `kill -9` cost, and what a factory with very many sales does.

use std::time::Instant;

use alloy::{
    primitives::{U256, aliases::U120},
    providers::ext::AnvilApi,
    rpc::types::anvil::ReorgOptions,
    sol_types::SolCall,
};
use e2e::{Call, Chain, Database};

use crate::{
    fixture::{Crowd, Fixture},
    process::Indexer,
};

async fn start(fixture: &Fixture, database: &Database) -> Indexer {
    Indexer::start(&fixture.world.chain.url, fixture.world.factory, database).await
}

async fn head(fixture: &Fixture) -> u64 {
    fixture.world.chain.head().await.header.number
}

/// Prints how long it takes to forget `depth` blocks with `events` events in all, from the reorg to the commit, and to be at the new
/// head again.
pub async fn rollback(depth: u64, events: u64, investors: u64) {
    let fixture = Fixture::new(Chain::start(depth / 2 + 1).await, 100, investors).await;
    let database = Database::create().await;
    fixture.world.chain.mine_blocks(depth + 3).await;
    // They have contributed before as well: a position shrinks, it does not go.
    let each = events / depth;
    for block in 0..depth {
        fixture.block(block * each, each).await;
    }
    fixture.world.chain.mine_blocks(depth + 3).await;
    let mut indexer = start(&fixture, &database).await;
    for block in depth..2 * depth {
        fixture.block(block * each, each).await;
    }
    let tip = head(&fixture).await;
    indexer.reaches(tip).await;
    let before = database.number("SELECT count(*) FROM contribution").await;
    let options = ReorgOptions { depth, tx_block_pairs: Vec::new() };
    fixture.world.chain.provider.anvil_reorg(options).await.expect("anvil reorganizes");
    let began = Instant::now();
    while indexer.commit().await != tip - depth {}
    let forgotten = began.elapsed();
    indexer.reaches(tip).await;
    let again = began.elapsed();
    let gone = before - database.number("SELECT count(*) FROM contribution").await;
    indexer.kill();
    println!(
        "{depth} blocks with {gone} events of {investors} wallets rolled back in {:.0} ms, at the new head after {:.0} ms (1,000 asked)",
        forgotten.as_secs_f64() * 1_000.0,
        again.as_secs_f64() * 1_000.0
    );
}

/// Prints the time from the start of the process after a `kill -9` in the middle of a backfill to the next commit.
pub async fn restart(events: u64, investors: u64, runs: u64) {
    let fixture = Fixture::new(Chain::start(1).await, 100, investors).await;
    let last = fixture.fill(events).await;
    let mut all = Vec::new();
    for _ in 0..runs {
        let database = Database::create().await;
        let mut indexer = start(&fixture, &database).await;
        indexer.reaches(last / 3).await;
        indexer.kill();
        let mut indexer = start(&fixture, &database).await;
        indexer.commit().await;
        all.push(indexer.began.elapsed().as_secs_f64() * 1_000.0);
        indexer.reaches(last).await;
        let rows = database.number("SELECT count(*) FROM contribution").await as u64;
        assert_eq!(rows, events, "every contribution is there, once");
        indexer.kill();
    }
    all.sort_by(f64::total_cmp);
    println!(
        "kill -9 in a backfill, from the start to the next commit: {:.0} ms, at worst {:.0} ms (1,000 asked)",
        all[all.len() / 2],
        all[all.len() - 1]
    );
}

/// Contributions in a block of that chain: with so much state, anvil takes its time for every block.
const IN_BLOCK: u64 = 1_000;

/// Prints how the time of the same contributions changes with `sales` more in the factory.
pub async fn sales(sales: u64, events: u64, investors: u64) {
    let fixture = Fixture::new(Chain::start_large(1).await, 100, investors).await;
    let database = Database::create().await;
    let mut contributed = 0;
    let mut seconds = [Vec::new(), Vec::new()];
    for (which, more) in [(0, 0), (1, sales)] {
        found(&fixture, more).await;
        let known = head(&fixture).await;
        fixture.world.chain.mine_blocks(4).await;
        let mut indexer = start(&fixture, &database).await;
        indexer.reaches(known).await;
        indexer.kill();
        // The first time every position is new.
        for round in 0..4 {
            let from = head(&fixture).await;
            for _ in 0..events / IN_BLOCK {
                fixture.block(contributed, IN_BLOCK).await;
                contributed += IN_BLOCK;
            }
            let last = head(&fixture).await;
            fixture.world.chain.mine_blocks(4).await;
            let mut indexer = start(&fixture, &database).await;
            while indexer.commit().await < from {}
            let began = Instant::now();
            indexer.reaches(last).await;
            if round > 0 {
                seconds[which].push(began.elapsed().as_secs_f64());
            }
            indexer.kill();
        }
        let known = database.number("SELECT count(*) FROM sale").await;
        eprintln!("bench: {events} contributions with {known} sales: {:?} s", seconds[which]);
    }
    let [few, many] = seconds.map(|mut s| {
        s.sort_by(f64::total_cmp);
        s[s.len() / 2]
    });
    println!(
        "{events} contributions: {few:.2} s with 100 sales, {many:.2} s with {sales} more: {:+.1} % (below 10 asked)",
        100.0 * (many / few - 1.0)
    );
}

/// Sales that differ in their soft cap.
async fn found(fixture: &Fixture, count: u64) {
    const PER_TRANSACTION: u64 = 500;
    let world = &fixture.world;
    let mut draft = world.draft().await;
    draft.terms.opens += alloy::primitives::aliases::U40::from(100 * 86_400);
    for phase in &mut draft.terms.phases {
        phase.end += alloy::primitives::aliases::U40::from(100 * 86_400);
    }
    let first = U256::from(1_000_000_007_000_000_000_u64);
    draft.terms.softCap = first.to::<U120>();
    let data = draft.data();
    let word: [u8; 32] = first.to_be_bytes();
    let at = data.windows(32).position(|w| w == word).expect("the soft cap is among the data");
    for from in (0..count).step_by(PER_TRANSACTION as usize) {
        let call = Crowd::foundCall {
            factory: world.factory,
            data: data.clone().into(),
            offset: U256::from(at),
            first: first + U256::from(from),
            count: U256::from(PER_TRANSACTION.min(count - from)),
        };
        let Call::New(request) = Call::send(world.owner(), fixture.crowd, U256::ZERO, call.abi_encode()) else {
            unreachable!("a new call")
        };
        let mut request = *request;
        request.gas = Some(900_000_000);
        world.chain.mine([Call::New(Box::new(request))]).await;
        if from % 10_000 == 0 {
            eprintln!("bench: {from} of {count} sales");
        }
    }
}
