//! Everything the command line refuses, and how it looks: helps, a lint report, wrong chains, keys, nodes and amounts.

mod cli_support;

use cli_support::{Chain, Run, account, binary, ether_sale, run};

const NOWHERE: &str = "http://127.0.0.1:9";
const SALE: &str = "0x8464135c8F25Da09e49BC8782676a84730C318bC";

#[test]
fn every_help() {
    let commands: [&[&str]; 56] = [
        &[],
        &["up"],
        &["index"],
        &["serve"],
        &["sale"],
        &["sale", "lint"],
        &["sale", "deploy"],
        &["sale", "status"],
        &["sale", "close"],
        &["sale", "cancel"],
        &["sale", "return-unsold"],
        &["sale", "reject"],
        &["sale", "pause"],
        &["sale", "resume"],
        &["sale", "signer"],
        &["sale", "compliance"],
        &["sale", "owner"],
        &["sale", "owner", "transfer"],
        &["sale", "owner", "accept"],
        &["sale", "whitepaper"],
        &["sale", "allocations"],
        &["sale", "allocation"],
        &["sale", "allocation", "release"],
        &["sale", "allocation", "reclaim"],
        &["contribute"],
        &["claim"],
        &["refund"],
        &["withdraw"],
        &["release"],
        &["object"],
        &["factory"],
        &["factory", "deploy"],
        &["token"],
        &["token", "holders"],
        &["token", "holders", "set"],
        &["token", "holder"],
        &["allowlist"],
        &["allowlist", "build"],
        &["allowlist", "prove"],
        &["allowlist", "verify"],
        &["voucher"],
        &["voucher", "issue"],
        &["keys"],
        &["keys", "create"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "revoke"],
        &["secrets"],
        &["secrets", "new-key"],
        &["secrets", "rotate"],
        &["audit"],
        &["audit", "list"],
        &["audit", "verify"],
        &["page"],
        &["reconcile"],
        &["doctor"],
    ];
    let helps = commands.iter().map(|command| {
        let run = run(&[*command, &["--help"]].concat());
        assert_eq!(run.code, 0, "{run:#?}");
        format!("$ crowdsale {} --help\n{}", command.join(" "), run.out)
    });
    insta::assert_snapshot!(helps.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_lint_report_with_many_problems() {
    let folder = tempfile::tempdir().unwrap();
    let text = ether_sale()
        .replace("name = \"Test\"\nowner", "name = \"\"\nowner")
        .replace(&account(1).to_string(), &account(1).to_string().replace("0x7099", "0x7098"))
        .replace(&account(2).to_string(), &account(2).to_string().to_lowercase())
        .replace("opens = 2031-03-01T14:00:00Z", "opens = 2031-03-01T14:00:00")
        .replace("soft_cap = \"10\"", "softcap = \"10\"")
        .replace("hard_cap = \"100\"", "hard_cap = 100")
        .replace("min = \"0.5\"", "min = \"0,5\"")
        .replace("for_sale = \"100000\"", "for_sale = \"300000\"")
        .replace("ends = 2031-03-03T14:00:00Z", "ends = 2031-03-02T14:00:00Z")
        .replace("price = \"0.002\"", "price = \"2e-3\"")
        .replace("technology = \"t\"\n", "")
        .replace("timeline = \"t\"", "timeline = \" \"\nuri = \"paper.pdf\"");
    std::fs::write(folder.path().join("sale.toml"), text).unwrap();
    let output = binary(&["sale", "lint", "sale.toml"]).current_dir(folder.path()).output().unwrap();
    let run = cli_support::Run::new(&output);
    assert_eq!(run.code, 1);
    assert!(run.err.starts_with("error: sale.toml is not ready: ") && run.err.contains("\nhint: "), "{run:#?}");
    insta::assert_snapshot!(run.out);
}

#[test]
fn bad_files_and_bad_words() {
    run(&["sale", "lint", "/does/not/exist.toml"]).fails(&["cannot read /does/not/exist.toml", "contracts/examples"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin1.toml");
    std::fs::write(&path, [b'a', 0xe9]).unwrap();
    run(&["sale", "lint", path.to_str().unwrap()]).fails(&["not UTF-8"]);

    let usage = |args: &[&str], words: &str| {
        let run = run(args);
        assert_eq!(run.code, 2, "{run:#?}");
        assert_eq!(run.out, "");
        assert!(run.err.contains(words), "{words:?} is not in {run:#?}");
    };
    usage(&["contribute", SALE, "1,5"], "no separators");
    usage(&["contribute", SALE, "1e18"], "exponent");
    usage(&["contribute", SALE, "-1"], "sign");
    usage(&["contribute", SALE, ""], "empty");
    usage(&["contribute", &SALE.replace("c8F", "c8f"), "1"], "wrong checksum");
    usage(&["contribute", "0x1234", "1"], "40 hexadecimal digits");
    usage(&["claim", SALE, "--for", SALE, "--to", SALE], "cannot be used with");
    usage(&["claim", SALE, "--dev-account", "10"], "0..10");
    usage(&["claim", SALE, "--dev-account", "1", "--private-key-file", "f"], "cannot be used with");
    usage(&["claim", SALE, "--private-key", "0x11"], "unexpected argument");
    usage(&["sale", "status", SALE, "--rpc-url", "localhost:8545"], "write such as http://127.0.0.1:8545");
    usage(&["release", SALE, "--for", SALE], "unexpected argument");
    usage(&["sale", "compliance", SALE, "nobody"], "is not an address");
    usage(&["sale", "whitepaper", SALE, "f", "--uri", "nowhere"], "invalid value");
    usage(&["sale", "allocations", SALE, "--created-in", "-1"], "unexpected argument");
    usage(&["page", "public"], "--node <URL>");
    usage(&["serve", "--listen", "localhost"], "such as 127.0.0.1:8080");
    usage(&["up", "--listen", "8080"], "such as 127.0.0.1:8080");
    usage(&["serve", "--trusted-proxy", "proxy"], "such as 203.0.113.0/24");
    usage(&["serve", "--order-max-fee", "-1"], "such as 1000 or 0.25");
    usage(&["serve", "--order-max-fee", "1000000000000"], "below 1000000000000 gwei");
    usage(&["nonsense"], "unrecognized subcommand");
}

#[test]
fn which_database_is_meant_is_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://127.0.0.1:9/of-the-file").unwrap();
    let both = |args: &[&str]| {
        let mut command = binary(args);
        command.env("CROWDSALE_DATABASE_URL", "postgres://127.0.0.1:9/of-the-variable");
        command.env("CROWDSALE_DATABASE_URL_FILE", &file);
        Run::new(&command.output().unwrap())
    };
    both(&["keys", "list"]).fails(&["which database is meant", "CROWDSALE_DATABASE_URL_FILE", "unset one of the two"]);
    // A flag says it.
    let other = folder.path().join("other");
    std::fs::write(&other, "postgres://127.0.0.1:9/of-the-flag").unwrap();
    both(&["keys", "list", "--database-url-file", other.to_str().unwrap()]).fails(&["cannot connect"]);
}

#[tokio::test]
async fn a_page_is_written_for_what_it_can_ask_and_where_nothing_else_is() {
    let chain = Chain::start().await;
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    let (to, node) = (public.to_str().unwrap(), chain.url.as_str());
    let factory = chain.factory.to_string();
    run(&["page", to, "--node", "ws://127.0.0.1:1"]).fails(&["the page cannot ask this node", "reached by ws"]);
    let secret = node.replace("http://", "http://user:word@");
    run(&["page", to, "--node", &secret]).fails(&["a user or a password", "open to the public"]);
    run(&["page", to, "--node", node, "--chain-id", "1"]).fails(&["wrong chain", "--node URL"]);
    run(&["page", to, "--node", "http://127.0.0.1:1"])
        .fails(&["cannot reach the node", "such as anvil, or name one: --node URL"]);
    run(&["page", to, "--node", node, "--factory", SALE]).fails(&["no factory", "no contract at"]);
    let dollar = chain.dollar.to_string();
    run(&["page", to, "--node", node, "--factory", &dollar]).fails(&["no factory", "does not answer as a factory"]);
    let not_one = ["page", to, "--node", node, "--factory", &factory, "--sale", &factory];
    run(&not_one).fails(&["no sale", "does not answer as a sale"]);
    assert!(!public.exists(), "bad input writes nothing");
}

#[tokio::test]
async fn holders_wallets_and_new_commands_refuse_what_cannot_be() {
    let chain = Chain::start().await;
    let (dollar, one) = (chain.dollar.to_string(), account(1).to_string());
    chain.run(&["token", "holder", SALE, &one]).fails(&["no token: there is no contract at"]);
    chain.run(&["token", "holder", &dollar, &one]).fails(&["no restricted token", "kind \"restricted\""]);
    let set = |text: &str| {
        let file = chain.write("holders.csv", text);
        chain.run_as(1, &["token", "holders", "set", &dollar, &file])
    };
    set("").fails(&["holds no holder"]);
    set("holder,until\n0x12,never").fails(&["line 2", "40 hexadecimal digits"]);
    set(&format!("{one},2032-01-01")).fails(&["line 1", "no time with an offset"]);
    set(&format!("{one},never\n{one},never")).fails(&["line 2", "twice"]);
    set(&format!("{one},never")).fails(&["no restricted token"]);
    chain.run_as(1, &["sale", "allocation", "release", SALE]).fails(&["no wallet: there is no contract"]);
    chain.run_as(1, &["sale", "allocation", "release", &dollar]).fails(&["does not answer as a team's wallet"]);
    chain.run_as(1, &["withdraw", &dollar]).fails(&["does not answer as a sale"]);
    // Terms without what is asked for.
    let sale = &chain.deploy(&ether_sale());
    chain.warp(cli_support::OPENS).await;
    chain.run_as(3, &["contribute", sale, "1"]).json();
    chain.run_as(3, &["withdraw", sale]).fails(&["no cooling-off", &format!("crowdsale refund {sale}")]);
    chain.run_as(3, &["object", sale]).fails(&["give investors no objection"]);
    chain.run_as(1, &["sale", "reject", sale, &one]).fails(&["nobody for compliance"]);
    let listed = chain.run(&["sale", "allocations", sale]);
    assert!(listed.code == 0 && listed.out.contains("none"), "{listed:#?}");
}

#[test]
fn an_unreachable_node_is_one_clear_error() {
    for command in [&["sale", "status", SALE] as &[&str], &["claim", SALE, "--dev-account", "0"]] {
        run(&[command, &["--rpc-url", NOWHERE]].concat()).fails(&[
            "cannot reach the node at http://127.0.0.1:9",
            "refused",
            "--rpc-url",
        ]);
    }
    let doctor = run(&["doctor", "--rpc-url", NOWHERE]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("MISSING chain"), "{doctor:#?}");
}

#[tokio::test]
async fn wrong_chains_addresses_and_keys() {
    let chain = Chain::start().await;
    chain.run(&["sale", "status", SALE, "--chain-id", "1"]).fails(&["serves chain 31337, and --chain-id is 1"]);
    chain.run(&["sale", "status", SALE]).fails(&["no sale: there is no contract at", "on chain 31337"]);
    let factory = chain.factory.to_string();
    chain.run(&["sale", "status", &factory]).fails(&["does not answer as a sale"]);
    chain.run(&["claim", SALE]).fails(&["cannot sign: no key was given", "--private-key-file"]);
    chain.run(&["claim", SALE, "--private-key-file", "/does/not/exist"]).fails(&["cannot read the key file"]);
    let noise = chain.folder.path().join("noise");
    std::fs::write(&noise, [0xff_u8; 32]).unwrap();
    let noise = noise.to_str().unwrap();
    chain.run(&["claim", SALE, "--private-key-file", noise]).fails(&["does not hold a private key"]);
    let file = chain.write("sale.toml", &ether_sale());
    chain.run_as(0, &["sale", "deploy", &file, "--factory", SALE]).fails(&["no factory: there is no contract at"]);
    let dollar = chain.dollar.to_string();
    chain
        .run_as(0, &["sale", "deploy", &file, "--factory", &dollar])
        .fails(&["no factory", "does not answer as a factory"]);
    let broken = chain.write("broken.toml", &ether_sale().replace("unsold", "unsolt"));
    chain.run_as(0, &["sale", "deploy", &broken]).fails(&["line 8", "did you mean `unsold`?"]);

    // An account without ether.
    let key = chain.write("key.txt", &"11".repeat(32));
    chain.run(&["sale", "deploy", &file, "--private-key-file", &key]).fails(&["cannot deploy the sale", "has 0 ETH"]);
    // Keys from the environment.
    let output = binary(&["sale", "deploy", &file, "--json"])
        .env("CROWDSALE_RPC_URL", &chain.url)
        .env("CROWDSALE_PRIVATE_KEY", crowdsale::config::DEV_ACCOUNTS[4].to_string())
        .output()
        .unwrap();
    assert_eq!(cli_support::Run::new(&output).json()["creator"], account(4).to_string());
}

#[tokio::test]
async fn published_keys_are_refused_off_development_chains() {
    let chain = Chain::start_with(&["--chain-id", "5"]).await;
    let key = chain.write("key.txt", &crowdsale::config::DEV_ACCOUNTS[7].to_string());
    let words = ["is published, and this is chain 5"];
    chain.run(&["claim", SALE, "--dev-account", "7"]).fails(&words);
    chain.run(&["claim", SALE, "--private-key-file", &key]).fails(&words);
    let output = binary(&["claim", SALE])
        .env("CROWDSALE_RPC_URL", &chain.url)
        .env("CROWDSALE_PRIVATE_KEY_FILE", &key)
        .output()
        .unwrap();
    cli_support::Run::new(&output).fails(&words);
    let file = chain.write("sale.toml", &ether_sale());
    let own = chain.write("own.txt", &"11".repeat(32));
    chain.run(&["sale", "deploy", &file, "--private-key-file", &own]).fails(&["no factory", "chain 5", "--factory"]);
}

#[tokio::test]
async fn lint_against_a_chain() {
    let chain = Chain::start().await;
    let file = chain.write("sale.toml", &cli_support::dollar_sale(chain.dollar));
    let good = chain.run(&["sale", "lint", &file, "--rpc-url", &chain.url, "--json"]);
    assert_eq!(good.json()["ok"], true);
    let lint = |text: String| {
        let file = chain.write("other.toml", &text);
        let run = chain.run(&["sale", "lint", &file, "--rpc-url", &chain.url]);
        assert_eq!(run.code, 1, "{run:#?}");
        run.out
    };
    let sale = cli_support::dollar_sale(chain.dollar);
    assert!(lint(sale.replace("decimals = 6", "decimals = 8")).contains("has 6 decimals on the chain, and 8"));
    assert!(lint(sale.replace("\"USDD\"", "\"USDC\"")).contains("symbol"));
    assert!(lint(sale.replace(&chain.dollar.to_string(), SALE)).contains("there is no contract at"));
    chain.warp(cli_support::OPENS + 1).await;
    assert!(lint(sale).contains("by the chain's clock"));
}

#[tokio::test]
async fn doctor_sees_chain_and_factory() {
    let chain = Chain::start().await;
    let doctor = chain.run(&["doctor", "--json", "--factory", &chain.factory.to_string()]);
    let report: serde_json::Value = serde_json::from_str(&doctor.out).unwrap();
    let status =
        |name| report["checks"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()["status"].clone();
    assert_eq!((status("chain"), status("factory"), status("anvil")), ("ok".into(), "ok".into(), "ok".into()));
    let wrong = chain.run(&["doctor", "--factory", SALE]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.out.contains("MISSING factory"), "{wrong:#?}");
}
