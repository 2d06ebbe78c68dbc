//! Requests: none waits for ever, and several go in one exchange where the node takes that.

use std::{sync::atomic::Ordering, time::Duration};

use alloy::{
    providers::Provider,
    rpc::{
        client::{BatchRequest, RpcCall},
        json_rpc::{RpcRecv, RpcSend},
    },
    transports::TransportError,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::Node;
use crate::chain::ChainError;

/// Longest that one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Questions in one exchange, where the node takes several in one.
const QUESTIONS_PER_BATCH: usize = 100;
/// Exchanges at the same time.
const BATCHES_IN_FLIGHT: usize = 4;
/// Batches refused in a row, whose requests came through one by one, before no more are sent.
const REFUSED_BATCHES: u32 = 5;

impl Node {
    pub(in crate::chain) fn takes_batches(&self) -> bool {
        self.refused_batches.load(Ordering::Relaxed) < REFUSED_BATCHES
    }

    pub(in crate::chain) fn batch_came_through(&self) {
        self.refused_batches.store(0, Ordering::Relaxed);
    }

    /// The same requests came through one by one.
    pub(in crate::chain) fn batch_failed_alone(&self) {
        self.refused_batches.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::chain) fn failed(&self, method: &'static str, error: &TransportError) -> ChainError {
        ChainError::Request { method, node: self.name.to_string(), reason: short(error) }
    }

    /// No request waits for ever.
    pub(in crate::chain) async fn within<T>(
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

    pub(in crate::chain) async fn request<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        let call: RpcCall<P, R> = self.provider.client().request(method, params);
        self.within(method, call).await?.map_err(|e| self.failed(method, &e))
    }

    /// Answers to questions of one kind, in their order, in as few exchanges as the node takes.
    pub(in crate::chain) async fn request_many<P, R>(
        &self,
        method: &'static str,
        questions: Vec<P>,
    ) -> Result<Vec<R>, ChainError>
    where
        P: RpcSend + Clone,
        R: RpcRecv,
    {
        let chunks: Vec<Vec<P>> = questions.chunks(QUESTIONS_PER_BATCH).map(<[P]>::to_vec).collect();
        let chunks: Vec<Vec<R>> = stream::iter(chunks)
            .map(|chunk| self.request_chunk(method, chunk))
            .buffered(BATCHES_IN_FLIGHT)
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
            .buffered(BATCHES_IN_FLIGHT * 2)
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
}

/// A transport error in one line, without the URL, which can hold a key.
pub(super) fn short(error: &TransportError) -> String {
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
