//! `/v1/audit`: every privileged act, for who has `keys:admin`.

use std::sync::Arc;

use alloy::primitives::hex;
use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    WriteProblems,
    auth::{Authorized, KeysAdmin, Service},
    extract::{Behind, CheckedQuery, FromQuery, Limit, Reader},
    page::cut_after,
    problem::Problem,
    shapes::Time,
};
use crate::db::{
    DbError,
    service::audit::{self, AuditRow},
};

/// Which acts.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Most acts in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before: acts behind this place.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 999_999_999_999_999_999_i64, required = false, default = 0)]
    pub after: Option<Behind>,
}

impl FromQuery for AuditQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { limit: reader.read("limit").unwrap_or_default(), after: reader.read("after") }
    }
}

/// An act.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Act {
    /// Its place in the log, from 1, without gaps.
    #[schema(example = 7)]
    pub id: i64,
    /// When it was done.
    pub at: Time,
    /// Its microseconds since 1970, as they are hashed.
    #[schema(example = 1_800_000_000_123_456_i64)]
    pub at_micros: i64,
    /// Who did it: `key:…`, `wallet:…`, `operator:…`, `service`, or `nobody`.
    #[schema(example = "operator:alice")]
    pub actor: String,
    /// What: `key.created` and the like.
    #[schema(example = "key.created")]
    pub act: String,
    /// What it was done to.
    #[schema(example = "key_4rSw0JXjKzPq81mUcdYt")]
    pub subject: String,
    /// The address it came from, over the network.
    pub client: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
    /// Hash of the act before it.
    pub previous: String,
    /// SHA-256 of all of this, in hexadecimal: `crowdsale audit verify` computes it anew.
    pub hash: String,
}

impl From<AuditRow> for Act {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: Time::from_unix(row.at_micros.div_euclid(1_000_000)),
            at_micros: row.at_micros,
            actor: row.actor,
            act: row.act,
            subject: row.subject,
            client: row.client,
            request_id: row.request_id,
            detail: row.detail,
            previous: hex::encode(row.previous),
            hash: hex::encode(row.hash),
        }
    }
}

/// Acts in their order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActList {
    /// The acts.
    pub data: Vec<Act>,
    /// `after` of the next answer; null at the end.
    pub next_after: Option<i64>,
}

/// The audit log
///
/// Every privileged act, oldest first, each with the hash of the one before it.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(AuditQuery),
    responses((status = 200, description = "Acts in their order.", body = ActList), WriteProblems)
)]
pub async fn list_acts(
    service: Arc<Service>,
    _: Authorized<KeysAdmin>,
    CheckedQuery(query): CheckedQuery<AuditQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let after = query.after.map_or(0, |Behind(id)| id);
    let mut rows = audit::list(&mut connection, after, query.limit.0 + 1).await?;
    let next_after = cut_after(&mut rows, query.limit.0, |row| row.id);
    let body = ActList { data: rows.into_iter().map(Act::from).collect(), next_after };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
