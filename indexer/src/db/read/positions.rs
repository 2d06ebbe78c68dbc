//! `position`: what investors paid, and what they got for it.

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Hash32},
};

/// One investor in one sale. Sums in base units, gross: what was withdrawn, refunded or claimed stands beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The chain.
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// The investor.
    pub investor: Addr,
    /// Ever paid.
    pub paid: Sum,
    /// Allotted by contributions, less what left with withdrawals and a rejection.
    pub tokens: Sum,
    /// Number of contributions.
    pub contributions: i64,
    /// Withdrawn within the cooling-off.
    pub withdrawn: Sum,
    /// Number of times that compliance rejected it: one at most.
    pub rejections: i64,
    /// Number of times that its share of the outcome was written: one at most.
    pub shares: i64,
    /// Of that share, what the sale kept.
    pub kept: Sum,
    /// Of that share, its tokens.
    pub share_tokens: Sum,
    /// Of that share, what comes back.
    pub excess: Sum,
    /// Excess paid back.
    pub excess_refunded: Sum,
    /// Paid back.
    pub refunded: Sum,
    /// Claimed.
    pub claimed: Sum,
    /// Number of objections: one at most.
    pub objections: i64,
    /// Number of times that the vault paid its share of the rest: one at most.
    pub rest_refunds: i64,
    /// Of a stopped vault's rest, what was paid back.
    pub rest_refunded: Sum,
    /// What the contract has of its money: paid, less withdrawn and refunded; once settled, what the sale kept.
    pub paid_now: Sum,
    /// What the contract has of its tokens: allotted and not claimed.
    pub tokens_now: Sum,
    /// Unix seconds of the latest contribution.
    pub contributed_at: i64,
    /// Height of the block of its newest event.
    pub block_number: i64,
    /// Hash of that block.
    pub block_hash: Hash32,
    /// Index of that event's log.
    pub log_index: i32,
}

// The page's rows are found first, in an index's order, and what is beside them is read then: a plan that is made for any values does not
// know how few they are.
macro_rules! page {
    ($connection:expr, $rows:tt, $order:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Position,
            r#"SELECT p.chain_id, p.sale AS "sale: Addr", p.investor AS "investor: Addr", p.paid AS "paid: Sum",
                      p.tokens - p.withdrawn_tokens - p.rejected_tokens AS "tokens!: Sum", p.contributions, p.withdrawn AS "withdrawn: Sum", p.rejections, p.shares,
                      p.kept AS "kept: Sum", p.share_tokens AS "share_tokens: Sum", p.excess AS "excess: Sum",
                      p.excess_refunded AS "excess_refunded: Sum", p.refunded AS "refunded: Sum", p.claimed AS "claimed: Sum",
                      p.objections, p.rest_refunds, p.rest_refunded AS "rest_refunded: Sum",
                      f.paid AS "paid_now!: Sum", f.tokens AS "tokens_now!: Sum",
                      (SELECT b.timestamp FROM block b WHERE b.chain_id = p.chain_id AND b.number = (
                          SELECT max(c.block_number) FROM contribution c
                          WHERE c.chain_id = p.chain_id AND c.investor = p.investor AND c.sale = p.sale)) AS "contributed_at!",
                      p.last_block AS block_number, b.hash AS "block_hash!: Hash32",
                      position_last_log(p.chain_id, p.sale, p.investor, p.last_block) AS "log_index!"
               FROM (SELECT *, -paid AS less FROM position WHERE "# + $rows + ") p
               LEFT JOIN block b ON b.chain_id = p.chain_id AND b.number = p.last_block
               JOIN position_state f ON f.chain_id = p.chain_id AND f.sale = p.sale AND f.investor = p.investor ORDER BY " + $order,
            $($argument),+
        )
        .fetch_all($connection)
        .await
    };
}

/// Positions in a sale, the largest payers first, after the `(paid, investor)` of `after`.
pub async fn list_by_paid(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    after: Option<(&Sum, Addr)>,
    limit: i64,
) -> Result<Vec<Position>, DbError> {
    let (paid, investor) = match after {
        Some((paid, investor)) => (paid.to_string(), investor),
        None => ("Infinity".to_owned(), Addr::default()),
    };
    Ok(page!(
        connection,
        "chain_id = $1 AND sale = $2 AND (-paid, investor) > (-$3::text::numeric, $4) ORDER BY -paid, investor LIMIT $5",
        "p.less, p.investor",
        chain_id,
        sale as _,
        paid,
        investor as _,
        limit
    )?)
}

/// Positions in a sale by address, after `after`.
pub async fn list_by_investor(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    after: Option<Addr>,
    limit: i64,
) -> Result<Vec<Position>, DbError> {
    // No contract takes a contribution for the zero address, so nobody stands at or below it.
    let after = after.unwrap_or_default();
    Ok(page!(
        connection,
        "chain_id = $1 AND sale = $2 AND investor > $3 ORDER BY investor LIMIT $4",
        "p.investor",
        chain_id,
        sale as _,
        after as _,
        limit
    )?)
}

/// Positions of a wallet in the sales of `chains`, by chain and sale, after those of `after`.
pub async fn list_of_investor(
    connection: &mut PgConnection,
    investor: Addr,
    chains: &[i64],
    after: Option<(i64, Addr)>,
    limit: i64,
) -> Result<Vec<Position>, DbError> {
    let (chain, sale) = after.unwrap_or((-1, Addr::default()));
    Ok(page!(
        connection,
        "chain_id = ANY($1) AND investor = $2 AND (chain_id, sale) > ($3, $4) ORDER BY chain_id, sale LIMIT $5",
        "p.chain_id, p.sale",
        chains,
        investor as _,
        chain,
        sale as _,
        limit
    )?)
}

/// The figures of one investor in one sale, without what only a page shows. Sums in base units, as in [`Position`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented at Position")]
pub struct Figures {
    pub investor: Addr,
    pub contributions: i64,
    pub rejections: i64,
    pub paid: Sum,
    pub withdrawn: Sum,
    pub refunded: Sum,
    pub excess_refunded: Sum,
    pub rest_refunded: Sum,
    pub paid_now: Sum,
    pub tokens: Sum,
    pub claimed: Sum,
    pub tokens_now: Sum,
    pub last_block: i64,
}

/// [`list_by_investor`] for whoever reads all: nothing is looked up a row.
pub async fn list_figures(
    connection: &mut PgConnection,
    chain_id: i64,
    sale: Addr,
    after: Option<Addr>,
    limit: i64,
) -> Result<Vec<Figures>, DbError> {
    let after = after.unwrap_or_default();
    Ok(sqlx::query_as!(
        Figures,
        r#"SELECT p.investor AS "investor: Addr", p.contributions, p.rejections, p.paid AS "paid: Sum",
                  p.withdrawn AS "withdrawn: Sum", p.refunded AS "refunded: Sum", p.excess_refunded AS "excess_refunded: Sum",
                  p.rest_refunded AS "rest_refunded: Sum", f.paid AS "paid_now!: Sum",
                  CASE WHEN p.shares > 0 THEN p.share_tokens
                       ELSE p.tokens - p.withdrawn_tokens - p.rejected_tokens END AS "tokens!: Sum",
                  p.claimed AS "claimed: Sum", f.tokens AS "tokens_now!: Sum", p.last_block
           FROM (SELECT * FROM position
                 WHERE chain_id = $1 AND sale = $2 AND investor > $3 ORDER BY investor LIMIT $4) p
           JOIN position_state f ON f.chain_id = p.chain_id AND f.sale = p.sale AND f.investor = p.investor
           ORDER BY p.investor"#,
        chain_id,
        sale as _,
        after as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}
