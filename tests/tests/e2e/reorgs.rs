//! Reorgs in all shapes: before each, the indexer has seen the branch that goes; after each, everything agrees again.

use alloy::primitives::{Address, B256, hex};
use crowdsale::contracts::SaleFactory::{Tap, Vesting};
use e2e::{Call, Draft, Indexer, Sale, World, ether, until};

use crate::modes::{assert_notices, assert_reconciled};

/// Half the blocks that `finalized` is behind the head: far enough for a depth of 40. The depth of 200 is more than the
/// indexer reads at once.
const SLOTS: u64 = 32;

/// What becomes of the last blocks.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// As many others, by the node's own reorg.
    Swap,
    /// More others.
    Longer,
    /// They are gone, the indexer sees that, and then others come.
    BackThenGrow,
    /// They are gone, and as many others are there before the indexer looks.
    BackAndRegrow,
    /// They are gone, and fewer others are there before the indexer looks.
    Shorter,
}

impl Shape {
    /// As many empty blocks as replace just those above `keep`.
    async fn above(self, world: &World, keep: u64) -> Vec<Vec<Call>> {
        let count = world.chain.head().await.header.number - keep;
        // `Shorter` takes one more than it gives.
        empty(usize::try_from(count).unwrap() - usize::from(matches!(self, Self::Shorter)))
    }

    /// Replaces the last `blocks.len()` blocks. What is in `blocks` is on the new chain.
    async fn replace(self, world: &World, indexer: &mut Indexer, mut blocks: Vec<Vec<Call>>) {
        let depth = blocks.len() as u64;
        let old = world.chain.head().await.header;
        if !matches!(self, Self::BackThenGrow) {
            indexer.pause().await;
        }
        match self {
            Self::Swap => world.chain.swap(blocks).await,
            Self::BackThenGrow => {
                world.chain.rollback(depth).await;
                world.agree(indexer).await;
                assert!(world.chain.head().await.header.number < old.number);
                for calls in blocks {
                    world.chain.mine(calls).await;
                }
            }
            Self::Longer => {
                world.chain.rollback(depth).await;
                blocks.extend([Vec::new(), Vec::new(), Vec::new()]);
                for calls in blocks {
                    world.chain.mine(calls).await;
                }
                assert!(world.chain.head().await.header.number > old.number);
            }
            Self::BackAndRegrow => {
                world.chain.rollback(depth).await;
                for calls in blocks {
                    world.chain.mine(calls).await;
                }
                let head = world.chain.head().await.header;
                assert_eq!(head.number, old.number);
                assert_ne!(head.hash, old.hash);
            }
            Self::Shorter => {
                world.chain.rollback(depth + 1).await;
                for calls in blocks {
                    world.chain.mine(calls).await;
                }
                assert!(world.chain.head().await.header.number < old.number);
            }
        }
        if !matches!(self, Self::BackThenGrow) {
            indexer.resume();
        }
    }
}

/// Transactions of contributions to `sale`, with their blocks' hashes and amounts.
async fn contributions(world: &World) -> Vec<(String, String, String)> {
    let rows = world
        .database
        .texts(
            "SELECT concat_ws('|', encode(transaction_hash, 'hex'), encode(b.hash, 'hex'), amount)
             FROM contribution c JOIN block b ON b.number = c.block_number ORDER BY block_number, log_index",
        )
        .await;
    rows.iter()
        .map(|row| {
            let parts: Vec<&str> = row.split('|').collect();
            (parts[0].to_owned(), parts[1].to_owned(), parts[2].to_owned())
        })
        .collect()
}

/// One contribution is dropped, one moves to another block with the same transaction, one is replaced by the same sender's
/// other, and two stay below the fork.
async fn contributions_change(shape: Shape, depth: u64) {
    let world = World::new(SLOTS.max(depth)).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    let [stays, dropped, moved, replaced] = [0, 1, 2, 3].map(|i| world.investor(i));
    // The dropped one had invested before too: its position shrinks, the others' vanish or change.
    world.chain.mine([sale.send(stays, ether("1")), sale.send(dropped, ether("0.3"))]).await;
    world.chain.mine_blocks(2).await;

    let (first, last) = (0, usize::try_from(depth).unwrap() - 1);
    let mut old: Vec<Vec<Call>> = vec![Vec::new(); last + 1];
    old[first].push(sale.send(dropped, ether("0.7")));
    old[last / 2].push(sale.send(moved, ether("0.5")));
    old[last].push(sale.send(replaced, ether("0.25")));
    let mut receipts = Vec::new();
    for calls in old {
        receipts.extend(world.chain.mine(calls).await);
    }
    world.agree(&mut indexer).await;
    let [drop_tx, move_tx, replace_tx] = [0, 1, 2].map(|i| receipts[i].transaction_hash);
    let before = contributions(&world).await;
    assert_eq!(before.len(), 5);

    let mut new: Vec<Vec<Call>> = vec![Vec::new(); last + 1];
    new[first].push(sale.send(replaced, ether("0.125")));
    new[last].push(world.chain.again(move_tx).await);
    shape.replace(&world, &mut indexer, new).await;
    world.agree(&mut indexer).await;

    let after = contributions(&world).await;
    let find = |rows: &[(String, String, String)], tx: B256| rows.iter().find(|r| r.0 == hex::encode(tx)).cloned();
    assert!(find(&after, drop_tx).is_none(), "the dropped contribution is still there");
    assert!(find(&after, replace_tx).is_none(), "the replaced contribution is still there");
    let (was, is) = (find(&before, move_tx).unwrap(), find(&after, move_tx).expect("the moved contribution"));
    assert_ne!(was.1, is.1, "it is in another block now");
    assert_eq!(was.2, is.2);
    assert!(after.iter().any(|r| r.2 == ether("0.125").to_string()), "the replacement is there");
    // A `Shorter` chain lost one more block, which was empty.
    assert_eq!(after.len(), 4);

    // And it goes on.
    world.chain.mine([sale.send(dropped, ether("2"))]).await;
    world.agree(&mut indexer).await;
}

macro_rules! contributions_change {
    ($($name:ident: $shape:ident $depth:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            contributions_change(Shape::$shape, $depth).await;
        }
    )*};
}

contributions_change! {
    swapped_1: Swap 1;
    swapped_5: Swap 5;
    swapped_40: Swap 40;
    swapped_200: Swap 200;
    longer_1: Longer 1;
    longer_5: Longer 5;
    longer_40: Longer 40;
    longer_200: Longer 200;
    back_then_grown_1: BackThenGrow 1;
    back_then_grown_5: BackThenGrow 5;
    back_then_grown_40: BackThenGrow 40;
    back_then_grown_200: BackThenGrow 200;
    back_and_regrown_1: BackAndRegrow 1;
    back_and_regrown_5: BackAndRegrow 5;
    back_and_regrown_40: BackAndRegrow 40;
    back_and_regrown_200: BackAndRegrow 200;
    shorter_1: Shorter 1;
    shorter_5: Shorter 5;
    shorter_40: Shorter 40;
    shorter_200: Shorter 200;
}

const SHAPES: [Shape; 5] = [Shape::Swap, Shape::Longer, Shape::BackThenGrow, Shape::BackAndRegrow, Shape::Shorter];

/// Blocks without a transaction of the test's.
fn empty(count: usize) -> Vec<Vec<Call>> {
    vec![Vec::new(); count]
}

#[tokio::test]
async fn the_creation_of_a_sale_goes() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let elder = world.open_sale().await;
        world.chain.mine_blocks(2).await;
        let draft = world.draft().await;
        let sale = world.create(&draft).await;
        world.chain.mine([sale.send(world.investor(0), ether("3")), elder.send(world.investor(0), ether("1"))]).await;
        world.chain.mine([sale.cancel(), sale.refund(world.investor(0), world.investor(0))]).await;
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM sale").await, 2);

        // Money that goes to the address now buys nothing: nobody is there, and nobody may believe that somebody is.
        let orphan = sale.send(world.investor(1), ether("4"));
        shape.replace(&world, &mut indexer, vec![Vec::new(), vec![orphan], Vec::new()]).await;
        world.agree(&mut indexer).await;
        for table in ["sale", "sale_total"] {
            assert_eq!(world.database.number(&format!("SELECT count(*) FROM {table}")).await, 1, "{shape:?} {table}");
        }
        for table in ["contribution", "position", "settlement", "refund"] {
            assert_eq!(world.database.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{shape:?} {table}");
        }
    }
}

#[tokio::test]
async fn the_creation_of_a_sale_moves() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let mut draft = world.draft().await;
        // Late enough for every block that it can be created in.
        let opens = world.chain.now().await + 200;
        draft = Draft::new(draft.creator, draft.terms.beneficiary, opens);
        world.chain.mine_blocks(1).await;
        let receipts = world.chain.mine([draft.create(world.factory)]).await;
        let sale = draft.created(&receipts[0]);
        world.chain.mine_blocks(1).await;
        world.agree(&mut indexer).await;
        let again = world.chain.again(receipts[0].transaction_hash).await;
        shape.replace(&world, &mut indexer, vec![Vec::new(), vec![again]]).await;
        world.agree(&mut indexer).await;
        world.chain.mine_at(opens, [sale.send(world.investor(0), ether("3"))]).await;
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 1);
    }
}

/// A sale with two investors, open in the next block.
async fn invested(world: &World) -> (Sale, Address, Address) {
    let sale = world.open_sale().await;
    let (alice, bob) = (world.investor(0), world.investor(1));
    world.chain.mine([sale.send(alice, ether("5")), sale.send(bob, ether("2"))]).await;
    (sale, alice, bob)
}

#[tokio::test]
async fn a_claim_a_release_and_the_close_go() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let (sale, alice, bob) = invested(&world).await;
        world.chain.mine([sale.send(alice, ether("4"))]).await;
        let closes = sale.terms.phases[3].end.to::<u64>();
        world.chain.mine_at(closes - 60, [sale.send(bob, ether("1"))]).await;
        world.chain.mine_at(closes - 20, []).await;
        world.chain.mine_at(closes, [sale.close(bob)]).await;
        world.chain.mine([sale.claim(alice, alice)]).await;
        world.chain.mine([sale.claim_to(bob, alice), sale.release(bob)]).await;
        world.agree(&mut indexer).await;
        let counts = async || {
            let mut counts = Vec::new();
            for table in ["settlement", "claim", "release", "sweep", "unsold_return"] {
                counts.push(world.database.number(&format!("SELECT count(*) FROM {table}")).await);
            }
            counts
        };
        assert_eq!(counts().await, [1, 2, 1, 1, 1]);

        // The last claim and the release go.
        shape.replace(&world, &mut indexer, empty(1)).await;
        world.agree(&mut indexer).await;
        // A `Shorter` chain lost the block below too.
        let claims = i64::from(!matches!(shape, Shape::Shorter));
        assert_eq!(counts().await, [1, claims, 0, 0, 1], "{shape:?}");

        // The close goes with what followed, and the sale is open again.
        let close = world.database.number("SELECT block_number FROM settlement").await;
        let depth = world.chain.head().await.header.number - u64::try_from(close).unwrap() + 1;
        let mut blocks = empty(usize::try_from(depth).unwrap());
        blocks[0].push(sale.send(alice, ether("1")));
        if matches!(shape, Shape::Shorter) {
            world.chain.mine_blocks(1).await;
            world.agree(&mut indexer).await;
            blocks.push(Vec::new());
        }
        let sum = world.database.number("SELECT (raised / 1000000000000000000)::bigint FROM sale_total").await;
        shape.replace(&world, &mut indexer, blocks).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts().await, [0, 0, 0, 0, 0], "{shape:?}");
        let after = world.database.number("SELECT (raised / 1000000000000000000)::bigint FROM sale_total").await;
        assert_eq!(after, sum + 1, "{shape:?}");
    }
}

#[tokio::test]
async fn a_refund_and_the_cancelling_go() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let (sale, alice, bob) = invested(&world).await;
        world.chain.mine_blocks(1).await;
        world.chain.mine([sale.cancel()]).await;
        world.chain.mine([sale.refund(alice, alice)]).await;
        world.chain.mine([sale.refund_to(bob, alice)]).await;
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM refund").await, 2);

        // Another refund in place of the last one.
        shape.replace(&world, &mut indexer, vec![vec![sale.refund(alice, bob)]]).await;
        world.agree(&mut indexer).await;
        let count = world.database.number("SELECT count(*) FROM refund").await;
        assert_eq!(count, if matches!(shape, Shape::Shorter) { 1 } else { 2 });

        let cancelled = world.database.number("SELECT block_number FROM settlement").await;
        let depth = world.chain.head().await.header.number - u64::try_from(cancelled).unwrap() + 1;
        let mut blocks = empty(usize::try_from(depth).unwrap());
        blocks[0].push(sale.send(alice, ether("4")));
        shape.replace(&world, &mut indexer, blocks).await;
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM refund").await, 0);
        assert_eq!(world.database.number("SELECT count(*) FROM settlement").await, 0);
        assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 3);
    }
}

#[tokio::test]
async fn one_reorg_after_another_while_nothing_is_read() {
    let world = World::new(SLOTS).await;
    let mut indexer = world.index();
    let (sale, alice, _) = invested(&world).await;
    world.chain.mine_blocks(3).await;
    world.agree(&mut indexer).await;
    indexer.pause().await;
    for depth in [2_u64, 5, 1, 4] {
        // The first block of each branch is below what the branch before replaced, or above it.
        world.chain.mine([sale.send(alice, ether("0.1"))]).await;
        world.chain.mine([sale.send(alice, ether("0.2"))]).await;
        world.chain.mine_blocks(2).await;
        world.chain.rollback(depth).await;
        world.chain.mine([sale.send(world.investor(2), ether("0.3"))]).await;
    }
    indexer.resume();
    world.agree(&mut indexer).await;
}

#[tokio::test]
async fn a_reorg_below_finalized_halts_for_good() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let (sale, alice, _) = invested(&world).await;
    world.chain.mine_blocks(8).await;
    world.chain.mine([sale.send(alice, ether("1"))]).await;
    world.agree(&mut indexer).await;
    until("the finalized block is stored", async || {
        let finalized = world.database.number("SELECT finalized_number FROM checkpoint").await;
        let head = world.chain.head().await.header.number;
        (u64::try_from(finalized).unwrap() == head - 4).then_some(())
    })
    .await;
    let before = world.database.dump(&["checkpoint"]).await;
    let tip = world.database.checkpoint().await.unwrap();

    indexer.pause().await;
    world.chain.rollback(9).await;
    for _ in 0..9 {
        world.chain.mine([sale.send(world.investor(3), ether("0.1"))]).await;
    }
    indexer.resume();
    let output = indexer.refused().await;
    assert!(output.contains("halted"), "the reason is said:\n{output}");
    let halted = world.database.checkpoint().await.unwrap();
    let reason = halted.halted.clone().expect("the halt is latched");
    assert!(reason.contains("finalized"), "{reason}");
    assert_eq!((halted.number, halted.hash), (tip.number, tip.hash), "the checkpoint stays");
    assert_eq!(world.database.dump(&["checkpoint"]).await, before, "no row was touched");

    // Neither a restart nor a chain that goes on changes that.
    let before = world.database.dump(&[]).await;
    world.chain.mine_blocks(3).await;
    // The API says so, and still answers what was true at the block where it stopped.
    let status = world.api().await.get("/v1/status").await;
    assert_eq!(status["data"]["chains"][0]["state"], "halted", "{status}");
    assert_eq!(status["meta"]["chains"][0]["has_errors"], true, "{status}");
    let answer = world.api().await.get(&format!("/v1/sales/31337/{}", sale.address)).await;
    assert_eq!(answer["data"]["totals"]["raised"]["raw"], ether("8").to_string());
    assert_eq!(answer["meta"]["indexed_block"]["hash"], tip.hash.to_string());
    let output = world.index().refused().await;
    assert!(output.contains(&reason), "the latched reason is said:\n{output}");
    assert_eq!(world.database.dump(&[]).await, before, "no row was touched");
    assert!(before.iter().any(|row| row.starts_with("contribution: ")), "there was something to touch");
}

#[tokio::test]
async fn a_head_below_finalized_is_waited_for_and_another_branch_there_halts() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    invested(&world).await;
    world.chain.mine_blocks(8).await;
    world.agree(&mut indexer).await;
    let before = world.database.dump(&["checkpoint"]).await;
    world.chain.rollback(9).await;
    // Nothing contradicts what is final: the node may be syncing.
    until("the indexer says that the node is behind", async || {
        indexer.output().contains("may be syncing").then_some(())
    })
    .await;
    indexer.assert_running();
    assert_eq!(world.database.dump(&["checkpoint"]).await, before, "no row was touched");
    world.chain.mine_blocks(12).await;
    let output = indexer.refused().await;
    assert!(output.contains("halted"), "the reason is said:\n{output}");
    assert_eq!(world.database.dump(&["checkpoint"]).await, before, "no row was touched");
}

#[tokio::test]
async fn the_first_indexed_block_goes() {
    // Nothing that is indexed is final yet, and nothing of it is left: the indexer begins again.
    let world = World::new(SLOTS).await;
    world.chain.mine_blocks(3).await;
    let start = world.chain.head().await.header.number + 1;
    let mut indexer = Indexer::start(&world.flags().with("--start-block", start));
    let (_, alice, _) = invested(&world).await;
    world.agree(&mut indexer).await;
    let depth = world.chain.head().await.header.number - start + 1;
    indexer.pause().await;
    world.chain.rollback(depth + 1).await;
    world.chain.mine_blocks(1).await;
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(alice, ether("1"))]).await;
    world.chain.mine_blocks(2).await;
    indexer.resume();
    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 1);
}

/// A pro-rata sale with everything that can leave it, at the end of which little time is left.
async fn pro_rata(world: &World) -> (Sale, u64) {
    let mut draft = world.draft().await.uniform(1, ["0.001"; 4]);
    draft.terms.compliance = world.anybody();
    draft.terms.coolingOff = 86_400 * 4;
    draft.terms.vesting = Vesting { atOnce: 2_500, cliff: 0, duration: 864_000 };
    draft.terms.tap = Tap { atOnce: 1_000, duration: 864_000, objection: 5_000 };
    let closes = draft.closes();
    (world.create(&draft).await, closes)
}

/// How many rows there are of each kind.
async fn counts<const N: usize>(world: &World, tables: [&str; N]) -> [i64; N] {
    let mut counts = [0; N];
    for (count, table) in counts.iter_mut().zip(tables) {
        *count = world.database.number(&format!("SELECT count(*) FROM {table}")).await;
    }
    counts
}

#[tokio::test]
async fn withdrawals_and_rejections_go_and_move() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let (sale, _) = pro_rata(&world).await;
        let compliance = world.anybody();
        let [alice, bob, carol] = [0, 1, 2].map(|i| world.investor(i));
        let paid = [(alice, "40.000000000000000003"), (bob, "50"), (carol, "30")];
        world.chain.mine(paid.map(|(investor, amount)| sale.send(investor, ether(amount)))).await;
        world.chain.mine_blocks(1).await;

        let keep = world.chain.head().await.header.number - 1;

        // One withdraws and comes back with less, one is rejected and has its money.
        let mut receipts = world.chain.mine([sale.withdraw(alice)]).await;
        receipts.extend(world.chain.mine([sale.send(alice, ether("7")), sale.reject(compliance, bob)]).await);
        receipts.extend(world.chain.mine([sale.refund(carol, bob)]).await);
        world.agree(&mut indexer).await;
        let tables = ["withdrawal", "rejection", "refund", "contribution"];
        assert_eq!(counts(&world, tables).await, [1, 1, 1, 4]);
        assert_reconciled(&world);

        // The withdrawal and the rejection change places, the refund and what was paid again are gone.
        let again = [
            world.chain.again(receipts[2].transaction_hash).await,
            world.chain.again(receipts[0].transaction_hash).await,
        ];
        let [reject, withdraw] = again;
        shape.replace(&world, &mut indexer, vec![vec![reject], Vec::new(), vec![withdraw]]).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, tables).await, [1, 1, 0, 3], "{shape:?}");
        let raised = world.database.texts("SELECT raised::text FROM sale_total").await;
        assert_eq!(raised, [ether("30").to_string()], "{shape:?}");
        assert_reconciled(&world);

        // Another one is rejected in the place of both.
        let mut blocks = shape.above(&world, keep).await;
        blocks[1] = vec![sale.reject(compliance, carol), sale.refund_to(carol, alice)];
        shape.replace(&world, &mut indexer, blocks).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, tables).await, [0, 1, 1, 3], "{shape:?}");
        let raised = world.database.texts("SELECT raised::text FROM sale_total").await;
        assert_eq!(raised, [ether("90.000000000000000003").to_string()], "{shape:?}");
        assert_reconciled(&world);
    }
}

#[tokio::test]
async fn shares_objections_and_the_outcome_go_and_move() {
    for shape in SHAPES {
        let world = World::new(SLOTS).await;
        let mut indexer = world.index();
        let (sale, closes) = pro_rata(&world).await;
        let anybody = world.anybody();
        let [alice, bob, carol, dave] = [0, 1, 2, 3].map(|i| world.investor(i));
        let paid = [(alice, "40.000000000000000003"), (bob, "50"), (carol, "30"), (dave, "9")];
        world.chain.mine(paid.map(|(investor, amount)| sale.send(investor, ether(amount)))).await;
        world.chain.mine([sale.reject(anybody, dave)]).await;
        world.chain.mine_at(closes - 200, []).await;
        world.chain.mine_blocks(1).await;
        world.chain.mine_at(closes, [sale.close(anybody)]).await;
        world.chain.mine_blocks(1).await;

        let mut receipts = world.chain.mine([sale.claim(carol, alice), sale.refund(carol, dave)]).await;
        receipts.extend(world.chain.mine([sale.object(alice), sale.release(carol)]).await);
        receipts.extend(world.chain.mine([sale.object(bob), sale.refund(carol, bob)]).await);
        receipts.extend(world.chain.mine([sale.refund_rest(carol, alice), sale.refund_rest(carol, bob)]).await);
        world.agree(&mut indexer).await;
        let tables = [
            "settlement",
            "share",
            "claim",
            "excess_refund",
            "refund",
            "sweep",
            "release",
            "objection",
            "tap_stop",
            "rest_refund",
        ];
        assert_eq!(counts(&world, tables).await, [1, 2, 1, 2, 1, 1, 1, 2, 1, 2]);
        assert_reconciled(&world);

        // The objections come first, the claim at last with other tokens, and all else is gone.
        let [claim, first, second] = [
            world.chain.again(receipts[0].transaction_hash).await,
            world.chain.again(receipts[2].transaction_hash).await,
            world.chain.again(receipts[4].transaction_hash).await,
        ];
        shape.replace(&world, &mut indexer, vec![vec![second], Vec::new(), vec![first], vec![claim]]).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, tables).await, [1, 1, 1, 1, 0, 1, 0, 2, 1, 0], "{shape:?}");
        assert_reconciled(&world);

        // The stop goes: the beneficiary is paid again.
        let stop = world.database.number("SELECT block_number FROM tap_stop").await;
        let blocks = shape.above(&world, u64::try_from(stop).unwrap() - 1).await;
        shape.replace(&world, &mut indexer, blocks).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, ["objection", "tap_stop", "share"]).await, [1, 0, 0], "{shape:?}");
        world.chain.mine([sale.release(carol)]).await;
        world.agree(&mut indexer).await;
        assert_reconciled(&world);

        // The outcome goes with all that followed; one withdraws, and the next outcome gives the others more.
        let close = world.database.number("SELECT block_number FROM settlement").await;
        let mut blocks = shape.above(&world, u64::try_from(close).unwrap() - 1).await;
        blocks[0].push(sale.withdraw(carol));
        shape.replace(&world, &mut indexer, blocks).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, tables).await, [0; 10], "{shape:?}");
        assert_eq!(counts(&world, ["withdrawal", "rejection"]).await, [1, 1], "{shape:?}");
        let sums = "SELECT concat_ws(' ', kept, excess, allotted, received, objected) FROM sale_total";
        assert_eq!(world.database.texts(sums).await, ["0 0 0 0 0"], "{shape:?}");
        assert_reconciled(&world);
        let late = (closes + 3).max(world.chain.now().await + 12);
        world.chain.mine_at(late, [sale.close(anybody)]).await;
        world.chain.mine([sale.claim(carol, alice), sale.object(bob), sale.refund_rest(carol, bob)]).await;
        world.agree(&mut indexer).await;
        assert_eq!(counts(&world, tables).await, [1, 1, 1, 0, 0, 1, 0, 1, 1, 1], "{shape:?}");
        let kept = world.database.texts("SELECT kept::text FROM sale_total").await;
        assert_eq!(kept, [ether("90.000000000000000003").to_string()], "{shape:?}");
        assert_reconciled(&world);
        let of = |investor: Address| format!("investor = '\\x{}'", hex::encode(investor));
        assert_notices(&world, "raised", "sale_total", "raised", "true").await;
        assert_notices(&world, "paid", "position", "withdrawn", &of(carol)).await;
        assert_notices(&world, "stake", "position", "kept", &of(alice)).await;
        assert_notices(&world, "tokens", "position", "claimed", &of(alice)).await;
    }
}
