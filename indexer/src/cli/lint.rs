//! `crowdsale sale lint`.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    Failure,
    printer::Printer,
    sale_file::{self, Problem, SaleFile},
    session::{NodeArgs, Session},
};

/// Checks a sale file: every problem with its line, the reason and the mend. Sends nothing.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale sale lint contracts/examples/aurora-eth.toml")]
pub struct LintArgs {
    /// The sale file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also asks a node: the chain's clock, and the tokens that the file names.
    #[arg(long)]
    on_chain: bool,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Serialize)]
struct Found<'a> {
    file: String,
    problems: &'a [Problem],
    warnings: &'a [Problem],
}

/// Lints one file.
pub async fn run(args: LintArgs, printer: &Printer) -> Result<()> {
    let session = if args.on_chain { Some(args.node.connect().await?) } else { None };
    let (_, sale) = load(&args.file, session.as_ref(), printer).await?;
    let found = Found { file: args.file.display().to_string(), problems: &[], warnings: &[] };
    printer.result(&found, || {
        let units = &sale.units;
        format!(
            "{} is fine: {} sells {} for {} to {}",
            args.file.display(),
            sale.documents.name,
            units.token.write(sale.terms.tokensForSale.to()),
            units.currency.write(sale.terms.softCap.to()),
            units.currency.write(sale.terms.hardCap.to()),
        )
    });
    Ok(())
}

/// Reads and checks a sale file, against the chain too where there is a session. Problems are an error that lists them all.
pub async fn load(file: &PathBuf, session: Option<&Session>, printer: &Printer) -> Result<(Vec<u8>, SaleFile)> {
    let bytes = std::fs::read(file).map_err(|e| {
        Failure::new(
            format!("cannot read the sale file {}: {e}", file.display()),
            "check the path; examples are in contracts/examples",
        )
    })?;
    let now = match session {
        Some(session) => session.now().await?,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
    };
    let mut report = sale_file::check(&bytes, now);
    if let (Some(sale), Some(session)) = (&report.sale, session) {
        report.problems.extend(check_on_chain(sale, session).await?);
    }
    let line = |p: &Problem| format!("{}:{}: {}; {}", file.display(), p.line, p.reason, p.mend);
    for warning in &report.warnings {
        printer.warn(&line(warning));
    }
    if let (Some(sale), true) = (report.sale, report.problems.is_empty()) {
        return Ok((bytes, sale));
    }
    let found = Found { file: file.display().to_string(), problems: &report.problems, warnings: &report.warnings };
    printer.result(&found, || report.problems.iter().map(|p| line(p) + "\n").collect());
    let count = report.problems.len();
    let problems = if count == 1 { "a problem".to_owned() } else { format!("{count} problems") };
    Err(Failure::new(
        format!("{} has {problems}; nothing was sent", file.display()),
        "mend the lines above and lint again",
    )
    .into())
}

/// What only the chain knows: whether the tokens exist and are what the file says.
async fn check_on_chain(sale: &SaleFile, session: &Session) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let named =
        [(sale.terms.currency, &sale.units.currency, "payment"), (sale.terms.token, &sale.units.token, "token")];
    for (address, unit, table) in named {
        if address.is_zero() {
            continue;
        }
        let reason = match session.unit(address).await {
            Ok(found) if found == *unit => continue,
            Ok(found) => format!(
                "[{table}] says {} with {} decimals, the contract {address} says {} with {}",
                unit.symbol, unit.decimals, found.symbol, found.decimals
            ),
            Err(_) => format!("[{table}] names {address}, which is no ERC-20 token on chain {}", session.chain_id),
        };
        problems.push(Problem { line: 1, reason, mend: format!("mend [{table}], or check the chain") });
    }
    Ok(problems)
}
