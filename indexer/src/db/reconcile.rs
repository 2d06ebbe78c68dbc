//! What the database says of every sale and position, to be held against the chain.

use std::fmt;

use alloy::primitives::U256;
use bigdecimal::{
    BigDecimal,
    num_bigint::{BigInt, Sign},
};
use serde::{Serialize, Serializer};
use sqlx::{Decode, PgConnection, Postgres, Type, error::BoxDynError, postgres::PgTypeInfo, postgres::PgValueRef};

use super::DbError;
use crate::types::{Addr, Hash32};

/// A whole number, as the database holds it. It is below zero where its sums contradict each other: that must be told as a
/// difference, and not hide the others behind a value that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure(BigInt);

impl From<U256> for Figure {
    fn from(value: U256) -> Self {
        Self(BigInt::from_bytes_be(Sign::Plus, &value.to_be_bytes::<32>()))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Type<Postgres> for Figure {
    fn type_info() -> PgTypeInfo {
        <BigDecimal as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <BigDecimal as Type<Postgres>>::compatible(ty)
    }
}

impl Decode<'_, Postgres> for Figure {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let value = BigDecimal::decode(value)?;
        if !value.is_integer() {
            return Err(format!("the database holds {value}, which is not a whole number").into());
        }
        Ok(Self(value.with_scale(0).into_bigint_and_exponent().0))
    }
}

/// A sale as its contracts count it. Amounts in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the columns of the view sale_overview, documented in its migration")]
pub struct StoredSale {
    pub sale: Addr,
    pub vault: Addr,
    pub token: Addr,
    pub currency: Addr,
    pub raised: Figure,
    pub sold: Figure,
    /// Money that the sale must have: for investors, for the vault, and what rounding left.
    pub balance: Figure,
    /// Tokens that it must have for investors.
    pub unclaimed: Figure,
    /// Unix seconds; zero before a success or failure.
    pub settled_at: i64,
    pub paused: bool,
    pub owner: Addr,
    /// Zero where ownership is not offered.
    pub pending_owner: Addr,
    pub compliance: Addr,
    pub voucher_signer: Addr,
    pub voucher_epoch: Figure,
    /// In their order, without that of the creation.
    pub whitepapers: Vec<Hash32>,
    pub received: Figure,
    pub released: Figure,
    pub in_vault: Figure,
    pub objected: Figure,
    pub needed: Figure,
    pub stopped: bool,
}

/// A position as the contracts count it. Amounts in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPosition {
    /// The investor.
    pub investor: Addr,
    /// Payment base units paid and not refunded; once settled, what the sale kept of them.
    pub paid: Figure,
    /// Token base units allotted and not claimed.
    pub tokens: Figure,
    /// Token base units claimed of an allotment that vests, else zero.
    pub claimed: Figure,
    /// Payment base units that the sale kept; zero without success.
    pub stake: Figure,
    /// Whether it objected.
    pub objected: bool,
    /// Payment base units of the rest that the vault owes it.
    pub rest: Figure,
}

/// Every sale of the chain.
pub async fn list_sales(connection: &mut PgConnection, chain_id: i64) -> Result<Vec<StoredSale>, DbError> {
    Ok(sqlx::query_as!(
        StoredSale,
        r#"SELECT o.address AS "sale!: _", o.vault AS "vault!: _", o.token AS "token!: _", o.currency AS "currency!: _",
                  o.raised AS "raised!: _", o.sold AS "sold!: _", o.held + o.unswept + o.dust AS "balance!: _",
                  o.unclaimed AS "unclaimed!: _",
                  CASE WHEN o.state IN ('succeeded', 'failed') THEN o.settled_at ELSE 0 END AS "settled_at!",
                  o.paused AS "paused!", o.owner AS "owner!: _",
                  coalesce(o.pending_owner, decode(repeat('00', 20), 'hex')) AS "pending_owner!: _",
                  o.compliance AS "compliance!: _", o.voucher_signer AS "voucher_signer!: _",
                  o.voucher_epoch AS "voucher_epoch!: _",
                  ARRAY(SELECT w.hash::bytea FROM whitepaper w WHERE w.chain_id = s.chain_id AND w.sale = s.address
                        ORDER BY w.version) AS "whitepapers!: _",
                  o.received AS "received!: _", o.released AS "released!: _", o.in_vault AS "in_vault!: _",
                  o.objected AS "objected!: _", div(o.received * o.tap_objection, 10000) AS "needed!: _",
                  o.tap_rest IS NOT NULL AS "stopped!"
           FROM sale s JOIN sale_overview o ON o.chain_id = s.chain_id AND o.address = s.address
           WHERE s.chain_id = $1 ORDER BY s.block_number, s.log_index"#,
        chain_id
    )
    .fetch_all(connection)
    .await?)
}

/// The positions of a sale after `after`, by address, at most `limit`.
pub async fn list_positions(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    after: Option<Addr>,
    limit: i64,
) -> Result<Vec<StoredPosition>, DbError> {
    Ok(sqlx::query_as!(
        StoredPosition,
        r#"SELECT f.investor AS "investor!: _", f.paid AS "paid!: _", f.tokens AS "tokens!: _",
                  CASE WHEN s.vesting_duration > 0 THEN p.claimed ELSE 0 END AS "claimed!: _",
                  k.stake AS "stake!: _", p.objections > 0 AS "objected!",
                  CASE WHEN p.rest_refunds > 0
                           OR NOT EXISTS (SELECT FROM tap_stop e WHERE e.chain_id = p.chain_id AND e.sale = p.sale) THEN 0
                       ELSE div(k.stake * (t.received - t.released), t.received) END AS "rest!: _"
           FROM position p
           JOIN position_state f ON f.chain_id = p.chain_id AND f.sale = p.sale AND f.investor = p.investor
           JOIN sale s ON s.chain_id = p.chain_id AND s.address = p.sale
           JOIN sale_total t ON t.chain_id = p.chain_id AND t.sale = p.sale
           LEFT JOIN settlement o ON o.chain_id = p.chain_id AND o.sale = p.sale
           CROSS JOIN LATERAL (
               SELECT CASE WHEN o.outcome IS DISTINCT FROM 'succeeded' OR p.rejections > 0 THEN 0
                           WHEN s.mode = 'fixed_price' OR p.shares > 0 THEN f.paid
                           ELSE div(f.paid * t.kept, t.raised) END AS stake
           ) k
           WHERE p.chain_id = $1 AND p.sale = $2 AND ($3::bytea IS NULL OR p.investor > $3)
           ORDER BY p.investor LIMIT $4"#,
        chain_id,
        sale as _,
        after as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}
