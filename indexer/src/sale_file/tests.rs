use std::{fs, path::Path};

use super::*;

const AURORA: &str = include_str!("../../../contracts/examples/aurora-eth.toml");
const HARBOR: &str = include_str!("../../../contracts/examples/harbor-usd.toml");

/// November 2026.
const CLOCK: Option<Clock> = Some(Clock { now: 1_795_000_000, by: "by the test's clock" });

fn problems(text: &str) -> Vec<Problem> {
    match SaleFile::parse(text, CLOCK) {
        Ok((_, warnings)) => warnings,
        Err(SaleFileError::Problems(problems)) => problems,
        Err(other) => panic!("{other}"),
    }
}

/// The example with one text replaced, and its only problem.
fn only(from: &str, to: &str) -> Problem {
    assert!(AURORA.contains(from), "{from}");
    let mut found = problems(&AURORA.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:#?}");
    found.remove(0)
}

fn accepts(from: &str, to: &str) {
    assert!(AURORA.contains(from), "{from}");
    assert_eq!(problems(&AURORA.replacen(from, to, 1)), [], "{from} -> {to}");
}

#[test]
fn the_examples_have_no_problem() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = read_text(&path).unwrap();
        let found = SaleFile::parse_in(&text, path.parent().unwrap(), CLOCK);
        assert!(found.as_ref().is_ok_and(|(_, warnings)| warnings.is_empty()), "{}: {found:#?}", path.display());
    }
}

#[test]
fn amounts_become_base_units() {
    let (sale, _) = SaleFile::parse(AURORA, CLOCK).unwrap();
    assert_eq!(sale.soft_cap.to_string(), "250000000000000000000");
    assert_eq!(sale.max.to_string(), "50000000000000000000");
    assert_eq!(sale.phases[0].price.to_string(), "800000000000000");
    assert_eq!(sale.phases[1].raised_up_to, sale.hard_cap);
    assert_eq!(sale.opens, 1_930_140_000);

    let (sale, _) = SaleFile::parse(HARBOR, CLOCK).unwrap();
    assert_eq!(sale.hard_cap.to_string(), "2000000000000");
    // 0.08 dollars of 6 decimals per 10^18 base units of the token.
    assert_eq!(sale.phases[0].price.to_string(), "80000");
    assert!(sale.burn_unsold);
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    assert_eq!(sale_hash("abc").to_string(), "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    let problem = only("unsold = \"owner\"", "unsold = \"owner\"\nsoftcap = \"1\"");
    assert_eq!((problem.line, problem.key.as_str()), (13, "sale.softcap"));
    assert_eq!(problem.mend, "did you mean `soft_cap`?");
    assert_eq!(only("[limits]", "[whitpaper]\n[limits]").mend, "did you mean `whitepaper`?");
    assert!(only("[limits]", "[unheardof]\n[limits]").mend.starts_with("remove it"));
}

#[test]
fn names_and_symbols_have_an_end() {
    let name = |length| format!("name = \"{}\"", "ä".repeat(length));
    accepts("name = \"Aurora\"", &name(128));
    let problem = only("name = \"Aurora\"", &name(129));
    assert_eq!((problem.message.as_str(), problem.mend.as_str()), ("has 129 characters", "write at most 128"));
    let symbol = |length| format!("symbol = \"{}\"", "A".repeat(length));
    accepts("symbol = \"AUR\"", &symbol(32));
    assert_eq!(only("symbol = \"AUR\"", &symbol(33)).mend, "write at most 32");
    let problem = problems(&HARBOR.replacen("symbol = \"USDD\"", &symbol(5_000), 1)).remove(0);
    assert_eq!((problem.key.as_str(), problem.mend.as_str()), ("payment.symbol", "write at most 32"));
    let problem = only("soft_cap = \"250\"", &format!("soft_cap = \"{}\"", "x".repeat(5_000)));
    assert!(problem.message.len() < 200, "{}", problem.message);
}

#[test]
fn boundaries_of_the_contracts() {
    accepts("soft_cap = \"250\"", "soft_cap = \"1000\"");
    assert_eq!(only("soft_cap = \"250\"", "soft_cap = \"1000.000000000000000001\"").key, "sale.soft_cap");
    assert_eq!(only("soft_cap = \"250\"", "soft_cap = \"0\"").key, "sale.soft_cap");
    accepts("min = \"0.05\"", "min = \"50\"");
    assert_eq!(only("min = \"0.05\"", "min = \"50.000000000000000001\"").key, "limits.min");
    accepts("max = \"50\"", "max = \"1000\"");
    assert_eq!(only("max = \"50\"", "max = \"1000.000000000000000001\"").key, "limits.max");
    assert_eq!(only("max = \"50\"", "max = \"0\"").key, "limits.max");
    // 1000 ETH at 0.001 above 200 ETH, 200 ETH at 0.0008: 250,000 + 800,000 tokens.
    accepts("for_sale = \"1100000\"", "for_sale = \"1050000\"");
    let short = only("for_sale = \"1100000\"", "for_sale = \"1049999.999999999999999999\"");
    assert!(short.mend.contains("1050000"), "{}", short.mend);
    assert_eq!(only("supply = \"2000000\"", "supply = \"1099999\"").key, "token.supply");
    accepts("supply = \"2000000\"", "supply = \"1100000\"");
    assert_eq!(only("ends = 2031-03-08T14:00:00Z", "ends = 2031-03-01T14:00:00Z").key, "phase[1].ends");
    accepts("ends = 2031-03-08T14:00:00Z", "ends = 2031-03-01T14:00:01Z");
    assert_eq!(only("ends = 2031-03-08T14:00:00Z", "ends = 2031-03-29T14:00:00Z").key, "phase[2].ends");
    // 366 days from the opening.
    accepts("ends = 2031-03-29T14:00:00Z", "ends = 2032-03-01T14:00:00Z");
    assert_eq!(only("ends = 2031-03-29T14:00:00Z", "ends = 2032-03-01T14:00:01Z").key, "phase[2].ends");
    let past = AURORA.replace("2031-", "2021-");
    assert_eq!(problems(&past).iter().map(|p| p.key.as_str()).collect::<Vec<_>>(), ["sale.opens"]);
    assert_eq!(only("price = \"0.001\"", "price = \"0\"").key, "phase[2].price");
    assert_eq!(only("price = \"0.001\"", "price = \"0.001\"\nraised_up_to = \"999\"").key, "phase[2].raised_up_to");
    accepts("price = \"0.001\"", "price = \"0.001\"\nraised_up_to = \"1000\"");
    // Below the phase before it, and not the hard cap.
    let below = problems(&AURORA.replacen("price = \"0.001\"", "price = \"0.001\"\nraised_up_to = \"199\"", 1));
    assert_eq!(below.iter().map(|p| p.key.as_str()).collect::<Vec<_>>(), ["phase[2].raised_up_to"; 2]);
}

#[test]
fn a_price_that_the_contract_cannot_keep_is_refused() {
    let problem = only("price = \"0.001\"", "price = \"0.0010000000000000001\"");
    assert!(problem.mend.contains("\"0.001\" or \"0.001000000000000001\""), "{}", problem.mend);
    let text = HARBOR.replacen("price = \"0.1\"", "price = \"0.1000001\"", 1);
    assert!(problems(&text)[0].mend.contains("\"0.1\" or \"0.100001\""), "{:?}", problems(&text));
}

#[test]
fn values_of_the_wrong_kind_say_how_to_write_them() {
    assert!(only("soft_cap = \"250\"", "soft_cap = 250").mend.contains("soft_cap = \"250\""));
    assert!(only("price = \"0.001\"", "price = 0.001").mend.contains("price = \"0.001\""));
    assert!(only("opens = 2031-03-01T14:00:00Z", "opens = \"2031-03-01T14:00:00Z\"").mend.contains("without quotes"));
    assert!(only("opens = 2031-03-01T14:00:00Z", "opens = 2031-03-01T14:00:00").message.contains("offset"));
    assert!(only("opens = 2031-03-01T14:00:00Z", "opens = 2031-03-01").message.contains("offset"));
    assert!(only("opens = 2031-03-01T14:00:00Z", "opens = 2031-03-01T14:00:00.5Z").message.contains("fraction"));
    accepts("opens = 2031-03-01T14:00:00Z", "opens = 2031-03-01T16:00:00+02:00");
}

#[test]
fn addresses() {
    let owner = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    assert!(only(owner, &owner.replace("C518", "c518")).message.contains("checksum"));
    let lower = only(owner, &owner.to_lowercase());
    assert_eq!(lower.severity, Severity::Warning);
    assert!(lower.mend.contains(owner));
    assert!(only(owner, &format!("0x{}", "0".repeat(40))).message.contains("zero address"));
    assert!(only(owner, "0x1234").message.contains("40 hexadecimal digits"));
}

#[test]
fn a_whitepaper_item_must_be_there_and_say_something() {
    let empty = |to: &str| {
        let line = AURORA.lines().find(|l| l.starts_with("purpose")).unwrap();
        let problem = only(line, to);
        (problem.key, problem.message)
    };
    let key = "whitepaper.purpose".to_owned();
    assert_eq!(empty("purpose = \" \""), (key.clone(), "is empty".to_owned()));
    assert_eq!(empty(""), (key, "is missing".to_owned()));
}

#[test]
fn a_document_needs_its_hash() {
    let uri = "timeline = \"T\"\nuri = \"https://example.org/paper.pdf\"";
    let text = AURORA.lines().map(|l| if l.starts_with("timeline") { uri } else { l }).collect::<Vec<_>>().join("\n");
    assert_eq!(problems(&text)[0].key, "whitepaper.uri");
    assert_eq!(problems(&format!("{text}\nsha256 = \"{}\"\n", "ab".repeat(32))), []);
    assert_eq!(problems(&format!("{text}\nsha256 = \"{}\"\n", "zz".repeat(32)))[0].key, "whitepaper.sha256");
}

#[test]
fn an_existing_token_needs_its_decimals_and_no_name() {
    let head = AURORA.split("[token]").next().unwrap();
    let tail = &AURORA[AURORA.find("[[phase]]").unwrap()..];
    let token =
        "[token]\naddress = \"0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512\"\nsymbol = \"AUR\"\nfor_sale = \"1100000\"\n";
    let text = format!("{head}{token}decimals = 8\n{tail}");
    assert_eq!(problems(&text), []);
    let (sale, _) = SaleFile::parse(&text, CLOCK).unwrap();
    // 0.0008 ETH per token of 8 decimals is 8e14 wei per 1e8: 8e24 per 1e18.
    assert_eq!(sale.phases[0].price.to_string(), "8000000000000000000000000");
    assert_eq!(sale.for_sale.to_string(), "110000000000000");
    assert!(sale.token_terms().is_none());
    assert_eq!(problems(&format!("{head}{token}{tail}"))[0].key, "token.decimals");
    assert_eq!(problems(&format!("{head}{token}decimals = 18\nname = \"Aurora\"\n{tail}"))[0].key, "token.name");
}

#[test]
fn broken_toml_and_nothing_at_all_are_explained() {
    assert!(problems("[sale\nname = ").iter().any(|p| p.key == "syntax" && p.line == 1));
    assert!(problems(&"{]\n".repeat(50)).len() <= 6);
    // What follows a syntax error may be there, and cannot be read: that it is missing is not said.
    let cut = problems("[sale]\nname = \"Aurora\"\nmode = \"fixed-price\nopens = 1\n[payment\n[token]\n");
    let keys: Vec<_> = cut.iter().map(|p| (p.key.as_str(), p.message.contains("missing"))).collect();
    assert!(keys.iter().any(|(key, _)| *key == "syntax") && keys.iter().all(|(_, missing)| !missing), "{cut:?}");
    let empty = problems("");
    for table in ["sale", "payment", "token", "phase", "whitepaper"] {
        assert!(empty.iter().any(|p| p.key == table), "{table}: {empty:#?}");
    }
}

#[test]
fn nine_phases_are_one_too_many() {
    let phases = |n: usize| {
        let phase = |i| {
            format!(
                "[[phase]]\nname = \"p\"\nends = 2031-03-{:02}T14:00:00Z\nprice = \"0.001\"\nraised_up_to = \"{}\"\n",
                2 + i,
                if i + 1 == n { 1000 } else { 10 * i }
            )
        };
        let head = AURORA.split("[[phase]]").next().unwrap();
        let tail = &AURORA[AURORA.find("[whitepaper]").unwrap()..];
        format!("{head}{}{tail}", (0..n).map(phase).collect::<String>())
    };
    assert_eq!(problems(&phases(8)), []);
    assert_eq!(problems(&phases(9))[0].key, "phase");
    assert_eq!(problems(&phases(9)).len(), 1);
}

/// Meridian with one text replaced, and its only problem.
fn only_meridian(from: &str, to: &str) -> Problem {
    let text = include_str!("../../../contracts/examples/meridian-prorata.toml");
    assert!(text.contains(from), "{from}");
    let mut found = problems(&text.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:#?}");
    found.remove(0)
}

#[test]
fn modes_and_schedules_say_what_is_wrong_beside_their_line() {
    let key = |from, to| only_meridian(from, to).key;
    assert_eq!(key("mode = \"pro-rata\"", "mode = \"prorata\""), "sale.mode");
    assert_eq!(key("cooling_off = \"14d\"", "cooling_off = \"2w\""), "sale.cooling_off");
    assert_eq!(key("cooling_off = \"14d\"", "cooling_off = \"367d\""), "sale.cooling_off");
    assert_eq!(key("at_once = \"20%\"", "at_once = \"20\""), "vesting.at_once");
    assert_eq!(key("at_once = \"20%\"", "at_once = \"20.001%\""), "vesting.at_once");
    assert_eq!(key("at_once = \"20%\"", "at_once = \"100.01%\""), "vesting.at_once");
    assert_eq!(key("cliff = \"90d\"", "cliff = \"366d\""), "vesting.cliff");
    assert_eq!(key("duration = \"365d\"", "duration = \"3654d\""), "vesting.duration");
    assert_eq!(key("objection = \"50%\"", "objection = \"100%\""), "release.objection");
    assert_eq!(key("amount = \"150000\"", "amount = \"0\""), "allocation[1].amount");
    assert_eq!(key("amount = \"150000\"", "amount = \"600001\""), "token.supply");
    assert_eq!(key("duration = \"730d\"", "cliff = \"731d\"\nduration = \"730d\""), "allocation[2].cliff");
    assert_eq!(key("gate = \"voucher\"", "gate = \"vouchers\""), "phase[1].gate");
    assert_eq!(key("gate = \"voucher\"", "gate = \"list\""), "phase[1].list");
    assert_eq!(key("gate = \"voucher\"", "gate = \"voucher\"\nraised_up_to = \"700\""), "phase[1].raised_up_to");
    assert_eq!(key("kind = \"restricted\"", "kind = \"erc1404\""), "token.kind");
    let signer = "voucher_signer = \"0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f\"";
    assert!(only_meridian(signer, "").mend.contains("voucher_signer"));
    let auction = only_meridian("mode = \"pro-rata\"", "mode = \"dutch-auction\"");
    assert_eq!((auction.key.as_str(), auction.line), ("sale.cooling_off", 13));
}

#[test]
fn a_list_is_read_beside_the_sale_file() {
    let text = include_str!("../../../contracts/examples/polar-auction.toml");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples");
    let (sale, _) = SaleFile::parse_in(text, &folder, CLOCK).unwrap();
    let Gate::List { root } = sale.phases[0].gate else { panic!("{:?}", sale.phases[0].gate) };
    assert!(!root.is_zero());
    assert_eq!(problems(text)[0].key, "phase[1].list");
    let both = text.replace("list = \"polar", &format!("list_root = \"{root}\"\nlist = \"polar"));
    assert!(SaleFile::parse_in(&both, &folder, CLOCK).is_ok());
    let other = text.replace("list = \"polar", &format!("list_root = \"0x{}\"\nlist = \"polar", "11".repeat(32)));
    assert!(SaleFile::parse_in(&other, &folder, CLOCK).is_err());
}

#[test]
fn an_auction_whose_tokens_are_worth_less_than_the_goal_is_refused() {
    let text = include_str!("../../../contracts/examples/polar-auction.toml");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/examples");
    let with = |soft: &str| SaleFile::parse_in(&text.replace("\"150\"", soft), &folder, CLOCK);
    assert!(with("\"300\"").is_ok());
    let Err(SaleFileError::Problems(found)) = with("\"300.1\"") else { panic!("accepted") };
    assert!(found[0].message.contains("all the tokens at the lowest price are worth 300 ETH"), "{found:#?}");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(cut in 0..AURORA.len(), insert: String) {
        let cut = (0..=cut).rev().find(|i| AURORA.is_char_boundary(*i)).unwrap_or(0);
        let _ = SaleFile::parse(&format!("{}{insert}{}", &AURORA[..cut], &AURORA[cut..]), CLOCK);
    }
}

#[test]
fn outcomes_add_up_to_the_unit() {
    let sum = |flows: &[Flow], asset: FlowAsset, least: bool| -> U256 {
        let of = flows.iter().filter(|f| f.asset == asset && f.least != U256::ZERO);
        of.map(|f| if least { f.least } else { f.most.unwrap() }).sum()
    };
    for text in [AURORA, HARBOR, include_str!("../../../contracts/examples/meridian-prorata.toml")] {
        // A goal and a cap whose quarter is no whole number of base units.
        let text = text
            .replace("soft_cap = \"200\"", "soft_cap = \"200.000000000000000003\"")
            .replace("hard_cap = \"800\"", "hard_cap = \"799.999999999999999999\"");
        let (sale, _) = SaleFile::parse(&text, CLOCK).unwrap();
        let all = sale.outcomes();
        let TokenEntry::New { supply, .. } = sale.token else { panic!("the examples create their tokens") };
        assert_eq!(sum(&all.created, FlowAsset::Tokens, true), supply);
        assert_eq!(sum(&all.succeeded, FlowAsset::Money, true), sale.soft_cap);
        assert_eq!(sum(&all.succeeded, FlowAsset::Money, false), sale.hard_cap);
        for undone in [&all.failed, &all.cancelled] {
            assert_eq!(sum(undone, FlowAsset::Tokens, true), sale.tokens_needed());
            let money: Vec<_> = undone.iter().filter(|f| f.asset == FlowAsset::Money).collect();
            assert_eq!(money.len(), 1);
            assert_eq!((money[0].to, money[0].most), (Receiver::Investors, Some(sale.soft_cap - U256::ONE)));
        }
    }
}
