//! `crowdsale secrets`: the master key that secrets in the database are sealed under.

use anyhow::Result;
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::printer::{Printer, Report};
use crate::seal::MasterKey;

/// The commands below `secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Prints a fresh master key, 32 random bytes in base64
    ///
    /// It is shown once and kept nowhere: put it where CROWDSALE_MASTER_KEY or CROWDSALE_MASTER_KEY_FILE finds it, and a copy where
    /// the database's backups are not. Without it, what is sealed is lost.
    #[command(after_long_help = "Example:\n  (umask 077; crowdsale secrets new-key > master.key)")]
    NewKey,
}

/// Runs the command.
///
/// # Errors
/// Those of the command.
pub async fn run(command: SecretsCommand, printer: Printer) -> Result<()> {
    match command {
        SecretsCommand::NewKey => {
            let key = MasterKey::generate()?;
            let id = key.expose_secret().parse::<MasterKey>()?.id().to_string();
            printer.note(format!("master key {id}: keep a copy apart from the database's backups"));
            printer.result(&NewKey { key: key.expose_secret(), id })
        }
    }
}

/// A fresh key. Printing it is what the command is for.
#[derive(Serialize)]
struct NewKey<'a> {
    key: &'a str,
    id: String,
}

impl Report for NewKey<'_> {
    fn text(&self) -> String {
        self.key.to_owned()
    }
}
