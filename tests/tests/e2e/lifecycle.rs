//! Sales from their creation to the last claim or refund.

use alloy::{
    eips::BlockId,
    primitives::{Address, U256},
};
use crowdsale::contracts::SaleToken;
use e2e::{Call, Draft, World, deploy_factory, emitter_of_anything, ether};

const HEAD: BlockId = BlockId::latest();

#[tokio::test]
async fn success_with_claims() {
    for burn in [false, true] {
        let world = World::new(2).await;
        let mut indexer = world.index();
        let mut draft = world.draft().await;
        draft.terms.unsold = u8::from(burn);
        let sale = world.create(&draft).await;
        world.agree(&mut indexer).await;

        // A plain transfer, a gift, the same investor twice in a block, and a contribution across two caps.
        let [alice, bob, carol] = [0, 1, 2].map(|i| world.investor(i));
        world.chain.mine([sale.send(alice, ether("15")), sale.contribute(alice, bob, ether("4"))]).await;
        world.chain.mine([sale.send(carol, ether("21.000000000000000001")), sale.send(carol, ether("0.5"))]).await;
        world.agree(&mut indexer).await;
        let phases = world.database.texts("SELECT DISTINCT phase::text FROM contribution ORDER BY 1").await;
        assert_eq!(phases, ["0", "1", "2"]);

        // Over the hard cap: the last one is filled in part, and what is too much comes back.
        world.chain.mine([sale.send(alice, ether("33")), sale.send(bob, ether("26.4"))]).await;
        let before = world.money(Address::ZERO, world.investor(3), HEAD).await;
        world.chain.mine([sale.send(world.investor(3), ether("7"))]).await;
        let paid = before - world.money(Address::ZERO, world.investor(3), HEAD).await;
        assert!(paid < ether("7") && paid > U256::ZERO);
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM excess_return").await, 1);

        world.chain.mine([sale.close(world.anybody())]).await;
        world.agree(&mut indexer).await;
        let returned = world.database.texts("SELECT encode(recipient, 'hex') FROM unsold_return").await;
        assert_eq!(returned.len(), 1, "some tokens were not sold");
        assert_eq!(returned[0].bytes().all(|b| b == b'0'), burn);

        // For oneself, by another, to another address; in several blocks and in one.
        let elsewhere = Address::repeat_byte(0xee);
        world.chain.mine([sale.claim(alice, alice)]).await;
        world.chain.mine([sale.claim(world.anybody(), bob), sale.claim_to(carol, elsewhere)]).await;
        world.agree(&mut indexer).await;
        let token = SaleToken::new(sale.token, &world.chain.provider);
        assert!(token.balanceOf(elsewhere).call().await.unwrap() > U256::ZERO);
        assert_eq!(token.balanceOf(carol).call().await.unwrap(), U256::ZERO);

        let before = world.money(Address::ZERO, world.beneficiary(), HEAD).await;
        world.chain.mine([sale.release(world.anybody()), sale.claim(world.anybody(), world.investor(3))]).await;
        assert_eq!(world.money(Address::ZERO, world.beneficiary(), HEAD).await - before, ether("100"));
        world.agree(&mut indexer).await;
        assert_eq!(token.balanceOf(sale.address).call().await.unwrap(), U256::ZERO, "nothing is left");
    }
}

#[tokio::test]
async fn failure_with_refunds_in_a_token_of_six_decimals() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let dollar = world.deploy_dollar().await;
    let opens = world.chain.now().await + 24;
    let draft = Draft::priced(world.owner(), world.beneficiary(), opens, dollar, 6);
    let sale = world.create(&draft).await;

    // 9.999999 dollars of 10: one base unit short of the soft cap.
    let [alice, bob, carol] = [0, 1, 2].map(|i| world.investor(i));
    let paid = [(alice, 3_000_001_u64), (bob, 2_000_000), (carol, 4_999_998)];
    let mut calls = Vec::new();
    for (investor, amount) in paid {
        calls.push(sale.approve(investor, U256::from(amount)));
        calls.push(sale.contribute(investor, investor, U256::from(amount)));
    }
    let before = world.money(dollar, alice, HEAD).await;
    world.chain.mine(calls).await;
    world.agree(&mut indexer).await;

    let late = draft.closes();
    world.chain.mine_at(late, [sale.close(world.anybody())]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.database.texts("SELECT outcome FROM settlement").await, ["failed"]);

    let elsewhere = Address::repeat_byte(0xee);
    world.chain.mine([sale.refund(alice, alice)]).await;
    world.agree(&mut indexer).await;
    world.chain.mine([sale.refund(world.anybody(), bob), sale.refund_to(carol, elsewhere)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(dollar, alice, HEAD).await, before, "to the last base unit");
    assert_eq!(world.money(dollar, bob, HEAD).await, before);
    assert_eq!(world.money(dollar, elsewhere, HEAD).await, U256::from(4_999_998));
    assert_eq!(world.money(dollar, sale.address, HEAD).await, U256::ZERO);
    assert_eq!(world.database.number("SELECT refunded::bigint FROM sale_total").await, 9_999_999);
}

#[tokio::test]
async fn cancelled_with_refunds() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    let [alice, bob] = [0, 1].map(|i| world.investor(i));
    world.chain.mine([sale.send(alice, ether("9")), sale.send(bob, ether("0.999999999999999999"))]).await;
    world.chain.mine([sale.cancel(), sale.refund(world.anybody(), alice)]).await;
    world.agree(&mut indexer).await;
    world.chain.mine([sale.refund(bob, bob)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.database.texts("SELECT outcome FROM settlement").await, ["cancelled"]);
    assert_eq!(world.money(Address::ZERO, sale.address, HEAD).await, U256::ZERO);
}

#[tokio::test]
async fn a_sale_created_bought_from_and_cancelled_in_one_block() {
    // Both ways of reading must see it: behind the head by range, at the head by hash.
    for live in [true, false] {
        let world = World::new(2).await;
        let mut indexer = live.then(|| world.index());
        let opens = world.chain.now().await + 12;
        let draft = Draft::new(world.owner(), world.beneficiary(), opens);
        let predicted = world.predict(&draft).await;
        let (alice, bob) = (world.investor(0), world.investor(1));
        let receipts = world
            .chain
            .mine_at(
                opens,
                [
                    draft.create(world.factory),
                    predicted.send(alice, ether("2")),
                    predicted.send(bob, ether("1")),
                    predicted.cancel(),
                    predicted.refund(alice, alice),
                ],
            )
            .await;
        assert_eq!(draft.created(&receipts[0]).address, predicted.address);
        world.chain.mine_blocks(10).await;
        let mut indexer = indexer.take().unwrap_or_else(|| world.index());
        world.agree(&mut indexer).await;
        assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 2);
        assert_eq!(world.database.number("SELECT count(*) FROM refund").await, 1);
    }
}

#[tokio::test]
async fn strangers_are_ignored() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    let stranger = deploy_factory(&world.chain).await;
    assert_ne!(stranger, world.factory);
    let draft = world.draft().await;
    let receipts = world.chain.mine([draft.create(stranger), sale.send(world.investor(0), ether("1"))]).await;
    let theirs = draft.created(&receipts[0]);
    let receipts = world.chain.mine([emitter_of_anything(world.anybody())]).await;
    let forger = receipts[0].contract_address.unwrap();
    let receipts =
        world.chain.mine([theirs.send(world.investor(0), ether("12")), sale.send(world.investor(1), ether("2"))]).await;
    assert_eq!(receipts[0].logs().len(), 1, "the stranger's sale took the money");

    // A contract emits what our sale emitted, to the byte, and what a factory would.
    let real = receipts[1].logs()[0].clone();
    let created = world.creation_log().await;
    let forge = |topics: &[alloy::primitives::B256], data: &[u8]| {
        let mut input: Vec<u8> = topics.iter().take(3).flat_map(|t| t.0).collect();
        input.extend(data);
        Call::send(world.anybody(), forger, U256::ZERO, input)
    };
    let receipts = world
        .chain
        .mine([forge(real.topics(), &real.data().data), forge(created.topics(), &created.data().data)])
        .await;
    assert_eq!(receipts[0].logs()[0].data(), real.data(), "the forgery is perfect");

    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM sale").await, 1);
    assert_eq!(world.database.number("SELECT count(*) FROM contribution").await, 2);
    assert_eq!(world.database.number("SELECT count(*) FROM quarantined_log").await, 0);
    world.chain.mine([sale.send(world.investor(1), ether("2"))]).await;
    world.agree(&mut indexer).await;
}

#[tokio::test]
async fn sales_in_ether_and_in_a_token_side_by_side() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let dollar = world.deploy_dollar().await;
    let first = world.open_sale().await;
    // The second sells the first one's token, from the owner's part of the supply.
    let opens = world.chain.now().await + 24;
    let mut draft = Draft::priced(world.owner(), world.beneficiary(), opens, dollar, 6);
    draft.token = None;
    draft.terms.token = first.token;
    let amount = draft.terms.tokensForSale.to();
    let approve =
        Call::to(world.owner(), first.token, &SaleToken::approveCall { spender: world.factory, value: amount });
    let receipts = world.chain.mine([approve, draft.create(world.factory)]).await;
    let second = draft.created(&receipts[1]);
    // The third is the first one's twin in all but its name.
    let mut twin = world.draft().await;
    twin.documents.name = "Borealis \u{1f30c}".to_owned();
    let third = world.create(&twin).await;

    for i in 0..4 {
        let investor = world.investor(i);
        let dollars = U256::from(3_000_000 + i);
        world
            .chain
            .mine([
                first.send(investor, ether("4.000000000000000001")),
                second.approve(investor, dollars),
                second.contribute(investor, investor, dollars),
                third.contribute(investor, world.investor(0), ether("1")),
            ])
            .await;
        world.agree(&mut indexer).await;
    }

    // One is cancelled, two succeed.
    let closes = second.terms.phases[3].end.to::<u64>().max(twin.closes());
    world.chain.mine([third.cancel(), third.refund(world.anybody(), world.investor(0))]).await;
    world.chain.mine_at(closes, [first.close(world.anybody()), second.close(world.anybody())]).await;
    world.agree(&mut indexer).await;
    world
        .chain
        .mine((0..4).flat_map(|i| {
            let investor = world.investor(i);
            [first.claim(investor, investor), second.claim(world.anybody(), investor)]
        }))
        .await;
    world.chain.mine([first.release(world.anybody()), second.release(world.anybody())]).await;
    world.agree(&mut indexer).await;
    let outcomes = world.database.texts("SELECT outcome FROM settlement ORDER BY 1").await;
    assert_eq!(outcomes, ["cancelled", "succeeded", "succeeded"]);
}

#[tokio::test]
async fn sold_out_in_a_token_of_six_decimals() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let dollar = world.deploy_dollar().await;
    let opens = world.chain.now().await + 24;
    let mut draft = Draft::priced(world.owner(), world.beneficiary(), opens, dollar, 6);
    draft.terms.unsold = 1;
    let sale = world.create(&draft).await;
    let [alice, bob, carol] = [0, 1, 2].map(|i| world.investor(i));
    let dollars = |amount: u64| U256::from(amount) * U256::from(1_000_000);
    world.chain.mine([sale.approve(alice, dollars(50)), sale.contribute(alice, alice, dollars(50))]).await;
    world.chain.mine([sale.approve(bob, dollars(49)), sale.contribute(bob, carol, dollars(49))]).await;
    // Of 30 dollars one is taken: a token is pulled for that part alone, so nothing comes back.
    let before = world.money(dollar, bob, HEAD).await;
    world.chain.mine([sale.approve(bob, dollars(30)), sale.contribute(bob, bob, dollars(30))]).await;
    assert_eq!(before - world.money(dollar, bob, HEAD).await, dollars(1));
    world.agree(&mut indexer).await;
    assert_eq!(world.database.number("SELECT count(*) FROM excess_return").await, 0);

    // Sold out, so it closes long before its end.
    world.chain.mine([sale.close(carol)]).await;
    world.chain.mine([sale.claim(alice, alice), sale.claim(alice, carol), sale.claim_to(bob, carol)]).await;
    world.chain.mine([sale.release(alice)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(dollar, world.beneficiary(), HEAD).await, dollars(100));
    assert_eq!(world.database.texts("SELECT outcome FROM settlement").await, ["succeeded"]);
}
