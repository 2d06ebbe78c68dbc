//! The command line: a file a command. [`printer`] keeps stdout for results, [`failure`] gives every error a next step.
//!
//! A new command is its file with an `Args` struct and `run`, a variant of [`Command`] and a line in [`run`].

pub mod clock;
mod contribute;
mod doctor;
pub mod failure;
mod leave;
pub mod node;
pub mod printer;
mod sale;
pub mod sale_file;
pub mod send;
pub mod tools;
pub mod units;
pub mod view;

use anyhow::Result;
use clap::{Parser, Subcommand};

use self::printer::Printer;

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

    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Checks, deploys, shows and settles sales
    #[command(subcommand)]
    Sale(sale::SaleCommand),
    Contribute(contribute::ContributeArgs),
    Claim(leave::ClaimArgs),
    Refund(leave::RefundArgs),
    Release(leave::ReleaseArgs),
    Doctor(doctor::DoctorArgs),
}

/// Runs the command.
///
/// # Errors
/// Those of the command; [`failure::describe`] puts them into words.
pub async fn run(cli: Cli) -> Result<()> {
    let printer = Printer::new(cli.json);
    match cli.command {
        Command::Sale(command) => sale::run(command, printer).await,
        Command::Contribute(args) => contribute::run(args, printer).await,
        Command::Claim(args) => leave::claim(args, printer).await,
        Command::Refund(args) => leave::refund(args, printer).await,
        Command::Release(args) => leave::release(args, printer).await,
        Command::Doctor(args) => doctor::run(args, printer).await,
    }
}
