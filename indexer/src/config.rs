//! Flags and environment that several commands share: the node, the factory, the key. Secrets come from files or the
//! environment, never from the command line, and are redacted wherever they could be printed.

mod key;
mod keystore;
mod master;
mod password;

use std::{env, fmt, str::FromStr};

use alloy::primitives::{Address, address};
use clap::Args;
use url::Url;

pub use crate::types::address::{AddressError, lacks_checksum, parse_address};
pub use key::{DEV_ACCOUNTS, Key, KeyArgs, KeyError, KeyPlace};
pub use keystore::KeystoreError;
pub use master::{MasterKeyError, find_sealer, read_sealer};
pub use password::PasswordError;

/// Chain id of a development chain: anvil's and hardhat's.
pub const DEV_CHAIN_ID: u64 = 31337;

/// Where the factory stands on a development chain: the eighth contract of the first published account, after the code that it clones and a stablecoin.
pub const DEV_FACTORY: Address = address!("a513E6E4b8f2a923D98304ec87F64353C4D5C853");

/// Which node, and which chain it must serve.
#[derive(Args, Clone, Debug)]
pub struct NodeArgs {
    /// The Ethereum node: http(s):// or ws(s)://
    #[arg(
        long,
        env = "CROWDSALE_RPC_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8545",
        value_name = "URL",
        help_heading = "Node"
    )]
    pub rpc_url: RpcUrl,

    /// Refuse any other chain than this one
    #[arg(long, env = "CROWDSALE_CHAIN_ID", hide_env_values = true, value_name = "ID", help_heading = "Node")]
    pub chain_id: Option<u64>,
}

/// The nodes of a service that asks chains beside what is indexed. None is a choice too: then it answers from the index alone.
#[derive(Args, Clone, Debug)]
pub struct NodesArgs {
    /// A node of a chain that is served, by http or ws: for what the index does not tell. Name several with commas between them, or
    /// repeat it; those of one chain are tried in turn
    #[arg(
        long = "rpc-url",
        env = "CROWDSALE_RPC_URL",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "URL",
        help_heading = "Node"
    )]
    urls: Vec<String>,
}

impl NodesArgs {
    /// As they were given; an empty variable names none.
    pub fn urls(&self) -> Vec<String> {
        self.urls.iter().filter(|url| !url.is_empty()).cloned().collect()
    }
}

/// Which factory creates sales.
#[derive(Args, Clone, Debug)]
pub struct FactoryArgs {
    /// The factory's address; on a development chain (id 31337) the address that `crowdsale up` gives it is the default
    #[arg(
        long,
        env = "CROWDSALE_FACTORY",
        hide_env_values = true,
        value_name = "ADDRESS",
        value_parser = parse_address,
        help_heading = "Node"
    )]
    pub factory: Option<Address>,
}

impl FactoryArgs {
    /// The factory on a chain; `None` where none was given and the chain is not a development chain.
    pub fn on_chain(&self, chain_id: u64) -> Option<Address> {
        self.factory.or((chain_id == DEV_CHAIN_ID).then_some(DEV_FACTORY))
    }
}

/// A node's URL. Providers put keys into path, query and user, so only scheme, host and port are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl(Url);

impl RpcUrl {
    /// The whole URL, key included: for connecting.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for RpcUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let example = "write such as http://127.0.0.1:8545";
        let url = Url::parse(text).map_err(|e| format!("{e}; {example}"))?;
        match url.scheme() {
            "http" | "https" | "ws" | "wss" if url.host_str().is_some() => Ok(Self(url)),
            scheme => Err(format!("{scheme}: is not how a node is reached; {example}")),
        }
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An environment variable that is there and not empty.
pub(crate) fn find_env(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_never_show_their_keys() {
        let url: RpcUrl = "https://user:secret@node.example:8443/v3/secret?key=secret".parse().unwrap();
        assert_eq!(format!("{url} {url:?}"), "https://node.example:8443 https://node.example:8443");
        assert!(url.as_str().contains("secret"));
        assert!("ftp://node.example".parse::<RpcUrl>().is_err());
        assert!("127.0.0.1:8545".parse::<RpcUrl>().is_err());
    }

    #[test]
    fn only_a_development_chain_has_a_default_factory() {
        let args = FactoryArgs { factory: None };
        assert_eq!(args.on_chain(DEV_CHAIN_ID), Some(DEV_FACTORY));
        assert_eq!(args.on_chain(1), None);
    }
}
