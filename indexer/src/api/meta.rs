//! How current an answer is: its snapshot, its `meta` and its `ETag`.

use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Postgres, Transaction};
use utoipa::ToSchema;

use super::{
    ApiState,
    extract::{BlockNumber, ChainId},
    page::{Cursor, QueryDigest},
    problem::{Code, Problem},
    shapes::Time,
};
use crate::{
    db::{
        self,
        chains::Checkpoint,
        read::chains::{self, ChainState},
    },
    types::Hash32,
};

/// How far a chain is indexed, as of the snapshot that the answer was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainMeta {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The block that the answer is true at. Nothing above it is in the answer, everything below it is.
    pub indexed_block: IndexedBlock,
    /// Height of the node's head when it was last asked.
    #[schema(example = 21_000_012)]
    pub head_block: i64,
    /// Height of the node's `safe` block.
    #[schema(example = 20_999_980)]
    pub safe_block: i64,
    /// Height of the node's `finalized` block; it never goes back.
    #[schema(example = 20_999_948)]
    pub finalized_block: i64,
    /// Whole seconds by which the timestamp of the indexed block is behind this service's clock: the age of what the answer
    /// says. Never negative. It grows while the chain itself makes no blocks.
    #[schema(example = 9)]
    pub lag_seconds: i64,
    /// Whether indexing is halted, or a log could not be decoded: figures may be incomplete.
    pub has_errors: bool,
}

/// The block that an answer is true at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IndexedBlock {
    /// Height.
    #[schema(example = 21_000_012)]
    pub number: i64,
    /// Hash.
    pub hash: Hash32,
    /// Its timestamp: the chain's clock, by which the states of sales are told.
    pub timestamp: Time,
}

/// How current an answer over several chains is: one entry a chain, by chain id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainsMeta {
    /// The chains that the answer covers.
    pub chains: Vec<ChainMeta>,
}

/// An answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Envelope<T, M> {
    /// What was asked for.
    pub data: T,
    /// How current it is. All of it is of one snapshot of the database.
    pub meta: M,
}

impl From<&ChainState> for ChainMeta {
    fn from(state: &ChainState) -> Self {
        let c = &state.checkpoint;
        Self {
            chain_id: c.chain_id,
            indexed_block: IndexedBlock {
                number: c.number,
                hash: c.hash,
                timestamp: Time::from_unix(c.block_timestamp),
            },
            head_block: c.head_number.max(c.number),
            safe_block: c.safe_number,
            finalized_block: c.finalized_number,
            lag_seconds: state.lag_seconds,
            has_errors: c.halted.is_some() || state.has_quarantined,
        }
    }
}

/// What a conditional request asks for.
#[derive(Clone, Debug)]
pub struct Condition {
    uri: Uri,
    if_none_match: Vec<String>,
}

impl Condition {
    /// None: the answer is wanted whatever its tag.
    pub fn none() -> Self {
        Self { uri: Uri::default(), if_none_match: Vec::new() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Condition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, state).await;
        Ok(Self { uri, if_none_match: tags(&parts.headers) })
    }
}

/// The entity tags of `If-None-Match`, compared weakly as RFC 9110 asks: without their `W/`.
fn tags(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/").to_owned())
        .collect()
}

/// One state of the database, and how far each chain is in it. Everything an answer says is read through one of these.
#[derive(Debug)]
pub struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    chains: Vec<ChainState>,
    etag: String,
    condition: Condition,
}

/// Why there is no answer to write: a problem, or the client has it already.
#[derive(Debug)]
pub enum NoAnswer {
    /// 304.
    NotModified {
        /// The tag that matched.
        etag: String,
    },
    /// An error.
    Problem(Problem),
}

impl From<Problem> for NoAnswer {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<db::DbError> for NoAnswer {
    fn from(error: db::DbError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<NoAnswer> for Problem {
    /// For whoever asked without a [condition](Condition::none).
    fn from(answer: NoAnswer) -> Self {
        match answer {
            NoAnswer::Problem(problem) => problem,
            NoAnswer::NotModified { .. } => Self::internal(),
        }
    }
}

impl IntoResponse for NoAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::NotModified { etag } => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                cacheable(response.headers_mut(), &etag);
                response
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

impl Snapshot {
    /// A snapshot in which `chain` is indexed up to `min_block` at least, for which it waits a little; only this chain is in it.
    pub async fn of_chain(
        state: &ApiState,
        chain: ChainId,
        min_block: Option<BlockNumber>,
        condition: Condition,
    ) -> Result<Self, NoAnswer> {
        let BlockNumber(wanted) = min_block.unwrap_or(BlockNumber(0));
        // Those who wait hold no connection, and they are counted, so that they cannot wear the database out.
        let mut permit = None;
        for attempt in 0.. {
            let (transaction, chains) = read(state).await?;
            match chains.iter().find(|c| c.checkpoint.chain_id == chain.0) {
                Some(found) if found.checkpoint.number >= wanted => {
                    return Self::new(transaction, vec![found.clone()], condition);
                }
                Some(_) => {}
                None => return Err(not_followed(transaction, chain).await.into()),
            }
            drop(transaction);
            if permit.is_none() {
                permit = state.waiting().try_acquire().ok();
            }
            if permit.is_none() || attempt >= state.options().min_block_attempts {
                break;
            }
            tokio::time::sleep(state.options().min_block_interval).await;
        }
        let detail = format!("block {wanted} of chain {} is not indexed yet", chain.0);
        Err(Problem::new(Code::BlockNotIndexed, detail).retry_after(2).into())
    }

    /// A snapshot of all chains.
    pub async fn of_all(state: &ApiState, condition: Condition) -> Result<Self, NoAnswer> {
        let (transaction, chains) = read(state).await?;
        if chains.is_empty() {
            return Err(not_ready().into());
        }
        Self::new(transaction, chains, condition)
    }

    fn new(
        transaction: Transaction<'static, Postgres>,
        chains: Vec<ChainState>,
        condition: Condition,
    ) -> Result<Self, NoAnswer> {
        let etag = etag(&condition.uri, &chains);
        if condition.if_none_match.iter().any(|tag| tag == etag.trim_start_matches("W/")) {
            return Err(NoAnswer::NotModified { etag });
        }
        Ok(Self { transaction, chains, etag, condition })
    }

    /// Says what else the answer follows from, which may change without a block: its tag is then of that too.
    ///
    /// # Errors
    /// 304, where the client has the answer already.
    pub fn also(&mut self, what: &[u8]) -> Result<(), NoAnswer> {
        let digest = Sha256::new().chain_update(&self.etag).chain_update(what).finalize();
        self.etag = weak(&digest);
        if self.condition.if_none_match.iter().any(|tag| tag == self.etag.trim_start_matches("W/")) {
            return Err(NoAnswer::NotModified { etag: self.etag.clone() });
        }
        Ok(())
    }

    /// Where queries run.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The chains it covers.
    pub fn chains(&self) -> &[ChainState] {
        &self.chains
    }

    /// How far a chain is.
    pub fn checkpoint(&self, chain_id: i64) -> Option<&Checkpoint> {
        self.chains.iter().map(|c| &c.checkpoint).find(|c| c.chain_id == chain_id)
    }

    /// The cursor, if it came from `query` and the block it stands on is still there.
    pub async fn resume(&mut self, cursor: Option<Cursor>, query: QueryDigest) -> Result<Option<Cursor>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let cursor = cursor.of(query)?;
        let (chain_id, number, hash) = (cursor.chain_id, cursor.block_number, cursor.block_hash);
        if chains::is_canonical(self.connection(), chain_id, number, hash).await? {
            return Ok(Some(cursor));
        }
        let detail = format!("block {number} of chain {chain_id} was {hash}; start again from the first page");
        Err(Problem::new(Code::CursorReorged, detail))
    }

    /// The `meta` of an answer over one chain.
    pub fn meta(&self) -> Result<ChainMeta, Problem> {
        self.chains.first().map(ChainMeta::from).ok_or_else(Problem::internal)
    }

    /// The `meta` of an answer over several.
    pub fn metas(&self) -> ChainsMeta {
        ChainsMeta { chains: self.chains.iter().map(ChainMeta::from).collect() }
    }

    /// The answer, with its tag.
    pub fn answer(self, body: impl Serialize) -> Response {
        self.respond(Json(body))
    }

    /// The same of what is no JSON.
    pub fn respond(self, answer: impl IntoResponse) -> Response {
        let head = self.head();
        head.not_modified().unwrap_or_else(|| head.respond(answer))
    }

    /// What an answer says of itself, for one that is written while the snapshot is still read.
    pub fn head(&self) -> Head {
        // `*` matches whatever there is; only now is it known that there is something.
        Head { etag: self.etag.clone(), is_known: self.condition.if_none_match.iter().any(|tag| tag == "*") }
    }
}

/// What an answer says of itself.
#[derive(Clone, Debug)]
pub struct Head {
    etag: String,
    is_known: bool,
}

impl Head {
    /// The whole answer, if the client has it already.
    pub fn not_modified(&self) -> Option<Response> {
        self.is_known.then(|| NoAnswer::NotModified { etag: self.etag.clone() }.into_response())
    }

    /// The answer, with its tag.
    pub fn respond(&self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        cacheable(response.headers_mut(), &self.etag);
        response
    }
}

async fn read(state: &ApiState) -> Result<(Transaction<'static, Postgres>, Vec<ChainState>), Problem> {
    let mut transaction = db::snapshot(state.pool()).await?;
    let chains = chains::list(&mut transaction).await?;
    Ok((transaction, chains))
}

async fn not_followed(mut transaction: Transaction<'static, Postgres>, chain: ChainId) -> Problem {
    match chains::list_followed(&mut transaction).await {
        Ok(followed) if followed.iter().any(|c| c.chain_id == chain.0) => not_ready(),
        Ok(_) => Problem::new(Code::ChainNotFound, format!("chain {} is not followed here", chain.0)),
        Err(error) => error.into(),
    }
}

/// The problem of a service that has indexed nothing yet.
pub fn not_ready() -> Problem {
    Problem::new(Code::NotReady, "nothing is indexed yet").retry_after(5)
}

/// Anybody may keep an answer, and asks each time whether it still holds: a new block may come at any moment.
fn cacheable(headers: &mut HeaderMap, etag: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
    if let Ok(value) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, value);
    }
}

/// The tag of an answer: the request, the indexed blocks by hash, and the heights that tell finality. Everything else in an
/// answer follows from these, but for `lag_seconds`, which moves with the clock: the tag is weak, as two answers with the same
/// tag mean the same and need not be equal in every byte.
fn etag(uri: &Uri, chains: &[ChainState]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update([0]);
    hasher.update(uri.path());
    hasher.update([0]);
    hasher.update(uri.query().unwrap_or_default());
    for ChainState { checkpoint: c, has_quarantined, .. } in chains {
        hasher.update([0]);
        hasher.update(c.hash.0);
        for height in [c.chain_id, c.number, c.head_number, c.safe_number, c.finalized_number] {
            hasher.update(height.to_be_bytes());
        }
        hasher.update([u8::from(c.halted.is_some()), u8::from(*has_quarantined)]);
    }
    weak(&hasher.finalize())
}

fn weak(digest: &[u8]) -> String {
    format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}
