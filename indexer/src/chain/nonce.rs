//! What used a nonce. No request asks for that: the block is found by halving, and searched.

use alloy::{
    consensus::Transaction as _,
    eips::{BlockId, BlockNumberOrTag},
    network::TransactionResponse as _,
    primitives::{Address, B256, Bytes, U256},
    providers::Provider as _,
    rpc::{client::BatchRequest, types::Transaction},
};
use serde::Deserialize;

use super::{ChainError, Header, Node, Receipt};

/// Questions that one search asks at most. Halving a hundred million blocks takes 27.
const QUESTIONS: u32 = 48;

/// A transaction that was found by its sender and nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What identifies it.
    pub hash: B256,
    /// Where it goes to.
    pub to: Option<Address>,
    /// Wei.
    pub value: U256,
    /// Its data.
    pub input: Bytes,
}

impl Node {
    /// The transaction of an account that used a nonce, which it did in a block up to `last` and most likely from `first` on. `None` where
    /// no transaction of its did, as with an authorization of EIP-7702, or where that was in a block whose state the node has not kept.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn find_by_nonce(
        &self,
        sender: Address,
        nonce: u64,
        first: u64,
        last: u64,
    ) -> Result<Option<Found>, ChainError> {
        #[derive(Debug, Deserialize)]
        struct Full {
            transactions: Vec<Transaction>,
        }
        // A chain that went back may end below.
        let (mut first, mut last) = (first.min(last), last);
        let mut reach = last - first + 1;
        let mut questions = QUESTIONS;
        let used = loop {
            let (mut low, mut high) = (first, last);
            while low < high {
                let Some(left) = questions.checked_sub(1) else { return Ok(None) };
                questions = left;
                let middle = low + (high - low) / 2;
                match self.nonce(sender, BlockId::number(middle)).await {
                    Ok(next) if next > nonce => high = middle,
                    Ok(_) => low = middle + 1,
                    // What is older is gone too.
                    Err(error) if error.is_state_gone() => low = middle + 1,
                    Err(error) => return Err(error),
                }
            }
            let block: Option<Full> =
                self.request("eth_getBlockByNumber", (BlockNumberOrTag::Number(low), true)).await?;
            let used =
                block.and_then(|b| b.transactions.into_iter().find(|t| t.from() == sender && t.nonce() == nonce));
            if used.is_some() || low > first || first == 0 {
                break used;
            }
            // All these blocks have it behind them: a reorg has brought it lower than it could be.
            (first, last) = (first.saturating_sub(reach), first - 1);
            reach = reach.saturating_mul(2);
        };
        Ok(used.map(|t| Found { hash: t.tx_hash(), to: t.to(), value: t.value(), input: t.input().clone() }))
    }

    /// The canonical header at a height, and where transactions were included: in one exchange, so one node's word behind a balancer,
    /// where the node takes several requests in one.
    ///
    /// # Errors
    /// Where the node fails.
    pub async fn receipts_beside(
        &self,
        number: u64,
        hashes: &[B256],
    ) -> Result<(Option<Header>, Vec<Option<Receipt>>), ChainError> {
        const METHOD: &str = "eth_getTransactionReceipt";
        if !self.takes_batches() {
            let receipts = self.receipts(hashes).await?;
            return Ok((self.find_header(number).await?, receipts));
        }
        let mut batch = BatchRequest::new(self.provider.client());
        let place = (BlockNumberOrTag::Number(number), false);
        let header = batch.add_call::<_, Option<Header>>("eth_getBlockByNumber", &place);
        let header = header.map_err(|e| self.failed(METHOD, &e))?;
        let mut waiters = Vec::with_capacity(hashes.len());
        for hash in hashes {
            waiters.push(batch.add_call::<_, Option<Receipt>>(METHOD, &(hash,)).map_err(|e| self.failed(METHOD, &e))?);
        }
        self.within(METHOD, batch.send()).await?.map_err(|e| self.failed(METHOD, &e))?;
        let header = self.within(METHOD, header).await?.map_err(|e| self.failed(METHOD, &e))?;
        let mut receipts = Vec::with_capacity(waiters.len());
        for waiter in waiters {
            receipts.push(self.within(METHOD, waiter).await?.map_err(|e| self.failed(METHOD, &e))?);
        }
        Ok((header, receipts))
    }
}
