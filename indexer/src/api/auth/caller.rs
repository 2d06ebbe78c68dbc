//! Keys: `Authorization: Bearer crs_…`, or a signature.
//!
//! A key that is unknown, expired or revoked gets the same answer, so that nobody learns which keys there were. What is compared is a
//! keyed hash, in constant time.

use std::{marker::PhantomData, net::IpAddr, ops::Deref, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use ipnet::IpNet;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{Identity, Service, identity::bearer};
use crate::{
    access::{KeyForm, Scope, Source},
    api::{
        ApiState,
        problem::{Code, Problem},
    },
    db::service::{
        audit,
        keys::{self, KeyRow},
    },
};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    key_id: String,
    family: String,
    scopes: Vec<Scope>,
    client: Option<IpAddr>,
    request_id: Option<String>,
}

impl Caller {
    /// What tells one caller from another, as rows of theirs are marked. It stays the same when their key is rotated: what is theirs
    /// remains so, and a request that is sent again with the new key is not a new one.
    pub fn id(&self) -> String {
        format!("key:{}", self.family)
    }

    /// What they may do.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// For the audit log.
    pub fn source(&self) -> Source {
        Source {
            actor: format!("key:{}", self.key_id),
            client: self.client.map(|c| c.to_string()),
            request_id: self.request_id.clone(),
        }
    }
}

/// A scope, as a type.
pub trait Needs: Send + Sync {
    /// Which.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident),+) => {$(
        #[doc = concat!("[`Scope::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

scopes!(SalesRead, ContributionsRead, ExportsRead, WebhooksWrite, OrdersWrite, VouchersWrite, KeysAdmin);

/// A caller that has a scope.
#[derive(Clone, Debug)]
pub struct Authorized<S>(Caller, PhantomData<S>);

impl<S> Deref for Authorized<S> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Needs> FromRequestParts<ApiState> for Authorized<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.scopes.contains(&S::SCOPE) {
            return Ok(Self(caller, PhantomData));
        }
        let held = caller.scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" ");
        let scope = S::SCOPE;
        let detail = format!("this needs the scope {scope}, and the key has {held}: use another key");
        Err(Problem::new(Code::ScopeMissing, detail)
            .challenge(format!("Bearer realm=\"crowdsale\", error=\"insufficient_scope\", scope=\"{scope}\"")))
    }
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        Arc::<Service>::from_request_parts(parts, state).await?;
        match parts.extensions.get::<Identity>() {
            Some(Identity::Key(caller)) => Ok(caller.clone()),
            Some(Identity::Wallet(_)) => Err(unauthenticated(
                "this needs a key, and a wallet's session is none: send Authorization: Bearer with a key (crs_…) of the operator's",
            )),
            None => Err(missing(&parts.headers)),
        }
    }
}

impl Caller {
    /// Whoever has shown that the key is theirs, if it is good here and now.
    pub(super) async fn admit(
        connection: &mut PgConnection,
        row: KeyRow,
        client: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<Self, Problem> {
        let source = Source { actor: "nobody".to_owned(), client: client.map(|c| c.to_string()), request_id };
        if !row.is_active() {
            note_refusal(connection, &source, &row, &row.state).await?;
            return Err(refused());
        }
        if !may_come_from(&row.networks, client) {
            note_refusal(connection, &source, &row, "not from one of its networks").await?;
            let from = client.map_or_else(|| "an unknown address".to_owned(), |c| c.to_string());
            let detail = format!("the key may not be used from {from}: its networks do not hold it");
            return Err(Problem::new(Code::AddressNotAllowed, detail));
        }
        // The database has the last word; this only spares it the question.
        if row.last_used_at.is_none_or(|at| Timestamp::now().as_second() - at >= 300) {
            keys::touch(connection, &row.id).await?;
        }
        // A scope of a newer version is none that this one could grant.
        let scopes = row.scopes.iter().filter_map(|s| s.parse().ok()).collect();
        Ok(Self { key_id: row.id, family: row.family, scopes, client, request_id: source.request_id })
    }
}

/// The right key, but not here or no longer: somebody may have found it. Noted once an hour, as anybody can repeat it.
async fn note_refusal(connection: &mut PgConnection, source: &Source, row: &KeyRow, why: &str) -> Result<(), Problem> {
    Ok(audit::append_rarely(connection, &source.did("key.refused", &row.id, Some(why.to_owned()))).await?)
}

/// Everywhere, if there are no networks. One that cannot be read holds nobody.
fn may_come_from(networks: &[String], client: Option<IpAddr>) -> bool {
    networks.is_empty()
        || client.is_some_and(|client| {
            networks.iter().any(|n| n.parse::<IpNet>().is_ok_and(|network| network.contains(&client)))
        })
}

/// Why nobody is known who has sent this.
fn missing(headers: &HeaderMap) -> Problem {
    let count = headers.get_all(header::AUTHORIZATION).iter().count();
    match (count, bearer(headers)) {
        (0, _) => unauthenticated(
            "the request shows no key: send Authorization: Bearer with one (crs_…), or sign the request; the operator makes keys",
        ),
        (1, None) => {
            unauthenticated("Authorization cannot be read: it has to be the word Bearer, a space and a key (crs_…)")
        }
        (1, Some(_)) => invalid(format!("{}. Send yours as it was given to you", KeyForm::Form)),
        _ => {
            unauthenticated("Authorization stands there more than once, so that it is not clear who asks: send it once")
        }
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).challenge("Bearer realm=\"crowdsale\"".to_owned())
}

pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::Unauthenticated, detail)
        .challenge("Bearer realm=\"crowdsale\", error=\"invalid_token\"".to_owned())
}

pub(super) fn refused() -> Problem {
    invalid("the key is not known, has expired or was revoked: ask the operator for another")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_who_they_hold() {
        let networks = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let from = |text: &str| Some(text.parse().unwrap());
        assert!(may_come_from(&[], None));
        assert!(!may_come_from(&networks("0.0.0.0/0"), None), "who is not known is nowhere");
        assert!(may_come_from(&networks("10.0.0.0/8 2001:db8::/32"), from("10.255.0.1")));
        assert!(may_come_from(&networks("10.0.0.0/8 2001:db8::/32"), from("2001:db8::1")));
        assert!(!may_come_from(&networks("10.0.0.0/8 2001:db8::/32"), from("11.0.0.1")));
        assert!(!may_come_from(&networks("::/0"), from("10.0.0.1")));
        assert!(!may_come_from(&networks("nonsense"), from("10.0.0.1")));
    }
}
