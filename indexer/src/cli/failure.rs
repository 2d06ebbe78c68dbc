//! Errors as people meet them: what happened, why, and what to do next.

use std::fmt;

use crate::{
    access::{AccessError, KeyError},
    chain::ChainError,
    config::MasterKeyError,
    db::DbError,
    seal::SealError,
    sync::SyncError,
};

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
    #[allow(clippy::new_ret_no_self, reason = "a failure is only ever returned as an error")]
    pub fn new(what: impl Into<String>, why: impl fmt::Display, hint: impl Into<String>) -> anyhow::Error {
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
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return format!("error: {failure}\nhint: {}", failure.hint);
    }
    let hint = hint(error)
        .unwrap_or("run it again with --help to see what it takes, or `crowdsale doctor` for what is missing");
    // Libraries repeat their cause in their own text.
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !causes.iter().any(|c| c.contains(&cause)) {
            causes.push(cause);
        }
    }
    format!("error: {}\nhint: {hint}", causes.join(": "))
}

/// The next step for an error of the indexer or the database, if there is one to name.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(e) = error.downcast_ref::<ChainError>() {
        return chain_hint(e);
    }
    if let Some(e) = error.downcast_ref::<DbError>() {
        return db_hint(e);
    }
    if let Some(e) = error.downcast_ref::<MasterKeyError>() {
        return Some(e.hint());
    }
    match error.downcast_ref::<AccessError>() {
        Some(AccessError::Db(e)) => return db_hint(e),
        Some(AccessError::Seal { source, .. }) => return Some(seal_hint(source)),
        Some(AccessError::Key(e)) => return Some(key_hint(e)),
        _ => {}
    }
    match error.downcast_ref::<SyncError>()? {
        SyncError::Chain(e) => chain_hint(e),
        SyncError::Db(e) => db_hint(e),
        SyncError::Halted { .. } => Some(
            "find out which chain is right; if it is the node's, `crowdsale index --rewind-to BLOCK` goes back to a block that both have; what is stored stays readable with `crowdsale serve`",
        ),
        SyncError::Differs(_) => Some(
            "nothing was switched. Where the new version indexes what the old one did not, that is so; else hold the live tables against the chain with `crowdsale reconcile`. Then the same with --accept-differences switches, and `DROP SCHEMA crowdsale_next CASCADE` gives up",
        ),
    }
}

fn chain_hint(error: &ChainError) -> Option<&'static str> {
    Some(match error {
        ChainError::Unreachable { .. } => {
            "start the node, or name another with --rpc-url; `crowdsale up` starts a development chain"
        }
        ChainError::WrongChain { .. } => {
            "name a node of the right chain with --rpc-url, or the right id with --chain-id"
        }
        ChainError::OtherGenesis { .. } => "name nodes of one chain with --rpc-url",
        ChainError::Url(_) | ChainError::NoNode => "write --rpc-url http://127.0.0.1:8545, or ws://…",
        _ => return None,
    })
}

fn seal_hint(error: &SealError) -> &'static str {
    match error {
        SealError::UnknownKey(_) => "add that key to CROWDSALE_MASTER_KEY_OLD and run it again",
        SealError::Library => "try again; if it fails again, the machine is out of memory or randomness",
        _ => "restore the row from a backup: it was changed by hand, or storage lost it",
    }
}

fn key_hint(error: &KeyError) -> &'static str {
    match error {
        KeyError::Unknown(_) => "`crowdsale keys list` shows all there are, by the id that begins with key_",
        KeyError::NotActive { .. } => "make a new one with `crowdsale keys create`",
        KeyError::Replaced { .. } => "rotate the one that replaced it",
        KeyError::NoScope => "name what it may do: --scope sales:read",
        _ => "see `crowdsale keys create --help` for what it takes",
    }
}

/// Postgres says `insufficient_privilege`.
fn is_forbidden(error: &DbError) -> bool {
    use sqlx::migrate::MigrateError;
    let (DbError::Query(e)
    | DbError::Connect(e)
    | DbError::Migrate(MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _))) = error
    else {
        return false;
    };
    e.as_database_error().and_then(|e| e.code()).as_deref() == Some("42501")
}

fn db_hint(error: &DbError) -> Option<&'static str> {
    Some(match error {
        DbError::Connect(_) => "start Postgres and check CROWDSALE_DATABASE_URL; `crowdsale up` brings its own",
        DbError::NewerSchema { .. } => "install the newer version of crowdsale, or use another database",
        DbError::OlderSchema { .. } => "run `crowdsale index` first: it migrates the database",
        DbError::InUse { .. } => {
            "stop the older crowdsale that runs on this database; then start this one, which migrates it"
        }
        DbError::OtherRole { .. } => "run --reindex as the role that the indexer runs as",
        error if is_forbidden(error) => {
            "the role lacks rights: `crowdsale index` owns its schemas and needs CREATE on the database, `crowdsale serve` needs USAGE on schema crowdsale and SELECT on its tables; see docs/operations.md"
        }
        DbError::NothingIndexed => "run `crowdsale index` first; --reindex is for what is indexed already",
        DbError::InPublic => {
            "index into an empty database, hold both together with `crowdsale index --compare`, and let services read the new one"
        }
        DbError::OtherChain { .. } => "use another database, or a node of the chain that this one follows",
        DbError::OtherFactory { .. } => "use another database for another factory, or name the stored one",
        DbError::MayNotWrite => {
            "as its owner: GRANT USAGE ON SCHEMA crowdsale_service TO role; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crowdsale_service TO role"
        }
        DbError::ReadOnly => "connect to the primary",
        DbError::Damaged { .. } => {
            "restore the database, or index the chain anew into an empty one: rows were changed by hand, or storage lost them"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_hint() {
        let error = Failure::new("cannot close", "it is open", "wait");
        assert_eq!(describe(&error), "error: cannot close: it is open\nhint: wait");
        let error = anyhow::anyhow!("low").context("high");
        assert!(describe(&error).starts_with("error: high: low\nhint: "));
    }
}
