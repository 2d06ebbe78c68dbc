//! Errors as RFC 9457 problems, with a stable `code` and pointers to what was wrong.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{chain::ChainError, db::DbError};

/// What a program can tell problems apart by. Codes are added, never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 400: the request cannot be read at all.
    BadRequest,
    /// 400: the query is not percent-encoded UTF-8.
    MalformedQuery,
    /// 422: a query parameter is unknown, repeated or has no valid value; `errors` says which.
    InvalidQuery,
    /// 422: a part of the path has no valid value; `errors` says which.
    InvalidPath,
    /// 422: the cursor is none of ours.
    CursorInvalid,
    /// 422: the cursor came from another query; only `limit` and `min_block` may change between pages.
    CursorMismatch,
    /// 410: the block that the cursor stands on was reorged away; start again from the first page.
    CursorReorged,
    /// 404: there is nothing under this path.
    NotFound,
    /// 404: the chain is not followed here.
    ChainNotFound,
    /// 404: no followed factory has created this sale, as of the indexed block.
    SaleNotFound,
    /// 404: no followed factory has made this token, and no sale sells it, as of the indexed block.
    TokenNotFound,
    /// 404: a sale sells this token, but no followed factory made it: its supply and holders are not in the index.
    SupplyUnknown,
    /// 404: no allowlist with this root is served here.
    AllowlistNotFound,
    /// 404: the investor is not on this allowlist.
    InvestorNotListed,
    /// 405: the resource does not take this method; `Allow` says which it takes.
    MethodNotAllowed,
    /// 413: the request's body is too large.
    PayloadTooLarge,
    /// 401: there is no key and no session of a wallet, or none that is good; `WWW-Authenticate` says what is taken.
    Unauthenticated,
    /// 401: a signed request is not signed as it has to be, or not by the key that it names.
    SignatureInvalid,
    /// 401: a signature is too old, or of the future: the clocks differ.
    SignatureStale,
    /// 401: the nonce of a signature was used before.
    SignatureReplayed,
    /// 401: a wallet's message or its signature is not one that this service takes.
    SignInRefused,
    /// 403: the key has not the scope that this needs.
    ScopeMissing,
    /// 403: the key may not be used from where the request comes from.
    AddressNotAllowed,
    /// 404: there is no key with this id.
    KeyNotFound,
    /// 409: the key has ended, or was replaced before.
    KeyNotActive,
    /// 404: there is no webhook of yours with this id.
    WebhookNotFound,
    /// 404: the webhook has no such message, or it is no longer kept.
    DeliveryNotFound,
    /// 409: nothing is sent to the webhook while it is disabled.
    WebhookDisabled,
    /// 409: you have as many webhooks, or the webhook as many secrets, as there may be.
    TooManyWebhooks,
    /// 400: the body is no JSON.
    MalformedBody,
    /// 422: a field of the body is unknown, missing, repeated or has no valid value; `errors` says which.
    InvalidBody,
    /// 415: the body is not `application/json`.
    UnsupportedMediaType,
    /// 400: the request has no `Idempotency-Key`.
    IdempotencyKeyMissing,
    /// 400: the `Idempotency-Key` is not one string of 1 to 255 characters.
    IdempotencyKeyInvalid,
    /// 409: a request with this `Idempotency-Key` is under way; send it again after `Retry-After`.
    IdempotencyInFlight,
    /// 422: this `Idempotency-Key` came with another request within 24 hours.
    IdempotencyMismatch,
    /// 404: the caller has no order with this id.
    OrderNotFound,
    /// 422: the sale's contract would refuse it; `detail` says why, and what to do.
    OrderRefused,
    /// 403: the operator's signer does not send orders to this sale.
    SaleNotAllowed,
    /// 429: the key has ordered as much of this currency within 24 hours as the operator lets it; `detail` says what is left.
    OrderLimitReached,
    /// 409: what is asked for was ordered before, with this `Idempotency-Key` more than a day ago or by the same transaction.
    OrderExists,
    /// 409: the order is past where it could be changed, or came signed.
    OrderNotOpen,
    /// 409: the transaction's nonce is used, or waits for others.
    NonceUnusable,
    /// 409: the account that pays has not enough, or has not approved it.
    InsufficientFunds,
    /// 409: no phase of the sale takes vouchers.
    VouchersNotTaken,
    /// 409: this service's signer of vouchers is not the sale's.
    SignerMismatch,
    /// 501: the operator has not set what this needs.
    NotConfigured,
    /// 503: `min_block` is not indexed yet; try again after `Retry-After`.
    BlockNotIndexed,
    /// 429: this address, key or wallet has made as many requests as it may; `RateLimit` and `Retry-After` say when it may again.
    TooManyRequests,
    /// 503: this process streams to as many listeners as it takes; try again after `Retry-After`.
    TooManyListeners,
    /// 503: nothing is indexed yet, or the indexer is halted or silent.
    NotReady,
    /// 503: as many exports are being written as this service writes at once.
    ExportsBusy,
    /// 503: the database does not answer.
    DatabaseUnavailable,
    /// 503: the chain's node does not answer, or contradicts itself.
    NodeUnavailable,
    /// 503: the answer took too long.
    Timeout,
    /// 500: a defect of this service; the request id finds it in the log.
    Internal,
}

impl Code {
    /// All codes with their status, title and meaning, for the documentation.
    pub const ALL: [Self; 56] = [
        Self::BadRequest,
        Self::MalformedQuery,
        Self::InvalidQuery,
        Self::InvalidPath,
        Self::CursorInvalid,
        Self::CursorMismatch,
        Self::CursorReorged,
        Self::NotFound,
        Self::ChainNotFound,
        Self::SaleNotFound,
        Self::TokenNotFound,
        Self::SupplyUnknown,
        Self::AllowlistNotFound,
        Self::InvestorNotListed,
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::Unauthenticated,
        Self::SignatureInvalid,
        Self::SignatureStale,
        Self::SignatureReplayed,
        Self::SignInRefused,
        Self::ScopeMissing,
        Self::AddressNotAllowed,
        Self::KeyNotFound,
        Self::KeyNotActive,
        Self::WebhookNotFound,
        Self::DeliveryNotFound,
        Self::WebhookDisabled,
        Self::TooManyWebhooks,
        Self::MalformedBody,
        Self::InvalidBody,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyMissing,
        Self::IdempotencyKeyInvalid,
        Self::IdempotencyInFlight,
        Self::IdempotencyMismatch,
        Self::OrderNotFound,
        Self::OrderRefused,
        Self::SaleNotAllowed,
        Self::OrderLimitReached,
        Self::OrderExists,
        Self::OrderNotOpen,
        Self::NonceUnusable,
        Self::InsufficientFunds,
        Self::VouchersNotTaken,
        Self::SignerMismatch,
        Self::NotConfigured,
        Self::BlockNotIndexed,
        Self::TooManyRequests,
        Self::TooManyListeners,
        Self::NotReady,
        Self::ExportsBusy,
        Self::DatabaseUnavailable,
        Self::NodeUnavailable,
        Self::Timeout,
        Self::Internal,
    ];

    /// As JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::MalformedQuery => "malformed_query",
            Self::InvalidQuery => "invalid_query",
            Self::InvalidPath => "invalid_path",
            Self::CursorInvalid => "cursor_invalid",
            Self::CursorMismatch => "cursor_mismatch",
            Self::CursorReorged => "cursor_reorged",
            Self::NotFound => "not_found",
            Self::ChainNotFound => "chain_not_found",
            Self::SaleNotFound => "sale_not_found",
            Self::TokenNotFound => "token_not_found",
            Self::SupplyUnknown => "supply_unknown",
            Self::AllowlistNotFound => "allowlist_not_found",
            Self::InvestorNotListed => "investor_not_listed",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Unauthenticated => "unauthenticated",
            Self::SignatureInvalid => "signature_invalid",
            Self::SignatureStale => "signature_stale",
            Self::SignatureReplayed => "signature_replayed",
            Self::SignInRefused => "sign_in_refused",
            Self::ScopeMissing => "scope_missing",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::KeyNotFound => "key_not_found",
            Self::KeyNotActive => "key_not_active",
            Self::WebhookNotFound => "webhook_not_found",
            Self::DeliveryNotFound => "delivery_not_found",
            Self::WebhookDisabled => "webhook_disabled",
            Self::TooManyWebhooks => "too_many_webhooks",
            Self::MalformedBody => "malformed_body",
            Self::InvalidBody => "invalid_body",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::IdempotencyKeyMissing => "idempotency_key_missing",
            Self::IdempotencyKeyInvalid => "idempotency_key_invalid",
            Self::IdempotencyInFlight => "idempotency_in_flight",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::OrderNotFound => "order_not_found",
            Self::OrderRefused => "order_refused",
            Self::SaleNotAllowed => "sale_not_allowed",
            Self::OrderLimitReached => "order_limit_reached",
            Self::OrderExists => "order_exists",
            Self::OrderNotOpen => "order_not_open",
            Self::NonceUnusable => "nonce_unusable",
            Self::InsufficientFunds => "insufficient_funds",
            Self::VouchersNotTaken => "vouchers_not_taken",
            Self::SignerMismatch => "signer_mismatch",
            Self::NotConfigured => "not_configured",
            Self::BlockNotIndexed => "block_not_indexed",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyListeners => "too_many_listeners",
            Self::NotReady => "not_ready",
            Self::ExportsBusy => "exports_busy",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::NodeUnavailable => "node_unavailable",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }

    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::MalformedQuery
            | Self::MalformedBody
            | Self::IdempotencyKeyMissing
            | Self::IdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::Unauthenticated
            | Self::SignatureInvalid
            | Self::SignatureStale
            | Self::SignatureReplayed
            | Self::SignInRefused => StatusCode::UNAUTHORIZED,
            Self::ScopeMissing | Self::AddressNotAllowed | Self::SaleNotAllowed => StatusCode::FORBIDDEN,
            Self::KeyNotActive
            | Self::IdempotencyInFlight
            | Self::OrderExists
            | Self::OrderNotOpen
            | Self::NonceUnusable
            | Self::InsufficientFunds
            | Self::VouchersNotTaken
            | Self::SignerMismatch
            | Self::WebhookDisabled
            | Self::TooManyWebhooks => StatusCode::CONFLICT,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotConfigured => StatusCode::NOT_IMPLEMENTED,
            Self::InvalidQuery
            | Self::InvalidPath
            | Self::InvalidBody
            | Self::CursorInvalid
            | Self::CursorMismatch
            | Self::OrderRefused
            | Self::IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::CursorReorged => StatusCode::GONE,
            Self::NotFound
            | Self::ChainNotFound
            | Self::SaleNotFound
            | Self::TokenNotFound
            | Self::SupplyUnknown
            | Self::AllowlistNotFound
            | Self::KeyNotFound
            | Self::WebhookNotFound
            | Self::DeliveryNotFound
            | Self::OrderNotFound
            | Self::InvestorNotListed => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests | Self::OrderLimitReached => StatusCode::TOO_MANY_REQUESTS,
            Self::BlockNotIndexed
            | Self::TooManyListeners
            | Self::NotReady
            | Self::ExportsBusy
            | Self::DatabaseUnavailable
            | Self::NodeUnavailable
            | Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What it is, the same for every occurrence.
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read",
            Self::MalformedQuery => "The query cannot be read",
            Self::InvalidQuery => "The query is not valid",
            Self::InvalidPath => "The path is not valid",
            Self::CursorInvalid => "The cursor is not valid",
            Self::CursorMismatch => "The cursor belongs to another query",
            Self::CursorReorged => "The cursor's block was reorged away",
            Self::NotFound => "There is nothing here",
            Self::ChainNotFound => "The chain is not followed",
            Self::SaleNotFound => "The sale is not known",
            Self::TokenNotFound => "The token is not known",
            Self::SupplyUnknown => "The supply is not known",
            Self::AllowlistNotFound => "The allowlist is not known",
            Self::InvestorNotListed => "The investor is not on the list",
            Self::MethodNotAllowed => "The method is not allowed",
            Self::PayloadTooLarge => "The body is too large",
            Self::Unauthenticated => "It is not known who asks",
            Self::SignatureInvalid => "The signature is not valid",
            Self::SignatureStale => "The signature is too old, or of the future",
            Self::SignatureReplayed => "The signature was used before",
            Self::SignInRefused => "The wallet is not signed in",
            Self::ScopeMissing => "The key may not do this",
            Self::AddressNotAllowed => "The key may not be used from there",
            Self::KeyNotFound => "The key is not known",
            Self::KeyNotActive => "The key has ended",
            Self::WebhookNotFound => "The webhook is not known",
            Self::DeliveryNotFound => "The message is not known",
            Self::WebhookDisabled => "The webhook is disabled",
            Self::TooManyWebhooks => "There are too many webhooks or secrets",
            Self::MalformedBody => "The body cannot be read",
            Self::InvalidBody => "The body is not valid",
            Self::UnsupportedMediaType => "The body is of another type",
            Self::IdempotencyKeyMissing => "The Idempotency-Key is missing",
            Self::IdempotencyKeyInvalid => "The Idempotency-Key is not valid",
            Self::IdempotencyInFlight => "The request is under way",
            Self::IdempotencyMismatch => "The Idempotency-Key belongs to another request",
            Self::OrderNotFound => "The order is not known",
            Self::OrderRefused => "The sale would refuse it",
            Self::SaleNotAllowed => "No orders are sent to this sale",
            Self::OrderLimitReached => "The key has ordered all that it may for now",
            Self::OrderExists => "It was ordered before",
            Self::OrderNotOpen => "The order cannot be changed",
            Self::NonceUnusable => "The nonce cannot be used",
            Self::InsufficientFunds => "The account cannot pay",
            Self::VouchersNotTaken => "The sale takes no vouchers",
            Self::SignerMismatch => "Another key signs this sale's vouchers",
            Self::NotConfigured => "The service is not set up for this",
            Self::BlockNotIndexed => "The block is not indexed yet",
            Self::TooManyRequests => "There are too many requests",
            Self::TooManyListeners => "There are too many listeners",
            Self::NotReady => "The service is not ready",
            Self::ExportsBusy => "Too many exports at once",
            Self::DatabaseUnavailable => "The database does not answer",
            Self::NodeUnavailable => "The node does not answer",
            Self::Timeout => "The answer took too long",
            Self::Internal => "Something went wrong here",
        }
    }

    /// The code for a status that no handler of ours gave.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            s if s.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

/// One thing that was wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// JSON Pointer: `/query/<parameter>`, `/path/<parameter>` or `/body/<field>`.
    #[schema(example = "/query/limit")]
    pub pointer: String,
    /// What is wrong with it.
    #[schema(example = "must be between 1 and 200")]
    pub detail: String,
}

/// An error on its way to the client. [`finish`] adds where it happened.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    status: StatusCode,
    detail: String,
    errors: Vec<Fault>,
    retry_after: Option<u32>,
    challenge: Option<String>,
}

/// RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where the kind of problem is described.
    #[schema(example = "/docs#problem-invalid_query")]
    pub r#type: String,
    /// The kind of problem, the same for every occurrence.
    #[schema(example = "The query is not valid")]
    pub title: &'static str,
    /// The status code of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// This occurrence.
    #[schema(example = "limit must be between 1 and 200")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/v1/sales")]
    pub instance: String,
    /// What a program can tell problems apart by.
    pub code: Code,
    /// The value of `x-request-id`.
    #[schema(example = "7c0fd5b4-3d4f-4a36-9b0a-2f4f3a8a52c1")]
    pub request_id: String,
    /// Each thing that was wrong with the request; empty where the request was not at fault.
    pub errors: Vec<Fault>,
}

impl Problem {
    /// A problem of this kind; `detail` says what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
        }
    }

    /// A problem with these parts of the request.
    pub fn faults(code: Code, errors: Vec<Fault>) -> Self {
        let detail = errors
            .iter()
            .map(|e| {
                // Without the place, which the sentence says already: /body/scopes/1 is scopes/1.
                let at = e.pointer.splitn(3, '/').nth(2).unwrap_or("the body");
                format!("{at} {}", e.detail)
            })
            .collect::<Vec<_>>()
            .join("; ");
        Self { errors, ..Self::new(code, detail) }
    }

    /// Tells the client to come back after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Says in `WWW-Authenticate` what would be taken.
    #[must_use]
    pub fn challenge(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// A defect of ours, without a word on what it is.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "an unexpected error of this service: tell its operator the request_id, which finds it in the log",
        )
    }

    /// What tells it apart.
    pub fn code(&self) -> Code {
        self.code
    }

    fn into_response_at(self, instance: String, request_id: String) -> Response {
        let body = ProblemBody {
            r#type: format!("/docs#problem-{}", self.code.as_str()),
            title: self.code.title(),
            status: self.status.as_u16(),
            detail: self.detail,
            instance,
            code: self.code,
            request_id,
            errors: self.errors,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = self.challenge.and_then(|c| HeaderValue::try_from(c).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ChainError> for Problem {
    fn from(error: ChainError) -> Self {
        // Which node it is, and what it said, is for the operator.
        tracing::warn!(%error, "a node does not answer as it should");
        Self::new(Code::NodeUnavailable, "the chain's node does not answer: nothing was done, try again in a moment")
            .retry_after(2)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        // A closed pool is this process on its way out.
        if error.is_transient() || matches!(error, DbError::Query(sqlx::Error::PoolClosed)) {
            tracing::warn!(%error, "the database does not answer");
            let detail = "the database does not answer: try again in a moment, with the same Idempotency-Key where there was one";
            return Self::new(Code::DatabaseUnavailable, detail).retry_after(2);
        }
        if let DbError::NewerSchema { found, known } = error {
            tracing::error!(found, known, "a newer version has migrated the database: this service must be replaced");
            let detail =
                "a newer version has migrated the database; the operator has to replace this service by that version";
            return Self::new(Code::DatabaseUnavailable, detail).retry_after(30);
        }
        // A query or a row that this program does not understand is its own defect, and its text nobody else's business.
        tracing::error!(%error, "a query failed");
        Self::internal()
    }
}

/// What is said where no handler of ours said anything.
fn of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "there is nothing under this path: /docs shows what there is",
        StatusCode::METHOD_NOT_ALLOWED => "this path does not take the method: Allow says which it takes",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than 64 KiB: no request needs so much",
        status if status.is_client_error() => "the request cannot be read: /docs shows what is taken",
        _ => "an unexpected error of this service: tell its operator the request_id, which finds it in the log",
    }
}

/// Writes the body of a problem, now that the request's path and id are known. Errors that no handler of ours made (an unknown
/// method, a body too large) become problems too; other answers pass.
pub fn finish(mut response: Response, instance: &str, request_id: &str) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => {
            Problem { status, ..Problem::new(Code::of_status(status), of_status(status)) }
        }
        None => return response,
    };
    let mut finished = problem.into_response_at(instance.to_owned(), request_id.to_owned());
    // What else the answer says stays: `Allow` beside a 405.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            finished.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    finished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_they_are_documented() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_defect_says_nothing_of_itself() {
        let problem = Problem::from(DbError::Query(sqlx::Error::ColumnNotFound("secret".to_owned())));
        assert_eq!(problem.code(), Code::Internal);
        assert!(!problem.detail.contains("secret"));
    }

    #[test]
    fn a_pool_that_gives_no_connection_is_unavailable() {
        let problem = Problem::from(DbError::Query(sqlx::Error::PoolTimedOut));
        assert_eq!((problem.code(), problem.retry_after), (Code::DatabaseUnavailable, Some(2)));
    }
}
