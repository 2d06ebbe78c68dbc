//! What is asked of a node about accounts and their transactions, beside what is indexed: calls, nonces, fees, receipts; and what it
//! is handed to pass on.

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U64, U128, U256},
    providers::Provider as _,
    rpc::types::{FeeHistory, TransactionRequest},
    transports::{RpcError, TransportError},
};
use serde::Deserialize;

use super::{ChainError, Node};

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// What it returned.
    Output(Bytes),
    /// The data of its revert.
    Reverted(Bytes),
    /// The account cannot pay for value and gas.
    Short,
}

/// What a transaction costs a unit of gas, in wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// What the next block asks for.
    pub base: u128,
    /// At most, in all.
    pub max: u128,
    /// At most, to whoever includes it.
    pub priority: u128,
}

impl Fees {
    /// What a transaction has to pay to be in the next block.
    pub fn asked(&self) -> u128 {
        self.base.saturating_add(self.priority)
    }
}

/// What a node said to a transaction that it was to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is in its pool, now or from before.
    Taken,
    /// Its nonce is used already.
    NonceUsed,
    /// It pays less than a block asks for, or not enough more than another with its nonce that is there.
    Underpriced,
    /// Anything else, in its words.
    Refused(String),
}

/// Where a transaction was included. Whatever else a node says of it is not needed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    block_number: U64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Absent before Byzantium.
    #[serde(default)]
    status: Option<U64>,
}

impl Receipt {
    /// Height of its block.
    pub fn block_number(&self) -> u64 {
        self.block_number.to()
    }

    /// Whether it did what it was to do.
    pub fn succeeded(&self) -> bool {
        self.status.is_none_or(|s| !s.is_zero())
    }
}

impl Node {
    /// Runs a call on a block and sends nothing.
    ///
    /// # Errors
    /// Where the node fails: a revert is an answer.
    pub async fn call(&self, request: TransactionRequest, block: BlockId) -> Result<Called, ChainError> {
        const METHOD: &str = "eth_call";
        let answer = self.within(METHOD, self.provider.call(request).block(block)).await?;
        self.called(METHOD, answer)
    }

    /// The same on the next block: a sale that has just opened is closed in the latest. Some nodes have no such block.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn call_next(&self, request: TransactionRequest) -> Result<Called, ChainError> {
        match self.call(request.clone(), BlockId::pending()).await {
            Err(error) if error.is_answer() => self.call(request, BlockId::latest()).await,
            answer => answer,
        }
    }

    /// Gas that a transaction takes in the next block, as its output.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn estimate_gas(&self, request: TransactionRequest) -> Result<Result<u64, Called>, ChainError> {
        const METHOD: &str = "eth_estimateGas";
        let estimate = self.provider.estimate_gas(request).block(BlockId::pending());
        match self.within(METHOD, estimate).await? {
            Ok(gas) => Ok(Ok(gas)),
            Err(error) => self.called(METHOD, Err(error)).map(Err),
        }
    }

    fn called(&self, method: &'static str, answer: Result<Bytes, TransportError>) -> Result<Called, ChainError> {
        match answer {
            Ok(output) => Ok(Called::Output(output)),
            Err(error) if is_short(&error) => Ok(Called::Short),
            Err(error) if is_revert(&error) => {
                let data = error.as_error_resp().and_then(|e| e.as_revert_data());
                Ok(Called::Reverted(data.unwrap_or_default()))
            }
            Err(error) => Err(self.failed(method, &error)),
        }
    }

    /// The nonce that follows those of an account up to a block.
    ///
    /// # Errors
    /// Where the node fails, or knows the block's state no more.
    pub async fn nonce(&self, account: Address, block: BlockId) -> Result<u64, ChainError> {
        const METHOD: &str = "eth_getTransactionCount";
        let count = self.within(METHOD, self.provider.get_transaction_count(account).block_id(block)).await?;
        count.map_err(|e| self.failed(METHOD, &e))
    }

    /// The nonce that follows those of an account in blocks and in the pool.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn pending_nonce(&self, account: Address) -> Result<u64, ChainError> {
        let latest = self.nonce(account, BlockId::latest()).await?;
        match self.nonce(account, BlockId::pending()).await {
            Ok(pending) => Ok(pending.max(latest)),
            Err(error) if error.is_answer() => Ok(latest),
            Err(error) => Err(error),
        }
    }

    /// The nonces that follow those of accounts up to the latest block, in their order.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn nonces(&self, accounts: &[Address]) -> Result<Vec<u64>, ChainError> {
        let questions = accounts.iter().map(|account| (*account, BlockNumberOrTag::Latest)).collect();
        let counts: Vec<U64> = self.request_many("eth_getTransactionCount", questions).await?;
        Ok(counts.into_iter().map(|count| count.to()).collect())
    }

    /// Wei of an account.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn ether_of(&self, account: Address) -> Result<U256, ChainError> {
        const METHOD: &str = "eth_getBalance";
        let balance = self.within(METHOD, self.provider.get_balance(account)).await?;
        balance.map_err(|e| self.failed(METHOD, &e))
    }

    /// What to pay to be in one of the next blocks: twice the base fee of the next, as it can grow by an eighth a block, and what
    /// the node thinks that whoever makes the block wants.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn fees(&self) -> Result<Fees, ChainError> {
        const ONE_BLOCK: (&str, &str, [u8; 0]) = ("0x1", "latest", []);
        let history: FeeHistory = self.request("eth_feeHistory", ONE_BLOCK).await?;
        let base = history.base_fee_per_gas.last().copied().unwrap_or_default();
        let priority = match self.request::<_, U128>("eth_maxPriorityFeePerGas", ()).await {
            Ok(priority) => priority.to(),
            Err(error) if error.is_answer() => usual_tip(base),
            Err(error) => return Err(error),
        };
        Ok(Fees { base, max: base.saturating_mul(2).saturating_add(priority), priority })
    }

    /// Hands over a signed transaction to be passed on. What it was handed before it takes again.
    ///
    /// # Errors
    /// Where the node fails: then it may have it or not.
    pub async fn send_raw(&self, raw: &[u8]) -> Result<Sent, ChainError> {
        const METHOD: &str = "eth_sendRawTransaction";
        match self.within(METHOD, self.provider.send_raw_transaction(raw)).await? {
            Ok(_) => Ok(Sent::Taken),
            Err(error) => match error.as_error_resp() {
                Some(refusal) => Ok(refused(&refusal.message)),
                None => Err(self.failed(METHOD, &error)),
            },
        }
    }

    /// Where transactions were included, each if it was, in their order.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn receipts(&self, hashes: &[B256]) -> Result<Vec<Option<Receipt>>, ChainError> {
        self.request_many("eth_getTransactionReceipt", hashes.iter().map(|hash| (*hash,)).collect()).await
    }

    /// Whether the node has transactions, in its pool or in a block, in their order.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn known(&self, hashes: &[B256]) -> Result<Vec<bool>, ChainError> {
        let questions = hashes.iter().map(|hash| (*hash,)).collect();
        let found: Vec<Option<serde_json::Value>> = self.request_many("eth_getTransactionByHash", questions).await?;
        Ok(found.into_iter().map(|transaction| transaction.is_some()).collect())
    }
}

/// For a node without an opinion, as not every one has one: a gwei is what most have, and too much where a block asks for far less.
fn usual_tip(base: u128) -> u128 {
    base.clamp(1, 1_000_000_000)
}

/// What a refusal means. Nodes have no codes for these, and each its own words.
fn refused(message: &str) -> Sent {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if says(&["already known", "already imported", "known transaction", "alreadyknown"]) {
        Sent::Taken
    } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
        Sent::NonceUsed
    } else if says(&["underpriced", "less than block base fee"]) {
        Sent::Underpriced
    } else {
        Sent::Refused(message.chars().filter(|c| !c.is_control()).take(200).collect())
    }
}

fn is_revert(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(e) => e.code == 3 || e.as_revert_data().is_some() || e.message.contains("revert"),
        _ => false,
    }
}

fn is_short(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|e| e.message.to_lowercase().contains("insufficient funds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_opinion_a_tip_is_no_more_than_what_the_block_asks_for() {
        assert_eq!([0, 7, 50_000_000_000].map(usual_tip), [1, 7, 1_000_000_000]);
    }

    #[test]
    fn refusals_are_read_as_nodes_write_them() {
        for message in ["already known", "transaction already imported", "AlreadyKnown"] {
            assert_eq!(refused(message), Sent::Taken, "{message}");
        }
        for message in ["nonce too low: next nonce 5, tx nonce 3", "nonce too low", "OldNonce"] {
            assert_eq!(refused(message), Sent::NonceUsed, "{message}");
        }
        for message in ["replacement transaction underpriced", "transaction underpriced: tip needed 1, tip permitted 0"]
        {
            assert_eq!(refused(message), Sent::Underpriced, "{message}");
        }
        let funds = "insufficient funds for gas * price + value";
        assert_eq!(refused(funds), Sent::Refused(funds.to_owned()));
    }
}
