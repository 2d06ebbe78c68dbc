//! A node, a chain that was checked, and the key that signs.

use std::path::PathBuf;

use alloy::{
    contract::{CallBuilder, CallDecoder},
    network::{Ethereum, EthereumWallet},
    primitives::{Address, U256},
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::types::TransactionReceipt,
    signers::local::PrivateKeySigner,
};
use anyhow::{Context, Result, bail};
use clap::Args;

use super::{
    Failure,
    printer::Printer,
    tools,
    up::{DEV_CHAIN, DEV_FACTORY},
};
use crate::{
    chain::Chain,
    contracts::{
        FixedPriceSale::{self, FixedPriceSaleInstance},
        SaleToken,
    },
    revert::{self, Unit, Units},
};

/// The node to talk to.
#[derive(Args, Debug)]
pub struct NodeArgs {
    /// A node of the chain.
    #[arg(
        long,
        env = "CROWDSALE_RPC_URL",
        default_value = "http://127.0.0.1:8545",
        value_name = "URL",
        hide_env_values = true
    )]
    pub rpc_url: String,
    /// Refuses a node of another chain.
    #[arg(long, env = "CROWDSALE_CHAIN_ID", value_name = "ID")]
    pub chain_id: Option<u64>,
}

/// Who signs. Without either, CROWDSALE_PRIVATE_KEY is read; a key is never taken from the command line.
#[derive(Args, Debug)]
pub struct KeyArgs {
    /// File that holds the private key, in hexadecimal.
    #[arg(long, env = "CROWDSALE_PRIVATE_KEY_FILE", value_name = "FILE", conflicts_with = "dev_account")]
    pub private_key_file: Option<PathBuf>,
    /// One of anvil's ten published accounts; on a devnet only.
    #[arg(long, value_name = "0-9", value_parser = clap::value_parser!(u8).range(0..10))]
    pub dev_account: Option<u8>,
}

/// A connection whose chain was checked, reading only or signing.
#[derive(Debug)]
pub struct Session {
    /// Where calls go.
    pub provider: DynProvider,
    /// The chain's id.
    pub chain_id: u64,
    /// Who signs; zero if nobody does.
    pub sender: Address,
}

impl NodeArgs {
    /// Connects for reading.
    pub async fn connect(&self) -> Result<Session> {
        self.open(None).await
    }

    /// Connects for signing.
    pub async fn connect_with(&self, key: &KeyArgs) -> Result<Session> {
        let signer = key.load()?;
        let session = self.open(Some(signer.clone())).await?;
        let published = tools::DEV_KEYS.iter().any(|k| k.parse::<PrivateKeySigner>().is_ok_and(|k| k == signer));
        if published && session.chain_id != DEV_CHAIN {
            return Err(Failure::new(
                format!(
                    "{} is one of anvil's published accounts, and chain {} is no devnet",
                    signer.address(),
                    session.chain_id
                ),
                "anybody can take what this account holds: use a key of your own",
            )
            .into());
        }
        Ok(session)
    }

    async fn open(&self, signer: Option<PrivateKeySigner>) -> Result<Session> {
        // The indexer's own checks: reachable, and the chain that was asked for.
        let chain = Chain::connect(std::slice::from_ref(&self.rpc_url), self.chain_id).await?;
        let sender = signer.as_ref().map_or(Address::ZERO, PrivateKeySigner::address);
        let provider = match signer {
            Some(signer) => {
                ProviderBuilder::new().wallet(EthereumWallet::from(signer)).connect(&self.rpc_url).await?.erased()
            }
            None => ProviderBuilder::new().connect(&self.rpc_url).await?.erased(),
        };
        Ok(Session { provider, chain_id: chain.chain_id(), sender })
    }
}

impl KeyArgs {
    fn load(&self) -> Result<PrivateKeySigner> {
        if let Some(account) = self.dev_account {
            return Ok(tools::DEV_KEYS[usize::from(account)].parse()?);
        }
        let text = match &self.private_key_file {
            Some(file) => std::fs::read_to_string(file).map_err(|e| {
                Failure::new(
                    format!("cannot read the private key from {}: {e}", file.display()),
                    "check --private-key-file",
                )
            })?,
            None => std::env::var("CROWDSALE_PRIVATE_KEY").map_err(|_| {
                Failure::new(
                    "no key is given to sign with",
                    "set CROWDSALE_PRIVATE_KEY_FILE or CROWDSALE_PRIVATE_KEY; on a devnet --dev-account 0",
                )
            })?,
        };
        // The key itself must not come out in an error.
        text.trim().parse().map_err(|_| {
            Failure::new("the private key cannot be read", "it is 64 hexadecimal digits, with or without 0x").into()
        })
    }
}

/// A sale and how its amounts are written.
#[derive(Debug)]
pub struct SaleOnChain {
    /// Its contract.
    pub contract: FixedPriceSaleInstance<DynProvider>,
    /// What it was created with.
    pub terms: FixedPriceSale::SaleTerms,
    /// How amounts are written.
    pub units: Units,
}

impl Session {
    /// The factory to use: the one named, on a devnet the one that `up` deploys.
    pub async fn factory(&self, named: Option<Address>) -> Result<Address> {
        let factory = match named {
            Some(factory) => factory,
            None if self.chain_id == DEV_CHAIN => DEV_FACTORY,
            None => {
                return Err(Failure::new(
                    "no factory is named",
                    "set --factory or CROWDSALE_FACTORY to the factory of this chain",
                )
                .into());
            }
        };
        if self.provider.get_code_at(factory).await.context("eth_getCode failed")?.is_empty() {
            return Err(Failure::new(
                format!("there is no contract at the factory's address {factory} on chain {}", self.chain_id),
                "check --factory and --rpc-url; `crowdsale up` deploys one on a devnet",
            )
            .into());
        }
        Ok(factory)
    }

    /// The sale at `address`.
    pub async fn sale(&self, address: Address) -> Result<SaleOnChain> {
        let not_a_sale = |what: &str| {
            Failure::new(
                format!("{what} {address} on chain {}", self.chain_id),
                "check the sale's address, and --rpc-url",
            )
        };
        if self.provider.get_code_at(address).await.context("eth_getCode failed")?.is_empty() {
            return Err(not_a_sale("there is no contract at").into());
        }
        let contract = FixedPriceSale::new(address, self.provider.clone());
        let terms = match contract.terms().call().await {
            Ok(terms) => terms,
            Err(alloy::contract::Error::TransportError(e)) if e.as_error_resp().is_none() => return Err(e.into()),
            Err(_) => return Err(not_a_sale("there is no sale, but another contract, at").into()),
        };
        let units = Units { currency: self.unit(terms.currency).await?, token: self.unit(terms.token).await? };
        Ok(SaleOnChain { contract, terms, units })
    }

    /// How amounts of a token are written; zero is ether.
    pub async fn unit(&self, token: Address) -> Result<Unit> {
        if token == Address::ZERO {
            return Ok(Unit::ether());
        }
        let token = SaleToken::new(token, &self.provider);
        let decimals =
            token.decimals().call().await.with_context(|| format!("{} does not say its decimals", token.address()))?;
        let symbol =
            token.symbol().call().await.with_context(|| format!("{} does not say its symbol", token.address()))?;
        Ok(Unit { decimals, symbol })
    }

    /// Time of the chain's head, Unix seconds.
    pub async fn now(&self) -> Result<u64> {
        let block =
            self.provider.get_block(alloy::eips::BlockId::latest()).await?.context("the node has no latest block")?;
        Ok(block.header.timestamp)
    }

    /// Simulates the call, sends it, and waits until it is mined. A refusal is explained before anything is sent.
    pub async fn send<P, D>(
        &self,
        what: &str,
        call: CallBuilder<P, D, Ethereum>,
        units: &Units,
        printer: &Printer,
    ) -> Result<TransactionReceipt>
    where
        P: Provider,
        D: CallDecoder,
    {
        let call = call.from(self.sender);
        if let Err(error) = call.call_raw().await {
            return Err(self.explain(what, &error, units).await);
        }
        let pending = match call.send().await {
            Ok(pending) => pending,
            Err(error) => return Err(self.explain(what, &error, units).await),
        };
        let hash = *pending.tx_hash();
        printer.note(&format!("{what}: sent {hash}, waiting until it is mined; it goes on without us"));
        let receipt = pending
            .get_receipt()
            .await
            .with_context(|| format!("{what}: {hash} was sent, but its receipt did not come"))?;
        if !receipt.status() {
            return Err(Failure::new(
                format!("{what} failed on chain in transaction {hash}: another transaction came first"),
                "see `crowdsale sale status`, then try again; only the gas is spent",
            )
            .into());
        }
        Ok(receipt)
    }

    async fn explain(&self, what: &str, error: &alloy::contract::Error, units: &Units) -> anyhow::Error {
        if let Some(data) = error.as_revert_data()
            && let Some(explained) = revert::explain(&data, units)
        {
            return Failure::new(format!("{what} is refused: {}", explained.sentence), explained.next_step).into();
        }
        let alloy::contract::Error::TransportError(transport) = error else {
            return Failure::new(format!("{what} failed: {error}"), "check the addresses and --rpc-url").into();
        };
        let text = transport.as_error_resp().map_or_else(|| transport.to_string(), |r| r.message.to_string());
        if text.to_lowercase().contains("insufficient funds") {
            let balance = self.provider.get_balance(self.sender).await.unwrap_or_default();
            return Failure::new(
                format!(
                    "{what} is not sent: {} holds {}, too little for the amount and the gas",
                    self.sender,
                    Unit::ether().write(balance)
                ),
                "send it some ether first, or use less",
            )
            .into();
        }
        Failure::new(format!("{what} failed at the node: {text}"), "check --rpc-url and the addresses").into()
    }
}

/// Parses an amount in whole units of what a sale is paid in.
pub fn parse_amount(text: &str, unit: &Unit) -> Result<U256> {
    let amount = crate::units::parse(text, unit.decimals).map_err(|e| {
        Failure::new(format!("the amount cannot be read: {e}"), format!("write whole {}, like 1.5", unit.symbol))
    })?;
    if amount.is_zero() {
        bail!(Failure::new("the amount is zero", format!("write how many {} to contribute, like 1.5", unit.symbol)));
    }
    Ok(amount)
}
