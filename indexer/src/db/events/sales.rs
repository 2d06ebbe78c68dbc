//! `sale` and `sale_phase`.

use sqlx::PgConnection;

use crate::{
    db::{DbError, rows::clean},
    types::{Addr, Amount, Hash32, Log, NewSale},
};

/// Sales are few: one statement each, and one for its phases.
pub(super) async fn insert_sale(
    connection: &mut PgConnection,
    chain_id: i64,
    log: &Log,
    s: &NewSale,
) -> Result<(), DbError> {
    let closes = s.phases.last().map_or(s.opens, |p| p.ends) as i64;
    let transaction = Hash32(log.transaction_hash);
    sqlx::query!(
        "INSERT INTO sale (chain_id, block_number, log_index, transaction_hash, address, creator, vault, mode, owner,
             beneficiary, token, currency, opens, closes, soft_cap, hard_cap, min_paid, max_paid, tokens_for_sale, burn_unsold,
             name, sale_hash, sale_uri, whitepaper_hash, whitepaper_uri, data, compliance, signer, cooling_off, vesting_at_once,
             vesting_cliff, vesting_duration, tap_at_once, tap_duration, tap_objection)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
             $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)",
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
        &log.data[..],
        Addr(s.compliance) as _,
        Addr(s.signer) as _,
        i64::from(s.cooling_off),
        i32::from(s.vesting.at_once),
        i64::from(s.vesting.cliff),
        i64::from(s.vesting.duration),
        i32::from(s.tap.at_once),
        i64::from(s.tap.duration),
        i32::from(s.tap.objection)
    )
    .execute(&mut *connection)
    .await?;

    let mut starts = s.opens as i64;
    for (index, phase) in s.phases.iter().enumerate() {
        sqlx::query!(
            "INSERT INTO sale_phase (chain_id, block_number, log_index, phase, sale, starts, ends, raised_up_to, price, gate,
                 root)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            chain_id,
            log.block_number as i64,
            log.log_index as i32,
            index as i16,
            Addr(s.sale) as _,
            starts,
            phase.ends as i64,
            Amount(phase.raised_up_to) as _,
            Amount(phase.price) as _,
            phase.gate,
            Hash32(phase.root) as _
        )
        .execute(&mut *connection)
        .await?;
        starts = phase.ends as i64;
    }
    Ok(())
}
