//! `sale …`: what a team does with a sale.

mod allocations;
mod conditions;
mod deploy;
mod lint;
mod reject;
mod roles;
mod settle;
mod status;
mod summary;
mod whitepaper;

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
    Reject(reject::RejectArgs),
    Pause(roles::PauseArgs),
    Resume(roles::ResumeArgs),
    Signer(roles::SignerArgs),
    Compliance(roles::ComplianceArgs),
    #[command(subcommand)]
    Owner(roles::OwnerCommand),
    Whitepaper(whitepaper::WhitepaperArgs),
    Allocations(allocations::AllocationsArgs),
    #[command(subcommand)]
    Allocation(allocations::AllocationCommand),
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
        SaleCommand::Reject(args) => reject::run(args, printer).await,
        SaleCommand::Pause(args) => roles::pause(args, printer).await,
        SaleCommand::Resume(args) => roles::resume(args, printer).await,
        SaleCommand::Signer(args) => roles::signer(args, printer).await,
        SaleCommand::Compliance(args) => roles::compliance(args, printer).await,
        SaleCommand::Owner(command) => roles::owner(command, printer).await,
        SaleCommand::Whitepaper(args) => whitepaper::run(args, printer).await,
        SaleCommand::Allocations(args) => allocations::run(args, printer).await,
        SaleCommand::Allocation(command) => allocations::act(command, printer).await,
    }
}
