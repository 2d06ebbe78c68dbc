//! The binary `crowdsale`: parse, run, exit code. 0 for success, 1 for a failure, 2 for a wrong use.

use std::process::ExitCode;

use clap::Parser as _;
use crowdsale::cli::{self, Cli, failure, printer::Printer};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Printer::new(false).note(failure::describe(&error));
            ExitCode::FAILURE
        }
    }
}
