//! `crowdsale reconcile`: the database against the chain.

use anyhow::Result;
use clap::Args;

use super::{DatabaseArgs, Failure, printer::Printer};
use crate::{chain::Chain, db, reconcile};

/// Holds every figure of the database against the contracts, at the block that is indexed last. A difference of one base
/// unit is an error.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  CROWDSALE_DATABASE_URL=postgres://… crowdsale reconcile --rpc-url http://127.0.0.1:8545"
)]
pub struct ReconcileArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// A node of the chain that still has the state of the last blocks.
    #[arg(
        long,
        env = "CROWDSALE_RPC_URL",
        default_value = "http://127.0.0.1:8545",
        value_name = "URL",
        hide_env_values = true
    )]
    rpc_url: String,
    /// Refuses a node of another chain.
    #[arg(long, env = "CROWDSALE_CHAIN_ID", value_name = "ID")]
    chain_id: Option<u64>,
}

/// Compares once.
pub async fn run(args: ReconcileArgs, printer: &Printer) -> Result<()> {
    let pool = db::readers(&args.database.options()?, 1).await?;
    let chain = Chain::connect(std::slice::from_ref(&args.rpc_url), args.chain_id).await?;
    let report = reconcile::reconcile(chain.node(), &pool, chain.chain_id() as i64).await?;
    printer.result(&report, || {
        let mut text = format!(
            "compared {} sales and {} positions at block {} {}\n",
            report.sales, report.positions, report.block_number, report.block_hash
        );
        for d in &report.differences {
            let of = d.investor.map_or_else(String::new, |i| format!(" of {i}"));
            text += &format!(
                "differs: {}{of} in {}: {} in the database, {} on chain\n",
                d.figure, d.sale, d.database, d.chain
            );
        }
        text
    });
    match report.differences.len() {
        0 => Ok(()),
        n => Err(Failure::new(
            format!("{n} figures of the database differ from the chain"),
            "do not trust the database: index the chain into a new one, and report this with the output above",
        )
        .into()),
    }
}
