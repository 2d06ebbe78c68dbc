//! The comparison itself: it must notice.

use std::panic::AssertUnwindSafe;

use alloy::{
    primitives::{B256, U256},
    providers::{Provider, ext::AnvilApi},
};
use e2e::{Indexer, World, ether};
use futures::FutureExt;

async fn disagrees(world: &World, indexer: &mut Indexer, after: &str) {
    let result = AssertUnwindSafe(world.agree(indexer)).catch_unwind().await;
    assert!(result.is_err(), "nobody noticed: {after}");
}

#[tokio::test]
async fn every_difference_is_noticed() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    let alice = world.investor(0);
    world.chain.mine([sale.send(alice, ether("3")), sale.send(world.investor(1), ether("1"))]).await;
    world.chain.mine([sale.cancel(), sale.refund(alice, alice)]).await;
    world.agree(&mut indexer).await;

    let one_more = |table: &str, column: &str, sign: &str| format!("UPDATE {table} SET {column} = {column} {sign} 1");
    let mut pairs = Vec::new();
    for (table, column) in [
        ("contribution", "amount"),
        ("contribution", "tokens"),
        ("contribution", "raised"),
        ("refund", "amount"),
        ("settlement", "sold"),
        ("position", "paid"),
        ("position", "last_block"),
        ("position", "refunded"),
        ("position", "withdrawn"),
        ("position", "rejections"),
        ("position", "kept"),
        ("position", "excess_refunded"),
        ("position", "rest_refunded"),
        ("sale_total", "kept"),
        ("sale_total", "allotted"),
        ("sale_total", "rejected"),
        ("sale_total", "received"),
        ("sale_total", "objected"),
        ("sale_total", "raised"),
        ("sale_total", "investors"),
        ("sale_phase", "price"),
        ("sale", "hard_cap"),
        ("block", "timestamp"),
        ("currency", "decimals"),
    ] {
        pairs.push((one_more(table, column, "+"), one_more(table, column, "-")));
    }
    let above = "INSERT INTO block VALUES (31337, 1000000, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), 0, false)";
    pairs.push((above.to_owned(), "DELETE FROM block WHERE number = 1000000".to_owned()));
    let orphan = "INSERT INTO claim SELECT chain_id, block_number, 999, transaction_hash, sale, investor, investor, 1
                  FROM contribution LIMIT 1";
    pairs.push((orphan.to_owned(), "DELETE FROM claim".to_owned()));
    for (tamper, repair) in pairs {
        assert!(world.database.execute(&tamper).await > 0, "{tamper}");
        disagrees(&world, &mut indexer, &tamper).await;
        assert!(world.database.execute(&repair).await > 0, "{repair}");
        world.agree(&mut indexer).await;
    }

    // The chain's side: money, and the first slot that is not empty, which holds the totals.
    let provider = &world.chain.provider;
    provider.anvil_set_balance(sale.address, ether("1") - U256::from(1)).await.unwrap();
    disagrees(&world, &mut indexer, "a wei less in the sale").await;
    provider.anvil_set_balance(sale.address, ether("1")).await.unwrap();
    world.agree(&mut indexer).await;
    for slot in (0..16).map(U256::from) {
        if !provider.get_storage_at(sale.address, slot).await.unwrap().is_zero() {
            provider.anvil_set_storage_at(sale.address, slot, B256::ZERO).await.unwrap();
            return disagrees(&world, &mut indexer, "other totals").await;
        }
    }
    panic!("a sale without storage");
}
