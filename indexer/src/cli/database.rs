//! Where the database is.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::failure::Failure;
use crate::config::find_env;

/// The database's URL: from the environment or a file, never from the command line, where other users could read it.
#[derive(Args)]
pub struct DatabaseArgs {
    /// File that holds the database's URL. Else CROWDSALE_DATABASE_URL is read; both variables together are refused
    #[arg(long, env = "CROWDSALE_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
}

impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseArgs").field("database_url_file", &self.database_url_file).finish()
    }
}

impl DatabaseArgs {
    /// How to connect.
    ///
    /// # Errors
    /// Where no database is named, or its URL cannot be read. The URL itself is never shown: it can hold a password.
    pub fn options(&self) -> Result<PgConnectOptions> {
        let url = match (&self.database_url_file, find_env("CROWDSALE_DATABASE_URL")) {
            // A flag is meant. Which of two variables is, nobody can tell: one may be yesterday's.
            (Some(file), Some(_)) if find_env("CROWDSALE_DATABASE_URL_FILE").is_some_and(|v| file == Path::new(&v)) => {
                return Err(Failure::new(
                    "which database is meant is not clear",
                    "both CROWDSALE_DATABASE_URL and CROWDSALE_DATABASE_URL_FILE are set",
                    "unset one of the two",
                ));
            }
            (Some(file), _) => std::fs::read_to_string(file).map_err(|e| {
                Failure::new(
                    format!("cannot read the database's URL from {}", file.display()),
                    e,
                    "check --database-url-file",
                )
            })?,
            (None, Some(url)) => url,
            (None, None) => {
                return Err(Failure::new(
                    "no database",
                    "neither CROWDSALE_DATABASE_URL nor --database-url-file is given",
                    "set CROWDSALE_DATABASE_URL=postgres://user:password@host/name; `crowdsale up` brings its own database",
                ));
            }
        };
        url.trim().parse().map_err(|_| {
            Failure::new(
                "no database",
                "its URL cannot be read",
                "write it like postgres://user:password@host:5432/name",
            )
        })
    }
}
