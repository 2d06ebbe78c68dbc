//! Typed paths and queries. Every parameter is checked, all faults are told at once, and what is not known is refused: a
//! misspelt filter must not silently widen a list.

use std::collections::BTreeMap;

use alloy::primitives::{Address, hex};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::{
    problem::{Code, Fault, Problem},
    shapes::Time,
};
use crate::types::{Addr, Hash32};

/// The parameters of a request while they are read, each once.
#[derive(Debug, Default)]
pub struct Reader {
    values: BTreeMap<String, String>,
    place: &'static str,
    faults: Vec<Fault>,
}

/// Most faults that are told at once.
const MAX_FAULTS: usize = 16;

/// A value that stands in a path or a query.
pub trait Parameter: Sized {
    /// The value, or what is wrong with it, as the end of a sentence that begins with the parameter's name.
    fn parse(text: &str) -> Result<Self, String>;
}

/// An id as `access::fresh_id` makes them: what it begins with, and 20 letters and digits.
pub fn parse_id(text: &str, begins: &str, of: &str) -> Result<String, String> {
    let rest = text.strip_prefix(begins).unwrap_or_default();
    if rest.len() == 20 && rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be the id of {of}: {begins} and 20 letters and digits"))
    }
}

/// What a handler takes from its query.
pub trait FromQuery: Sized {
    /// Reads every parameter it knows.
    fn read(reader: &mut Reader) -> Self;
}

/// What a handler takes from its path.
pub trait FromPath: Sized {
    /// Reads every parameter it knows; `None` if one has a fault.
    fn read(reader: &mut Reader) -> Option<Self>;
}

/// The query, checked.
#[derive(Clone, Debug)]
pub struct CheckedQuery<T>(pub T);

/// The parts of the path, checked.
#[derive(Clone, Debug)]
pub struct CheckedPath<T>(pub T);

impl Reader {
    /// The parameter's value; `None` if it is not there or has a fault, which is then noted.
    pub fn read<T: Parameter>(&mut self, name: &str) -> Option<T> {
        let text = self.values.remove(name)?;
        match T::parse(&text) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.fault(name, detail);
                None
            }
        }
    }

    /// The value of a parameter that must be there; `None` if it has a fault, which is then noted.
    pub fn require<T: Parameter>(&mut self, name: &str) -> Option<T> {
        if !self.values.contains_key(name) {
            self.fault(name, "is missing");
        }
        self.read(name)
    }

    fn fault(&mut self, name: &str, detail: impl Into<String>) {
        // Enough for whoever mistyped; an answer must not be much larger than its question.
        if self.faults.len() == MAX_FAULTS {
            return;
        }
        // RFC 6901: `~` and `/` are escaped in a pointer.
        let name = name.replace('~', "~0").replace('/', "~1");
        self.faults.push(Fault { pointer: format!("/{}/{name}", self.place), detail: detail.into() });
    }
}

impl<T: FromQuery, S: Sync> FromRequestParts<S> for CheckedQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut reader = Reader { place: "query", ..Reader::default() };
        for pair in parts.uri.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if reader.values.insert(name.clone(), value).is_some() {
                reader.fault(&name, "stands here more than once");
            }
        }
        let value = T::read(&mut reader);
        for name in std::mem::take(&mut reader.values).into_keys() {
            let name: String = name.chars().take(64).collect();
            reader.fault(&name, "is not a parameter of this resource");
        }
        if reader.faults.is_empty() {
            return Ok(Self(value));
        }
        // A cursor alone that is wrong has its own code: the remedy is to start again.
        let code = match &reader.faults[..] {
            [fault] if fault.pointer == "/query/cursor" => Code::CursorInvalid,
            _ => Code::InvalidQuery,
        };
        Err(Problem::faults(code, reader.faults))
    }
}

impl<T: FromPath, S: Sync + Send> FromRequestParts<S> for CheckedPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::BadRequest, "the path is not percent-encoded UTF-8"))?;
        let mut reader = Reader { place: "path", ..Reader::default() };
        for (name, value) in &params {
            reader.values.insert(name.to_owned(), value.to_owned());
        }
        match T::read(&mut reader) {
            Some(value) => Ok(Self(value)),
            None => Err(Problem::faults(Code::InvalidPath, reader.faults)),
        }
    }
}

/// Percent-decoding of a query's name or value, strict: no broken escapes, no broken UTF-8, no NUL.
fn decode(text: &str) -> Result<String, Problem> {
    let malformed = || Problem::new(Code::MalformedQuery, "the query is not percent-encoded UTF-8 without NUL");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'+', rest @ ..] => {
                bytes.push(b' ');
                rest
            }
            [b'%', high, low, rest @ ..] => {
                let [byte] = hex::decode_to_array::<_, 1>([*high, *low]).map_err(|_| malformed())?;
                bytes.push(byte);
                rest
            }
            [b'%', ..] => return Err(malformed()),
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
    if bytes.contains(&0) {
        return Err(malformed());
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

/// A non-negative whole number below 2^63, in its one form: digits, no sign, no leading zero.
fn number(text: &str) -> Option<i64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// An EIP-155 chain id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainId(pub i64);

impl Parameter for ChainId {
    fn parse(text: &str) -> Result<Self, String> {
        number(text).map(Self).ok_or_else(|| "must be a chain id: a whole number below 2^63".to_owned())
    }
}

/// A block's height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockNumber(pub i64);

impl Parameter for BlockNumber {
    fn parse(text: &str) -> Result<Self, String> {
        number(text).map(Self).ok_or_else(|| "must be a block number: a whole number below 2^63".to_owned())
    }
}

/// Rows on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub i64);

impl Limit {
    /// Most rows on a page.
    pub const MAX: i64 = 200;
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl Parameter for Limit {
    fn parse(text: &str) -> Result<Self, String> {
        match number(text) {
            Some(limit @ 1..=Self::MAX) => Ok(Self(limit)),
            _ => Err(format!("must be a whole number between 1 and {}", Self::MAX)),
        }
    }
}

/// A place in a list, behind which it goes on: `next_after` of the answer before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind(pub i64);

impl Parameter for Behind {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let place = text.parse().ok().filter(|_| digits);
        place.map(Self).ok_or_else(|| "must be next_after of the answer before".to_owned())
    }
}

/// Part of a name, without the white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(pub String);

impl SearchText {
    /// Most characters.
    pub const MAX: usize = 64;
}

impl Parameter for SearchText {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err("must not have control characters such as line breaks".to_owned());
        }
        match text.chars().count() {
            1..=Self::MAX => Ok(Self(text.to_owned())),
            _ => Err(format!("must have between 1 and {} characters beside white space", Self::MAX)),
        }
    }
}

/// A time in RFC 3339, not before 1970; fractions of a second are cut off.
impl Parameter for Time {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "must be a time in RFC 3339 from 1970 to 9999-12-30T22:00:00Z, e.g. 2027-01-15T14:00:00Z".to_owned();
        let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        if time < jiff::Timestamp::UNIX_EPOCH { Err(wrong()) } else { Ok(Self::from_unix(time.as_second())) }
    }
}

/// `0x` and 40 hex digits: all lower case, all upper case, or mixed with a right EIP-55 checksum.
impl Parameter for Addr {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").unwrap_or_default();
        if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("must be an address: 0x and 40 hex digits".to_owned());
        }
        let mixed = digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
        let address = if mixed {
            Address::parse_checksummed(text, None)
                .map_err(|_| "has a wrong EIP-55 checksum: a digit may be mistyped".to_owned())?
        } else {
            text.parse().map_err(|_| "must be an address: 0x and 40 hex digits".to_owned())?
        };
        Ok(Self(address))
    }
}

/// `0x` and 64 hex digits.
impl Parameter for Hash32 {
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").filter(|d| d.len() == 64);
        let hash = digits.and_then(|d| d.parse().ok()).map(Self);
        hash.ok_or_else(|| "must be a hash: 0x and 64 hex digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for text in ["", "-1", "+1", "01", "1.0", "1e3", " 1", "0x1", "９", "9223372036854775808"] {
            assert_eq!(number(text), None, "{text:?}");
        }
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("9223372036854775807"), Some(i64::MAX));
    }

    #[test]
    fn limits_are_kept() {
        assert!(Limit::parse("0").is_err());
        assert!(Limit::parse("201").is_err());
        assert_eq!(Limit::parse("200"), Ok(Limit(200)));
    }

    #[test]
    fn addresses_are_checked() {
        let right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let address = Addr::parse(right).unwrap();
        assert_eq!(address.to_string(), right);
        assert_eq!(Addr::parse(&right.to_lowercase()), Ok(address));
        assert_eq!(Addr::parse(&format!("0x{}", right[2..].to_uppercase())), Ok(address));
        for wrong in [
            "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
            "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "",
        ] {
            assert!(Addr::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn queries_are_decoded_strictly() {
        assert_eq!(decode("a%20b+c").unwrap(), "a b c");
        for text in ["%", "%4", "%zz", "%ff", "%00", "%c3%28", "%+1"] {
            assert_eq!(decode(text).unwrap_err().code(), Code::MalformedQuery, "{text:?}");
        }
    }
}
