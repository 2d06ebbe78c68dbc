//! What an operator does with an index: compares two, rewinds one after a halt, fills a large one.

use alloy::{primitives::U256, providers::ext::AnvilApi};
use e2e::{Api, Database, Flags, Indexer, World, ether, index_once, until};

/// A world with contributions in many blocks, all of it final.
async fn filled() -> World {
    let world = World::new(2).await;
    let sale = world.open_sale().await;
    for number in 0..12 {
        world.chain.mine([sale.send(world.investor(number % 5), ether("0.5"))]).await;
        world.chain.mine_blocks(number as u64 % 3).await;
    }
    world.chain.mine_blocks(6).await;
    world
}

fn into(world: &World, database: &Database) -> Flags {
    Flags { database_url: database.url.clone(), ..world.flags() }
}

#[tokio::test]
async fn two_indexes_are_compared_by_their_digests() {
    let world = filled().await;
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    indexer.kill();
    // Another index of the same chain, cut into other ranges and batches.
    let other = Database::create().await;
    let flags = into(&world, &other).with("--max-range", 3).with("--batch-events", 2);
    let head = world.chain.head().await.header.number;
    let second = Indexer::start(&flags);
    until("the other index is there", async || other.checkpoint().await.filter(|c| c.number == head)).await;
    second.kill();
    assert!(
        other.number("SELECT count(*) FROM block").await > 0
            && other.number("SELECT count(*) FROM contribution").await == 12
    );

    let api = Api::start(&world.database.url).await;
    let compare = into(&world, &other).with("--compare", api.url());
    let (same, output) = index_once(&compare);
    assert!(same, "{output}");
    assert!(output.contains(&format!("the same up to block {head}")), "{output}");

    // One event less, noticed at its block: every digest from there on is another.
    let block = other.number("SELECT block_number FROM contribution ORDER BY block_number OFFSET 5 LIMIT 1").await;
    other.execute(&format!("UPDATE block SET digest = sha256(digest) WHERE number >= {block}")).await;
    let before = other.dump(&[]).await;
    let (same, output) = index_once(&compare);
    assert!(!same, "{output}");
    assert!(output.contains(&format!("different from block {block} on")), "{output}");
    assert_eq!(other.dump(&[]).await, before, "comparing writes nothing");

    // A service that is none, and one that has less.
    let (ok, output) = index_once(&into(&world, &other).with("--compare", "http://127.0.0.1:1"));
    assert!(!ok && output.contains("error: cannot compare") && output.contains("hint: check the URL"), "{output}");
}

#[tokio::test]
async fn a_rewind_ends_a_halt() {
    let world = filled().await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    world.chain.mine_blocks(6).await;
    world.agree(&mut indexer).await;
    until("the finalized block is stored", async || {
        let finalized = world.database.number("SELECT finalized_number FROM checkpoint").await;
        (finalized as u64 == world.chain.head().await.header.number - 4).then_some(())
    })
    .await;
    indexer.pause().await;
    world.chain.rollback(10).await;
    let fork = world.chain.head().await.header.number;
    for _ in 0..10 {
        world.chain.mine([]).await;
    }
    indexer.resume();
    let output = indexer.refused().await;
    assert!(output.contains("--rewind-to"), "the way out is named:\n{output}");

    // Too high: a block of the old branch would stay.
    let before = world.database.dump(&[]).await;
    let (ok, output) = index_once(&world.flags().with("--rewind-to", fork + 3));
    assert!(!ok && output.contains("nothing was changed") && output.contains("--rewind-to"), "{output}");
    assert_eq!(world.database.dump(&[]).await, before);

    let (ok, output) = index_once(&world.flags().with("--rewind-to", fork));
    assert!(ok, "{output}");
    assert!(output.contains("is rewound to block"), "{output}");
    let checkpoint = world.database.checkpoint().await.unwrap();
    assert!(checkpoint.number <= fork && checkpoint.halted.is_none(), "{checkpoint:?}");
    assert_eq!(world.database.number(&format!("SELECT count(*) FROM block WHERE number > {fork}")).await, 0);
    let mut indexer = world.index();
    world.agree(&mut indexer).await;

    // Not beside a running indexer.
    let (ok, output) = index_once(&world.flags().with("--rewind-to", fork));
    assert!(!ok && output.contains("another process indexes this chain"), "{output}");
    indexer.kill();

    // Below everything: from the beginning again.
    let (ok, output) = index_once(&world.flags().with("--rewind-to", 0));
    assert!(ok && output.contains("nothing of chain 31337 is left"), "{output}");
    assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 0);
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
}

#[tokio::test]
async fn a_first_large_backfill_builds_its_indexes_at_the_end() {
    let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'crowdsale' ORDER BY indexname";
    let world = filled().await;
    world.chain.provider.anvil_mine(Some(600), None).await.unwrap();
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(1), ether("2"))]).await;
    world.chain.mine_blocks(6).await;
    let empty = Database::create().await;
    crowdsale::db::migrate(&mut empty.pool.acquire().await.unwrap()).await.unwrap();
    let all = empty.texts(indexes).await;

    // Killed while they are missing, and again while they are built.
    let flags = world.flags().with("--max-range", 7).with("--batch-events", 1);
    let indexer = Indexer::start(&flags);
    until("a part is committed", async || {
        world.database.checkpoint().await.and(Some(()))?;
        (world.database.number("SELECT count(*) FROM contribution").await > 2).then_some(())
    })
    .await;
    indexer.kill();
    assert!(world.database.number("SELECT count(*) FROM deferred_index").await > 0, "indexes wait");
    assert!(world.database.texts(indexes).await.len() < all.len());
    let held = world.database.hold("position").await;
    let indexer = world.index();
    held.wanted().await;
    indexer.kill();
    held.release().await;

    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM deferred_index").await, 0);
    assert_eq!(world.database.texts(indexes).await, all, "every index is there again");
    // What is there already is not taken away by a later backfill.
    indexer.kill();
    world.chain.provider.anvil_mine(Some(600), None).await.unwrap();
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    assert!(!indexer.output().contains("first backfill"), "{}", indexer.output());
}

#[tokio::test]
async fn a_socket_wakes_the_indexer_and_silence_does_not_stop_it() {
    let world = World::new(32).await;
    let mut flags = world.flags();
    flags.rpc_url = flags.rpc_url.replace("http://", "ws://");
    // A minute between two looks of its own: only the socket can be that quick.
    let mut indexer = Indexer::start(&flags.clone().with("--poll-ms", 600_000));
    let sale = world.open_sale().await;
    for number in 0..5 {
        world.chain.mine([sale.send(world.investor(number), ether("1"))]).await;
        world.agree(&mut indexer).await;
    }
    world.chain.rollback(2).await;
    world.chain.mine([sale.send(world.investor(6), ether("1"))]).await;
    world.chain.mine_blocks(3).await;
    world.agree(&mut indexer).await;
    assert_eq!(
        world.database.texts("SELECT sum(amount)::text FROM contribution").await,
        [(U256::from(4) * ether("1")).to_string()]
    );
}

#[tokio::test]
async fn health_and_metrics_of_an_indexer_alone() {
    let world = filled().await;
    let mut indexer = Indexer::start(&world.flags().with("--metrics-listen", "127.0.0.1:0"));
    world.agree(&mut indexer).await;
    let output = indexer.output();
    let (_, rest) = output.split_once("health and metrics on ").expect("the address is said");
    let url = rest.lines().next().unwrap().trim();
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/readyz").await.0, 200);
    let (status, metrics) = get("/metrics").await;
    assert_eq!(status, 200);
    for name in
        ["indexer_lag_seconds", "indexer_events_total", "indexer_batch_duration_seconds_bucket", "indexer_range_blocks"]
    {
        assert!(metrics.contains(&format!("crowdsale_{name}")), "{name} is missing:\n{metrics}");
    }
    assert_eq!(get("/v1/sales").await.0, 404, "nothing else is served");
}
