//! What is free when, in words.

use super::{Allocation, SaleFile, schedule};
use crate::{
    contracts::FixedPriceSale::{Tap, Vesting},
    types::clock::{span, utc},
};

/// What is free when, by what it is.
pub fn unlocks(sale: &SaleFile) -> Vec<(&'static str, String)> {
    let terms = sale.terms();
    let (v, t) = (&terms.vesting, &terms.tap);
    let vesting = Vesting { atOnce: v.atOnce, cliff: v.cliff, duration: v.duration };
    let tap = Tap { atOnce: t.atOnce, duration: t.duration, objection: t.objection };
    let mut rows = vec![
        ("tokens", format!("can be claimed: {}", schedule::vesting(&vesting, None))),
        ("money", format!("is paid: {}", schedule::release(&tap, None))),
        (
            "withdrawal",
            match sale.cooling_off {
                0 => "an investor cannot withdraw".to_owned(),
                time => format!("until {} after the investor's latest contribution, before the end", span(time)),
            },
        ),
    ];
    let kept: Vec<_> = sale
        .allocations
        .iter()
        .map(|a| {
            let when = allocation(sale, a);
            let amount = sale.token_asset.amount(a.amount);
            format!("{}: {amount} to {}\nif the sale succeeds, {when}", a.name, a.beneficiary)
        })
        .collect();
    if !kept.is_empty() {
        rows.push(("team keeps", kept.join("\n")));
    }
    rows
}

/// When tokens that the team keeps are free, if the sale succeeds.
pub(super) fn allocation(sale: &SaleFile, a: &Allocation) -> String {
    let from = |seconds: u64| utc(sale.closes().saturating_add(seconds));
    match (a.cliff, a.duration) {
        (_, 0) => "all with the success".to_owned(),
        (0, _) => format!("by the second from {}, all of them from {}", from(0), from(a.duration)),
        _ => format!("none before {}, then by the second, all of them from {}", from(a.cliff), from(a.duration)),
    }
}
