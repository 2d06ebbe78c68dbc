//! `whitepaper` and `allocation`: what the owner published, and what the team keeps.

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// A whitepaper that took the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whitepaper {
    /// The chain.
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// From one.
    pub version: Amount,
    /// SHA-256.
    pub hash: Hash32,
    /// Where it was served.
    pub uri: String,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Height of its block.
    pub block_number: i64,
    /// Hash of that block.
    pub block_hash: Hash32,
    /// Unix time of that block.
    pub timestamp: i64,
    /// Index of its log.
    pub log_index: i32,
}

/// Tokens that the team keeps, with what became of them. Base units and seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The chain.
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// From zero.
    pub index: i16,
    /// The wallet that holds them.
    pub wallet: Addr,
    /// Who owns the wallet now.
    pub owner: Addr,
    /// Put in.
    pub amount: Amount,
    /// After the end of the sale.
    pub cliff: i64,
    /// After the end of the sale.
    pub duration: i64,
    /// Of the sale's token, paid to owners.
    pub released: Sum,
    /// Of the sale's token, gone back after a failure.
    pub reclaimed: Sum,
}

/// The whitepapers that superseded those of these sales, by sale and version.
pub async fn list_whitepapers(connection: &mut PgConnection, keys: &[(i64, Addr)]) -> Result<Vec<Whitepaper>, DbError> {
    let (chains, addresses): (Vec<i64>, Vec<Addr>) = keys.iter().copied().unzip();
    Ok(sqlx::query_as!(
        Whitepaper,
        r#"SELECT w.chain_id, w.sale AS "sale: _", w.version, w.hash AS "hash: _", w.uri,
                  w.transaction_hash AS "transaction_hash: _", w.block_number, b.hash AS "block_hash!: _",
                  b.timestamp AS "timestamp!", w.log_index
           FROM UNNEST($1::bigint[], $2::bytea[]) AS k (chain_id, sale)
           JOIN whitepaper w ON w.chain_id = k.chain_id AND w.sale = k.sale
           LEFT JOIN block b ON b.chain_id = w.chain_id AND b.number = w.block_number
           ORDER BY w.chain_id, w.sale, w.version"#,
        &chains,
        &addresses[..] as _
    )
    .fetch_all(connection)
    .await?)
}

/// The allocations of these sales, by sale and index.
pub async fn list_allocations(connection: &mut PgConnection, keys: &[(i64, Addr)]) -> Result<Vec<Allocation>, DbError> {
    let (chains, addresses): (Vec<i64>, Vec<Addr>) = keys.iter().copied().unzip();
    Ok(sqlx::query_as!(
        Allocation,
        r#"SELECT a.chain_id, a.sale AS "sale: _", a."index", a.wallet AS "wallet: _", a.amount, a.cliff, a.duration,
                  coalesce((SELECT e.new_owner FROM ownership_transfer e
                            WHERE e.chain_id = a.chain_id AND e.contract = a.wallet AND e.done
                            ORDER BY e.block_number DESC, e.log_index DESC LIMIT 1), a.beneficiary) AS "owner!: _",
                  (SELECT coalesce(sum(r.amount), 0) FROM allocation_release r
                   WHERE r.chain_id = a.chain_id AND r.wallet = a.wallet AND r.token = s.token) AS "released!: Sum",
                  (SELECT coalesce(sum(r.amount), 0) FROM allocation_reclaim r
                   WHERE r.chain_id = a.chain_id AND r.wallet = a.wallet AND r.token = s.token) AS "reclaimed!: Sum"
           FROM UNNEST($1::bigint[], $2::bytea[]) AS k (chain_id, sale)
           JOIN sale s ON s.chain_id = k.chain_id AND s.address = k.sale
           JOIN allocation a ON a.chain_id = k.chain_id AND a.sale = k.sale
           ORDER BY a.chain_id, a.sale, a."index""#,
        &chains,
        &addresses[..] as _
    )
    .fetch_all(connection)
    .await?)
}
