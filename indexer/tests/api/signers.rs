//! Keys that are replaced under the real `crowdsale serve`: that of vouchers is taken up, and no voucher is refused meanwhile; that of
//! orders is not.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use alloy::{
    hex,
    primitives::{Address, B256},
    signers::local::PrivateKeySigner,
};
use crowdsale::{access::Scope, cli::tools::find_cast};
use serde_json::Value;
use sqlx::{ConnectOptions as _, PgPool};

use crate::{
    keys::key,
    receiver::until,
    support::*,
    vouchers::{gated, voucher},
};

const PASSWORD: &str = "hunter2 hunter2";

/// The process; killed at the end.
struct Served {
    child: Child,
    log: PathBuf,
    url: String,
    secret: String,
    path: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// With these files of keys; a folder for its log.
    async fn start(pool: &PgPool, folder: &Path, variables: &[(&str, &Path)], path: String) -> Self {
        let secret = key(pool, &[Scope::VouchersWrite], &[]).await.key.expose().to_owned();
        let log = folder.join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_crowdsale"))
            .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"])
            .env_clear()
            .env("CROWDSALE_DATABASE_URL", pool.connect_options().to_url_lossy().as_str())
            .env("CROWDSALE_MASTER_KEY", format!("{}01", "5a".repeat(31)))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut served = Self { child, log, url: String::new(), secret, path };
        served.url = until("it serves", async || {
            assert!(served.child.try_wait().unwrap().is_none(), "{}", served.log());
            let (_, rest) = served.log().split_once("serving http://").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            rest.split_once(';').map(|(url, _)| format!("http://{url}"))
        })
        .await;
        served
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Status and body of a new voucher.
    async fn issue(&self, idempotency: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new()
            .post(format!("{}{}", self.url, self.path))
            .bearer_auth(&self.secret)
            .header("idempotency-key", format!("\"{idempotency}\""))
            .json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Issues one, which has to be of this signer.
    async fn signs(&self, idempotency: &str, signer: Address) {
        let (status, body) = self.issue(idempotency, &voucher()).await;
        assert_eq!((status, &body["data"]["signer"]), (201, &signer.to_string().into()), "{body}");
        assert_eq!(body["data"]["is_current"], true);
    }

    /// Signs none ahead, as the sale names this signer.
    async fn refuses_ahead(&self, idempotency: &str, signer: Address) {
        let (status, body) = self.issue(idempotency, &signed_ahead()).await;
        assert_eq!((status, &body["code"]), (409, &"signer_mismatch".into()), "{body}");
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains(&signer.to_string()) && detail.contains("names it already"), "{detail}");
    }

    /// Ids of the vouchers that the sale takes.
    async fn current(&self) -> Vec<Value> {
        let request = reqwest::Client::new().get(format!("{}{}", self.url, self.path)).bearer_auth(&self.secret);
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let rows = body["data"].as_array().unwrap().iter();
        rows.filter(|row| row["is_current"] == true).map(|row| row["id"].clone()).collect()
    }

    async fn is_stale(&self, signer: &str, stale: u8) {
        let line = format!("crowdsale_signer_stale{{signer=\"{signer}\"}} {stale}\n");
        until(&line, async || {
            let text = reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap();
            text.contains(&line).then_some(())
        })
        .await;
    }

    async fn says(&self, words: &str) {
        until(words, async || self.log().contains(words).then_some(())).await;
    }
}

fn signed_ahead() -> Value {
    let mut body = voucher();
    body["ahead"] = true.into();
    body
}

fn account(byte: u8) -> (String, Address) {
    let key = B256::repeat_byte(byte);
    (hex::encode(key), PrivateKeySigner::from_bytes(&key).unwrap().address())
}

/// In one step, as whoever replaces a file under a reader has to.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, path).unwrap();
}

fn keystore(folder: &Path, key: &str) -> String {
    let folder = folder.join("keystores");
    fs::create_dir(&folder).unwrap();
    let args = ["wallet", "import", "next", "--private-key", key, "--unsafe-password", PASSWORD, "--keystore-dir"];
    let made = Command::new(find_cast().unwrap()).args(args).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::read_to_string(folder.join("next")).unwrap()
}

async fn noted(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', actor, act, subject, detail) FROM crowdsale_service.audit WHERE act LIKE 'voucher.signer%' ORDER BY id";
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn the_signer_of_vouchers_is_replaced_without_a_refusal(pool: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    let [file, password] = ["kyc.key", "kyc.password"].map(|name| folder.path().join(name));
    let ((old_key, old), (new_key, new)) = (account(0x11), account(0x22));
    fs::write(&file, &old_key).unwrap();
    let terms = gated(&pool, old).await;
    let variables = [("CROWDSALE_VOUCHER_SIGNER_FILE", &*file), ("CROWDSALE_VOUCHER_SIGNER_PASSWORD_FILE", &*password)];
    let served = Served::start(&pool, folder.path(), &variables, format!("{}/vouchers", terms.path())).await;
    served.signs("before", old).await;
    served.is_stale("vouchers", 0).await;
    // There is nobody to go ahead to: these would be good as soon as the owner names the same signer again, to void what there is.
    served.refuses_ahead("early", old).await;

    // A keystore whose password is not there yet: half of a change changes nothing, and is said.
    let stored = keystore(folder.path(), &new_key);
    replace(&file, &stored);
    served.is_stale("vouchers", 1).await;
    served.says("cannot read the password's file").await;
    served.signs("half", old).await;
    assert!(noted(&pool).await.is_empty());

    // The new one is taken up, and the sale still names the old one.
    replace(&password, &format!("{PASSWORD}\n"));
    served.is_stale("vouchers", 0).await;
    assert_eq!(noted(&pool).await, [format!("service voucher.signer_replaced {new} in place of {old}")]);
    served.signs("between", old).await;
    // So that nobody is without one afterwards, vouchers are signed ahead.
    let (status, ahead) = served.issue("ahead", &signed_ahead()).await;
    let ahead = &ahead["data"];
    assert_eq!((status, &ahead["signer"], &ahead["epoch"]), (201, &new.to_string().into(), &"1".into()), "{ahead}");
    assert_eq!(ahead["is_current"], false);
    // From the block on in which the owner names the new one, it counts, and the new one signs.
    event(&pool, "voucher_signer_change", &terms, (12, 3), &format!("{}, 1", sql(new))).await;
    served.signs("after", new).await;
    let current = served.current().await;
    assert_eq!(current.len(), 2, "{current:?}");
    assert!(current.contains(&ahead["id"]), "{current:?}");
    // Whoever has not heard of it yet is not given what nobody could use.
    served.refuses_ahead("late", new).await;
    let issued = "SELECT detail FROM crowdsale_service.audit WHERE act = 'voucher.issued' ORDER BY id";
    let issued: Vec<String> = sqlx::query_scalar(issued).fetch_all(&pool).await.unwrap();
    let by = [(0, old), (0, old), (0, old), (1, new), (1, new)].map(|(epoch, by)| format!(", epoch {epoch}, by {by}"));
    assert_eq!(issued.len(), by.len());
    assert!(issued.iter().zip(&by).all(|(detail, by)| detail.ends_with(by)), "{issued:?}");

    // The same key in another form is no other signer.
    replace(&file, &new_key);
    served.says("the key of vouchers was read again, and is the same").await;
    served.signs("same", new).await;
    assert_eq!(noted(&pool).await.len(), 1);
    // A sale that names neither is told which it could name.
    event(&pool, "voucher_signer_change", &terms, (12, 4), &format!("{}, 2", sql(addr("other")))).await;
    let (status, body) = served.issue("other", &voucher()).await;
    assert_eq!((status, &body["code"]), (409, &"signer_mismatch".into()), "{body}");
    assert!(body["detail"].as_str().unwrap().contains(&format!("signs with {new} or {old}")), "{body}");

    let log = served.log();
    assert!(log.contains(&new.to_string()), "{log}");
    for secret in [&old_key, &new_key, PASSWORD] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_key_of_orders_is_not_replaced_under_its_orders(pool: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.key");
    let ((old_key, old), (new_key, new)) = (account(0x11), account(0x22));
    fs::write(&file, &old_key).unwrap();
    let variables = [("CROWDSALE_ORDER_SIGNER_FILE", &*file)];
    let served = Served::start(&pool, folder.path(), &variables, String::new()).await;
    served.is_stale("orders", 0).await;
    replace(&file, &new_key);
    served.is_stale("orders", 1).await;
    served.says("the key of orders was replaced, and is not taken up").await;
    assert!(served.log().contains(&format!("account={old} found={new}")), "{}", served.log());
    replace(&file, "not yet");
    served.says("does not hold a private key").await;
    replace(&file, &format!("0x{old_key}\n"));
    served.is_stale("orders", 0).await;
    assert!(noted(&pool).await.is_empty());
}
