//! Errors as RFC 9457 problems, with a stable `code` and pointers to what was wrong.

mod code;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::code::Code;
use crate::{chain::ChainError, db::DbError};

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

    /// The whole of an answer of HTTP/1.1, for a connection that ends with it.
    pub fn into_bytes(self) -> Vec<u8> {
        let (status, retry_after) = (self.status, self.retry_after);
        let body = serde_json::to_string(&self.body(String::new(), String::new())).unwrap_or_default();
        let retry = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\ncache-control: no-store\r\n\
             {retry}connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn body(self, instance: String, request_id: String) -> ProblemBody {
        ProblemBody {
            r#type: format!("/docs#problem-{}", self.code.as_str()),
            title: self.code.title(),
            status: self.status.as_u16(),
            detail: self.detail,
            instance,
            code: self.code,
            request_id,
            errors: self.errors,
        }
    }

    fn into_response_at(self, instance: String, request_id: String) -> Response {
        let (status, retry_after, challenge) = (self.status, self.retry_after, self.challenge.clone());
        let mut response = (status, Json(self.body(instance, request_id))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = challenge.and_then(|c| HeaderValue::try_from(c).ok()) {
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
