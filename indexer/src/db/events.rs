//! The event tables: one bulk insert a table and batch, sent in the order that the triggers need.

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
    // Sales first: their totals must be there before contributions add to them, and positions before claims and refunds.
    for (log, sale) in &batch.sales {
        insert_sale(connection, chain_id, log, sale).await?;
    }
    batch.tokens.insert(connection, chain_id).await?;
    batch.contributions.insert(connection, chain_id).await?;
    batch.excess_returns.insert(connection, chain_id).await?;
    batch.settlements.insert(connection, chain_id).await?;
    batch.claims.insert(connection, chain_id).await?;
    batch.refunds.insert(connection, chain_id).await?;
    batch.unsold_returns.insert(connection, chain_id).await?;
    batch.sweeps.insert(connection, chain_id).await?;
    batch.releases.insert(connection, chain_id).await?;
    for (log, reason) in &batch.quarantined {
        insert_quarantined(connection, chain_id, log, reason).await?;
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Batch<'a> {
    sales: Vec<(&'a Log, &'a NewSale)>,
    tokens: Tokens,
    contributions: Contributions,
    excess_returns: ExcessReturns,
    settlements: Settlements,
    claims: Claims,
    refunds: Refunds,
    unsold_returns: UnsoldReturns,
    sweeps: Sweeps,
    releases: Releases,
    quarantined: Vec<(&'a Log, &'a str)>,
}

impl<'a> Batch<'a> {
    fn push(&mut self, EventLog { log, sale, event }: &'a EventLog) {
        let sale = Addr(*sale);
        let event = match event {
            Ok(event) => event,
            Err(reason) => return self.quarantined.push((log, reason)),
        };
        match event {
            Event::SaleCreated(new) => self.sales.push((log, new)),
            Event::TokenCreated { token, creator, name, symbol, supply, contract_uri } => {
                let t = &mut self.tokens;
                t.head.push(log, sale);
                t.tokens.push((*token).into());
                t.creators.push((*creator).into());
                t.names.push(clean(name));
                t.symbols.push(clean(symbol));
                t.supplies.push((*supply).into());
                t.uris.push(clean(contract_uri));
                t.data.push(log.data.to_vec());
            }
            Event::Contributed { investor, payer, phase, amount, tokens, paid, raised, sold } => {
                let t = &mut self.contributions;
                t.head.push(log, sale);
                t.investors.push((*investor).into());
                t.payers.push((*payer).into());
                t.phases.push(i16::from(*phase));
                t.amounts.push((*amount).into());
                t.tokens.push((*tokens).into());
                t.paid.push((*paid).into());
                t.raised.push((*raised).into());
                t.sold.push((*sold).into());
            }
            Event::ExcessReturned { payer, amount } => {
                let t = &mut self.excess_returns;
                t.head.push(log, sale);
                t.payers.push((*payer).into());
                t.amounts.push((*amount).into());
            }
            Event::Settled { outcome, raised, sold } => {
                let t = &mut self.settlements;
                t.head.push(log, sale);
                t.outcomes.push(outcome.as_str().to_owned());
                t.raised.push((*raised).into());
                t.sold.push((*sold).into());
            }
            Event::Claimed { investor, to, tokens } => {
                let t = &mut self.claims;
                t.head.push(log, sale);
                t.investors.push((*investor).into());
                t.recipients.push((*to).into());
                t.amounts.push((*tokens).into());
            }
            Event::Refunded { investor, to, amount } => {
                let t = &mut self.refunds;
                t.head.push(log, sale);
                t.investors.push((*investor).into());
                t.recipients.push((*to).into());
                t.amounts.push((*amount).into());
            }
            Event::UnsoldReturned { to, tokens } => {
                let t = &mut self.unsold_returns;
                t.head.push(log, sale);
                t.recipients.push((*to).into());
                t.amounts.push((*tokens).into());
            }
            Event::Swept { amount } => {
                let t = &mut self.sweeps;
                t.head.push(log, sale);
                t.amounts.push((*amount).into());
            }
            Event::Released { beneficiary, amount, released } => {
                let t = &mut self.releases;
                t.head.push(log, sale);
                t.beneficiaries.push((*beneficiary).into());
                t.amounts.push((*amount).into());
                t.released.push((*released).into());
            }
        }
    }
}

#[derive(Debug, Default)]
struct Tokens {
    head: Head,
    tokens: Vec<Addr>,
    creators: Vec<Addr>,
    names: Vec<String>,
    symbols: Vec<String>,
    supplies: Vec<Amount>,
    uris: Vec<String>,
    data: Vec<Vec<u8>>,
}

impl Tokens {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO token_created (chain_id, block_number, log_index, transaction_hash, token, creator, name, symbol, supply,
                 contract_uri, data)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[],
                 $9::numeric[], $10::text[], $11::bytea[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.tokens[..] as _,
            &self.creators[..] as _,
            &self.names,
            &self.symbols,
            &self.supplies[..] as _,
            &self.uris,
            &self.data
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Contributions {
    head: Head,
    investors: Vec<Addr>,
    payers: Vec<Addr>,
    phases: Vec<i16>,
    amounts: Vec<Amount>,
    tokens: Vec<Amount>,
    paid: Vec<Amount>,
    raised: Vec<Amount>,
    sold: Vec<Amount>,
}

impl Contributions {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO contribution (chain_id, block_number, log_index, transaction_hash, sale, investor, payer, phase, amount, tokens,
                 paid, raised, sold)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::smallint[],
                 $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.investors[..] as _,
            &self.payers[..] as _,
            &self.phases,
            &self.amounts[..] as _,
            &self.tokens[..] as _,
            &self.paid[..] as _,
            &self.raised[..] as _,
            &self.sold[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct ExcessReturns {
    head: Head,
    payers: Vec<Addr>,
    amounts: Vec<Amount>,
}

impl ExcessReturns {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO excess_return (chain_id, block_number, log_index, transaction_hash, sale, payer, amount)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.payers[..] as _,
            &self.amounts[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Settlements {
    head: Head,
    outcomes: Vec<String>,
    raised: Vec<Amount>,
    sold: Vec<Amount>,
}

impl Settlements {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO settlement (chain_id, block_number, log_index, transaction_hash, sale, outcome, raised, sold)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::text[], $7::numeric[], $8::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.outcomes,
            &self.raised[..] as _,
            &self.sold[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Claims {
    head: Head,
    investors: Vec<Addr>,
    recipients: Vec<Addr>,
    amounts: Vec<Amount>,
}

impl Claims {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO claim (chain_id, block_number, log_index, transaction_hash, sale, investor, recipient, tokens)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.investors[..] as _,
            &self.recipients[..] as _,
            &self.amounts[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Refunds {
    head: Head,
    investors: Vec<Addr>,
    recipients: Vec<Addr>,
    amounts: Vec<Amount>,
}

impl Refunds {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO refund (chain_id, block_number, log_index, transaction_hash, sale, investor, recipient, amount)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.investors[..] as _,
            &self.recipients[..] as _,
            &self.amounts[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct UnsoldReturns {
    head: Head,
    recipients: Vec<Addr>,
    amounts: Vec<Amount>,
}

impl UnsoldReturns {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO unsold_return (chain_id, block_number, log_index, transaction_hash, sale, recipient, tokens)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.recipients[..] as _,
            &self.amounts[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Sweeps {
    head: Head,
    amounts: Vec<Amount>,
}

impl Sweeps {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO sweep (chain_id, block_number, log_index, transaction_hash, sale, amount)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.amounts[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Releases {
    head: Head,
    beneficiaries: Vec<Addr>,
    amounts: Vec<Amount>,
    released: Vec<Amount>,
}

impl Releases {
    async fn insert(&self, connection: &mut PgConnection, chain_id: i64) -> Result<(), DbError> {
        if self.head.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO release (chain_id, block_number, log_index, transaction_hash, sale, beneficiary, amount, released)
             SELECT $1, * FROM UNNEST($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[], $7::numeric[], $8::numeric[])",
            chain_id,
            &self.head.blocks,
            &self.head.indexes,
            &self.head.transactions[..] as _,
            &self.head.sales[..] as _,
            &self.beneficiaries[..] as _,
            &self.amounts[..] as _,
            &self.released[..] as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Sales are few: one statement each, and one for its phases.
async fn insert_sale(connection: &mut PgConnection, chain_id: i64, log: &Log, s: &NewSale) -> Result<(), DbError> {
    let closes = s.phases.last().map_or(s.opens, |p| p.ends) as i64;
    let transaction = Hash32(log.transaction_hash);
    sqlx::query!(
        "INSERT INTO sale (chain_id, block_number, log_index, transaction_hash, address, creator, vault, mode, owner,
             beneficiary, token, currency, opens, closes, soft_cap, hard_cap, min_paid, max_paid, tokens_for_sale, burn_unsold,
             name, sale_hash, sale_uri, whitepaper_hash, whitepaper_uri, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             $24, $25, $26)",
        chain_id,
        log.block_number as i64,
        log.log_index as i32,
        transaction as _,
        Addr(s.sale) as _,
        Addr(s.creator) as _,
        Addr(s.vault) as _,
        s.mode,
        Addr(s.owner) as _,
        Addr(s.beneficiary) as _,
        Addr(s.token) as _,
        Addr(s.currency) as _,
        s.opens as i64,
        closes,
        Amount(s.soft_cap) as _,
        Amount(s.hard_cap) as _,
        Amount(s.min_paid) as _,
        Amount(s.max_paid) as _,
        Amount(s.tokens_for_sale) as _,
        s.burn_unsold,
        clean(&s.name),
        Hash32(s.sale_hash) as _,
        clean(&s.sale_uri),
        Hash32(s.whitepaper_hash) as _,
        clean(&s.whitepaper_uri),
        &log.data[..]
    )
    .execute(&mut *connection)
    .await?;

    let mut starts = s.opens as i64;
    for (index, phase) in s.phases.iter().enumerate() {
        sqlx::query!(
            "INSERT INTO sale_phase (chain_id, block_number, log_index, phase, sale, starts, ends, raised_up_to, price)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            chain_id,
            log.block_number as i64,
            log.log_index as i32,
            index as i16,
            Addr(s.sale) as _,
            starts,
            phase.ends as i64,
            Amount(phase.raised_up_to) as _,
            Amount(phase.price) as _
        )
        .execute(&mut *connection)
        .await?;
        starts = phase.ends as i64;
    }
    Ok(())
}

async fn insert_quarantined(
    connection: &mut PgConnection,
    chain_id: i64,
    log: &Log,
    reason: &str,
) -> Result<(), DbError> {
    let topics: Vec<Vec<u8>> = log.topics.iter().map(|t| t.to_vec()).collect();
    sqlx::query!(
        "INSERT INTO quarantined_log
             (chain_id, block_number, log_index, transaction_hash, emitter, topics, data, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        chain_id,
        log.block_number as i64,
        log.log_index as i32,
        Hash32(log.transaction_hash) as _,
        Addr(log.emitter) as _,
        &topics,
        &log.data[..],
        clean(reason)
    )
    .execute(connection)
    .await?;
    Ok(())
}
