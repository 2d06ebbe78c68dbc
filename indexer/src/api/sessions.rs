//! `/v1/sessions`: wallets sign in (ERC-4361), with a key of theirs or as a contract (ERC-1271).

use std::{sync::Arc, time::Duration};

use alloy::{
    eips::BlockId,
    hex::FromHex as _,
    primitives::{Address, B256, Bytes, Signature, eip191_hash_message},
    rpc::types::TransactionRequest,
    sol_types::SolCall as _,
};
use axum::{body::to_bytes, extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use siwe::Message;
use utoipa::ToSchema;

use super::{
    ApiState, WriteProblems,
    auth::{Once, Origins, Service, Turn, Wallet},
    body::{Post, no_store},
    extract::{ChainId, CheckedQuery},
    meta::{Condition, Snapshot},
    problem::{Code, Fault, Problem},
    shapes::Time,
    status::NoQuery,
};
use crate::{
    access::{AccessError, Nonce, SessionToken},
    chain::{Called, ChainError, Node},
    db::{
        DbError,
        service::{
            nonces,
            sessions::{self, SessionRow},
        },
    },
    seal::SealError,
    types::Addr,
};

alloy::sol! {
    /// ERC-1271, which answers with its own selector.
    function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4 magic);
}

/// Seconds that a session lasts, unless its message ends earlier.
const LIFE: i64 = 12 * 60 * 60;
/// Seconds that a wallet's clock may be ahead.
const SKEW: i64 = 30;
/// A Safe of many owners has long signatures.
const MOST_SIGNATURE: usize = 8 * 1024;
const MOST_MESSAGE: usize = 4 * 1024;
/// What a contract may do to answer, and how long its node may take: anybody can ask for it, at a contract of their own.
const MOST_GAS: u64 = 3_000_000;
const PATIENCE: Duration = Duration::from_secs(5);

/// What a wallet signs once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NonceOut {
    /// Stands in the message as its nonce.
    #[schema(example = "01800000000Zk3Qm8tLw0PvXsY2b6e1d0f3a9c8b7e6f5a4d3c2b1a0f9e8d7c")]
    pub nonce: String,
    /// When it is too late for it.
    pub expires_at: Time,
}

/// A nonce.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneNonce {
    /// The nonce.
    pub data: NonceOut,
}

/// A message and its signature.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The ERC-4361 message, byte for byte as it was signed: this service's name as domain and in the URI, and a nonce of
    /// `GET /v1/sessions/nonce`.
    #[schema(max_length = 4096)]
    pub message: String,
    /// Its signature (`personal_sign`): 65 bytes, or what the contract at the address takes, in hexadecimal behind `0x`.
    #[schema(max_length = 16386, pattern = "^0x([0-9a-fA-F]{2})+$")]
    pub signature: String,
}

/// A session of a wallet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionOut {
    /// The wallet.
    pub address: Addr,
    /// The chain on which it is that wallet.
    #[schema(example = 31337)]
    pub chain_id: i64,
    /// When it signed in.
    pub created_at: Time,
    /// When the session ends by itself.
    pub expires_at: Time,
}

impl From<&SessionRow> for SessionOut {
    fn from(row: &SessionRow) -> Self {
        Self {
            address: row.address,
            chain_id: row.chain_id,
            created_at: Time::from_unix(row.created_at),
            expires_at: Time::from_unix(row.expires_at),
        }
    }
}

/// One session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneSession {
    /// The session.
    pub data: SessionOut,
}

/// A session that was just opened.
#[derive(Clone, Serialize, ToSchema)]
pub struct FreshSession {
    /// Goes into `Authorization: Bearer`. This is the only time that it is shown.
    #[schema(example = "cws_8Kc2VtQx…")]
    pub token: String,
    /// The session.
    pub data: SessionOut,
}

fn failed(source: SealError) -> Problem {
    AccessError::Seal { table: "wallet_session".into(), row: "a new one".into(), source }.into()
}

/// A nonce for signing in
///
/// For a message of ERC-4361. It is good once, for ten minutes.
#[utoipa::path(
    get,
    path = "/v1/sessions/nonce",
    tag = "sessions",
    responses((status = 200, description = "A nonce.", body = OneNonce), WriteProblems)
)]
pub async fn get_nonce(
    service: Arc<Service>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let now = Timestamp::now().as_second();
    let nonce = Nonce::fresh(service.pepper().await?, now).map_err(failed)?;
    let expires_at = Time::from_unix(now + Nonce::LIFE);
    Ok(no_store(OneNonce { data: NonceOut { nonce: nonce.as_str().to_owned(), expires_at } }))
}

/// Signs a wallet in
///
/// With a message of ERC-4361 that the wallet has signed, or, where the address is a contract such as a Safe, that the contract says is
/// signed (ERC-1271). The answer holds a token for `Authorization: Bearer`, good for twelve hours at most.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = SignIn,
    responses((status = 201, description = "The session, its token shown once.", body = FreshSession), WriteProblems)
)]
pub async fn sign_in(
    State(state): State<ApiState>,
    service: Arc<Service>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<SignIn>,
) -> Result<Response, Problem> {
    let signature = parse_signature(&body.signature)?;
    let message = parse_message(&body.message, service.origins())?;
    let wallet = Addr(Address::from(message.address));
    let chain_id = i64::try_from(message.chain_id).map_err(|_| of_message("has a chain id that is none"))?;
    drop(Snapshot::of_chain(&state, ChainId(chain_id), None, Condition::none()).await.map_err(Problem::from)?);
    // Before a node is asked for anything: what costs nothing to make up is refused for nothing.
    let now = Timestamp::now().as_second();
    let seconds = time_left(&message, now)?;
    let pepper = service.pepper().await?;
    if !Nonce::is_good(pepper, &message.nonce, now) {
        return Err(no_nonce());
    }
    let hash = eip191_hash_message(body.message.as_bytes());
    if !is_signed(&state, chain_id, wallet.0, hash, &signature).await? {
        return Err(refused(format!("the signature is not one of {wallet} over this message")));
    }

    // Only now is it known whose the idempotency key is.
    let mut once = match Once::begin_for(&service, &format!("wallet:{wallet}"), &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return still_open(&service, answer).await,
    };
    if !nonces::spend(once.connection(), &format!("sign-in {}", message.nonce), Nonce::LIFE + 60).await? {
        return Err(once.undo(no_nonce()).await);
    }
    let token = SessionToken::generate().map_err(failed)?;
    let id = SessionToken::fresh_id().map_err(failed)?;
    let hash = pepper.hash(token.expose());
    let row = sessions::open(once.connection(), (&id, &hash), (wallet, chain_id), seconds).await?;
    let answer = FreshSession { token: token.expose().to_owned(), data: SessionOut::from(&row) };
    once.finish(StatusCode::CREATED, &answer).await
}

/// A first answer, where its session is not over: whoever has signed out must not be told that they are signed in.
async fn still_open(service: &Service, answer: Response) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Told {
        token: String,
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let told: Told = serde_json::from_slice(&body).map_err(|_| Problem::internal())?;
    let hash = service.pepper().await?.hash(&told.token);
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    if sessions::find(&mut connection, &hash).await?.is_none() {
        return Err(refused(
            "this message has signed in before, and that session is over: take a new nonce from GET /v1/sessions/nonce, and sign again",
        ));
    }
    Ok(Response::from_parts(parts, body.into()))
}

/// Who has signed in
#[utoipa::path(
    get,
    path = "/v1/session",
    tag = "sessions",
    security(("session" = [])),
    responses((status = 200, description = "The session that the token is of.", body = OneSession), WriteProblems)
)]
pub async fn get_session(wallet: Wallet, CheckedQuery(NoQuery): CheckedQuery<NoQuery>) -> Result<Response, Problem> {
    Ok(no_store(OneSession { data: wallet.session().into() }))
}

/// Signs a wallet out
#[utoipa::path(
    delete,
    path = "/v1/session",
    tag = "sessions",
    security(("session" = [])),
    responses((status = 200, description = "The session, which is over.", body = OneSession), WriteProblems)
)]
pub async fn sign_out(
    service: Arc<Service>,
    wallet: Wallet,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut transaction = service.begin().await?;
    sessions::close(&mut transaction, &wallet.session().id).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(no_store(OneSession { data: wallet.session().into() }))
}

fn no_nonce() -> Problem {
    refused(
        "the nonce is not one of this service, is older than ten minutes, or was used before: take a new one from GET /v1/sessions/nonce, and sign again",
    )
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(Code::SignInRefused, detail).challenge("Bearer realm=\"crowdsale\"".to_owned())
}

fn of_message(detail: impl Into<String>) -> Problem {
    Problem::faults(Code::InvalidBody, vec![Fault { pointer: "/body/message".to_owned(), detail: detail.into() }])
}

fn parse_signature(text: &str) -> Result<Bytes, Problem> {
    let hex = text.strip_prefix("0x").filter(|hex| (2..=2 * MOST_SIGNATURE).contains(&hex.len()));
    hex.and_then(|hex| Bytes::from_hex(hex).ok()).ok_or_else(|| {
        let detail = format!("must be 1 to {MOST_SIGNATURE} bytes in hexadecimal, behind 0x");
        Problem::faults(Code::InvalidBody, vec![Fault { pointer: "/body/signature".to_owned(), detail }])
    })
}

/// A message of ERC-4361 for this service.
fn parse_message(text: &str, origins: &Origins) -> Result<Message, Problem> {
    if text.len() > MOST_MESSAGE {
        return Err(of_message(format!("must not be longer than {MOST_MESSAGE} bytes")));
    }
    let message: Message = text.parse().map_err(|e| of_message(format!("is no message of ERC-4361: {e}")))?;
    // What a wallet shows must be what is read here, to the last byte.
    if message.to_string() != text {
        return Err(of_message("is no message of ERC-4361: it has lines or characters where there are none in one"));
    }
    let bare = |authority: &str| {
        let lower = authority.to_ascii_lowercase();
        lower.strip_suffix(":443").or_else(|| lower.strip_suffix(":80")).unwrap_or(&lower).to_owned()
    };
    let domain = bare(message.domain.as_str());
    let uri = url::Url::parse(message.uri.as_str()).ok();
    let uri = uri.as_ref().filter(|uri| matches!(uri.scheme(), "https" | "http")).map(|uri| bare(uri.authority()));
    if !origins.holds(&domain) || uri.is_none_or(|uri| uri != domain) {
        let detail = "is for another service: its domain and the host of its URI have to be this service's, which its operator sets with --public-url";
        return Err(of_message(detail));
    }
    Ok(message)
}

/// Seconds that a session lasts that begins now.
fn time_left(message: &Message, now: i64) -> Result<i64, Problem> {
    let issued = message.issued_at.as_ref().unix_timestamp();
    let begins = message.not_before.as_ref().map_or(issued, |time| time.as_ref().unix_timestamp());
    if !(now - Nonce::LIFE..=now + SKEW).contains(&issued) || begins > now + SKEW {
        let clock = Time::from_unix(now);
        return Err(refused(format!(
            "the message is older than ten minutes or not yet good; here it is {clock}: set your clock, and sign a new one"
        )));
    }
    let ends = message.expiration_time.as_ref().map_or(i64::MAX, |time| time.as_ref().unix_timestamp());
    if ends <= now {
        return Err(refused("the message has expired: sign a new one"));
    }
    Ok(LIFE.min(ends - now))
}

/// Whether the wallet has signed, as whoever has its key, or as the contract that it is.
async fn is_signed(
    state: &ApiState,
    chain_id: i64,
    wallet: Address,
    hash: B256,
    signature: &Bytes,
) -> Result<bool, Problem> {
    let own = Signature::from_raw(signature).ok().and_then(|s| s.recover_address_from_prehash(&hash).ok());
    if own == Some(wallet) {
        return Ok(true);
    }
    let question = isValidSignatureCall { hash, signature: signature.clone() };
    let call = TransactionRequest::default().to(wallet).gas_limit(MOST_GAS).input(question.abi_encode().into());
    let chain = state.chain(chain_id).await?;
    let ask = |node: Node| {
        let call = call.clone();
        async move { node.call(call, BlockId::latest()).await }
    };
    // Where there is no contract the answer is empty; one that knows nothing of this reverts or answers something else.
    let answer = tokio::time::timeout(PATIENCE, chain.ask(ask)).await.map_err(|_| ChainError::NotYet)??;
    Ok(match answer {
        Called::Output(output) => {
            output.len() == 32 && output.starts_with(&isValidSignatureCall::SELECTOR) && output[4..] == [0; 28]
        }
        Called::Reverted(_) | Called::Short => false,
    })
}
