//! One node.

mod headers;
mod logs;
mod request;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use alloy::{
    primitives::{Address, B256, U64},
    providers::{DynProvider, Provider, ProviderBuilder, WsConnect},
};
use futures::{Stream, StreamExt};

pub use self::headers::Heads;
use self::request::short;
use super::{ChainError, transport};

/// Times that a node, or another in its place, is asked again about a block whose bloom it does not explain, with growing pauses; then
/// it is believed. Some chains' blooms are wrong.
const BLOOM_DOUBTS: u32 = 10;
/// First pause before a broken socket is opened again.
const RECONNECT: Duration = Duration::from_millis(250);

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
