//! What is done with keys.

use ipnet::IpNet;
use sqlx::PgConnection;

use super::{AccessError, ApiKey, Kind, Mode, Pepper, PublicKey, Scope, key::fresh_id, written::is_label};
use crate::{
    db::service::{
        audit::{self, Entry},
        keys::{self, KeyRow, NewKey},
    },
    seal::SealError,
};

/// Who does it, and from where: for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// `key:<id>` or `operator:<user>`.
    pub actor: String,
    /// The address it came from, over the network.
    pub client: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl Source {
    /// A line for the log.
    pub fn did(&self, act: &'static str, subject: &str, detail: Option<String>) -> Entry {
        let Self { actor, client, request_id } = self.clone();
        Entry { actor, act, subject: subject.to_owned(), client, request_id, detail }
    }
}

/// What a key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// What it is for, 1 to 100 characters.
    pub label: String,
    /// Where it is used.
    pub mode: Mode,
    /// What it may do, at least one thing.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere if empty.
    pub networks: Vec<IpNet>,
    /// Seconds until it ends by itself.
    pub expires_in_seconds: Option<i64>,
}

/// What cannot be done with a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A label has 1 to 100 characters that can be seen.
    #[error("a label has 1 to 100 characters, and none that cannot be seen")]
    Label,
    /// No scope was given.
    #[error("a key needs at least one scope")]
    NoScope,
    /// Too many networks.
    #[error("a key has at most {} networks", KeyTerms::MAX_NETWORKS)]
    Networks,
    /// Not between a minute and ten years.
    #[error("a key lives between a minute and ten years")]
    Expiry,
    /// Longer than a month.
    #[error("a replaced key goes on for 30 days at most")]
    Grace,
    /// There is no such key.
    #[error("there is no key {0}")]
    Unknown(String),
    /// The key is no longer good.
    #[error("key {id} is {state}")]
    NotActive {
        /// Its id.
        id: String,
        /// `expired` or `revoked`.
        state: String,
    },
    /// The key was rotated before.
    #[error("key {id} was already replaced by {by}")]
    Replaced {
        /// Its id.
        id: String,
        /// What replaces it.
        by: String,
    },
    /// Another key, or this one, signs with it.
    #[error("a key of this service has this public key: make a new pair of keys")]
    KnownPublicKey,
    /// Only its owner can make the key that replaces one that signs.
    #[error("key {0} signs requests: give the public key that replaces its own")]
    Signs(String),
    /// A key that is sent is replaced by another that is sent.
    #[error("key {0} does not sign requests: it is replaced without a public key")]
    DoesNotSign(String),
}

impl KeyTerms {
    /// Most networks of a key.
    pub const MAX_NETWORKS: usize = 32;
    const EXPIRY: std::ops::RangeInclusive<i64> = 60..=3650 * 24 * 60 * 60;
    const MAX_GRACE: i64 = 30 * 24 * 60 * 60;

    /// What is wrong with them, with the name of the field.
    pub fn faults(&self) -> Vec<(&'static str, KeyError)> {
        let mut faults = Vec::new();
        if !is_label(&self.label) {
            faults.push(("label", KeyError::Label));
        }
        if self.scopes.is_empty() {
            faults.push(("scopes", KeyError::NoScope));
        }
        if self.networks.len() > Self::MAX_NETWORKS {
            faults.push(("networks", KeyError::Networks));
        }
        if self.expires_in_seconds.is_some_and(|s| !Self::EXPIRY.contains(&s)) {
            faults.push(("expires_in_seconds", KeyError::Expiry));
        }
        faults
    }
}

/// A key that was just made: the only time it is seen.
#[derive(Debug)]
pub struct Created {
    /// The key.
    pub key: ApiKey,
    /// What is kept of it.
    pub row: KeyRow,
}

/// Makes a key.
///
/// # Errors
/// The first of [`KeyTerms::faults`]; those of the database.
pub async fn create(
    connection: &mut PgConnection,
    pepper: &Pepper,
    terms: &KeyTerms,
    source: &Source,
) -> Result<Created, AccessError> {
    if let Some((_, fault)) = terms.faults().into_iter().next() {
        return Err(fault.into());
    }
    let created = add(connection, pepper, terms.mode, Kind::of(&terms.scopes), Fresh::of(terms)).await?;
    note_created(connection, &created.row, source).await?;
    Ok(created)
}

/// Makes a key whose owner signs requests: nothing of it is secret here.
///
/// # Errors
/// The first of [`KeyTerms::faults`], [`KeyError::KnownPublicKey`]; those of the database.
pub async fn register(
    connection: &mut PgConnection,
    terms: &KeyTerms,
    public_key: PublicKey,
    source: &Source,
) -> Result<KeyRow, AccessError> {
    if let Some((_, fault)) = terms.faults().into_iter().next() {
        return Err(fault.into());
    }
    let row = add_public(connection, public_key, Fresh::of(terms)).await?;
    note_created(connection, &row, source).await?;
    Ok(row)
}

async fn note_created(connection: &mut PgConnection, row: &KeyRow, source: &Source) -> Result<(), AccessError> {
    let detail = format!("{} with {}", row.prefix, row.scopes.join(" "));
    Ok(audit::append(connection, &source.did("key.created", &row.id, Some(detail))).await?)
}

/// Makes a key that takes another's place: the same label, scopes, networks and end. The other goes on for `grace` seconds, so that
/// whoever uses it can change over.
///
/// # Errors
/// [`KeyError`], where that key is not good any more or was replaced before; those of the database.
pub async fn rotate(
    connection: &mut PgConnection,
    pepper: &Pepper,
    id: &str,
    grace: i64,
    source: &Source,
) -> Result<Created, AccessError> {
    let old = replaceable(connection, id, grace).await?;
    if old.public_key.is_some() {
        return Err(KeyError::Signs(old.id).into());
    }
    let mode = if old.prefix.starts_with("crs_live") { Mode::Live } else { Mode::Test };
    let kind = if old.prefix.contains("_rk_") { Kind::Read } else { Kind::Secret };
    let created = add(connection, pepper, mode, kind, Fresh::after(&old)).await?;
    replace(connection, (id, &created.row.id), grace, source).await?;
    Ok(created)
}

/// [`rotate`] for a key that signs: `public_key` takes the place of its own.
///
/// # Errors
/// Those of [`rotate`], and [`KeyError::KnownPublicKey`].
pub async fn rotate_public(
    connection: &mut PgConnection,
    id: &str,
    public_key: PublicKey,
    grace: i64,
    source: &Source,
) -> Result<KeyRow, AccessError> {
    let old = replaceable(connection, id, grace).await?;
    if old.public_key.is_none() {
        return Err(KeyError::DoesNotSign(old.id).into());
    }
    let row = add_public(connection, public_key, Fresh::after(&old)).await?;
    replace(connection, (id, &row.id), grace, source).await?;
    Ok(row)
}

/// A key that can be replaced, kept as it is until the transaction ends.
async fn replaceable(connection: &mut PgConnection, id: &str, grace: i64) -> Result<KeyRow, AccessError> {
    if !(0..=KeyTerms::MAX_GRACE).contains(&grace) {
        return Err(KeyError::Grace.into());
    }
    let old = keys::find_for_change(connection, id).await?.ok_or_else(|| KeyError::Unknown(id.to_owned()))?;
    if let Some(by) = old.replaced_by {
        return Err(KeyError::Replaced { id: old.id, by }.into());
    }
    if !old.is_active() {
        return Err(KeyError::NotActive { id: old.id, state: old.state }.into());
    }
    Ok(old)
}

async fn replace(
    connection: &mut PgConnection,
    (old, new): (&str, &str),
    grace: i64,
    source: &Source,
) -> Result<(), AccessError> {
    keys::replace(connection, old, new, grace).await?;
    let detail = format!("replaced by {new}, goes on for {grace} s at most");
    Ok(audit::append(connection, &source.did("key.rotated", old, Some(detail))).await?)
}

/// Ends a key at once. One that was revoked before stays as it is.
///
/// # Errors
/// [`KeyError::Unknown`]; those of the database.
pub async fn revoke(connection: &mut PgConnection, id: &str, source: &Source) -> Result<KeyRow, AccessError> {
    let unknown = || KeyError::Unknown(id.to_owned());
    let before = keys::find_for_change(connection, id).await?.ok_or_else(unknown)?;
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    keys::revoke(connection, id).await?;
    audit::append(connection, &source.did("key.revoked", id, Some(before.prefix))).await?;
    Ok(keys::find(connection, id).await?.ok_or_else(unknown)?)
}

struct Fresh<'a> {
    family: Option<&'a str>,
    label: &'a str,
    scopes: Vec<String>,
    networks: Vec<String>,
    expires_at: Option<i64>,
}

impl<'a> Fresh<'a> {
    fn of(terms: &'a KeyTerms) -> Self {
        let mut scopes = terms.scopes.clone();
        scopes.sort();
        scopes.dedup();
        Self {
            family: None,
            label: terms.label.trim(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            networks: terms.networks.iter().map(|n| n.trunc().to_string()).collect(),
            expires_at: terms.expires_in_seconds.map(|seconds| jiff::Timestamp::now().as_second() + seconds),
        }
    }

    fn after(old: &'a KeyRow) -> Self {
        Self {
            family: Some(&old.family),
            label: &old.label,
            scopes: old.scopes.clone(),
            networks: old.networks.clone(),
            expires_at: old.expires_at,
        }
    }

    async fn insert(
        self,
        connection: &mut PgConnection,
        prefix: &str,
        (hash, public_key): (Option<&[u8]>, Option<&[u8]>),
    ) -> Result<KeyRow, AccessError> {
        let id = fresh_id("key").map_err(failed)?;
        let Self { family, label, scopes, networks, expires_at } = self;
        let new = NewKey {
            id: &id,
            family: family.unwrap_or(&id),
            label,
            prefix,
            hash,
            public_key,
            scopes: &scopes,
            networks: &networks,
            expires_at,
        };
        keys::insert(connection, new).await?;
        Ok(keys::find(connection, &id).await?.ok_or_else(|| KeyError::Unknown(id.clone()))?)
    }
}

fn failed(source: SealError) -> AccessError {
    AccessError::Seal { table: "api_key".into(), row: "a new one".into(), source }
}

async fn add(
    connection: &mut PgConnection,
    pepper: &Pepper,
    mode: Mode,
    kind: Kind,
    fresh: Fresh<'_>,
) -> Result<Created, AccessError> {
    let key = ApiKey::generate(mode, kind).map_err(failed)?;
    let hash = pepper.hash(key.expose());
    let row = fresh.insert(connection, key.prefix(), (Some(&hash), None)).await?;
    Ok(Created { key, row })
}

async fn add_public(
    connection: &mut PgConnection,
    public_key: PublicKey,
    fresh: Fresh<'_>,
) -> Result<KeyRow, AccessError> {
    if keys::knows_public_key(connection, public_key.bytes()).await? {
        return Err(KeyError::KnownPublicKey.into());
    }
    fresh.insert(connection, &public_key.fingerprint(), (None, Some(public_key.bytes()))).await
}
