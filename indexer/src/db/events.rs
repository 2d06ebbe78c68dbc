//! The event tables: one bulk insert a table and batch, sent in the order that the triggers need.

#[macro_use]
mod table;
mod ledger;
mod quarantine;
mod roles;
mod sales;
mod tokens;
mod vault;

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::{
    DbError,
    copy::{Column, Rows},
    openings::Upcoming,
};
use crate::types::{Addr, Amount, Event, EventLog, Hash32, Log};

/// The first columns of every event table but the one that says what it belongs to.
fn place(row: &mut Vec<u8>, chain_id: i64, log: &Log) {
    chain_id.put(row);
    (log.block_number as i64).put(row);
    (log.log_index as i32).put(row);
    Hash32(log.transaction_hash).put(row);
}

/// The events of a batch, encoded table by table.
#[derive(Debug, Default)]
pub struct EventRows {
    chain_id: i64,
    count: u64,
    blocks: BTreeSet<u64>,
    tokens_seen: BTreeSet<Addr>,
    sales_seen: Vec<Upcoming>,
    tables: Tables,
}

macro_rules! tables {
    ($($table:ident: $type:ty),+ $(,)?) => {
        #[derive(Debug, Default)]
        struct Tables {
            sales: sales::Sales,
            $($table: $type),+
        }

        impl Tables {
            async fn copy(&self, connection: &mut PgConnection) -> Result<(), DbError> {
                self.sales.copy(connection).await?;
                $(self.$table.copy(connection).await?;)+
                Ok(())
            }

            fn all(&self) -> impl Iterator<Item = &Rows> {
                [&self.sales.terms.0, &self.sales.phases, $(&self.$table.0),+].into_iter()
            }

            fn all_mut(&mut self) -> impl Iterator<Item = &mut Rows> {
                [&mut self.sales.terms.0, &mut self.sales.phases, $(&mut self.$table.0),+].into_iter()
            }
        }

        #[cfg(test)]
        fn described() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
            vec![sales::Terms::describe(), $(<$type>::describe()),+]
        }
    };
}

// In the order in which they are written. Sales first: their totals must be there before contributions add to them. Then what
// makes and changes positions, before the outcome, which adds them up, and before what is paid out of them.
tables! {
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
    contract_uris: quarantine::ContractUriChanges,
    quarantined: quarantine::Quarantined,
}

impl EventRows {
    /// For a chain.
    pub fn new(chain_id: i64) -> Self {
        Self { chain_id, ..Self::default() }
    }

    /// None, and yet every table is written: whatever the database prepares for its first rows is there afterwards.
    pub(crate) fn none_in_every_table(chain_id: i64) -> Self {
        let mut rows = Self::new(chain_id);
        rows.tables.all_mut().for_each(Rows::even_if_none);
        rows
    }

    /// Events so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that they take.
    pub fn size(&self) -> usize {
        self.tables.all().map(Rows::size).sum()
    }

    /// Heights of the blocks that hold them.
    pub fn blocks(&self) -> &BTreeSet<u64> {
        &self.blocks
    }

    /// What new sales sell and take: tokens that have to be described.
    pub fn tokens_seen(&self) -> impl Iterator<Item = Addr> {
        self.tokens_seen.iter().copied()
    }

    /// New sales, and when they open.
    pub fn sales_seen(&self) -> impl Iterator<Item = Upcoming> {
        self.sales_seen.iter().copied()
    }

    /// Writes them. Their blocks must be new: a key that exists already is an error.
    pub(crate) async fn copy(&self, connection: &mut PgConnection) -> Result<(), DbError> {
        self.tables.copy(connection).await
    }

    /// Appends an event. They must come in their order.
    pub fn push(&mut self, EventLog { log, sale, event }: &EventLog) {
        self.count += 1;
        self.blocks.insert(log.block_number);
        let (chain, of, t) = (self.chain_id, Addr(*sale), &mut self.tables);
        let event = match event {
            Ok(event) => event,
            Err(reason) => {
                return t.quarantined.push(
                    chain,
                    log,
                    Addr(log.emitter),
                    &log.topics[..],
                    &log.data[..],
                    reason.as_str(),
                );
            }
        };
        match event {
            Event::SaleCreated(new) => {
                self.tokens_seen.extend([Addr(new.token), Addr(new.currency)]);
                let created = Some(log.block_number);
                self.sales_seen.push(Upcoming { sale: Addr(new.sale), opens: new.opens, created });
                t.sales.push(chain, log, new);
            }
            Event::TokenCreated { token, creator, restricted, name, symbol, supply, contract_uri } => {
                let kind = if *restricted { "restricted" } else { "plain" };
                let (name, symbol, uri) = (name.as_str(), symbol.as_str(), contract_uri.as_str());
                t.tokens.push(chain, log, Addr(*token), *creator, name, symbol, *supply, uri, &log.data[..], kind);
            }
            Event::AllocationCreated { wallet, index, beneficiary, amount, cliff, duration } => {
                let (cliff, duration) = (*cliff as i64, *duration as i64);
                t.allocations.push(chain, log, of, *wallet, i16::from(*index), *beneficiary, *amount, cliff, duration);
            }
            Event::Contributed { investor, payer, phase, amount, tokens, paid, raised, sold } => {
                let phase = i16::from(*phase);
                t.contributions.push(chain, log, of, *investor, *payer, phase, *amount, *tokens, *paid, *raised, *sold);
            }
            Event::ExcessReturned { payer, amount } => t.excess_returns.push(chain, log, of, *payer, *amount),
            Event::Withdrawn { investor, to, amount, tokens, raised, sold } => {
                t.withdrawals.push(chain, log, of, *investor, *to, *amount, *tokens, *raised, *sold);
            }
            Event::Rejected { investor, by, amount, tokens, raised, sold } => {
                t.rejections.push(chain, log, of, *investor, *by, *amount, *tokens, *raised, *sold);
            }
            Event::PauseChanged { paused } => t.pauses.push(chain, log, of, *paused),
            Event::VoucherSignerChanged { signer, epoch } => t.signers.push(chain, log, of, *signer, *epoch),
            Event::ComplianceChanged { compliance } => t.compliances.push(chain, log, of, *compliance),
            Event::OwnershipTransfer { previous_owner, new_owner, done } => {
                t.ownerships.push(chain, log, of, log.emitter, *previous_owner, *new_owner, *done);
            }
            Event::WhitepaperSuperseded { version, hash, uri } => {
                t.whitepapers.push(chain, log, of, *version, *hash, uri.as_str(), &log.data[..]);
            }
            Event::Outcome { outcome, raised, sold } => {
                t.settlements.push(chain, log, of, outcome.as_str(), *raised, *sold);
            }
            Event::Shared { investor, kept, tokens, excess } => {
                t.shares.push(chain, log, of, *investor, *kept, *tokens, *excess);
            }
            Event::Claimed { investor, to, tokens } => t.claims.push(chain, log, of, *investor, *to, *tokens),
            Event::Refunded { investor, to, amount } => t.refunds.push(chain, log, of, *investor, *to, *amount),
            Event::ExcessRefunded { investor, to, amount } => {
                t.excess_refunds.push(chain, log, of, *investor, *to, *amount);
            }
            Event::UnsoldReturned { to, tokens } => t.unsold_returns.push(chain, log, of, *to, *tokens),
            Event::Swept { amount } => t.sweeps.push(chain, log, of, *amount),
            Event::Released { beneficiary, to, amount, released } => {
                t.releases.push(chain, log, of, *beneficiary, *to, *amount, *released);
            }
            Event::Objected { investor, weight, objected } => {
                t.objections.push(chain, log, of, *investor, *weight, *objected);
            }
            Event::TapStopped { rest, objected } => t.tap_stops.push(chain, log, of, *rest, *objected),
            Event::RestRefunded { investor, to, amount } => {
                t.rest_refunds.push(chain, log, of, *investor, *to, *amount);
            }
            Event::AllocationReleased { token, amount } => {
                t.allocation_releases.push(chain, log, of, log.emitter, *token, *amount);
            }
            Event::AllocationReclaimed { token, to, amount } => {
                t.allocation_reclaims.push(chain, log, of, log.emitter, *token, *to, *amount);
            }
            Event::HolderApproved { holder, until, by } => {
                t.holders.push(chain, log, of, *holder, until.map(Amount), by.map(Addr));
            }
            Event::ContractUriUpdated => t.contract_uris.push(chain, log, of),
            Event::TokenRole { change, role, account, sender, delay, at } => {
                let (delay, at) = (delay.map(|s| s as i64), at.map(|s| s as i64));
                let (role, account, sender) = (role.map(Hash32), account.map(Addr), sender.map(Addr));
                t.token_roles.push(chain, log, of, change.as_str(), role, account, sender, delay, at);
            }
        }
    }
}

/// What a table's rows are made of, to be held against the catalog.
#[cfg(test)]
trait Described {
    /// The table, and its columns with their types.
    #[allow(clippy::extra_unused_lifetimes, reason = "the types of columns borrow")]
    fn describe<'a>() -> (&'static str, Vec<(&'static str, &'static str)>);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::PgPool;

    use super::*;

    /// COPY is not checked at compile time, as other statements are.
    #[sqlx::test(migrations = "./migrations")]
    async fn every_column_of_every_event_table_is_written_with_its_type(pool: PgPool) {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT c.relname::text, a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::oid::regtype::text
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
             WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
                 AND EXISTS (SELECT FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attname = 'block_number')",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut catalog: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (table, column, kind) in rows {
            let short = match kind.as_str() {
                "bigint" => "int8",
                "integer" => "int4",
                "smallint" => "int2",
                "boolean" => "bool",
                "bytea[]" => "_bytea",
                other => other,
            };
            catalog.entry(table).or_default().insert(column, short.to_owned());
        }
        // Its statement stands in `sales`, and an end-to-end test reads every column of it.
        catalog.remove("sale_phase");
        // No log makes it: its statement is checked when it is compiled.
        catalog.remove("sale_opening");
        let written: BTreeMap<String, BTreeMap<String, String>> = described()
            .into_iter()
            .map(|(table, columns)| {
                (table.to_owned(), columns.into_iter().map(|(c, t)| (c.to_owned(), t.to_owned())).collect())
            })
            .collect();
        assert_eq!(written, catalog);
    }
}
