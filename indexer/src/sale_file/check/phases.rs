//! The rules of phases: their ends, caps, prices and gates, in each mode.

use alloy::primitives::{B256, U256};

use super::{
    super::{
        Gate, Mode, PhaseEntry,
        bounds::{MAX_DURATION, MAX_PHASES, MAX_PRICE},
        draft::{Draft, DraftPhase},
        section::{At, Reader, quoted},
    },
    read_amount, units,
};
use crate::{
    types::Amount,
    types::{
        clock::{span, utc},
        units::Decimal,
    },
};

/// The phases, if all of them are right.
pub fn check(
    reader: &Reader<'_>,
    draft: &Draft,
    mode: Option<Mode>,
    hard_cap: Option<&At<U256>>,
) -> Option<Vec<PhaseEntry>> {
    let count = draft.phases.len();
    if count > MAX_PHASES {
        let line = draft.phases[MAX_PHASES].line;
        reader.error(
            line,
            "phase",
            format!("there are {count} phases, and at most {MAX_PHASES} are possible"),
            "join some",
        );
    }
    let mut right = (1..=MAX_PHASES).contains(&count);
    let mut previous_end = draft.opens.as_ref().map(|o| o.value);
    let mut previous_cap = Some(U256::ZERO);
    let mut previous_price = None;
    let mut entries = Vec::with_capacity(count);
    for (index, phase) in draft.phases.iter().enumerate() {
        if let (Some(ends), Some(previous)) = (&phase.ends, previous_end)
            && ends.value <= previous
        {
            let before = if index == 0 { "the opening" } else { "the end of the phase before it" };
            let message = format!("{} is not after {before}, {}", utc(ends.value), utc(previous));
            reader.error_at(ends, message, "phases stand in the order of their ends: set it later");
            right = false;
        }
        let cap = match &phase.raised_up_to {
            Some(at) => read_amount(reader, at, draft.payment.asset.as_ref()),
            None => hard_cap.map(|h| At { value: h.value, key: format!("phase[{}]", index + 1), line: phase.line }),
        };
        if let (Some(cap), Some(previous), Some(asset)) = (&cap, previous_cap, &draft.payment.asset)
            && cap.value < previous
        {
            let message = format!(
                "{} is below the {} of the phase before it: it counts the whole sale, not the phase",
                asset.amount(cap.value),
                asset.amount(previous)
            );
            reader.error_at(cap, message, format!("write \"{}\" or more", units(previous, asset)));
            right = false;
        }
        let price = phase.price.as_ref().and_then(|at| read_price(reader, at, draft));
        right &= mode.is_none_or(|mode| check_mode(reader, phase, mode, price, previous_price, cap.as_ref(), hard_cap));
        let gate = check_gate(reader, draft, phase, index);
        previous_price = price;
        previous_end = phase.ends.as_ref().map(|e| e.value);
        previous_cap = cap.as_ref().map(|c| c.value);
        let entry = phase_entry(phase, price, cap, gate);
        right &= entry.is_some();
        entries.extend(entry);
    }
    if let (Some(hard), Some(last), Some(at), Some(asset)) =
        (hard_cap, previous_cap, draft.phases.last().and_then(|p| p.raised_up_to.as_ref()), &draft.payment.asset)
        && last != hard.value
        // Elsewhere no phase has a cap of its own, which is told already.
        && mode.is_none_or(|m| m == Mode::FixedPrice)
    {
        let message = format!("the last phase must sell up to the hard cap {}", asset.amount(hard.value));
        reader.error_at(at, message, "remove the line: the hard cap is the default");
        right = false;
    }
    if let (Some(opens), Some(ends)) = (&draft.opens, draft.phases.last().and_then(|p| p.ends.as_ref()))
        && ends.value.saturating_sub(opens.value) > MAX_DURATION
    {
        let message = format!(
            "the sale would run for {}, and may run for {} at most: nobody's money waits longer for an outcome",
            span(ends.value - opens.value),
            span(MAX_DURATION)
        );
        reader.error_at(ends, message, format!("end by {}", utc(opens.value + MAX_DURATION)));
        right = false;
    }
    right.then_some(entries)
}

/// What a mode asks of a phase beyond its place in the order.
fn check_mode(
    reader: &Reader<'_>,
    phase: &DraftPhase,
    mode: Mode,
    price: Option<U256>,
    before: Option<U256>,
    cap: Option<&At<U256>>,
    hard_cap: Option<&At<U256>>,
) -> bool {
    if mode == Mode::FixedPrice {
        return true;
    }
    let mut right = true;
    if let (Some(at), Some(cap), Some(hard)) = (&phase.raised_up_to, cap, hard_cap)
        && cap.value != hard.value
    {
        let message = format!("no phase of {} has a cap of its own", mode.words());
        reader.error_at(at, message, "remove the line: the hard cap is the default");
        right = false;
    }
    if let (Some(at), Some(price), Some(before)) = (&phase.price, price, before) {
        if mode == Mode::ProRata && price != before {
            let message = "differs from the price before it, and a pro-rata sale has one price";
            reader.error_at(at, message, "write the same price in every phase");
            right = false;
        }
        if mode == Mode::DutchAuction && price > before {
            let message = "is above the price before it, and in an auction the price falls";
            reader.error_at(at, message, "write the price with which the phase begins, at most that of the one before");
            right = false;
        }
    }
    right
}

/// Who may contribute in the phase. `None` where it cannot be.
fn check_gate(reader: &Reader<'_>, draft: &Draft, phase: &DraftPhase, index: usize) -> Option<Gate> {
    let word = match &phase.gate {
        Some(at) => at.value,
        None if phase.gate_is_broken => return None,
        None => "open",
    };
    let given: Option<&At<B256>> = phase.list_root.as_ref().or(phase.list.as_ref());
    if word != "list" {
        for at in [&phase.list_root, &phase.list].into_iter().flatten() {
            let message = format!("names a list, and the phase's gate is \"{word}\"");
            reader.error_at(at, message, "write gate = \"list\", or remove the line");
        }
        if given.is_some() || phase.list_is_broken {
            return None;
        }
    }
    match word {
        "voucher" => {
            if draft.voucher_signer.is_none() && !draft.voucher_signer_is_broken {
                let message = "asks for vouchers, and nobody is named who signs them";
                let mend = "add voucher_signer = \"0x…\" to [sale]";
                if let Some(at) = &phase.gate {
                    reader.error_at(at, message, mend);
                }
                return None;
            }
            Some(Gate::Voucher)
        }
        "list" => {
            if let (Some(root), Some(list)) = (&phase.list_root, &phase.list)
                && root.value != list.value
            {
                let message = format!("is not the root of the list, which is {}", list.value);
                reader.error_at(root, message, "remove one of the two lines");
                return None;
            }
            if given.is_none() && !phase.list_is_broken {
                let mend = "add list = \"TREE.json\", the file that `crowdsale allowlist build` made, or its list_root";
                reader.missing(
                    phase.line,
                    &format!("phase[{}].list", index + 1),
                    "is missing: the gate is a list",
                    mend,
                );
            }
            Some(Gate::List { root: given?.value })
        }
        _ => Some(Gate::Open),
    }
}

fn phase_entry(
    phase: &DraftPhase,
    price: Option<U256>,
    cap: Option<At<U256>>,
    gate: Option<Gate>,
) -> Option<PhaseEntry> {
    Some(PhaseEntry {
        name: phase.name.as_ref()?.value.clone(),
        ends: phase.ends.as_ref()?.value,
        raised_up_to: cap?.value,
        price: price?,
        price_text: phase.price.as_ref()?.value.clone(),
        gate: gate?,
    })
}

/// The contract's price: payment base units per 1e18 token base units. The text is payment units per whole token.
fn read_price(reader: &Reader<'_>, at: &At<String>, draft: &Draft) -> Option<U256> {
    let number = match Decimal::parse(&at.value) {
        Ok(number) => number,
        Err(error) => {
            reader.error_at(
                at,
                format!("{} {error}", quoted(&at.value)),
                "write payment units per whole token, such as \"0.001\"",
            );
            return None;
        }
    };
    let (payment, token) = (draft.payment.asset.as_ref()?, draft.token.asset.as_ref()?);
    let exponent = i32::from(payment.decimals) + 18 - i32::from(token.decimals);
    let (price, exact) = match number.scaled_rounding_down(exponent) {
        Ok(price) => price,
        Err(error) => {
            reader.error_at(at, format!("{} {error}", quoted(&at.value)), "write a smaller price");
            return None;
        }
    };
    let as_text = |price| Amount(price).to_units(u8::try_from(exponent).unwrap_or(0));
    if !exact {
        let message = format!(
            "{} is finer than the contract's price, which is a whole number of {} base units per 10^18 base units of {}",
            quoted(&at.value),
            payment.symbol,
            token.symbol
        );
        let above = price + U256::ONE;
        let mend = match (exponent >= 0, price.is_zero()) {
            (false, _) => "round it up to a whole multiple".to_owned(),
            (true, true) => format!("write \"{}\", the next price", as_text(above)),
            (true, false) => format!("write \"{}\" or \"{}\", the prices next to it", as_text(price), as_text(above)),
        };
        reader.error_at(at, message, mend);
        return None;
    }
    if price.is_zero() {
        reader.error_at(at, "is zero: the phase would give tokens away", "write payment units per whole token");
        return None;
    }
    if price > MAX_PRICE {
        reader.error_at(
            at,
            "is more than the contracts can keep, which is 2^128 - 1 base units",
            "write a smaller price",
        );
        return None;
    }
    Some(price)
}
