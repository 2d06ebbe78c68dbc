//! Lists from the table to the proof, with the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cli_support;

use std::fs;

use cli_support::{Chain, Run, account, binary, ether_sale, run};
use crowdsale::gates::merkle;
use serde_json::Value;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn table(limits: &[&str]) -> String {
    let lines = limits.iter().enumerate().map(|(i, limit)| format!("{},{limit}\n", account(i)));
    "investor,max_paid\n".to_owned() + &lines.collect::<String>()
}

#[test]
fn builds_proves_and_verifies() {
    let folder = Folder::new();
    let (list, tree) = (folder.write("list.csv", &table(&["1.5", "250", "0.000001"])), folder.path("tree.json"));
    let build = ["allowlist", "build", &list, "--out", &tree, "--decimals", "6"];
    let built = run(&[&build[..], &["--json"]].concat());
    assert_eq!(built.err, "");
    let built = built.json();
    let root = built["root"].as_str().unwrap();
    assert_eq!((&built["count"], &built["total"]), (&3.into(), &"251500001".into()));

    let proved = run(&["allowlist", "prove", &tree, &account(1).to_string(), "--json"]).json();
    assert_eq!((&proved["root"], &proved["max_paid"]), (&built["root"], &"250000000".into()));
    let hashes: Vec<_> = proved["proof"].as_array().unwrap().iter().map(|h| h.as_str().unwrap()).collect();
    let packed: String = hashes.iter().map(|h| &h[2..]).collect();
    assert_eq!(proved["eligibility"], format!("0x{:030x}{packed}", 250_000_000));
    let proof: Vec<_> = hashes.iter().map(|h| h.parse().unwrap()).collect();
    let limit = crowdsale::gates::eligibility::MaxPaid::new("250000000".parse().unwrap()).unwrap();
    assert!(merkle::verify(root.parse().unwrap(), account(1), limit, &proof));

    let text = run(&["allowlist", "prove", &tree, &account(1).to_string()]);
    for part in [root, "250 (250000000 base units)", proved["eligibility"].as_str().unwrap()] {
        assert!(text.out.contains(part), "{text:#?}");
    }
    run(&["allowlist", "prove", &tree, &account(9).to_string()]).fails(&["no proof", "not among the 3 investors"]);
    assert_eq!(run(&["allowlist", "verify", &list, &tree, "--json"]).json()["root"], built["root"]);

    // The same lines in another order are the same file, to the byte.
    let mut lines: Vec<_> = table(&["1.5", "250", "0.000001"]).lines().map(str::to_owned).collect();
    lines[1..].reverse();
    let other = folder.write("other.csv", &lines.join("\n"));
    let again = folder.path("again.json");
    run(&["allowlist", "build", &other, "--out", &again, "--decimals", "6", "--json"]).json();
    assert_eq!(fs::read(&tree).unwrap(), fs::read(&again).unwrap());
    assert_eq!(folder.names(), ["again.json", "list.csv", "other.csv", "tree.json"]);
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_said() {
    let folder = Folder::new();
    let (list, tree) = (folder.write("list.csv", &table(&["1"])), folder.write("tree.json", "mine"));
    run(&["allowlist", "build", &list, "--out", &tree]).fails(&["cannot write", "there already", "--force"]);
    assert_eq!(fs::read_to_string(&tree).unwrap(), "mine");
    run(&["allowlist", "build", &list, "--out", &tree, "--force", "--json"]).json();
    assert_eq!(run(&["allowlist", "verify", &list, &tree, "--json"]).json()["count"], 1);
    let nowhere = folder.path("no/folder/tree.json");
    run(&["allowlist", "build", &list, "--out", &nowhere]).fails(&["cannot write", "--out"]);
    // Nothing is written for a list with problems, and nothing is lost.
    let wrong = folder.write("wrong.csv", &table(&["1", "x"]));
    let before = fs::read(&tree).unwrap();
    run(&["allowlist", "build", &wrong, "--out", &tree, "--force"])
        .fails(&["wrong.csv is not ready: 1 problem\n  line 3: "]);
    assert_eq!(fs::read(&tree).unwrap(), before);
    assert_eq!(folder.names(), ["list.csv", "tree.json", "wrong.csv"]);
}

#[test]
fn what_was_changed_is_said() {
    let folder = Folder::new();
    let (list, tree) = (folder.write("list.csv", &table(&["1", "2", "3"])), folder.path("tree.json"));
    run(&["allowlist", "build", &list, "--out", &tree, "--json"]).json();
    let text = fs::read_to_string(&tree).unwrap();
    let changed = folder.write("changed.json", &text.replace("\"2000000000000000000\"", "\"9000000000000000000\""));
    let words = ["cannot use", "changed after it was built"];
    run(&["allowlist", "prove", &changed, &account(0).to_string()]).fails(&words);
    run(&["allowlist", "verify", &list, &changed]).fails(&words);
    run(&["contribute", &account(0).to_string(), "1", "--allowlist", &changed]).fails(&words);
    run(&["serve", "--allowlist", &changed]).fails(&["no database"]);
    let output = binary(&["serve"])
        .env("CROWDSALE_DATABASE_URL", "postgres://127.0.0.1:9/none")
        .env("CROWDSALE_ALLOWLISTS", format!("{tree},{changed}"))
        .output()
        .unwrap();
    Run::new(&output).fails(&words);

    let other = folder.write("other.csv", &table(&["1", "2.5", "3", "4"]));
    run(&["allowlist", "verify", &other, &tree]).fails(&[
        "2 differences",
        &format!("{} may pay 2.5 by the table and 2 by the tree", account(1)),
        &format!("{}, who may pay 4, is in the table alone", account(3)),
    ]);
    run(&["allowlist", "prove", &list, &account(0).to_string()]).fails(&["it is not an allowlist file"]);
    run(&["allowlist", "prove", "/does/not/exist", &account(0).to_string()]).fails(&["cannot read /does/not/exist"]);
}

#[test]
fn addresses_without_checksum_are_taken_with_a_warning() {
    let folder = Folder::new();
    let list = folder.write("list.csv", &table(&["1", "2"]).to_lowercase());
    let built = run(&["allowlist", "build", &list, "--out", &folder.path("tree.json")]);
    assert!(built.err.starts_with("warning: 2 of 2 addresses have no checksum"), "{built:#?}");
    assert!(built.out.contains("limits in all  3 (3000000000000000000 base units)"), "{built:#?}");
}

#[tokio::test]
async fn contributions_carry_their_proof() {
    let chain = Chain::start().await;
    let list = chain.write("list.csv", &table(&["1", "2", "3", "4"]));
    let tree = chain.folder.path().join("tree.json").to_str().unwrap().to_owned();
    let built = run(&["allowlist", "build", &list, "--out", &tree, "--json"]).json();
    let gate = format!("[[phase]]\ngate = \"list\"\nlist_root = {}\n", built["root"]);
    let sale = chain.deploy(&ether_sale().replace("[[phase]]\n", &gate));
    chain.warp(cli_support::OPENS + 1).await;

    chain.run_as(3, &["contribute", &sale, "1"]).fails(&["proof"]);
    chain.run_as(3, &["contribute", &sale, "1", "--eligibility", "0x0102"]).fails(&["bytes"]);
    chain
        .run_as(5, &["contribute", &sale, "1", "--allowlist", &tree])
        .fails(&[&format!("{} is not among", account(5))]);
    let paid: Value = chain.run_as(3, &["contribute", &sale, "1", "--allowlist", &tree]).json();
    assert_eq!(paid["accepted"]["raw"], "1000000000000000000");
    let behalf = account(2).to_string();
    let paid: Value = chain.run_as(5, &["contribute", &sale, "3", "--allowlist", &tree, "--for", &behalf]).json();
    assert_eq!(paid["investor"], behalf);
    assert_eq!(paid["accepted"]["raw"], "3000000000000000000");
    chain.run_as(5, &["contribute", &sale, "0.5", "--allowlist", &tree, "--for", &behalf]).fails(&["3"]);

    let usage = run(&["contribute", &sale, "1", "--allowlist", &tree, "--eligibility", "0x01"]);
    assert!(usage.code == 2 && usage.err.contains("cannot be used with"), "{usage:#?}");
    for wrong in ["0x1", "xy", "0xzz"] {
        let usage = run(&["contribute", &sale, "1", "--eligibility", wrong]);
        assert!(usage.code == 2 && usage.err.contains("hexadecimal"), "{usage:#?}");
    }
    // Limits in another currency's units.
    let six = chain.folder.path().join("six.json").to_str().unwrap().to_owned();
    run(&["allowlist", "build", &list, "--out", &six, "--decimals", "6", "--json"]).json();
    let run = chain.run_as(3, &["contribute", &sale, "1", "--allowlist", &six]);
    assert!(run.err.contains("warning: the list was built with 6 decimals, and ETH has 18"), "{run:#?}");
}
