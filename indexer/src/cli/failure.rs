//! Errors as people meet them: what happened and why, and what to do next.

use crate::{chain::ChainError, db::DbError, sync::SyncError};

/// An error with its next step.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    what: String,
    hint: String,
}

impl Failure {
    /// `what` happened and why; `hint` says what to do next.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// The next step for an error, if there is one to name.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some(failure.hint.clone());
    }
    let chain = |e: &ChainError| match e {
        ChainError::Unreachable { .. } => {
            Some("start the node, or name another with --rpc-url; `crowdsale up` starts a devnet")
        }
        ChainError::WrongChain { .. } => {
            Some("name a node of the right chain with --rpc-url, or the right id with --chain-id")
        }
        ChainError::OtherGenesis { .. } => Some("name nodes of one chain with --rpc-url"),
        ChainError::Url(_) | ChainError::NoNode => Some("write --rpc-url http://127.0.0.1:8545, or ws://…"),
        _ => None,
    };
    let db = |e: &DbError| match e {
        DbError::Connect(_) => Some("start Postgres and check CROWDSALE_DATABASE_URL; `crowdsale up` brings its own"),
        DbError::NewerSchema { .. } => Some("install the newer version of crowdsale, or use another database"),
        DbError::OlderSchema { .. } => Some("run `crowdsale index` first: it migrates the database"),
        DbError::OtherChain { .. } => Some("use another database, or the node of the chain that this one follows"),
        DbError::OtherFactory { .. } => Some("use another database for another factory, or name the stored one"),
        DbError::ReadOnly => Some("connect to the primary"),
        _ => None,
    };
    let hint = if let Some(e) = error.downcast_ref::<ChainError>() {
        chain(e)
    } else if let Some(e) = error.downcast_ref::<DbError>() {
        db(e)
    } else {
        match error.downcast_ref::<SyncError>()? {
            SyncError::Chain(e) => chain(e),
            SyncError::Db(e) => db(e),
            SyncError::Halted { .. } => Some(
                "find out which chain is right; then index it into a new database. What is stored stays readable with `crowdsale serve`",
            ),
        }
    };
    hint.map(str::to_owned)
}
