//! `api_key`: keys of the API. A key itself is nowhere here, only what it can be recognised by.

use sqlx::PgConnection;

use crate::db::DbError;

/// A key, as it is shown. Times are Unix seconds of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// What it is named by.
    pub id: String,
    /// The first key of those that took each other's place by rotation; itself, if it was made anew.
    pub family: String,
    /// What it is for, in its maker's words.
    pub label: String,
    /// The beginning of the key; of one that signs, `ed25519_` and a fingerprint.
    pub prefix: String,
    /// What verifies its signatures, if it is one that signs.
    pub public_key: Option<Vec<u8>>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Where it may be used from; everywhere if empty.
    pub networks: Vec<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it ends by itself, if it does.
    pub expires_at: Option<i64>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<i64>,
    /// The key that takes its place, if it was rotated.
    pub replaced_by: Option<String>,
    /// About when it was last used.
    pub last_used_at: Option<i64>,
    /// `active`, `expired` or `revoked`, as of now.
    pub state: String,
}

impl KeyRow {
    /// Whether it is good for anything.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

/// A key on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// What it is named by.
    pub id: &'a str,
    /// The first key of those that it continues.
    pub family: &'a str,
    /// What it is for.
    pub label: &'a str,
    /// The beginning of the key.
    pub prefix: &'a str,
    /// Keyed hash of the key, if it is one that is sent.
    pub hash: Option<&'a [u8]>,
    /// What verifies its signatures, if it is one that signs.
    pub public_key: Option<&'a [u8]>,
    /// What it may do.
    pub scopes: &'a [String],
    /// Where it may be used from.
    pub networks: &'a [String],
    /// When it ends, Unix seconds.
    pub expires_at: Option<i64>,
}

/// Columns of a [`KeyRow`], for every query of one.
macro_rules! rows {
    ($rest:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            KeyRow,
            r#"SELECT id, family, label, prefix, public_key, scopes, networks, extract(epoch FROM created_at)::bigint AS "created_at!",
                      extract(epoch FROM expires_at)::bigint AS expires_at,
                      extract(epoch FROM revoked_at)::bigint AS revoked_at, replaced_by,
                      extract(epoch FROM last_used_at)::bigint AS last_used_at,
                      CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired'
                           ELSE 'active' END AS "state!"
               FROM crowdsale_service.api_key "# + $rest,
            $($argument),*
        )
    };
}

/// Adds a key.
pub async fn insert(connection: &mut PgConnection, key: NewKey<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.api_key (id, family, label, prefix, hash, public_key, scopes, networks, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::bigint))",
        key.id,
        key.family,
        key.label,
        key.prefix,
        key.hash,
        key.public_key,
        key.scopes,
        key.networks,
        key.expires_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The key that begins like this, with its hash.
pub async fn find_by_prefix(connection: &mut PgConnection, prefix: &str) -> Result<Option<(KeyRow, Vec<u8>)>, DbError> {
    let Some(row) = rows!("WHERE prefix = $1", prefix).fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let hash = sqlx::query_scalar!("SELECT hash FROM crowdsale_service.api_key WHERE id = $1", row.id)
        .fetch_one(connection)
        .await?;
    // Of a key that signs there is none, and nothing has such a hash.
    Ok(Some((row, hash.unwrap_or_default())))
}

/// Whether there is a key that signs with this.
pub async fn knows_public_key(connection: &mut PgConnection, public_key: &[u8]) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM crowdsale_service.api_key WHERE public_key = $1) AS "known!""#,
        public_key
    );
    Ok(found.fetch_one(connection).await?)
}

/// One key, kept as it is until the transaction ends.
pub async fn find_for_change(connection: &mut PgConnection, id: &str) -> Result<Option<KeyRow>, DbError> {
    Ok(rows!("WHERE id = $1 FOR UPDATE", id).fetch_optional(connection).await?)
}

/// One key.
pub async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<KeyRow>, DbError> {
    Ok(rows!("WHERE id = $1", id).fetch_optional(connection).await?)
}

/// Keys by id, those behind `after`.
pub async fn list(connection: &mut PgConnection, after: Option<&str>, limit: i64) -> Result<Vec<KeyRow>, DbError> {
    Ok(rows!("WHERE id > coalesce($1, '') ORDER BY id LIMIT $2", after, limit).fetch_all(connection).await?)
}

/// Ends a key at once. Nothing where that was done before.
pub async fn revoke(connection: &mut PgConnection, id: &str) -> Result<(), DbError> {
    sqlx::query!("UPDATE crowdsale_service.api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Another takes a key's place, which goes on for so many seconds at most.
pub async fn replace(connection: &mut PgConnection, id: &str, by: &str, grace_seconds: i64) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.api_key
         SET replaced_by = $2, expires_at = least(expires_at, now() + make_interval(secs => $3::bigint))
         WHERE id = $1",
        id,
        by,
        grace_seconds
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a key was used; not more often than every five minutes, or every request would write.
pub async fn touch(connection: &mut PgConnection, id: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE crowdsale_service.api_key SET last_used_at = now()
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '5 minutes')",
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}
