//! `contribution`, with its block.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// A contribution and the block it is in. Amounts in base units, time in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
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
    /// Whose position it adds to.
    pub investor: Addr,
    /// Who paid.
    pub payer: Addr,
    /// Phase whose price applied.
    pub phase: i16,
    /// Payment base units.
    pub amount: Amount,
    /// Token base units.
    pub tokens: Amount,
    /// Paid by the investor until then, this included.
    pub paid: Amount,
    /// Raised by the sale until then, this included.
    pub raised: Amount,
    /// Sold by the sale until then, this included.
    pub sold: Amount,
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The highest block and log first.
    NewestFirst,
    /// The lowest first: what follows a list that grows.
    OldestFirst,
}

// Four statements rather than one with optional conditions: each has its index, whatever the planner assumes. The page's rows are found
// before what is beside them is read: a plan that is made for any values does not know how few they are.
macro_rules! page {
    ($connection:expr, $where:tt, $order:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Contribution,
            r#"SELECT c.block_number, b.hash AS "block_hash!: Hash32", b.timestamp AS "timestamp!", c.log_index,
                      c.transaction_hash AS "transaction_hash: Hash32", c.investor AS "investor: Addr", c.payer AS "payer: Addr",
                      c.phase, c.amount, c.tokens, c.paid, c.raised, c.sold
               FROM (SELECT * FROM contribution c
                     WHERE c.chain_id = $1 AND c.sale = $2 AND "# + $where + " ORDER BY " + $order + " LIMIT $5) c
               LEFT JOIN block b ON b.chain_id = c.chain_id AND b.number = c.block_number ORDER BY " + $order,
            $($argument),+
        )
        .fetch_all($connection)
        .await
    };
}

/// Contributions to a sale, of one investor if given, after the `(block, log index)` of `after`.
pub async fn list(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    investor: Option<Addr>,
    order: Order,
    after: Option<(i64, i32)>,
    limit: i64,
) -> Result<Vec<Contribution>, DbError> {
    let (block, log) = after.unwrap_or(match order {
        Order::NewestFirst => (i64::MAX, i32::MAX),
        Order::OldestFirst => (-1, -1),
    });
    Ok(match (investor, order) {
        (None, Order::NewestFirst) => page!(
            connection,
            "(c.block_number, c.log_index) < ($3, $4)",
            "c.block_number DESC, c.log_index DESC",
            chain_id,
            sale as _,
            block,
            log,
            limit
        ),
        (None, Order::OldestFirst) => page!(
            connection,
            "(c.block_number, c.log_index) > ($3, $4)",
            "c.block_number, c.log_index",
            chain_id,
            sale as _,
            block,
            log,
            limit
        ),
        (Some(investor), Order::NewestFirst) => page!(
            connection,
            "(c.block_number, c.log_index) < ($3, $4) AND c.investor = $6",
            "c.block_number DESC, c.log_index DESC",
            chain_id,
            sale as _,
            block,
            log,
            limit,
            investor as _
        ),
        (Some(investor), Order::OldestFirst) => page!(
            connection,
            "(c.block_number, c.log_index) > ($3, $4) AND c.investor = $6",
            "c.block_number, c.log_index",
            chain_id,
            sale as _,
            block,
            log,
            limit,
            investor as _
        ),
    }?)
}

/// The first contribution to a sale for an investor that one of these transactions has made.
pub async fn find_of_transactions(
    connection: &mut PgConnection,
    chain_id: i64,
    (sale, investor): (Addr, Addr),
    transactions: &[Hash32],
) -> Result<Option<Contribution>, DbError> {
    Ok(sqlx::query_as!(
        Contribution,
        r#"SELECT c.block_number, b.hash AS "block_hash!: Hash32", b.timestamp AS "timestamp!", c.log_index,
                  c.transaction_hash AS "transaction_hash: Hash32", c.investor AS "investor: Addr", c.payer AS "payer: Addr",
                  c.phase, c.amount, c.tokens, c.paid, c.raised, c.sold
           FROM contribution c LEFT JOIN block b ON b.chain_id = c.chain_id AND b.number = c.block_number
           WHERE c.chain_id = $1 AND c.sale = $2 AND c.investor = $3 AND c.transaction_hash = ANY($4)
           ORDER BY c.block_number, c.log_index LIMIT 1"#,
        chain_id,
        sale as _,
        investor as _,
        transactions as _
    )
    .fetch_optional(connection)
    .await?)
}

/// A transaction in a block, by which its contributions are found: chain, height and hash.
pub type Mined = (i64, i64, Hash32);

/// Contributions of these transactions in these blocks, by transaction, in order.
pub async fn list_of_transactions(
    connection: &mut PgConnection,
    mined: &[Mined],
) -> Result<HashMap<Mined, Vec<Contribution>>, DbError> {
    let chains: Vec<i64> = mined.iter().map(|m| m.0).collect();
    let blocks: Vec<i64> = mined.iter().map(|m| m.1).collect();
    let hashes: Vec<Hash32> = mined.iter().map(|m| m.2).collect();
    let rows = sqlx::query!(
        r#"SELECT c.chain_id, c.block_number, b.hash AS "block_hash!: Hash32", b.timestamp AS "timestamp!", c.log_index,
                  c.transaction_hash AS "transaction_hash: Hash32", c.investor AS "investor: Addr", c.payer AS "payer: Addr",
                  c.phase, c.amount AS "amount: Amount", c.tokens AS "tokens: Amount", c.paid AS "paid: Amount",
                  c.raised AS "raised: Amount", c.sold AS "sold: Amount"
           FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[]) AS m (chain_id, block_number, transaction_hash)
           JOIN contribution c ON c.chain_id = m.chain_id AND c.block_number = m.block_number
               AND c.transaction_hash = m.transaction_hash
           LEFT JOIN block b ON b.chain_id = c.chain_id AND b.number = c.block_number
           ORDER BY c.chain_id, c.block_number, c.log_index"#,
        &chains,
        &blocks,
        &hashes[..] as _
    )
    .fetch_all(connection)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows {
        found.entry((r.chain_id, r.block_number, r.transaction_hash)).or_default().push(Contribution {
            block_number: r.block_number,
            block_hash: r.block_hash,
            timestamp: r.timestamp,
            log_index: r.log_index,
            transaction_hash: r.transaction_hash,
            investor: r.investor,
            payer: r.payer,
            phase: r.phase,
            amount: r.amount,
            tokens: r.tokens,
            paid: r.paid,
            raised: r.raised,
            sold: r.sold,
        });
    }
    Ok(found)
}
