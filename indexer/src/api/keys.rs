//! `/v1/keys`: keys of the API, for who has `keys:admin`.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    WriteProblems,
    allowlists::NoQuery,
    auth::{Authorized, KeysAdmin, Once, Service, Turn},
    body::{Post, no_store},
    extract::{CheckedPath, CheckedQuery, FromPath, FromQuery, Limit, Parameter, Reader, parse_id},
    problem::{Code, Fault, Problem},
    shapes::Time,
};
use crate::{
    access::{self, AccessError, Created, KeyError, KeyTerms, Mode, PublicKey, PublicKeyForm, Scope},
    db::{
        DbError,
        service::keys::{self, KeyRow},
    },
};

/// The id of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(pub String);

impl Parameter for KeyId {
    fn parse(text: &str) -> Result<Self, String> {
        parse_id(text, "key_", "a key").map(Self)
    }
}

/// Which key.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// The key's id.
    #[param(value_type = String, example = "key_4rSw0JXjKzPq81mUcdYt", pattern = "^key_[0-9A-Za-z]{20}$")]
    pub id: KeyId,
}

impl FromPath for KeyPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { id: reader.read("id")? })
    }
}

/// Which keys.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeysQuery {
    /// Most keys in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before.
    #[param(value_type = Option<String>, required = false, pattern = "^key_[0-9A-Za-z]{20}$")]
    pub after: Option<KeyId>,
}

impl FromQuery for KeysQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { limit: reader.read("limit").unwrap_or_default(), after: reader.read("after") }
    }
}

/// Where a key is meant to be used. It is written into the key, for whoever finds it; the service makes no difference.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyMode {
    /// On a development or test chain.
    Test,
    /// Where money is.
    Live,
}

/// What a key is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for: 1 to 100 characters.
    #[schema(
        example = "order desk",
        min_length = 1,
        max_length = 100,
        pattern = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub label: String,
    /// Where it is meant to be used.
    pub mode: KeyMode,
    /// What it may do.
    #[schema(min_items = 1)]
    pub scopes: Vec<Scope>,
    /// Addresses and networks in CIDR notation that it may be used from; everywhere if empty.
    #[serde(default)]
    #[schema(max_items = 32, example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    pub networks: Vec<String>,
    /// Seconds until it ends by itself, a minute to ten years; null for a key that does not.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 315_360_000, example = 7_776_000)]
    pub expires_in_seconds: Option<i64>,
    /// An Ed25519 public key, as PEM or its 32 bytes in base64, for a key whose owner signs requests; null for one that is sent with them.
    #[serde(default)]
    #[schema(max_length = 1024, example = json!(null))]
    pub public_key: Option<String>,
}

/// How a key is replaced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds that the replaced key goes on for at most; up to 30 days, a day if it is not given.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    pub grace_seconds: i64,
    /// The public key that takes the place of its own, for a key whose owner signs requests; null for one that is sent.
    #[serde(default)]
    #[schema(max_length = 1024, example = json!(null))]
    pub public_key: Option<String>,
}

fn a_day() -> i64 {
    24 * 60 * 60
}

/// A key, without what it is used with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyOut {
    /// What it is named by.
    #[schema(example = "key_4rSw0JXjKzPq81mUcdYt")]
    pub id: String,
    /// What it is for.
    pub label: String,
    /// The beginning of the key; of one whose owner signs, `ed25519_` and a fingerprint.
    #[schema(example = "crs_live_sk_8Kc2VtQx")]
    pub prefix: String,
    /// What verifies its signatures, in base64, if its owner signs requests.
    #[schema(example = json!(null))]
    pub public_key: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Where it may be used from; everywhere if empty.
    pub networks: Vec<String>,
    /// `active`, `expired` or `revoked`.
    #[schema(example = "active")]
    pub state: String,
    /// When it was made.
    pub created_at: Time,
    /// When it ends by itself, if it does.
    pub expires_at: Option<Time>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Time>,
    /// The key that takes its place, if it was rotated.
    pub replaced_by: Option<String>,
    /// When it was last used, to five minutes.
    pub last_used_at: Option<Time>,
}

impl From<KeyRow> for KeyOut {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            label: row.label,
            prefix: row.prefix,
            public_key: row.public_key.map(|key| STANDARD.encode(key)),
            scopes: row.scopes,
            networks: row.networks,
            state: row.state,
            created_at: Time::from_unix(row.created_at),
            expires_at: row.expires_at.map(Time::from_unix),
            revoked_at: row.revoked_at.map(Time::from_unix),
            replaced_by: row.replaced_by,
            last_used_at: row.last_used_at.map(Time::from_unix),
        }
    }
}

/// One key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneKey {
    /// The key.
    pub data: KeyOut,
}

/// Keys by id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// The keys.
    pub data: Vec<KeyOut>,
    /// `after` of the next answer; null at the end.
    pub next_after: Option<String>,
}

/// A key that was just made.
#[derive(Clone, Serialize, ToSchema)]
pub struct FreshKey {
    /// What it is used with. This is the only time that it is shown. Null where its owner signs requests.
    #[schema(example = "crs_live_sk_8Kc2VtQx…")]
    pub secret: Option<String>,
    /// What is kept of it.
    pub data: KeyOut,
}

impl From<Created> for FreshKey {
    fn from(created: Created) -> Self {
        Self { secret: Some(created.key.expose().to_owned()), data: created.row.into() }
    }
}

impl From<KeyRow> for FreshKey {
    fn from(row: KeyRow) -> Self {
        Self { secret: None, data: row.into() }
    }
}

/// The public key that a body has.
fn public_key(text: Option<&str>) -> Result<Option<PublicKey>, Problem> {
    text.map(str::parse).transpose().map_err(|form: PublicKeyForm| of_public_key(form.to_string()))
}

fn of_public_key(detail: String) -> Problem {
    Problem::faults(Code::InvalidBody, vec![Fault { pointer: "/body/public_key".to_owned(), detail }])
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Db(error) => error.into(),
            AccessError::Key(error) => {
                let code = match &error {
                    KeyError::KnownPublicKey | KeyError::Signs(_) | KeyError::DoesNotSign(_) => {
                        return of_public_key(format!("is wrong: {error}"));
                    }
                    KeyError::Unknown(_) => Code::KeyNotFound,
                    KeyError::NotActive { .. } | KeyError::Replaced { .. } => Code::KeyNotActive,
                    _ => Code::InvalidBody,
                };
                Self::new(code, error.to_string())
            }
            error => {
                // The master key is not the one that it was sealed with, or a row was changed: for the operator alone.
                tracing::error!(%error, "a secret cannot be opened");
                Self::internal()
            }
        }
    }
}

/// The terms that a body asks for, or all that is wrong with them.
fn terms(body: NewKey) -> Result<KeyTerms, Problem> {
    let mut faults = Vec::new();
    let mut networks = Vec::new();
    for (index, text) in body.networks.iter().take(KeyTerms::MAX_NETWORKS + 1).enumerate() {
        match access::parse_network(text) {
            Some(network) => networks.push(network),
            None => faults.push(Fault {
                pointer: format!("/body/networks/{index}"),
                detail: "must be an address or a network, such as 203.0.113.0/24".to_owned(),
            }),
        }
    }
    let mode = if matches!(body.mode, KeyMode::Live) { Mode::Live } else { Mode::Test };
    let terms = KeyTerms {
        label: body.label,
        mode,
        scopes: body.scopes,
        networks: networks as Vec<IpNet>,
        expires_in_seconds: body.expires_in_seconds,
    };
    let of_terms = terms.faults().into_iter();
    faults.extend(
        of_terms.map(|(field, e)| Fault { pointer: format!("/body/{field}"), detail: format!("is wrong: {e}") }),
    );
    if faults.is_empty() { Ok(terms) } else { Err(Problem::faults(Code::InvalidBody, faults)) }
}

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
    let more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next_after = rows.last().filter(|_| more).map(|row| row.id.clone());
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
