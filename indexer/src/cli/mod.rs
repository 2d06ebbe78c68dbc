//! The command line: a file a command. [`printer`] keeps stdout for results, [`failure`] gives every error a next step.
//!
//! A new command is its file with an `Args` struct and `run`, a variant of [`Command`] and a line in [`run`].

mod allowlist;
mod audit;
pub mod clock;
mod contribute;
mod database;
mod doctor;
mod factory;
pub mod failure;
mod index;
mod keys;
mod leave;
pub mod node;
mod page;
mod permit;
pub mod printer;
mod reconcile;
mod sale;
mod secrets;
pub mod send;
mod serve;
mod shutdown;
mod signers;
pub mod target;
mod token;
pub mod tools;
mod up;
pub mod view;
mod voucher;
mod webhook_args;

use anyhow::Result;
use clap::{Parser, Subcommand};

pub use crate::{sale_file, types::units};

use self::printer::Printer;
use crate::telemetry::{self, LogFormat};

/// Deploys and runs token sales, and takes part in them
///
/// The result of a command goes to standard output, everything else to standard error. The exit code is 0 for success, 1 for
/// a failure, 2 for a wrong use.
#[derive(Debug, Parser)]
#[command(name = "crowdsale", version, max_term_width = 100)]
#[command(after_long_help = "\
Examples:
  crowdsale sale lint contracts/examples/aurora-eth.toml
  crowdsale sale deploy contracts/examples/aurora-eth.toml --dev-account 0
  crowdsale contribute $SALE 1.5 --dev-account 3")]
pub struct Cli {
    /// Print the result as JSON; amounts are decimal strings of base units
    #[arg(long, global = true)]
    json: bool,

    /// Write log lines as JSON, one object each
    #[arg(long, global = true)]
    log_json: bool,

    /// What is logged, such as info or info,crowdsale=debug; services log from info on, other commands from warn on
    #[arg(long, global = true, env = "CROWDSALE_LOG", hide_env_values = true, value_name = "FILTER")]
    log: Option<String>,

    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Whether it follows a chain, hour after hour.
    pub fn is_index(&self) -> bool {
        matches!(self.command, Command::Index(_))
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    Up(up::UpArgs),
    Index(index::IndexArgs),
    Serve(serve::ServeArgs),
    /// Checks, deploys, shows and settles sales
    #[command(subcommand)]
    Sale(sale::SaleCommand),
    /// Puts the contracts on a chain
    #[command(subcommand)]
    Factory(factory::FactoryCommand),
    /// Manages who may hold a restricted token
    #[command(subcommand)]
    Token(token::TokenCommand),
    Contribute(contribute::ContributeArgs),
    Claim(leave::ClaimArgs),
    Refund(leave::RefundArgs),
    Withdraw(leave::WithdrawArgs),
    Release(leave::ReleaseArgs),
    Object(leave::ObjectArgs),
    /// Builds, shows and checks lists of who may contribute
    #[command(subcommand)]
    Allowlist(allowlist::AllowlistCommand),
    /// Lets single investors in, by a signature
    #[command(subcommand)]
    Voucher(voucher::VoucherCommand),
    /// Makes, shows, replaces and revokes keys of the API
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Makes and replaces the key that secrets in the database are sealed under
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Shows and verifies the log of what was done with keys and secrets
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    Page(page::PageArgs),
    Reconcile(reconcile::ReconcileArgs),
    Doctor(doctor::DoctorArgs),
}

/// Runs the command.
///
/// # Errors
/// Those of the command; [`failure::describe`] puts them into words.
pub async fn run(cli: Cli) -> Result<()> {
    let printer = Printer::new(cli.json);
    let service = matches!(cli.command, Command::Up(_) | Command::Index(_) | Command::Serve(_));
    let format = if cli.log_json { LogFormat::Json } else { LogFormat::Human };
    telemetry::install_logs(format, cli.log.as_deref().unwrap_or(if service { "info,sqlx=warn" } else { "warn" }))?;
    match cli.command {
        Command::Up(args) => up::run(args, printer).await,
        Command::Index(args) => index::run(args, printer).await,
        Command::Serve(args) => serve::run(args, printer).await,
        Command::Sale(command) => sale::run(command, printer).await,
        Command::Factory(command) => factory::run(command, printer).await,
        Command::Token(command) => token::run(command, printer).await,
        Command::Contribute(args) => contribute::run(args, printer).await,
        Command::Claim(args) => leave::claim(args, printer).await,
        Command::Refund(args) => leave::refund(args, printer).await,
        Command::Withdraw(args) => leave::withdraw(args, printer).await,
        Command::Release(args) => leave::release(args, printer).await,
        Command::Object(args) => leave::object(args, printer).await,
        Command::Allowlist(command) => allowlist::run(command, printer),
        Command::Voucher(command) => voucher::run(command, printer).await,
        Command::Keys(command) => keys::run(command, printer).await,
        Command::Audit(command) => audit::run(command, printer).await,
        Command::Secrets(command) => secrets::run(command, printer).await,
        Command::Page(args) => page::run(args, printer).await,
        Command::Reconcile(args) => reconcile::run(args, printer).await,
        Command::Doctor(args) => doctor::run(args, printer).await,
    }
}
