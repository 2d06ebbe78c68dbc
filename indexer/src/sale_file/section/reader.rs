//! The text of a sale file, where in it something stands, and what is wrong with it so far.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    ops::Range,
};

use super::super::problem::{Problem, Severity};

/// With more problems than this a file is something else, and one more says nothing.
const MOST_PROBLEMS: usize = 200;

/// Most characters of a text that is quoted.
const MOST_QUOTED: usize = 60;

/// A value, the key it stands at and its line.
#[derive(Clone, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Such as `sale.opens`.
    pub key: String,
    /// From one.
    pub line: usize,
}

impl<T> At<T> {
    /// The same place, another value.
    pub fn with<U>(&self, value: U) -> At<U> {
        At { value, key: self.key.clone(), line: self.line }
    }
}

/// A text of the file in quotes, cut where it is too long to be read again.
pub fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// The same without quotes.
pub fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The file's text, and what is wrong so far.
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    /// Whether not all of the text could be read.
    is_broken: Cell<bool>,
}

impl<'t> Reader<'t> {
    /// Of a file's text.
    pub fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::default(), is_broken: Cell::new(false) }
    }

    /// The line, from one, of a byte offset.
    pub fn line(&self, span: &Range<usize>) -> usize {
        let end = span.start.min(self.text.len());
        1 + self.text.as_bytes()[..end].iter().filter(|b| **b == b'\n').count()
    }

    /// Notes an error.
    pub fn error(&self, line: usize, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        self.note(Severity::Error, line, key, message.into(), mend.into());
    }

    /// Notes what keeps a part of the text from being read.
    pub fn syntax(&self, line: usize, message: impl Into<String>, mend: impl Into<String>) {
        self.is_broken.set(true);
        self.error(line, "syntax", message, mend);
    }

    /// Notes that something is not there. Of a text that could not all be read nobody knows that.
    pub fn missing(&self, line: usize, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        if !self.is_broken.get() {
            self.error(line, key, message, mend);
        }
    }

    /// Notes an error about a value.
    pub fn error_at<T>(&self, at: &At<T>, message: impl Into<String>, mend: impl Into<String>) {
        self.error(at.line, &at.key, message, mend);
    }

    /// Notes a warning about a value.
    pub fn warn_at<T>(&self, at: &At<T>, message: impl Into<String>, mend: impl Into<String>) {
        self.note(Severity::Warning, at.line, &at.key, message.into(), mend.into());
    }

    fn note(&self, severity: Severity, line: usize, key: &str, message: String, mend: String) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() >= MOST_PROBLEMS {
            // The first error takes a warning's place: whether there is one decides.
            if severity == Severity::Warning || problems.iter().any(|p| p.severity == Severity::Error) {
                return;
            }
            problems.pop();
        }
        problems.push(Problem { line, severity, key: key.to_owned(), message, mend });
    }

    /// All that was noted, in the order of the lines.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| p.line);
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_an_end_and_an_error_is_never_among_those_left_out() {
        let reader = Reader::new("");
        let at = At { value: (), key: "sale.name".to_owned(), line: 1 };
        for _ in 0..2 * MOST_PROBLEMS {
            reader.warn_at(&at, "is odd", "look again");
        }
        for _ in 0..3 {
            reader.error_at(&at, "is wrong", "mend it");
        }
        let problems = reader.into_problems();
        assert_eq!(problems.len(), MOST_PROBLEMS);
        assert_eq!(problems.iter().filter(|p| p.severity == Severity::Error).count(), 1);
    }

    #[test]
    fn what_is_quoted_is_short() {
        assert_eq!(quoted("1,5"), "\"1,5\"");
        assert_eq!(quoted(&"ä".repeat(5_000)), format!("\"{}…\"", "ä".repeat(MOST_QUOTED)));
    }
}
