//! What a request about keys says, and what its answer does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    access::{Created, Scope},
    api::{
        extract::{FromPath, FromQuery, Limit, Parameter, Reader, parse_id},
        shapes::Time,
    },
    db::service::keys::KeyRow,
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
