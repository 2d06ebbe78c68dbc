//! A server around the API and the investor page: what every request passes, and how connections begin and end.
//!
//! From the outside in: request id, log line and metrics; bodies of problems; security headers and CORS; gzip; the body, whole;
//! a time limit; a net for panics; the routes.

mod connections;
mod limits;
mod signers;
mod tls;

use connections::Peers;
pub use limits::Limits;
pub use signers::{KeyPlaces, signer};
pub use tls::{Tls, TlsError};

use std::{any::Any, num::NonZeroUsize, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::future::OptionFuture;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use metrics::{counter, histogram};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Instant,
};
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::server::TlsStream;
use tokio_util::{either::Either, sync::CancellationToken, task::AbortOnDropHandle};
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
        auth::{self, ClientAddress, RequestId},
        live::fan_out,
        problem::{self, Code, Problem},
    },
    orders,
    telemetry::metric,
    web, webhooks,
};

/// Limits of connections.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Time for a client to send the head of a request, from when the connection opens or the last answer was sent.
    pub header_read_timeout: Duration,
    /// Time for a client to send the body of a request.
    pub body_timeout: Duration,
    /// Time for an answer.
    pub request_timeout: Duration,
    /// Time in which a client must read some of an answer that waits for it.
    pub read_timeout: Duration,
    /// Time that answers under way get when the server shuts down.
    pub shutdown_timeout: Duration,
    /// Largest head of a request, bytes.
    pub head_limit: usize,
    /// Largest body of a request, bytes.
    pub body_limit: usize,
    /// Most connections at once; others wait to be accepted.
    pub connections: usize,
    /// Most of them for an address that is no trusted proxy.
    pub connections_per_address: Option<NonZeroUsize>,
    /// What an address may ask.
    pub limits: Limits,
    /// Time between two looks at what changes beside the server: its certificate, and the keys that it signs with.
    pub upkeep: Duration,
    /// Where those keys are.
    pub keys: KeyPlaces,
    /// What connections are secured with; `None` where a proxy in front does it.
    pub tls: Option<Tls>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(20),
            head_limit: 64 * 1024,
            body_limit: auth::MOST_BODY,
            connections: 8_192,
            connections_per_address: None,
            limits: Limits::default(),
            upkeep: Duration::from_secs(5),
            keys: KeyPlaces::default(),
            tls: None,
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
pub async fn run(
    listener: TcpListener,
    state: ApiState,
    options: ServeOptions,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let (live, pool) = (state.live().clone(), state.pool().clone());
    // Ends with the server, whatever ends that.
    let stop = shutdown.clone();
    let service = state.service().map(|service| service.webhooks().clone());
    let telling = service.clone().map(|w| fan_out(live.clone(), pool.clone(), w, shutdown.clone()));
    let delivering = service.map(|w| webhooks::run(w, shutdown.clone()));
    let (telling, delivering) = (OptionFuture::from(telling), OptionFuture::from(delivering));
    let _telling = AbortOnDropHandle::new(tokio::spawn(telling));
    let delivering = AbortOnDropHandle::new(tokio::spawn(delivering));
    let _passing_on = AbortOnDropHandle::new(tokio::spawn(async move { live.run(pool, stop).await }));
    let _following = state.service().map(|service| {
        let (orders, pool, nodes) = (service.orders().clone(), service.pool().clone(), state.nodes().clone());
        AbortOnDropHandle::new(tokio::spawn(orders::run(orders, nodes, pool, shutdown.clone())))
    });
    let _renewing = state.service().map(|service| {
        let (service, keys) = (Arc::clone(service), options.keys.clone());
        AbortOnDropHandle::new(tokio::spawn(signers::renew(service, keys, options.upkeep)))
    });
    run_app(listener, app(state, options.clone()), options.clone(), shutdown.clone()).await?;
    // Messages under way end too; what does not is sent again by the next.
    if tokio::time::timeout(options.shutdown_timeout, delivering).await.is_err() {
        tracing::warn!("some messages of webhooks were not noted in time: they are sent again");
    }
    Ok(())
}

/// Serves health and metrics alone on `listener`, until `shutdown`.
pub async fn run_operator(
    listener: TcpListener,
    state: ApiState,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let options = ServeOptions::default();
    run_app(listener, layered(api::operator_router(state), options.clone()), options, shutdown).await
}

/// The API and the page, with everything that a request passes.
pub fn app(state: ApiState, mut options: ServeOptions) -> Router {
    options.limits = options.limits.for_keys(state.service().is_some());
    layered(api::router(state).merge(web::router()), options)
}

/// Puts around `router` what every request passes.
pub fn layered(router: Router, options: ServeOptions) -> Router {
    let (limit, limits) = (options.request_timeout, options.limits);
    let (patience, most) = (options.body_timeout, options.body_limit);
    router
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request, next| limited(limit, request, next)))
        .layer(middleware::from_fn(move |request, next| connections::received(patience, most, request, next)))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn(move |request, next| limits::metered(limits.clone(), request, next)))
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
    let (patience, unread) = (options.header_read_timeout, options.read_timeout);
    let slots = Arc::new(Semaphore::new(options.connections));
    let peers = Peers::new(options.connections_per_address, options.limits.clone());
    let mut upkeep = tokio::time::interval(options.upkeep);
    loop {
        // Taken before a connection is: who finds none waits at the door, and costs nothing.
        let accepted = async {
            let slot = slots.clone().acquire_owned().await;
            listener.accept().await.map(|accepted| (accepted, slot))
        };
        let ((stream, peer), slot) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accepted => match accepted {
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
                options.tls.iter().for_each(Tls::renew);
                continue;
            }
        };
        let Some(part) = peers.admit(peer.ip()) else {
            peers.turn_away(&stream, options.tls.is_some());
            continue;
        };
        // Answers are small and whole: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let (http, watcher, tls) = (http.clone(), connections.watcher(), options.tls.clone());
        let secured = Extension(IsSecured(tls.is_some()));
        let from = (Extension(ClientAddress(peer.ip())), secured).layer(app.clone());
        tokio::spawn(async move {
            let (_slot, _part) = (slot, part);
            let stream = match tokio::time::timeout(patience, secure(stream, tls)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return tracing::debug!(%error, "a connection was not secured"),
                Err(_) => return tracing::debug!("a connection was not secured in time"),
            };
            // What nobody reads is not kept for ever.
            let mut stream = Box::pin(TimeoutWriter::new(stream));
            stream.as_mut().set_timeout_pinned(Some(unread));
            let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(from));
            if let Err(error) = watcher.watch(connection).await {
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

async fn secure(stream: TcpStream, tls: Option<Tls>) -> std::io::Result<Either<TcpStream, TlsStream<TcpStream>>> {
    Ok(match tls {
        Some(tls) => Either::Right(tls.acceptor().accept(stream).await?),
        None => Either::Left(stream),
    })
}

fn is_fatal(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotFound)
}

/// Anybody's page may read what anybody may read, and [`secured`] takes it from the rest. No credentials: there are none in a browser.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::ACCEPT, header::IF_NONE_MATCH, REQUEST_ID])
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            REQUEST_ID,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
        ])
        .max_age(Duration::from_secs(24 * 60 * 60))
}

/// Whether a connection is TLS.
#[derive(Clone, Copy, Debug)]
struct IsSecured(bool);

/// Headers that keep browsers from guessing. A page sets its own policy.
async fn secured(request: Request, next: Next) -> Response {
    let tls = request.extensions().get::<IsSecured>().is_some_and(|IsSecured(tls)| *tls);
    let is_open = api::is_public_read(request.method(), request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !is_open {
        for name in [
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            header::ACCESS_CONTROL_MAX_AGE,
        ] {
            headers.remove(name);
        }
    }
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
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

/// What is said where an answer takes too long.
const LATE: &str = "the answer took longer than it may: try again in a moment. What was asked for may have been done all the same: send it again with the same Idempotency-Key, where it had one";

async fn limited(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Timeout, LATE).retry_after(5).into_response(),
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
