//! Logs in their order, each with its place and none twice.

use alloy::{
    eips::BlockNumberOrTag,
    providers::Provider,
    rpc::{client::BatchRequest, types::Filter},
    transports::TransportError,
};

use super::Node;
use crate::{
    chain::{ChainError, Header, transport, wire::WireLog},
    types::Log,
};

impl Node {
    /// Logs, and the header at a height as the same exchange shows it, where the node takes several requests in one.
    pub(in crate::chain) async fn request_logs_up_to(
        &self,
        filter: &Filter,
        number: u64,
    ) -> Result<(Vec<Log>, Option<Header>), ChainError> {
        const METHOD: &str = "eth_getLogs";
        if !self.takes_batches() {
            let logs = transport::divisible(self.request_logs(filter)).await?;
            return Ok((logs, self.find_header(number).await?));
        }
        let failed = |e: TransportError| self.failed(METHOD, &e);
        let mut batch = BatchRequest::new(self.provider.client());
        let logs = batch.add_call::<_, Vec<WireLog>>(METHOD, &(filter,)).map_err(failed)?;
        let place = (BlockNumberOrTag::Number(number), false);
        let header = batch.add_call::<_, Option<Header>>("eth_getBlockByNumber", &place).map_err(failed)?;
        self.within(METHOD, transport::divisible(batch.send().into_future())).await?.map_err(failed)?;
        let logs = self.within(METHOD, logs).await?.map_err(failed)?;
        let header = self.within(METHOD, header).await?.map_err(failed)?;
        Ok((self.in_place(logs)?, header))
    }

    /// Logs in their order, each with its place and none twice.
    pub(in crate::chain) async fn request_logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        let answer: Vec<WireLog> = self.request("eth_getLogs", (filter,)).await?;
        self.in_place(answer)
    }

    fn in_place(&self, answer: Vec<WireLog>) -> Result<Vec<Log>, ChainError> {
        let mut logs = Vec::with_capacity(answer.len());
        for log in answer {
            logs.push(log.placed().map_err(|what| self.inconsistent(what))?);
        }
        if !logs.is_sorted_by_key(|l| (l.block_number, l.log_index)) {
            logs.sort_unstable_by_key(|l| (l.block_number, l.log_index));
        }
        let twice = logs.windows(2).any(|w| (w[0].block_number, w[0].log_index) == (w[1].block_number, w[1].log_index));
        if twice { Err(self.inconsistent("it returned a log twice")) } else { Ok(logs) }
    }
}
