//! `factory deploy`: the whole system on a chain, once for all sales there.

use alloy::primitives::Address;
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    failure::Failure,
    printer::{Printer, Report, table},
    send::Wallet,
};
use crate::{
    config::{KeyArgs, NodeArgs},
    deployment::{DeploymentError, deploy},
    types::Addr,
};

/// The commands below `factory`.
#[derive(Debug, Subcommand)]
pub enum FactoryCommand {
    Deploy(DeployArgs),
}

/// Deploys the factory, and before it the code that sales, vaults and wallets share
///
/// Seven transactions. Nobody has a power over what is deployed, so any account may do it, and one factory serves all sales
/// of a chain. Run again, it deploys another one.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale factory deploy --rpc-url https://node.example --chain-id 1 --private-key-file key.txt")]
pub struct DeployArgs {
    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Deployed {
    factory: Addr,
    contracts: Vec<Contract>,
    deployer: Addr,
    chain_id: u64,
    /// Of all transactions.
    gas_used: u64,
}

#[derive(Debug, Serialize)]
struct Contract {
    name: &'static str,
    address: Addr,
}

/// Runs `factory …`.
///
/// # Errors
/// Where the node refuses a transaction, with what stands on the chain by then.
pub async fn run(command: FactoryCommand, printer: Printer) -> Result<()> {
    let FactoryCommand::Deploy(args) = command;
    let wallet = Wallet::connect(&args.node, &args.key, printer).await?;
    if wallet.count_waiting().await? != 0 {
        return Err(wallet.still_waiting());
    }
    printer.note("deploying the contracts, one after the other");
    let deployment = deploy(&wallet.node.provider, wallet.address).await.map_err(|e| failed(&e, wallet.address))?;
    printer.result(&Deployed {
        factory: Addr(deployment.factory),
        contracts: deployment.contracts.iter().map(|(name, a)| Contract { name, address: Addr(*a) }).collect(),
        deployer: Addr(wallet.address),
        chain_id: wallet.node.chain_id,
        gas_used: deployment.gas_used,
    })?;
    printer.note(format!("next: crowdsale sale deploy FILE --factory {}", deployment.factory));
    Ok(())
}

fn failed(error: &DeploymentError, account: Address) -> anyhow::Error {
    let done: Vec<_> = error.done().iter().map(|(name, address)| format!("{name} at {address}")).collect();
    let why = match (error, done.as_slice()) {
        (DeploymentError::Pending { .. }, _) => {
            return Failure::new(
                "the factory is not deployed",
                error,
                "wait until no transaction of this account is on its way, and run the command again",
            );
        }
        (_, []) => format!("{error}; nothing was deployed"),
        (_, done) => format!("{error}; {} stand there already, without money or power", done.join(", ")),
    };
    let hint = format!("check that {account} can pay the gas, and run the command again: it deploys all of them anew");
    Failure::new("the factory is not deployed", why, hint)
}

impl Report for Deployed {
    fn text(&self) -> String {
        let mut rows = vec![("factory", self.factory.to_string())];
        rows.extend(self.contracts.iter().filter(|c| c.name != "SaleFactory").map(|c| (c.name, c.address.to_string())));
        rows.extend([
            ("deployer", self.deployer.to_string()),
            ("chain", self.chain_id.to_string()),
            ("gas used", self.gas_used.to_string()),
        ]);
        table(&rows)
    }
}
