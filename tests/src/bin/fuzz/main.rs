//! Asks the API everything that its description allows, and much that it does not: `fuzz SCHEMATHESIS FOLDER [SEED]`, started
//! by `scripts/fuzz-api`, which says what with.
//!
//! On a real chain on which everything happens, indexed and served by the real binary with a master key. What is known there is written
//! beside the folder's configuration, so that most requests are about something; the same is asked with a key that may do all, and with
//! none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it stops at what it did not expect")]
#![allow(clippy::print_stderr, reason = "its result")]

mod told;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use crowdsale::access::Scope;
use e2e::{World, binary, until};

use told::Told;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (schemathesis, folder, seed) = match &arguments[..] {
        [schemathesis, folder] => (whole(schemathesis), whole(folder), None),
        [schemathesis, folder, seed] => (whole(schemathesis), whole(folder), Some(seed)),
        _ => {
            eprintln!("usage: scripts/fuzz-api [SEED]");
            return ExitCode::from(2);
        }
    };
    let world = World::new(2).await;
    let mut indexer = world.index();
    let told = told::tell(&world).await;
    let head = world.chain.head().await.header.number;
    until("all is indexed", async || {
        indexer.assert_running();
        world.database.checkpoint().await.filter(|c| c.number == head)
    })
    .await;
    let served = Served::start(&world, &told).await;
    let configuration = served.work.path().join("schemathesis.toml");
    let text = fs::read_to_string(folder.join("schemathesis.toml")).expect("the configuration") + &told.dictionaries();
    for (what, key) in [("with a key that may do all", Some(&served.key)), ("without a key", None)] {
        eprintln!("fuzz-api: {what}");
        let with = key.map(|key| format!("\n[auth.openapi.key]\nbearer = {key:?}\n"));
        fs::write(&configuration, format!("{text}{}", with.unwrap_or_default())).expect("a temporary file");
        let mut command = Command::new(&schemathesis);
        command.arg("--config-file").arg(&configuration).arg("run").arg(format!("{}/openapi.json", served.url));
        command.current_dir(&served.work).env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("CROWDSALE_KEY_ID", &served.key_id);
        if let Some(seed) = seed {
            command.args(["--seed", seed]);
        }
        if key.is_none() {
            // Most is the same as before: what is not must be refused, and is so the same way each time.
            command.args(["--max-examples", "10"]);
        }
        let output = command.output().expect("schemathesis");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let said =
            |what: &str| text.lines().rev().find(|line| line.contains(what)).unwrap_or_default().trim().to_owned();
        if !output.status.success() {
            eprintln!("{text}");
            eprintln!("error: the API did not answer as its description says ({})", output.status);
            return ExitCode::FAILURE;
        }
        // Requests that take what an answer gave. Without a key most still have it.
        let followed = said("API Links:");
        assert!(!followed.contains(" 0 covered") && followed.contains(" covered"), "no answer led to another: {text}");
        eprintln!("fuzz-api: {}; {followed}", said(" generated"));
        eprintln!("fuzz-api: {}", said("===").trim_matches(['=', ' ']));
    }
    ExitCode::SUCCESS
}

/// A running `crowdsale serve`, killed when it goes out of scope.
struct Served {
    child: Child,
    url: String,
    key: String,
    key_id: String,
    /// For what is written meanwhile.
    work: tempfile::TempDir,
}

impl Served {
    async fn start(world: &World, told: &Told) -> Self {
        let work = tempfile::tempdir().expect("a temporary folder");
        let tree = work.path().join("tree.json");
        fs::write(&tree, &told.allowlist).expect("a temporary file");
        let master = run(crowdsale(world, None).args(["secrets", "new-key"]));
        let scopes = Scope::ALL.iter().flat_map(|scope| ["--scope", scope.as_str()]);
        let made = run(crowdsale(world, Some(&master)).args(["keys", "create", "fuzz", "--json"]).args(scopes));
        let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
        // One of the devnet's published accounts: it can contribute.
        let signer = alloy::hex::encode(crowdsale::config::DEV_ACCOUNTS[9]);
        let log = work.path().join("serve.log");
        let child = crowdsale(world, Some(&master))
            .env("CROWDSALE_RPC_URL", &world.chain.url)
            .env("CROWDSALE_ORDER_SIGNER", &signer)
            .env("CROWDSALE_VOUCHER_SIGNER", &signer)
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--allowlist"])
            .arg(&tree)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("a temporary file"))
            .spawn()
            .expect("crowdsale serve");
        let url = until("the API listens", async || serving(&log)).await;
        let text = |pointer: &str| made.pointer(pointer).and_then(|v| v.as_str()).expect("a new key").to_owned();
        Self { child, url, key: text("/secret"), key_id: text("/key/id"), work }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A path that holds wherever a program runs.
fn whole(path: &str) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The address in the line that says where it listens.
fn serving(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let (_, rest) = text.split_once("serving ")?;
    rest.split_once(';').map(|(url, _)| url.to_owned())
}

fn crowdsale(world: &World, master: Option<&str>) -> Command {
    let mut command = Command::new(binary());
    command.env("CROWDSALE_DATABASE_URL", &world.database.url).env("NO_COLOR", "1").env("CROWDSALE_LOG", "warn");
    if let Some(master) = master {
        command.env("CROWDSALE_MASTER_KEY", master);
    }
    command
}

/// What a command prints.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("crowdsale");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
