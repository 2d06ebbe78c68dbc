//! `GET /v1/status`: which chains are followed, and how far.

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{CheckedQuery, FromQuery, Reader},
    meta::{ChainMeta, ChainsMeta, Envelope},
    problem::Problem,
};
use crate::{
    db::{
        read::chains::{self, ChainState},
        snapshot,
    },
    types::{Addr, Hash32},
};

/// No parameters.
#[derive(Clone, Copy, Debug)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    fn read(_: &mut Reader) -> Self {
        Self
    }
}

/// The service and the chains it follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Status {
    /// Version of this service.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// The chains, by id; also those of which nothing is indexed yet, which `meta` has no entry for.
    pub chains: Vec<ChainStatus>,
}

/// A chain that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainStatus {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// How indexing goes.
    pub state: IndexingState,
    /// Hash of block 0: what tells chains with the same id apart.
    pub genesis_hash: Hash32,
    /// The factory whose sales are followed.
    pub factory: Addr,
    /// First block that can hold its events.
    #[schema(example = 20_000_000)]
    pub start_block: i64,
    /// Sales that it created.
    #[schema(example = 12)]
    pub sales: i64,
    /// Logs of known contracts that could not be decoded; they are kept, and may be missing from figures.
    #[schema(example = 0)]
    pub quarantined_logs: i64,
    /// Blocks between the indexed block and the node's head; null before the first block.
    #[schema(example = 0)]
    pub behind_blocks: Option<i64>,
    /// Seconds since the indexer last asked its node, by this service's clock; null before the first block.
    #[schema(example = 3)]
    pub silent_seconds: Option<i64>,
}

/// How indexing of a chain goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IndexingState {
    /// Nothing is indexed yet.
    Starting,
    /// It goes on.
    Running,
    /// The indexer has not asked its node for long.
    Silent,
    /// The chain contradicts a finalized block: indexing waits for a person. Reads go on.
    Halted,
}

impl IndexingState {
    /// Of a chain; `None` is one without a checkpoint.
    pub fn of(chain: Option<&ChainState>, silent_after_seconds: i64) -> Self {
        match chain.map(|c| &c.checkpoint) {
            None => Self::Starting,
            Some(c) if c.halted.is_some() => Self::Halted,
            Some(c) if c.seen_seconds_ago > silent_after_seconds => Self::Silent,
            Some(_) => Self::Running,
        }
    }
}

/// How current the service is
///
/// Never cached and without a tag: it is asked for what the clock changes.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "service",
    responses((status = 200, description = "The chains.", body = Envelope<Status, ChainsMeta>), ReadProblems)
)]
pub async fn get_status(
    State(state): State<ApiState>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<impl IntoResponse, Problem> {
    let mut transaction = snapshot(state.pool()).await?;
    let followed = chains::list_followed(&mut transaction).await?;
    let indexed = chains::list(&mut transaction).await?;
    let chains = followed
        .into_iter()
        .map(|f| {
            let at = indexed.iter().find(|c| c.checkpoint.chain_id == f.chain_id);
            ChainStatus {
                chain_id: f.chain_id,
                state: IndexingState::of(at, state.options().silent_after_seconds),
                genesis_hash: f.genesis_hash,
                factory: f.factory,
                start_block: f.start_block,
                sales: f.sales,
                quarantined_logs: f.quarantined_logs,
                behind_blocks: at.map(|c| (c.checkpoint.head_number - c.checkpoint.number).max(0)),
                silent_seconds: at.map(|c| c.checkpoint.seen_seconds_ago),
            }
        })
        .collect();
    let data = Status { version: env!("CARGO_PKG_VERSION"), chains };
    let meta = ChainsMeta { chains: indexed.iter().map(ChainMeta::from).collect() };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Envelope { data, meta })))
}
