//! Who asks: found out once for every request, before its handler. A key that is no good is told where it is shown, also where none is
//! needed; nobody believes then that they read under its limit.

use std::sync::Arc;

use alloy::primitives::hex;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{
    Caller, ClientAddress, RequestId, Service, Wallet,
    caller::{self, refused},
    signature::{self, SignatureFault},
};
use crate::{
    access::{ApiKey, PublicKey, SessionToken},
    api::{
        ApiState,
        problem::{Code, Problem},
    },
    db::{
        DbError,
        service::{keys, nonces, sessions},
    },
};

/// Largest body of a request, bytes.
pub const MOST_BODY: usize = 64 * 1024;

/// Who it is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Whoever has this key.
    Key(Caller),
    /// Whoever has signed in with this wallet.
    Wallet(Wallet),
}

impl Identity {
    /// What their limit is counted under.
    fn id(&self) -> String {
        match self {
            Self::Key(caller) => caller.id(),
            Self::Wallet(wallet) => format!("wallet:{}", wallet.address()),
        }
    }
}

/// Whether a request shows a key, a session or a signature of ours, good or not. What else `Authorization` can hold is for others.
fn is_shown(headers: &HeaderMap) -> bool {
    shows_key(headers) || bearer(headers).is_some_and(SessionToken::is_meant)
}

/// Whether a request shows a key or a signature of ours, good or not. The operator makes keys; a session anybody can have.
pub fn shows_key(headers: &HeaderMap) -> bool {
    signature::is_meant(headers) || bearer(headers).is_some_and(|t| t.starts_with("crs_"))
}

/// What stands behind `Bearer`, if that is there once.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// Finds out who asks, and lets the request pass if they have one left.
pub async fn identified(State(state): State<ApiState>, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(service) = state.service().filter(|_| is_shown(request.headers())) else {
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let (identity, body) = identify(service, &parts, body).await?;
    let reading = state.identity_meter().map(|meter| meter.take(&identity.id()));
    let is_wallet = matches!(identity, Identity::Wallet(_));
    parts.extensions.insert(identity);
    let mut response = match reading.and_then(|reading| reading.wait().map(|wait| (reading, wait))) {
        Some((reading, wait)) => {
            let who = if is_wallet { "this wallet" } else { "this key" };
            let most = reading.per_minute();
            let detail = format!("{who} may make {most} requests a minute: wait as long as Retry-After says");
            Problem::new(Code::TooManyRequests, detail).retry_after(wait).into_response()
        }
        None => next.run(Request::from_parts(parts, body)).await,
    };
    reading.iter().for_each(|reading| reading.tell(response.headers_mut()));
    Ok(response)
}

async fn identify(service: &Arc<Service>, parts: &Parts, body: Body) -> Result<(Identity, Body), Problem> {
    if signature::is_meant(&parts.headers) {
        if bearer(&parts.headers).is_some() {
            return Err(fault("the request is signed and sends a key: one of them, or it is not clear whose it is"));
        }
        let (caller, body) = signed(service, parts, body).await?;
        return Ok((Identity::Key(caller), body));
    }
    let token = bearer(&parts.headers).unwrap_or_default();
    if SessionToken::is_meant(token) {
        let token: SessionToken = token.parse().map_err(|_| session_over())?;
        let hash = service.pepper().await?.hash(token.expose());
        let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
        let row = sessions::find(&mut connection, &hash).await?.ok_or_else(session_over)?;
        return Ok((Identity::Wallet(Wallet::new(row)), body));
    }
    // What is wrong with its form anybody can compute.
    let key: ApiKey = token.parse().map_err(|form: crate::access::KeyForm| caller::invalid(form.to_string()))?;
    let pepper = service.pepper().await?;
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let row = match keys::find_by_prefix(&mut connection, key.prefix()).await? {
        Some((row, hash)) if pepper.verify(&key, &hash) => row,
        Some(_) => return Err(refused()),
        None => {
            // As much work as for one that is there.
            pepper.verify(&key, &[0; 32]);
            return Err(refused());
        }
    };
    Ok((Identity::Key(admit(&mut connection, parts, row).await?), body))
}

async fn admit(connection: &mut PgConnection, parts: &Parts, row: keys::KeyRow) -> Result<Caller, Problem> {
    let request_id = parts.extensions.get::<RequestId>().map(|r| r.0.clone());
    Caller::admit(connection, row, ClientAddress::of(parts), request_id).await
}

async fn signed(service: &Service, parts: &Parts, body: Body) -> Result<(Caller, Body), Problem> {
    let signed = signature::read(parts, service.origins(), Timestamp::now().as_second()).map_err(not_taken)?;
    let body = to_bytes(body, MOST_BODY).await.map_err(|_| {
        Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB, or ended before it was whole")
    })?;
    signed.check_body(&parts.headers, &body).map_err(not_taken)?;
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let row = keys::find(&mut connection, &signed.key_id).await?;
    let public_key = row.as_ref().and_then(|row| <[u8; 32]>::try_from(row.public_key.clone()?).ok());
    let (Some(row), Some(public_key)) = (row, public_key) else { return Err(refused()) };
    if !PublicKey::from(public_key).verify(signed.base.as_bytes(), &signed.signature) {
        return Err(fault(
            "the signature is not one of this key over this request: what was signed is not what came here",
        ));
    }
    let caller = admit(&mut connection, parts, row).await?;
    let nonce = hex::encode(Sha256::digest(format!("signature\n{}\n{}", signed.key_id, signed.nonce)));
    if !nonces::spend(&mut connection, &nonce, signature::LIFE + signature::SKEW + 60).await? {
        let detail = "this nonce was used before: sign every request anew; to send it again, keep its Idempotency-Key";
        return Err(Problem::new(Code::SignatureReplayed, detail).challenge(CHALLENGE.to_owned()));
    }
    Ok((caller, Body::from(body)))
}

const CHALLENGE: &str = "Bearer realm=\"crowdsale\"";

fn not_taken(why: SignatureFault) -> Problem {
    match why {
        SignatureFault::Stale { .. } => {
            Problem::new(Code::SignatureStale, why.to_string()).challenge(CHALLENGE.to_owned())
        }
        _ => fault(why.to_string()),
    }
}

fn fault(detail: impl Into<String>) -> Problem {
    Problem::new(Code::SignatureInvalid, detail).challenge(CHALLENGE.to_owned())
}

fn session_over() -> Problem {
    let detail = "the session is over or not known: sign in again, with a nonce of GET /v1/sessions/nonce";
    Problem::new(Code::Unauthenticated, detail)
        .challenge("Bearer realm=\"crowdsale\", error=\"invalid_token\"".to_owned())
}
