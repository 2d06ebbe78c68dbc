//! stdout carries the result and nothing else; everything that is said on the way goes to stderr.

#![allow(clippy::print_stderr, reason = "the only place that writes to the terminal")]

use std::io::{self, Write as _};

use serde::Serialize;

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    json: bool,
}

/// A result: text for people, JSON for programs.
pub trait Report: Serialize {
    /// What a person reads.
    fn text(&self) -> String;
}

impl Printer {
    /// With JSON results if `json`.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// The result, once.
    ///
    /// # Errors
    /// Where stdout cannot be written. A closed pipe is not an error: the reader has seen enough.
    pub fn result(self, report: &impl Report) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(report)? } else { report.text() };
        let mut out = io::stdout().lock();
        match out.write_all(text.trim_end().as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// What is being done, or what to do next.
    pub fn note(self, text: impl AsRef<str>) {
        eprintln!("{}", text.as_ref());
    }
}

/// Lines of `name  value`, the values one below the other.
pub fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = " ".repeat(width + 2);
    rows.iter()
        .map(|(name, value)| format!("{name:<width$}  {}\n", value.replace('\n', &format!("\n{indent}"))))
        .collect()
}
