//! Keys in keystores, as the real `cast` makes them: by the environment, by a file, and by a person at a terminal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cli_support;

use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use alloy::hex;
use cli_support::{Chain, Run, account, binary, ether_sale};
use crowdsale::{cli::tools::find_cast, config::DEV_ACCOUNTS};
use nix::{
    pty::openpty,
    sys::termios::{LocalFlags, tcgetattr},
};

const PASSWORD: &str = "correct h\u{f6}rse ";

/// A keystore of one of anvil's accounts, and the path of its file.
fn keystore(chain: &Chain, index: usize) -> String {
    let folder = chain.folder.path().to_str().unwrap();
    let key = hex::encode(DEV_ACCOUNTS[index]);
    let name = format!("account-{index}");
    let args =
        ["wallet", "import", &name, "--keystore-dir", folder, "--private-key", &key, "--unsafe-password", PASSWORD];
    let made = Command::new(find_cast().unwrap()).args(args).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    format!("{folder}/{name}")
}

/// Deploys with a key from a file, and these variables.
fn deploy(chain: &Chain, key_file: &str, variables: &[(&str, &str)]) -> Run {
    let sale = chain.write("sale.toml", &ether_sale());
    let mut command = binary(&["--json", "sale", "deploy", &sale, "--private-key-file", key_file]);
    Run::new(&command.env("CROWDSALE_RPC_URL", &chain.url).envs(variables.iter().copied()).output().unwrap())
}

#[tokio::test]
async fn a_keystore_signs_with_its_password() {
    let chain = Chain::start().await;
    let file = keystore(&chain, 0);
    let deployed = deploy(&chain, &file, &[("CROWDSALE_KEY_PASSWORD", PASSWORD)]).json()["sale"].clone();
    let password = chain.write("password", &format!("{PASSWORD}\n"));
    // The same account, so the same sale.
    let by_file = [("CROWDSALE_KEY_PASSWORD_FILE", password.as_str())];
    assert_eq!(deploy(&chain, &file, &by_file).json()["sale"], deployed);
    let by_variable = [by_file[0], ("CROWDSALE_PRIVATE_KEY_FILE", file.as_str())];
    let sale = chain.write("sale.toml", &ether_sale());
    let mut command = binary(&["--json", "sale", "deploy", &sale]);
    let run = Run::new(&command.env("CROWDSALE_RPC_URL", &chain.url).envs(by_variable).output().unwrap());
    assert_eq!(run.json()["sale"], deployed);
    // Which of two is meant, nobody can know.
    let both = [by_variable[0], by_variable[1], ("CROWDSALE_PRIVATE_KEY", "0x11")];
    let run = Run::new(&command.envs(both).output().unwrap());
    run.fails(&["both CROWDSALE_PRIVATE_KEY and CROWDSALE_PRIVATE_KEY_FILE are given", "unset one of the two"]);

    // One that nobody but cast ever saw the key of: the account is the one that cast names, and has nothing to pay with.
    let folder = chain.folder.path().join("fresh");
    fs::create_dir(&folder).unwrap();
    let args = ["wallet", "new", folder.to_str().unwrap(), "--unsafe-password", "", "--json"];
    let made = Command::new(find_cast().unwrap()).args(args).output().unwrap();
    let fresh: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let empty = chain.write("empty", "");
    let by_empty = [("CROWDSALE_KEY_PASSWORD_FILE", empty.as_str())];
    let path = fresh[0]["path"].as_str().unwrap();
    deploy(&chain, path, &by_empty).fails(&[fresh[0]["address"].as_str().unwrap(), "has 0 ETH"]);
}

#[tokio::test]
async fn what_does_not_open_says_why_and_repeats_nothing() {
    let chain = Chain::start().await;
    let file = keystore(&chain, 0);
    let text = fs::read_to_string(&file).unwrap();
    let right = [("CROWDSALE_KEY_PASSWORD", PASSWORD)];
    let wrong = deploy(&chain, &file, &[("CROWDSALE_KEY_PASSWORD", "hunter2")]);
    wrong.fails(&["cannot sign: cannot open the keystore", &file, "the password does not open it"]);
    assert!(!wrong.err.contains("hunter2"), "{wrong:#?}");
    deploy(&chain, &file, &[]).fails(&["needs a password", "CROWDSALE_KEY_PASSWORD nor CROWDSALE_KEY_PASSWORD_FILE"]);
    let both = [right[0], ("CROWDSALE_KEY_PASSWORD_FILE", file.as_str())];
    deploy(&chain, &file, &both).fails(&["both CROWDSALE_KEY_PASSWORD and CROWDSALE_KEY_PASSWORD_FILE are given"]);
    deploy(&chain, &file, &[("CROWDSALE_KEY_PASSWORD_FILE", "/nothing/here")]).fails(&["/nothing/here", "cannot read"]);

    let but = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        deploy(&chain, &chain.write("changed", &text.replace(from, to)), &right)
    };
    but("aes-128-ctr", "rot13").fails(&["\"rot13\"", "only aes-128-ctr is known"]);
    // 64 GiB of memory, if it were believed.
    but("\"n\":8192", "\"n\":67108864").fails(&["times the work that geth's own files ask for"]);
    let half = chain.write("half", &text[..text.len() / 2]);
    deploy(&chain, &half, &right).fails(&["is none, or not the whole of it"]);
    let none = chain.write("none", "{\"a\": 1}");
    deploy(&chain, &none, &right).fails(&["it is no keystore", "version has to be 3"]);
    let other = format!("{{\"address\":\"{}\",{}", hex::encode(account(5)), &text[1..]);
    let other = deploy(&chain, &chain.write("other", &other), &right);
    other.fails(&[&account(5).to_string(), &account(0).to_string(), "it was changed"]);
    let folder = chain.folder.path().to_str().unwrap();
    deploy(&chain, folder, &right).fails(&["cannot read the key file", folder]);
    deploy(&chain, "/dev/zero", &right).fails(&["/dev/zero does not hold a private key"]);
    let key = hex::encode(DEV_ACCOUNTS[0]);
    for run in [&wrong, &other] {
        assert!(!run.err.contains(&key) && !run.err.contains(PASSWORD.trim()), "{run:#?}");
    }
}

#[tokio::test]
async fn a_person_at_a_terminal_is_asked_and_nothing_is_shown() {
    let chain = Chain::start().await;
    let file = keystore(&chain, 0);
    let sale = chain.write("sale.toml", &ether_sale());
    let asked = |typed: &str| {
        let terminal = openpty(None, None).unwrap();
        let mut child = binary(&["--json", "sale", "deploy", &sale, "--private-key-file", &file])
            .env("CROWDSALE_RPC_URL", &chain.url)
            .stdin(Stdio::from(terminal.slave.try_clone().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let prompt = format!("password of {file}: ");
        let mut shown = vec![0; prompt.len()];
        child.stderr.as_mut().unwrap().read_exact(&mut shown).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), prompt);
        let mut keyboard = fs::File::from(terminal.master);
        keyboard.write_all(typed.as_bytes()).unwrap();
        let run = Run::new(&child.wait_with_output().unwrap());
        assert!(tcgetattr(&terminal.slave).unwrap().local_flags.contains(LocalFlags::ECHO | LocalFlags::ISIG));
        drop(terminal.slave);
        // What the terminal showed; it ends with an error once nobody has it open.
        let mut echoed = Vec::new();
        let _ = keyboard.read_to_end(&mut echoed);
        assert_eq!(String::from_utf8_lossy(&echoed), "");
        run
    };
    // Taken back: all of a line, then a letter of two bytes.
    let run = asked(&format!("hunter2\u{15}{}\u{e4}\u{7f}\r", PASSWORD));
    assert!(run.json()["sale"].is_string());
    assert!(!run.err.contains("horse") && !run.err.contains("hunter2"), "{run:#?}");
    asked("hunter2\n").fails(&["the password does not open it"]);
    asked("correct\u{3}").fails(&["no password came from the terminal: stopped"]);
    asked("\u{4}").fails(&["no password came from the terminal"]);
}
