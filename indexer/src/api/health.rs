//! `GET /healthz` and `GET /readyz`: for whoever runs the service.

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState,
    meta::not_ready,
    problem::{Code, Problem, ProblemBody},
    status::IndexingState,
};
use crate::db::{read::chains, snapshot};

/// Yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: what is not is a problem.
    #[schema(example = "ok")]
    pub status: &'static str,
}

fn ok() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(Health { status: "ok" }))
}

/// Whether the process lives
///
/// Asks nothing of the database: a database that is away is no reason to restart this.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, description = "It does.", body = Health)))]
pub async fn get_healthz() -> impl IntoResponse {
    ok()
}

/// Whether the service can give current answers
///
/// Not before the first block of every chain is indexed, nor while the database is away, nor while an indexer is halted or has
/// been silent for long. Reads are answered all the same, and say in `meta` how old they are.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "It cannot; `code` and `detail` say why.", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub async fn get_readyz(State(state): State<ApiState>) -> Result<impl IntoResponse, Problem> {
    let mut transaction = snapshot(state.pool()).await?;
    let followed = chains::list_followed(&mut transaction).await?;
    let indexed = chains::list(&mut transaction).await?;
    if followed.is_empty() && indexed.is_empty() {
        return Err(not_ready());
    }
    let ids = followed.iter().map(|c| c.chain_id).chain(indexed.iter().map(|c| c.checkpoint.chain_id));
    for chain_id in ids {
        let at = indexed.iter().find(|c| c.checkpoint.chain_id == chain_id);
        let why = match IndexingState::of(at, state.options().silent_after_seconds) {
            IndexingState::Running => continue,
            IndexingState::Starting => "has no indexed block yet",
            IndexingState::Silent => "was not asked about for long: the indexer or its node is down",
            IndexingState::Halted => "contradicts a finalized block: indexing waits for a person",
        };
        return Err(Problem::new(Code::NotReady, format!("chain {chain_id} {why}")).retry_after(5));
    }
    Ok(ok())
}
