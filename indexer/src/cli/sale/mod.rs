//! `sale …`: what a team does with a sale.

mod deploy;
mod lint;
mod settle;
mod status;

use anyhow::Result;
use clap::Subcommand;

use super::printer::Printer;

/// The commands below `sale`.
#[derive(Debug, Subcommand)]
pub enum SaleCommand {
    Lint(lint::LintArgs),
    Deploy(deploy::DeployArgs),
    Status(status::StatusArgs),
    Close(settle::CloseArgs),
    Cancel(settle::CancelArgs),
    ReturnUnsold(settle::ReturnUnsoldArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub async fn run(command: SaleCommand, printer: Printer) -> Result<()> {
    match command {
        SaleCommand::Lint(args) => lint::run(args, printer).await,
        SaleCommand::Deploy(args) => deploy::run(args, printer).await,
        SaleCommand::Status(args) => status::run(args, printer).await,
        SaleCommand::Close(args) => settle::close(args, printer).await,
        SaleCommand::Cancel(args) => settle::cancel(args, printer).await,
        SaleCommand::ReturnUnsold(args) => settle::return_unsold(args, printer).await,
    }
}
