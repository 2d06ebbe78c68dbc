//! Reads a table key by key, remembers the line of everything, and notes what is wrong instead of stopping at it.

mod reader;
mod unknown;
mod values;

use alloy::primitives::{Address, B256};
use jiff::Timestamp;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use url::Url;

pub use self::{
    reader::{At, Reader, quoted, shortened},
    unknown::unknown_key,
    values::WHOLE,
};
use crate::types::address::{AddressError, lacks_checksum, parse_address};

/// Most characters of a token's symbol: it stands in what is told of a sale many times.
pub const MOST_SYMBOL: usize = 32;
/// The same of a name.
pub const MOST_NAME: usize = 128;

/// One table of the file. A table that is missing reads as one in which every key is missing, noted once.
#[derive(Debug)]
pub struct Section<'r, 't> {
    reader: &'r Reader<'t>,
    table: Option<&'r DeTable<'t>>,
    path: String,
    line: usize,
    known: Vec<&'static str>,
}

impl<'r, 't> Section<'r, 't> {
    /// The table at `value`; `value` is `None` where the file has none.
    pub fn new(reader: &'r Reader<'t>, path: &str, value: Option<&'r Spanned<DeValue<'t>>>, required: bool) -> Self {
        let line = value.map_or(1, |v| reader.line(&v.span()));
        let table = value.and_then(|v| v.get_ref().as_table());
        match (value, table) {
            (None, _) if required => {
                reader.missing(line, path, format!("the table [{path}] is missing"), format!("add a table [{path}]"));
            }
            (Some(_), None) => {
                reader.error(
                    line,
                    path,
                    "is not a table",
                    format!("write [{path}] on a line of its own, and its keys below"),
                );
            }
            _ => {}
        }
        Self { reader, table, path: path.to_owned(), line, known: Vec::new() }
    }

    /// Line of the table's head.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether the file has this table.
    pub fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|t| t.get(key).is_some())
    }

    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn find(&mut self, key: &'static str) -> Option<At<&'r DeValue<'t>>> {
        self.known.push(key);
        let value = self.table?.get(key)?;
        Some(At { value: value.get_ref(), key: self.key(key), line: self.reader.line(&value.span()) })
    }

    /// Notes a required key that is missing.
    fn missing(&self, key: &str, example: &str) {
        if self.is_there() {
            self.reader.missing(self.line, &self.key(key), "is missing", format!("add {key} = {example}"));
        }
    }

    fn string(&mut self, key: &'static str, what: &str) -> Option<At<&'r str>> {
        let at = self.find(key)?;
        match at.value.as_str() {
            Some(text) if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) => {
                self.reader.error_at(&at, "has a control character in it", "remove it");
                None
            }
            Some(text) => Some(at.with(text)),
            None => {
                let found = at.value.type_str();
                let mend = match at.value {
                    DeValue::Integer(number) => {
                        format!("write it in quotes: {key} = \"{}\"", shortened(&number.to_string()))
                    }
                    DeValue::Float(number) => format!("write it in quotes: {key} = \"{}\"", shortened(number.as_str())),
                    _ => format!("write {key} = \"…\""),
                };
                self.reader.error_at(&at, format!("is {} {found}, and must be {what} in quotes", article(found)), mend);
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn text(&mut self, key: &'static str, example: &str) -> Option<At<String>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, &format!("\"{example}\""));
            return None;
        }
        let at = self.string(key, "a text")?;
        if at.value.trim().is_empty() {
            self.reader.error_at(&at, "is empty", format!("write it out, such as \"{example}\""));
            return None;
        }
        Some(at.with(at.value.to_owned()))
    }

    /// A text that must be there, not be empty and have no more than so many characters. One that is longer is noted and cut.
    pub fn short_text(&mut self, key: &'static str, example: &str, most: usize) -> Option<At<String>> {
        self.text(key, example).map(|at| self.cut(at, most))
    }

    /// Notes a text of more than so many characters, and cuts it.
    pub fn cut(&self, at: At<String>, most: usize) -> At<String> {
        let Some((end, _)) = at.value.char_indices().nth(most) else { return at };
        let has = at.value.chars().count();
        self.reader.error_at(&at, format!("has {has} characters"), format!("write at most {most}"));
        at.with(at.value[..end].to_owned())
    }

    /// A text that may be missing or empty.
    pub fn optional_text(&mut self, key: &'static str) -> Option<At<String>> {
        let at = self.string(key, "a text")?;
        Some(at.with(at.value.to_owned()))
    }

    /// A decimal number in quotes, not read yet: how many decimals it may have stands elsewhere.
    pub fn decimal(&mut self, key: &'static str, example: Option<&str>) -> Option<At<String>> {
        match (self.has(key), example) {
            (false, Some(example)) => {
                self.known.push(key);
                self.missing(key, &format!("\"{example}\""));
                None
            }
            _ => self.string(key, "a decimal number").map(|at| at.with(at.value.to_owned())),
        }
    }

    /// A count of decimals, 0 to 36.
    pub fn decimals(&mut self, key: &'static str) -> Option<At<u8>> {
        let at = self.find(key)?;
        let number = match at.value {
            DeValue::Integer(i) => u8::from_str_radix(i.as_str(), i.radix()).ok().filter(|n| *n <= 36),
            _ => None,
        };
        if number.is_none() {
            self.reader.error_at(
                &at,
                "is not a whole number from 0 to 36",
                format!("write it without quotes: {key} = 18"),
            );
        }
        number.map(|n| at.with(n))
    }

    /// A date and time with an offset, as Unix seconds.
    pub fn time(&mut self, key: &'static str) -> Option<At<u64>> {
        let example = "2031-03-01T14:00:00Z";
        let Some(at) = self.find(key) else {
            self.missing(key, example);
            return None;
        };
        let Some(time) = at.value.as_datetime() else {
            let mend = match at.value.as_str() {
                Some(text) => format!("write it without quotes: {key} = {}", shortened(text)),
                None => format!("write {key} = {example}"),
            };
            self.reader.error_at(&at, "is not a date and time", mend);
            return None;
        };
        if time.date.is_none() || time.time.is_none() || time.offset.is_none() {
            let message = "leaves open which moment it is: a date, a time and an offset are needed";
            self.reader.error_at(&at, message, format!("write all three, with Z for UTC: {key} = {example}"));
            return None;
        }
        if time.time.is_some_and(|t| t.nanosecond.is_some_and(|n| n != 0)) {
            self.reader.error_at(
                &at,
                "has a fraction of a second, and the chain counts whole ones",
                "remove the fraction",
            );
            return None;
        }
        let seconds = time.to_string().parse::<Timestamp>().ok().and_then(|t| u64::try_from(t.as_second()).ok());
        if seconds.is_none() {
            self.reader.error_at(&at, "is not a moment after 1970", format!("write such as {key} = {example}"));
        }
        seconds.map(|s| at.with(s))
    }

    /// An address that must be there, with a right checksum if it has one, and not zero.
    pub fn address(&mut self, key: &'static str) -> Option<At<Address>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, "\"0x…\"");
            return None;
        }
        let at = self.string(key, "an address")?;
        self.read_address(&at)
    }

    /// Reads a text as an address.
    pub fn read_address(&self, at: &At<&str>) -> Option<At<Address>> {
        match parse_address(at.value) {
            Ok(address) if address.is_zero() => {
                self.reader.error_at(at, "is the zero address, which nobody has", "write the address that is meant");
                None
            }
            Ok(address) => {
                if lacks_checksum(at.value) {
                    let message = "has no checksum, so a mistyped letter would go unnoticed";
                    self.reader.warn_at(at, message, format!("if it is right, write {address}"));
                }
                Some(at.with(address))
            }
            Err(error) => {
                let error = match error {
                    AddressError::Form(text) => AddressError::Form(shortened(&text).into_owned()),
                    other => other,
                };
                self.reader.error_at(at, error.to_string(), error.mend());
                None
            }
        }
    }

    /// A web or IPFS address that may be missing or empty.
    pub fn uri(&mut self, key: &'static str) -> Option<At<String>> {
        let at = self.optional_text(key).filter(|at| !at.value.is_empty())?;
        let known =
            Url::parse(&at.value).is_ok_and(|u| matches!(u.scheme(), "https" | "http" | "ipfs" | "ar" | "data"));
        if !known {
            self.reader.error_at(
                &at,
                "is not an address that can be opened",
                "write such as \"https://example.org/file\"",
            );
            return None;
        }
        Some(at)
    }

    /// 64 hexadecimal digits that may be missing or empty.
    pub fn sha256(&mut self, key: &'static str) -> Option<At<B256>> {
        let at = self.optional_text(key).filter(|at| !at.value.is_empty())?;
        let digits = at.value.strip_prefix("0x").unwrap_or(&at.value);
        let hash = (digits.len() == 64).then(|| digits.parse::<B256>().ok()).flatten().filter(|h| !h.is_zero());
        if hash.is_none() {
            let mend = "write the 64 digits that `sha256sum FILE` prints";
            self.reader.error_at(&at, "is not a SHA-256: that has 64 hexadecimal digits", mend);
        }
        hash.map(|h| at.with(h))
    }

    /// One of a few words.
    pub fn word(&mut self, key: &'static str, words: &[&'static str]) -> Option<At<&'static str>> {
        let list = words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(" or ");
        if !self.has(key) {
            self.known.push(key);
            self.missing(key, &list);
            return None;
        }
        let at = self.string(key, "a word")?;
        let found = words.iter().find(|w| **w == at.value);
        if found.is_none() {
            self.reader.error_at(&at, format!("is {}, which it cannot be", quoted(at.value)), format!("write {list}"));
        }
        found.map(|w| at.with(*w))
    }

    /// Keys that may stand here, though they were not asked for.
    pub fn known(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Notes every key that was not asked for.
    pub fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                unknown_key(self.reader, &self.path, name, self.reader.line(&key.span()), &self.known);
            }
        }
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
