//! The node as the command line uses it: reached once, checked for its chain, and its errors put into words.

use std::{error::Error, time::Duration};

use alloy::{
    contract,
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256},
    providers::{DynProvider, Provider as _, ProviderBuilder},
    transports::{RpcError, TransportError, TransportErrorKind},
};
use anyhow::Result;
use serde::Serialize;

use super::{clock, failure::Failure, units::Asset};
use crate::{
    config::{Key, NodeArgs, RpcUrl},
    contracts::{SaleFactory, SaleToken},
    types::Finality,
};

/// How long a node may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// A node that answers and serves the right chain.
#[derive(Clone, Debug)]
pub struct Node {
    /// For requests. Signs where a key was given.
    pub provider: DynProvider,
    /// Where it is.
    pub url: RpcUrl,
    /// EIP-155 id.
    pub chain_id: u64,
}

/// The block an answer was read at.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BlockRef {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// Height.
    pub number: u64,
    /// What identifies it.
    pub hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    /// By the node's `safe` and `finalized` blocks.
    pub finality: Finality,
}

impl Node {
    /// Connects to read.
    ///
    /// # Errors
    /// A [`Failure`] where the node cannot be reached or serves another chain than it must.
    pub async fn connect(args: &NodeArgs) -> Result<Self> {
        let provider = ProviderBuilder::new().connect(args.rpc_url.as_str());
        let provider = first_answer(&args.rpc_url, provider).await?.erased();
        let chain_id = first_answer(&args.rpc_url, provider.get_chain_id()).await?;
        if let Some(expected) = args.chain_id.filter(|id| *id != chain_id) {
            return Err(Failure::new(
                "wrong chain",
                format!("the node at {} serves chain {chain_id}, and --chain-id is {expected}", args.rpc_url),
                format!("name a node of chain {expected}: --rpc-url URL"),
            ));
        }
        Ok(Self { provider, url: args.rpc_url.clone(), chain_id })
    }

    /// The same node, signing with a key.
    ///
    /// # Errors
    /// Where the node cannot be reached any more.
    pub async fn signing(&self, key: Key) -> Result<Self> {
        let provider = ProviderBuilder::new().wallet(key.into_signer()).connect(self.url.as_str());
        let provider = first_answer(&self.url, provider).await?.erased();
        Ok(Self { provider, ..self.clone() })
    }

    /// Fails unless there is code at an address.
    ///
    /// # Errors
    /// A [`Failure`] that names `what` was looked for.
    pub async fn require_code(&self, address: Address, what: &str, hint: &str) -> Result<()> {
        if self.has_code(address).await? {
            return Ok(());
        }
        let why = format!("there is no contract at {address} on chain {}", self.chain_id);
        Err(Failure::new(format!("no {what}"), why, hint))
    }

    /// Fails unless a factory of this version is at an address.
    ///
    /// # Errors
    /// A [`Failure`] that says what is there.
    pub async fn require_factory(&self, address: Address, hint: &str) -> Result<()> {
        self.require_code(address, "factory", hint).await?;
        // Only a factory has it.
        match SaleFactory::new(address, &self.provider).REFUND_VAULT().call().await {
            Ok(_) => Ok(()),
            Err(contract::Error::TransportError(error)) if error.as_error_resp().is_none() => {
                Err(self.failed("cannot ask the factory", &error))
            }
            Err(_) => {
                let why = format!("the contract at {address} on chain {} does not answer as a factory", self.chain_id);
                Err(Failure::new("no factory", why, hint))
            }
        }
    }

    /// Whether there is code at an address, in the latest block.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn has_code(&self, address: Address) -> Result<bool> {
        let code = self.provider.get_code_at(address).await.map_err(|e| self.failed("cannot read the chain", &e))?;
        Ok(!code.is_empty())
    }

    /// The block behind a tag, with its finality.
    ///
    /// # Errors
    /// Where the node fails or has no such block.
    pub async fn block(&self, tag: BlockNumberOrTag) -> Result<BlockRef> {
        let found = self.find_block(tag).await.map_err(|e| self.failed("cannot read the block", &e))?;
        let Some((number, hash, timestamp)) = found else {
            let hint = "ask for the latest one, or name another node: --rpc-url URL";
            return Err(Failure::new("no such block", format!("the node has no block {tag}"), hint));
        };
        // A node without these tags cannot say that a block is final.
        let height = |found: Result<Option<(u64, B256, u64)>, TransportError>| found.ok().flatten().map(|(n, ..)| n);
        let finalized = height(self.find_block(BlockNumberOrTag::Finalized).await);
        let safe = height(self.find_block(BlockNumberOrTag::Safe).await);
        let finality = if finalized.is_some_and(|n| number <= n) {
            Finality::Finalized
        } else if safe.is_some_and(|n| number <= n) {
            Finality::Safe
        } else {
            Finality::Latest
        };
        Ok(BlockRef { chain_id: self.chain_id, number, hash, timestamp, finality })
    }

    async fn find_block(&self, tag: BlockNumberOrTag) -> Result<Option<(u64, B256, u64)>, TransportError> {
        let block = self.provider.get_block_by_number(tag).await?;
        Ok(block.map(|b| (b.header.number, b.header.hash, b.header.timestamp)))
    }

    /// Decimals and symbol of an ERC-20, or ether for the zero address.
    ///
    /// # Errors
    /// Where the contract has no decimals: it is no ERC-20.
    pub async fn asset(&self, token: Address, block: BlockId) -> Result<Asset> {
        if token.is_zero() {
            return Ok(Asset::ether());
        }
        let contract = SaleToken::new(token, &self.provider);
        let (decimals, symbol) = (contract.decimals().block(block), contract.symbol().block(block));
        let (decimals, symbol) = tokio::join!(decimals.call(), symbol.call());
        let decimals =
            decimals.map_err(|e| self.read_failed(&format!("cannot read the decimals of token {token}"), &e))?;
        // The symbol is a stranger's text: it must not move the cursor or fill the screen.
        let symbol: String = symbol.unwrap_or_default().chars().filter(|c| !c.is_control()).take(32).collect();
        Ok(Asset { decimals, symbol: if symbol.is_empty() { "tokens".to_owned() } else { symbol } })
    }

    /// An error of the node, in words.
    pub fn failed(&self, what: &str, error: &TransportError) -> anyhow::Error {
        node_failed(&self.url, what, error)
    }

    /// An error of a read, in words.
    pub fn read_failed(&self, what: &str, error: &contract::Error) -> anyhow::Error {
        match error {
            contract::Error::TransportError(e) if e.as_error_resp().is_none() => self.failed(what, e),
            _ => Failure::new(
                what,
                "the contract there does not answer as it should",
                "check the address: it must be of the kind that the command takes, on this chain",
            ),
        }
    }
}

/// The finality, in words.
pub fn finality_text(finality: Finality) -> &'static str {
    match finality {
        Finality::Latest => "latest: a reorg can still change it",
        Finality::Safe => "safe: only an attack on the network could change it",
        Finality::Finalized => "finalized: it cannot change",
    }
}

impl BlockRef {
    /// `block 7 (0x…), 2031-03-01 14:00:00 UTC`, and how final it is.
    pub fn text(&self) -> String {
        let time = clock::utc(self.timestamp);
        format!("block {} at {time}\n{}\n{}", self.number, self.hash, finality_text(self.finality))
    }
}

async fn first_answer<T>(url: &RpcUrl, answer: impl Future<Output = Result<T, TransportError>>) -> Result<T> {
    match tokio::time::timeout(FIRST_ANSWER, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(node_failed(url, &format!("cannot reach the node at {url}"), &error)),
        Err(_) => Err(Failure::new(
            format!("cannot reach the node at {url}"),
            format!("it did not answer within {} s", FIRST_ANSWER.as_secs()),
            HINT_NODE,
        )),
    }
}

const HINT_NODE: &str = "start a node, such as anvil, or name one: --rpc-url URL or CROWDSALE_RPC_URL";

fn node_failed(url: &RpcUrl, what: &str, error: &TransportError) -> anyhow::Error {
    match error {
        RpcError::ErrorResp(payload) => Failure::new(
            what,
            format!("the node at {url} answered {}: {}", payload.code, payload.message),
            "if it repeats, name another node: --rpc-url URL",
        ),
        RpcError::Transport(TransportErrorKind::HttpError(http)) => Failure::new(
            what,
            format!("the node at {url} answered with HTTP status {}", http.status),
            "check the URL, and the key in it if the provider asks for one: --rpc-url URL",
        ),
        RpcError::DeserError { .. } => {
            Failure::new(what, format!("what answers at {url} is not an Ethereum node"), "check the URL: --rpc-url URL")
        }
        // The outer errors repeat the URL, which may hold a provider's key; the innermost says what went wrong.
        other => Failure::new(what, innermost(other), HINT_NODE),
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let text = last.to_string();
    if text.contains("://") { "the connection failed".to_owned() } else { text }
}
