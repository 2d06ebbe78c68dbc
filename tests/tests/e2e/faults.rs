//! Processes killed, connections cut, twins: nothing twice, nothing missing.

use std::{cell::Cell, time::Duration};

use alloy::primitives::U256;
use e2e::{Call, Draft, Indexer, Random, Sale, World, ether, until};
use tokio::time::sleep;

/// A few contributions of odd amounts by anybody.
fn some_contributions(world: &World, sale: &Sale, random: &mut Random) -> Vec<Call> {
    (0..random.within(1..4))
        .map(|_| {
            let payer = world.investor(random.within(0..8) as usize);
            let investor = world.investor(random.within(0..8) as usize);
            sale.contribute(payer, investor, ether("0.01") + U256::from(random.within(0..1_000_000)))
        })
        .collect()
}

/// Something that chains do: mostly a block, sometimes a reorg of one of the shapes. Nothing up to block `base` changes.
async fn chain_moves(world: &World, sale: &Sale, random: &mut Random, base: u64) {
    let head = world.chain.head().await.header.number;
    let depth = random.within(1..7).min(head - base);
    match random.within(0..10) {
        0 if depth > 0 => {
            let blocks = (0..depth).map(|_| some_contributions(world, sale, random)).collect();
            world.chain.swap(blocks).await;
        }
        1 if depth > 0 => {
            world.chain.rollback(depth).await;
            for _ in 0..depth + random.within(0..3) {
                world.chain.mine(some_contributions(world, sale, random)).await;
            }
        }
        2 if depth > 0 => world.chain.rollback(depth).await,
        _ => {
            world.chain.mine(some_contributions(world, sale, random)).await;
        }
    }
}

#[tokio::test]
async fn killed_at_ten_random_moments_while_the_chain_moves() {
    let mut random = Random::seeded();
    let world = World::new(32).await;
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    let base = world.chain.head().await.header.number;
    let mut behind = 0;
    for _ in 0..10 {
        let indexer = world.index();
        let moment = Duration::from_millis(random.within(0..400));
        let killed = Cell::new(false);
        let kill = async {
            sleep(moment).await;
            indexer.kill();
            killed.set(true);
        };
        let moves = async {
            while !killed.get() {
                chain_moves(&world, &sale, &mut random, base).await;
            }
        };
        tokio::join!(kill, moves);
        let head = world.chain.head().await.header;
        let checkpoint = world.database.checkpoint().await;
        behind += u32::from(checkpoint.is_none_or(|c| c.hash != head.hash));
    }
    assert!(behind > 0, "no kill met an indexer that had anything left to do");
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    assert!(world.database.number("SELECT count(*) FROM contribution").await > 0);
}

/// Starts an indexer that cannot write `table`, and kills it when it tries to. Nothing of its transaction may stay.
async fn killed_at(world: &World, table: &str) {
    let before = world.database.dump(&[]).await;
    let held = world.database.hold(table).await;
    let indexer = world.index();
    held.wanted().await;
    indexer.kill();
    held.release().await;
    assert_eq!(world.database.dump(&[]).await, before, "killed while it wrote {table}");
}

#[tokio::test]
async fn killed_at_every_table_that_a_batch_or_a_rollback_writes() {
    const TABLES: [&str; 16] = [
        "block",
        "sale",
        "sale_phase",
        "sale_total",
        "token_created",
        "contribution",
        "position",
        "excess_return",
        "settlement",
        "claim",
        "refund",
        "unsold_return",
        "sweep",
        "release",
        "checkpoint",
        "currency",
    ];
    let world = World::new(32).await;
    let mut indexer = world.index();
    // About to sell out.
    let sale = world.open_sale().await;
    let [alice, bob] = [0, 1].map(|i| world.investor(i));
    world.chain.mine([sale.send(alice, ether("50")), sale.send(bob, ether("40"))]).await;
    world.agree(&mut indexer).await;
    indexer.kill();

    // One block in which everything happens.
    let opens = world.chain.now().await + 12;
    let draft = Draft::new(world.owner(), world.beneficiary(), opens);
    let failing = world.predict(&draft).await;
    let everything = [
        draft.create(world.factory),
        failing.send(alice, ether("1")),
        failing.cancel(),
        failing.refund(alice, alice),
        sale.contribute(world.investor(2), world.investor(2), ether("11")),
        sale.close(alice),
        sale.claim(alice, alice),
        sale.release(alice),
    ];
    world.chain.mine_at(opens, everything).await;
    for table in TABLES {
        killed_at(&world, table).await;
    }
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    for table in TABLES {
        assert!(world.database.number(&format!("SELECT count(*) FROM {table}")).await > 0, "{table} was written");
    }
    indexer.kill();

    world.chain.rollback(1).await;
    world.chain.mine([sale.send(world.investor(3), ether("1"))]).await;
    // A token's symbol outlives the sale that it was read for.
    for table in TABLES.iter().filter(|t| **t != "currency") {
        killed_at(&world, table).await;
    }
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM sale").await, 1);
}

#[tokio::test]
async fn killed_during_a_backfill() {
    let mut random = Random::seeded();
    let world = World::new(2).await;
    let sale = world.open_sale().await;
    for _ in 0..80 {
        world.chain.mine(some_contributions(&world, &sale, &mut random)).await;
        world.chain.mine_blocks(random.within(0..3)).await;
    }
    let head = world.chain.head().await.header.number;
    let flags = world.flags().with("--max-range", 2).with("--batch-events", 2);
    for part in 1..=5 {
        let indexer = Indexer::start(&flags);
        until("a part of the backfill is done", async || {
            world.database.checkpoint().await.filter(|c| c.number >= part * head / 8)
        })
        .await;
        indexer.kill();
        let checkpoint = world.database.checkpoint().await.expect("a checkpoint");
        assert!(checkpoint.number < head - 4, "it was killed in the middle of its backfill");
    }
    let mut indexer = Indexer::start(&flags);
    world.agree(&mut indexer).await;
}

#[tokio::test]
async fn a_second_indexer_stands_by_and_takes_over() {
    let world = World::new(32).await;
    let sale = world.open_sale().await;
    let mut first = world.index();
    world.agree(&mut first).await;
    let mut second = world.index();
    until("the second stands by", async || second.output().contains("standing by").then_some(())).await;

    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    world.agree(&mut first).await;
    second.assert_running();
    first.kill();
    world.chain.mine([sale.send(world.investor(1), ether("2"))]).await;
    world.agree(&mut second).await;

    // The second stands still and loses its connection, and with it the right to write; a third takes over. When the second
    // goes on, it must not write on what it remembers.
    let mut third = world.index();
    until("the third stands by", async || third.output().contains("standing by").then_some(())).await;
    second.pause().await;
    assert!(world.database.cut_connections().await > 0);
    world.chain.rollback(1).await;
    world.chain.mine([sale.send(world.investor(2), ether("3"))]).await;
    world.chain.mine([sale.send(world.investor(2), ether("4"))]).await;
    world.agree(&mut third).await;
    second.resume();
    until("the second stands by", async || second.output().contains("standing by").then_some(())).await;
    world.chain.mine([sale.send(world.investor(3), ether("5"))]).await;
    world.agree(&mut third).await;
    second.assert_running();
}

#[tokio::test]
async fn connections_to_postgres_are_cut_again_and_again() {
    let mut random = Random::seeded();
    let world = World::new(32).await;
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    let base = world.chain.head().await.header.number;
    let mut indexer = world.index();
    world.agree(&mut indexer).await;
    for _ in 0..8 {
        chain_moves(&world, &sale, &mut random, base).await;
        // Twice in a row: the second time while it comes back, which migrates and reads again where it stood.
        for _ in 0..2 {
            until("a connection is cut", async || {
                indexer.assert_running();
                (world.database.cut_connections().await > 0).then_some(())
            })
            .await;
        }
        // It comes back each time; the pauses between tries would grow otherwise.
        world.reached(&mut indexer).await;
    }
    world.chain.mine([sale.send(world.investor(0), ether("1"))]).await;
    world.agree(&mut indexer).await;
}
