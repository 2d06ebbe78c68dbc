//! Sends a transaction as every command does: try it first, say in words why it would fail, send, wait, look at the result.

use std::{cell::Cell, time::Duration};

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    network::TransactionBuilder as _,
    primitives::{Address, B256, Bytes, Signature, U256},
    providers::Provider as _,
    rpc::types::{TransactionReceipt, TransactionRequest},
    signers::SignerSync as _,
    sol_types::SolCall,
    transports::{RpcError, TransportError},
};
use anyhow::Result;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{failure::Failure, node::Node, printer::Printer, units::Asset};
use crate::{
    config::{Key, KeyArgs, NodeArgs},
    contracts::SaleToken,
    explain::{Asker, Assets, explain},
    types::Amount,
};

/// How long to wait for a transaction to be included, or for earlier ones to leave the pool.
const INCLUSION: Duration = Duration::from_secs(600);

/// An account on a node.
#[derive(Debug)]
pub struct Wallet {
    /// Signs.
    pub node: Node,
    /// The account.
    pub address: Address,
    /// For what is said on the way.
    pub printer: Printer,
    key: Key,
}

/// What a transaction is about: what its errors need to be put into words.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Decimals and symbols.
    pub assets: Assets,
    /// The sale.
    pub sale: Option<Address>,
    /// Gas above the estimate. Where a contract catches the failure of a call of its own, the node's estimate is the least
    /// with which that call fails and is caught: it needs more to succeed.
    pub gas_reserve: u64,
    /// Whether the same command, run again, finds out by itself what became of this transaction.
    pub is_repeatable: bool,
}

/// Where a transaction was included.
#[derive(Clone, Debug, Serialize)]
pub struct Included {
    /// The transaction.
    pub transaction_hash: B256,
    /// Height of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Gas it used.
    pub gas_used: u64,
}

impl Included {
    /// From a receipt of a transaction that is in a block.
    pub fn new(receipt: &TransactionReceipt) -> Self {
        Self {
            transaction_hash: receipt.transaction_hash,
            block_number: receipt.block_number.unwrap_or_default(),
            block_hash: receipt.block_hash.unwrap_or_default(),
            gas_used: receipt.gas_used,
        }
    }

    /// Rows for a table.
    pub fn rows(&self) -> [(&'static str, String); 3] {
        [
            ("transaction", self.transaction_hash.to_string()),
            ("block", self.block_number.to_string()),
            ("gas used", self.gas_used.to_string()),
        ]
    }
}

impl Wallet {
    /// Connects and reads the key.
    ///
    /// # Errors
    /// Where the node cannot be reached, serves the wrong chain, or there is no key that may sign on it.
    pub async fn connect(node: &NodeArgs, key: &KeyArgs, printer: Printer) -> Result<Self> {
        let node = Node::connect(node).await?;
        let key = key.read(node.chain_id).map_err(|e| Failure::new("cannot sign", &e, e.hint()))?;
        let address = key.address();
        Ok(Self { node: node.signing(key.clone()).await?, address, printer, key })
    }

    /// Signs a digest, EIP-712's for one.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub fn sign(&self, digest: B256) -> Result<Signature> {
        Ok(self.key.clone().into_signer().sign_hash_sync(&digest)?)
    }

    /// A call of a contract from this account.
    pub fn call(&self, to: Address, call: &impl SolCall, value: U256) -> TransactionRequest {
        TransactionRequest::default()
            .with_from(self.address)
            .with_to(to)
            .with_input(call.abi_encode())
            .with_value(value)
    }

    /// Runs a transaction on the node without sending it. `what` names it: `cannot <what>`.
    ///
    /// # Errors
    /// A [`Failure`] with the revert in words.
    pub async fn simulate(&self, what: &str, request: &TransactionRequest, about: &About) -> Result<Bytes> {
        // The pending block has the time of the next one: a sale that has just opened is closed in the latest.
        let pending = self.node.provider.call(request.clone()).block(BlockId::pending()).await;
        let answer = match pending {
            Err(e) if !is_revert(&e) && !is_short(&e) => {
                self.node.provider.call(request.clone()).block(BlockId::latest()).await
            }
            other => other,
        };
        match answer {
            Ok(output) => Ok(output),
            Err(error) => Err(self.refused(what, &error, request, about).await),
        }
    }

    /// Simulates, sends, waits for the receipt and checks its status. Ctrl-C ends the wait and says what was sent.
    ///
    /// # Errors
    /// A [`Failure`] with the revert in words; where the wait was ended, one that names the transaction.
    pub async fn send(&self, what: &str, request: TransactionRequest, about: &About) -> Result<TransactionReceipt> {
        // Listens from before the transaction is sent: a signal in between must not end the program without a word.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stage = Cell::new(Stage::Before);
        tokio::select! {
            done = self.send_and_wait(what, request, about, &stage) => done,
            _ = interrupt.recv() => Err(stopped(stage.get(), about)),
        }
    }

    async fn send_and_wait(
        &self,
        what: &str,
        request: TransactionRequest,
        about: &About,
        stage: &Cell<Stage>,
    ) -> Result<TransactionReceipt> {
        self.simulate(what, &request, about).await?;
        let estimate = self.node.provider.estimate_gas(request.clone()).block(BlockId::pending()).await;
        let mut sent = request.clone();
        match estimate {
            // State may move until inclusion: another phase, another slot that is still zero. What is not used is not paid.
            Ok(gas) => sent = sent.with_gas_limit(gas.saturating_add(gas / 4).saturating_add(about.gas_reserve)),
            Err(e) if is_revert(&e) || is_short(&e) => return Err(self.refused(what, &e, &request, about).await),
            Err(_) => {}
        }
        stage.set(Stage::Sending);
        let pending = match self.node.provider.send_transaction(sent).await {
            Ok(pending) => pending,
            Err(error) => return Err(self.refused(what, &error, &request, about).await),
        };
        let hash = *pending.tx_hash();
        stage.set(Stage::Sent(hash));
        self.printer.note(format!("sent {hash} to {what}; waiting until it is included"));
        let receipt = pending.with_timeout(Some(INCLUSION)).get_receipt().await;
        let receipt = receipt.map_err(|_| {
            Failure::new(
                "no receipt",
                format!(
                    "transaction {hash} was sent, and was not seen in a block for {} min",
                    INCLUSION.as_secs() / 60
                ),
                "it can still be included: look the transaction up before sending again",
            )
        })?;
        if receipt.status() {
            return Ok(receipt);
        }
        // The state has changed since the simulation: the same call says now what it met.
        match self.simulate(what, &request, about).await {
            Err(now) => Err(now.context(format!("transaction {hash} was included and reverted"))),
            Ok(_) => Err(Failure::new(
                format!("cannot {what}"),
                format!("transaction {hash} was included and reverted, most often for want of gas"),
                "run the command again",
            )),
        }
    }

    /// Sent transactions of this account that are not in a block yet.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn count_waiting(&self) -> Result<u64> {
        let count =
            |block: BlockNumberOrTag| self.node.provider.get_transaction_count(self.address).block_id(block.into());
        let (latest, pending) = tokio::join!(count(BlockNumberOrTag::Latest), count(BlockNumberOrTag::Pending));
        let latest = latest.map_err(|e| self.node.failed("cannot read the account", &e))?;
        Ok(pending.unwrap_or(latest).saturating_sub(latest))
    }

    /// Waits until nothing that this account sent before is on its way, so that a step that was sent is not sent twice.
    ///
    /// # Errors
    /// A [`Failure`] after ten minutes, or on Ctrl-C.
    pub async fn wait_for_earlier(&self) -> Result<()> {
        let waiting = self.count_waiting().await?;
        if waiting == 0 {
            return Ok(());
        }
        self.printer.note(format!("waiting for {waiting} earlier transaction(s) of {}", self.address));
        let wait = async {
            while self.count_waiting().await? != 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Ok(())
        };
        let stopped = || self.still_waiting();
        tokio::select! {
            done = tokio::time::timeout(INCLUSION, wait) => done.unwrap_or_else(|_| Err(stopped())),
            _ = tokio::signal::ctrl_c() => Err(stopped()),
        }
    }

    /// The error where a step must not be sent as long as earlier ones are on their way.
    pub fn still_waiting(&self) -> anyhow::Error {
        Failure::new(
            "nothing was sent",
            format!("earlier transactions of {} are not included yet", self.address),
            "wait until they are, or replace them from the wallet that sent them, and run the command again",
        )
    }

    /// Base units of a token that `spender` may take.
    ///
    /// # Errors
    /// Where the node fails, or there is no token.
    pub async fn allowance(&self, token: Address, spender: Address) -> Result<U256> {
        let contract = SaleToken::new(token, &self.node.provider);
        let allowance = contract.allowance(self.address, spender).block(BlockId::pending()).call().await;
        allowance.map_err(|e| self.node.read_failed(&format!("cannot read token {token}"), &e))
    }

    /// Makes sure that `spender` may take `needed` base units of a token; approves exactly that where it may not.
    ///
    /// # Errors
    /// Where the token refuses, or the node fails.
    pub async fn approve(&self, token: Address, asset: &Asset, spender: Address, needed: U256) -> Result<()> {
        let allowance = self.allowance(token, spender).await?;
        if allowance >= needed {
            return Ok(());
        }
        let what = format!("approve {} for {spender}", asset.amount(needed));
        let about = About::default();
        let request = |amount| {
            let call = SaleToken::approveCall { spender, value: amount };
            self.call(token, &call, U256::ZERO)
        };
        // Some tokens change an allowance only from zero.
        if !allowance.is_zero() && self.simulate(&what, &request(needed), &about).await.is_err() {
            self.send(&format!("take back the approval for {spender}"), request(U256::ZERO), &about).await?;
        }
        self.send(&what, request(needed), &about).await?;
        Ok(())
    }

    /// Why the node or a contract refused a transaction.
    async fn refused(
        &self,
        what: &str,
        error: &TransportError,
        request: &TransactionRequest,
        about: &About,
    ) -> anyhow::Error {
        let what = format!("cannot {what}");
        if is_short(error) {
            let balance = self.node.provider.get_balance(self.address).await.unwrap_or_default();
            let value = request.value.unwrap_or_default();
            let eth = |raw| Amount(raw).to_units(18);
            let why = if value.is_zero() {
                format!("{} has {} ETH, which does not pay for the gas", self.address, eth(balance))
            } else {
                format!("{} has {} ETH, and {} ETH and the gas are needed", self.address, eth(balance), eth(value))
            };
            return Failure::new(what, why, "send ether to that account first, or sign with another key");
        }
        if !is_revert(error) {
            return self.node.failed(&what, error);
        }
        let data = error.as_error_resp().and_then(|e| e.as_revert_data()).unwrap_or_default();
        let explanation = explain(&data, &about.assets, Asker::CommandLine);
        let next = match about.sale {
            Some(sale) => explanation.next.replace(" SALE", &format!(" {sale}")),
            None => explanation.next,
        };
        Failure::new(what, explanation.sentence, next)
    }
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Before,
    Sending,
    Sent(B256),
}

/// The error for a wait that was ended.
fn stopped(stage: Stage, about: &About) -> anyhow::Error {
    let why = match stage {
        Stage::Before => {
            return Failure::new("stopped", "nothing was sent by this step", "run the same command again");
        }
        Stage::Sending => "the transaction may have been sent".to_owned(),
        Stage::Sent(hash) => format!("transaction {hash} is sent and can still be included"),
    };
    let hint = match about.sale {
        Some(sale) if !about.is_repeatable => {
            format!("see what became of it before sending again: crowdsale sale status {sale}")
        }
        _ => "run the same command again: it waits for what was sent, and does what is left".to_owned(),
    };
    Failure::new("stopped waiting", why, hint)
}

fn is_revert(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(e) => e.code == 3 || e.as_revert_data().is_some() || e.message.contains("revert"),
        _ => false,
    }
}

/// Whether the account cannot pay for value and gas. Nodes have no code of their own for it.
fn is_short(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|e| e.message.to_lowercase().contains("insufficient funds"))
}
