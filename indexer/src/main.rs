//! The binary `crowdsale`: parse, run, exit code.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    crowdsale::cli::main(std::env::args_os()).await
}
