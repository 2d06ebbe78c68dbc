//! `sale_overview` and `sale_phase`: terms, state and totals of sales.

use std::cmp::Reverse;

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Amount, Hash32},
};

/// A sale as of the snapshot. Amounts in base units, times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the columns of the view sale_overview, documented in migrations/0006_api_of_complete_contracts.sql"
)]
pub struct Sale {
    pub chain_id: i64,
    pub address: Addr,
    pub transaction_hash: Hash32,
    pub creator: Addr,
    pub vault: Addr,
    pub mode: String,
    pub owner: Addr,
    pub pending_owner: Option<Addr>,
    pub compliance: Addr,
    pub voucher_signer: Addr,
    pub voucher_epoch: Amount,
    pub paused: bool,
    pub beneficiary: Addr,
    pub token: Addr,
    pub token_kind: Option<String>,
    pub token_symbol: String,
    pub token_name: String,
    pub token_decimals: i16,
    pub currency: Addr,
    pub currency_symbol: String,
    pub currency_name: String,
    pub currency_decimals: i16,
    pub opens: i64,
    pub closes: i64,
    pub soft_cap: Amount,
    pub hard_cap: Amount,
    pub min_paid: Amount,
    pub max_paid: Amount,
    pub tokens_for_sale: Amount,
    pub burn_unsold: bool,
    pub cooling_off: i64,
    pub vesting_at_once: i32,
    pub vesting_cliff: i64,
    pub vesting_duration: i64,
    pub tap_at_once: i32,
    pub tap_duration: i64,
    pub tap_objection: i32,
    pub name: String,
    pub sale_hash: Hash32,
    pub sale_uri: String,
    pub whitepaper_hash: Hash32,
    pub whitepaper_uri: String,
    pub state: String,
    pub chain_time: i64,
    pub raised: Sum,
    pub sold: Sum,
    pub contributions: i64,
    pub investors: i64,
    pub refunded: Sum,
    pub refunds: i64,
    pub claimed: Sum,
    pub claims: i64,
    pub released: Sum,
    pub withdrawn: Sum,
    pub withdrawals: i64,
    pub rejected: Sum,
    pub rejections: i64,
    pub kept: Sum,
    pub excess: Sum,
    pub excess_refunded: Sum,
    pub received: Sum,
    pub objected: Sum,
    pub rest_refunded: Sum,
    pub tap_rest: Option<Sum>,
    pub unswept: Sum,
    pub dust: Sum,
    pub in_vault: Sum,
    pub held: Sum,
    pub unclaimed: Sum,
    pub block_number: i64,
    pub log_index: i32,
    pub created_hash: Hash32,
    pub created_at: i64,
    pub settled_number: Option<i64>,
    pub settled_log_index: Option<i32>,
    pub settled_transaction: Option<Hash32>,
    pub settled_hash: Option<Hash32>,
    pub settled_at: Option<i64>,
    pub last_number: i64,
    pub last_log_index: i32,
    pub last_hash: Hash32,
}

/// A phase. Amounts in payment base units, times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// The chain.
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// Index in the sale.
    pub phase: i16,
    /// End of the phase before, or the opening.
    pub starts: i64,
    /// First second after it.
    pub ends: i64,
    /// Cumulative cap.
    pub raised_up_to: Amount,
    /// Payment base units per 1e18 token base units.
    pub price: Amount,
    /// Who may contribute: `open`, `voucher` or `merkle`.
    pub gate: String,
    /// Root of a list.
    pub root: Hash32,
}

/// What a list of sales is narrowed to; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleFilter {
    /// Sales on this chain.
    pub chain_id: Option<i64>,
    /// Sales in this state.
    pub state: Option<String>,
    /// Sales of this owner.
    pub owner: Option<Addr>,
    /// Sales of this token.
    pub token: Option<Addr>,
    /// Sales paid in this currency.
    pub currency: Option<Addr>,
    /// Sales with this in their name or in their token's symbol or name, whatever the case.
    pub text: Option<String>,
}

macro_rules! sales {
    ($tail:tt $(+ $more:tt)*, $($argument:expr),+) => {
        sqlx::query_as!(
            Sale,
            r#"SELECT chain_id AS "chain_id!", address AS "address!: Addr", transaction_hash AS "transaction_hash!: Hash32",
                      creator AS "creator!: Addr", vault AS "vault!: Addr", mode AS "mode!", owner AS "owner!: Addr",
                      pending_owner AS "pending_owner?: Addr", compliance AS "compliance!: Addr",
                      voucher_signer AS "voucher_signer!: Addr", voucher_epoch AS "voucher_epoch!: Amount", paused AS "paused!",
                      token_kind AS "token_kind?", cooling_off AS "cooling_off!", vesting_at_once AS "vesting_at_once!",
                      vesting_cliff AS "vesting_cliff!", vesting_duration AS "vesting_duration!", tap_at_once AS "tap_at_once!",
                      tap_duration AS "tap_duration!", tap_objection AS "tap_objection!", withdrawn AS "withdrawn!: Sum",
                      withdrawals AS "withdrawals!", rejected AS "rejected!: Sum", rejections AS "rejections!",
                      kept AS "kept!: Sum", excess AS "excess!: Sum", excess_refunded AS "excess_refunded!: Sum",
                      received AS "received!: Sum", objected AS "objected!: Sum", rest_refunded AS "rest_refunded!: Sum",
                      tap_rest AS "tap_rest?: Sum", unswept AS "unswept!: Sum", dust AS "dust!: Sum",
                      in_vault AS "in_vault!: Sum",
                      beneficiary AS "beneficiary!: Addr", token AS "token!: Addr", token_symbol AS "token_symbol!",
                      token_name AS "token_name!", token_decimals AS "token_decimals!", currency AS "currency!: Addr",
                      currency_symbol AS "currency_symbol!", currency_name AS "currency_name!",
                      currency_decimals AS "currency_decimals!", opens AS "opens!", closes AS "closes!", soft_cap AS "soft_cap!",
                      hard_cap AS "hard_cap!", min_paid AS "min_paid!", max_paid AS "max_paid!",
                      tokens_for_sale AS "tokens_for_sale!", burn_unsold AS "burn_unsold!", name AS "name!",
                      sale_hash AS "sale_hash!: Hash32", sale_uri AS "sale_uri!", whitepaper_hash AS "whitepaper_hash!: Hash32",
                      whitepaper_uri AS "whitepaper_uri!", state AS "state!", chain_time AS "chain_time!",
                      raised AS "raised!: Sum", sold AS "sold!: Sum", contributions AS "contributions!",
                      investors AS "investors!", refunded AS "refunded!: Sum", refunds AS "refunds!", claimed AS "claimed!: Sum",
                      claims AS "claims!", released AS "released!: Sum", held AS "held!: Sum", unclaimed AS "unclaimed!: Sum",
                      block_number AS "block_number!", log_index AS "log_index!", created_hash AS "created_hash!: Hash32",
                      created_at AS "created_at!", settled_number AS "settled_number?", settled_log_index AS "settled_log_index?",
                      settled_transaction AS "settled_transaction?: Hash32", settled_hash AS "settled_hash?: Hash32",
                      settled_at AS "settled_at?", last_number AS "last_number!", last_log_index AS "last_log_index!",
                      last_hash AS "last_hash!: Hash32"
               FROM sale_overview WHERE "# + $tail $(+ $more)*,
            $($argument),+
        )
    };
}

/// The sale, if it is known.
pub async fn find(connection: &mut PgConnection, chain_id: i64, address: Addr) -> Result<Option<Sale>, DbError> {
    Ok(sales!("chain_id = $1 AND address = $2", chain_id, address as _).fetch_optional(connection).await?)
}

/// The sales of these keys, in no particular order.
pub async fn list_by_key(connection: &mut PgConnection, keys: &[(i64, Addr)]) -> Result<Vec<Sale>, DbError> {
    let (chains, addresses): (Vec<i64>, Vec<Addr>) = keys.iter().copied().unzip();
    Ok(sales!("(chain_id, address) IN (SELECT * FROM UNNEST($1::bigint[], $2::bytea[]))", &chains, &addresses[..] as _)
        .fetch_all(connection)
        .await?)
}

/// The keys of sales by chain, newest first in each, after the `(chain, block, log index)` of `after`.
async fn list_keys(
    connection: &mut PgConnection,
    filter: &SaleFilter,
    after: Option<(i64, i64, i32)>,
    limit: i64,
) -> Result<Vec<(i64, Addr)>, DbError> {
    let (chain, block, log) = after.unwrap_or((-1, i64::MAX, i32::MAX));
    // Which of the conditions there are decides how the rows are found, and this is quick to plan.
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *connection).await?;
    // Two statements: one walks the newest sales, the other begins with those that have the text.
    macro_rules! page {
        ($text:tt $(, $argument:expr)?) => {
            sqlx::query!(
                r#"SELECT chain_id AS "chain_id!", address AS "address!: Addr" FROM sale_now
                   WHERE chain_id >= $1 AND (chain_id > $1 OR (block_number, log_index) < ($2, $3))
                     AND ($5::bigint IS NULL OR chain_id = $5)
                     AND ($6::text IS NULL OR state = $6)
                     AND ($7::bytea IS NULL OR owner = $7)
                     AND ($8::bytea IS NULL OR token = $8)
                     AND ($9::bytea IS NULL OR currency = $9)"# + $text + " ORDER BY chain_id, block_number DESC, log_index DESC LIMIT $4",
                chain,
                block,
                log,
                limit,
                filter.chain_id,
                filter.state.as_deref(),
                filter.owner as _,
                filter.token as _,
                filter.currency as _
                $(, $argument)?
            )
            .fetch_all(&mut *connection)
            .await?
            .into_iter()
            .map(|row| (row.chain_id, row.address))
            .collect()
        };
    }
    let keys = match filter.text.as_deref() {
        None => page!(""),
        // The pieces find every sale that can have it; comparing tells which has.
        Some(text) => page!(
            " AND (chain_id, address) IN (
                SELECT m.chain_id, m.address FROM sale m
                WHERE search_pieces(search_text(m.name)) @> search_pieces(search_text($10))
                    AND strpos(search_text(m.name), search_text($10)) > 0
                UNION
                SELECT m.chain_id, m.address FROM currency u JOIN sale m ON m.chain_id = u.chain_id AND m.token = u.address
                WHERE search_pieces(search_text(u.symbol || chr(10) || u.name)) @> search_pieces(search_text($10))
                    AND strpos(search_text(u.symbol || chr(10) || u.name), search_text($10)) > 0)",
            text
        ),
    };
    sqlx::query!("SET LOCAL plan_cache_mode = force_generic_plan").execute(&mut *connection).await?;
    Ok(keys)
}

/// Sales by chain, newest first in each, after the `(chain, block, log index)` of `after`. Found first and read then: to plan everything
/// that is read takes longer than both.
pub async fn list(
    connection: &mut PgConnection,
    filter: &SaleFilter,
    after: Option<(i64, i64, i32)>,
    limit: i64,
) -> Result<Vec<Sale>, DbError> {
    let keys = list_keys(connection, filter, after, limit).await?;
    let mut sales = list_by_key(connection, &keys).await?;
    sales.sort_by_key(|sale| (sale.chain_id, Reverse((sale.block_number, sale.log_index))));
    Ok(sales)
}

/// The phases of these sales, by sale and index.
pub async fn list_phases(connection: &mut PgConnection, keys: &[(i64, Addr)]) -> Result<Vec<Phase>, DbError> {
    let (chains, addresses): (Vec<i64>, Vec<Addr>) = keys.iter().copied().unzip();
    Ok(sqlx::query_as!(
        Phase,
        r#"SELECT p.chain_id, p.sale AS "sale: _", p.phase, p.starts, p.ends, p.raised_up_to, p.price, p.gate,
                  p.root AS "root: _"
           FROM UNNEST($1::bigint[], $2::bytea[]) AS k (chain_id, sale)
           JOIN sale_phase p ON p.chain_id = k.chain_id AND p.sale = k.sale
           ORDER BY p.chain_id, p.sale, p.phase"#,
        &chains,
        &addresses[..] as _
    )
    .fetch_all(connection)
    .await?)
}
