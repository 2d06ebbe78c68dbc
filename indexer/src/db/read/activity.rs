//! `sale_activity`: every event of a sale, whatever its table.

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Hash32},
};

/// An event and the block it is in. Which fields a kind has, and what they mean, is said at the function in
/// migrations/0006_api_of_complete_contracts.sql.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented at the SQL function")]
pub struct Activity {
    pub block_number: i64,
    pub block_hash: Hash32,
    pub timestamp: i64,
    pub log_index: i32,
    pub transaction_hash: Hash32,
    pub kind: String,
    pub account: Option<Addr>,
    pub recipient: Option<Addr>,
    pub actor: Option<Addr>,
    pub contract: Option<Addr>,
    pub amount: Option<Sum>,
    pub tokens: Option<Sum>,
    pub other: Option<Sum>,
    pub number: Option<Sum>,
    pub flag: Option<bool>,
    pub word: Option<String>,
    pub hash: Option<Hash32>,
}

/// Whether it is noted that the sale opened.
pub async fn has_opened(connection: &mut PgConnection, chain_id: i64, sale: Addr) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sale_opening WHERE chain_id = $1 AND sale = $2) AS "exists!""#,
        chain_id,
        sale as _
    )
    .fetch_one(connection)
    .await?)
}

/// Events of a sale, the newest first, after the `(block, log index)` of `after`.
pub async fn list(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    after: Option<(i64, i32)>,
    limit: i64,
) -> Result<Vec<Activity>, DbError> {
    let (block, log) = after.unwrap_or((i64::MAX, i32::MAX));
    Ok(sqlx::query_as!(
        Activity,
        r#"SELECT a.block_number AS "block_number!", b.hash AS "block_hash!: _", b.timestamp AS "timestamp!",
                  a.log_index AS "log_index!", a.transaction_hash AS "transaction_hash!: _", a.kind AS "kind!",
                  a.account AS "account?: _", a.recipient AS "recipient?: _", a.actor AS "actor?: _",
                  a.contract AS "contract?: _", a.amount AS "amount?: Sum", a.tokens AS "tokens?: Sum",
                  a.other AS "other?: Sum", a.number AS "number?: Sum", a.flag AS "flag?", a.word AS "word?",
                  a.hash AS "hash?: _"
           FROM sale_activity($1, $2, $3, $4, $5) a LEFT JOIN block b ON b.chain_id = $1 AND b.number = a.block_number
           ORDER BY a.block_number DESC, a.log_index DESC"#,
        chain_id,
        sale as _,
        block,
        log,
        limit
    )
    .fetch_all(connection)
    .await?)
}
