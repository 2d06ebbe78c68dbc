//! `crowdsale index --rewind-to`: the way out of a halt.

use anyhow::Result;
use serde::Serialize;
use sqlx::postgres::PgConnectOptions;

use crate::{
    chain::Chain,
    cli::{
        failure::Failure,
        printer::{Printer, Report},
    },
    sync::{self, Rewound},
    types::Hash32,
};

#[derive(Debug, Serialize)]
struct Done {
    chain_id: u64,
    /// The tip now; null where nothing is left.
    number: Option<i64>,
    hash: Option<Hash32>,
}

impl Report for Done {
    fn text(&self) -> String {
        let next = "the next `crowdsale index` goes on from there";
        match (self.number, self.hash) {
            (Some(number), Some(hash)) => {
                format!("chain {} is rewound to block {number} {hash}, and so are all figures; {next}", self.chain_id)
            }
            _ => format!("nothing of chain {} is left; {next}", self.chain_id),
        }
    }
}

/// Goes back, or says why not.
pub async fn run(chain: &Chain, database: &PgConnectOptions, height: u64, printer: Printer) -> Result<()> {
    printer.note(format!("comparing every stored block up to {height} with the node's chain"));
    let done = |number, hash| Done { chain_id: chain.chain_id(), number, hash };
    let refused = |why: String, next: &str| Failure::new("nothing was changed", why, next);
    let report = match sync::rewind(chain, database, height, |_| {}).await? {
        Rewound::To(tip) => done(Some(tip.number), Some(tip.hash)),
        Rewound::ToNothing => done(None, None),
        Rewound::NotCanonical(number) => {
            return Err(refused(
                format!("block {number}, which is stored, is not on the chain of {}", chain.node().name()),
                &format!("if that node is right, rewind below it: --rewind-to {}", number.saturating_sub(1).max(0)),
            ));
        }
        Rewound::Busy => {
            return Err(refused(
                "another process indexes this chain".to_owned(),
                "stop it first, standbys too; what is halted ends by itself",
            ));
        }
        Rewound::NotIndexed => {
            return Err(refused("nothing of this chain is indexed".to_owned(), "there is nothing to go back from"));
        }
    };
    printer.result(&report)
}
