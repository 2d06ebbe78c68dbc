//! What the database says of every sale and position, to be held against the chain.

use sqlx::PgConnection;

use super::DbError;
use crate::types::{Addr, Amount};

/// A sale's totals as the contract counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredSale {
    /// The sale.
    pub sale: Addr,
    /// Its vault.
    pub vault: Addr,
    /// Payment base units taken.
    pub raised: Amount,
    /// Token base units allotted.
    pub sold: Amount,
    /// Payment base units that the vault paid.
    pub released: Amount,
}

/// A position as the contract counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPosition {
    /// The investor.
    pub investor: Addr,
    /// Payment base units paid and not refunded.
    pub paid: Amount,
    /// Token base units allotted and not claimed.
    pub tokens: Amount,
}

/// Every sale of the chain.
pub async fn list_sales(connection: &mut PgConnection, chain_id: i64) -> Result<Vec<StoredSale>, DbError> {
    Ok(sqlx::query_as!(
        StoredSale,
        r#"SELECT s.address AS "sale: _", s.vault AS "vault: _", t.raised, t.sold, t.released
           FROM sale s JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
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
        r#"SELECT investor AS "investor: _",
                  paid - refunded AS "paid!: _",
                  tokens - claimed - CASE WHEN refunded = 0 THEN 0 ELSE tokens END AS "tokens!: _"
           FROM position
           WHERE chain_id = $1 AND sale = $2 AND ($3::bytea IS NULL OR investor > $3)
           ORDER BY investor LIMIT $4"#,
        chain_id,
        sale as _,
        after as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}
