//! One node.

use std::{collections::HashMap, time::Duration};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, U64},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::{
        client::RpcCall,
        json_rpc::{RpcRecv, RpcSend},
        types::Filter,
    },
    transports::TransportError,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{ChainError, Header};
use crate::{
    contracts::SaleToken,
    types::{Block, Log},
};

/// Longest that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the logs of a block are asked for again, where its bloom says there are some and the node returns none.
const EMPTY_RETRIES: usize = 5;
/// Headers asked for at the same time.
const HEADERS_IN_FLIGHT: usize = 8;

/// The node's tags at one moment.
#[derive(Clone, Debug)]
pub struct Heads {
    /// `latest`.
    pub latest: Header,
    /// Height of `safe`; zero where the node knows none.
    pub safe: u64,
    /// Height of `finalized`; zero where the node knows none.
    pub finalized: u64,
}

/// A connection to a node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) provider: DynProvider,
    name: String,
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
        let provider = ProviderBuilder::default()
            .connect(url)
            .await
            .map_err(|e| ChainError::Unreachable { node: name.clone(), reason: short(&e) })?;
        Ok(Self { provider: provider.erased(), name })
    }

    /// Host and port: what may be shown of the URL.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The chain that it serves.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.request::<_, U64>("eth_chainId", ()).await.map(|id| id.to())
    }

    /// The tags. A node without `safe` or `finalized` counts as having neither.
    pub async fn heads(&self) -> Result<Heads, ChainError> {
        // What is final first: then the head is no older, and stands on it. The other way round a reorg in between would give a
        // head of the branch that is gone, beside a block that became final on the one that took its place.
        let finalized = self.find_tagged(BlockNumberOrTag::Finalized).await.ok().flatten().map_or(0, |h| h.number());
        let safe = self.find_tagged(BlockNumberOrTag::Safe).await.ok().flatten().map_or(0, |h| h.number());
        let latest = self
            .find_tagged(BlockNumberOrTag::Latest)
            .await?
            .ok_or_else(|| self.inconsistent("it has no latest block"))?;
        Ok(Heads { latest, safe: safe.max(finalized), finalized })
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
        self.find_header(number).await?.ok_or_else(|| ChainError::NoBlock { node: self.name.clone(), number })
    }

    /// The logs of a block with one of `topics`, by the block's hash, in their order.
    pub async fn logs_of(&self, header: &Header, topics: &[B256]) -> Result<Vec<Log>, ChainError> {
        let filter = Filter::new().at_block_hash(header.hash).event_signature(topics.to_vec());
        let mut logs = self.request_logs(&filter).await?;
        for attempt in 0..EMPTY_RETRIES {
            if !logs.is_empty() || !header.may_hold(topics) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
            logs = self.request_logs(&filter).await?;
        }
        if let Some(log) = logs.iter().find(|l| l.block_hash != header.hash || l.block_number != header.number()) {
            return Err(
                self.inconsistent(&format!("asked for the logs of {}, got one of {}", header.hash, log.block_hash))
            );
        }
        Ok(logs)
    }

    /// The logs of `from..=to.number()` with one of `topics`, in their order, with the blocks that hold them.
    ///
    /// `to` is asked for again on this node after the logs, and every block that holds one is compared with its header, so
    /// that a node behind its head or in the middle of a reorg is noticed.
    pub async fn logs_between(
        &self,
        from: u64,
        to: &Header,
        topics: &[B256],
    ) -> Result<(Vec<Block>, Vec<Log>), ChainError> {
        let filter = Filter::new().from_block(from).to_block(to.number()).event_signature(topics.to_vec());
        let logs = self.request_logs(&filter).await?;
        if let Some(log) = logs.iter().find(|l| !(from..=to.number()).contains(&l.block_number)) {
            return Err(self.inconsistent(&format!("a log of block {} outside the range", log.block_number)));
        }

        let mut hashes = HashMap::new();
        for log in &logs {
            hashes.insert(log.block_number, log.block_hash);
        }
        let mut numbers: Vec<u64> = hashes.keys().copied().collect();
        numbers.sort_unstable();
        let headers: Vec<Header> = stream::iter(numbers)
            .map(|number| self.get_header(number))
            .buffered(HEADERS_IN_FLIGHT)
            .try_collect()
            .await?;
        let blocks: HashMap<u64, Block> = headers.iter().map(|h| (h.number(), h.block())).collect();
        if let Some(log) = logs.iter().find(|l| blocks.get(&l.block_number).is_none_or(|b| b.hash != l.block_hash)) {
            return Err(self.inconsistent(&format!("a log of block {} names another hash", log.block_number)));
        }
        if self.get_header(to.number()).await?.hash != to.hash {
            return Err(self.inconsistent(&format!("block {} changed while its range was read", to.number())));
        }
        Ok((headers.iter().map(Header::block).collect(), logs))
    }

    /// Symbol, name and decimals of a token as of a block; what the contract does not have is empty or zero.
    ///
    /// # Errors
    /// Where the node no longer has that block: a reorg must not look like a token without decimals, for ever.
    pub async fn token(&self, address: Address, block: B256) -> Result<(String, String, u8), ChainError> {
        let id = BlockId::hash(block);
        let code = self.within("eth_getCode", self.provider.get_code_at(address).block_id(id)).await?;
        let code = code.map_err(|e| self.failed("eth_getCode", &e))?;
        if code.is_empty() {
            return Ok((String::new(), String::new(), 0));
        }
        let token = SaleToken::new(address, &self.provider);
        let symbol = self.answer(self.within("eth_call", token.symbol().block(id).call()).await?)?;
        let name = self.answer(self.within("eth_call", token.name().block(id).call()).await?)?;
        let decimals = self.answer(self.within("eth_call", token.decimals().block(id).call()).await?)?;
        Ok((symbol.unwrap_or_default(), name.unwrap_or_default(), decimals.unwrap_or_default()))
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
        ChainError::Request { method: "eth_call", node: self.name.clone(), reason }
    }

    /// A contract that reverts or answers something else has no such property. Any other error is the node's: a limit, a
    /// block that it does not have.
    fn answer<T>(&self, result: Result<T, alloy::contract::Error>) -> Result<Option<T>, ChainError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(alloy::contract::Error::TransportError(e)) => {
                let reverted = e.as_error_resp().is_some_and(|r| {
                    r.code == 3 || r.as_revert_data().is_some() || r.message.to_lowercase().contains("revert")
                });
                if reverted { Ok(None) } else { Err(self.failed("eth_call", &e)) }
            }
            Err(_) => Ok(None),
        }
    }

    pub(super) fn failed(&self, method: &'static str, error: &TransportError) -> ChainError {
        ChainError::Request { method, node: self.name.clone(), reason: short(error) }
    }

    /// No request waits for ever.
    pub(super) async fn within<T>(
        &self,
        method: &'static str,
        request: impl IntoFuture<Output = T>,
    ) -> Result<T, ChainError> {
        tokio::time::timeout(REQUEST_TIMEOUT, request.into_future()).await.map_err(|_| ChainError::Request {
            method,
            node: self.name.clone(),
            reason: format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()),
        })
    }

    async fn request_logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        let answer: Vec<alloy::rpc::types::Log> = self.request("eth_getLogs", (filter.clone(),)).await?;
        let mut logs = Vec::with_capacity(answer.len());
        for log in answer {
            if log.removed {
                return Err(self.inconsistent("it returned a removed log"));
            }
            let (Some(block_number), Some(block_hash), Some(transaction_hash), Some(log_index)) =
                (log.block_number, log.block_hash, log.transaction_hash, log.log_index)
            else {
                return Err(self.inconsistent("it returned a log without its place"));
            };
            logs.push(Log {
                block_number,
                block_hash,
                transaction_hash,
                log_index,
                emitter: log.inner.address,
                topics: log.inner.data.topics().to_vec(),
                data: log.inner.data.data.clone(),
            });
        }
        logs.sort_by_key(|l| (l.block_number, l.log_index));
        let twice = logs.windows(2).any(|w| (w[0].block_number, w[0].log_index) == (w[1].block_number, w[1].log_index));
        if twice { Err(self.inconsistent("it returned a log twice")) } else { Ok(logs) }
    }

    async fn request<P: RpcSend + 'static, R: RpcRecv>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        let call: RpcCall<P, R> = self.provider.client().request(method, params);
        self.within(method, call).await?.map_err(|e| self.failed(method, &e))
    }

    /// The node should have block `expected`, and its head is `head`.
    pub fn behind(&self, expected: u64, head: u64) -> ChainError {
        self.inconsistent(&format!("its head is {head}, below block {expected} that it must have: it may be syncing"))
    }

    fn inconsistent(&self, what: &str) -> ChainError {
        ChainError::Inconsistent { node: self.name.clone(), what: what.to_owned() }
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
