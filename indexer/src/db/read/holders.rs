//! Who holds a token.

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Hash32},
};

/// A token that a followed factory made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeToken {
    /// ERC-20 name.
    pub name: String,
    /// ERC-20 symbol.
    pub symbol: String,
    /// The block it was made in.
    pub block_number: i64,
    /// That block's hash.
    pub block_hash: Hash32,
    /// The log that says so.
    pub log_index: i32,
}

/// A holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The address.
    pub holder: Addr,
    /// Base units.
    pub balance: Sum,
    /// `sale`, `team_wallet`, or `wallet` for any other.
    pub kind: String,
}

/// All holders together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Holders.
    pub holders: i64,
    /// What they hold: all that exists.
    pub supply: Sum,
    /// What the largest holds.
    pub top_1: Sum,
    /// What the ten largest hold.
    pub top_10: Sum,
    /// What the hundred largest hold.
    pub top_100: Sum,
}

/// The token, if a followed factory made it.
pub async fn find_token(
    connection: &mut PgConnection,
    chain_id: i64,
    token: Addr,
) -> Result<Option<MadeToken>, DbError> {
    Ok(sqlx::query_as!(
        MadeToken,
        r#"SELECT k.name, k.symbol, k.block_number, b.hash AS "block_hash: _", k.log_index
           FROM token_created k JOIN block b ON b.chain_id = k.chain_id AND b.number = k.block_number
           WHERE k.chain_id = $1 AND k.token = $2 ORDER BY k.block_number DESC, k.log_index DESC LIMIT 1"#,
        chain_id,
        token as _
    )
    .fetch_optional(connection)
    .await?)
}

/// The block up to which a chain's transfers are counted.
pub async fn counted_to(connection: &mut PgConnection, chain_id: i64) -> Result<Option<(i64, Hash32)>, DbError> {
    let row =
        sqlx::query!(r#"SELECT number, hash AS "hash: Hash32" FROM holder_checkpoint WHERE chain_id = $1"#, chain_id)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|row| (row.number, row.hash)))
}

/// All of a token's holders together.
pub async fn summary(connection: &mut PgConnection, chain_id: i64, token: Addr) -> Result<Summary, DbError> {
    Ok(sqlx::query_as!(
        Summary,
        r#"WITH largest AS (
               SELECT balance, row_number() OVER (ORDER BY balance DESC, holder) AS place FROM token_holder
               WHERE chain_id = $1 AND token = $2 ORDER BY balance DESC, holder LIMIT 100
           )
           SELECT (SELECT count(*) FROM token_holder WHERE chain_id = $1 AND token = $2) AS "holders!",
                  (SELECT coalesce(sum(balance), 0) FROM token_holder WHERE chain_id = $1 AND token = $2) AS "supply!: Sum",
                  coalesce(sum(balance) FILTER (WHERE place <= 1), 0) AS "top_1!: Sum",
                  coalesce(sum(balance) FILTER (WHERE place <= 10), 0) AS "top_10!: Sum",
                  coalesce(sum(balance), 0) AS "top_100!: Sum"
           FROM largest"#,
        chain_id,
        token as _
    )
    .fetch_one(connection)
    .await?)
}

/// Holders by balance, the largest first, behind one.
pub async fn list(
    connection: &mut PgConnection,
    chain_id: i64,
    token: Addr,
    after: Option<(&Sum, Addr)>,
    limit: i64,
) -> Result<Vec<Holder>, DbError> {
    let (balance, holder) = match after {
        Some((balance, holder)) => (balance.to_string(), holder),
        None => ("Infinity".to_owned(), Addr::default()),
    };
    Ok(sqlx::query_as!(
        Holder,
        r#"SELECT h.holder AS "holder: _", h.balance AS "balance: Sum",
                  CASE WHEN EXISTS (SELECT FROM sale s WHERE s.chain_id = h.chain_id AND s.address = h.holder) THEN 'sale'
                       WHEN EXISTS (SELECT FROM allocation a WHERE a.chain_id = h.chain_id AND a.wallet = h.holder) THEN 'team_wallet'
                       ELSE 'wallet' END AS "kind!"
           FROM token_holder h
           WHERE h.chain_id = $1 AND h.token = $2
             AND h.balance <= $3::text::numeric AND (h.balance < $3::text::numeric OR h.holder > $4)
           ORDER BY h.balance DESC, h.holder LIMIT $5"#,
        chain_id,
        token as _,
        balance,
        holder as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}
