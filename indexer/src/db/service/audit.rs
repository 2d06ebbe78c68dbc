//! `audit`: every privileged act, each row chained to the one before it.

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::db::DbError;

/// An act on its way into the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Who did it.
    pub actor: String,
    /// What: `key.created` and the like.
    pub act: &'static str,
    /// What it was done to.
    pub subject: String,
    /// Where it came from, over the network.
    pub client: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// What else there is to say. Never a secret.
    pub detail: Option<String>,
}

/// An act in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place, from one.
    pub id: i64,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
    /// Who did it.
    pub actor: String,
    /// What.
    pub act: String,
    /// What it was done to.
    pub subject: String,
    /// Where it came from, over the network.
    pub client: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
    /// Hash of the row before it.
    pub previous: Vec<u8>,
    /// Hash of all of this.
    pub hash: Vec<u8>,
}

impl AuditRow {
    /// The hash that it has to have: computed here too, as whoever can change rows can change what the database computes.
    pub fn right_hash(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(&self.previous);
        let (id, at) = (self.id.to_string(), self.at_micros.to_string());
        let optional = [&self.client, &self.request_id, &self.detail].map(Option::as_deref);
        let fields = [&id, &at, &self.actor, &self.act, &self.subject].map(|f| Some(f.as_str()));
        for field in fields.into_iter().chain(optional) {
            match field {
                Some(value) => digest.update(format!("{}:{value},", value.len())),
                None => digest.update("-,"),
            }
        }
        digest.finalize().into()
    }
}

/// Adds an act. In the transaction of the act itself, so that neither is without the other; last, as others wait from here on.
pub async fn append(connection: &mut PgConnection, entry: &Entry) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO crowdsale_service.audit (actor, act, subject, client, request_id, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        entry.actor,
        entry.act,
        entry.subject,
        entry.client,
        entry.request_id,
        entry.detail
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// [`append`], unless the same act of the same actor on the same subject was noted within the hour: for what anybody can repeat at will.
pub async fn append_rarely(connection: &mut PgConnection, entry: &Entry) -> Result<(), DbError> {
    let noted = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM crowdsale_service.audit
                          WHERE subject = $1 AND act = $2 AND actor = $3 AND at > now() - interval '1 hour') AS "noted!""#,
        entry.subject,
        entry.act,
        entry.actor
    )
    .fetch_one(&mut *connection)
    .await?;
    if noted { Ok(()) } else { append(connection, entry).await }
}

/// Acts behind one, in their order.
pub async fn list(connection: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<AuditRow>, DbError> {
    Ok(sqlx::query_as!(
        AuditRow,
        r#"SELECT id, (extract(epoch FROM at) * 1000000)::bigint AS "at_micros!", actor, act, subject, client, request_id,
                  detail, previous, hash
           FROM crowdsale_service.audit WHERE id > $1 ORDER BY id LIMIT $2"#,
        after,
        limit
    )
    .fetch_all(connection)
    .await?)
}

/// The place of the last act, zero if there is none.
pub async fn last(connection: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "id!" FROM crowdsale_service.audit"#)
        .fetch_one(connection)
        .await?)
}
