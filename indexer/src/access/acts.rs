//! What is done with keys.

use std::net::IpAddr;

use ipnet::IpNet;
use sqlx::PgConnection;

use super::{AccessError, ApiKey, Kind, Mode, Pepper, Scope, key::fresh_id};
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
}

impl KeyTerms {
    /// Most networks of a key.
    pub const MAX_NETWORKS: usize = 32;
    const EXPIRY: std::ops::RangeInclusive<i64> = 60..=3650 * 24 * 60 * 60;
    const MAX_GRACE: i64 = 30 * 24 * 60 * 60;

    /// What is wrong with them, with the name of the field.
    pub fn faults(&self) -> Vec<(&'static str, KeyError)> {
        let mut faults = Vec::new();
        let visible = |c: char| {
            !c.is_control()
                && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        if !(1..=100).contains(&self.label.trim().chars().count()) || !self.label.chars().all(visible) {
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

/// A network in CIDR notation, or one address.
pub fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
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
    let mut scopes = terms.scopes.clone();
    scopes.sort();
    scopes.dedup();
    let expires_at = terms.expires_in_seconds.map(|seconds| jiff::Timestamp::now().as_second() + seconds);
    let fresh = Fresh {
        family: None,
        label: terms.label.trim(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        networks: terms.networks.iter().map(|n| n.trunc().to_string()).collect(),
        expires_at,
    };
    let created = add(connection, pepper, terms.mode, Kind::of(&scopes), fresh).await?;
    let detail = format!("{} with {}", created.row.prefix, created.row.scopes.join(" "));
    audit::append(connection, &source.did("key.created", &created.row.id, Some(detail))).await?;
    Ok(created)
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
    let mode = if old.prefix.starts_with("crs_live") { Mode::Live } else { Mode::Test };
    let kind = if old.prefix.contains("_rk_") { Kind::Read } else { Kind::Secret };
    let fresh = Fresh {
        family: Some(&old.family),
        label: &old.label,
        scopes: old.scopes,
        networks: old.networks,
        expires_at: old.expires_at,
    };
    let created = add(connection, pepper, mode, kind, fresh).await?;
    keys::replace(connection, id, &created.row.id, grace).await?;
    let detail = format!("replaced by {}, goes on for {grace} s at most", created.row.id);
    audit::append(connection, &source.did("key.rotated", id, Some(detail))).await?;
    Ok(created)
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

async fn add(
    connection: &mut PgConnection,
    pepper: &Pepper,
    mode: Mode,
    kind: Kind,
    fresh: Fresh<'_>,
) -> Result<Created, AccessError> {
    let failed = |source: SealError| AccessError::Seal { table: "api_key".into(), row: "a new one".into(), source };
    let key = ApiKey::generate(mode, kind).map_err(failed)?;
    let id = fresh_id("key").map_err(failed)?;
    let Fresh { family, label, scopes, networks, expires_at } = fresh;
    let hash = pepper.hash(&key);
    let new = NewKey {
        id: &id,
        family: family.unwrap_or(&id),
        label,
        prefix: key.prefix(),
        hash: &hash,
        scopes: &scopes,
        networks: &networks,
        expires_at,
    };
    keys::insert(connection, new).await?;
    let row = keys::find(connection, &id).await?.ok_or_else(|| KeyError::Unknown(id.clone()))?;
    Ok(Created { key, row })
}
