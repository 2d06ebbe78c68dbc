//! `crowdsale reconcile`: the database against the chain.

use anyhow::Result;
use clap::Args;

use super::{
    database::DatabaseArgs,
    failure::Failure,
    printer::{Printer, Report},
};
use crate::{chain::Chain, config::NodeArgs, db, reconcile};

/// Holds every figure of the database against the contracts, at the block that is indexed last. A difference of one base
/// unit is an error.
#[derive(Args, Debug)]
#[command(
    after_long_help = "Example:\n  CROWDSALE_DATABASE_URL=postgres://… crowdsale reconcile --rpc-url http://127.0.0.1:8545"
)]
pub struct ReconcileArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    node: NodeArgs,
}

impl Report for reconcile::Report {
    fn text(&self) -> String {
        let mut text = format!(
            "compared {} sales and {} positions at block {} {}\n",
            self.sales, self.positions, self.block_number, self.block_hash
        );
        for d in &self.differences {
            let of = d.investor.map_or_else(String::new, |i| format!(" of {i}"));
            text += &format!(
                "differs: {}{of} in {}: {} in the database, {} on chain\n",
                d.figure, d.sale, d.database, d.chain
            );
        }
        text
    }
}

/// Compares once.
pub async fn run(args: ReconcileArgs, printer: Printer) -> Result<()> {
    let pool = db::readers(&args.database.options()?, 1).await?;
    let chain = Chain::connect(&[args.node.rpc_url.as_str().to_owned()], args.node.chain_id).await?;
    let report = reconcile::reconcile(&chain.node(), &pool, chain.chain_id() as i64).await?;
    printer.result(&report)?;
    match report.differences.len() {
        0 => Ok(()),
        n => Err(Failure::new(
            "the database is wrong",
            format!("{n} figures differ from the chain"),
            "do not trust it: index the chain into a new database, and report this with the output above",
        )),
    }
}
