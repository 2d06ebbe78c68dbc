//! What has happened when the API is asked: sales of every mode in every state, and everything that investors do there.

use std::fmt::Write as _;

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::SolCall as _,
};
use crowdsale::{
    contracts::{
        DevDollar, FixedPriceSale,
        SaleFactory::{Allocation, Tap, Vesting},
    },
    gates::{allowlist::Allowlist, eligibility::MaxPaid},
};
use e2e::{Call, Draft, Sale, World, ether};

const DAY: u64 = 86_400;
/// As `Gate` numbers it.
const MERKLE: u8 = 2;

/// What can be asked for.
pub struct Told {
    sales: Vec<Sale>,
    wallets: Vec<Address>,
    dollar: Address,
    owner: Address,
    root: B256,
    /// The file of an allowlist.
    pub allowlist: String,
}

impl Told {
    /// As schemathesis takes them.
    pub fn dictionaries(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, values: Vec<String>| {
            writeln!(text, "\n[dictionaries.{name}]\nvalues = {values:?}").expect("a string takes it");
        };
        let of_sales = |of: fn(&Sale) -> Address| self.sales.iter().map(|s| of(s).to_string()).collect();
        add("sales", of_sales(|s| s.address));
        add("tokens", of_sales(|s| s.token));
        add("wallets", self.wallets.iter().map(Address::to_string).collect());
        add("currencies", vec![Address::ZERO.to_string(), self.dollar.to_string()]);
        add("owners", vec![self.owner.to_string()]);
        add("roots", vec![self.root.to_string()]);
        text
    }
}

/// Named, with tokens of that symbol.
fn named(mut draft: Draft, name: &str) -> Draft {
    name.clone_into(&mut draft.documents.name);
    if let Some(token) = &mut draft.token {
        name.clone_into(&mut token.name);
        token.symbol = name[..3].to_uppercase();
    }
    draft
}

/// Tells it, up to a quiet head.
pub async fn tell(world: &World) -> Told {
    let chain = &world.chain;
    let [alice, bob, carol, dave, erin] = [0, 1, 2, 3, 4].map(|i| world.investor(i));
    let (owner, compliance) = (world.owner(), world.anybody());
    let dollar = world.deploy_dollar().await;
    let listed = [alice, bob, carol].map(|who| (who, MaxPaid::new(ether("50")).unwrap()));
    let list = Allowlist::new(18, listed.into()).unwrap();

    let fresh = world.draft().await;
    let closes = fresh.closes();
    let mut aurora = named(fresh.clone(), "Aurora");
    aurora.terms.vesting = Vesting { atOnce: 1_000, cliff: 100, duration: 10 * DAY as u32 };
    aurora.allocations =
        vec![Allocation { beneficiary: world.investor(6), amount: ether("5").to(), cliff: 0, duration: 0 }];
    let mut borealis = named(fresh.clone(), "Borealis").uniform(1, ["0.001"; 4]);
    borealis.terms.compliance = compliance;
    borealis.terms.coolingOff = 3_600;
    let mut cascade = named(fresh.clone(), "Cascade").uniform(2, ["0.004", "0.003", "0.002", "0.001"]);
    cascade.terms.tokensForSale = ether("40000").to();
    cascade.terms.tap = Tap { atOnce: 2_000, duration: 10 * DAY as u32, objection: 5_000 };
    let opens: u64 = fresh.terms.opens.to();
    let delta = named(Draft::priced(owner, world.beneficiary(), opens, dollar, 6), "Delta");
    let ember = named(fresh.clone(), "Ember");
    let drafts = [aurora, borealis, cascade, delta, ember];
    let receipts = chain.mine(drafts.iter().map(|draft| draft.create(world.factory))).await;
    let mut sales: Vec<Sale> = drafts.iter().zip(&receipts).map(|(draft, receipt)| draft.created(receipt)).collect();
    let [aurora, borealis, cascade, delta, ember] = &sales[..] else { panic!("five sales") };

    let all = DevDollar::approveCall { spender: delta.address, value: U256::MAX };
    let approve = [alice, bob].map(|who| Call::send(who, dollar, U256::ZERO, all.abi_encode()));
    chain.mine(approve).await;
    chain
        .mine([
            aurora.send(alice, ether("20")),
            aurora.contribute(bob, carol, ether("15.000000000000000001")),
            borealis.send(alice, ether("50")),
            borealis.send(bob, ether("45.000000000000000007")),
            borealis.send(dave, ether("20")),
            borealis.send(erin, ether("10")),
            borealis.send(carol, ether("33")),
            cascade.send(alice, ether("12.000000000000000001")),
            cascade.send(erin, ether("3")),
            delta.contribute(alice, alice, U256::from(5_000_001)),
            delta.contribute(bob, carol, U256::from(4_999_998)),
            ember.send(dave, ether("1")),
        ])
        .await;
    chain
        .mine([
            borealis.withdraw(dave),
            borealis.reject(compliance, erin),
            ember.cancel(),
            Call::to(owner, aurora.address, &FixedPriceSale::setPausedCall { on: true }),
        ])
        .await;
    let revised = FixedPriceSale::supersedeWhitepaperCall {
        hash: B256::repeat_byte(7),
        uri: "https://example.org/paper-2.pdf".to_owned(),
    };
    chain
        .mine([
            borealis.refund(bob, erin),
            ember.refund(bob, dave),
            Call::to(owner, aurora.address, &FixedPriceSale::setPausedCall { on: false }),
            Call::to(owner, aurora.address, &revised),
        ])
        .await;
    // Something that is forgotten again.
    chain.mine([aurora.send(dave, ether("2"))]).await;
    chain.swap(vec![vec![aurora.send(erin, ether("2"))]]).await;
    chain.mine_at(opens + 3 * DAY + 5, [cascade.send(bob, ether("9")), cascade.send(carol, ether("16"))]).await;

    chain.mine_at(closes, [aurora.close(bob), borealis.close(bob), cascade.close(bob), delta.close(bob)]).await;
    chain
        .mine_at(
            closes + DAY,
            [
                aurora.claim(bob, alice),
                aurora.claim_to(erin, bob),
                aurora.release(bob),
                borealis.claim(bob, alice),
                borealis.refund(bob, bob),
                borealis.release(bob),
                cascade.claim(bob, alice),
                cascade.release(bob),
                delta.refund(bob, alice),
                delta.refund_to(carol, dave),
            ],
        )
        .await;
    chain.mine([cascade.object(alice), cascade.object(bob)]).await;
    chain.mine([cascade.refund_rest(bob, alice)]).await;

    // One that has ended and waits, one that is open to a list, one that is to come.
    let fjord = named(world.draft().await, "Fjord");
    let fjord = world.create(&fjord).await;
    chain.mine([fjord.send(alice, ether("11"))]).await;
    chain.mine_at(chain.now().await + 5 * DAY, []).await;
    let mut glacier = named(world.draft().await, "Glacier");
    for phase in &mut glacier.terms.phases[1..] {
        phase.gate = MERKLE;
        phase.root = list.root();
    }
    let glacier = world.create(&glacier).await;
    chain.mine([glacier.send(alice, ether("7")), glacier.send(bob, ether("0.5"))]).await;
    let mut harbor = named(world.draft().await, "Harbor");
    harbor.terms.opens = (chain.now().await + DAY).try_into().unwrap();
    let harbor = world.create(&harbor).await;
    sales.extend([fjord, glacier, harbor]);
    chain.mine_blocks(3).await;

    let mut allowlist = Vec::new();
    list.write_json(&mut allowlist).unwrap();
    let wallets = vec![alice, bob, carol, dave, erin, owner, world.beneficiary()];
    Told { sales, wallets, dollar, owner, root: list.root(), allowlist: String::from_utf8(allowlist).unwrap() }
}
