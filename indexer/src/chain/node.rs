//! One node.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, B256, U64},
    providers::{DynProvider, Provider, ProviderBuilder, WsConnect},
    rpc::{
        client::{BatchRequest, RpcCall},
        json_rpc::{RpcRecv, RpcSend},
        types::Filter,
    },
    transports::TransportError,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::{ChainError, Header, transport, wire::WireLog};
use crate::types::Log;

/// Longest that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Headers asked for in one request, where the node takes several in one.
const HEADERS_PER_BATCH: usize = 100;
/// Requests for headers at the same time.
const HEADERS_IN_FLIGHT: usize = 4;
/// Times that a node, or another in its place, is asked again about a block whose bloom it does not explain, with growing pauses; then
/// it is believed. Some chains' blooms are wrong.
const BLOOM_DOUBTS: u32 = 10;
/// Batches refused in a row, whose requests came through one by one, before no more are sent.
const REFUSED_BATCHES: u32 = 5;
/// First pause before a broken socket is opened again.
const RECONNECT: Duration = Duration::from_millis(250);

/// The node's tags at one moment. Behind a load balancer each can be another node's, on another branch.
#[derive(Clone, Debug)]
pub struct Heads {
    /// `latest`.
    pub latest: Header,
    /// `safe`, where the node knows one.
    pub safe: Option<Header>,
    /// `finalized`, where the node knows one.
    pub finalized: Option<Header>,
    /// The canonical block at the height that was asked for, where it came in one exchange with the tags: then all are one node's
    /// word, and of one branch.
    pub beside: Option<Header>,
}

impl Heads {
    /// Height up to which nothing changes any more; zero where the node knows none.
    pub fn final_height(&self) -> u64 {
        self.finalized.as_ref().map_or(0, Header::number).min(self.latest.number())
    }
}

/// A connection to a node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) provider: DynProvider,
    name: Arc<str>,
    /// Whether it tells of new heads by itself.
    pushes: bool,
    /// How often in a row it refused several requests in one that it then answered one by one.
    refused_batches: Arc<AtomicU32>,
    /// The last block whose bloom promised what the node did not show, and how often it did.
    doubts: Arc<Mutex<(B256, u32)>>,
}

impl Node {
    /// Connects by `http`, `https`, `ws` or `wss`.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        let parsed = url::Url::parse(url).map_err(|e| ChainError::Url(e.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(ChainError::Url(format!("{} is no scheme of a node, http and ws are", parsed.scheme())));
        }
        let host = parsed.host_str().unwrap_or("?");
        let name = parsed.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let pushes = parsed.scheme().starts_with("ws");
        let provider = if pushes {
            // A socket that broke is opened again for as long as it takes, and what was subscribed to with it.
            let socket = WsConnect::new(url).with_max_retries(u32::MAX).with_retry_interval(RECONNECT);
            let provider = ProviderBuilder::default().connect_ws(socket).await;
            provider.map_err(|e| ChainError::Unreachable { node: name.clone(), reason: short(&e) })?.erased()
        } else {
            ProviderBuilder::default().connect_client(transport::client(parsed)).erased()
        };
        Ok(Self { provider, name: name.into(), pushes, refused_batches: Arc::default(), doubts: Arc::default() })
    }

    /// Whether it tells of new heads by itself: where it is asked by `ws`.
    pub fn pushes(&self) -> bool {
        self.pushes
    }

    /// Every new head that the node tells of by itself; `None` where it is asked by `http`. A wake-up, not the truth: it can fall
    /// silent, so whoever listens looks for itself now and then.
    pub async fn heads_pushed(&self) -> Option<impl Stream<Item = ()> + Send + Unpin + use<>> {
        if !self.pushes {
            return None;
        }
        let heads = self.within("eth_subscribe", self.provider.subscribe_blocks()).await.ok()?.ok()?;
        Some(heads.into_stream().map(|_| ()))
    }

    /// Whether the bloom of a block that no answer explains may be wrong: not before it was asked for often.
    pub(super) fn may_doubt_bloom(&self, block: B256) -> bool {
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        *doubts = (block, if doubts.0 == block { doubts.1 + 1 } else { 1 });
        doubts.1 > BLOOM_DOUBTS
    }

    /// Host and port: what may be shown of the URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The chain that it serves.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.request::<_, U64>("eth_chainId", ()).await.map(|id| id.to())
    }

    /// The tags, and the canonical block at height `beside` in the same exchange where the node takes several requests in one. A node
    /// without `safe` or `finalized` counts as having neither.
    pub async fn heads(&self, beside: Option<u64>) -> Result<Heads, ChainError> {
        if self.takes_batches() {
            match self.heads_at_once(beside).await {
                Err(error) if error.is_answer() => {}
                Ok(heads) => {
                    self.batch_came_through();
                    return Ok(heads);
                }
                Err(error) => return Err(error),
            }
        }
        // What is final first: then the head is no older, and stands on it. The other way round a reorg in between would give a head
        // of the branch that is gone, beside a block that became final on the one that took its place.
        let (safe, finalized) =
            tokio::join!(self.find_tagged(BlockNumberOrTag::Safe), self.find_tagged(BlockNumberOrTag::Finalized));
        let latest = self.find_tagged(BlockNumberOrTag::Latest).await?.ok_or_else(|| self.headless())?;
        self.batch_failed_alone();
        Ok(Heads { latest, safe: safe.ok().flatten(), finalized: finalized.ok().flatten(), beside: None })
    }

    async fn heads_at_once(&self, beside: Option<u64>) -> Result<Heads, ChainError> {
        let mut asked = vec![BlockNumberOrTag::Latest, BlockNumberOrTag::Safe, BlockNumberOrTag::Finalized];
        asked.extend(beside.map(BlockNumberOrTag::Number));
        let mut answers = self.header_exchange(&asked).await?.into_iter();
        let latest = answers.next().unwrap_or(Ok(None))?.ok_or_else(|| self.headless())?;
        let mut next = || answers.next().and_then(Result::ok).flatten();
        Ok(Heads { latest, safe: next(), finalized: next(), beside: next() })
    }

    fn headless(&self) -> ChainError {
        self.inconsistent("it has no latest block")
    }

    fn takes_batches(&self) -> bool {
        self.refused_batches.load(Ordering::Relaxed) < REFUSED_BATCHES
    }

    fn batch_came_through(&self) {
        self.refused_batches.store(0, Ordering::Relaxed);
    }

    /// The same requests came through one by one.
    fn batch_failed_alone(&self) {
        self.refused_batches.fetch_add(1, Ordering::Relaxed);
    }

    async fn find_tagged(&self, tag: BlockNumberOrTag) -> Result<Option<Header>, ChainError> {
        self.request("eth_getBlockByNumber", (tag, false)).await
    }

    /// The canonical header at `number`, `None` beyond the node's head.
    pub async fn find_header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        let header: Option<Header> = self.find_tagged(BlockNumberOrTag::Number(number)).await?;
        match header {
            Some(h) if h.number() != number => {
                Err(self.inconsistent(&format!("asked for {number}, got {}", h.number())))
            }
            other => Ok(other),
        }
    }

    /// The canonical header at `number`.
    ///
    /// # Errors
    /// [`ChainError::NoBlock`] beyond the node's head.
    pub async fn get_header(&self, number: u64) -> Result<Header, ChainError> {
        self.find_header(number).await?.ok_or_else(|| ChainError::NoBlock { node: self.name.to_string(), number })
    }

    /// The canonical headers at `numbers`, in that order.
    ///
    /// # Errors
    /// [`ChainError::NoBlock`] where one is beyond the node's head.
    pub async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        let chunks: Vec<Vec<u64>> = numbers.chunks(HEADERS_PER_BATCH).map(<[u64]>::to_vec).collect();
        let chunks: Vec<Vec<Header>> = stream::iter(chunks)
            .map(|chunk| async move { self.header_batch(&chunk).await })
            .buffered(HEADERS_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(chunks.concat())
    }

    async fn header_batch(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        if numbers.len() > 1 && self.takes_batches() {
            let asked: Vec<_> = numbers.iter().copied().map(BlockNumberOrTag::Number).collect();
            let answers = self.header_exchange(&asked).await;
            match answers.and_then(|all| all.into_iter().collect::<Result<Vec<_>, _>>()) {
                Ok(headers) => {
                    self.batch_came_through();
                    return self.in_order(numbers, headers);
                }
                // It may be the batch that it does not like: one by one tells.
                Err(error) if error.is_answer() => {}
                Err(error) => return Err(error),
            }
            let headers = self.header_batch_one_by_one(numbers).await?;
            self.batch_failed_alone();
            return Ok(headers);
        }
        self.header_batch_one_by_one(numbers).await
    }

    /// Headers in one exchange, so of one node behind a URL; each can fail by itself.
    async fn header_exchange(
        &self,
        asked: &[BlockNumberOrTag],
    ) -> Result<Vec<Result<Option<Header>, ChainError>>, ChainError> {
        const METHOD: &str = "eth_getBlockByNumber";
        let mut batch = BatchRequest::new(self.provider.client());
        let mut waiters = Vec::with_capacity(asked.len());
        for block in asked {
            let waiter = batch.add_call::<_, Option<Header>>(METHOD, &(block, false));
            waiters.push(waiter.map_err(|e| self.failed(METHOD, &e))?);
        }
        self.within(METHOD, batch.send()).await?.map_err(|e| self.failed(METHOD, &e))?;
        let mut headers = Vec::with_capacity(asked.len());
        for waiter in waiters {
            headers.push(self.within(METHOD, waiter).await?.map_err(|e| self.failed(METHOD, &e)));
        }
        Ok(headers)
    }

    async fn header_batch_one_by_one(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        stream::iter(numbers.iter().copied())
            .map(|number| self.get_header(number))
            .buffered(HEADERS_IN_FLIGHT * 2)
            .try_collect()
            .await
    }

    fn in_order(&self, numbers: &[u64], headers: Vec<Option<Header>>) -> Result<Vec<Header>, ChainError> {
        let mut checked = Vec::with_capacity(headers.len());
        for (number, header) in numbers.iter().zip(headers) {
            match header {
                Some(h) if h.number() == *number => checked.push(h),
                Some(h) => return Err(self.inconsistent(&format!("asked for {number}, got {}", h.number()))),
                None => return Err(ChainError::NoBlock { node: self.name.to_string(), number: *number }),
            }
        }
        Ok(checked)
    }

    /// Whether a contract stands at `address` now.
    pub async fn has_code(&self, address: Address) -> Result<bool, ChainError> {
        let code = self.within("eth_getCode", self.provider.get_code_at(address)).await?;
        Ok(!code.map_err(|e| self.failed("eth_getCode", &e))?.is_empty())
    }

    pub(super) fn call_failed(&self, error: &alloy::contract::Error) -> ChainError {
        let reason = match error {
            alloy::contract::Error::TransportError(e) => short(e),
            other => other.to_string(),
        };
        ChainError::Request { method: "eth_call", node: self.name.to_string(), reason }
    }

    pub(super) fn failed(&self, method: &'static str, error: &TransportError) -> ChainError {
        ChainError::Request { method, node: self.name.to_string(), reason: short(error) }
    }

    /// No request waits for ever.
    pub(super) async fn within<T>(
        &self,
        method: &'static str,
        request: impl IntoFuture<Output = T>,
    ) -> Result<T, ChainError> {
        tokio::time::timeout(REQUEST_TIMEOUT, request.into_future()).await.map_err(|_| ChainError::NoAnswer {
            method,
            node: self.name.to_string(),
            seconds: REQUEST_TIMEOUT.as_secs(),
        })
    }

    /// Logs, and the header at a height as the same exchange shows it, where the node takes several requests in one.
    pub(super) async fn request_logs_up_to(
        &self,
        filter: &Filter,
        number: u64,
    ) -> Result<(Vec<Log>, Option<Header>), ChainError> {
        const METHOD: &str = "eth_getLogs";
        if !self.takes_batches() {
            let logs = transport::divisible(self.request_logs(filter)).await?;
            return Ok((logs, self.find_header(number).await?));
        }
        let failed = |e: TransportError| self.failed(METHOD, &e);
        let mut batch = BatchRequest::new(self.provider.client());
        let logs = batch.add_call::<_, Vec<WireLog>>(METHOD, &(filter,)).map_err(failed)?;
        let place = (BlockNumberOrTag::Number(number), false);
        let header = batch.add_call::<_, Option<Header>>("eth_getBlockByNumber", &place).map_err(failed)?;
        self.within(METHOD, transport::divisible(batch.send().into_future())).await?.map_err(failed)?;
        let logs = self.within(METHOD, logs).await?.map_err(failed)?;
        let header = self.within(METHOD, header).await?.map_err(failed)?;
        Ok((self.in_place(logs)?, header))
    }

    /// Logs in their order, each with its place and none twice.
    pub(super) async fn request_logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        let answer: Vec<WireLog> = self.request("eth_getLogs", (filter,)).await?;
        self.in_place(answer)
    }

    fn in_place(&self, answer: Vec<WireLog>) -> Result<Vec<Log>, ChainError> {
        let mut logs = Vec::with_capacity(answer.len());
        for log in answer {
            logs.push(log.placed().map_err(|what| self.inconsistent(what))?);
        }
        if !logs.is_sorted_by_key(|l| (l.block_number, l.log_index)) {
            logs.sort_unstable_by_key(|l| (l.block_number, l.log_index));
        }
        let twice = logs.windows(2).any(|w| (w[0].block_number, w[0].log_index) == (w[1].block_number, w[1].log_index));
        if twice { Err(self.inconsistent("it returned a log twice")) } else { Ok(logs) }
    }

    pub(super) async fn request<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        let call: RpcCall<P, R> = self.provider.client().request(method, params);
        self.within(method, call).await?.map_err(|e| self.failed(method, &e))
    }

    /// Answers to questions of one kind, in their order, in as few exchanges as the node takes.
    pub(super) async fn request_many<P, R>(&self, method: &'static str, questions: Vec<P>) -> Result<Vec<R>, ChainError>
    where
        P: RpcSend + Clone,
        R: RpcRecv,
    {
        let chunks: Vec<Vec<P>> = questions.chunks(HEADERS_PER_BATCH).map(<[P]>::to_vec).collect();
        let chunks: Vec<Vec<R>> = stream::iter(chunks)
            .map(|chunk| self.request_chunk(method, chunk))
            .buffered(HEADERS_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(chunks.into_iter().flatten().collect())
    }

    async fn request_chunk<P, R>(&self, method: &'static str, questions: Vec<P>) -> Result<Vec<R>, ChainError>
    where
        P: RpcSend + Clone,
        R: RpcRecv,
    {
        let in_one = questions.len() > 1 && self.takes_batches();
        if in_one {
            match self.exchange(method, &questions).await {
                Ok(answers) => {
                    self.batch_came_through();
                    return Ok(answers);
                }
                // It may be the batch that it does not like: one by one tells.
                Err(error) if error.is_answer() => {}
                Err(error) => return Err(error),
            }
        }
        let answers = stream::iter(questions)
            .map(|question| self.request::<P, R>(method, question))
            .buffered(HEADERS_IN_FLIGHT * 2)
            .try_collect()
            .await?;
        if in_one {
            self.batch_failed_alone();
        }
        Ok(answers)
    }

    async fn exchange<P, R>(&self, method: &'static str, questions: &[P]) -> Result<Vec<R>, ChainError>
    where
        P: RpcSend,
        R: RpcRecv,
    {
        let mut batch = BatchRequest::new(self.provider.client());
        let mut waiters = Vec::with_capacity(questions.len());
        for question in questions {
            waiters.push(batch.add_call::<_, R>(method, question).map_err(|e| self.failed(method, &e))?);
        }
        self.within(method, batch.send()).await?.map_err(|e| self.failed(method, &e))?;
        let mut answers = Vec::with_capacity(waiters.len());
        for waiter in waiters {
            answers.push(self.within(method, waiter).await?.map_err(|e| self.failed(method, &e))?);
        }
        Ok(answers)
    }

    /// The node should have block `expected`, and its head is `head`.
    pub fn behind(&self, expected: u64, head: u64) -> ChainError {
        self.inconsistent(&format!("its head is {head}, below block {expected} that it must have: it may be syncing"))
    }

    /// The block at this height does not stand on the one below it.
    pub fn another_branch(&self, number: u64) -> ChainError {
        self.inconsistent(&format!("block {number} does not stand on the block below it: they are of two branches"))
    }

    pub(super) fn inconsistent(&self, what: &str) -> ChainError {
        ChainError::Inconsistent { node: self.name.to_string(), what: what.to_owned() }
    }
}

/// A transport error in one line, without the URL, which can hold a key.
fn short(error: &TransportError) -> String {
    if let Some(response) = error.as_error_resp() {
        return format!("{} (code {})", response.message, response.code);
    }
    let text = error.to_string();
    let text = text.split(" for url (").next().unwrap_or_default();
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    let cause = source.to_string();
    if text.contains(&cause) || cause.contains("://") { text.to_owned() } else { format!("{text}: {cause}") }
}
