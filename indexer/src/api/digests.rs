//! `GET /v1/chains/{chain}/digest`: whether two indexes are the same.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, ReadProblems,
    extract::{BlockNumber, ChainId, CheckedPath, CheckedQuery, FromPath, FromQuery, Reader},
    meta::{ChainMeta, Condition, Envelope, NoAnswer, Snapshot},
    problem::{Code, Problem},
};
use crate::{db::read::chains, types::Hash32};

/// Which chain.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ChainPath {
    /// EIP-155 id of a chain that is followed.
    #[param(value_type = i64, minimum = 0)]
    pub chain: ChainId,
}

impl FromPath for ChainPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { chain: reader.read("chain")? })
    }
}

/// As of which block.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DigestQuery {
    /// Height; the indexed block if it is not given.
    #[param(value_type = Option<i64>, minimum = 0, required = false)]
    pub at: Option<BlockNumber>,
}

impl FromQuery for DigestQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { at: reader.read("at") }
    }
}

/// The running digest of a chain as of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Digest)]
pub struct DigestOut {
    /// Height that was asked for.
    #[schema(example = 20_000_123)]
    pub at: i64,
    /// SHA-256 over the logs of all blocks up to it, each with the digest before it; null where indexing began before digests were
    /// kept. Blocks without events leave it as it is.
    pub digest: Option<Hash32>,
}

/// The running digest of what is indexed
///
/// Two indexes with the same digest at a height have indexed the same events up to it. `crowdsale index --compare` asks for it.
#[utoipa::path(
    get,
    path = "/v1/chains/{chain}/digest",
    tag = "service",
    params(ChainPath, DigestQuery),
    responses((status = 200, description = "The digest.", body = Envelope<DigestOut, ChainMeta>), ReadProblems)
)]
pub async fn get_digest(
    State(state): State<ApiState>,
    CheckedPath(path): CheckedPath<ChainPath>,
    CheckedQuery(query): CheckedQuery<DigestQuery>,
    condition: Condition,
) -> Result<Response, NoAnswer> {
    // A height that is not indexed yet is waited for, as with every other answer.
    let mut snapshot = Snapshot::of_chain(&state, path.chain, query.at, condition).await?;
    let indexed = snapshot.checkpoint(path.chain.0).ok_or_else(Problem::internal)?.number;
    let at = query.at.map_or(indexed, |at| at.0);
    let digest = chains::find_digest(snapshot.connection(), path.chain.0, at).await?;
    let Some(digest) = digest else {
        return Err(Problem::new(Code::NotFound, format!("indexing of this chain begins above block {at}")).into());
    };
    let meta = snapshot.meta()?;
    Ok(snapshot.answer(Envelope { data: DigestOut { at, digest }, meta }))
}
