//! The tables of a sale file as they were written, each value with its line. Amounts are still text: what they mean depends
//! on the decimals, which stand elsewhere in the file.

mod schedules;

use std::path::Path;

use alloy::primitives::{Address, B256};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub use schedules::{DraftAllocation, DraftSchedule};

use super::{
    list,
    section::{At, MOST_NAME, MOST_SYMBOL, Reader, Section, quoted, unknown_key},
};
use crate::types::units::Asset;

/// Currency, decimals and symbol of the payment.
#[derive(Debug)]
pub struct DraftPayment {
    pub currency: Option<At<Address>>,
    pub asset: Option<Asset>,
}

/// The token's table.
#[derive(Debug)]
pub struct DraftToken {
    pub line: usize,
    pub kind: Option<DraftTokenKind>,
    pub asset: Option<Asset>,
    pub for_sale: Option<At<String>>,
}

/// An existing token, or one to be created.
#[derive(Debug)]
pub enum DraftTokenKind {
    Existing {
        address: At<Address>,
    },
    New {
        name: Option<At<String>>,
        supply: Option<At<String>>,
        contract_uri: Option<At<String>>,
        restricted: Option<bool>,
    },
}

/// One phase.
#[derive(Debug)]
pub struct DraftPhase {
    pub line: usize,
    pub name: Option<At<String>>,
    pub ends: Option<At<u64>>,
    pub price: Option<At<String>>,
    pub raised_up_to: Option<At<String>>,
    pub gate: Option<At<&'static str>>,
    pub gate_is_broken: bool,
    pub list_root: Option<At<B256>>,
    /// The root in the list's file.
    pub list: Option<At<B256>>,
    pub list_is_broken: bool,
}

/// What is said about the project.
#[derive(Debug)]
pub struct DraftWhitepaper {
    pub texts: Vec<(&'static str, Option<At<String>>)>,
    pub uri: Option<At<String>>,
    pub sha256: Option<At<B256>>,
}

/// All tables.
#[derive(Debug)]
pub struct Draft {
    pub mode: Option<At<&'static str>>,
    pub mode_is_broken: bool,
    pub compliance: Option<At<Address>>,
    pub compliance_is_broken: bool,
    pub voucher_signer: Option<At<Address>>,
    pub voucher_signer_is_broken: bool,
    pub cooling_off: Option<At<u64>>,
    pub cooling_off_is_broken: bool,
    pub vesting: Option<DraftSchedule>,
    pub release: Option<DraftSchedule>,
    pub allocations: Vec<DraftAllocation>,
    pub name: Option<At<String>>,
    pub owner: Option<At<Address>>,
    pub beneficiary: Option<At<Address>>,
    pub opens: Option<At<u64>>,
    pub soft_cap: Option<At<String>>,
    pub hard_cap: Option<At<String>>,
    pub unsold: Option<At<&'static str>>,
    pub file_uri: Option<At<String>>,
    pub min: Option<At<String>>,
    pub max: Option<At<String>>,
    pub payment: DraftPayment,
    pub token: DraftToken,
    pub phases: Vec<DraftPhase>,
    pub whitepaper: DraftWhitepaper,
}

/// The six things that a team publishes before a sale, and an example of each.
const PUBLISHED: [(&str, &str); 6] = [
    ("purpose", "What the project is for, and for whom"),
    ("technology", "How it works, and what is built already"),
    ("capital_required", "What the money is needed for, and how much"),
    ("team_tokens", "Which part of the tokens the team keeps, and how it is locked"),
    ("money_accepted", "Ether"),
    ("timeline", "What will be done by when"),
];

const TABLES: [&str; 9] =
    ["sale", "limits", "payment", "token", "phase", "vesting", "release", "allocation", "whitepaper"];

/// How the price is formed.
pub const MODES: [&str; 3] = ["fixed-price", "pro-rata", "dutch-auction"];

const GATES: [&str; 3] = ["open", "voucher", "list"];
const KINDS: [&str; 2] = ["plain", "restricted"];

impl Draft {
    /// Reads all tables; what is wrong is noted in `reader`. Other files that are named stand in `folder`.
    pub fn read<'t>(reader: &Reader<'t>, root: &DeTable<'t>, folder: Option<&Path>) -> Self {
        for key in root.keys().filter(|k| !TABLES.contains(&k.get_ref().as_ref())) {
            unknown_key(reader, "", key.get_ref(), reader.line(&key.span()), &TABLES);
        }
        let mut sale = Section::new(reader, "sale", root.get("sale"), true);
        let mut limits = Section::new(reader, "limits", root.get("limits"), false);
        let mut draft = Self {
            mode: sale.optional_word("mode", &MODES),
            mode_is_broken: false,
            compliance: sale.optional_address("compliance"),
            compliance_is_broken: false,
            voucher_signer: sale.optional_address("voucher_signer"),
            voucher_signer_is_broken: false,
            cooling_off: sale.duration("cooling_off", false),
            cooling_off_is_broken: false,
            vesting: schedules::vesting(reader, root.get("vesting")),
            release: schedules::release(reader, root.get("release")),
            allocations: schedules::allocations(reader, root.get("allocation")),
            name: sale.short_text("name", "Aurora", MOST_NAME),
            owner: sale.address("owner"),
            beneficiary: sale.address("beneficiary"),
            opens: sale.time("opens"),
            soft_cap: sale.decimal("soft_cap", Some("100")),
            hard_cap: sale.decimal("hard_cap", Some("500")),
            unsold: sale.word("unsold", &["owner", "burn"]),
            file_uri: sale.uri("file_uri"),
            min: limits.decimal("min", None),
            max: limits.decimal("max", None),
            payment: payment(reader, root.get("payment")),
            token: token(reader, root.get("token")),
            phases: phases(reader, root.get("phase"), folder),
            whitepaper: whitepaper(reader, root.get("whitepaper")),
        };
        draft.mode_is_broken = sale.has("mode") && draft.mode.is_none();
        draft.compliance_is_broken = sale.has("compliance") && draft.compliance.is_none();
        draft.voucher_signer_is_broken = sale.has("voucher_signer") && draft.voucher_signer.is_none();
        draft.cooling_off_is_broken = sale.has("cooling_off") && draft.cooling_off.is_none();
        sale.finish();
        limits.finish();
        draft
    }
}

type Entry<'r, 't> = Option<&'r Spanned<DeValue<'t>>>;

fn payment<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> DraftPayment {
    let mut section = Section::new(reader, "payment", value, true);
    let (currency, decimals) = (section.text("currency", "ETH"), section.decimals("decimals"));
    let symbol = section.optional_text("symbol").filter(|s| !s.value.trim().is_empty());
    let symbol = symbol.map(|at| section.cut(at, MOST_SYMBOL));
    let line = section.line();
    let draft = match currency {
        Some(at) if at.value == "ETH" => {
            let ether = Asset::ether();
            if decimals.as_ref().is_some_and(|d| d.value != ether.decimals) {
                reader.error(line, "payment.decimals", "ether has 18 decimals", "remove the line");
            }
            if symbol.as_ref().is_some_and(|s| s.value != ether.symbol) {
                reader.error(line, "payment.symbol", "ether's symbol is ETH", "remove the line");
            }
            DraftPayment { currency: Some(at.with(Address::ZERO)), asset: Some(ether) }
        }
        Some(at) => {
            if !at.value.starts_with("0x") {
                let message = format!("is {}, which is neither ETH nor a token's address", quoted(&at.value));
                reader.error_at(
                    &at,
                    message,
                    "write \"ETH\", or the address of an ERC-20 with its decimals and symbol",
                );
                DraftPayment { currency: None, asset: None }
            } else {
                for (key, missing, example) in
                    [("decimals", !section.has("decimals"), "6"), ("symbol", symbol.is_none(), "\"USDC\"")]
                {
                    if missing {
                        let message =
                            "is missing: amounts in this file are meant by it, and it is compared with the chain";
                        reader.missing(line, &format!("payment.{key}"), message, format!("add {key} = {example}"));
                    }
                }
                let asset = decimals.zip(symbol).map(|(d, s)| Asset { decimals: d.value, symbol: s.value });
                DraftPayment { currency: section.read_address(&at.with(at.value.as_str())), asset }
            }
        }
        None => DraftPayment { currency: None, asset: None },
    };
    section.finish();
    draft
}

fn token<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> DraftToken {
    let mut section = Section::new(reader, "token", value, true);
    let line = section.line();
    let for_sale = section.decimal("for_sale", Some("600000"));
    let draft = if section.has("address") {
        let address = section.address("address");
        let decimals = section.decimals("decimals");
        if !section.has("decimals") {
            let message = "is missing: amounts of an existing token are meant by it, and it is compared with the chain";
            reader.missing(line, "token.decimals", message, "add decimals = 18, or what the token has");
        }
        let symbol = section.short_text("symbol", "AUR", MOST_SYMBOL);
        for key in ["name", "supply", "contract_uri", "kind"] {
            if let Some(at) = section.optional_text(key) {
                let message = "belongs to a token that is to be created, but token.address names an existing one";
                reader.error_at(&at, message, "remove this line, or token.address");
            }
        }
        let asset = decimals.zip(symbol).map(|(d, s)| Asset { decimals: d.value, symbol: s.value });
        DraftToken { line, kind: address.map(|address| DraftTokenKind::Existing { address }), asset, for_sale }
    } else {
        let symbol = section.short_text("symbol", "AUR", MOST_SYMBOL);
        if let Some(at) = section.decimals("decimals").filter(|d| d.value != 18) {
            reader.error_at(&at, "a new token has 18 decimals", "remove the line");
        }
        let kind = section.optional_word("kind", &KINDS);
        let restricted = match &kind {
            Some(at) => Some(at.value == "restricted"),
            None => (!section.has("kind")).then_some(false),
        };
        let kind = DraftTokenKind::New {
            restricted,
            name: section.short_text("name", "Aurora", MOST_NAME),
            supply: section.decimal("supply", Some("1000000")),
            contract_uri: section.uri("contract_uri"),
        };
        let symbol = symbol.map_or_else(|| "tokens".to_owned(), |s| s.value);
        DraftToken { line, kind: Some(kind), asset: Some(Asset { decimals: 18, symbol }), for_sale }
    };
    section.known(&["address"]);
    section.finish();
    draft
}

fn phases<'t>(reader: &Reader<'t>, value: Entry<'_, 't>, folder: Option<&Path>) -> Vec<DraftPhase> {
    let none = |line| {
        let mend = "add a table [[phase]] with name, ends and price";
        reader.missing(line, "phase", "the sale has no phase, and so no price and no end", mend);
        Vec::new()
    };
    let Some(value) = value else { return none(1) };
    let line = reader.line(&value.span());
    let Some(array) = value.get_ref().as_array() else {
        reader.error(line, "phase", "is not a list of phases", "write [[phase]] with two brackets on each side");
        return Vec::new();
    };
    if array.is_empty() {
        return none(line);
    }
    let read = |(index, value): (usize, &Spanned<DeValue<'t>>)| {
        let mut section = Section::new(reader, &format!("phase[{}]", index + 1), Some(value), true);
        let mut phase = DraftPhase {
            line: section.line(),
            name: section.short_text("name", "early bird", MOST_NAME),
            ends: section.time("ends"),
            price: section.decimal("price", Some("0.001")),
            raised_up_to: section.decimal("raised_up_to", None),
            gate: section.optional_word("gate", &GATES),
            gate_is_broken: false,
            list_root: section.root("list_root"),
            list: section.optional_text("list").and_then(|at| list::read_root(reader, &at, folder)),
            list_is_broken: false,
        };
        phase.gate_is_broken = section.has("gate") && phase.gate.is_none();
        phase.list_is_broken =
            (section.has("list") && phase.list.is_none()) || (section.has("list_root") && phase.list_root.is_none());
        section.finish();
        phase
    };
    array.iter().enumerate().map(read).collect()
}

fn whitepaper<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> DraftWhitepaper {
    let mut section = Section::new(reader, "whitepaper", value, true);
    let texts = PUBLISHED.iter().map(|(key, example)| (*key, section.text(key, example))).collect();
    let (uri, sha256) = (section.uri("uri"), section.sha256("sha256"));
    if let (Some(uri), false) = (&uri, section.has("sha256")) {
        let mend = "add sha256 = \"…\", the 64 digits that `sha256sum FILE` prints for the document";
        reader.error_at(
            uri,
            "is given without the document's SHA-256, so what it serves could be changed unseen",
            mend,
        );
    }
    section.finish();
    DraftWhitepaper { texts, uri, sha256 }
}
