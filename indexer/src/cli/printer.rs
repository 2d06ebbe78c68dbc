//! What people and programs read: results on stdout, everything else on stderr.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::failure;

/// Writes to stdout and stderr. Write errors are ignored: a closed pipe ends the reader's interest, not our work.
#[derive(Debug)]
pub struct Printer {
    json: bool,
}

impl Printer {
    /// Results as JSON if `json`.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// The result of a command: `value` as JSON, or `text` for people.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let text = if self.json { serde_json::to_string_pretty(value).unwrap_or_default() } else { text() };
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    }

    /// A result made of named values.
    pub fn table(&self, title: &str, rows: &[(&str, String)]) {
        let value: serde_json::Map<String, serde_json::Value> = rows
            .iter()
            .map(|(name, value)| (name.replace([' ', '-'], "_").to_lowercase(), value.clone().into()))
            .collect();
        self.result(&value, || format!("{title}\n{}", rows_text(rows)));
    }

    /// Progress, for people.
    pub fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Something to look at.
    pub fn warn(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{} {text}", paint("warning:", 33));
    }

    /// An error: what happened and why, then what to do next.
    pub fn error(&self, error: &anyhow::Error) {
        let mut causes: Vec<String> = Vec::new();
        for cause in error.chain().map(ToString::to_string) {
            // Libraries repeat their cause in their own text.
            if !causes.iter().any(|c| c.contains(&cause)) {
                causes.push(cause);
            }
        }
        let _ = writeln!(std::io::stderr(), "{} {}", paint("error:", 31), causes.join(": "));
        if let Some(hint) = failure::hint(error) {
            let _ = writeln!(std::io::stderr(), "{} {hint}", paint("hint:", 36));
        }
    }
}

/// Names and values in two columns.
pub fn rows_text(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("  {name:width$}  {value}\n")).collect()
}

fn paint(text: &str, color: u8) -> String {
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[1;{color}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
