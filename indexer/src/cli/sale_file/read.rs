//! Reading a sale file without giving up at the first mistake: every value keeps its line, every problem is collected.

use std::{borrow::Cow, ops::Range};

use alloy::primitives::Address;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Something that keeps a sale from working, with its line, the reason and the mend.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong and why.
    pub reason: String,
    /// What to write instead.
    pub mend: String,
}

/// The file's text and what was found in it.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    /// Found so far.
    pub problems: Vec<Problem>,
    /// What is allowed, but worth a look.
    pub warnings: Vec<Problem>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Line in the file, from 1.
    pub line: usize,
}

/// A table of the file, by name.
pub struct Table<'t, 'a> {
    /// As written in the file, e.g. `sale` or `phase 2`.
    pub name: String,
    /// Line of its head.
    pub line: usize,
    table: &'t DeTable<'a>,
}

impl<'a> Reader<'a> {
    /// Reads `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, problems: Vec::new(), warnings: Vec::new() }
    }

    /// Parses the text; syntax errors become problems.
    pub fn parse(&mut self) -> Spanned<DeTable<'a>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = error.span().map_or(1, |span| self.line(span));
            self.problem(
                line,
                format!("the file is not valid TOML: {}", error.message()),
                "mend the syntax of this line",
            );
        }
        document
    }

    /// Notes a problem.
    pub fn problem(&mut self, line: usize, reason: impl Into<String>, mend: impl Into<String>) {
        self.problems.push(Problem { line, reason: reason.into(), mend: mend.into() });
    }

    /// Notes a warning.
    pub fn warn(&mut self, line: usize, reason: impl Into<String>, mend: impl Into<String>) {
        self.warnings.push(Problem { line, reason: reason.into(), mend: mend.into() });
    }

    fn line(&self, span: Range<usize>) -> usize {
        self.text[..span.start.min(self.text.len())].matches('\n').count() + 1
    }

    /// Refuses keys that nobody reads: a typing mistake must not change a sale silently.
    pub fn know(&mut self, name: &str, table: &DeTable<'a>, known: &[&str]) {
        for key in table.keys() {
            let found: &str = key.get_ref();
            if known.contains(&found) {
                continue;
            }
            let line = self.line(key.span());
            let place = if name.is_empty() { String::new() } else { format!(" in [{name}]") };
            let near = known.iter().min_by_key(|k| distance(k, found)).filter(|k| distance(k, found) <= 3);
            let mend = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys are {}", known.join(", ")),
            };
            self.problem(line, format!("`{found}` is not a key{place}"), mend);
        }
    }

    /// The table `name`, checked for unknown keys. Its absence is a problem if `required`.
    pub fn table<'t>(
        &mut self,
        document: &'t Spanned<DeTable<'a>>,
        name: &str,
        known: &[&str],
        required: bool,
    ) -> Option<Table<'t, 'a>> {
        let Some(value) = document.get_ref().get(name) else {
            if required {
                self.problem(
                    1,
                    format!("the table [{name}] is missing"),
                    format!("add [{name}] with {}", known.join(", ")),
                );
            }
            return None;
        };
        let line = self.line(value.span());
        let DeValue::Table(table) = value.get_ref() else {
            self.problem(line, format!("`{name}` is not a table"), format!("write [{name}]"));
            return None;
        };
        self.know(name, table, known);
        Some(Table { name: name.to_owned(), line, table })
    }

    /// The tables `[[name]]`, in order.
    pub fn tables<'t>(&mut self, document: &'t Spanned<DeTable<'a>>, name: &str, known: &[&str]) -> Vec<Table<'t, 'a>> {
        let Some(value) = document.get_ref().get(name) else {
            self.problem(1, format!("there is no [[{name}]]"), format!("add a [[{name}]] with {}", known.join(", ")));
            return Vec::new();
        };
        let line = self.line(value.span());
        let DeValue::Array(array) = value.get_ref() else {
            self.problem(
                line,
                format!("`{name}` is not a list of tables"),
                format!("write [[{name}]], with two brackets"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let line = self.line(item.span());
            let name = format!("{name} {}", index + 1);
            match item.get_ref() {
                DeValue::Table(table) => {
                    self.know(&name, table, known);
                    tables.push(Table { name, line, table });
                }
                other => self.problem(line, format!("{name} is {}, not a table", other.type_str()), "write a table"),
            }
        }
        tables
    }

    /// A value of `table`, `None` if it is absent.
    fn value<'t, 'b>(&self, table: &Table<'t, 'b>, key: &str) -> Option<(&'t DeValue<'b>, usize)> {
        table.table.get(key).map(|v| (v.get_ref(), self.line(v.span())))
    }

    fn missing(&mut self, table: &Table<'_, '_>, key: &str, example: &str) {
        self.problem(table.line, format!("`{key}` is missing in [{}]", table.name), format!("add {key} = {example}"));
    }

    /// A text, `None` if it is absent.
    pub fn find_text(&mut self, table: &Table<'_, '_>, key: &str, example: &str) -> Option<At<String>> {
        let (value, line) = self.value(table, key)?;
        match value {
            DeValue::String(text) => Some(At { value: Cow::clone(text).into_owned(), line }),
            other => {
                let mut reason = format!("`{key}` is {}, not a text", a(other.type_str()));
                if matches!(other, DeValue::Float(_) | DeValue::Integer(_)) {
                    reason.push_str(": numbers are written as texts, so that no digit is lost");
                }
                self.problem(line, reason, format!("write {key} = {example}"));
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub fn text(&mut self, table: &Table<'_, '_>, key: &str, example: &str) -> Option<At<String>> {
        if self.value(table, key).is_none() {
            self.missing(table, key, example);
            return None;
        }
        let text = self.find_text(table, key, example)?;
        if text.value.trim().is_empty() {
            self.problem(text.line, format!("`{key}` is empty"), format!("write {key} = {example}"));
            return None;
        }
        Some(text)
    }

    /// A small whole number, `None` if it is absent.
    pub fn find_u8(&mut self, table: &Table<'_, '_>, key: &str) -> Option<At<u8>> {
        let (value, line) = self.value(table, key)?;
        let number = match value {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.problem(line, format!("`{key}` is not a whole number from 0 to 255"), format!("write {key} = 18"));
        }
        number.map(|value| At { value, line })
    }

    /// A time with its offset, as Unix seconds.
    pub fn time(&mut self, table: &Table<'_, '_>, key: &str) -> Option<At<u64>> {
        const EXAMPLE: &str = "2031-03-01T14:00:00Z";
        let Some((value, line)) = self.value(table, key) else {
            self.missing(table, key, EXAMPLE);
            return None;
        };
        let time = match value {
            DeValue::Datetime(t) if t.offset.is_some() => t.to_string().parse::<jiff::Timestamp>().ok(),
            _ => None,
        };
        let seconds = time.filter(|t| t.subsec_nanosecond() == 0).and_then(|t| u64::try_from(t.as_second()).ok());
        if seconds.is_none() {
            let reason = format!("`{key}` is not a time with date, time to the second and offset");
            self.problem(line, reason, format!("write {key} = {EXAMPLE}, without quotes"));
        }
        seconds.map(|value| At { value, line })
    }

    /// An address with its EIP-55 checksum.
    pub fn address(&mut self, text: At<String>, key: &str) -> Option<At<Address>> {
        let line = text.line;
        let plain: Result<Address, _> = text.value.parse();
        let Ok(address) = plain else {
            let reason = format!("`{key}` is not an address: {:?}", text.value);
            self.problem(line, reason, "write 0x and 40 hexadecimal digits");
            return None;
        };
        let digits = text.value.trim_start_matches("0x");
        let unchecked =
            !digits.bytes().any(|b| b.is_ascii_uppercase()) || !digits.bytes().any(|b| b.is_ascii_lowercase());
        if address.to_checksum(None) == format!("0x{digits}") {
        } else if unchecked {
            self.warn(
                line,
                format!("`{key}` has no checksum, so a mistyped digit goes unnoticed"),
                format!("write {address}"),
            );
        } else {
            self.problem(
                line,
                format!("`{key}` has a wrong checksum: a digit or its case is mistyped"),
                format!("compare it with its source; with these digits it would be {address}"),
            );
            return None;
        }
        if address == Address::ZERO {
            self.problem(
                line,
                format!("`{key}` is the zero address, which belongs to nobody"),
                "write an address of yours",
            );
            return None;
        }
        Some(At { value: address, line })
    }
}

fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Levenshtein distance, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = replaced.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
