//! Nodes that are slow, limited, broken or not all the same.

use std::time::Duration;

use e2e::{
    Local, Stage,
    peer::{Beyond, Fault, LIMIT_MESSAGES, Limit, Unknown},
    until,
};
use serde_json::Value;

use super::{FAR, NEAR};

/// A request for the logs of a range: its last block, unless it is a tag.
fn end_of_range(request: &Value) -> Option<Result<u64, String>> {
    let filter = &request["params"][0];
    if request["method"] != "eth_getLogs" || !filter["blockHash"].is_null() {
        return None;
    }
    let to = filter["toBlock"].as_str().unwrap_or("latest").to_owned();
    Some(u64::from_str_radix(to.trim_start_matches("0x"), 16).map_err(|_| to))
}

fn is_range(request: &Value) -> bool {
    end_of_range(request).is_some()
}

/// No range is asked for that could straddle a head.
#[tokio::test]
async fn no_range_ends_above_what_is_final() {
    let mut stage = Stage::new(1, NEAR).await;
    stage.peer.core().record = Some(Vec::new());
    stage.grow(40);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    for _ in 0..5 {
        stage.grow(3);
        stage.rest(&mut indexer).await;
    }
    let final_ = stage.view().finalized.unwrap();
    let record = stage.peer.core().record.take().unwrap();
    let ends: Vec<_> = record.iter().filter_map(end_of_range).collect();
    assert!(!ends.is_empty(), "it reads ranges at first");
    for end in ends {
        assert!(end.as_ref().is_ok_and(|to| *to <= final_), "a range ends at {end:?}, {final_} is final");
    }
    stage.agree(&mut indexer).await;
}

/// The node that answers for logs is behind the one that answered for the header: it knows no such block, or has none.
#[tokio::test]
async fn a_node_behind_its_load_balancer_knows_nothing_beyond_its_head() {
    for unknown in [Unknown::Error, Unknown::Empty] {
        let mut stage = Stage::new(2, FAR).await;
        stage.grow(10);
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.peer.core().faults.unknown = unknown;
        let mut turn = 0;
        stage.peer.direct(Box::new(move |core, request| {
            let of_logs = request.to_string().contains("eth_getLogs");
            turn += u64::from(of_logs);
            // Two answers of three.
            core.faults.next(Fault::Behind, u64::from(of_logs && turn % 3 != 0));
        }));
        for _ in 0..10 {
            stage.grow(1);
            let head = stage.view().head().hash;
            indexer.reaches(&stage.database, head).await;
        }
        stage.agree(&mut indexer).await;
    }
}

/// All requests meet a node that is behind, and clamps what goes beyond its head.
#[tokio::test]
async fn a_range_that_straddles_the_head_is_clamped() {
    for beyond in [Beyond::Clamp, Beyond::Empty, Beyond::Error] {
        let mut stage = Stage::new(3, NEAR).await;
        stage.options.behind_grace = Duration::from_secs(60);
        stage.grow(60);
        stage.peer.core().faults.beyond = beyond;
        // Several requests meet the same node, then the other.
        let mut turn = 0_u64;
        stage.peer.direct(Box::new(move |core, _| {
            turn += 1;
            core.faults.next(Fault::Behind, turn / 9 % 2);
        }));
        let mut indexer = stage.index();
        let head = stage.view().head().hash;
        indexer.reaches(&stage.database, head).await;
        stage.agree(&mut indexer).await;
    }
}

/// A final range is asked of a node that is far behind, the headers around it of one that is not.
#[tokio::test]
async fn a_final_range_answered_by_a_node_that_is_far_behind() {
    let mut stage = Stage::new(4, NEAR).await;
    stage.grow(60);
    stage.peer.core().faults.beyond = Beyond::Clamp;
    let mut left = 3;
    stage.peer.direct(Box::new(move |core, request| {
        // A batch goes to one node as a whole.
        if is_range(request) && left > 0 {
            left -= 1;
            core.next_view = Some(core.tree.now().below(0));
        }
    }));
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}

/// Every provider says otherwise that a range is too long, one suggests the same again; down to a single block.
#[tokio::test]
async fn ranges_shrink_at_every_message_down_to_one_block() {
    for message in 0..LIMIT_MESSAGES.len() {
        let mut stage = Stage::new(5, NEAR).await;
        stage.grow(24);
        stage.peer.core().faults.limit = Some(Limit { blocks: 1, logs: usize::MAX, message });
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.agree(&mut indexer).await;
    }
}

/// The limit is one of the answer's size, and changes with time.
#[tokio::test]
async fn ranges_shrink_where_answers_are_too_long_and_grow_again() {
    let mut stage = Stage::new(6, NEAR).await;
    stage.grow(120);
    let mut asked = 0_u64;
    stage.peer.direct(Box::new(move |core, request| {
        asked += u64::from(is_range(request));
        let logs = if asked % 20 < 10 { 4 } else { 40 };
        core.faults.limit = Some(Limit { blocks: 1_000, logs, message: 2 });
    }));
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    stage.peer.core().record = Some(Vec::new());
    stage.agree(&mut indexer).await;
}

/// What is read of an answer is bounded: a range whose logs are too many is asked for in parts, and a block is read however long it is.
#[tokio::test]
async fn ranges_shrink_where_answers_take_too_much_memory() {
    for (most, least) in [(3, 15), (0, 50)] {
        let mut stage = Stage::new(23, NEAR).await;
        stage.grow(60);
        stage.peer.core().faults.bulky_above = Some(most);
        stage.peer.core().record = Some(Vec::new());
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.agree(&mut indexer).await;
        let record = stage.peer.core().record.take().unwrap();
        let asked = record.iter().filter(|request| request["method"] == "eth_getLogs").count();
        assert!(asked >= least, "{asked} requests, so what was too long was read");
    }
}

/// HTTP errors, half of an answer, no answer, `null`, an error: each a few times, then now and then.
#[tokio::test]
async fn answers_that_break_off_are_asked_for_again() {
    const FAULTS: [Fault; 6] =
        [Fault::Busy, Fault::Broken, Fault::Truncated, Fault::Dropped, Fault::Refused, Fault::Null];
    for fault in FAULTS {
        let mut stage = Stage::new(7, NEAR).await;
        stage.grow(30);
        stage.peer.core().faults.next(fault, 3);
        let mut indexer = stage.index();
        stage.rest(&mut indexer).await;
        stage.peer.core().faults.rate(fault, 30);
        stage.grow(30);
        let head = stage.view().head().hash;
        indexer.reaches(&stage.database, head).await;
        stage.agree(&mut indexer).await;
    }
}

/// A batch of head blocks is more than a hundred requests: it must get on though not all of them succeed.
#[tokio::test]
async fn a_node_that_fails_now_and_then_is_followed() {
    let mut stage = Stage::new(8, FAR).await;
    stage.grow(150);
    stage.peer.core().faults.rate(Fault::Broken, 40);
    let mut indexer = stage.index();
    let head = stage.view().head().hash;
    indexer.reaches(&stage.database, head).await;
    stage.agree(&mut indexer).await;
}

/// It takes the connection and says nothing: the other node is asked.
#[tokio::test]
async fn a_node_that_never_answers_is_left_for_another() {
    let mut stage = Stage::new(9, NEAR).await;
    stage.grow(20);
    let other = stage.second_node().await;
    let urls = [stage.peer.url.clone(), other.url.clone()];
    let mut indexer = Local::start(&urls, &stage.database.options(), &stage.options);
    stage.rest(&mut indexer).await;
    stage.peer.core().faults.rate(Fault::Silent, 1_000);
    stage.grow(5);
    let tree = stage.peer.core().tree.clone();
    other.core().tree = tree;
    let head = stage.view().head().hash;
    indexer.reaches(&stage.database, head).await;
    indexer.kill().await;
    let mut indexer = stage.index();
    stage.agree(&mut indexer).await;
}

/// `eth_subscribe` succeeds, and nothing ever comes: blocks are seen all the same.
#[tokio::test]
async fn a_socket_that_is_silent_loses_nothing() {
    for notify in [false, true] {
        let mut stage = Stage::new(10, NEAR).await;
        stage.grow(20);
        let socket = stage.peer.socket(notify).await;
        let mut indexer = Local::follow(&socket.url, &stage.database, &stage.options);
        stage.rest(&mut indexer).await;
        for _ in 0..5 {
            stage.grow(2);
            stage.rest(&mut indexer).await;
        }
        stage.reorg(2, 3);
        stage.rest(&mut indexer).await;
        stage.agree(&mut indexer).await;
    }
}

/// Without tags everything can change, and everything is read block by block.
#[tokio::test]
async fn a_node_without_final_blocks_is_followed() {
    let mut stage = Stage::new(11, None).await;
    stage.grow(30);
    let mut indexer = stage.index();
    stage.rest(&mut indexer).await;
    stage.reorg(30, 31);
    stage.rest(&mut indexer).await;
    stage.agree(&mut indexer).await;
}

/// Of two nodes one is on another branch; errors send the indexer from one to the other.
#[tokio::test]
async fn two_nodes_that_disagree_for_a_while() {
    let mut stage = Stage::new(12, FAR).await;
    stage.grow(20);
    let other = stage.second_node().await;
    e2e::story::Author::new(&mut e2e::Random::of(3), 0).replace(&mut other.core().tree, 8, 9);
    stage.grow(2);
    stage.peer.core().faults.rate(Fault::Broken, 40);
    other.core().faults.rate(Fault::Broken, 40);
    let urls = [stage.peer.url.clone(), other.url.clone()];
    let mut indexer = Local::start(&urls, &stage.database.options(), &stage.options);
    until("both were asked often", async || {
        indexer.assert_running();
        (stage.peer.core().exchanges > 200 && other.core().exchanges > 200).then_some(())
    })
    .await;
    // The second comes round; the first goes.
    stage.grow(2);
    {
        let tree = stage.peer.core().tree.clone();
        let mut core = other.core();
        core.tree = tree;
        core.faults.stop();
    }
    let head = stage.view().head().hash;
    indexer.reaches(&stage.database, head).await;
    indexer.kill().await;
    let mut indexer = stage.index();
    stage.agree(&mut indexer).await;
}
