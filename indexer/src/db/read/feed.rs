//! What is told as it happens: the outbox, and the events that its entries speak of.

use sqlx::PgConnection;

use super::Sum;
use crate::{
    db::DbError,
    types::{Addr, Hash32},
};

/// What an entry of the outbox says of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Their events were seen.
    Observed,
    /// Their events are final.
    Finalized,
    /// They were reorged away, and their events with them.
    Reorged,
}

/// An entry of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number; of one chain they only grow.
    pub seq: i64,
    /// What it says.
    pub stage: Stage,
    /// The lowest block that it is about.
    pub from_block: i64,
    /// The highest.
    pub to_block: i64,
}

/// An event and what is needed to show it. Which fields a kind has is said at `sale_activity` in the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented at the SQL view")]
pub struct FeedEvent {
    pub block_number: i64,
    pub log_index: i32,
    pub block_hash: Hash32,
    pub timestamp: i64,
    pub transaction_hash: Hash32,
    pub kind: String,
    pub sale: Addr,
    pub account: Option<Addr>,
    pub recipient: Option<Addr>,
    pub actor: Option<Addr>,
    pub amount: Option<Sum>,
    pub tokens: Option<Sum>,
    pub word: Option<String>,
    pub currency_symbol: String,
    pub currency_decimals: i16,
    pub token_symbol: String,
    pub token_decimals: i16,
}

/// Whose events are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Those of a sale.
    pub sale: Option<Addr>,
    /// Those in which a wallet has a part.
    pub wallet: Option<Addr>,
}

impl Audience {
    /// Whether the event is for it.
    pub fn hears(&self, event: &FeedEvent) -> bool {
        self.sale.is_none_or(|sale| sale == event.sale)
            && self.wallet.is_none_or(|w| [event.account, event.recipient, event.actor].contains(&Some(w)))
    }
}

/// Where in the feed somebody is: behind this event of this entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The entry.
    pub seq: i64,
    /// Block and log index of the event.
    pub event: (i64, i32),
}

impl Position {
    /// Behind the whole entry.
    pub fn behind(seq: i64) -> Self {
        Self { seq, event: (i64::MAX, i32::MAX) }
    }
}

/// The entries that there are of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The chain.
    pub chain_id: i64,
    /// The newest.
    pub newest: i64,
    /// The newest of those that are forgotten.
    pub forgotten: i64,
}

impl Ends {
    /// Whether something behind this place is forgotten, so that nothing can be told on from there.
    pub fn has_forgotten(&self, position: Position) -> bool {
        position < Position::behind(self.forgotten)
    }
}

/// The entries of each chain.
pub async fn ends(connection: &mut PgConnection) -> Result<Vec<Ends>, DbError> {
    Ok(sqlx::query_as!(
        Ends,
        r#"SELECT c.chain_id AS "chain_id!", coalesce(f.seq, 0) AS "forgotten!",
                  greatest((SELECT max(seq) FROM outbox o WHERE o.chain_id = c.chain_id), f.seq, 0) AS "newest!"
           FROM chain c LEFT JOIN outbox_forgotten f ON f.chain_id = c.chain_id"#
    )
    .fetch_all(connection)
    .await?)
}

/// The entries of a chain.
pub async fn ends_of(connection: &mut PgConnection, chain_id: i64) -> Result<Ends, DbError> {
    let all = ends(connection).await?;
    Ok(all.into_iter().find(|ends| ends.chain_id == chain_id).unwrap_or(Ends { chain_id, ..Ends::default() }))
}

/// Entries from `seq` on, in their order.
pub async fn entries(
    connection: &mut PgConnection,
    chain_id: i64,
    seq: i64,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query!(
        "SELECT seq, kind, from_block, to_block FROM outbox WHERE chain_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        chain_id,
        seq,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry {
            seq: row.seq,
            stage: match row.kind.as_str() {
                "reverted" => Stage::Reorged,
                "finalized" => Stage::Finalized,
                _ => Stage::Observed,
            },
            from_block: row.from_block,
            to_block: row.to_block,
        })
        .collect())
}

/// Entries from `seq` on that took something back: number and lowest block.
pub async fn reverts(connection: &mut PgConnection, chain_id: i64, seq: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let rows = sqlx::query!(
        "SELECT seq, from_block FROM outbox WHERE chain_id = $1 AND seq >= $2 AND kind = 'reverted' ORDER BY seq",
        chain_id,
        seq
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.from_block)).collect())
}

/// Events of blocks `from` to `to` that are there now, behind `after`, in their order.
pub async fn events(
    connection: &mut PgConnection,
    chain_id: i64,
    (from, to): (i64, i64),
    after: (i64, i32),
    audience: Audience,
    limit: i64,
) -> Result<Vec<FeedEvent>, DbError> {
    // One bound from below: of two, the database begins at the one that says less, and walks over all there is before the other.
    let after = after.max((from - 1, i32::MAX));
    Ok(sqlx::query_as!(
        FeedEvent,
        r#"SELECT e.block_number AS "block_number!", e.log_index AS "log_index!", b.hash AS "block_hash!: _",
                  b.timestamp AS "timestamp!", e.transaction_hash AS "transaction_hash!: _", e.kind AS "kind!",
                  e.sale AS "sale!: _", e.account AS "account?: _", e.recipient AS "recipient?: _", e.actor AS "actor?: _",
                  e.amount AS "amount?: Sum", e.tokens AS "tokens?: Sum", e.word AS "word?",
                  e.currency_symbol AS "currency_symbol!", e.currency_decimals AS "currency_decimals!",
                  e.token_symbol AS "token_symbol!", e.token_decimals AS "token_decimals!"
           FROM feed_event e JOIN block b ON b.chain_id = e.chain_id AND b.number = e.block_number
           WHERE e.chain_id = $1 AND (e.block_number, e.log_index) > ($2, $3) AND e.block_number <= $4
             AND ($5::bytea IS NULL OR e.sale = $5) AND ($6::bytea IS NULL OR $6 IN (e.account, e.recipient, e.actor))
           ORDER BY e.block_number, e.log_index LIMIT $7"#,
        chain_id,
        after.0,
        after.1,
        to,
        audience.sale as _,
        audience.wallet as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}

/// Events that the entry `seq` took back, without amounts where their sale is gone too, as nothing says what they were of; behind `after` and up to `up_to`, in their order.
pub async fn reverted(
    connection: &mut PgConnection,
    chain_id: i64,
    seq: i64,
    (after, up_to): ((i64, i32), (i64, i32)),
    audience: Audience,
    limit: i64,
) -> Result<Vec<FeedEvent>, DbError> {
    Ok(sqlx::query_as!(
        FeedEvent,
        r#"SELECT r.at_block AS block_number, r.at_log AS log_index, r.block_hash AS "block_hash: _",
                  r.block_time AS timestamp, r.transaction_hash AS "transaction_hash: _", r.kind, r.sale AS "sale: _",
                  r.account AS "account: _", r.recipient AS "recipient: _", r.actor AS "actor: _",
                  CASE WHEN s.address IS NOT NULL THEN r.amount END AS "amount: Sum",
                  CASE WHEN s.address IS NOT NULL THEN r.tokens END AS "tokens: Sum", r.word,
                  coalesce(money.symbol, '') AS "currency_symbol!", coalesce(money.decimals, 0::smallint) AS "currency_decimals!",
                  coalesce(token.symbol, '') AS "token_symbol!", coalesce(token.decimals, 0::smallint) AS "token_decimals!"
           FROM reverted_event r
           LEFT JOIN sale s ON s.chain_id = r.chain_id AND s.address = r.sale
           LEFT JOIN currency money ON money.chain_id = s.chain_id AND money.address = s.currency
           LEFT JOIN currency token ON token.chain_id = s.chain_id AND token.address = s.token
           WHERE r.chain_id = $1 AND r.seq = $2 AND (r.at_block, r.at_log) > ($3, $4) AND (r.at_block, r.at_log) <= ($5, $6)
             AND ($7::bytea IS NULL OR r.sale = $7) AND ($8::bytea IS NULL OR $8 IN (r.account, r.recipient, r.actor))
           ORDER BY r.at_block, r.at_log LIMIT $9"#,
        chain_id,
        seq,
        after.0,
        after.1,
        up_to.0,
        up_to.1,
        audience.sale as _,
        audience.wallet as _,
        limit
    )
    .fetch_all(connection)
    .await?)
}
