//! `/v1/keys`: keys of the API, for who has `keys:admin`.

mod shapes;
mod terms;

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

pub use self::shapes::{FreshKey, KeyId, KeyList, KeyMode, KeyOut, KeyPath, KeysQuery, NewKey, OneKey, Rotation};
use self::terms::{public_key, terms};
use super::{
    WriteProblems,
    allowlists::NoQuery,
    auth::{Authorized, KeysAdmin, Once, Service, Turn},
    body::{Post, no_store},
    extract::{CheckedPath, CheckedQuery, Limit},
    page::cut_after,
    problem::{Code, Fault, Problem},
};
use crate::{
    access::{self, AccessError, KeyError},
    db::{DbError, service::keys},
};

/// Makes a key
///
/// The answer holds it, and nothing else ever will. Sent again with the same `Idempotency-Key`, it is answered the same for 24 hours.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = NewKey,
    responses((status = 201, description = "The key, shown once.", body = FreshKey), WriteProblems)
)]
pub async fn create_key(
    service: Arc<Service>,
    caller: Authorized<KeysAdmin>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<NewKey>,
) -> Result<Response, Problem> {
    let public_key = public_key(body.public_key.as_deref())?;
    let terms = terms(body)?;
    let pepper = service.pepper().await?;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let source = caller.source();
    let fresh: FreshKey = match public_key {
        Some(public_key) => access::register(once.connection(), &terms, public_key, &source).await?.into(),
        None => access::create(once.connection(), pepper, &terms, &source).await?.into(),
    };
    once.finish(StatusCode::CREATED, &fresh).await
}

/// All keys
///
/// By id; those that have ended too.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(KeysQuery),
    responses((status = 200, description = "Keys.", body = KeyList), WriteProblems)
)]
pub async fn list_keys(
    service: Arc<Service>,
    _: Authorized<KeysAdmin>,
    CheckedQuery(query): CheckedQuery<KeysQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let after = query.after.as_ref().map(|a| a.0.as_str());
    let Limit(limit) = query.limit;
    let mut rows = keys::list(&mut connection, after, limit + 1).await?;
    let next_after = cut_after(&mut rows, limit, |row| row.id.clone());
    Ok(no_store(KeyList { data: rows.into_iter().map(KeyOut::from).collect(), next_after }))
}

/// One key
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(KeyPath),
    responses((status = 200, description = "The key.", body = OneKey), WriteProblems)
)]
pub async fn get_key(
    service: Arc<Service>,
    _: Authorized<KeysAdmin>,
    CheckedPath(path): CheckedPath<KeyPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let row = keys::find(&mut connection, &path.id.0).await?;
    let row = row.ok_or_else(|| AccessError::from(KeyError::Unknown(path.id.0)))?;
    Ok(no_store(OneKey { data: row.into() }))
}

/// Replaces a key
///
/// By one with the same label, scopes, networks and end. Both are good until the grace is over, so nobody who uses it has to stop.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/rotate",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(KeyPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = Rotation,
    responses((status = 201, description = "The new key, shown once.", body = FreshKey), WriteProblems)
)]
pub async fn rotate_key(
    service: Arc<Service>,
    caller: Authorized<KeysAdmin>,
    CheckedPath(path): CheckedPath<KeyPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<Rotation>,
) -> Result<Response, Problem> {
    let public_key = public_key(body.public_key.as_deref())?;
    let pepper = service.pepper().await?;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let (id, grace, source) = (path.id.0, body.grace_seconds, caller.source());
    let rotated: Result<FreshKey, AccessError> = match public_key {
        Some(public_key) => {
            access::rotate_public(once.connection(), &id, public_key, grace, &source).await.map(Into::into)
        }
        None => access::rotate(once.connection(), pepper, &id, grace, &source).await.map(Into::into),
    };
    let fresh = rotated.map_err(|e| match e {
        AccessError::Key(KeyError::Grace) => Problem::faults(
            Code::InvalidBody,
            vec![Fault {
                pointer: "/body/grace_seconds".to_owned(),
                detail: "must be between 0 and 2592000".to_owned(),
            }],
        ),
        e => e.into(),
    })?;
    once.finish(StatusCode::CREATED, &fresh).await
}

/// Revokes a key
///
/// At once, and for ever. One that was revoked before stays as it is.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "keys",
    security(("key" = ["keys:admin"])),
    params(KeyPath),
    responses((status = 200, description = "The key, revoked.", body = OneKey), WriteProblems)
)]
pub async fn revoke_key(
    service: Arc<Service>,
    caller: Authorized<KeysAdmin>,
    CheckedPath(path): CheckedPath<KeyPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut transaction = service.begin().await?;
    let row = access::revoke(&mut transaction, &path.id.0, &caller.source()).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(no_store(OneKey { data: row.into() }))
}
