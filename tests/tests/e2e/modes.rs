//! What a sale can do beside taking money at a fixed price: shares of the outcome, a falling price, cooling-off, rejection,
//! vesting, payment by and by, objections, a team's tokens, and roles. Amounts to the wei.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256, aliases::U120, hex},
};
use crowdsale::contracts::{
    FixedPriceSale,
    SaleFactory::{Allocation, Tap, Vesting},
    SaleToken, TeamWallet,
};
use e2e::{Call, Sale, World, ether, reconcile};

const HEAD: BlockId = BlockId::latest();
const DAY: u64 = 86_400;
const WEI: U256 = U256::ONE;

/// The database agrees with the chain by the operator's own command.
pub(crate) fn assert_reconciled(world: &World) {
    let (agrees, output) = reconcile(&world.flags());
    assert!(agrees, "{output}");
}

/// Tampers by one wei, which must be noticed, and repairs it.
pub(crate) async fn assert_notices(world: &World, figure: &str, table: &str, column: &str, which: &str) {
    let change = |sign: &str| format!("UPDATE {table} SET {column} = {column} {sign} 1 WHERE {which}");
    assert_eq!(world.database.execute(&change("+")).await, 1, "{table}.{column}");
    let (agrees, output) = reconcile(&world.flags());
    assert!(!agrees && output.contains(&format!("differs: {figure} ")), "{table}.{column} {figure}: {output}");
    assert_eq!(world.database.execute(&change("-")).await, 1, "{table}.{column}");
    assert_reconciled(world);
}

async fn tokens(world: &World, sale: &Sale, holder: Address) -> U256 {
    SaleToken::new(sale.token, &world.chain.provider).balanceOf(holder).call().await.unwrap()
}

/// One base unit of the sale's sums, where there is one sale.
async fn sum(world: &World, column: &str) -> U256 {
    world.database.texts(&format!("SELECT {column}::text FROM sale_total")).await[0].parse().unwrap()
}

#[tokio::test]
async fn pro_rata_with_cooling_off_rejection_excess_and_vesting() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let compliance = world.anybody();
    let mut draft = world.draft().await.uniform(1, ["0.001"; 4]);
    draft.terms.compliance = compliance;
    draft.terms.coolingOff = 3_600;
    draft.terms.vesting = Vesting { atOnce: 2_500, cliff: 86_400, duration: 864_000 };
    let closes = draft.closes();
    let sale = world.create(&draft).await;
    let [alice, bob, carol, dave, erin] = [0, 1, 2, 3, 4].map(|i| world.investor(i));

    world
        .chain
        .mine([
            sale.send(alice, ether("50")),
            sale.send(bob, ether("45.000000000000000007")),
            sale.send(carol, ether("33.000000000000000001")),
            sale.send(dave, ether("20")),
            sale.contribute(dave, erin, ether("10")),
        ])
        .await;
    world.agree(&mut indexer).await;
    assert_eq!(sum(&world, "raised").await, ether("158.000000000000000008"), "far above the hard cap");
    assert_eq!(sum(&world, "sold").await, U256::ZERO, "the outcome allots");

    // One takes back, and comes back with less; one is rejected, and has her money before the outcome.
    let before = world.money(Address::ZERO, dave, HEAD).await;
    world.chain.mine([sale.withdraw(dave), sale.reject(compliance, erin)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, dave, HEAD).await - before, ether("20"));
    assert_eq!(sum(&world, "raised").await, ether("128.000000000000000008"));
    let before = world.money(Address::ZERO, erin, HEAD).await;
    world.chain.mine([sale.refund(bob, erin), sale.send(dave, ether("1"))]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, erin, HEAD).await - before, ether("10"));
    assert_reconciled(&world);

    // Past the hour, and the ten minutes to which it is rounded up.
    let now = world.chain.now().await;
    world.chain.mine_at(now + 4_300, []).await;
    world.agree(&mut indexer).await;
    world.chain.mine_at(closes, []).await;
    world.agree(&mut indexer).await;
    world.chain.mine([sale.close(erin)]).await;
    world.agree(&mut indexer).await;
    let raised = ether("129.000000000000000008");
    assert_eq!(sum(&world, "raised").await, raised);
    assert_eq!(sum(&world, "kept").await, ether("100"));
    let paid = [
        (alice, ether("50")),
        (bob, ether("45.000000000000000007")),
        (carol, ether("33.000000000000000001")),
        (dave, ether("1")),
    ];
    let excess = |paid: U256| paid * (raised - ether("100")) / raised;
    let allotted = |paid: U256| paid * ether("100000") / raised;
    assert_eq!(sum(&world, "excess").await, paid.iter().map(|(_, p)| excess(*p)).sum::<U256>());
    assert_eq!(sum(&world, "allotted").await, paid.iter().map(|(_, p)| allotted(*p)).sum::<U256>());

    // A claim brings a quarter of the tokens and the excess; a refund the excess alone.
    let before = [world.money(Address::ZERO, alice, HEAD).await, world.money(Address::ZERO, bob, HEAD).await];
    world.chain.mine([sale.claim(erin, alice), sale.refund(erin, bob)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, alice, HEAD).await - before[0], excess(paid[0].1));
    assert_eq!(world.money(Address::ZERO, bob, HEAD).await - before[1], excess(paid[1].1));
    let first = allotted(paid[0].1) / U256::from(4);
    assert_eq!(tokens(&world, &sale, alice).await, first);
    assert_eq!(tokens(&world, &sale, bob).await, U256::ZERO);

    // Half of the time: the first quarter and half of the rest.
    let settled: u64 = world.database.texts("SELECT settled_at::text FROM sale_overview").await[0].parse().unwrap();
    world.chain.mine_at(settled + 5 * DAY, [sale.claim(alice, alice), sale.claim_to(bob, carol)]).await;
    world.agree(&mut indexer).await;
    let rest = allotted(paid[0].1) - first;
    assert_eq!(tokens(&world, &sale, alice).await, first + rest / U256::from(2));
    assert_reconciled(&world);

    world.chain.mine_at(settled + 10 * DAY, paid.map(|(investor, _)| sale.claim(erin, investor))).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, alice).await, allotted(paid[0].1));
    assert_eq!(tokens(&world, &sale, dave).await, allotted(paid[3].1));
    let before = world.money(Address::ZERO, world.beneficiary(), HEAD).await;
    world.chain.mine([sale.release(erin)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, world.beneficiary(), HEAD).await - before, ether("100"));
    let dust = world.money(Address::ZERO, sale.address, HEAD).await;
    assert!(dust < U256::from(4), "{dust} is left of four shares rounded down");
    assert_reconciled(&world);
}

#[tokio::test]
async fn a_dutch_auction_whose_money_investors_stop() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let compliance = world.anybody();
    let mut draft = world.draft().await.uniform(2, ["0.004", "0.003", "0.002", "0.001"]);
    draft.terms.compliance = compliance;
    draft.terms.tokensForSale = ether("40000").to();
    draft.terms.tap = Tap { atOnce: 2_000, duration: 864_000, objection: 5_000 };
    let team = world.investor(6);
    let allocation = |amount: &str| Allocation {
        beneficiary: team,
        amount: ether(amount).to::<U120>(),
        cliff: DAY,
        duration: 10 * DAY,
    };
    draft.allocations = vec![allocation("1000"), allocation("0.000000000000000003")];
    let opens: u64 = draft.terms.opens.to();
    let closes = draft.closes();
    let sale = world.create(&draft).await;
    world.agree(&mut indexer).await;
    let [alice, bob, carol, dave, erin] = [0, 1, 2, 3, 4].map(|i| world.investor(i));

    // The price falls with every second, and nobody is told tokens before the outcome.
    world.chain.mine([sale.send(alice, ether("12.000000000000000001")), sale.send(erin, ether("3"))]).await;
    world.agree(&mut indexer).await;
    world.chain.mine_at(opens + DAY + DAY / 3, [sale.send(bob, ether("9"))]).await;
    world.agree(&mut indexer).await;
    world.chain.mine_at(opens + 2 * DAY + 7, [sale.reject(compliance, erin), sale.send(carol, ether("7"))]).await;
    world.agree(&mut indexer).await;

    // At the last price 40 ether buy everything: the rest comes back, and compliance closes before the end.
    let before = world.money(Address::ZERO, dave, HEAD).await;
    world.chain.mine_at(opens + 3 * DAY + 5, [sale.send(dave, ether("20"))]).await;
    world.agree(&mut indexer).await;
    let of_dave = ether("40") - ether("28") - WEI;
    assert_eq!(before - world.money(Address::ZERO, dave, HEAD).await, of_dave);
    world.chain.mine([sale.close(compliance)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.database.texts("SELECT sold::text FROM settlement").await, [ether("40000").to_string()]);
    assert_eq!(sum(&world, "kept").await, ether("40"));

    // Everybody pays the price that was reached, a quarter of the first.
    world.chain.mine([sale.claim(bob, alice), sale.claim(bob, bob), sale.refund(carol, erin)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, alice).await, ether("12000.000000000000001"));
    assert_eq!(tokens(&world, &sale, bob).await, ether("9000"));

    // A fifth at once, then a tenth of the rest with each day.
    let settled: u64 = world.database.texts("SELECT settled_at::text FROM sale_overview").await[0].parse().unwrap();
    let before = world.money(Address::ZERO, world.beneficiary(), HEAD).await;
    world.chain.mine_at(settled + DAY, [sale.release(bob)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, world.beneficiary(), HEAD).await - before, ether("11.2"));
    world.chain.mine([sale.object(alice)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(sum(&world, "objected").await, ether("12.000000000000000001"));
    world.chain.mine_at(settled + 2 * DAY, [sale.release(bob)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(sum(&world, "released").await, ether("14.4"));
    // More than half.
    world.chain.mine([sale.object(carol), sale.object(dave)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.database.texts("SELECT rest::text FROM tap_stop").await, [ether("25.6").to_string()]);
    assert_reconciled(&world);

    // Of what is left each has its share, with its tokens or without.
    let share = |paid: U256| paid * ether("25.6") / ether("40");
    for (investor, paid) in
        [(alice, ether("12.000000000000000001")), (bob, ether("9")), (carol, ether("7")), (dave, of_dave)]
    {
        let before = world.money(Address::ZERO, investor, HEAD).await;
        world.chain.mine([sale.refund_rest(erin, investor)]).await;
        assert_eq!(world.money(Address::ZERO, investor, HEAD).await - before, share(paid));
        world.agree(&mut indexer).await;
    }
    world.chain.mine([sale.claim(erin, carol), sale.claim(erin, dave)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, dave).await, of_dave * U256::from(1_000));
    assert!(world.money(Address::ZERO, sale.vault, HEAD).await < U256::from(4), "shares rounded down");
    assert_reconciled(&world);

    for (figure, column) in [
        ("raised", "raised"),
        ("balance", "rejected"),
        ("token_balance", "allotted"),
        ("received", "received"),
        ("released", "released"),
        ("objected", "objected"),
    ] {
        assert_notices(&world, figure, "sale_total", column, "true").await;
    }
    let of = |investor: Address| format!("investor = '\\x{}'", hex::encode(investor));
    for (figure, column, investor) in [
        ("paid", "kept", alice),
        ("stake", "kept", alice),
        ("tokens", "share_tokens", alice),
        ("has_objected", "objections", bob),
        ("paid", "refunded", erin),
    ] {
        assert_notices(&world, figure, "position", column, &of(investor)).await;
    }

    // The team's wallet vests from the end of the sale, and is handed on.
    let wallets = world.database.texts("SELECT '0x' || encode(wallet, 'hex') FROM allocation ORDER BY \"index\"").await;
    let wallet: Address = wallets[0].parse().unwrap();
    let release = || Call::to(erin, wallet, &TeamWallet::release_0Call { token: sale.token });
    world.chain.mine_at(closes + 5 * DAY, [release()]).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, team).await, ether("500"));
    world.chain.mine([Call::to(team, wallet, &TeamWallet::transferOwnershipCall { newOwner: bob })]).await;
    world.agree(&mut indexer).await;
    world.chain.mine([Call::to(bob, wallet, &TeamWallet::acceptOwnershipCall {})]).await;
    world.chain.mine_at(closes + 10 * DAY, [release()]).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, bob).await, ether("9500"));
    assert_reconciled(&world);
}

#[tokio::test]
async fn a_fixed_price_with_cooling_off_rejection_roles_and_a_tap() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let [alice, bob, carol, dave, other] = [0, 1, 2, 3, 4].map(|i| world.investor(i));
    let mut draft = world.draft().await;
    draft.terms.compliance = world.anybody();
    draft.terms.coolingOff = u32::try_from(DAY).unwrap();
    draft.terms.vesting = Vesting { atOnce: 0, cliff: 100, duration: 1_000 };
    draft.terms.tap = Tap { atOnce: 0, duration: 1_000, objection: 0 };
    draft.allocations =
        vec![Allocation { beneficiary: world.investor(6), amount: ether("5").to(), cliff: 0, duration: 0 }];
    let closes = draft.closes();
    let sale = world.create(&draft).await;

    // Across the first cap: what leaves makes room for others at the lower price again.
    world.chain.mine([sale.send(alice, ether("15")), sale.send(bob, ether("10"))]).await;
    world.agree(&mut indexer).await;
    assert_eq!(sum(&world, "sold").await, ether("22500"));
    let to = Address::repeat_byte(0xee);
    world.chain.mine([Call::to(bob, sale.address, &FixedPriceSale::withdrawToCall { to })]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, to, HEAD).await, ether("10"));
    assert_eq!((sum(&world, "raised").await, sum(&world, "sold").await), (ether("15"), ether("15000")));
    world.chain.mine([sale.send(bob, ether("4")), sale.send(carol, ether("1.000000000000000001"))]).await;
    world.chain.mine([sale.send(dave, ether("2"))]).await;
    world.agree(&mut indexer).await;

    // Every role, one after the other.
    let owner = world.owner();
    let pause = |on| Call::to(owner, sale.address, &FixedPriceSale::setPausedCall { on });
    world.chain.mine([pause(true)]).await;
    world.agree(&mut indexer).await;
    world
        .chain
        .mine([
            pause(false),
            Call::to(owner, sale.address, &FixedPriceSale::setComplianceCall { account: other }),
            Call::to(owner, sale.address, &FixedPriceSale::setVoucherSignerCall { signer: dave }),
            Call::to(
                owner,
                sale.address,
                &FixedPriceSale::supersedeWhitepaperCall {
                    hash: B256::repeat_byte(7),
                    uri: "https://w.example/2".to_owned(),
                },
            ),
            Call::to(owner, sale.address, &FixedPriceSale::transferOwnershipCall { newOwner: other }),
        ])
        .await;
    world.agree(&mut indexer).await;
    assert_reconciled(&world);
    world
        .chain
        .mine([
            Call::to(other, sale.address, &FixedPriceSale::acceptOwnershipCall {}),
            Call::to(
                other,
                sale.address,
                &FixedPriceSale::supersedeWhitepaperCall { hash: B256::repeat_byte(8), uri: String::new() },
            ),
            Call::to(other, sale.address, &FixedPriceSale::setVoucherSignerCall { signer: bob }),
            sale.reject(other, dave),
            Call::to(other, sale.address, &FixedPriceSale::setPausedCall { on: true }),
        ])
        .await;
    world.agree(&mut indexer).await;

    // Paused to the end: it closes nevertheless, and the rejected one waits for nobody.
    world.chain.mine_at(closes, [sale.close(carol)]).await;
    world.agree(&mut indexer).await;
    let raised = ether("20.000000000000000001");
    assert_eq!((sum(&world, "raised").await, sum(&world, "kept").await), (raised, raised));
    let before = world.money(Address::ZERO, dave, HEAD).await;
    world.chain.mine_at(closes + 50, [sale.refund(carol, dave), sale.release(carol)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(world.money(Address::ZERO, dave, HEAD).await - before, ether("2"));
    assert_eq!(sum(&world, "released").await, raised * U256::from(50) / U256::from(1_000));
    world.chain.mine_at(closes + 333, [sale.claim(carol, alice)]).await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &sale, alice).await, ether("15000") * U256::from(333) / U256::from(1_000));
    assert_reconciled(&world);
    world.chain.mine_at(closes + 999, [sale.claim(carol, alice), sale.release(carol)]).await;
    world.agree(&mut indexer).await;
    let at_last = [sale.claim(carol, alice), sale.claim(carol, bob), sale.claim(carol, carol), sale.release(carol)];
    world.chain.mine_at(closes + 1_000, at_last).await;
    world.agree(&mut indexer).await;
    assert_eq!(sum(&world, "released").await, raised);
    assert_eq!(tokens(&world, &sale, alice).await, ether("15000"));
    assert_eq!(sum(&world, "claimed").await, sum(&world, "allotted").await);
    assert_reconciled(&world);

    // A second sale is cancelled, and the owner takes the team's tokens back.
    let mut draft = world.draft().await;
    draft.terms.compliance = other;
    draft.documents.name = "Borealis".to_owned();
    draft.allocations =
        vec![Allocation { beneficiary: world.investor(6), amount: ether("5").to(), cliff: 1, duration: 2 }];
    let second = world.create(&draft).await;
    world.chain.mine([second.send(alice, ether("3")), second.send(bob, ether("2"))]).await;
    world.chain.mine([second.reject(other, bob), second.cancel()]).await;
    world.agree(&mut indexer).await;
    let wallets = "SELECT '0x' || encode(wallet, 'hex') FROM allocation ORDER BY block_number DESC";
    let wallet: Address = world.database.texts(wallets).await[0].parse().unwrap();
    world
        .chain
        .mine([
            Call::to(dave, wallet, &TeamWallet::reclaimCall { token: second.token }),
            second.refund(dave, bob),
            second.refund(dave, alice),
        ])
        .await;
    world.agree(&mut indexer).await;
    assert_eq!(tokens(&world, &second, wallet).await, U256::ZERO);
    assert_reconciled(&world);
}
