#![cfg(any())] // TEMP
//! Lint and the contracts judge alike: whatever lint accepts, the factory creates; whatever it refuses, the factory refuses.

mod cli_support;

use std::cell::Cell;

use alloy::{
    eips::BlockId,
    network::TransactionBuilder as _,
    primitives::{B256, U256},
    providers::Provider as _,
    rpc::types::TransactionRequest,
    sol_types::SolCall as _,
};
use cli_support::{Chain, DAY, OPENS, account};
use crowdsale::{
    cli::sale_file::{Clock, SaleFile},
    contracts::SaleFactory::{self, Documents, Phase, SaleTerms, TokenTerms},
    types::Amount,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// Terms of which about half can work: numbers stay near each other, so that every rule is met from both sides.
#[derive(Clone, Debug)]
struct Case {
    opens: u64,
    soft: u128,
    hard: u128,
    min: u128,
    max: u128,
    /// Above or below what is needed.
    spare: i8,
    /// Seconds after the end before, cumulative cap, price.
    phases: Vec<(u64, u128, u128)>,
}

const NOW: u64 = OPENS - 10 * DAY;

fn cases() -> impl Strategy<Value = Case> {
    let amount = prop_oneof![8 => 1_u128..40, 1 => Just(0_u128), 1 => Just((1 << 120) - 1)];
    let price = prop_oneof![6 => 1_u128..1_000_000, 2 => (1_u128 << 60)..(1 << 63), 1 => Just(0)];
    let span = prop_oneof![8 => 1_u64..DAY, 1 => Just(0_u64), 1 => Just(366 * DAY - 3), 1 => Just(366 * DAY + 1)];
    let phases = prop::collection::vec((span, amount.clone(), price), 0..10);
    let opens = prop_oneof![6 => Just(OPENS), 1 => Just(NOW - 1), 1 => Just(NOW + 100)];
    let caps = prop_oneof![3 => Just(true), 1 => Just(false)];
    (opens, amount.clone(), amount.clone(), amount.clone(), amount, -1_i8..3, phases, caps).prop_map(
        |(opens, soft, hard, min, max, spare, mut phases, tidy)| {
            let mut case = Case { opens, soft, hard, min, max, spare, phases: Vec::new() };
            if tidy {
                phases.sort_by_key(|p| p.1);
                phases.truncate(8);
                phases.iter_mut().for_each(|p| *p = (p.0.max(1), p.1, p.2.max(1)));
                case.hard = phases.last().map_or(hard, |p| p.1);
                case.soft = soft.min(case.hard);
                case.max = max.min(case.hard);
                case.min = min.min(case.max);
            }
            case.phases = phases;
            case
        },
    )
}

impl Case {
    fn ends(&self) -> Vec<u64> {
        self.phases
            .iter()
            .scan(self.opens, |end, p| {
                *end += p.0;
                Some(*end)
            })
            .collect()
    }

    /// The bound of `TermsCheck`, in its own words, where it can be reached.
    fn for_sale(&self) -> U256 {
        let mut price = U256::MAX;
        let mut needed = U256::ZERO;
        for i in (0..self.phases.len()).rev() {
            price = price.min(U256::from(self.phases[i].2.max(1)));
            let floor = if i == 0 { 0 } else { self.phases[i - 1].1 };
            let layer = U256::from(self.phases[i].1.saturating_sub(floor)) * U256::from(10).pow(U256::from(18));
            needed = needed.saturating_add(layer.div_ceil(price));
        }
        let most = (U256::ONE << 120) - U256::ONE;
        let wanted = if self.spare < 0 { needed.saturating_sub(U256::ONE) } else { needed + U256::from(self.spare) };
        wanted.min(most)
    }

    fn terms(&self) -> SaleTerms {
        let narrow = |n: u128| U256::from(n).to();
        SaleTerms {
            owner: account(1),
            beneficiary: account(2),
            token: Default::default(),
            currency: Default::default(),
            opens: U256::from(self.opens).to(),
            softCap: narrow(self.soft),
            hardCap: narrow(self.hard),
            minPaid: narrow(self.min),
            maxPaid: narrow(self.max),
            tokensForSale: self.for_sale().to(),
            unsold: 0,
            phases: self
                .phases
                .iter()
                .zip(self.ends())
                .map(|(p, end)| Phase { end: U256::from(end).to(), raisedUpTo: narrow(p.1), price: p.2, gate: 0 })
                .collect(),
        }
    }

    fn file(&self) -> String {
        let units = |n: u128| Amount(U256::from(n)).to_units(18);
        let time = |t: u64| crowdsale::cli::clock::rfc3339(t);
        let for_sale = Amount(self.for_sale()).to_units(18);
        let mut text = format!(
            "[sale]\nname = \"T\"\nowner = \"{}\"\nbeneficiary = \"{}\"\nopens = {}\nsoft_cap = \"{}\"\nhard_cap = \"{}\"\nunsold = \"owner\"\n\
             [limits]\nmin = \"{}\"\nmax = \"{}\"\n[payment]\ncurrency = \"ETH\"\n\
             [token]\nname = \"T\"\nsymbol = \"T\"\nsupply = \"{for_sale}\"\nfor_sale = \"{for_sale}\"\n\
             [whitepaper]\npurpose = \"p\"\ntechnology = \"t\"\ncapital_required = \"c\"\nteam_tokens = \"t\"\nmoney_accepted = \"m\"\ntimeline = \"t\"\n",
            account(1),
            account(2),
            time(self.opens),
            units(self.soft),
            units(self.hard),
            units(self.min),
            units(self.max),
        );
        for (phase, end) in self.phases.iter().zip(self.ends()) {
            text += &format!(
                "[[phase]]\nname = \"p\"\nends = {}\nprice = \"{}\"\nraised_up_to = \"{}\"\n",
                time(end),
                units(phase.2),
                units(phase.1),
            );
        }
        text
    }
}

#[test]
fn lint_and_the_factory_judge_alike() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let chain = runtime.block_on(Chain::start());
    runtime.block_on(chain.warp(NOW));
    let documents = Documents {
        name: "T".into(),
        saleHash: B256::ZERO,
        saleURI: String::new(),
        whitepaperHash: B256::ZERO,
        whitepaperURI: String::new(),
    };
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&cases(), |case| {
        let supply = case.for_sale();
        let call = SaleFactory::createWithTokenCall {
            mode: 0,
            terms: case.terms(),
            documents: documents.clone(),
            tokenTerms: TokenTerms { name: "T".into(), symbol: "T".into(), supply, contractURI: String::new() },
        };
        let request =
            TransactionRequest::default().with_from(account(0)).with_to(chain.factory).with_input(call.abi_encode());
        let created = runtime.block_on(async { chain.provider.call(request).block(BlockId::latest()).await });
        let linted = SaleFile::parse(&case.file(), Some(Clock { now: NOW, by: "here" }));
        prop_assert_eq!(created.is_ok(), linted.is_ok(), "chain: {:?}\nlint: {:?}", created, linted);
        if let Ok((sale, _)) = linted {
            prop_assert_eq!(sale.terms(), case.terms());
        }
        let count = if created.is_ok() { &accepted } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > 40 && refused > 40, "{accepted} accepted, {refused} refused: the cases are lopsided");
}
