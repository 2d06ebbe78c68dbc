//! What a sale file comes to, for a last look: who can do what, and what is free when.

use alloy::primitives::{Address, B256};

use crate::cli::{
    clock::{span, utc},
    printer::table,
    sale_file::{Gate, Mode, PhaseEntry, SaleFile, TokenEntry, unlocks},
};

/// A table of the terms in words.
pub fn summary(sale: &SaleFile, hash: B256) -> String {
    let pay = |raw| sale.payment.amount(raw).to_string();
    let phases: Vec<_> = sale.phases.iter().map(|p| phase(sale, p)).collect();
    let token = match &sale.token {
        TokenEntry::Existing { address } => format!("{} ({address})", sale.token_asset.symbol),
        TokenEntry::New { name, supply, restricted, .. } => {
            let kind = if *restricted { ", for approved holders only" } else { "" };
            format!("{name}, new, {} in all{kind}", sale.token_asset.amount(*supply))
        }
    };
    let mut rows = vec![
        ("name", sale.name.clone()),
        ("mode", mode(sale.mode).to_owned()),
        ("opens", utc(sale.opens)),
        ("closes", format!("{}, after {}", utc(sale.closes()), span(sale.closes().saturating_sub(sale.opens)))),
        ("caps", format!("{} to {}", pay(sale.soft_cap), pay(sale.hard_cap))),
        ("per investor", format!("{} to {}", pay(sale.min), pay(sale.max))),
        ("phases", phases.join("\n")),
        ("token", token),
        ("for sale", sale.token_asset.amount(sale.for_sale).to_string()),
    ];
    rows.extend(unlocks(sale));
    rows.push(("owner", sale.owner.to_string()));
    rows.extend(named("compliance", sale.compliance));
    rows.extend(named("voucher signer", sale.voucher_signer));
    rows.extend([("beneficiary", sale.beneficiary.to_string()), ("SHA-256", hash.to_string())]);
    table(&rows)
}

fn named(name: &'static str, address: Address) -> Option<(&'static str, String)> {
    (!address.is_zero()).then(|| (name, address.to_string()))
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::FixedPrice => "fixed price: who pays first is served first",
        Mode::ProRata => "pro rata: all who paid share by what they paid, and what is above the hard cap comes back",
        Mode::DutchAuction => {
            "Dutch auction: the price falls from each phase to the next, and all pay the last one reached"
        }
    }
}

fn phase(sale: &SaleFile, p: &PhaseEntry) -> String {
    let (payment, token) = (&sale.payment.symbol, &sale.token_asset.symbol);
    let cap = sale.payment.amount(p.raised_up_to);
    let limit = match sale.mode {
        Mode::FixedPrice => format!(" or {cap} in all"),
        Mode::ProRata | Mode::DutchAuction => String::new(),
    };
    let gate = match p.gate {
        Gate::Open => "",
        Gate::Voucher => ", with a voucher",
        Gate::List { .. } => ", for those on the list",
    };
    format!("{}: {} {payment} per {token}, until {}{limit}{gate}", p.name, p.price_text, utc(p.ends))
}
