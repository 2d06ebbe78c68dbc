//! Logs that are missing, doubled or wrong, and blooms that are no help.

use e2e::{
    Local, Stage,
    peer::{Fault, Limit},
    until,
};

use super::{FAR, NEAR};

/// The bloom says that there are logs, the node says there are none, and then it has them.
#[tokio::test]
async fn logs_that_are_missing_under_a_bloom_are_asked_for_again() {
    let mut stage = Stage::new(1, FAR).await;
    stage.grow(10);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    for _ in 0..5 {
        stage.peer.core().faults.next(Fault::NoLogs, 3);
        stage.grow(1);
        stage.rest(&mut indexer).await;
    }
    stage.agree(&mut indexer).await;
}

/// The same where a range is a single final block, however that is asked for.
#[tokio::test]
async fn logs_that_are_missing_of_a_final_block_alone() {
    let mut stage = Stage::new(8, NEAR).await;
    stage.grow(30);
    stage.peer.core().faults.limit = Some(Limit { blocks: 1, logs: usize::MAX, message: 0 });
    stage.peer.core().faults.rate(Fault::NoLogs, 300);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}

/// One node never has a block's logs, the other does.
#[tokio::test]
async fn logs_that_stay_missing_are_asked_of_another_node() {
    let mut stage = Stage::new(2, FAR).await;
    stage.grow(12);
    let other = stage.second_node().await;
    stage.peer.core().faults.rate(Fault::NoLogs, 1_000);
    let urls = [stage.peer.url.clone(), other.url.clone()];
    let mut indexer = Local::start(&urls, &stage.database.options(), &stage.options);
    stage.rest(&mut indexer).await;
    indexer.kill().await;
    let mut indexer = stage.index();
    stage.agree(&mut indexer).await;
}

/// A bloom that is null, empty or says nothing hides nothing; one that is full is no reason to wait for ever.
#[tokio::test]
async fn a_bloom_that_is_missing_or_wrong_hides_nothing() {
    for fault in [Fault::BloomNull, Fault::BloomEmpty, Fault::BloomZero, Fault::BloomFull] {
        let mut stage = Stage::new(3, FAR).await;
        stage.peer.core().faults.rate(fault, 1_000);
        stage.grow(8);
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.reorg(4, 5);
        stage.rest(&mut indexer).await;
        stage.agree(&mut indexer).await;
    }
}

/// Twice the same log, another block's hash or height, marked as removed, in reverse: at the head and in ranges.
#[tokio::test]
async fn logs_that_contradict_themselves_are_not_kept() {
    for fault in [Fault::Twice, Fault::OtherHash, Fault::OtherNumber, Fault::Removed, Fault::Unsorted] {
        for finality in [FAR, NEAR] {
            let mut stage = Stage::new(4, finality).await;
            stage.grow(25);
            stage.peer.core().faults.next(fault, 3);
            let mut indexer = stage.index();
            stage.rest(&mut indexer).await;
            stage.peer.core().faults.next(fault, 3);
            stage.grow(10);
            stage.rest(&mut indexer).await;
            assert!(stage.peer.core().faults.struck[&fault] >= 3, "{fault:?} struck");
            stage.agree(&mut indexer).await;
        }
    }
}

/// The same transaction is in a block of each branch, at another height, and at last in none.
#[tokio::test]
async fn one_transaction_in_two_blocks() {
    let mut stage = Stage::new(5, FAR).await;
    let sale = alloy::primitives::Address::repeat_byte(0x51);
    stage.write(|_, ledger| vec![ledger.create(&e2e::story::SaleDraft::plain(sale))]);
    let fork = stage.view().head().clone();
    let who = alloy::primitives::Address::repeat_byte(0x77);
    let amount = alloy::primitives::U256::from(5);
    let mut indexer = stage.index();
    let mut hashes = Vec::new();
    // It stands one block higher each time.
    for empty in 0..4_u64 {
        let mut below = (*fork).clone();
        let mut blocks = Vec::new();
        for _ in 0..empty {
            below = stage.block_on(&below, |_, _| Vec::new());
            blocks.push(below.clone());
        }
        let block = stage.block_on(&below, |number, ledger| {
            vec![vec![ledger.contribute(number, sale, (who, who), 0, amount, amount)]]
        });
        hashes.push(block.transactions[0]);
        blocks.push(block);
        stage.peer.core().tree.replace(fork.number, blocks);
        stage.rest(&mut indexer).await;
        let rows = stage.database.texts("SELECT encode(transaction_hash, 'hex') FROM contribution").await;
        assert_eq!(rows, [format!("{:x}", hashes[0])], "one row of the one transaction");
    }
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "it is the same transaction");
    stage.agree(&mut indexer).await;
}

/// A token's node fails for a moment: that is no token without decimals.
#[tokio::test]
async fn decimals_that_fail_for_a_moment_are_asked_for_again() {
    for finality in [FAR, NEAR] {
        let mut stage = Stage::new(6, finality).await;
        stage.peer.core().faults.rate(Fault::NoState, 100);
        stage.peer.core().faults.next(Fault::NoState, 3);
        stage.grow(25);
        let mut indexer = stage.index();
        let head = stage.view().head().hash;
        indexer.reaches(&stage.database, head).await;
        assert!(stage.database.number("SELECT count(*) FROM currency").await > 0);
        stage.agree(&mut indexer).await;
    }
}

/// A node that keeps no old states answers for a token only as of a recent block.
#[tokio::test]
async fn a_node_without_old_states_is_enough() {
    let mut stage = Stage::new(7, NEAR).await;
    stage.grow(200);
    stage.peer.direct(Box::new(|core, request| {
        let head = core.tree.now().head().number;
        let text = request.to_string();
        let of_state = text.contains("eth_call") || text.contains("eth_getCode");
        let recent = core.tree.now().blocks.iter().rev().take(64).any(|b| text.contains(&format!("{:x}", b.hash)));
        core.faults.next(Fault::NoState, u64::from(of_state && !recent && head > 64));
    }));
    let mut indexer = stage.index();
    until("it has got through", async || {
        indexer.assert_running();
        stage.database.checkpoint().await.filter(|c| c.number > 190)
    })
    .await;
    stage.agree(&mut indexer).await;
}
