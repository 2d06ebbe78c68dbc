//! `token_created`, and what sales say of their tokens.

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount},
};

/// What is known of a token's supply, base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Made with the token; no more can ever be.
    pub made: Amount,
    /// Burnt by its sales, which did not sell them.
    pub burnt: Amount,
    /// Held by its sales: unsold and not yet returned, or sold and not yet claimed.
    pub in_sales: Amount,
    /// Held by team wallets: neither released nor reclaimed.
    pub in_wallets: Amount,
}

/// The supply of a token that a followed factory made. A wallet can pay more than its allocation, because anybody can send it tokens; it
/// never holds less than none.
pub async fn find_supply(connection: &mut PgConnection, chain_id: i64, token: Addr) -> Result<Option<Supply>, DbError> {
    Ok(sqlx::query_as!(
        Supply,
        r#"SELECT k.supply AS made,
                  (SELECT coalesce(sum(u.tokens), 0) FROM sale s
                   JOIN unsold_return u ON u.chain_id = s.chain_id AND u.sale = s.address
                   WHERE s.chain_id = $1 AND s.token = $2 AND u.recipient = decode(repeat('00', 20), 'hex')) AS "burnt!: Amount",
                  (SELECT coalesce(sum(greatest(s.tokens_for_sale - t.claimed - (
                       SELECT coalesce(sum(u.tokens), 0) FROM unsold_return u
                       WHERE u.chain_id = s.chain_id AND u.sale = s.address), 0)), 0)
                   FROM sale s JOIN sale_total t ON t.chain_id = s.chain_id AND t.sale = s.address
                   WHERE s.chain_id = $1 AND s.token = $2) AS "in_sales!: Amount",
                  (SELECT coalesce(sum(greatest(a.amount - (
                       SELECT coalesce(sum(r.amount), 0) FROM allocation_release r
                       WHERE r.chain_id = a.chain_id AND r.wallet = a.wallet AND r.token = s.token) - (
                       SELECT coalesce(sum(r.amount), 0) FROM allocation_reclaim r
                       WHERE r.chain_id = a.chain_id AND r.wallet = a.wallet AND r.token = s.token), 0)), 0)
                   FROM sale s JOIN allocation a ON a.chain_id = s.chain_id AND a.sale = s.address
                   WHERE s.chain_id = $1 AND s.token = $2) AS "in_wallets!: Amount"
           FROM token_created k WHERE k.chain_id = $1 AND k.token = $2
           ORDER BY k.block_number DESC, k.log_index DESC LIMIT 1"#,
        chain_id,
        token as _
    )
    .fetch_optional(connection)
    .await?)
}

/// Whether a sale sells the token.
pub async fn is_sold(connection: &mut PgConnection, chain_id: i64, token: Addr) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sale WHERE chain_id = $1 AND token = $2) AS "exists!""#,
        chain_id,
        token as _
    )
    .fetch_one(connection)
    .await?)
}

/// A token that a sale sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldToken {
    /// The chain.
    pub chain_id: i64,
    /// Its contract.
    pub address: Addr,
    /// ERC-20 symbol, as the contract says.
    pub symbol: String,
    /// ERC-20 name, as the contract says.
    pub name: String,
    /// ERC-20 decimals.
    pub decimals: i16,
    /// Unix time of the block of the first sale that sells it.
    pub sold_since: i64,
}

/// Tokens that sales sell, by chain and address, on one chain if given.
pub async fn list_sold(
    connection: &mut PgConnection,
    chain_id: Option<i64>,
    limit: i64,
) -> Result<Vec<SoldToken>, DbError> {
    Ok(sqlx::query_as!(
        SoldToken,
        r#"SELECT u.chain_id, u.address AS "address: _", u.symbol, u.name, u.decimals, b.timestamp AS "sold_since!"
           FROM currency u
           CROSS JOIN LATERAL (
               SELECT min(s.block_number) AS number FROM sale s WHERE s.chain_id = u.chain_id AND s.token = u.address
           ) f JOIN block b ON b.chain_id = u.chain_id AND b.number = f.number
           WHERE ($1::bigint IS NULL OR u.chain_id = $1)
           ORDER BY u.chain_id, u.address LIMIT $2"#,
        chain_id,
        limit
    )
    .fetch_all(connection)
    .await?)
}
