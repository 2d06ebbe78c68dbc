//! `Idempotency-Key`: a request that is sent again has no second effect, and gets the first answer.
//!
//! ```text
//! let mut once = match Once::begin(&service, &caller, &request).await? {
//!     Turn::First(once) => once,
//!     Turn::Replay(answer) => return Ok(answer),
//! };
//! orders::insert(once.connection(), …).await?;      // an error, or a crash: nothing was done, and it may be sent again
//! once.finish(StatusCode::CREATED, &answer).await   // effect and answer are committed together
//! ```
//!
//! Effects outside of the database have no place between the two: note in the transaction that they are to be done, and do them after.

use std::sync::Arc;

use alloy::primitives::hex;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Postgres, Transaction};

use super::{Caller, Service};
use crate::{
    api::{
        body::RequestKey,
        problem::{Code, Problem},
    },
    db::{
        DbError,
        service::idempotency::{self, FirstAnswer},
    },
    seal::{Place, SealError},
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Whether a request is the first with its key.
#[derive(Debug)]
pub enum Turn {
    /// It is: do it.
    First(Once),
    /// It was answered before; this is that answer.
    Replay(Response),
}

/// A request under way, and the transaction that holds all it does. Dropped before [`Once::finish`], it has done nothing.
#[derive(Debug)]
pub struct Once {
    transaction: Transaction<'static, Postgres>,
    service: Arc<Service>,
    id: String,
    fingerprint: [u8; 32],
}

impl Once {
    /// The caller's turn with this key. Keys of different callers have nothing to do with each other.
    ///
    /// # Errors
    /// 409 while another request with the key is under way, 422 where the key came with another request, 503 where the database does
    /// not answer.
    pub async fn begin(service: &Arc<Service>, caller: &Caller, request: &RequestKey) -> Result<Turn, Problem> {
        Self::begin_for(service, &caller.id(), request).await
    }

    /// [`Once::begin`] for whoever has no key. `owner` tells one from another.
    ///
    /// # Errors
    /// Those of [`Once::begin`].
    pub async fn begin_for(service: &Arc<Service>, owner: &str, request: &RequestKey) -> Result<Turn, Problem> {
        let id = hex::encode(Sha256::digest(format!("{owner}\n{}", request.key())));
        let mut transaction = service.begin().await?;
        if !idempotency::claim(&mut transaction, &id).await? {
            let detail = "a request with this Idempotency-Key is under way: send it again in a moment for its answer";
            return Err(Problem::new(Code::IdempotencyInFlight, detail).retry_after(1));
        }
        let fingerprint = request.fingerprint();
        let Some(first) = idempotency::find(&mut transaction, &id).await? else {
            return Ok(Turn::First(Self { transaction, service: Arc::clone(service), id, fingerprint }));
        };
        // Whoever sends it once more right after this must not be told that it is under way.
        transaction.rollback().await.map_err(DbError::from)?;
        if first.fingerprint != fingerprint {
            let detail =
                "this Idempotency-Key came with another request within 24 hours: take a new key for a new request";
            return Err(Problem::new(Code::IdempotencyMismatch, detail));
        }
        let body = service.sealer().open(&first.answer_sealed, place(&id)).map_err(failed)?;
        let status = u16::try_from(first.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let mut answer = answer(status.ok_or_else(Problem::internal)?, body.expose_secret().to_vec());
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(Turn::Replay(answer))
    }

    /// Takes back what was written, and only then tells why: whoever sends the request again at once is not told that it is under way.
    pub async fn undo(self, why: Problem) -> Problem {
        if let Err(error) = self.transaction.rollback().await {
            tracing::warn!(%error, "what was written was not taken back at once");
        }
        why
    }

    /// What tells the request from all others, of other callers too.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the effect is written through.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Commits the effect together with the answer, and gives the answer.
    ///
    /// # Errors
    /// 503 where the database does not answer. The effect may have been committed all the same: sent again, the request gets its answer.
    pub async fn finish(mut self, status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written");
            Problem::internal()
        })?;
        let sealed = self.service.sealer().seal(&SecretSlice::from(body.clone()), place(&self.id)).map_err(failed)?;
        let kept = FirstAnswer {
            fingerprint: self.fingerprint.to_vec(),
            status: i16::try_from(status.as_u16()).map_err(|_| Problem::internal())?,
            answer_sealed: sealed,
        };
        idempotency::keep(&mut self.transaction, &self.id, &kept).await?;
        self.transaction.commit().await.map_err(DbError::from)?;
        Ok(answer(status, body))
    }
}

fn place(id: &str) -> Place<'_> {
    Place { table: "idempotency", column: "answer_sealed", row: id }
}

fn failed(error: SealError) -> Problem {
    tracing::error!(%error, "a first answer is sealed beyond reach");
    Problem::internal()
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Body::from(body)).into_response()
}
