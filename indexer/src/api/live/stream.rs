//! The two streams: of a sale, and of a wallet on a chain.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use tokio::sync::{OwnedSemaphorePermit, broadcast::error::RecvError, mpsc};

use super::{
    Live,
    message::{FeedOut, Message},
    reading::{Reading, read},
};
use crate::{
    api::{
        ApiState, ReadProblems,
        extract::{ChainId, CheckedPath, CheckedQuery, FromQuery, Reader},
        meta::{Condition, Snapshot},
        problem::{Code, Problem},
        sale::{FullSale, SalePath},
        status::NoQuery,
        wallet::WalletPath,
    },
    db::{
        DbError,
        read::feed::{self, Audience, Position},
        snapshot,
    },
};

/// Events that are read for a listener at a time.
const PAGE: i64 = 200;
/// Events that wait for a listener who reads slowly.
const PENDING: usize = 32;
/// Time after which a listener looks by itself, should nobody pass anything on.
const LOOK: Duration = Duration::from_secs(20);
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
/// broke off, over restarts and reorgs. What came and went meanwhile is not told. `reset` means that this cannot be done: read the sale
/// anew. Every event can come twice, after a connection broke: its place and type tell.
#[utoipa::path(
    get,
    path = "/v1/sales/{chain}/{sale}/events",
    tag = "sales",
    params(SalePath, ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was received.")),
    responses((status = 200, description = "A stream of events, each with this as its data.", body = FeedOut, content_type = "text/event-stream"), ReadProblems)
)]
pub async fn listen_to_sale(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<SalePath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let resume = resume(&headers)?;
    // What is missing is told as every other resource tells it.
    let mut found = Snapshot::of_chain(&state, path.chain, None, Condition::none()).await.map_err(Problem::from)?;
    FullSale::get(found.connection(), path).await?;
    drop(found);
    let audience = Audience { sale: Some(path.sale), wallet: None };
    open(state, path.chain.0, audience, resume).await
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
    responses((status = 200, description = "A stream of events, each with this as its data.", body = FeedOut, content_type = "text/event-stream"), ReadProblems)
)]
pub async fn listen_to_wallet(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<WalletPath>,
    CheckedQuery(query): CheckedQuery<WalletStreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let resume = resume(&headers)?;
    let chain = query.chain.ok_or_else(Problem::internal)?;
    drop(Snapshot::of_chain(&state, chain, None, Condition::none()).await.map_err(Problem::from)?);
    let audience = Audience { sale: None, wallet: Some(path.address) };
    open(state, chain.0, audience, resume).await
}

/// What `Last-Event-ID` says, if it is there. An empty one is what a browser sends that has received none.
fn resume(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = |part: Option<&str>| part.filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?.parse::<i64>().ok();
    let parsed = value.to_str().ok().and_then(|text| {
        let mut parts = text.split('-');
        let (seq, block, log) = (number(parts.next())?, number(parts.next()), number(parts.next()));
        match (block, log, parts.next()) {
            (None, None, None) if !text.contains('-') => Some(Position::behind(seq)),
            (Some(block), Some(log), None) => Some(Position { seq, event: (block, i32::try_from(log).ok()?) }),
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

fn id(position: Position) -> String {
    if position == Position::behind(position.seq) {
        return position.seq.to_string();
    }
    format!("{}-{}-{}", position.seq, position.event.0, position.event.1)
}

async fn open(
    state: ApiState,
    chain_id: i64,
    audience: Audience,
    resume: Option<Position>,
) -> Result<Response, Problem> {
    let Some(permit) = state.live().permit() else {
        return Err(
            Problem::new(Code::TooManyListeners, "this process has as many as it takes; try again").retry_after(5)
        );
    };
    let (sender, mut receiver) = mpsc::channel(PENDING);
    let listener = Listener { state, chain_id, audience, sender, _permit: permit };
    // The task ends with the receiver, the receiver with the connection.
    tokio::spawn(listener.run(resume));
    let events = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that gathers an answer before it passes it on would pass on nothing.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The other end has gone, or the process ends.
struct Gone;

struct Listener {
    state: ApiState,
    chain_id: i64,
    audience: Audience,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    async fn run(self, resume: Option<Position>) {
        let closed = self.state.live().closed().clone();
        tokio::select! {
            () = closed.cancelled() => {}
            () = self.sender.closed() => {}
            _ = self.listen(resume) => {}
        }
    }

    async fn listen(&self, resume: Option<Position>) -> Result<(), Gone> {
        let live: Live = self.state.live().clone();
        // Before the position is known, so that nothing falls between.
        let mut batches = live.subscribe();
        let mut reading = self.begin(resume).await?;
        'catching_up: loop {
            self.catch_up(&mut reading).await?;
            loop {
                let batch = match tokio::time::timeout(LOOK, batches.recv()).await {
                    Ok(Ok(batch)) => batch,
                    Ok(Err(RecvError::Closed)) => return Err(Gone),
                    Ok(Err(RecvError::Lagged(_))) | Err(_) => continue 'catching_up,
                };
                if batch.chain_id != self.chain_id || batch.to <= reading.position() {
                    continue;
                }
                match &batch.messages {
                    Some(messages) if batch.from == reading.position() => {
                        for message in messages.iter().filter(|message| message.is_for(self.audience)) {
                            self.tell(message).await?;
                        }
                        reading = Reading::behind(self.chain_id, batch.to);
                    }
                    _ => continue 'catching_up,
                }
            }
        }
    }

    /// Says where the stream begins.
    async fn begin(&self, resume: Option<Position>) -> Result<Reading, Gone> {
        let newest = loop {
            match self.newest().await {
                Ok(newest) => break newest,
                Err(error) => self.pause(&error).await,
            }
        };
        let (name, position) = match resume {
            Some(position) if position.seq <= newest => ("ready", position),
            Some(_) => ("reset", Position::behind(newest)),
            None => ("ready", Position::behind(newest)),
        };
        let event = Event::default().event(name).id(id(position)).retry(RETRY).data("{}");
        self.send(event).await?;
        Ok(Reading::behind(self.chain_id, position))
    }

    async fn newest(&self) -> Result<i64, DbError> {
        let mut transaction = snapshot(self.state.pool()).await?;
        let all = feed::newest(&mut transaction).await?;
        Ok(all.into_iter().find(|(chain, _)| *chain == self.chain_id).map_or(0, |(_, seq)| seq))
    }

    /// Tells all that is in the database behind the position.
    async fn catch_up(&self, reading: &mut Reading) -> Result<(), Gone> {
        loop {
            match self.page(reading).await {
                Ok((messages, done)) => {
                    for message in &messages {
                        self.tell(message).await?;
                    }
                    if done {
                        return Ok(());
                    }
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// One page, in a snapshot that is over before anything is sent: a slow listener holds nothing.
    async fn page(&self, reading: &mut Reading) -> Result<(Vec<Message>, bool), DbError> {
        let mut transaction = snapshot(self.state.pool()).await?;
        let all = feed::newest(&mut transaction).await?;
        let newest = all.into_iter().find(|(chain, _)| *chain == self.chain_id).map_or(0, |(_, seq)| seq);
        let mut next = *reading;
        let messages = read(&mut transaction, &mut next, self.audience, newest, PAGE).await?;
        *reading = next;
        Ok((messages, next.is_at(newest)))
    }

    async fn pause(&self, error: &DbError) {
        tracing::warn!(%error, "a listener waits for the database");
        tokio::time::sleep(RETRY).await;
    }

    async fn tell(&self, message: &Message) -> Result<(), Gone> {
        self.send(Event::default().event(&message.kind).id(id(message.at)).data(&message.json)).await
    }

    async fn send(&self, event: Event) -> Result<(), Gone> {
        self.sender.send(Ok(event)).await.map_err(|_| Gone)
    }
}
