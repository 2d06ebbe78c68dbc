//! The event tables: one bulk insert a table and batch, sent in the order that the triggers need.

#[macro_use]
mod table;
mod ledger;
mod quarantine;
mod roles;
mod sales;
mod tokens;
mod vault;

use sqlx::PgConnection;

use super::{
    DbError,
    rows::{Head, clean},
};
use crate::types::{Addr, Amount, Event, EventLog, Hash32, Log, NewSale};

/// Inserts the events of a batch. Their blocks must be new: a key that exists already is an error.
pub(crate) async fn insert(connection: &mut PgConnection, chain_id: i64, events: &[EventLog]) -> Result<(), DbError> {
    let mut batch = Batch::default();
    for event in events {
        batch.push(event);
    }
    batch.insert(connection, chain_id).await
}

#[derive(Debug, Default)]
struct Batch<'a> {
    sales: Vec<(&'a Log, &'a NewSale)>,
    allocations: tokens::Allocations,
    tokens: tokens::Tokens,
    contributions: ledger::Contributions,
    excess_returns: ledger::ExcessReturns,
    withdrawals: ledger::Withdrawals,
    rejections: ledger::Rejections,
    settlements: ledger::Settlements,
    shares: ledger::Shares,
    claims: ledger::Claims,
    refunds: ledger::Refunds,
    excess_refunds: ledger::ExcessRefunds,
    unsold_returns: ledger::UnsoldReturns,
    pauses: roles::PauseChanges,
    signers: roles::VoucherSignerChanges,
    compliances: roles::ComplianceChanges,
    ownerships: roles::OwnershipTransfers,
    whitepapers: roles::Whitepapers,
    sweeps: vault::Sweeps,
    releases: vault::Releases,
    objections: vault::Objections,
    tap_stops: vault::TapStops,
    rest_refunds: vault::RestRefunds,
    allocation_releases: tokens::AllocationReleases,
    allocation_reclaims: tokens::AllocationReclaims,
    holders: tokens::HolderApprovals,
    token_roles: tokens::TokenRoleChanges,
    contract_uris: Head,
    quarantined: Vec<(&'a Log, &'a str)>,
}

impl<'a> Batch<'a> {
    /// Sales first: their totals must be there before contributions add to them. Then what makes and changes positions, before the
    /// outcome, which adds them up, and before what is paid out of them.
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        for (log, sale) in &self.sales {
            sales::insert_sale(connection, chain_id, log, sale).await?;
        }
        macro_rules! insert {
            ($($table:ident),+ $(,)?) => {
                $(self.$table.insert(connection, chain_id).await?;)+
            };
        }
        insert!(allocations, tokens, contributions, excess_returns, withdrawals, rejections, settlements);
        insert!(shares, claims, refunds, excess_refunds, unsold_returns);
        insert!(pauses, signers, compliances, ownerships, whitepapers);
        insert!(sweeps, releases, objections, tap_stops, rest_refunds);
        insert!(allocation_releases, allocation_reclaims, holders, token_roles);
        quarantine::insert_contract_uri_changes(connection, chain_id, &self.contract_uris).await?;
        for (log, reason) in &self.quarantined {
            quarantine::insert_quarantined(connection, chain_id, log, reason).await?;
        }
        Ok(())
    }

    fn push(&mut self, EventLog { log, sale, event }: &'a EventLog) {
        let of = Addr(*sale);
        let event = match event {
            Ok(event) => event,
            Err(reason) => return self.quarantined.push((log, reason)),
        };
        match event {
            Event::SaleCreated(new) => self.sales.push((log, new)),
            Event::TokenCreated { token, creator, restricted, name, symbol, supply, contract_uri } => {
                let kind = if *restricted { "restricted" } else { "plain" };
                let (name, symbol, uri) = (clean(name), clean(symbol), clean(contract_uri));
                self.tokens.push(log, Addr(*token), *creator, name, symbol, *supply, uri, log.data.to_vec(), kind);
            }
            Event::AllocationCreated { wallet, index, beneficiary, amount, cliff, duration } => {
                let (cliff, duration) = (*cliff as i64, *duration as i64);
                self.allocations.push(log, of, *wallet, i16::from(*index), *beneficiary, *amount, cliff, duration);
            }
            Event::Contributed { investor, payer, phase, amount, tokens, paid, raised, sold } => {
                let phase = i16::from(*phase);
                self.contributions.push(log, of, *investor, *payer, phase, *amount, *tokens, *paid, *raised, *sold);
            }
            Event::ExcessReturned { payer, amount } => self.excess_returns.push(log, of, *payer, *amount),
            Event::Withdrawn { investor, to, amount, tokens, raised, sold } => {
                self.withdrawals.push(log, of, *investor, *to, *amount, *tokens, *raised, *sold);
            }
            Event::Rejected { investor, by, amount, tokens, raised, sold } => {
                self.rejections.push(log, of, *investor, *by, *amount, *tokens, *raised, *sold);
            }
            Event::PauseChanged { paused } => self.pauses.push(log, of, *paused),
            Event::VoucherSignerChanged { signer, epoch } => self.signers.push(log, of, *signer, *epoch),
            Event::ComplianceChanged { compliance } => self.compliances.push(log, of, *compliance),
            Event::OwnershipTransfer { previous_owner, new_owner, done } => {
                self.ownerships.push(log, of, log.emitter, *previous_owner, *new_owner, *done);
            }
            Event::WhitepaperSuperseded { version, hash, uri } => {
                self.whitepapers.push(log, of, *version, *hash, clean(uri), log.data.to_vec());
            }
            Event::Outcome { outcome, raised, sold } => {
                self.settlements.push(log, of, outcome.as_str(), *raised, *sold);
            }
            Event::Shared { investor, kept, tokens, excess } => {
                self.shares.push(log, of, *investor, *kept, *tokens, *excess);
            }
            Event::Claimed { investor, to, tokens } => self.claims.push(log, of, *investor, *to, *tokens),
            Event::Refunded { investor, to, amount } => self.refunds.push(log, of, *investor, *to, *amount),
            Event::ExcessRefunded { investor, to, amount } => {
                self.excess_refunds.push(log, of, *investor, *to, *amount);
            }
            Event::UnsoldReturned { to, tokens } => self.unsold_returns.push(log, of, *to, *tokens),
            Event::Swept { amount } => self.sweeps.push(log, of, *amount),
            Event::Released { beneficiary, to, amount, released } => {
                self.releases.push(log, of, *beneficiary, *to, *amount, *released);
            }
            Event::Objected { investor, weight, objected } => {
                self.objections.push(log, of, *investor, *weight, *objected);
            }
            Event::TapStopped { rest, objected } => self.tap_stops.push(log, of, *rest, *objected),
            Event::RestRefunded { investor, to, amount } => {
                self.rest_refunds.push(log, of, *investor, *to, *amount);
            }
            Event::AllocationReleased { token, amount } => {
                self.allocation_releases.push(log, of, log.emitter, *token, *amount);
            }
            Event::AllocationReclaimed { token, to, amount } => {
                self.allocation_reclaims.push(log, of, log.emitter, *token, *to, *amount);
            }
            Event::HolderApproved { holder, until, by } => {
                self.holders.push(log, of, *holder, until.map(Amount), by.map(Addr));
            }
            Event::ContractUriUpdated => self.contract_uris.push(log, of),
            Event::TokenRole { change, role, account, sender, delay, at } => {
                let (delay, at) = (delay.map(|s| s as i64), at.map(|s| s as i64));
                let (role, account, sender) = (role.map(Hash32), account.map(Addr), sender.map(Addr));
                self.token_roles.push(log, of, change.as_str(), role, account, sender, delay, at);
            }
        }
    }
}
