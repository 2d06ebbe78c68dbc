//! `webhook`, `webhook_secret`, `webhook_cursor`: who is told, what messages are signed with, and how far each has been told.

use sqlx::PgConnection;

use crate::{
    db::{DbError, read::feed::Position},
    types::Addr,
};

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// What it is named by.
    pub id: String,
    /// Who made it.
    pub owner: String,
    /// What it is for, in its maker's words.
    pub label: String,
    /// Where messages are sent.
    pub url: String,
    /// Types of events, or all of a subject as `contribution.*`; every event if empty.
    pub events: Vec<String>,
    /// Of this chain alone.
    pub chain_id: Option<i64>,
    /// Of this sale alone.
    pub sale: Option<Addr>,
    /// `owner` or `gone`, while nothing is sent to it.
    pub disabled: Option<String>,
    /// When it was made, Unix seconds.
    pub created_at: i64,
    /// The public key of its present secret.
    pub public_key: String,
}

/// A webhook on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewWebhook<'a> {
    /// What it is named by.
    pub id: &'a str,
    /// Who makes it.
    pub owner: &'a str,
    /// What it is for.
    pub label: &'a str,
    /// Where messages are sent.
    pub url: &'a str,
    /// Types of events.
    pub events: &'a [String],
    /// Of this chain alone.
    pub chain_id: Option<i64>,
    /// Of this sale alone.
    pub sale: Option<Addr>,
}

/// What is changed of a webhook; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// Where messages are sent.
    pub url: Option<&'a str>,
    /// What it is for.
    pub label: Option<&'a str>,
    /// Types of events.
    pub events: Option<&'a [String]>,
    /// Whether anything is sent to it.
    pub enabled: Option<bool>,
}

/// A secret that messages are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    /// What it is named by.
    pub id: String,
    /// Key of the HMAC.
    pub hmac_sealed: Vec<u8>,
    /// Seed of the ed25519 key.
    pub ed25519_sealed: Vec<u8>,
    /// As it is shown.
    pub public_key: String,
    /// When it ends, Unix seconds; the present one does not.
    pub ends_at: Option<i64>,
}

/// How far a webhook has been told of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorRow {
    /// The webhook.
    pub webhook: String,
    /// Its types of events.
    pub events: Vec<String>,
    /// Of this sale alone.
    pub sale: Option<Addr>,
    /// Where it is; before everything where nothing was told yet.
    pub position: Position,
    /// Events above were not told.
    pub untold_above: Option<(i64, i32)>,
}

macro_rules! rows {
    ($rest:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            WebhookRow,
            r#"SELECT w.id, w.owner, w.label, w.url, w.events, w.chain_id, w.sale AS "sale: _", w.disabled,
                      extract(epoch FROM w.created_at)::bigint AS "created_at!",
                      coalesce((SELECT s.public_key FROM crowdsale_service.webhook_secret s
                                WHERE s.webhook = w.id AND s.ends_at IS NULL), '') AS "public_key!"
               FROM crowdsale_service.webhook w "# + $rest,
            $($argument),*
        )
    };
}

/// Keeps others of the same owner out until the transaction ends, and counts what there is.
pub async fn count_alone(connection: &mut PgConnection, owner: &str) -> Result<i64, DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('crowdsale webhooks of ' || $1, 0))", owner)
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM crowdsale_service.webhook WHERE owner = $1"#, owner)
        .fetch_one(connection)
        .await?)
}

/// Adds a webhook.
pub async fn insert(connection: &mut PgConnection, new: NewWebhook<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.webhook (id, owner, label, url, events, chain_id, sale)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.owner,
        new.label,
        new.url,
        new.events,
        new.chain_id,
        new.sale as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One webhook of an owner.
pub async fn find(connection: &mut PgConnection, owner: &str, id: &str) -> Result<Option<WebhookRow>, DbError> {
    Ok(rows!("WHERE w.owner = $1 AND w.id = $2", owner, id).fetch_optional(connection).await?)
}

/// One webhook of an owner, kept as it is until the transaction ends.
pub async fn find_for_change(
    connection: &mut PgConnection,
    owner: &str,
    id: &str,
) -> Result<Option<WebhookRow>, DbError> {
    Ok(rows!("WHERE w.owner = $1 AND w.id = $2 FOR UPDATE OF w", owner, id).fetch_optional(connection).await?)
}

/// Webhooks of an owner by id, those behind `after`.
pub async fn list(
    connection: &mut PgConnection,
    owner: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<WebhookRow>, DbError> {
    Ok(rows!("WHERE w.owner = $1 AND w.id > coalesce($2, '') ORDER BY w.id LIMIT $3", owner, after, limit)
        .fetch_all(connection)
        .await?)
}

/// Changes a webhook.
pub async fn update(connection: &mut PgConnection, id: &str, changes: Changes<'_>) -> Result<(), DbError> {
    let Changes { url, label, events, enabled } = changes;
    sqlx::query!(
        "UPDATE crowdsale_service.webhook SET url = coalesce($2, url), label = coalesce($3, label),
             events = coalesce($4, events),
             disabled = CASE WHEN $5::boolean IS NULL THEN disabled WHEN $5 THEN NULL ELSE coalesce(disabled, 'owner') END
         WHERE id = $1",
        id,
        url,
        label,
        events,
        enabled
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sends nothing more to it, as its receiver has asked; false where that was so already.
pub async fn disable_gone(connection: &mut PgConnection, id: &str) -> Result<bool, DbError> {
    let done =
        sqlx::query!("UPDATE crowdsale_service.webhook SET disabled = 'gone' WHERE id = $1 AND disabled IS NULL", id)
            .execute(connection)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Removes a webhook with all its messages; false where there was none.
pub async fn delete(connection: &mut PgConnection, owner: &str, id: &str) -> Result<bool, DbError> {
    let done = sqlx::query!("DELETE FROM crowdsale_service.webhook WHERE owner = $1 AND id = $2", owner, id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Adds a secret, which is the present one; the one before it goes on for so many seconds.
pub async fn add_secret(
    connection: &mut PgConnection,
    webhook: &str,
    secret: &SecretRow,
    overlap_seconds: i64,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.webhook_secret SET ends_at = now() + make_interval(secs => $2::bigint)
         WHERE webhook = $1 AND ends_at IS NULL",
        webhook,
        overlap_seconds
    )
    .execute(&mut *connection)
    .await?;
    // Those that have ended are good for nothing, and should be nowhere.
    sqlx::query!("DELETE FROM crowdsale_service.webhook_secret WHERE webhook = $1 AND ends_at <= now()", webhook)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "INSERT INTO crowdsale_service.webhook_secret (id, webhook, hmac_sealed, ed25519_sealed, public_key)
         VALUES ($1, $2, $3, $4, $5)",
        secret.id,
        webhook,
        secret.hmac_sealed,
        secret.ed25519_sealed,
        secret.public_key
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Secrets that sign now, the present one first.
pub async fn secrets(connection: &mut PgConnection, webhook: &str) -> Result<Vec<SecretRow>, DbError> {
    Ok(sqlx::query_as!(
        SecretRow,
        r#"SELECT id, hmac_sealed, ed25519_sealed, public_key, extract(epoch FROM ends_at)::bigint AS ends_at
           FROM crowdsale_service.webhook_secret WHERE webhook = $1 AND (ends_at IS NULL OR ends_at > now())
           ORDER BY ends_at DESC NULLS FIRST, created_at DESC"#,
        webhook
    )
    .fetch_all(connection)
    .await?)
}

/// Notes where a webhook begins on a chain.
pub async fn begin_at(connection: &mut PgConnection, webhook: &str, chain_id: i64, seq: i64) -> Result<(), DbError> {
    let position = Position::behind(seq);
    sqlx::query!(
        "INSERT INTO crowdsale_service.webhook_cursor (webhook, chain_id, seq, at_block, at_log)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        webhook,
        chain_id,
        seq,
        position.event.0,
        position.event.1
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The right to move cursors until the transaction ends; false where another process has it.
pub async fn claim_cursors(connection: &mut PgConnection) -> Result<bool, DbError> {
    // A transaction's and no session's: a pooler between may give every transaction another session.
    Ok(sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended('crowdsale webhook cursors', 0)) AS "claimed!""#
    )
    .fetch_one(connection)
    .await?)
}

/// Cursors of a chain that are not behind the entry `newest`, of webhooks that messages may be added to: enabled, and with fewer than
/// `most` that wait. By position.
pub async fn cursors_behind(
    connection: &mut PgConnection,
    chain_id: i64,
    newest: i64,
    most: i64,
) -> Result<Vec<CursorRow>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT w.id, w.events, w.sale AS "sale: Addr", coalesce(c.seq, 0) AS "seq!",
                  coalesce(c.at_block, $3) AS "at_block!", coalesce(c.at_log, $4) AS "at_log!", c.untold_block, c.untold_log
           FROM crowdsale_service.webhook w
           LEFT JOIN crowdsale_service.webhook_cursor c ON c.webhook = w.id AND c.chain_id = $1
           WHERE w.disabled IS NULL AND (w.chain_id IS NULL OR w.chain_id = $1)
             AND (coalesce(c.seq, 0), coalesce(c.at_block, $3), coalesce(c.at_log, $4)) <> ($2::bigint, $3::bigint, $4::integer)
             AND crowdsale_service.may_have_webhooks(w.owner)
             AND (SELECT count(*) FROM (SELECT FROM crowdsale_service.webhook_delivery d
                                        WHERE d.webhook = w.id AND d.state = 'pending' LIMIT $5) waiting) < $5
           ORDER BY 4, 5, 6, w.id"#,
        chain_id,
        newest,
        Position::behind(0).event.0,
        Position::behind(0).event.1,
        most
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CursorRow {
            webhook: row.id,
            events: row.events,
            sale: row.sale,
            position: Position { seq: row.seq, event: (row.at_block, row.at_log) },
            untold_above: row.untold_block.zip(row.untold_log),
        })
        .collect())
}

/// Moves the cursors of these webhooks to one place.
pub async fn move_cursors(
    connection: &mut PgConnection,
    webhooks: &[String],
    chain_id: i64,
    position: Position,
    untold_above: Option<(i64, i32)>,
) -> Result<(), DbError> {
    sqlx::query!(
        // From webhook: one may have been removed meanwhile.
        "INSERT INTO crowdsale_service.webhook_cursor (webhook, chain_id, seq, at_block, at_log, untold_block, untold_log)
         SELECT id, $2, $3, $4, $5, $6, $7 FROM crowdsale_service.webhook WHERE id = ANY ($1) FOR KEY SHARE
         ON CONFLICT (webhook, chain_id) DO UPDATE SET seq = excluded.seq, at_block = excluded.at_block,
             at_log = excluded.at_log, untold_block = excluded.untold_block, untold_log = excluded.untold_log",
        webhooks,
        chain_id,
        position.seq,
        position.event.0,
        position.event.1,
        untold_above.map(|u| u.0),
        untold_above.map(|u| u.1)
    )
    .execute(connection)
    .await?;
    Ok(())
}
