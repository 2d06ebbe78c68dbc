//! A server around the API: what every request passes, and how connections begin and end.
//!
//! From the outside in: request id, log line and metrics; bodies of problems; security headers and CORS; gzip; a time limit; a
//! net for panics; the routes.

use std::{any::Any, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use metrics::{counter, histogram};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::Layer as _;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{Any as AnyOrigin, CorsLayer},
    request_id::{MakeRequestId, MakeRequestUuid},
};
use tracing::Instrument;

use crate::{
    api::{
        self, ApiState,
        auth::{ClientAddress, RequestId},
        problem::{self, Code, Problem},
    },
    telemetry::metric,
};

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Time for a client to send the head of a request, from when the connection opens or the last answer was sent.
    pub header_read_timeout: Duration,
    /// Time for an answer.
    pub request_timeout: Duration,
    /// Time that answers under way get when the server shuts down.
    pub shutdown_timeout: Duration,
    /// Largest head of a request, bytes.
    pub head_limit: usize,
    /// Largest body of a request, bytes.
    pub body_limit: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
            shutdown_timeout: Duration::from_secs(20),
            head_limit: 64 * 1024,
            body_limit: 64 * 1024,
        }
    }
}

/// The server stopped without being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener is of no use.
    #[error("cannot accept connections: {0}")]
    Listener(#[source] std::io::Error),
}

/// Header that a request is found by in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves the API on `listener` until `shutdown`, then lets the answers under way end.
pub async fn run(listener: TcpListener, state: ApiState, shutdown: CancellationToken) -> Result<(), ServeError> {
    let options = ServeOptions::default();
    let (live, pool) = (state.live().clone(), state.pool().clone());
    // Ends with the server, whatever ends that.
    let stop = shutdown.clone();
    let _passing_on = AbortOnDropHandle::new(tokio::spawn(async move { live.run(pool, stop).await }));
    run_app(listener, app(state, options), options, shutdown).await
}

/// Serves health and metrics alone on `listener`, until `shutdown`.
pub async fn run_operator(
    listener: TcpListener,
    state: ApiState,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let options = ServeOptions::default();
    run_app(listener, layered(api::operator_router(state), options), options, shutdown).await
}

/// The API with everything that a request passes.
pub fn app(state: ApiState, options: ServeOptions) -> Router {
    layered(api::router(state), options)
}

/// Puts around `router` what every request passes.
pub fn layered(router: Router, options: ServeOptions) -> Router {
    router
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request, next| limited(options.request_timeout, request, next)))
        .layer(CompressionLayer::new().gzip(true))
        .layer(cors())
        .layer(middleware::from_fn(secured))
        .layer(middleware::from_fn(observed))
}

/// Serves `app` on `listener` until `shutdown`, then lets the answers under way end.
///
/// Connections are HTTP/1.1 alone: telling it from HTTP/2 means waiting for a client's first bytes, which no time limit covers.
/// Clients of HTTP/2 and 3 meet the proxy that ends their TLS.
pub async fn run_app(
    listener: TcpListener,
    app: Router,
    options: ServeOptions,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serving");
    }
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(options.header_read_timeout).max_buf_size(options.head_limit);
    let connections = GracefulShutdown::new();
    let mut upkeep = tokio::time::interval(Duration::from_secs(5));
    loop {
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_fatal(&error) => return Err(ServeError::Listener(error)),
                Err(error) => {
                    // Too many open files, or a client that was gone at once: others may do better in a moment.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = upkeep.tick() => {
                crate::telemetry::upkeep();
                continue;
            }
        };
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let from = Extension(ClientAddress(peer.ip())).layer(app.clone());
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(from));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    tracing::info!(connections = connections.count(), "shutting down");
    if tokio::time::timeout(options.shutdown_timeout, connections.shutdown()).await.is_err() {
        tracing::warn!("some answers did not end in time");
    }
    Ok(())
}

fn is_fatal(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotFound)
}

/// Anybody's page may read what anybody may read. No credentials: there are none in a browser.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::ACCEPT, header::IF_NONE_MATCH, REQUEST_ID])
        .expose_headers([header::ETAG, header::RETRY_AFTER, REQUEST_ID])
        .max_age(Duration::from_secs(24 * 60 * 60))
}

/// Headers that keep browsers from guessing. A page sets its own policy.
async fn secured(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn limited(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Timeout, "try again in a moment").retry_after(5).into_response(),
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(message = message.unwrap_or("no message"), "a handler panicked");
    Problem::internal().into_response()
}

/// Request id, log line, metrics, and the bodies of problems.
async fn observed(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let text = id.to_str().unwrap_or_default().to_owned();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id = text, %method, path);
    request.extensions_mut().insert(RequestId(text.clone()));
    let response = next.run(request).instrument(span.clone()).await;

    let mut response = problem::finish(response, &path, &text);
    response.headers_mut().insert(REQUEST_ID, id);
    let (status, elapsed) = (response.status(), started.elapsed());
    // Anybody can send any method: the label keeps to those that exist.
    let method = match method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.to_string()
        }
        _ => "other".to_owned(),
    };
    span.in_scope(|| {
        tracing::info!(route, status = status.as_u16(), milliseconds = elapsed.as_millis() as u64, "answered");
    });
    histogram!(metric::HTTP_SECONDS, "method" => method.clone(), "route" => route.clone()).record(elapsed);
    let status = status.as_u16().to_string();
    counter!(metric::HTTP_REQUESTS, "method" => method, "route" => route, "status" => status).increment(1);
    response
}

/// The caller's request id, if it can stand in a log line as it is, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=128).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
    });
    match given {
        Some(value) => value.clone(),
        None => MakeRequestUuid
            .make_request_id(request)
            .map_or_else(|| HeaderValue::from_static("none"), |id| id.into_header_value()),
    }
}
