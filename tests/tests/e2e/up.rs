//! `crowdsale up` and `reconcile`, as a person uses them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use e2e::{World, binary, ether, until};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A running `crowdsale up`, and where it said everything is.
struct Up {
    child: Child,
    errors: PathBuf,
    place: Value,
}

impl Up {
    async fn start(data: &Path) -> Self {
        let (result, errors) = (data.with_extension("out"), data.with_extension("err"));
        let child = Command::new(binary())
            .args(["--json", "up", "--listen", "127.0.0.1:0", "--rpc-port", "0", "--block-time", "1", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(File::create(&result).unwrap())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let mut up = Self { child, errors, place: Value::Null };
        up.place = until("`up` says where everything is", async || {
            if let Some(status) = up.child.try_wait().unwrap() {
                panic!("`up` ended: {status}: {}", fs::read_to_string(&up.errors).unwrap());
            }
            serde_json::from_str(&fs::read_to_string(&result).unwrap()).ok()
        })
        .await;
        up
    }

    fn at(&self, key: &str) -> &str {
        self.place[key].as_str().unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        until(path, async || {
            let answer = reqwest::get(format!("{}{path}", self.at("api"))).await.ok()?;
            answer.status().is_success().then_some(answer.json().await.ok()?)
        })
        .await
    }

    async fn signal(mut self, signal: Signal) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
        let status = until("`up` ends", async || self.child.try_wait().unwrap()).await;
        (status.code(), fs::read_to_string(&self.errors).unwrap())
    }

    fn run(&self, args: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        Command::new(binary()).current_dir(root).env("CROWDSALE_RPC_URL", self.at("rpc")).args(args).output().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Ended in order, so that no anvil and no Postgres stays behind a failed test.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        for _ in 0..300 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_second_up_continues_where_the_first_was() {
    let folder = tempfile::tempdir().unwrap();
    // Postgres of a root's test runs as another user, who must reach the folder.
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let data = folder.path().join("data");
    let up = Up::start(&data).await;
    let deployed = up.run(&["--json", "sale", "deploy", "contracts/examples/aurora-eth.toml", "--dev-account", "0"]);
    assert!(deployed.status.success(), "{}", text(&deployed.stderr));
    let sale = serde_json::from_slice::<Value>(&deployed.stdout).unwrap()["sale"].as_str().unwrap().to_owned();
    let path = format!("/v1/sales/31337/{}", sale.to_lowercase());
    let first = up.get(&path).await;

    // Another in the same folder would take the database from under the first.
    let second = Command::new(binary()).args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another `crowdsale up` runs in"), "{}", text(&second.stderr));

    let rpc = up.at("rpc").to_owned();
    let (code, errors) = up.signal(Signal::SIGINT).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(reqwest::get(&rpc).await.is_err(), "anvil still answers");
    assert!(!data.join("anvil.pid").exists() && !data.join("postgres.pid").exists());

    let up = Up::start(&data).await;
    let again = up.get(&path).await;
    assert_eq!(again["data"]["created"], first["data"]["created"]);
    let block = |answer: &Value| answer["meta"]["indexed_block"]["number"].as_i64().unwrap();
    assert!(block(&again) >= block(&first));
    let repeated = up.run(&["--json", "sale", "deploy", "contracts/examples/aurora-eth.toml", "--dev-account", "0"]);
    assert!(repeated.status.success(), "{}", text(&repeated.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&repeated.stdout).unwrap()["sale"].as_str(), Some(&*sale));

    // Killed, it leaves anvil and Postgres behind; the next finds and stops them, and goes on.
    up.signal(Signal::SIGKILL).await;
    let up = Up::start(&data).await;
    assert_eq!(up.get(&path).await["data"]["created"], first["data"]["created"]);
    let (code, errors) = up.signal(Signal::SIGTERM).await;
    assert_eq!(code, Some(0), "{errors}");
}

#[tokio::test]
async fn one_base_unit_of_difference_is_an_error() {
    let world = World::new(2).await;
    let mut indexer = world.index();
    let sale = world.open_sale().await;
    world.chain.mine([sale.send(world.investor(0), ether("3")), sale.send(world.investor(1), ether("4"))]).await;
    world.agree(&mut indexer).await;
    let reconcile = || {
        Command::new(binary())
            .args(["--json", "reconcile", "--rpc-url", &world.chain.url])
            .env("CROWDSALE_DATABASE_URL", &world.database.url)
            .output()
            .unwrap()
    };
    let fine = reconcile();
    assert!(fine.status.success(), "{}", text(&fine.stderr));
    let report: Value = serde_json::from_slice(&fine.stdout).unwrap();
    assert_eq!((report["sales"].as_u64(), report["positions"].as_u64()), (Some(1), Some(2)));

    world.database.texts("UPDATE position SET paid = paid + 1 WHERE paid = 3e18 RETURNING 'changed'").await;
    let wrong = reconcile();
    assert_eq!(wrong.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    let [difference] = &report["differences"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(difference["investor"], world.investor(0).to_string());
    assert_eq!(
        (&difference["figure"], &difference["database"], &difference["chain"]),
        (&"paid".into(), &"3000000000000000001".into(), &"3000000000000000000".into())
    );
}
