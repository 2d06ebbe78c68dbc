//! What a sale and its vault paid, and what investors objected, each with its block.

use sqlx::PgConnection;

use super::contributions::Order;
use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// A list of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Tokens to investors.
    Claims,
    /// Money back to investors, whatever for.
    Refunds,
    /// Money from the vault to the beneficiary.
    Releases,
    /// Votes of investors against such releases.
    Objections,
}

/// A record and the block it is in. Amounts in base units, time in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Height of its block.
    pub block_number: i64,
    /// Hash of its block.
    pub block_hash: Hash32,
    /// Unix time of its block.
    pub timestamp: i64,
    /// Index of its log in the block.
    pub log_index: i32,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its kind, in the words of `sale_activity`.
    pub kind: String,
    /// The investor, or the beneficiary.
    pub account: Addr,
    /// Where money or tokens went; an objection moves none.
    pub recipient: Option<Addr>,
    /// Tokens of a claim, weight of an objection, else money.
    pub amount: Amount,
    /// Released in all, or the weight of all objections.
    pub running: Option<Amount>,
}

/// Records of a sale after the `(block, log index)` of `after`.
pub async fn list(
    connection: &mut PgConnection,
    records: Records,
    chain_id: i64,
    sale: Addr,
    order: Order,
    after: Option<(i64, i32)>,
    limit: i64,
) -> Result<Vec<Record>, DbError> {
    let (block, log) = after.unwrap_or(match order {
        Order::NewestFirst => (i64::MAX, i32::MAX),
        Order::OldestFirst => (-1, -1),
    });
    // A statement each, of one branch a table: each branch stops in its index after a page.
    macro_rules! page {
        ($after:tt, $by:tt, $first:tt $(, $other:tt)*) => {
            sqlx::query_as!(
                Record,
                r#"SELECT e.block_number AS "block_number!", b.hash AS "block_hash!: Hash32", b.timestamp AS "timestamp!",
                          e.log_index AS "log_index!", e.transaction_hash AS "transaction_hash!: Hash32", e.kind AS "kind!",
                          e.account AS "account!: Addr", e.recipient AS "recipient?: Addr", e.amount AS "amount!: Amount",
                          e.running AS "running?: Amount"
                   FROM ((SELECT block_number, log_index, transaction_hash, "# + $first + " WHERE chain_id = $1 AND sale = $2
                       AND (block_number, log_index) " + $after + " ORDER BY " + $by + " LIMIT $5)"
                   $(+ " UNION ALL (SELECT block_number, log_index, transaction_hash, " + $other + " WHERE chain_id = $1 AND sale = $2
                       AND (block_number, log_index) " + $after + " ORDER BY " + $by + " LIMIT $5)")*
                   + ") e LEFT JOIN block b ON b.chain_id = $1 AND b.number = e.block_number ORDER BY " + $by + " LIMIT $5",
                chain_id,
                sale as _,
                block,
                log,
                limit
            )
            .fetch_all(connection)
            .await
        };
    }
    macro_rules! both_ways {
        ($($source:tt),+) => {
            match order {
                Order::NewestFirst => page!("< ($3, $4)", "block_number DESC, log_index DESC", $($source),+),
                Order::OldestFirst => page!("> ($3, $4)", "block_number, log_index", $($source),+),
            }
        };
    }
    Ok(match records {
        Records::Claims => both_ways!(
            "'claimed' AS kind, investor AS account, recipient, tokens AS amount, NULL::numeric AS running FROM claim"
        ),
        Records::Refunds => both_ways!(
            "'refunded' AS kind, investor AS account, recipient, amount, NULL::numeric AS running FROM refund",
            "'excess_refunded', investor, recipient, amount, NULL FROM excess_refund",
            "'rest_refunded', investor, recipient, amount, NULL FROM rest_refund",
            "'withdrawn', investor, recipient, amount, NULL FROM withdrawal"
        ),
        Records::Releases => both_ways!(
            "'released' AS kind, beneficiary AS account, recipient, amount, released AS running FROM release"
        ),
        Records::Objections => both_ways!(
            "'objected' AS kind, investor AS account, NULL::bytea AS recipient, weight AS amount, objected AS running FROM objection"
        ),
    }?)
}
