//! `crowdsale secrets`: the master key that secrets in the database are sealed under.

use anyhow::Result;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{
    database::DatabaseArgs,
    failure::Failure,
    keys::operator,
    printer::{Printer, Report, table},
};
use crate::{access, config, db::service::services, seal::MasterKey};

/// The commands below `secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Prints a fresh master key, 32 random bytes in base64
    ///
    /// It is shown once and kept nowhere: put it where CROWDSALE_MASTER_KEY or CROWDSALE_MASTER_KEY_FILE finds it, and a copy where
    /// the database's backups are not. Without it, what is sealed is lost.
    #[command(after_long_help = "Example:\n  (umask 077; crowdsale secrets new-key > master.key)")]
    NewKey,
    Rotate(RotateArgs),
}

/// Wraps every sealed value with the present master key, in place of older ones
///
/// Services go on meanwhile, if they were started with both keys: the new one as CROWDSALE_MASTER_KEY, the old one as
/// CROWDSALE_MASTER_KEY_OLD. Stopped half way, the same again does the rest. When it has nothing left to do, the old key can go.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  CROWDSALE_MASTER_KEY_FILE=new.key CROWDSALE_MASTER_KEY_OLD_FILE=old.key crowdsale secrets rotate"
)]
pub struct RotateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
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
        SecretsCommand::Rotate(args) => {
            let sealer = config::read_sealer()?;
            let pool = services(&args.database.options()?, 1).await?;
            let done = access::rewrap_all(&mut *pool.acquire().await?, &sealer, &operator()).await?;
            printer.result(&Rotated {
                master_key: sealer.current().to_string(),
                columns: done.columns,
                rewrapped: done.rewrapped,
            })?;
            if done.rewrapped == 0 && sealer.has_older() {
                // The two in each other's place look the same as a rotation that is done.
                printer.note(format!(
                    "everything was under master key {} before: if that is the one to be replaced, give it as CROWDSALE_MASTER_KEY_OLD and the new one as CROWDSALE_MASTER_KEY",
                    sealer.current()
                ));
            }
            if done.changed > 0 {
                return Err(Failure::new(
                    "not everything is done",
                    format!("{} values were changed by a service at the same moment", done.changed),
                    "run it again",
                ));
            }
            Ok(())
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

#[derive(Serialize)]
struct Rotated {
    master_key: String,
    columns: usize,
    rewrapped: u64,
}

impl Report for Rotated {
    fn text(&self) -> String {
        table(&[
            ("master key", self.master_key.clone()),
            ("columns", self.columns.to_string()),
            ("wrapped anew", self.rewrapped.to_string()),
        ])
    }
}
