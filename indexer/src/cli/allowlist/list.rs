//! The table that a team keeps: `investor,max_paid`, a line an investor. Every problem is found in one run.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fmt, fs,
    path::Path,
};

use alloy::primitives::Address;
use anyhow::Result;

use super::unreadable;
use crate::{
    cli::{failure::Failure, units::parse_units},
    config::{lacks_checksum, parse_address},
    gates::eligibility::MaxPaid,
};

/// The first line of a list.
const HEADER: [&str; 2] = ["investor", "max_paid"];

/// Most problems that are told at once.
const SHOWN: usize = 20;

/// A list without problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Every investor with the limit in base units.
    pub lines: BTreeMap<Address, MaxPaid>,
    /// Addresses written in one case, so that a mistyped letter cannot be seen.
    pub unchecked: usize,
}

/// What is wrong on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// From one.
    line: u64,
    message: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads a list.
///
/// # Errors
/// A [`Failure`] with the first problems and how many there are.
pub fn read(file: &Path, decimals: u8) -> Result<List> {
    let bytes = fs::read(file).map_err(|e| unreadable(file, &e))?;
    parse(&bytes, decimals).map_err(|problems| {
        Failure::new(
            format!("{} is not ready", file.display()),
            told(&problems, "problem"),
            "mend these lines and run the command again",
        )
    })
}

/// How many there are, and the first of them, a line each.
pub fn told(problems: &[impl fmt::Display], word: &str) -> String {
    let count = problems.len();
    let mut text = format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    for problem in problems.iter().take(SHOWN) {
        text += &format!("\n  {problem}");
    }
    if count > SHOWN {
        text += &format!("\n  … and {} more", count - SHOWN);
    }
    text
}

/// Reads the bytes of a list whose limits are in units of so many decimals.
fn parse(bytes: &[u8], decimals: u8) -> Result<List, Vec<LineProblem>> {
    let mut reader = Reader { decimals, ..Reader::default() };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        reader.problem(
            1,
            "begins with a byte order mark, which is not part of the header: save the file as UTF-8 without BOM",
        );
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Lines { bytes, line: 1, at: 0 };
    let mut table = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut is_first = true;
    loop {
        match table.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            // Bytes in memory do not fail, and lines may have any number of fields.
            Err(e) => {
                reader.problem(table.position().line(), format!("cannot be read: {e}"));
                break;
            }
        }
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        let Ok(fields) = record.iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>() else {
            reader.problem(line, "is not UTF-8 text: save the file as UTF-8");
            is_first = false;
            continue;
        };
        if std::mem::take(&mut is_first) {
            // Which column is which is not known: every line below would be a guess.
            if fields != HEADER {
                let found = shorten(&fields.join(","));
                reader.problem(line, format!("is {found:?}, and must be the header {:?}", HEADER.join(",")));
                break;
            }
        } else {
            reader.line(line, &fields);
        }
    }
    reader.finish(table.position().line())
}

/// Lines of records. The reader's own count is that of the empty lines before a record, where there are any.
struct Lines<'a> {
    bytes: &'a [u8],
    line: u64,
    at: usize,
}

impl Lines<'_> {
    /// The line of the record that begins at or after this byte. Records come in order.
    fn of(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(c) = self.bytes.get(self.at) {
            if self.at >= byte && !matches!(c, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*c == b'\n');
            self.at += 1;
        }
        self.line
    }
}

#[derive(Default)]
struct Reader {
    decimals: u8,
    lines: BTreeMap<Address, MaxPaid>,
    /// Where each investor stands first.
    places: HashMap<Address, u64>,
    unchecked: usize,
    problems: Vec<LineProblem>,
}

impl Reader {
    fn problem(&mut self, line: u64, message: impl Into<String>) {
        self.problems.push(LineProblem { line, message: message.into() });
    }

    fn line(&mut self, line: u64, fields: &[&str]) {
        let &[investor, max_paid] = fields else {
            let count = fields.len();
            let hint = if count > 2 { "; a number has a point and no comma" } else { "" };
            return self.problem(
                line,
                format!(
                    "has {count} column{}, and must have two: {}{hint}",
                    if count == 1 { "" } else { "s" },
                    HEADER.join(",")
                ),
            );
        };
        let address = self.investor(line, investor);
        let limit = parse_units(max_paid, self.decimals).map_err(|e| e.to_string());
        match limit.and_then(|raw| MaxPaid::new(raw).map_err(|e| e.to_string())) {
            Ok(limit) => {
                if let Some(address) = address {
                    self.lines.insert(address, limit);
                }
            }
            Err(why) => self.problem(line, format!("max_paid {:?} {why}", shorten(max_paid))),
        }
    }

    fn investor(&mut self, line: u64, text: &str) -> Option<Address> {
        let address = match parse_address(&shorten(text)) {
            Ok(address) => address,
            Err(e) => {
                self.problem(line, format!("{e}; {}", e.mend()));
                return None;
            }
        };
        if address.is_zero() {
            self.problem(line, "the zero address is nobody's: write the investor's own");
            return None;
        }
        self.unchecked += usize::from(lacks_checksum(text));
        match self.places.entry(address) {
            Entry::Vacant(place) => {
                place.insert(line);
                Some(address)
            }
            Entry::Occupied(first) => {
                let first = *first.get();
                self.problem(line, format!("{address} stands on line {first} already: keep one of the two"));
                None
            }
        }
    }

    fn finish(mut self, end: u64) -> Result<List, Vec<LineProblem>> {
        if self.lines.is_empty() && self.problems.is_empty() {
            let message =
                format!("nobody is on the list: write {:?}, and below it a line an investor", HEADER.join(","));
            self.problem(end, message);
        }
        if self.problems.is_empty() {
            Ok(List { lines: self.lines, unchecked: self.unchecked })
        } else {
            Err(self.problems)
        }
    }
}

/// A stranger's text, short enough for a message. What it leaves out makes neither an address nor a number right.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{U256, address};

    use super::*;

    const A: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    const B: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    fn problems(text: impl AsRef<[u8]>) -> Vec<String> {
        parse(text.as_ref(), 18).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_addresses_and_exact_limits() {
        let small = B.to_lowercase();
        for text in [
            format!("investor,max_paid\n{A},1.5\n{small},0.000000000000000001\n"),
            format!("investor,max_paid\r\n\r\n\"{A}\", 1.50\r\n{small} ,\"0.000000000000000001\""),
        ] {
            let list = parse(text.as_bytes(), 18).unwrap();
            let limit = |n: u64| MaxPaid::new(U256::from(n)).unwrap();
            let a = (address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), limit(1_500_000_000_000_000_000));
            let b = (address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"), limit(1));
            assert_eq!(list, List { lines: [a, b].into(), unchecked: 1 });
        }
    }

    #[test]
    fn finds_every_problem_with_its_line() {
        let text = [
            "investor,max_paid".to_owned(),
            format!("{A},1"),
            String::new(),
            format!("{},1e18", A.replace("39Fd", "39fd")),
            format!("{},2", A.to_lowercase()),
            format!("{B},1,5"),
            B.to_owned(),
            format!("0x{:040x},1", 0),
            format!("{B},0"),
            format!("{B},-1"),
            "bob.eth,0.0000000000000000001".to_owned(),
            format!("0x{:040x},1329227995784915872.903807060280344576", 1),
            ",".to_owned(),
        ];
        insta::assert_snapshot!(problems(text.join("\n")).join("\n"));
    }

    #[test]
    fn whole_files_that_are_no_list() {
        assert_eq!(
            problems(""),
            ["line 1: nobody is on the list: write \"investor,max_paid\", and below it a line an investor"]
        );
        assert!(problems("investor,max_paid\n")[0].contains("nobody is on the list"));
        for wrong in [format!("{A},1"), "Investor,Max_paid".into(), "investor;max_paid".into(), "investor".into()] {
            let found = problems(format!("{wrong}\n{A},oops"));
            assert_eq!(found, [format!("line 1: is {wrong:?}, and must be the header \"investor,max_paid\"")]);
        }
        let marked = problems(format!("\u{feff}investor,max_paid\n{A},1\n{B},x"));
        assert!(marked[0].starts_with("line 1: begins with a byte order mark"), "{marked:?}");
        assert!(marked[1].starts_with("line 3: max_paid \"x\""), "{marked:?}");
        let latin = [b"investor,max_paid\n\xe9,1\n", A.as_bytes(), b",\xe9\n"].concat();
        assert_eq!(
            problems(latin),
            ["line 2: is not UTF-8 text: save the file as UTF-8", "line 3: is not UTF-8 text: save the file as UTF-8"]
        );
        let utf16: Vec<u8> = "investor,max_paid\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(problems([&[0xff, 0xfe], &utf16[..]].concat())[0].contains("not UTF-8"));
    }

    #[test]
    fn tells_the_first_problems_and_how_many_there_are() {
        let text = "investor,max_paid\n".to_owned() + &format!("{},1\n", "x".repeat(10_000)).repeat(50);
        let found = told(&parse(text.as_bytes(), 18).unwrap_err(), "problem");
        assert!(found.starts_with("50 problems\n  line 2: ") && found.ends_with("\n  … and 30 more"), "{found}");
        assert_eq!(found.lines().count(), 22);
        assert!(found.len() < 8_000, "{found}");
        assert!(told(&problems("x"), "problem").starts_with("1 problem\n"));
    }
}
