//! What a connection may take: its time to send a body and to read an answer, and how many an address may have.

use std::{net::IpAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::net::TcpStream;

use super::Limits;
use crate::{
    api::{
        auth::counted,
        problem::{Code, Problem},
    },
    shares::{Share, Shares},
};

/// How many connections an address may have. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Peers(Option<Arc<Shares<IpAddr>>>, Limits);

/// A connection's part of what its address may have; of a trusted proxy, which has them for others, none.
pub(super) struct Part(#[expect(dead_code, reason = "is held")] Option<Share<IpAddr>>);

impl Peers {
    pub fn new(most: Option<NonZeroUsize>, limits: Limits) -> Self {
        Self(most.map(Shares::new), limits)
    }

    /// `None` where the address has as many as it may.
    pub fn admit(&self, peer: IpAddr) -> Option<Part> {
        let peer = peer.to_canonical();
        match &self.0 {
            Some(shares) if !self.1.trusts(peer) => shares.take(counted(peer)).map(|share| Part(Some(share))),
            _ => Some(Part(None)),
        }
    }

    /// Says to a connection that is one too many why it ends, if it can be said at once: nothing is kept for it.
    pub fn turn_away(&self, stream: &TcpStream, is_secured: bool) {
        let most = self.0.as_ref().map_or(0, |shares| shares.most());
        let detail = format!(
            "this address has {most} connections, as many as it may: use those again, end some, or ask the operator for more"
        );
        // Within TLS nothing can be said before a handshake.
        if !is_secured {
            let _ = stream.try_write(&Problem::new(Code::TooManyRequests, detail).retry_after(5).into_bytes());
        }
    }
}

/// What is said where a body does not come.
const SLOW: &str = "the body did not come in time: nothing was done; send it again as one";

/// Receives the body before anything is done with the request, so that a client that stops in the middle is told so, and has done nothing.
pub(super) async fn received(patience: Duration, limit: usize, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let too_large = || Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB: no request needs so much");
    // One that says its size is not waited for.
    if body.size_hint().lower() > limit as u64 {
        return too_large().into_response();
    }
    match tokio::time::timeout(patience, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) => {
            let is_long = std::error::Error::source(&error).is_some_and(|e| e.is::<http_body_util::LengthLimitError>());
            let broken = || Problem::new(Code::BadRequest, "the body ended before it was whole: send it again");
            if is_long { too_large() } else { broken() }.into_response()
        }
        Err(_) => {
            let mut response = Problem::new(Code::BodyTimeout, SLOW).into_response();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}
