//! Errors as people meet them: what happened, why, and what to do next.

use std::fmt;

/// A failure that a command explains. Printed as `error: <what>: <why>` and `hint: <hint>`.
#[derive(Debug)]
pub struct Failure {
    /// What could not be done.
    pub what: String,
    /// Why not.
    pub why: String,
    /// What to do next, a command where there is one.
    pub hint: String,
}

impl Failure {
    /// As an error that a command returns.
    pub fn error(what: impl Into<String>, why: impl fmt::Display, hint: impl Into<String>) -> anyhow::Error {
        Self { what: what.into(), why: why.to_string(), hint: hint.into() }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for Failure {}

/// The lines that stderr gets for an error.
pub fn describe(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Failure>() {
        Some(failure) => format!("error: {failure}\nhint: {}", failure.hint),
        None => format!(
            "error: {error:#}\nhint: run it again with --help to see what it takes, or `crowdsale doctor` for what is missing"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_hint() {
        let error = Failure::error("cannot close", "it is open", "wait");
        assert_eq!(describe(&error), "error: cannot close: it is open\nhint: wait");
        let error = anyhow::anyhow!("low").context("high");
        assert!(describe(&error).starts_with("error: high: low\nhint: "));
    }
}
