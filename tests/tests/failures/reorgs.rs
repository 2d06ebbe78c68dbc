//! Reorgs in their three shapes and at every depth, on a node that never says `removed`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crowdsale::sync::SyncError;
use e2e::{
    Local, Stage,
    peer::{Block, Fault},
    until,
};

use super::{FAR, NEAR};

/// What becomes of the last blocks.
#[derive(Clone, Copy)]
enum Shape {
    /// As many others.
    Swapped,
    /// More others.
    Longer,
    /// They go, the indexer sees that, and others come.
    BackThenGrown,
}

async fn reorg(shape: Shape, depth: u64) {
    let mut stage = Stage::new(depth, FAR).await;
    stage.grow(depth + 5);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    match shape {
        Shape::Swapped => stage.reorg(depth, depth),
        Shape::Longer => stage.reorg(depth, depth + 3),
        Shape::BackThenGrown => {
            stage.reorg(depth, 0);
            stage.rest(&mut indexer).await;
            stage.grow(depth);
        }
    }
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}

macro_rules! reorgs {
    ($($name:ident: $shape:ident $depth:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            reorg(Shape::$shape, $depth).await;
        }
    )*};
}

reorgs! {
    swapped_1: Swapped 1;
    swapped_3: Swapped 3;
    swapped_10: Swapped 10;
    swapped_64: Swapped 64;
    swapped_300: Swapped 300;
    longer_1: Longer 1;
    longer_3: Longer 3;
    longer_10: Longer 10;
    longer_64: Longer 64;
    longer_300: Longer 300;
    back_then_grown_1: BackThenGrown 1;
    back_then_grown_3: BackThenGrown 3;
    back_then_grown_10: BackThenGrown 10;
    back_then_grown_64: BackThenGrown 64;
    back_then_grown_300: BackThenGrown 300;
}

/// The branch changes while it is rolled back and read again, once after every request.
#[tokio::test]
async fn the_chain_is_another_after_every_request() {
    for seed in 0..4 {
        let mut stage = Stage::new(100 + seed, FAR).await;
        stage.grow(30);
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        let mut author = e2e::story::Author::new(&mut e2e::Random::of(seed), 0);
        let mut left = 60;
        stage.peer.direct(Box::new(move |core, _| {
            if left > 0 {
                left -= 1;
                author.replace(&mut core.tree, 1 + left % 7, 1 + (left * 3) % 8);
            }
        }));
        until("it has all happened", async || (stage.peer.core().exchanges > 400).then_some(())).await;
        stage.agree(&mut indexer).await;
    }
}

/// A node that is syncing shows an old head: nothing was rewritten.
#[tokio::test]
async fn a_syncing_node_is_no_reorg() {
    let mut stage = Stage::new(1, NEAR).await;
    stage.grow(30);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    let before = stage.database.dump(&["checkpoint"]).await;
    stage.peer.core().faults.rate(Fault::Syncing, 1_000);
    let asked = stage.peer.core().exchanges;
    until("it has looked often", async || {
        indexer.assert_running();
        (stage.peer.core().exchanges > asked + 40).then_some(())
    })
    .await;
    assert_eq!(stage.database.dump(&["checkpoint"]).await, before, "nothing of what is final is forgotten");
    stage.agree(&mut indexer).await;
}

/// The height is the same, or lower: only the hash tells.
#[tokio::test]
async fn an_old_head_after_a_newer_one_changes_nothing() {
    let mut stage = Stage::new(2, NEAR).await;
    stage.options.behind_grace = std::time::Duration::from_secs(60);
    stage.grow(20);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    let before = stage.database.checkpoint().await.unwrap();
    let mut turn = 0;
    stage.peer.direct(Box::new(move |core, _| {
        turn += 1;
        core.faults.next(Fault::Behind, turn % 2);
    }));
    let asked = stage.peer.core().exchanges;
    until("it has looked often", async || (stage.peer.core().exchanges > asked + 60).then_some(())).await;
    assert_eq!(stage.database.checkpoint().await.unwrap().hash, before.hash);
    stage.agree(&mut indexer).await;
}

/// Blocks that the indexer knows as final become others.
fn contradict(stage: &mut Stage, depth: u64) {
    let view = stage.view();
    let keep = view.head().number - depth;
    let mut below: Block = (**view.at(keep).unwrap()).clone();
    let mut blocks = Vec::new();
    for _ in 0..depth {
        let block = stage.block_on(&below, |_, _| Vec::new());
        blocks.push(block.clone());
        below = block;
    }
    stage.peer.core().tree.rewrite(keep, blocks);
}

#[tokio::test]
async fn a_chain_that_contradicts_what_is_final_halts_and_keeps_its_data() {
    let mut stage = Stage::new(3, NEAR).await;
    stage.grow(20);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    let before = stage.database.dump(&["checkpoint"]).await;
    contradict(&mut stage, 10);
    assert!(matches!(indexer.fails().await, SyncError::Halted { .. }));
    assert_eq!(stage.database.dump(&["checkpoint"]).await, before, "what was indexed is still there");
    // And it stays so.
    assert!(matches!(stage.index().fails().await, SyncError::Halted { .. }));
}

/// The header is read, the block is swapped, its logs are asked for: an orphan's, or none.
#[tokio::test]
async fn an_orphans_logs_are_not_kept() {
    use e2e::peer::Unknown;
    for unknown in [Unknown::Error, Unknown::Empty, Unknown::Orphan] {
        let mut stage = Stage::new(4, FAR).await;
        stage.grow(10);
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.peer.core().faults.unknown = unknown;
        let mut author = e2e::story::Author::new(&mut e2e::Random::of(9), 0);
        let swapped = Arc::new(AtomicBool::new(false));
        let done = swapped.clone();
        stage.grow(2);
        stage.peer.direct(Box::new(move |core, request| {
            let of_logs = request.to_string().contains("eth_getLogs");
            if of_logs && !done.swap(true, Ordering::Relaxed) {
                author.replace(&mut core.tree, 3, 4);
            }
        }));
        until("it was swapped", async || swapped.load(Ordering::Relaxed).then_some(())).await;
        stage.agree(&mut indexer).await;
    }
}

/// A deep reorg while the indexer is away, and another while it walks back.
#[tokio::test]
async fn a_reorg_while_nobody_looks_and_one_while_it_is_undone() {
    let mut stage = Stage::new(5, FAR).await;
    stage.grow(80);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    indexer.kill().await;
    stage.reorg(60, 61);
    let mut author = e2e::story::Author::new(&mut e2e::Random::of(11), 0);
    let from = stage.peer.core().exchanges;
    stage.peer.direct(Box::new(move |core, _| {
        if core.exchanges == from + 20 {
            author.replace(&mut core.tree, 70, 72);
        }
    }));
    let mut indexer: Local = stage.index();
    until("it happened", async || (stage.peer.core().exchanges > from + 25).then_some(())).await;
    stage.agree(&mut indexer).await;
}

/// Between two tags the branch goes that the head was on, and a block of the next becomes final: a head and a final block that
/// never stood on each other.
#[tokio::test]
async fn tags_are_not_of_two_branches() {
    let mut stage = Stage::new(6, NEAR).await;
    stage.grow(20);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    for seed in 0..5 {
        let mut author = e2e::story::Author::new(&mut e2e::Random::of(seed), 0);
        let moved = Arc::new(AtomicBool::new(false));
        let done = moved.clone();
        let mut head_was_seen = false;
        stage.peer.direct(Box::new(move |core, request| {
            let text = request.to_string();
            // The next question after the one for the head.
            if head_was_seen && !done.swap(true, Ordering::Relaxed) {
                author.replace(&mut core.tree, 3, 5 + seed);
            }
            head_was_seen = text.contains("latest");
        }));
        until("it happened", async || moved.load(Ordering::Relaxed).then_some(())).await;
        stage.peer.core().director = None;
        stage.rest(&mut indexer).await;
    }
    stage.agree(&mut indexer).await;
}
