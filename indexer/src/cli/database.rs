//! Where the database is.

use std::{fmt, path::PathBuf};

use anyhow::Result;
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::Failure;

/// The database's URL: from the environment or a file, never from the command line, where other users could read it.
#[derive(Args)]
pub struct DatabaseArgs {
    /// File that holds the database's URL. Else CROWDSALE_DATABASE_URL is read.
    #[arg(long, env = "CROWDSALE_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
}

impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseArgs").field("database_url_file", &self.database_url_file).finish()
    }
}

impl DatabaseArgs {
    /// As if `file` had been given on the command line.
    pub fn from_file(file: Option<PathBuf>) -> Self {
        Self { database_url_file: file }
    }

    /// How to connect.
    pub fn options(&self) -> Result<PgConnectOptions> {
        let url = match &self.database_url_file {
            Some(file) => std::fs::read_to_string(file).map_err(|e| {
                Failure::new(format!("cannot read the database's URL from {}: {e}", file.display()), "check --database-url-file")
            })?,
            None => std::env::var("CROWDSALE_DATABASE_URL").map_err(|_| {
                Failure::new(
                    "no database is named",
                    "set CROWDSALE_DATABASE_URL=postgres://user:password@host/name, or --database-url-file; `crowdsale up` brings its own database",
                )
            })?,
        };
        url.trim().parse::<PgConnectOptions>().map_err(|_| {
            Failure::new("the database's URL cannot be read", "write it like postgres://user:password@host:5432/name")
                .into()
        })
    }
}
