//! Typed bodies: JSON in which everything is known, each fault with the field that it is in; and the key that a request may be sent
//! again with.

use std::fmt;

use alloy::primitives::U256;
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_path_to_error::{Path, Segment};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    ApiState,
    extract::Parameter,
    problem::{Code, Fault, Problem},
};
use crate::{access, types::Amount};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// An answer for whoever asks alone: nobody between may keep it.
pub(super) fn no_store(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// The body of a POST, and what it may be sent again with. `T` says `#[serde(deny_unknown_fields)]`: a misspelt field must not be
/// taken for one that was left out.
#[derive(Clone, Debug)]
pub struct Post<T> {
    /// The body.
    pub body: T,
    /// What tells this request from others.
    pub request: RequestKey,
}

/// The body of a POST that asks and changes nothing: it may be sent again as it is.
#[derive(Clone, Debug)]
pub struct Ask<T>(pub T);

/// The fields of a body while they are read: all faults are told at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<Fault>);

impl Fields {
    /// The value of a field; `None` if it has a fault, which is then noted.
    pub fn read<T: Parameter>(&mut self, field: &str, text: &str) -> Option<T> {
        T::parse(text).map_err(|detail| self.fault(field, detail)).ok()
    }

    /// The value of a field that must be there.
    pub fn require<T: Parameter>(&mut self, field: &str, text: Option<&str>) -> Option<T> {
        match text {
            Some(text) => self.read(field, text),
            None => {
                self.fault(field, "is missing");
                None
            }
        }
    }

    /// Notes what is wrong with a field.
    pub fn fault(&mut self, field: &str, detail: impl Into<String>) {
        self.0.push(Fault { pointer: format!("/body/{field}"), detail: detail.into() });
    }

    /// The problem with all faults, if there are any.
    ///
    /// # Errors
    /// 422.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::faults(Code::InvalidBody, self.0)) }
    }
}

/// A text that names somebody: never shown but to who may see it, and sealed at rest.
#[derive(Clone)]
pub struct Reference(SecretString);

impl Reference {
    /// Most characters.
    pub const MAX: usize = 128;

    /// The text.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference")
    }
}

impl Parameter for Reference {
    fn parse(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if (1..=Self::MAX).contains(&length) && text.trim() == text && text.chars().all(access::is_visible) {
            Ok(Self(SecretString::from(text)))
        } else {
            Err(format!("must have 1 to {} characters that can be seen, and no space around them", Self::MAX))
        }
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|detail| D::Error::custom(format!("it {detail}")))
    }
}

/// A sum in base units, from one to what the contracts keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseUnits(pub U256);

impl Parameter for BaseUnits {
    fn parse(text: &str) -> Result<Self, String> {
        let amount = match text.bytes().next() {
            Some(b'1'..=b'9') if text.len() <= 37 => text.parse::<Amount>().ok(),
            _ => None,
        };
        amount.filter(|a| a.0.bit_len() <= 120).map(|a| Self(a.0)).ok_or_else(|| {
            "must be base units: decimal digits without a leading zero, from 1 to below 2^120".to_owned()
        })
    }
}

/// Nothing: an empty object.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoFields {}

/// The caller's own key for a request, and a digest of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    fingerprint: [u8; 32],
}

impl RequestKey {
    /// As the caller chose it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Of method, path, query and body.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Post<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let key = key(request.headers())?;
        is_json(request.headers())?;
        let mut digest = Sha256::new();
        for part in [request.method().as_str(), request.uri().path(), request.uri().query().unwrap_or_default()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let bytes = whole(request, state).await?;
        digest.update(&bytes);
        let body = parse(&bytes)?;
        Ok(Self { body, request: RequestKey { key, fingerprint: digest.finalize().into() } })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Ask<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        is_json(request.headers())?;
        Ok(Self(parse(&whole(request, state).await?)?))
    }
}

async fn whole(request: Request, state: &ApiState) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB"),
        _ => Problem::new(Code::BadRequest, "the body ended before it was whole"),
    })
}

/// The draft writes it as a string in quotes; many clients leave them out.
fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        let detail = "Idempotency-Key is missing: send a fresh UUID with every new request, and the same again when you send it again";
        return Err(Problem::new(Code::IdempotencyKeyMissing, detail));
    };
    let text = value.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').map_or(Some(text), |t| t.strip_suffix('"')).unwrap_or_default();
    let good = (1..=255).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if !good || values.next().is_some() {
        let detail = "Idempotency-Key has to stand there once, with 1 to 255 visible ASCII characters such as a UUID";
        return Err(Problem::new(Code::IdempotencyKeyInvalid, detail));
    }
    Ok(bare.to_owned())
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, "the body has to be JSON, with Content-Type: application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |e: &serde_json::Error| {
        Problem::new(Code::MalformedBody, format!("the body is no JSON: {}", shortened(&e.to_string())))
    };
    // A struct would be read from a list too, by the order of its fields.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(Code::MalformedBody, "the body is no JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let body = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        if !e.inner().is_data() {
            return malformed(e.inner());
        }
        let detail = shortened(&said(&e.inner().to_string()));
        Problem::faults(Code::InvalidBody, vec![Fault { pointer: pointer(e.path()), detail }])
    })?;
    reader.end().map_err(|e| malformed(&e))?;
    Ok(body)
}

/// What serde says of a field, as the end of a sentence that begins with its name, and without where it stands in the text.
fn said(text: &str) -> String {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    for (begins, instead) in [
        ("unknown field ", "is not a field of this request: "),
        ("unknown variant ", "has a value that is not known: "),
        ("missing field ", "misses "),
        ("duplicate field ", "has twice "),
    ] {
        if let Some(rest) = text.strip_prefix(begins) {
            return format!("{instead}{}", rest.replace(", expected ", "; there is ").replace("is one of", "are"));
        }
    }
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("must be {}, and is {}", needed(expected), met(found)),
        None => text.to_owned(),
    }
}

/// What serde expects, as whoever writes JSON calls it.
fn needed(expected: &str) -> String {
    match expected {
        "i64" | "u64" | "usize" => "a whole number below 2^63".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "i8" | "i16" | "u16" | "i32" | "u32" => "a whole number that is not so large".to_owned(),
        "a string" | "string" | "str" => "a text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list in brackets".to_owned(),
        "a map" => "an object in braces".to_owned(),
        other if other.starts_with("struct ") => "an object in braces".to_owned(),
        other => other.to_owned(),
    }
}

/// What serde found, in the same words.
fn met(found: &str) -> String {
    let bare = |text: &str| text.trim_matches('`').to_owned();
    match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "boolean", value)) => bare(value),
        Some(("floating", rest)) => bare(rest.trim_start_matches("point ")),
        None if found == "sequence" => "a list".to_owned(),
        None if found == "map" => "an object".to_owned(),
        _ => found.to_owned(),
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = "/body".to_owned();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer += &format!("/{index}"),
            Segment::Map { key } => pointer += &format!("/{}", shortened(key).replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer += &format!("/{}", shortened(variant)),
            Segment::Unknown => {}
        }
    }
    pointer
}

/// What is repeated of a request is kept short: an answer must not be much larger than its question.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
