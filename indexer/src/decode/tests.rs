#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use alloy::{
    primitives::{Address, B256, LogData, U256, aliases::U48},
    sol_types::SolEvent,
};

use super::*;
use crate::{
    contracts::{FixedPriceSale as S, RefundVault as V, RestrictedSaleToken as T, SaleFactory as F, TeamWallet as W},
    types::{Event, EventLog, Log, NewTap, NewVesting, OutcomeKind, RoleChange},
};

const FACTORY: Address = Address::repeat_byte(0xfa);
const SALE: Address = Address::repeat_byte(0x5a);
const VAULT: Address = Address::repeat_byte(0x7a);
const WALLET: Address = Address::repeat_byte(0x3a);
const TOKEN: Address = Address::repeat_byte(0x70);
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);

fn u(n: u64) -> U256 {
    U256::from(n)
}

fn log(emitter: Address, data: &LogData) -> Log {
    Log {
        block_number: 7,
        block_hash: B256::repeat_byte(7),
        transaction_hash: B256::repeat_byte(8),
        log_index: 3,
        emitter,
        topics: data.topics().to_vec(),
        data: data.data.clone(),
    }
}

fn known() -> Emitters {
    let mut emitters = Emitters::new(FACTORY);
    emitters.insert(SALE, Kind::Sale, 0);
    emitters.insert(VAULT, Kind::Vault { sale: SALE }, 0);
    emitters.insert(WALLET, Kind::Wallet { sale: SALE }, 0);
    emitters.insert(TOKEN, Kind::Token, 0);
    emitters
}

/// What a log of `emitter` decodes to, with the sale it is put to.
#[track_caller]
fn decoded(emitter: Address, event: &impl SolEvent) -> (Address, Event) {
    let data = event.encode_log_data();
    assert!(TOPICS.contains(&data.topics()[0]), "its topic is asked for");
    let mut events = known().decode(vec![log(emitter, &data)]);
    let EventLog { sale, event, .. } = events.pop().unwrap();
    (sale, event.unwrap())
}

#[track_caller]
fn of_sale(event: &impl SolEvent, wanted: Event) {
    assert_eq!(decoded(SALE, event), (SALE, wanted));
}

fn terms() -> F::SaleTerms {
    F::SaleTerms {
        owner: ALICE,
        compliance: BOB,
        signer: Address::repeat_byte(0x51),
        beneficiary: BOB,
        token: TOKEN,
        currency: Address::ZERO,
        opens: "100".parse().unwrap(),
        coolingOff: 1_209_600,
        softCap: "10".parse().unwrap(),
        hardCap: "1000".parse().unwrap(),
        minPaid: "1".parse().unwrap(),
        maxPaid: "500".parse().unwrap(),
        tokensForSale: "5000".parse().unwrap(),
        unsold: 1,
        vesting: F::Vesting { atOnce: 2_500, cliff: 60, duration: 600 },
        tap: F::Tap { atOnce: 1_000, duration: 900, objection: 5_000 },
        phases: (0..3_u8)
            .map(|gate| F::Phase {
                end: (200 + u64::from(gate)).to_string().parse().unwrap(),
                raisedUpTo: "1000".parse().unwrap(),
                price: 5,
                gate,
                root: if gate == 2 { B256::repeat_byte(9) } else { B256::ZERO },
            })
            .collect(),
    }
}

fn created(mode: u8, terms: F::SaleTerms) -> F::SaleCreated {
    let documents = F::Documents {
        name: "Aurora".into(),
        saleHash: B256::repeat_byte(1),
        saleURI: "sale".into(),
        whitepaperHash: B256::repeat_byte(2),
        whitepaperURI: "paper".into(),
    };
    F::SaleCreated { sale: SALE, creator: ALICE, token: TOKEN, vault: VAULT, mode, terms, documents }
}

#[test]
fn a_sale_with_all_its_terms() {
    for (mode, name) in (0..).zip(["fixed_price", "pro_rata", "dutch_auction"]) {
        let (sale, event) = decoded(FACTORY, &created(mode, terms()));
        let Event::SaleCreated(new) = event else { panic!("{event:?}") };
        assert_eq!((sale, new.sale, new.vault, new.mode), (SALE, SALE, VAULT, name));
        assert_eq!((new.owner, new.compliance, new.signer), (ALICE, BOB, Address::repeat_byte(0x51)));
        assert_eq!((new.opens, new.cooling_off, new.burn_unsold), (100, 1_209_600, true));
        assert_eq!(new.vesting, NewVesting { at_once: 2_500, cliff: 60, duration: 600 });
        assert_eq!(new.tap, NewTap { at_once: 1_000, duration: 900, objection: 5_000 });
        assert_eq!(new.phases.iter().map(|p| p.gate).collect::<Vec<_>>(), ["open", "voucher", "merkle"]);
        assert_eq!((new.phases[2].root, new.phases[2].ends), (B256::repeat_byte(9), 202));
    }
}

#[test]
fn what_a_factory_cannot_have_created_is_told() {
    let mut without_phases = terms();
    without_phases.phases.clear();
    let mut other_gate = terms();
    other_gate.phases[0].gate = 3;
    for event in [created(0, without_phases), created(3, terms()), created(0, other_gate)] {
        let mut events = Emitters::new(FACTORY).decode(vec![log(FACTORY, &event.encode_log_data())]);
        assert!(events.pop().unwrap().event.is_err());
    }
}

#[test]
fn tokens_and_allocations() {
    for (kind, restricted) in [(0, false), (1, true)] {
        let terms = F::TokenTerms {
            kind,
            name: "Aurora".into(),
            symbol: "AUR".into(),
            supply: u(9),
            contractURI: "uri".into(),
        };
        let wanted = Event::TokenCreated {
            token: TOKEN,
            creator: ALICE,
            restricted,
            name: "Aurora".into(),
            symbol: "AUR".into(),
            supply: u(9),
            contract_uri: "uri".into(),
        };
        assert_eq!(decoded(FACTORY, &F::TokenCreated { token: TOKEN, creator: ALICE, terms }), (FACTORY, wanted));
    }
    let allocation = F::Allocation { beneficiary: BOB, amount: "77".parse().unwrap(), cliff: 5, duration: 50 };
    let event = F::AllocationCreated { sale: SALE, wallet: WALLET, index: u(2), allocation };
    let wanted =
        Event::AllocationCreated { wallet: WALLET, index: 2, beneficiary: BOB, amount: u(77), cliff: 5, duration: 50 };
    assert_eq!(decoded(FACTORY, &event), (SALE, wanted));
}

#[test]
fn what_investors_do() {
    let (investor, payer, to, by) = (ALICE, BOB, BOB, BOB);
    let (amount, tokens, paid, raised, sold) = (u(1), u(2), u(3), u(4), u(5));
    of_sale(
        &S::Contributed { investor, payer, phase: u(1), amount, tokens, paid, raised, sold },
        Event::Contributed { investor, payer, phase: 1, amount, tokens, paid, raised, sold },
    );
    of_sale(&S::ExcessReturned { payer, amount }, Event::ExcessReturned { payer, amount });
    of_sale(
        &S::Withdrawn { investor, to, amount, tokens, raised, sold },
        Event::Withdrawn { investor, to, amount, tokens, raised, sold },
    );
    of_sale(
        &S::Rejected { investor, by, amount, tokens, raised, sold },
        Event::Rejected { investor, by, amount, tokens, raised, sold },
    );
    of_sale(&S::Claimed { investor, to, tokens }, Event::Claimed { investor, to, tokens });
    of_sale(&S::Refunded { investor, to, amount }, Event::Refunded { investor, to, amount });
    of_sale(&S::ExcessRefunded { investor, to, amount }, Event::ExcessRefunded { investor, to, amount });
    of_sale(
        &S::Settled { investor, kept: u(6), tokens, excess: u(7) },
        Event::Shared { investor, kept: u(6), tokens, excess: u(7) },
    );
}

#[test]
fn outcomes_and_what_follows() {
    let (raised, sold) = (u(4), u(5));
    for (number, outcome) in [(1, OutcomeKind::Succeeded), (2, OutcomeKind::Failed)] {
        of_sale(&S::Closed { outcome: number, raised, sold }, Event::Outcome { outcome, raised, sold });
    }
    of_sale(&S::Cancelled { raised, sold }, Event::Outcome { outcome: OutcomeKind::Cancelled, raised, sold });
    of_sale(&S::UnsoldReturned { to: BOB, tokens: u(1) }, Event::UnsoldReturned { to: BOB, tokens: u(1) });
    of_sale(&S::Swept { amount: u(1) }, Event::Swept { amount: u(1) });
}

#[test]
fn roles_and_documents() {
    of_sale(&S::PauseChanged { paused: true }, Event::PauseChanged { paused: true });
    of_sale(
        &S::VoucherSignerChanged { signer: BOB, epoch: u(3) },
        Event::VoucherSignerChanged { signer: BOB, epoch: u(3) },
    );
    of_sale(&S::ComplianceChanged { compliance: BOB }, Event::ComplianceChanged { compliance: BOB });
    of_sale(
        &S::WhitepaperSuperseded { version: u(1), hash: B256::repeat_byte(4), uri: "a\0b".into() },
        Event::WhitepaperSuperseded { version: u(1), hash: B256::repeat_byte(4), uri: "a\0b".into() },
    );
    for emitter in [SALE, WALLET] {
        let (previous_owner, new_owner) = (ALICE, BOB);
        let started = S::OwnershipTransferStarted { previousOwner: ALICE, newOwner: BOB };
        let offered = Event::OwnershipTransfer { previous_owner, new_owner, done: false };
        assert_eq!(decoded(emitter, &started), (SALE, offered));
        let transferred = S::OwnershipTransferred { previousOwner: ALICE, newOwner: BOB };
        let done = Event::OwnershipTransfer { previous_owner, new_owner, done: true };
        assert_eq!(decoded(emitter, &transferred), (SALE, done));
    }
}

#[test]
fn the_vault_and_the_wallets() {
    let (investor, to, amount, objected) = (ALICE, BOB, u(1), u(9));
    for (decoded, wanted) in [
        (
            decoded(VAULT, &V::Released { beneficiary: ALICE, to, amount, released: u(2) }),
            Event::Released { beneficiary: ALICE, to, amount, released: u(2) },
        ),
        (
            decoded(VAULT, &V::Objected { investor, weight: u(3), objected }),
            Event::Objected { investor, weight: u(3), objected },
        ),
        (decoded(VAULT, &V::TapStopped { rest: u(4), objected }), Event::TapStopped { rest: u(4), objected }),
        (decoded(VAULT, &V::RestRefunded { investor, to, amount }), Event::RestRefunded { investor, to, amount }),
        (
            decoded(WALLET, &W::ERC20Released { token: TOKEN, amount }),
            Event::AllocationReleased { token: TOKEN, amount },
        ),
        (decoded(WALLET, &W::EtherReleased { amount }), Event::AllocationReleased { token: Address::ZERO, amount }),
        (
            decoded(WALLET, &W::Reclaimed { token: TOKEN, to, amount }),
            Event::AllocationReclaimed { token: TOKEN, to, amount },
        ),
    ] {
        assert_eq!(decoded, (SALE, wanted));
    }
}

#[test]
fn a_restricted_token() {
    let (role, account, sender) = (B256::repeat_byte(6), ALICE, BOB);
    let change =
        |change, role, account, sender, delay, at| Event::TokenRole { change, role, account, sender, delay, at };
    for (decoded, wanted) in [
        (
            decoded(TOKEN, &T::HolderSet { holder: ALICE, until: u(5), by: BOB }),
            Event::HolderApproved { holder: ALICE, until: Some(u(5)), by: Some(BOB) },
        ),
        (decoded(TOKEN, &T::Admitted { account }), Event::HolderApproved { holder: ALICE, until: None, by: None }),
        (decoded(TOKEN, &T::ContractURIUpdated {}), Event::ContractUriUpdated),
        (
            decoded(TOKEN, &T::RoleGranted { role, account, sender }),
            change(RoleChange::Granted, Some(role), Some(account), Some(sender), None, None),
        ),
        (
            decoded(TOKEN, &T::RoleRevoked { role, account, sender }),
            change(RoleChange::Revoked, Some(role), Some(account), Some(sender), None, None),
        ),
        (
            decoded(TOKEN, &T::DefaultAdminTransferScheduled { newAdmin: ALICE, acceptSchedule: U48::from(5) }),
            change(RoleChange::AdminOffered, None, Some(ALICE), None, None, Some(5)),
        ),
        (
            decoded(TOKEN, &T::DefaultAdminTransferCanceled {}),
            change(RoleChange::AdminOfferCancelled, None, None, None, None, None),
        ),
        (
            decoded(
                TOKEN,
                &T::DefaultAdminDelayChangeScheduled { newDelay: U48::from(6), effectSchedule: U48::from(7) },
            ),
            change(RoleChange::DelayAnnounced, None, None, None, Some(6), Some(7)),
        ),
        (
            decoded(TOKEN, &T::DefaultAdminDelayChangeCanceled {}),
            change(RoleChange::DelayCancelled, None, None, None, None, None),
        ),
    ] {
        assert_eq!(decoded, (TOKEN, wanted));
    }
    // Everybody's token says these: neither asked for nor kept.
    let transfer = T::Transfer { from: ALICE, to: BOB, value: u(1) }.encode_log_data();
    assert!(!TOPICS.contains(&transfer.topics()[0]));
    assert!(known().decode(vec![log(TOKEN, &transfer)]).is_empty());
}

#[test]
fn a_token_is_believed_for_what_it_said_before_it_was_announced() {
    let terms =
        F::TokenTerms { kind: 1, name: String::new(), symbol: String::new(), supply: u(1), contractURI: String::new() };
    let announced = F::TokenCreated { token: TOKEN, creator: ALICE, terms }.encode_log_data();
    let admitted = T::Admitted { account: FACTORY }.encode_log_data();
    let allocation = F::Allocation { beneficiary: BOB, amount: "7".parse().unwrap(), cliff: 0, duration: 0 };
    let wallet = F::AllocationCreated { sale: SALE, wallet: WALLET, index: u(0), allocation }.encode_log_data();
    let released = W::ERC20Released { token: TOKEN, amount: u(1) }.encode_log_data();
    let stranger = Address::repeat_byte(0xee);
    let batch = vec![
        log(TOKEN, &admitted),
        log(FACTORY, &announced),
        log(stranger, &admitted),
        log(FACTORY, &created(0, self::terms()).encode_log_data()),
        log(FACTORY, &wallet),
        log(stranger, &wallet),
        log(WALLET, &released),
    ];
    let events = Emitters::new(FACTORY).decode(batch);
    let places: Vec<_> = events.iter().map(|e| (e.log.emitter, e.sale)).collect();
    assert_eq!(places, [(TOKEN, TOKEN), (FACTORY, FACTORY), (FACTORY, SALE), (FACTORY, SALE), (WALLET, SALE)]);
}

#[test]
fn a_plain_token_is_not_listened_to_and_broken_logs_are_kept() {
    let terms =
        F::TokenTerms { kind: 0, name: String::new(), symbol: String::new(), supply: u(1), contractURI: String::new() };
    let announced = F::TokenCreated { token: TOKEN, creator: ALICE, terms }.encode_log_data();
    let admitted = T::Admitted { account: FACTORY }.encode_log_data();
    let events = Emitters::new(FACTORY).decode(vec![log(FACTORY, &announced), log(TOKEN, &admitted)]);
    assert_eq!(events.len(), 1);

    for topic in TOPICS {
        for emitter in [FACTORY, SALE, VAULT, WALLET, TOKEN] {
            let broken = Log { topics: vec![topic], ..log(emitter, &LogData::default()) };
            let events = known().decode(vec![broken]);
            assert_eq!(events.len(), 1, "a known emitter's log is never lost");
        }
    }
}
