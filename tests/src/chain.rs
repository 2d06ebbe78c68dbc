//! anvil, block by block: it mines only when told, so that a test decides which transaction is in which block.
//!
//! Every block carries a transaction that no other block has. Without it, the same contents mined again after a rollback
//! could give the same hash, and a test of a reorg would test nothing.

use std::{
    env,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, TxKind, U256},
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    rpc::types::{
        Block, TransactionReceipt, TransactionRequest,
        anvil::{MineOptions, ReorgOptions, TransactionData},
    },
    sol_types::SolCall,
};

use crate::{process::Process, until};

/// Seconds between two blocks.
const BLOCK_TIME: u64 = 12;
/// Unix time of the genesis block.
const GENESIS_TIME: u64 = 1_900_000_000;
const ACCOUNTS: usize = 40;
const GAS: u64 = 15_000_000;

/// A transaction to be mined.
#[derive(Clone, Debug)]
pub enum Call {
    /// One that the node signs.
    New(Box<TransactionRequest>),
    /// One that was mined before, in a block that is gone.
    Again(Bytes),
}

impl Call {
    /// Creates a contract.
    pub fn deploy(from: Address, code: impl Into<Bytes>) -> Self {
        Self::New(Box::new(TransactionRequest {
            from: Some(from),
            to: Some(TxKind::Create),
            input: code.into().into(),
            gas: Some(GAS),
            gas_price: Some(0),
            ..TransactionRequest::default()
        }))
    }

    /// Sends ether and data.
    pub fn send(from: Address, to: Address, value: U256, data: impl Into<Bytes>) -> Self {
        Self::New(Box::new(TransactionRequest {
            from: Some(from),
            to: Some(TxKind::Call(to)),
            value: Some(value),
            input: data.into().into(),
            gas: Some(GAS),
            gas_price: Some(0),
            ..TransactionRequest::default()
        }))
    }

    /// Calls a contract's function.
    pub fn to(from: Address, to: Address, call: &impl SolCall) -> Self {
        Self::send(from, to, U256::ZERO, call.abi_encode())
    }
}

/// A chain of its own.
#[derive(Debug)]
pub struct Chain {
    _process: Process,
    /// Where it listens.
    pub url: String,
    /// To ask it anything.
    pub provider: DynProvider,
    accounts: Vec<Address>,
    unique: AtomicU64,
}

impl Chain {
    /// Starts anvil; blocks `2 * slots` below the head are final.
    pub async fn start(slots: u64) -> Self {
        Self::start_at(slots, GENESIS_TIME).await
    }

    /// The same with another time, and so another hash, of the genesis block.
    pub async fn start_at(slots: u64, genesis_time: u64) -> Self {
        Self::spawn(slots, genesis_time, &["--max-persisted-states", "0"]).await
    }

    /// One that keeps no state but the head's: a large chain fits into memory.
    pub async fn start_large(slots: u64) -> Self {
        Self::spawn(slots, GENESIS_TIME, &["--prune-history"]).await
    }

    async fn spawn(slots: u64, genesis_time: u64, history: &[&str]) -> Self {
        let mut command = Command::new(anvil());
        command
            .args(["--port", "0", "--no-mining", "--order", "fifo", "--block-base-fee-per-gas", "0"])
            .args(["--gas-price", "0", "--gas-limit", "1000000000", "--disable-min-priority-fee"])
            .args(["--slots-in-an-epoch", &slots.to_string(), "--timestamp", &genesis_time.to_string()])
            .args(["--accounts", &ACCOUNTS.to_string()])
            .args(history);
        let mut process = Process::spawn("anvil", &mut command, false);
        let address = until("anvil listens", async || {
            let output = process.output();
            if let Some(status) = process.exited() {
                panic!("anvil ended: {status}\n{output}");
            }
            let (_, rest) = output.split_once("Listening on ")?;
            rest.split_once('\n').map(|(address, _)| address.trim().to_owned())
        })
        .await;
        let url = format!("http://{address}");
        let provider = ProviderBuilder::default().connect_http(url.parse().unwrap()).erased();
        let accounts = provider.get_accounts().await.unwrap();
        Self { _process: process, url, provider, accounts, unique: AtomicU64::new(0) }
    }

    /// An account with 10,000 ether.
    pub fn account(&self, index: usize) -> Address {
        assert!(index < ACCOUNTS - 1, "the last account makes blocks differ");
        self.accounts[index]
    }

    /// All of them.
    pub fn accounts(&self) -> &[Address] {
        &self.accounts
    }

    /// The block at the head.
    pub async fn head(&self) -> Block {
        self.provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().expect("a head")
    }

    /// The block at a height of the canonical chain.
    pub async fn block(&self, number: u64) -> Block {
        let block = self.provider.get_block_by_number(number.into()).await.unwrap();
        block.unwrap_or_else(|| panic!("the chain has no block {number}"))
    }

    /// Time of the head.
    pub async fn now(&self) -> u64 {
        self.head().await.header.timestamp
    }

    /// Mines one block with just these transactions, in this order, and one that makes it differ from all others. All must
    /// succeed.
    pub async fn mine(&self, calls: impl IntoIterator<Item = Call>) -> Vec<TransactionReceipt> {
        let at = self.now().await + BLOCK_TIME;
        self.mine_at(at, calls).await
    }

    /// The same at a given time.
    pub async fn mine_at(&self, time: u64, calls: impl IntoIterator<Item = Call>) -> Vec<TransactionReceipt> {
        let mut hashes: Vec<B256> = Vec::new();
        for call in calls {
            hashes.push(self.submit(call).await);
        }
        self.submit(self.difference()).await;
        let before = self.head().await.header.number;
        self.provider
            .evm_mine(Some(MineOptions::Options { timestamp: Some(time), blocks: Some(1) }))
            .await
            .expect("anvil mines");
        let head = self.head().await;
        assert_eq!(head.header.number, before + 1, "one block was mined");
        assert_eq!(head.header.timestamp, time);
        let receipts = self.receipts(head.header.number).await;
        assert_eq!(receipts.len(), hashes.len() + 1, "the block holds just what it should");
        for (receipt, hash) in receipts.iter().zip(&hashes) {
            assert_eq!(receipt.transaction_hash, *hash, "in the order given");
            assert!(receipt.status(), "transaction {hash} failed in block {}", head.header.number);
        }
        receipts[..hashes.len()].to_vec()
    }

    /// Mines `count` blocks without transactions of the test's own.
    pub async fn mine_blocks(&self, count: u64) {
        for _ in 0..count {
            self.mine([]).await;
        }
    }

    /// Receipts of a block of the canonical chain.
    pub async fn receipts(&self, number: u64) -> Vec<TransactionReceipt> {
        self.provider.get_block_receipts(BlockId::number(number)).await.unwrap().expect("the block's receipts")
    }

    /// A mined transaction as it was signed, to be mined again elsewhere.
    pub async fn again(&self, transaction: B256) -> Call {
        let raw: Option<Bytes> =
            self.provider.client().request("eth_getRawTransactionByHash", (transaction,)).await.unwrap();
        Call::Again(raw.expect("the transaction is known"))
    }

    /// Takes the last `depth` blocks away.
    pub async fn rollback(&self, depth: u64) {
        let head = self.head().await.header.number;
        self.provider.anvil_rollback(Some(depth)).await.unwrap();
        assert_eq!(self.head().await.header.number, head - depth, "the chain went back");
    }

    /// Replaces the last blocks by as many others, by the node's own reorg.
    pub async fn swap(&self, blocks: Vec<Vec<Call>>) {
        let depth = blocks.len() as u64;
        let old = self.head().await.header;
        let first = old.number - depth + 1;
        let replaced = self.block(first).await.header.hash;
        let mut tx_block_pairs = Vec::new();
        let mut counts = Vec::new();
        for (index, calls) in blocks.into_iter().enumerate() {
            counts.push(calls.len() + 1);
            for call in calls.into_iter().chain([self.difference()]) {
                let transaction = match call {
                    Call::New(request) => TransactionData::JSON(*request),
                    Call::Again(raw) => TransactionData::Raw(raw),
                };
                tx_block_pairs.push((transaction, index as u64));
            }
        }
        self.provider.anvil_reorg(ReorgOptions { depth, tx_block_pairs }).await.expect("anvil reorganizes");
        let head = self.head().await.header;
        assert_eq!(head.number, old.number, "a swap keeps the height");
        assert_ne!(head.hash, old.hash);
        assert_ne!(self.block(first).await.header.hash, replaced, "every block was replaced");
        for (index, count) in counts.into_iter().enumerate() {
            let receipts = self.receipts(first + index as u64).await;
            assert_eq!(receipts.len(), count, "the new block {index} holds just what it should");
            assert!(receipts.iter().all(TransactionReceipt::status), "all transactions of the new block succeed");
        }
    }

    async fn submit(&self, call: Call) -> B256 {
        let client = self.provider.client();
        match call {
            Call::New(request) => client.request("eth_sendTransaction", (*request,)).await,
            Call::Again(raw) => client.request("eth_sendRawTransaction", (raw,)).await,
        }
        .expect("the node takes the transaction")
    }

    fn difference(&self) -> Call {
        let number = self.unique.fetch_add(1, Ordering::Relaxed);
        let from = self.accounts[ACCOUNTS - 1];
        Call::send(from, from, U256::ZERO, number.to_be_bytes().to_vec())
    }
}

/// `ANVIL`, else the one that npm brought.
fn anvil() -> PathBuf {
    if let Some(path) = env::var_os("ANVIL") {
        return path.into();
    }
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => panic!("no bundled anvil for {os} on {arch}: set ANVIL"),
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(format!("contracts/node_modules/@foundry-rs/anvil-{platform}/bin/anvil"));
    assert!(path.is_file(), "no anvil at {}: run scripts/setup, or set ANVIL", path.display());
    path
}
