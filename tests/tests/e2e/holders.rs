//! Who holds a token: every balance is the contract's at the block that is told.

use alloy::{
    primitives::{Address, U256, address},
    sol_types::SolCall,
};
use crowdsale::contracts::SaleToken;
use e2e::{Api, Call, Indexer, World, ether, until};
use serde_json::Value;

fn raw(amount: &Value) -> U256 {
    amount["raw"].as_str().unwrap().parse().unwrap()
}

/// The holders that are told, once they are told up to `block`; each compared with the contract.
async fn agree(world: &World, api: &Api, token: Address, block: u64) -> Vec<Value> {
    let path = format!("/v1/tokens/31337/{token}/holders");
    let first = until("the holders are counted", async || {
        let (status, body) = api.ask(&format!("{path}?limit=2&min_block={block}")).await;
        if status == 200 {
            return Some(serde_json::from_str::<Value>(&body).unwrap());
        }
        assert!(body.contains("block_not_indexed") || body.contains("token_not_found"), "{status}: {body}");
        None
    })
    .await;
    let at = first["summary"]["block"]["number"].as_u64().unwrap();
    assert!(at >= block);
    let contract = SaleToken::new(token, &world.chain.provider);
    let mut rows = first["data"].as_array().unwrap().clone();
    let mut cursor = first["next_cursor"].clone();
    while let Some(next) = cursor.as_str() {
        let page = api.get(&format!("{path}?limit=2&cursor={next}")).await;
        assert_eq!(page["summary"], first["summary"]);
        rows.extend(page["data"].as_array().unwrap().clone());
        cursor = page["next_cursor"].clone();
    }
    let mut sum = U256::ZERO;
    for row in &rows {
        let holder: Address = row["address"].as_str().unwrap().parse().unwrap();
        let balance = contract.balanceOf(holder).block(at.into()).call().await.unwrap();
        assert_eq!(raw(&row["balance"]), balance, "{holder} at {at}");
        assert!(balance > U256::ZERO);
        sum += balance;
    }
    assert!(rows.is_sorted_by(|a, b| raw(&a["balance"]) >= raw(&b["balance"])));
    assert_eq!(sum, contract.totalSupply().block(at.into()).call().await.unwrap(), "nobody is missing");
    assert_eq!(
        (raw(&first["summary"]["supply"]), first["summary"]["holders"].as_u64()),
        (sum, Some(rows.len() as u64))
    );
    rows
}

#[tokio::test]
async fn every_holder_is_there_whatever_happens_to_the_indexer() {
    let world = World::new(2).await;
    let api = {
        let mut indexer = world.index();
        world.agree(&mut indexer).await;
        indexer.kill();
        Api::start(&world.database.url).await
    };
    let sale = world.open_sale().await;
    let token = sale.token;
    let unknown = format!("/v1/tokens/31337/{token}/holders");
    assert_eq!(api.ask(&unknown).await.0, 404);
    let [alice, bob, carol] = [0, 1, 2].map(|i| world.investor(i));
    let paid = [(alice, "40"), (bob, "40"), (carol, "20")];
    world.chain.mine(paid.map(|(investor, amount)| sale.send(investor, ether(amount)))).await;
    world.chain.mine([sale.close(world.anybody())]).await;
    let mut indexer = world.index();
    world.chain.mine_blocks(6).await;
    let head = world.chain.head().await.header.number;
    let before = agree(&world, &api, token, head - 5).await;
    let kinds: Vec<_> = before.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["wallet", "sale"], "the owner has what is not for sale, and nothing is claimed yet: {before:?}");

    // Claims, transfers to others and to oneself, a burn, the last of what somebody has; and a kill between any two of them.
    let send = |from: Address, to: Address, amount: U256| {
        Call::to(from, token, &SaleToken::transferCall { to, value: amount })
    };
    let sink = address!("0x00000000000000000000000000000000000000aa");
    world.chain.mine([sale.claim(alice, alice), sale.claim(bob, bob)]).await;
    for round in 0..6_u64 {
        indexer.kill();
        indexer = Indexer::start(&world.flags());
        let contract = SaleToken::new(token, &world.chain.provider);
        let all = contract.balanceOf(alice).call().await.unwrap();
        let burn = SaleToken::burnCall { value: U256::from(round + 1) };
        world
            .chain
            .mine([
                send(alice, alice, all),
                send(alice, carol, all),
                send(carol, alice, all - U256::from(round)),
                send(bob, sink, U256::from(7)),
                Call::to(bob, token, &burn),
            ])
            .await;
        world.chain.mine_blocks(round % 3).await;
    }
    world.chain.mine_blocks(6).await;
    let head = world.chain.head().await.header.number;
    let rows = agree(&world, &api, token, head - 5).await;
    assert!(rows.iter().any(|row| row["address"] == sink.to_string() && raw(&row["balance"]) == U256::from(42)));
    assert!(rows.iter().all(|row| row["address"] != Address::ZERO.to_string()), "what is burnt nobody holds");
    assert_eq!(SaleToken::burnCall::SIGNATURE, "burn(uint256)");

    // A sale that is made while holders are counted.
    let second = world.open_sale().await;
    world.chain.mine_blocks(8).await;
    let head = world.chain.head().await.header.number;
    let rows = agree(&world, &api, second.token, head - 5).await;
    assert!(rows.iter().any(|row| row["kind"] == "sale"));
    agree(&world, &api, token, head - 5).await;

    // Somebody goes back behind what was final: the way out of a halt, and the holders are those of the new branch.
    indexer.kill();
    world.chain.rollback(10).await;
    for _ in 0..12 {
        world.chain.mine([send(bob, sink, U256::from(1))]).await;
    }
    let head = world.chain.head().await.header.number;
    let (ok, output) = e2e::index_once(&world.flags().with("--rewind-to", head - 15));
    assert!(ok, "{output}");
    let indexer = world.index();
    agree(&world, &api, token, head - 5).await;
    indexer.kill();
}
