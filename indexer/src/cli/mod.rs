//! The command line: one file a command. stdout carries the result and nothing else, stderr everything else.

mod contribute;
mod database;
mod deploy;
mod doctor;
mod failure;
mod index;
mod leave;
mod lint;
pub mod printer;
mod reconcile;
pub mod sale_file;
mod serve;
mod session;
mod settle;
mod shutdown;
mod status;
pub mod tools;
mod up;

pub use database::DatabaseArgs;
pub use failure::Failure;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use printer::Printer;

use crate::telemetry::{self, LogFormat};

/// Crowdsales on Ethereum: sell a token, refund everybody if the goal is missed, and see how every sale and investor stands.
#[derive(Parser, Debug)]
#[command(name = "crowdsale", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// Writes results as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Writes log lines as JSON, one object each.
    #[arg(long, global = true)]
    log_json: bool,
    /// What is logged, e.g. `info` or `info,crowdsale=debug`. Services log from `info` on, other commands from `warn` on.
    #[arg(long, global = true, env = "CROWDSALE_LOG", value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Up(up::UpArgs),
    Index(index::IndexArgs),
    Serve(serve::ServeArgs),
    #[command(subcommand)]
    Sale(SaleCommand),
    Contribute(contribute::ContributeArgs),
    Claim(leave::ClaimArgs),
    Refund(leave::RefundArgs),
    Release(settle::ReleaseArgs),
    Reconcile(reconcile::ReconcileArgs),
    Doctor(doctor::DoctorArgs),
}

/// Checks, creates and runs a sale.
#[derive(Subcommand, Debug)]
enum SaleCommand {
    Lint(lint::LintArgs),
    Deploy(deploy::DeployArgs),
    Status(status::StatusArgs),
    Close(settle::CloseArgs),
    Cancel(settle::CancelArgs),
}

/// Parses the arguments, runs the command and says how it ended.
pub async fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; a usage error is 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let printer = Printer::new(cli.json);
    let format = if cli.log_json { LogFormat::Json } else { LogFormat::Human };
    let service = matches!(cli.command, Command::Up(_) | Command::Index(_) | Command::Serve(_));
    let filter = cli.log.as_deref().unwrap_or(if service { "info,sqlx=warn" } else { "warn" });
    if let Err(error) = telemetry::install_logs(format, filter) {
        printer.error(&error.into());
        return ExitCode::from(2);
    }
    let result = match cli.command {
        Command::Up(args) => up::run(args, &printer).await,
        Command::Index(args) => index::run(args, &printer).await,
        Command::Serve(args) => serve::run(args, &printer).await,
        Command::Sale(SaleCommand::Lint(args)) => lint::run(args, &printer).await,
        Command::Sale(SaleCommand::Deploy(args)) => deploy::run(args, &printer).await,
        Command::Sale(SaleCommand::Status(args)) => status::run(args, &printer).await,
        Command::Sale(SaleCommand::Close(args)) => settle::close(args, &printer).await,
        Command::Sale(SaleCommand::Cancel(args)) => settle::cancel(args, &printer).await,
        Command::Contribute(args) => contribute::run(args, &printer).await,
        Command::Claim(args) => leave::claim(args, &printer).await,
        Command::Refund(args) => leave::refund(args, &printer).await,
        Command::Release(args) => settle::release(args, &printer).await,
        Command::Reconcile(args) => reconcile::run(args, &printer).await,
        Command::Doctor(args) => doctor::run(args, &printer).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            ExitCode::FAILURE
        }
    }
}
