//! The master key that secrets in the database are sealed under: from the environment or a file, never from the command line.

use std::{env, fs};

use secrecy::zeroize::Zeroizing;

use super::find_env;
use crate::seal::{MasterKey, MasterKeyForm, Sealer};

/// The master key that seals.
const CURRENT: &str = "CROWDSALE_MASTER_KEY";
/// Those before it, for what they have sealed.
const OLD: &str = "CROWDSALE_MASTER_KEY_OLD";

/// Why there is no master key to seal with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeyError {
    /// None was given.
    #[error("no master key was given")]
    None,
    /// Old ones were given, but none that seals.
    #[error("{OLD} was given without {CURRENT}")]
    OnlyOld,
    /// The file cannot be read.
    #[error("cannot read the master key's file {path}, which {name} names: {source}")]
    File {
        /// The variable.
        name: String,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Both the variable and the file are given: which one holds is not for us to guess.
    #[error("both {0} and {0}_FILE are given")]
    Twice(&'static str),
    /// What was found is not a master key. It is not repeated.
    #[error("{name} holds no master key: {form}")]
    Form {
        /// The variable, or the file and the variable that names it.
        name: String,
        /// What is wrong with it.
        form: MasterKeyForm,
    },
}

impl MasterKeyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::None => {
                "make one with `crowdsale secrets new-key > master.key`, keep a copy apart from the database's backups, and set CROWDSALE_MASTER_KEY_FILE=master.key"
            }
            Self::OnlyOld => "set CROWDSALE_MASTER_KEY to the key that replaces it",
            Self::File { .. } => "check the path, and that this user may read the file",
            Self::Twice(_) => "unset one of the two, so that it is clear which key holds",
            Self::Form { .. } => "`crowdsale secrets new-key` writes one as it has to be",
        }
    }
}

/// [`find_sealer`] for whoever cannot go on without.
///
/// # Errors
/// [`MasterKeyError`].
pub fn read_sealer() -> Result<Sealer, MasterKeyError> {
    find_sealer()?.ok_or(MasterKeyError::None)
}

/// What seals with `CROWDSALE_MASTER_KEY` and opens with the keys of `CROWDSALE_MASTER_KEY_OLD` too, several of them parted by spaces,
/// lines or commas. Each may stand in a file, whose path is in the variable of the same name and `_FILE`. `None` where none is given.
///
/// # Errors
/// [`MasterKeyError`], where one is given but cannot be used.
pub fn find_sealer() -> Result<Option<Sealer>, MasterKeyError> {
    // A key that stays in the environment is inherited by nobody: no command starts another program with it but `up`, its own.
    sealer(text(CURRENT)?, text(OLD)?)
}

/// What was given, and where.
struct Given {
    name: String,
    text: Zeroizing<String>,
}

fn text(name: &'static str) -> Result<Option<Given>, MasterKeyError> {
    let of_file = format!("{name}_FILE");
    match (find_env(name), find_env(&of_file)) {
        (Some(_), Some(_)) => Err(MasterKeyError::Twice(name)),
        (Some(text), None) => Ok(Some(Given { name: name.to_owned(), text: Zeroizing::new(text) })),
        (None, Some(path)) => match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Given { name: format!("the file {path} of {of_file}"), text: Zeroizing::new(text) })),
            Err(source) => Err(MasterKeyError::File { name: of_file, path, source }),
        },
        // Set, but not text: better an error than a service that silently does without.
        (None, None) if env::var_os(name).is_some_and(|v| !v.is_empty()) => {
            Err(MasterKeyError::Form { name: name.to_owned(), form: MasterKeyForm::Length })
        }
        (None, None) => Ok(None),
    }
}

fn sealer(current: Option<Given>, old: Option<Given>) -> Result<Option<Sealer>, MasterKeyError> {
    let key = |name: &str, text: &str| {
        text.parse::<MasterKey>().map_err(|form| MasterKeyError::Form { name: name.to_owned(), form })
    };
    let Some(current) = current else {
        return if old.is_some() { Err(MasterKeyError::OnlyOld) } else { Ok(None) };
    };
    let parted = |c: char| c.is_whitespace() || c == ',';
    let mut keys = Vec::new();
    if let Some(Given { name, text }) = &old {
        for text in text.split(parted).filter(|t| !t.is_empty()) {
            keys.push(key(name, text)?);
        }
    }
    Ok(Some(Sealer::new(key(&current.name, &current.text)?, keys)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Option<Given> {
        Some(Given { name: "MASTER_KEY_FILE".to_owned(), text: Zeroizing::new(text.to_owned()) })
    }

    #[test]
    fn several_old_keys_may_stand_beside_the_present_one() {
        let keys: Vec<_> = ["01", "02", "03"].map(|last| "5a".repeat(31) + last).into();
        let ids: Vec<_> = keys.iter().map(|k| k.parse::<MasterKey>().unwrap().id().to_string()).collect();
        let found = sealer(given(&keys[0]), given(&format!("{},\n {}\n", keys[1], keys[2]))).unwrap().unwrap();
        let shown = format!("{found:?}");
        assert!(ids.iter().all(|id| shown.contains(id)), "{shown}");
        assert_eq!(found.current().to_string(), ids[0]);
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        assert!(sealer(None, None).unwrap().is_none());
        assert!(matches!(sealer(None, given("x")).unwrap_err(), MasterKeyError::OnlyOld));
        let good = "5a".repeat(31) + "01";
        for (current, old) in [("hunter2", ""), (&*good, "hunter2"), (&*good, &*format!("{good} hunter2"))] {
            let error = sealer(given(current), given(old)).unwrap_err();
            assert!(matches!(error, MasterKeyError::Form { .. }), "{error}");
            assert!(error.to_string().contains("MASTER_KEY_FILE"), "where it was found: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
