use std::{collections::BTreeMap, fs, path::Path};

use alloy::{
    hex,
    json_abi::{Error, JsonAbi},
    primitives::{Address, B256, keccak256},
};

use super::*;

fn abi_errors() -> Vec<Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/abi");
    let mut errors = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let abi: JsonAbi = serde_json::from_value(file["abi"].clone()).unwrap();
        for error in abi.errors() {
            errors.insert(error.signature(), error.clone());
        }
    }
    errors.into_values().collect()
}

/// Revert data with a telling value for each argument: 10^18 and up for amounts, moments, days, shares, 1 for enums, a text for
/// strings.
fn example(error: &Error) -> Vec<u8> {
    let mut head = error.selector().to_vec();
    let mut tail = Vec::new();
    let number = |n: u64| B256::from(U256::from(n));
    for (index, input) in error.inputs.iter().enumerate() {
        let name = input.name.as_str();
        let index = index as u64;
        let is_schedule = ["VestingInvalid", "TapInvalid"].contains(&error.name.as_str());
        let word = match input.ty.as_str() {
            "address" => Address::repeat_byte(0x11).into_word(),
            "uint8" | "bool" => B256::with_last_byte(1),
            "bytes32" => keccak256("example"),
            "string" => {
                tail.extend(B256::with_last_byte(4));
                tail.extend(b"text");
                tail.extend([0; 28]);
                B256::from(U256::from(32 * error.inputs.len()))
            }
            // An allocation: beneficiary, amount, cliff, duration.
            "tuple" => {
                head.extend(Address::repeat_byte(0x22).into_word());
                head.extend(number(1_500_000_000_000_000_000));
                head.extend(number(86_400));
                number(30 * 86_400 + 1)
            }
            "uint64" => number(86_400 + index),
            _ if is_schedule && ["atOnce", "objection"].contains(&name) => number(2_050),
            _ if is_schedule || name == "coolingOff" || (name == "max" && error.name.starts_with("Cooling")) => {
                number(86_400 * (30 + index))
            }
            _ if name == "max" && error.name == "AllocationInvalid" => number(86_400 * 3_653),
            _ if ["opens", "closes", "end", "previous", "blockTimestamp", "deadline", "until", "from", "complete"]
                .contains(&name)
                && error.name != "PhaseCapBelow" =>
            {
                number(1_930_140_000)
            }
            _ if ["schedule", "cliff"].contains(&name) => number(1_930_140_000),
            _ if [
                "index",
                "count",
                "max",
                "duration",
                "length",
                "currentNonce",
                "phase",
                "epoch",
                "holders",
                "untils",
            ]
            .contains(&name) =>
            {
                number(8 + index)
            }
            _ if name == "phases" => number(5),
            _ => number(1_500_000_000_000_000_000 + index),
        };
        head.extend(word);
    }
    [head, tail].concat()
}

#[test]
fn every_error_of_every_contract_has_a_sentence() {
    let assets = Assets { currency: Some((18, "ETH".to_owned())), token: Some((18, "AUR".to_owned())) };
    let errors = abi_errors();
    assert!(errors.len() > 120, "{} errors found: are the ABI files there?", errors.len());
    let mut page = String::new();
    for error in errors {
        let explanation = explain(&example(&error), &assets, Asker::CommandLine);
        assert_eq!(explanation.name, Some(error.name.as_str()), "{} has no sentence", error.signature());
        assert!(!explanation.next.is_empty());
        page += &format!("{}\n  {}\n  {}\n", error.signature(), explanation.sentence, explanation.next);
    }
    insta::assert_snapshot!(page);
}

/// Who sends requests has no command line, and has fields where that has flags.
#[test]
fn no_advice_over_the_api_names_a_command_or_a_flag() {
    let assets = Assets { currency: Some((18, "ETH".to_owned())), token: Some((18, "AUR".to_owned())) };
    // An enum in an error decides what is advised: all that this program knows, and one that it does not.
    let variants = |error: &Error| {
        let data = example(error);
        let enums = error.inputs.iter().enumerate().filter(|(_, input)| input.ty == "uint8");
        let mut all = vec![data.clone()];
        for (index, _) in enums {
            all.extend((0..=6).map(|value| {
                let mut data = data.clone();
                data[4 + 32 * index + 31] = value;
                data
            }));
        }
        all
    };
    let foreign =
        [Revert::from("paused").abi_encode(), Panic::from(1).abi_encode(), Vec::new(), hex!("deadbeef").to_vec()];
    let mut advised = 0;
    for data in abi_errors().iter().flat_map(variants).chain(foreign) {
        let told = explain(&data, &assets, Asker::Api);
        let at_line = explain(&data, &assets, Asker::CommandLine);
        assert_eq!((&told.name, &told.sentence), (&at_line.name, &at_line.sentence));
        for part in ["crowdsale ", "--", " SALE", "FILE", ".json", ".csv", "TOKEN"] {
            assert!(!told.next.contains(part), "{:?} advises: {}", told.name, told.next);
        }
        assert!(!told.next.is_empty());
        advised += usize::from(told.next != at_line.next);
    }
    assert!(advised > 50, "{advised} are said in two ways");
}

#[test]
fn foreign_reverts_are_shown_as_they_are() {
    let assets = Assets::default();
    let revert = Revert::from("paused").abi_encode();
    assert_eq!(explain(&revert, &assets, Asker::CommandLine).sentence, "a contract refused it: paused");
    assert!(explain(&[], &assets, Asker::CommandLine).sentence.contains("without a reason"));
    assert!(explain(&hex!("deadbeef00"), &assets, Asker::CommandLine).sentence.contains("0xdeadbeef00"));
    assert_eq!(explain(&hex!("deadbeef"), &assets, Asker::CommandLine).name, None);
}

#[test]
fn unknown_assets_are_written_in_base_units() {
    let data = crate::contracts::FixedPriceSale::SoldOut { hardCap: U256::from(7) }.abi_encode();
    assert!(explain(&data, &Assets::default(), Asker::CommandLine).sentence.contains("7 base units"));
}
