//! Lint and the contracts judge alike: whatever lint accepts, the factory creates; whatever it refuses, the factory refuses.

mod cli_support;

use std::cell::RefCell;

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
    cli::sale_file::{Clock, Mode, SaleFile},
    contracts::SaleFactory::{self, Allocation, Documents, Phase, SaleTerms, Tap, TokenTerms, Vesting},
    types::Amount,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// Terms of which about half can work: numbers stay near each other, so that every rule is met from both sides.
#[derive(Clone, Debug)]
struct Case {
    mode: Mode,
    opens: u64,
    soft: u128,
    hard: u128,
    min: u128,
    max: u128,
    /// Above or below what is needed.
    spare: i8,
    phases: Vec<PhaseCase>,
    extra: Extra,
}

#[derive(Clone, Debug)]
struct PhaseCase {
    /// Seconds after the end before.
    span: u64,
    /// Cumulative cap.
    cap: u128,
    price: u128,
    gate: u8,
    has_root: bool,
}

/// What a sale may have beside its price.
#[derive(Clone, Debug)]
struct Extra {
    signer: bool,
    compliance: bool,
    cooling_off: u64,
    /// Share at once, cliff, duration.
    vesting: (u16, u64, u64),
    /// Share at once, duration, objection.
    release: (u16, u64, u16),
    /// Amount, cliff, duration.
    allocations: Vec<(u128, u64, u64)>,
    /// Supply above what is needed, or below.
    rest: i8,
    restricted: bool,
}

const NOW: u64 = OPENS - 10 * DAY;
const MAX_SCHEDULE: u64 = 3653 * DAY;
const ROOT: B256 = B256::repeat_byte(0x5a);

fn span() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![
        4 => Just(0_u64),
        6 => 1_u64..400 * DAY,
        1 => Just(366 * DAY),
        1 => Just(366 * DAY + 1),
        1 => Just(MAX_SCHEDULE),
        1 => Just(MAX_SCHEDULE + 1),
    ]
}

fn share() -> impl Strategy<Value = u16> + Clone {
    prop_oneof![4 => Just(0_u16), 6 => 1_u16..10_000, 1 => Just(9_999), 1 => Just(10_000)]
}

fn extras() -> impl Strategy<Value = Extra> {
    let allocation = (prop_oneof![8 => 1_u128..1_000_000, 1 => Just(0_u128)], span(), span());
    let count = prop_oneof![4 => 0_usize..3, 1 => Just(16), 1 => Just(17)];
    let allocations = count.prop_flat_map(move |n| prop::collection::vec(allocation.clone(), n));
    let rest = prop_oneof![1 => Just(-1_i8), 12 => 0_i8..3];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (flags, span(), (share(), span(), span()), (share(), span(), share()), allocations, rest, 0_u8..10).prop_map(
        |((signer, compliance, restricted), cooling_off, vesting, release, allocations, rest, wild)| {
            let mut extra = Extra { signer, compliance, cooling_off, vesting, release, allocations, rest, restricted };
            if wild != 0 {
                extra.tidy();
            }
            extra
        },
    )
}

impl Extra {
    /// Makes what can work of it.
    fn tidy(&mut self) {
        let within = |span: u64| span.min(MAX_SCHEDULE);
        self.signer = true;
        self.cooling_off = self.cooling_off.min(366 * DAY);
        let (share, cliff, duration) = self.vesting;
        let duration = within(duration);
        self.vesting = (if duration == 0 { 0 } else { share }, cliff.min(duration), duration);
        let (share, duration, objection) = self.release;
        let duration = within(duration);
        self.release = if duration == 0 { (0, 0, 0) } else { (share, duration, objection.min(9_999)) };
        self.allocations.truncate(16);
        for (amount, cliff, duration) in &mut self.allocations {
            *amount = (*amount).max(1);
            *duration = within(*duration);
            *cliff = (*cliff).min(*duration);
        }
        self.rest = self.rest.max(0);
    }
}

fn phase_cases(amount: impl Strategy<Value = u128> + Clone) -> impl Strategy<Value = Vec<PhaseCase>> {
    let price = prop_oneof![8 => 1_u128..1_000_000, 1 => (1_u128 << 60)..(1 << 63), 1 => Just(0)];
    let span = prop_oneof![8 => 1_u64..DAY, 1 => Just(0_u64), 1 => Just(366 * DAY - 3), 1 => Just(366 * DAY + 1)];
    let gate = prop_oneof![6 => Just((0_u8, false)), 3 => Just((1, false)), 3 => Just((2, true)), 1 => Just((2, false)), 1 => Just((0, true)), 1 => Just((1, true))];
    let phase = (span, amount, price, gate).prop_map(|(span, cap, price, (gate, has_root))| PhaseCase {
        span,
        cap,
        price,
        gate,
        has_root,
    });
    prop::collection::vec(phase, 0..10)
}

fn cases() -> impl Strategy<Value = Case> {
    let amount = prop_oneof![8 => 1_u128..40, 1 => Just(0_u128), 1 => Just((1 << 120) - 1)];
    let opens = prop_oneof![12 => Just(OPENS), 1 => Just(NOW - 1), 1 => Just(NOW + 100)];
    let amounts = (amount.clone(), amount.clone(), amount.clone(), amount.clone());
    let mode = prop_oneof![Just(Mode::FixedPrice), Just(Mode::ProRata), Just(Mode::DutchAuction)];
    let spare = prop_oneof![1 => Just(-1_i8), 7 => 0_i8..3];
    // Nine of ten are made of what can work; every rule is broken often enough by what is left.
    (mode, opens, amounts, spare, phase_cases(amount), extras(), 0_u8..10, 0_u8..10).prop_map(
        |(mode, opens, (soft, hard, min, max), spare, mut phases, extra, tidy, wild)| {
            let mut case = Case { mode, opens, soft, hard, min, max, spare, phases: Vec::new(), extra };
            if tidy != 0 {
                phases.sort_by_key(|p| p.cap);
                phases.truncate(8);
                case.hard = phases.last().map_or(hard, |p| p.cap);
                for p in &mut phases {
                    (p.span, p.price, p.has_root) = (p.span.max(1), p.price.max(1), p.gate == 2);
                }
                case.soft = soft.min(case.hard).max(1);
                case.max = max.min(case.hard).max(1);
                case.min = min.min(case.max);
            }
            if tidy != 0 && wild != 0 {
                case.suit_mode(&mut phases);
            }
            case.phases = phases;
            case
        },
    )
}

impl Case {
    /// Makes phases that the mode can have.
    fn suit_mode(&mut self, phases: &mut [PhaseCase]) {
        let first = phases.first().map_or(1, |p| p.price);
        match self.mode {
            Mode::FixedPrice => return,
            Mode::ProRata => phases.iter_mut().for_each(|p| p.price = first),
            Mode::DutchAuction => {
                let mut prices: Vec<_> = phases.iter().map(|p| p.price).collect();
                prices.sort_unstable_by(|a, b| b.cmp(a));
                phases.iter_mut().zip(prices).for_each(|(p, price)| p.price = price);
                self.extra.cooling_off = 0;
            }
        }
        phases.iter_mut().for_each(|p| p.cap = self.hard);
    }

    fn ends(&self) -> Vec<u64> {
        self.phases
            .iter()
            .scan(self.opens, |end, p| {
                *end += p.span;
                Some(*end)
            })
            .collect()
    }

    /// The bound of `TermsCheck`, in its own words, where it can be reached.
    fn for_sale(&self) -> U256 {
        let mut price = U256::MAX;
        let mut needed = U256::ZERO;
        for i in (0..self.phases.len()).rev() {
            price = price.min(U256::from(self.phases[i].price.max(1)));
            let floor = if i == 0 { 0 } else { self.phases[i - 1].cap };
            let layer = U256::from(self.phases[i].cap.saturating_sub(floor)) * U256::from(10).pow(U256::from(18));
            needed = needed.saturating_add(layer.div_ceil(price));
        }
        let most = (U256::ONE << 120) - U256::ONE;
        let wanted = if self.spare < 0 { needed.saturating_sub(U256::ONE) } else { needed + U256::from(self.spare) };
        wanted.min(most)
    }

    fn supply(&self) -> U256 {
        let kept: U256 = self.extra.allocations.iter().map(|a| U256::from(a.0)).sum();
        let most = (U256::ONE << 120) - U256::ONE;
        let needed = self.for_sale() + kept;
        let wanted =
            if self.extra.rest < 0 { needed.saturating_sub(U256::ONE) } else { needed + U256::from(self.extra.rest) };
        wanted.min(most)
    }

    fn terms(&self) -> SaleTerms {
        let narrow = |n: u128| U256::from(n).to();
        let seconds = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let (vesting, release) = (self.extra.vesting, self.extra.release);
        SaleTerms {
            owner: account(1),
            compliance: if self.extra.compliance { account(3) } else { Default::default() },
            signer: if self.extra.signer { account(4) } else { Default::default() },
            beneficiary: account(2),
            token: Default::default(),
            currency: Default::default(),
            opens: U256::from(self.opens).to(),
            coolingOff: seconds(self.extra.cooling_off),
            softCap: narrow(self.soft),
            hardCap: narrow(self.hard),
            minPaid: narrow(self.min),
            maxPaid: narrow(self.max),
            tokensForSale: self.for_sale().to(),
            unsold: 0,
            vesting: Vesting { atOnce: vesting.0, cliff: seconds(vesting.1), duration: seconds(vesting.2) },
            tap: Tap { atOnce: release.0, duration: seconds(release.1), objection: release.2 },
            phases: self
                .phases
                .iter()
                .zip(self.ends())
                .map(|(p, end)| Phase {
                    end: U256::from(end).to(),
                    raisedUpTo: narrow(p.cap),
                    price: p.price,
                    gate: p.gate,
                    root: if p.has_root { ROOT } else { B256::ZERO },
                })
                .collect(),
        }
    }

    fn allocations(&self) -> Vec<Allocation> {
        let allocation = |&(amount, cliff, duration): &(u128, u64, u64)| Allocation {
            beneficiary: account(5),
            amount: U256::from(amount).to(),
            cliff,
            duration,
        };
        self.extra.allocations.iter().map(allocation).collect()
    }

    fn token(&self) -> TokenTerms {
        TokenTerms {
            kind: u8::from(self.extra.restricted),
            name: "T".into(),
            symbol: "T".into(),
            supply: self.supply(),
            contractURI: String::new(),
        }
    }

    fn file(&self) -> String {
        let units = |n: u128| Amount(U256::from(n)).to_units(18);
        let percent = |n: u16| format!("{}%", Amount(U256::from(n)).to_units(2));
        let time = |t: u64| crowdsale::cli::clock::rfc3339(t);
        let for_sale = Amount(self.for_sale()).to_units(18);
        let supply = Amount(self.supply()).to_units(18);
        let extra = &self.extra;
        let mut text = format!(
            "[sale]\nname = \"T\"\nowner = \"{}\"\nbeneficiary = \"{}\"\nopens = {}\nsoft_cap = \"{}\"\nhard_cap = \"{}\"\nunsold = \"owner\"\n\
             mode = \"{}\"\ncooling_off = \"{}s\"\n",
            account(1),
            account(2),
            time(self.opens),
            units(self.soft),
            units(self.hard),
            self.mode.word(),
            extra.cooling_off,
        );
        if extra.compliance {
            text += &format!("compliance = \"{}\"\n", account(3));
        }
        if extra.signer {
            text += &format!("voucher_signer = \"{}\"\n", account(4));
        }
        text += &format!(
            "[limits]\nmin = \"{}\"\nmax = \"{}\"\n[payment]\ncurrency = \"ETH\"\n\
             [token]\nname = \"T\"\nsymbol = \"T\"\nsupply = \"{supply}\"\nfor_sale = \"{for_sale}\"\nkind = \"{}\"\n\
             [whitepaper]\npurpose = \"p\"\ntechnology = \"t\"\ncapital_required = \"c\"\nteam_tokens = \"t\"\nmoney_accepted = \"m\"\ntimeline = \"t\"\n",
            units(self.min),
            units(self.max),
            if extra.restricted { "restricted" } else { "plain" },
        );
        let (share, cliff, duration) = extra.vesting;
        text +=
            &format!("[vesting]\nat_once = \"{}\"\ncliff = \"{cliff}s\"\nduration = \"{duration}s\"\n", percent(share));
        let (share, duration, objection) = extra.release;
        text += &format!(
            "[release]\nat_once = \"{}\"\nduration = \"{duration}s\"\nobjection = \"{}\"\n",
            percent(share),
            percent(objection)
        );
        for (amount, cliff, duration) in &extra.allocations {
            text += &format!(
                "[[allocation]]\nname = \"a\"\nbeneficiary = \"{}\"\namount = \"{}\"\ncliff = \"{cliff}s\"\nduration = \"{duration}s\"\n",
                account(5),
                units(*amount)
            );
        }
        for (phase, end) in self.phases.iter().zip(self.ends()) {
            text += &format!(
                "[[phase]]\nname = \"p\"\nends = {}\nprice = \"{}\"\nraised_up_to = \"{}\"\ngate = \"{}\"\n",
                time(end),
                units(phase.price),
                units(phase.cap),
                ["open", "voucher", "list"][usize::from(phase.gate)],
            );
            if phase.has_root {
                text += &format!("list_root = \"{ROOT}\"\n");
            }
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
    let counts = RefCell::new([[0_u32; 2]; 3]);
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&cases(), |case| {
        let call = SaleFactory::createWithTokenCall {
            mode: case.mode.number(),
            terms: case.terms(),
            documents: documents.clone(),
            allocations: case.allocations(),
            tokenTerms: case.token(),
        };
        let request =
            TransactionRequest::default().with_from(account(0)).with_to(chain.factory).with_input(call.abi_encode());
        let created = runtime.block_on(async { chain.provider.call(request).block(BlockId::latest()).await });
        let linted = SaleFile::parse(&case.file(), Some(Clock { now: NOW, by: "here" }));
        prop_assert_eq!(created.is_ok(), linted.is_ok(), "chain: {:?}\nlint: {:?}", created, linted);
        if let Ok((sale, _)) = linted {
            prop_assert_eq!(sale.terms(), case.terms());
            prop_assert_eq!(sale.allocation_terms(), case.allocations());
            prop_assert_eq!(sale.token_terms(), Some(case.token()));
        }
        counts.borrow_mut()[usize::from(case.mode.number())][usize::from(created.is_ok())] += 1;
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
    let counts = counts.into_inner();
    assert!(counts.iter().flatten().all(|n| *n > 40), "{counts:?} refused and accepted: the cases are lopsided");
}
