//! `webhook_delivery`, `webhook_attempt`: messages, from when they are added until they have arrived or were given up.

use sqlx::PgConnection;

use crate::db::DbError;

/// A message on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The `webhook-id`.
    pub id: String,
    /// Whom it is for.
    pub webhook: String,
    /// The type of its event.
    pub kind: String,
    /// As it is signed and sent.
    pub body: String,
}

/// A message and how it stands. Times are Unix seconds of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The `webhook-id`.
    pub id: String,
    /// Its place among all.
    pub number: i64,
    /// The type of its event.
    pub kind: String,
    /// As it is signed and sent.
    pub body: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// Attempts in all.
    pub attempts: i32,
    /// When it was added.
    pub created_at: i64,
    /// When it is next sent, if it is.
    pub next_at: Option<i64>,
    /// When it was delivered or given up.
    pub ended_at: Option<i64>,
    /// Status of the last answer.
    pub last_status: Option<i16>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Which, from one.
    pub number: i32,
    /// When it ended, Unix seconds.
    pub at: i64,
    /// Status of the answer, if there was one.
    pub status: Option<i16>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: i64,
}

/// A message that was taken to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The `webhook-id`.
    pub id: String,
    /// Whom it is for.
    pub webhook: String,
    /// Where to.
    pub url: String,
    /// As it is signed and sent.
    pub body: String,
    /// Attempts since it was last set going.
    pub tries: i32,
    /// Tells this taking from later ones.
    pub taken: i64,
}

/// How an attempt ended, and what becomes of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Status of the answer, if there was one.
    pub status: Option<i16>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: i64,
    /// `pending`, `delivered` or `dead`.
    pub state: &'static str,
    /// Milliseconds until it is sent again, if it is.
    pub again_in: i64,
}

/// Messages that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: i64,
    /// Seconds since the oldest was added.
    pub oldest_seconds: i64,
}

/// Attempts that are kept of a message.
const KEPT_ATTEMPTS: i32 = 20;

macro_rules! rows {
    ($rest:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            DeliveryRow,
            r#"SELECT d.id, d.number, d.type AS kind, d.body, d.state, d.attempts,
                      extract(epoch FROM d.created_at)::bigint AS "created_at!",
                      CASE WHEN d.state = 'pending' THEN extract(epoch FROM d.next_at)::bigint END AS "next_at?",
                      extract(epoch FROM d.ended_at)::bigint AS ended_at,
                      a.status AS "last_status?", a.error AS "last_error?"
               FROM crowdsale_service.webhook_delivery d
               LEFT JOIN crowdsale_service.webhook_attempt a ON a.delivery = d.id AND a.number = d.attempts "# + $rest,
            $($argument),*
        )
    };
}

/// Adds messages; those that are there already stay as they are. How many were new.
pub async fn insert(connection: &mut PgConnection, new: &[NewDelivery]) -> Result<u64, DbError> {
    let of = |field: fn(&NewDelivery) -> &String| new.iter().map(|n| field(n).clone()).collect::<Vec<_>>();
    let done = sqlx::query!(
        // From webhook: one may have been removed meanwhile.
        "INSERT INTO crowdsale_service.webhook_delivery (id, webhook, type, body)
         SELECT n.id, n.webhook, n.type, n.body
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS n (id, webhook, type, body, place)
         WHERE EXISTS (SELECT FROM crowdsale_service.webhook w WHERE w.id = n.webhook)
         ORDER BY n.place ON CONFLICT (id) DO NOTHING",
        &of(|n| &n.id),
        &of(|n| &n.webhook),
        &of(|n| &n.kind),
        &of(|n| &n.body)
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// One message of a webhook.
pub async fn find(connection: &mut PgConnection, webhook: &str, id: &str) -> Result<Option<DeliveryRow>, DbError> {
    Ok(rows!("WHERE d.webhook = $1 AND d.id = $2", webhook, id).fetch_optional(connection).await?)
}

/// Messages of a webhook, the newest first, of those before `before`.
pub async fn list(
    connection: &mut PgConnection,
    webhook: &str,
    state: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, DbError> {
    let before = before.unwrap_or(i64::MAX);
    // Compared and ordered by all that is in the index, so that no other has this order.
    Ok(match state {
        None => {
            rows!(
                "WHERE (d.webhook, d.number) > ($1, 0) AND (d.webhook, d.number) < ($1, $2)
                 ORDER BY d.webhook DESC, d.number DESC LIMIT $3",
                webhook,
                before,
                limit
            )
            .fetch_all(connection)
            .await?
        }
        Some(state) => {
            rows!(
                "WHERE (d.webhook, d.state, d.number) > ($1, $4, 0) AND (d.webhook, d.state, d.number) < ($1, $4, $2)
                 ORDER BY d.webhook DESC, d.state DESC, d.number DESC LIMIT $3",
                webhook,
                before,
                limit,
                state
            )
            .fetch_all(connection)
            .await?
        }
    })
}

/// The last attempts of a message, the newest first.
pub async fn attempts(connection: &mut PgConnection, id: &str) -> Result<Vec<AttemptRow>, DbError> {
    Ok(sqlx::query_as!(
        AttemptRow,
        r#"SELECT number, extract(epoch FROM at)::bigint AS "at!", status, error, milliseconds
           FROM crowdsale_service.webhook_attempt WHERE delivery = $1 ORDER BY number DESC"#,
        id
    )
    .fetch_all(connection)
    .await?)
}

/// Sends a message again from now on, whatever became of it.
pub async fn replay(connection: &mut PgConnection, webhook: &str, id: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.webhook_delivery SET state = 'pending', tries = 0, next_at = now(), ended_at = NULL
         WHERE webhook = $1 AND id = $2",
        webhook,
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The same of the oldest messages of a webhook that were given up, and were added at this Unix second or later; of so many at most. How
/// many there were.
pub async fn replay_dead(
    connection: &mut PgConnection,
    webhook: &str,
    since: Option<i64>,
    most: i64,
) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "UPDATE crowdsale_service.webhook_delivery SET state = 'pending', tries = 0, next_at = now(), ended_at = NULL
         WHERE id IN (SELECT id FROM crowdsale_service.webhook_delivery
                      WHERE webhook = $1 AND state = 'dead' AND created_at >= to_timestamp(coalesce($2::bigint, 0))
                      ORDER BY number LIMIT $3)",
        webhook,
        since,
        most
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Takes messages that are due, the oldest first: of each webhook as many as are free, of `busy` that many less. They are the taker's for
/// `lease` milliseconds.
pub async fn take(
    connection: &mut PgConnection,
    each: i64,
    busy: &[(String, i64)],
    most: i64,
    lease: i64,
) -> Result<Vec<Taken>, DbError> {
    let (ids, counts): (Vec<String>, Vec<i64>) = busy.iter().cloned().unzip();
    Ok(sqlx::query_as!(
        Taken,
        r#"WITH due AS MATERIALIZED (
               SELECT d.id, w.url
               FROM crowdsale_service.webhook w
               LEFT JOIN unnest($2::text[], $3::bigint[]) AS b (webhook, count) ON b.webhook = w.id
               CROSS JOIN LATERAL (
                   SELECT id, next_at FROM crowdsale_service.webhook_delivery
                   WHERE webhook = w.id AND state = 'pending' AND next_at <= now()
                   ORDER BY next_at LIMIT greatest(0, $1::bigint - coalesce(b.count, 0))
                   FOR UPDATE SKIP LOCKED) d
               WHERE w.disabled IS NULL AND crowdsale_service.may_have_webhooks(w.owner)
               ORDER BY d.next_at LIMIT $4)
           UPDATE crowdsale_service.webhook_delivery t
           SET taken = t.taken + 1, next_at = now() + make_interval(secs => $5::bigint / 1000.0)
           FROM due WHERE t.id = due.id
           RETURNING t.id, t.webhook, due.url, t.body, t.tries, t.taken"#,
        each,
        &ids,
        &counts,
        most,
        lease
    )
    .fetch_all(connection)
    .await?)
}

/// Notes how an attempt ended. False where another has taken the message since, or it is gone: what becomes of it is theirs to say.
pub async fn finish(connection: &mut PgConnection, taken: &Taken, outcome: &Outcome) -> Result<bool, DbError> {
    let attempts = sqlx::query_scalar!(
        "UPDATE crowdsale_service.webhook_delivery
         SET state = $3, attempts = attempts + 1, tries = tries + 1,
             next_at = now() + make_interval(secs => $4::bigint / 1000.0),
             ended_at = CASE WHEN $3 <> 'pending' THEN now() END
         WHERE id = $1 AND taken = $2 AND state = 'pending' RETURNING attempts",
        taken.id,
        taken.taken,
        outcome.state,
        outcome.again_in
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(number) = attempts else { return Ok(false) };
    sqlx::query!(
        "INSERT INTO crowdsale_service.webhook_attempt (delivery, number, status, error, milliseconds)
         VALUES ($1, $2, $3, $4, $5)",
        taken.id,
        number,
        outcome.status,
        outcome.error,
        outcome.milliseconds
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "DELETE FROM crowdsale_service.webhook_attempt WHERE delivery = $1 AND number <= $2",
        taken.id,
        number - KEPT_ATTEMPTS
    )
    .execute(connection)
    .await?;
    Ok(true)
}

/// Forgets some messages that were delivered, or given up, so many seconds ago. How many.
pub async fn prune(
    connection: &mut PgConnection,
    delivered_seconds: i64,
    dead_seconds: i64,
    most: i64,
) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "DELETE FROM crowdsale_service.webhook_delivery WHERE id IN (
             SELECT id FROM crowdsale_service.webhook_delivery
             WHERE state <> 'pending' AND ended_at < now() - make_interval(secs => least($1::bigint, $2::bigint))
               AND ended_at < now() - make_interval(secs => CASE state WHEN 'dead' THEN $2 ELSE $1 END)
             ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
        delivered_seconds,
        dead_seconds,
        most
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// What waits to be sent, to webhooks that are enabled.
pub async fn waiting(connection: &mut PgConnection) -> Result<Waiting, DbError> {
    Ok(sqlx::query_as!(
        Waiting,
        r#"SELECT count(*) AS "count!",
                  coalesce(greatest(0, extract(epoch FROM now() - min(d.created_at))), 0)::bigint AS "oldest_seconds!"
           FROM crowdsale_service.webhook_delivery d JOIN crowdsale_service.webhook w ON w.id = d.webhook
           WHERE d.state = 'pending' AND w.disabled IS NULL"#
    )
    .fetch_one(connection)
    .await?)
}
