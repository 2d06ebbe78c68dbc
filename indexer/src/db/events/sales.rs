//! `sale` and `sale_phase`.

use sqlx::PgConnection;

use crate::{
    db::{
        DbError,
        copy::{Column, Rows},
    },
    types::{Addr, Amount, Hash32, Log, NewSale},
};

table! {
    Terms "sale" "address" {
        creator: Addr,
        vault: Addr,
        mode: &'a str,
        owner: Addr,
        beneficiary: Addr,
        token: Addr,
        currency: Addr,
        opens: i64,
        closes: i64,
        soft_cap: Amount,
        hard_cap: Amount,
        min_paid: Amount,
        max_paid: Amount,
        tokens_for_sale: Amount,
        burn_unsold: bool,
        name: &'a str,
        sale_hash: Hash32,
        sale_uri: &'a str,
        whitepaper_hash: Hash32,
        whitepaper_uri: &'a str,
        data: &'a [u8],
        compliance: Addr,
        signer: Addr,
        cooling_off: i64,
        vesting_at_once: i32,
        vesting_cliff: i64,
        vesting_duration: i64,
        tap_at_once: i32,
        tap_duration: i64,
        tap_objection: i32,
    }
}

#[derive(Debug, Default)]
pub(super) struct Sales {
    pub(super) terms: Terms,
    pub(super) phases: Rows,
}

impl Sales {
    pub fn push(&mut self, chain_id: i64, log: &Log, s: &NewSale) {
        let closes = s.phases.last().map_or(s.opens, |p| p.ends) as i64;
        self.terms.push(
            chain_id,
            log,
            Addr(s.sale),
            s.creator,
            s.vault,
            s.mode,
            s.owner,
            s.beneficiary,
            s.token,
            s.currency,
            s.opens as i64,
            closes,
            s.soft_cap,
            s.hard_cap,
            s.min_paid,
            s.max_paid,
            s.tokens_for_sale,
            s.burn_unsold,
            s.name.as_str(),
            s.sale_hash,
            s.sale_uri.as_str(),
            s.whitepaper_hash,
            s.whitepaper_uri.as_str(),
            &log.data[..],
            s.compliance,
            s.signer,
            s.cooling_off,
            s.vesting.at_once,
            s.vesting.cliff,
            s.vesting.duration,
            s.tap.at_once,
            s.tap.duration,
            s.tap.objection,
        );
        let mut starts = s.opens as i64;
        for (index, phase) in s.phases.iter().enumerate() {
            let row = self.phases.begin(11);
            chain_id.put(row);
            (log.block_number as i64).put(row);
            (log.log_index as i32).put(row);
            (index as i16).put(row);
            Addr(s.sale).put(row);
            starts.put(row);
            (phase.ends as i64).put(row);
            Amount(phase.raised_up_to).put(row);
            Amount(phase.price).put(row);
            phase.gate.put(row);
            Hash32(phase.root).put(row);
            starts = phase.ends as i64;
        }
    }

    pub async fn copy(&self, connection: &mut PgConnection) -> Result<(), DbError> {
        self.terms.copy(connection).await?;
        self.phases
            .copy(
                connection,
                "COPY sale_phase (chain_id, block_number, log_index, phase, sale, starts, ends, raised_up_to, price, gate, root)
                 FROM STDIN (FORMAT binary)",
            )
            .await
    }
}
