//! The events of each contract. What does not decode says why.

use alloy::{
    primitives::{Address, U256},
    sol_types::SolEventInterface,
};

use crate::{
    contracts::{
        FixedPriceSale::FixedPriceSaleEvents as Sale,
        RefundVault::RefundVaultEvents as Vault,
        RestrictedSaleToken::RestrictedSaleTokenEvents as Token,
        SaleFactory::{self, SaleFactoryEvents as Factory},
        TeamWallet::TeamWalletEvents as Wallet,
    },
    types::{Event, Log, NewPhase, NewSale, NewTap, NewVesting, OutcomeKind, RoleChange},
};

/// Of the factory, with the sale that it belongs to, where it belongs to one.
pub(super) fn factory(log: &Log) -> Result<(Option<Address>, Event), String> {
    let event = Factory::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    Ok(match event {
        Factory::SaleCreated(e) => (Some(e.sale), Event::SaleCreated(Box::new(new_sale(e)?))),
        Factory::TokenCreated(e) => (
            None,
            Event::TokenCreated {
                token: e.token,
                creator: e.creator,
                restricted: match e.terms.kind {
                    0 => false,
                    1 => true,
                    kind => return Err(format!("unknown kind of token {kind}")),
                },
                name: e.terms.name,
                symbol: e.terms.symbol,
                supply: e.terms.supply,
                contract_uri: e.terms.contractURI,
            },
        ),
        Factory::AllocationCreated(e) => (
            Some(e.sale),
            Event::AllocationCreated {
                wallet: e.wallet,
                index: e.index.try_into().map_err(|_| format!("allocation {} does not exist", e.index))?,
                beneficiary: e.allocation.beneficiary,
                amount: e.allocation.amount.to(),
                cliff: seconds(e.allocation.cliff)?,
                duration: seconds(e.allocation.duration)?,
            },
        ),
    })
}

/// The database counts seconds in 63 bits; the factory allows ten years.
fn seconds(value: u64) -> Result<u64, String> {
    i64::try_from(value).map(|_| value).map_err(|_| format!("{value} seconds"))
}

fn new_sale(e: SaleFactory::SaleCreated) -> Result<NewSale, String> {
    let (t, d) = (e.terms, e.documents);
    if t.phases.is_empty() {
        return Err("a sale without a phase".to_owned());
    }
    Ok(NewSale {
        sale: e.sale,
        creator: e.creator,
        vault: e.vault,
        mode: match e.mode {
            0 => "fixed_price",
            1 => "pro_rata",
            2 => "dutch_auction",
            mode => return Err(format!("unknown mode {mode}")),
        },
        owner: t.owner,
        compliance: t.compliance,
        signer: t.signer,
        beneficiary: t.beneficiary,
        token: t.token,
        currency: t.currency,
        opens: t.opens.to(),
        cooling_off: t.coolingOff,
        soft_cap: t.softCap.to(),
        hard_cap: t.hardCap.to(),
        min_paid: t.minPaid.to(),
        max_paid: t.maxPaid.to(),
        tokens_for_sale: t.tokensForSale.to(),
        burn_unsold: t.unsold == 1,
        vesting: NewVesting { at_once: t.vesting.atOnce, cliff: t.vesting.cliff, duration: t.vesting.duration },
        tap: NewTap { at_once: t.tap.atOnce, duration: t.tap.duration, objection: t.tap.objection },
        phases: t.phases.iter().map(new_phase).collect::<Result<_, _>>()?,
        name: d.name,
        sale_hash: d.saleHash,
        sale_uri: d.saleURI,
        whitepaper_hash: d.whitepaperHash,
        whitepaper_uri: d.whitepaperURI,
    })
}

fn new_phase(p: &SaleFactory::Phase) -> Result<NewPhase, String> {
    Ok(NewPhase {
        ends: p.end.to(),
        raised_up_to: p.raisedUpTo.to(),
        price: U256::from(p.price),
        gate: match p.gate {
            0 => "open",
            1 => "voucher",
            2 => "merkle",
            gate => return Err(format!("unknown gate {gate}")),
        },
        root: p.root,
    })
}

/// Of a sale, whatever its mode: all have the same events.
pub(super) fn sale(log: &Log) -> Result<Event, String> {
    let event = Sale::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    Ok(match event {
        Sale::Contributed(e) => Event::Contributed {
            investor: e.investor,
            payer: e.payer,
            phase: e.phase.try_into().map_err(|_| format!("phase {} does not exist", e.phase))?,
            amount: e.amount,
            tokens: e.tokens,
            paid: e.paid,
            raised: e.raised,
            sold: e.sold,
        },
        Sale::ExcessReturned(e) => Event::ExcessReturned { payer: e.payer, amount: e.amount },
        Sale::Withdrawn(e) => Event::Withdrawn {
            investor: e.investor,
            to: e.to,
            amount: e.amount,
            tokens: e.tokens,
            raised: e.raised,
            sold: e.sold,
        },
        Sale::Rejected(e) => Event::Rejected {
            investor: e.investor,
            by: e.by,
            amount: e.amount,
            tokens: e.tokens,
            raised: e.raised,
            sold: e.sold,
        },
        Sale::PauseChanged(e) => Event::PauseChanged { paused: e.paused },
        Sale::VoucherSignerChanged(e) => Event::VoucherSignerChanged { signer: e.signer, epoch: e.epoch },
        Sale::ComplianceChanged(e) => Event::ComplianceChanged { compliance: e.compliance },
        Sale::OwnershipTransferStarted(e) => ownership(e.previousOwner, e.newOwner, false),
        Sale::OwnershipTransferred(e) => ownership(e.previousOwner, e.newOwner, true),
        Sale::WhitepaperSuperseded(e) => Event::WhitepaperSuperseded { version: e.version, hash: e.hash, uri: e.uri },
        Sale::Closed(e) => Event::Outcome {
            outcome: match e.outcome {
                1 => OutcomeKind::Succeeded,
                2 => OutcomeKind::Failed,
                outcome => return Err(format!("closed with outcome {outcome}")),
            },
            raised: e.raised,
            sold: e.sold,
        },
        Sale::Cancelled(e) => Event::Outcome { outcome: OutcomeKind::Cancelled, raised: e.raised, sold: e.sold },
        Sale::Settled(e) => Event::Shared { investor: e.investor, kept: e.kept, tokens: e.tokens, excess: e.excess },
        Sale::Claimed(e) => Event::Claimed { investor: e.investor, to: e.to, tokens: e.tokens },
        Sale::Refunded(e) => Event::Refunded { investor: e.investor, to: e.to, amount: e.amount },
        Sale::ExcessRefunded(e) => Event::ExcessRefunded { investor: e.investor, to: e.to, amount: e.amount },
        Sale::UnsoldReturned(e) => Event::UnsoldReturned { to: e.to, tokens: e.tokens },
        Sale::Swept(e) => Event::Swept { amount: e.amount },
    })
}

fn ownership(previous_owner: Address, new_owner: Address, done: bool) -> Event {
    Event::OwnershipTransfer { previous_owner, new_owner, done }
}

pub(super) fn vault(log: &Log) -> Result<Event, String> {
    let event = Vault::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    Ok(match event {
        Vault::Released(e) => {
            Event::Released { beneficiary: e.beneficiary, to: e.to, amount: e.amount, released: e.released }
        }
        Vault::Objected(e) => Event::Objected { investor: e.investor, weight: e.weight, objected: e.objected },
        Vault::TapStopped(e) => Event::TapStopped { rest: e.rest, objected: e.objected },
        Vault::RestRefunded(e) => Event::RestRefunded { investor: e.investor, to: e.to, amount: e.amount },
    })
}

/// Of a team's wallet.
pub(super) fn wallet(log: &Log) -> Result<Event, String> {
    let event = Wallet::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    Ok(match event {
        Wallet::ERC20Released(e) => Event::AllocationReleased { token: e.token, amount: e.amount },
        Wallet::EtherReleased(e) => Event::AllocationReleased { token: Address::ZERO, amount: e.amount },
        Wallet::Reclaimed(e) => Event::AllocationReclaimed { token: e.token, to: e.to, amount: e.amount },
        Wallet::OwnershipTransferStarted(e) => ownership(e.previousOwner, e.newOwner, false),
        Wallet::OwnershipTransferred(e) => ownership(e.previousOwner, e.newOwner, true),
    })
}

/// Of a restricted token. `None` for what is not indexed: transfers and approvals, and what its code never emits.
pub(super) fn token(log: &Log) -> Result<Option<Event>, String> {
    let event = Token::decode_raw_log(&log.topics, &log.data).map_err(|e| e.to_string())?;
    let role = |change| (change, None, None, None, None, None);
    let (change, role, account, sender, delay, at) = match event {
        Token::HolderSet(e) => {
            return Ok(Some(Event::HolderApproved { holder: e.holder, until: Some(e.until), by: Some(e.by) }));
        }
        Token::Admitted(e) => return Ok(Some(Event::HolderApproved { holder: e.account, until: None, by: None })),
        Token::ContractURIUpdated(_) => return Ok(Some(Event::ContractUriUpdated)),
        Token::RoleGranted(e) => (RoleChange::Granted, Some(e.role), Some(e.account), Some(e.sender), None, None),
        Token::RoleRevoked(e) => (RoleChange::Revoked, Some(e.role), Some(e.account), Some(e.sender), None, None),
        Token::DefaultAdminTransferScheduled(e) => {
            (RoleChange::AdminOffered, None, Some(e.newAdmin), None, None, Some(e.acceptSchedule.to()))
        }
        Token::DefaultAdminTransferCanceled(_) => role(RoleChange::AdminOfferCancelled),
        Token::DefaultAdminDelayChangeScheduled(e) => {
            (RoleChange::DelayAnnounced, None, None, None, Some(e.newDelay.to()), Some(e.effectSchedule.to()))
        }
        Token::DefaultAdminDelayChangeCanceled(_) => role(RoleChange::DelayCancelled),
        Token::Transfer(_) | Token::Approval(_) | Token::EIP712DomainChanged(_) | Token::RoleAdminChanged(_) => {
            return Ok(None);
        }
    };
    Ok(Some(Event::TokenRole { change, role, account, sender, delay, at }))
}
