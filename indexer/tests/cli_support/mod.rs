//! A development chain with a factory and a stablecoin on a free port, and the real binary.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside of a test function")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use alloy::{
    network::EthereumWallet,
    primitives::{Address, U256},
    providers::{DynProvider, Provider as _, ProviderBuilder, ext::AnvilApi as _},
    signers::local::PrivateKeySigner,
};
use crowdsale::{
    cli::tools::find_anvil,
    config::DEV_ACCOUNTS,
    deployment::{Devnet, deploy_devnet},
};
use serde_json::Value;

/// 2031-03-01 14:00:00 UTC.
pub const OPENS: u64 = 1_930_140_000;
/// One day.
pub const DAY: u64 = 86_400;

/// Anvil's ten accounts.
pub fn account(index: usize) -> Address {
    PrivateKeySigner::from_bytes(&DEV_ACCOUNTS[index]).unwrap().address()
}

/// An address in an answer.
pub fn address(value: &Value) -> Address {
    value.as_str().unwrap().parse().unwrap()
}

/// A running chain. Ends with the value.
pub struct Chain {
    child: Child,
    pub url: String,
    /// Signs as account 0.
    pub provider: DynProvider,
    pub factory: Address,
    pub dollar: Address,
    pub folder: tempfile::TempDir,
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run of the binary came to.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The JSON of a run that must have succeeded.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:#?}");
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// A failure: nothing on stdout, an error with these words, and a hint.
    pub fn fails(&self, words: &[&str]) {
        assert_eq!(self.code, 1, "{self:#?}");
        assert_eq!(self.out, "", "{self:#?}");
        assert!(self.err.contains("error: ") && self.err.contains("\nhint: "), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {self:#?}");
        }
    }
}

/// The binary, with none of this machine's settings.
pub fn binary(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crowdsale"));
    command.args(args);
    for name in ["RPC_URL", "CHAIN_ID", "FACTORY", "PRIVATE_KEY", "KEY_PASSWORD", "DATABASE_URL", "ALLOWLISTS"] {
        command.env_remove(format!("CROWDSALE_{name}")).env_remove(format!("CROWDSALE_{name}_FILE"));
    }
    command
}

/// Runs the binary without a chain.
pub fn run(args: &[&str]) -> Run {
    Run::new(&binary(args).output().unwrap())
}

impl Chain {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(args: &[&str]) -> Self {
        let anvil = find_anvil().unwrap_or_else(|e| panic!("these tests need a chain: {e}; {}", e.hint()));
        let mut child = Command::new(anvil)
            .args(["--port", "0", "--host", "127.0.0.1"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let place = lines.find_map(|l| l.unwrap().strip_prefix("Listening on ").map(str::to_owned)).unwrap();
        // Whoever does not read it blocks anvil once the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("http://{place}");
        let signer = PrivateKeySigner::from_bytes(&DEV_ACCOUNTS[0]).unwrap();
        let provider =
            ProviderBuilder::new().wallet(EthereumWallet::from(signer)).connect(&url).await.unwrap().erased();
        let Devnet { factory, dollar } = deploy_devnet(&provider, account(0)).await.unwrap();
        Self { child, url, provider, factory, dollar, folder: tempfile::tempdir().unwrap() }
    }

    /// Runs a command against this chain.
    pub fn run(&self, args: &[&str]) -> Run {
        let output = binary(args).env("CROWDSALE_RPC_URL", &self.url).output().unwrap();
        Run::new(&output)
    }

    /// Runs a command as one of the published accounts, with JSON.
    pub fn run_as(&self, index: usize, args: &[&str]) -> Run {
        let index = index.to_string();
        self.run(&[args, &["--dev-account", &index, "--json"]].concat())
    }

    /// Writes a sale file.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes and deploys a sale file as account 0; its address.
    pub fn deploy(&self, text: &str) -> String {
        let file = self.write("sale.toml", text);
        self.run_as(0, &["sale", "deploy", &file]).json()["sale"].as_str().unwrap().to_owned()
    }

    /// Mines a block at a time.
    pub async fn warp(&self, time: u64) {
        self.provider.anvil_set_next_block_timestamp(time).await.unwrap();
        self.provider.anvil_mine(Some(1), None).await.unwrap();
    }

    pub async fn balance(&self, index: usize) -> U256 {
        self.provider.get_balance(account(index)).await.unwrap()
    }
}

/// A sale for ether: 10 to 100 ETH, one day at 0.001, then one day at 0.002; up to 60 ETH an investor.
pub fn ether_sale() -> String {
    sale("currency = \"ETH\"", "10", "100", "0.5", "60", "0.001", "0.002")
}

/// The same for dollars of 6 decimals.
pub fn dollar_sale(dollar: Address) -> String {
    let payment = format!("currency = \"{dollar}\"\ndecimals = 6\nsymbol = \"USDD\"");
    sale(&payment, "1000", "10000", "50", "6000", "0.1", "0.2")
}

fn sale(payment: &str, soft: &str, hard: &str, min: &str, max: &str, first: &str, second: &str) -> String {
    format!(
        r#"[sale]
name = "Test"
owner = "{owner}"
beneficiary = "{beneficiary}"
opens = 2031-03-01T14:00:00Z
soft_cap = "{soft}"
hard_cap = "{hard}"
unsold = "owner"

[limits]
min = "{min}"
max = "{max}"

[payment]
{payment}

[token]
name = "Test"
symbol = "TST"
supply = "200000"
for_sale = "100000"

[[phase]]
name = "first"
ends = 2031-03-02T14:00:00Z
price = "{first}"
raised_up_to = "{soft}"

[[phase]]
name = "second"
ends = 2031-03-03T14:00:00Z
price = "{second}"

[whitepaper]
purpose = "p"
technology = "t"
capital_required = "c"
team_tokens = "t"
money_accepted = "m"
timeline = "t"
"#,
        owner = account(1),
        beneficiary = account(2),
    )
}
