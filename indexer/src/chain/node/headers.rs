//! Tags and headers.

use alloy::{eips::BlockNumberOrTag, providers::Provider, rpc::client::BatchRequest};

use super::Node;
use crate::chain::{ChainError, Header};

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

impl Node {
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
        let questions = numbers.iter().map(|number| (BlockNumberOrTag::Number(*number), false)).collect();
        let headers: Vec<Option<Header>> = self.request_many("eth_getBlockByNumber", questions).await?;
        self.in_order(numbers, headers)
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
}
