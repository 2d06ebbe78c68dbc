//! What is wrong with a sale file: where, why, and the mend.

use std::fmt;

use serde::Serialize;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be deployed.
    Error,
    /// It can, but look again.
    Warning,
}

/// One thing wrong with a sale file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line in the file, from one.
    pub line: usize,
    /// Whether it stops a deployment.
    pub severity: Severity,
    /// The key it is about, such as `sale.opens` or `phase[2].price`.
    pub key: String,
    /// What is wrong, and why that matters.
    pub message: String,
    /// What to write instead.
    pub mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "line {}: {severity}: {}: {}\n    mend: {}", self.line, self.key, self.message, self.mend)
    }
}

/// Why a file is no sale.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaleFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
    },
    /// The file says something that cannot be, or leaves something out. Warnings are among them, in the order of the lines.
    #[error("{} in the sale file", count(.0))]
    Problems(Vec<Problem>),
}

/// `1 error`, `2 errors and 1 warning`.
pub fn count(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (errors, problems.len() - errors) {
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}
