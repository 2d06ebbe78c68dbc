//! `crowdsale index --reindex`: what it says while it fills and when it has switched.

use anyhow::Result;
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

use crate::{
    chain::Chain,
    cli::printer::Printer,
    sync::{self, Reindexed},
};

/// Fills and switches; returns when the new tables are live, or at a signal.
pub async fn run(
    chain: &Chain,
    database: &PgConnectOptions,
    options: &sync::Options,
    accept: bool,
    shutdown: &CancellationToken,
    printer: Printer,
) -> Result<()> {
    printer.note(format!(
        "indexing chain {} anew beside the live tables; Ctrl-C stops, the same again goes on",
        chain.chain_id()
    ));
    match sync::reindex(chain, database, options, accept, shutdown).await? {
        Reindexed::Stopped => printer.note("stopped before the switch: the live tables are as they were"),
        Reindexed::Elsewhere => printer.note("another process has switched: the new tables are live"),
        Reindexed::Here(switched) => {
            for chain in &switched.chains {
                let (id, number) = (chain.chain_id, chain.number);
                let digest = chain.beside.map(|digest| digest.to_string()).unwrap_or_default();
                printer.note(match chain.differs_from {
                    None => format!("chain {id}: both tables hold the same up to block {number}, digest {digest}"),
                    Some(block) => format!("chain {id}: the new tables differ from block {block} on, as accepted"),
                });
            }
            printer.note(
                "switched: the new tables are live; the old ones stand in schema crowdsale_old until `DROP SCHEMA crowdsale_old CASCADE`",
            );
            if !switched.left_behind.is_empty() {
                printer.note(format!(
                    "left there, as nothing like it is among the new ones: {}",
                    switched.left_behind.join(", ")
                ));
            }
        }
    }
    Ok(())
}
