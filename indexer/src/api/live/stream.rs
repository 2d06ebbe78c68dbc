//! The two streams: of a sale, and of a wallet on a chain.

use std::{collections::VecDeque, convert::Infallible, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep},
};

use super::{
    Batch, Place, limited,
    message::{Message, StreamEvent, id},
    reading::{Reading, read},
};
use crate::{
    api::{
        ApiState, ReadProblems,
        auth::ClientAddress,
        extract::{ChainId, CheckedPath, CheckedQuery, FromQuery, Reader},
        meta::{Condition, Snapshot},
        problem::{Code, Problem},
        sale::{FullSale, SalePath},
        status::NoQuery,
        wallet::WalletPath,
    },
    db::{
        DbError,
        read::feed::{self, Audience, Ends, Position},
        snapshot,
    },
};

/// Events that are read for a listener at a time.
const PAGE: i64 = 200;
/// Bytes after which a frame is enough.
const FRAME: usize = 16 * 1024;
/// Time between two signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// When a listener is to come back.
const RETRY: Duration = Duration::from_secs(2);

/// `Last-Event-ID`.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Which chain a wallet's stream is of.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WalletStreamQuery {
    /// The chain: what happens on several has no common order.
    #[param(value_type = i64, minimum = 0)]
    pub chain: Option<ChainId>,
}

impl FromQuery for WalletStreamQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { chain: reader.require("chain") }
    }
}

/// What happens in a sale, as it happens
///
/// Server-sent events. The first is `ready`: everything that is committed after it is told, so read the sale then and add what comes. An
/// event's `id` is where it stands; with it as `Last-Event-ID`, which browsers send by themselves, a stream goes on where the last one
/// broke off, over restarts and reorgs. What came and went meanwhile is not told. `reset` means that this cannot be done, as where the last
/// event was heard longer ago than the operator keeps what was told, mostly 30 days: read the sale anew. Every event can come twice, after a connection broke: its place and type tell.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/events",
    tag = "sales",
    params(SalePath, ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was received.")),
    responses((status = 200, description = "A stream of events, each of this form.", body = StreamEvent, content_type = "text/event-stream"), ReadProblems)
)]
pub async fn listen_to_sale(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let resume = resume(&headers)?;
    // What is missing is told as every other resource tells it.
    let mut found = Snapshot::of_chain(&state, path.chain, None, Condition::none()).await.map_err(Problem::from)?;
    FullSale::get(found.connection(), path).await?;
    drop(found);
    let audience = Audience { sale: Some(path.sale), wallet: None };
    open(state, path.chain.0, audience, resume, ClientAddress::among(&extensions)).await
}

/// What happens to a wallet, as it happens
///
/// Server-sent events of all sales on a chain in which the wallet has a part: as investor, payer, recipient, owner or beneficiary. As the
/// stream of a sale otherwise.
#[utoipa::path(
    get,
    path = "/v1/investors/{address}/events",
    tag = "investors",
    params(WalletPath, WalletStreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was received.")),
    responses((status = 200, description = "A stream of events, each of this form.", body = StreamEvent, content_type = "text/event-stream"), ReadProblems)
)]
pub async fn listen_to_wallet(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<WalletPath>,
    CheckedQuery(query): CheckedQuery<WalletStreamQuery>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let resume = resume(&headers)?;
    let chain = query.chain.ok_or_else(Problem::internal)?;
    drop(Snapshot::of_chain(&state, chain, None, Condition::none()).await.map_err(Problem::from)?);
    let audience = Audience { sale: None, wallet: Some(path.address) };
    open(state, chain.0, audience, resume, ClientAddress::among(&extensions)).await
}

/// What `Last-Event-ID` says, if it is there. An empty one is what a browser sends that has received none.
fn resume(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| part.parse::<i64>().ok().filter(|_| digits(part));
    // An opening's place is below zero.
    let place = |part: &str| part.parse::<i32>().ok().filter(|_| digits(part.strip_prefix('-').unwrap_or(part)));
    let parsed = value.to_str().ok().and_then(|text| {
        let mut parts = text.splitn(3, '-');
        let seq = number(parts.next()?)?;
        match (parts.next(), parts.next()) {
            (None, None) => Some(Position::behind(seq)),
            (Some(block), Some(log)) => Some(Position { seq, event: (number(block)?, place(log)?) }),
            _ => None,
        }
    });
    parsed.map(Some).ok_or_else(|| {
        Problem::new(
            Code::CursorInvalid,
            "Last-Event-ID is no id of an event of this stream; leave it out to begin now",
        )
    })
}

async fn open(
    state: ApiState,
    chain_id: i64,
    audience: Audience,
    resume: Option<Position>,
    from: Option<IpAddr>,
) -> Result<Response, Problem> {
    let place = state.live().place(from)?;
    let news = state.live().subscribe();
    let listener = Listener {
        state,
        chain_id,
        audience,
        news,
        stage: Stage::Begin(resume),
        pending: Pending::default(),
        told: Instant::now(),
        quiet: Box::pin(tokio::time::sleep(KEEP_ALIVE)),
        _place: place,
    };
    // It is asked for as the connection takes it, and ends with the connection.
    let frames = futures::stream::unfold(listener, |mut listener| async move {
        let frame = listener.next().await?;
        Some((Ok::<_, Infallible>(frame), listener))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that gathers an answer before it passes it on would pass on nothing.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// What a listener does next.
#[derive(Debug)]
enum Stage {
    /// Says where the stream begins.
    Begin(Option<Position>),
    /// Reads what is in the database.
    CatchUp(Reading),
    /// Hears what is passed on.
    Follow(Reading),
}

/// Frames that wait until the connection takes them.
#[derive(Debug, Default)]
struct Pending {
    batch: Option<(Arc<Batch>, usize)>,
    page: VecDeque<Message>,
}

struct Listener {
    state: ApiState,
    chain_id: i64,
    audience: Audience,
    /// Subscribed before the position is known, so that nothing falls between.
    news: mpsc::Receiver<Arc<Batch>>,
    stage: Stage,
    pending: Pending,
    /// When it was last told something.
    told: Instant,
    /// Until nothing was told for long. It is set anew when it is over, not with each frame.
    quiet: Pin<Box<Sleep>>,
    _place: Place,
}

impl Pending {
    /// What there is for the audience, as much as goes into one frame.
    fn take(&mut self, audience: Audience) -> Option<Bytes> {
        let mut frames = Frames::default();
        while let Some(message) = self.page.pop_front() {
            if frames.add(&message.frame) {
                return frames.done();
            }
        }
        if let Some((batch, next)) = &mut self.batch {
            for message in batch.messages.iter().flatten().skip(*next) {
                *next += 1;
                if message.is_for(audience) && frames.add(&message.frame) {
                    return frames.done();
                }
            }
            self.batch = None;
        }
        frames.done()
    }
}

/// Several frames that are written as one. One alone is the same bytes for everybody.
#[derive(Debug, Default)]
struct Frames {
    first: Option<Bytes>,
    all: Vec<u8>,
}

impl Frames {
    /// Whether it is enough.
    fn add(&mut self, frame: &Bytes) -> bool {
        match &self.first {
            None => self.first = Some(frame.clone()),
            Some(first) => {
                if self.all.is_empty() {
                    self.all.extend_from_slice(first);
                }
                self.all.extend_from_slice(frame);
            }
        }
        self.all.len() >= FRAME
    }

    fn done(self) -> Option<Bytes> {
        if self.all.is_empty() { self.first } else { Some(self.all.into()) }
    }
}

impl Listener {
    /// The next frame; none at the end of the process.
    async fn next(&mut self) -> Option<Bytes> {
        let frame = loop {
            if let Some(frame) = self.pending.take(self.audience) {
                break frame;
            }
            let Stage::Follow(reading) = self.stage else {
                let closed = self.state.live().closed().clone();
                let frame = tokio::select! {
                    () = closed.cancelled() => return None,
                    frame = self.catch_up() => frame,
                };
                match frame {
                    Some(frame) => break frame,
                    None => continue,
                }
            };
            tokio::select! {
                news = self.news.recv() => match news {
                    Some(batch) => self.hear(batch, reading),
                    None if self.state.live().closed().is_cancelled() => return None,
                    None => {
                        // It was too far behind to be told all.
                        self.news = self.state.live().subscribe();
                        self.stage = Stage::CatchUp(reading);
                    }
                },
                () = &mut self.quiet => {
                    let now = Instant::now();
                    let due = self.told + KEEP_ALIVE;
                    self.quiet.as_mut().reset(if due > now { due } else { now + KEEP_ALIVE });
                    if due > now {
                        continue;
                    }
                    // Should it have missed what was passed on, it looks by itself.
                    let known = self.state.live().newest(self.chain_id);
                    if !known.is_some_and(|newest| reading.is_at(newest)) {
                        self.stage = Stage::CatchUp(reading);
                    }
                    break Bytes::from_static(b":\n\n");
                }
            }
        };
        self.told = Instant::now();
        Some(frame)
    }

    /// Takes what was passed on, if it is of the chain and goes on where the listener stands.
    fn hear(&mut self, batch: Arc<Batch>, reading: Reading) {
        if batch.chain_id != self.chain_id || batch.to <= reading.position() {
            return;
        }
        if batch.messages.is_some() && batch.from == reading.position() {
            self.stage = Stage::Follow(Reading::behind(self.chain_id, batch.to));
            self.pending.batch = Some((batch, 0));
        } else {
            self.stage = Stage::CatchUp(reading);
        }
    }

    /// A step by the database; a frame if it makes one by itself.
    async fn catch_up(&mut self) -> Option<Bytes> {
        match &self.stage {
            Stage::Begin(resume) => {
                let resume = *resume;
                match limited(self.ends()).await {
                    Ok(ends) => return Some(self.begin(resume, ends)),
                    Err(error) => pause(&error).await,
                }
            }
            Stage::CatchUp(reading) => {
                let mut next = *reading;
                match limited(self.page(&mut next)).await {
                    Ok(None) => self.stage = Stage::Begin(Some(next.position())),
                    Ok(Some((messages, done))) => {
                        self.pending.page = messages.into();
                        self.stage = if done { Stage::Follow(next) } else { Stage::CatchUp(next) };
                    }
                    Err(error) => pause(&error).await,
                }
            }
            Stage::Follow(_) => {}
        }
        None
    }

    fn begin(&mut self, resume: Option<Position>, ends: Ends) -> Bytes {
        let newest = ends.newest;
        let (name, position) = match resume {
            Some(position) if position.seq <= newest && !ends.has_forgotten(position) => ("ready", position),
            Some(_) => ("reset", Position::behind(newest)),
            None => ("ready", Position::behind(newest)),
        };
        self.stage = Stage::CatchUp(Reading::behind(self.chain_id, position));
        let retry = RETRY.as_millis();
        format!("event: {name}\nid: {}\nretry: {retry}\ndata: {{}}\n\n", id(position)).into()
    }

    async fn ends(&self) -> Result<Ends, DbError> {
        let _turn = self.state.live().turn().await;
        feed::ends_of(&mut *snapshot(self.state.pool()).await?, self.chain_id).await
    }

    /// One page of what is in the database, in a snapshot that is over before anything is sent: a slow listener holds nothing. None
    /// where what comes next is forgotten.
    async fn page(&self, reading: &mut Reading) -> Result<Option<(Vec<Message>, bool)>, DbError> {
        let _turn = self.state.live().turn().await;
        let mut transaction = snapshot(self.state.pool()).await?;
        let ends = feed::ends_of(&mut transaction, self.chain_id).await?;
        if ends.has_forgotten(reading.position()) {
            return Ok(None);
        }
        let messages = read(&mut transaction, reading, self.audience, ends.newest, PAGE).await?;
        Ok(Some((messages, reading.is_at(ends.newest))))
    }
}

async fn pause(error: &DbError) {
    tracing::warn!(%error, "a listener waits for the database");
    tokio::time::sleep(RETRY).await;
}
