//! The rules: those of `TermsCheck.sol`, and those that keep a deployment from surprising its owner.

use std::collections::BTreeMap;

use alloy::primitives::U256;

use super::{
    Clock, Lines, PhaseEntry, SaleFile, TokenEntry, Whitepaper,
    bounds::{MAX_AMOUNT, MAX_DURATION, MAX_PHASES, MAX_PRICE, highest_soft_cap, tokens_needed},
    draft::{Draft, DraftPhase, DraftToken, DraftTokenKind},
    section::{At, Reader},
};
use crate::{
    cli::{
        clock::{span, utc},
        units::{Asset, Decimal, UnitsError},
    },
    types::Amount,
};

/// Checks all that can be checked without a node. `None` where a value is missing or wrong, which is noted then.
pub fn check(reader: &Reader<'_>, draft: Draft, clock: Option<Clock>) -> Option<SaleFile> {
    let payment = draft.payment.asset.clone();
    let amount = |at: Option<&At<String>>| at.and_then(|at| read_amount(reader, at, payment.as_ref()));
    let (soft_cap, hard_cap) = (amount(draft.soft_cap.as_ref()), amount(draft.hard_cap.as_ref()));
    let min = draft.min.as_ref().map_or_else(|| hard_cap.as_ref().map(|h| h.with(U256::ZERO)), |at| amount(Some(at)));
    let max = draft.max.as_ref().map_or_else(|| hard_cap.clone(), |at| amount(Some(at)));

    if let (Some(opens), Some(clock)) = (&draft.opens, clock)
        && opens.value < clock.now
    {
        let message = format!("{} is in the past: {} it is {}", utc(opens.value), clock.by, utc(clock.now));
        reader.error_at(opens, message, "choose a time that leaves room for publishing the file and deploying");
    }
    check_caps(reader, soft_cap.as_ref(), hard_cap.as_ref(), payment.as_ref());
    check_limits(reader, min.as_ref(), max.as_ref(), hard_cap.as_ref(), payment.as_ref());

    let phases = check_phases(reader, &draft, hard_cap.as_ref());
    let phases_are_right = phases.is_some();
    if let (Some(soft), Some(hard), Some(last)) = (&soft_cap, &hard_cap, phases.as_ref().and_then(|p| p.last()))
        && soft.value <= hard.value
        && !soft.value.is_zero()
        && let Some(asset) = &payment
    {
        let highest = highest_soft_cap(hard.value, last.price);
        if soft.value > highest {
            let message = "is so near the hard cap that less than one base unit of the token costs could be left below it, \
                           and nobody could reach it then";
            reader.error_at(soft, message, format!("write \"{}\" or less", units(highest, asset)));
        }
    }

    let (token, for_sale) = check_token(reader, &draft.token);
    if let (Some(for_sale), Some(phases), Some(asset)) = (&for_sale, &phases, &draft.token.asset) {
        let bounds: Vec<_> = phases.iter().map(|p| (p.raised_up_to, p.price)).collect();
        let needed = tokens_needed(&bounds);
        if for_sale.value < needed {
            let message = format!(
                "is fewer than the hard cap can buy, which is {} at the prices of the phases",
                asset.amount(needed)
            );
            reader.error_at(for_sale, message, format!("write \"{}\" or more", units(needed, asset)));
        }
    }
    if let (Some(currency), Some(TokenEntry::Existing { address })) = (&draft.payment.currency, &token)
        && currency.value == *address
    {
        reader.error_at(currency, "is the token that is sold", "write what investors pay with");
    }

    let lines = Lines(BTreeMap::from([
        ("sale.opens", draft.opens.as_ref().map_or(1, |a| a.line)),
        ("payment.currency", draft.payment.currency.as_ref().map_or(1, |a| a.line)),
        ("token.address", draft.token.line),
        ("token.for_sale", for_sale.as_ref().map_or(1, |a| a.line)),
    ]));
    let texts =
        draft.whitepaper.texts.into_iter().map(|(key, at)| Some((key, at?.value))).collect::<Option<Vec<_>>>()?;
    phases_are_right.then_some(())?;
    Some(SaleFile {
        name: draft.name?.value,
        owner: draft.owner?.value,
        beneficiary: draft.beneficiary?.value,
        opens: draft.opens?.value,
        soft_cap: soft_cap?.value,
        hard_cap: hard_cap?.value,
        burn_unsold: draft.unsold?.value == "burn",
        file_uri: draft.file_uri.map(|a| a.value).unwrap_or_default(),
        min: min?.value,
        max: max?.value,
        currency: draft.payment.currency?.value,
        payment: draft.payment.asset?,
        token: token?,
        token_asset: draft.token.asset?,
        for_sale: for_sale?.value,
        phases: phases?,
        whitepaper: Whitepaper {
            texts,
            uri: draft.whitepaper.uri.map(|a| a.value).unwrap_or_default(),
            sha256: draft.whitepaper.sha256.map(|a| a.value).unwrap_or_default(),
        },
        lines,
    })
}

fn units(raw: U256, asset: &Asset) -> String {
    Amount(raw).to_units(asset.decimals)
}

/// Base units of an amount, in 120 bits. Where the decimals are unknown the text is checked all the same.
fn read_amount(reader: &Reader<'_>, at: &At<String>, asset: Option<&Asset>) -> Option<At<U256>> {
    let number = Decimal::parse(&at.value);
    let Some(asset) = asset else {
        if let Err(error) = number {
            reader.error_at(at, format!("{:?} {error}", at.value), "write a decimal number in quotes, such as \"1.5\"");
        }
        return None;
    };
    let raw = number.and_then(|n| n.scaled(i32::from(asset.decimals)));
    match raw {
        Ok(raw) if raw > MAX_AMOUNT => {
            let most = asset.amount(MAX_AMOUNT);
            reader.error_at(
                at,
                format!("is more than the contracts can keep, which is {most}"),
                "write a smaller amount",
            );
            None
        }
        Ok(raw) => Some(at.with(raw)),
        Err(UnitsError::TooPrecise { .. }) => {
            let message =
                format!("{:?} has more digits after the point than {} has: {}", at.value, asset.symbol, asset.decimals);
            reader.error_at(at, message, format!("write at most {} digits after the point", asset.decimals));
            None
        }
        Err(error) => {
            reader.error_at(at, format!("{:?} {error}", at.value), "write a decimal number in quotes, such as \"1.5\"");
            None
        }
    }
}

fn check_caps(reader: &Reader<'_>, soft: Option<&At<U256>>, hard: Option<&At<U256>>, asset: Option<&Asset>) {
    let (Some(soft), Some(asset)) = (soft, asset) else { return };
    if soft.value.is_zero() {
        let message = "is zero: then there is no goal to miss, and nobody would ever be refunded";
        reader.error_at(soft, message, "write the least with which the project can be done");
    }
    if let Some(hard) = hard
        && soft.value > hard.value
    {
        let message = format!("{} is above the hard cap {}", asset.amount(soft.value), asset.amount(hard.value));
        reader.error_at(soft, message, "lower the soft cap or raise the hard cap");
    }
}

fn check_limits(
    reader: &Reader<'_>,
    min: Option<&At<U256>>,
    max: Option<&At<U256>>,
    hard: Option<&At<U256>>,
    asset: Option<&Asset>,
) {
    let (Some(max), Some(asset)) = (max, asset) else { return };
    if max.value.is_zero() {
        reader.error_at(max, "is zero: nobody could contribute", "write the most that one investor may pay in all");
    } else if let Some(min) = min
        && min.value > max.value
    {
        let message = format!("{} is above the maximum {}", asset.amount(min.value), asset.amount(max.value));
        reader.error_at(min, message, "lower the minimum or raise the maximum");
    }
    if let Some(hard) = hard
        && max.value > hard.value
    {
        let message = format!("{} is above the hard cap {}", asset.amount(max.value), asset.amount(hard.value));
        reader.error_at(max, message, "lower it, or remove the line: the hard cap is the default");
    }
}

/// The phases, if all of them are right.
fn check_phases(reader: &Reader<'_>, draft: &Draft, hard_cap: Option<&At<U256>>) -> Option<Vec<PhaseEntry>> {
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
        previous_end = phase.ends.as_ref().map(|e| e.value);
        previous_cap = cap.as_ref().map(|c| c.value);
        let entry = phase_entry(phase, price, cap);
        right &= entry.is_some();
        entries.extend(entry);
    }
    if let (Some(hard), Some(last), Some(at), Some(asset)) =
        (hard_cap, previous_cap, draft.phases.last().and_then(|p| p.raised_up_to.as_ref()), &draft.payment.asset)
        && last != hard.value
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

fn phase_entry(phase: &DraftPhase, price: Option<U256>, cap: Option<At<U256>>) -> Option<PhaseEntry> {
    Some(PhaseEntry {
        name: phase.name.as_ref()?.value.clone(),
        ends: phase.ends.as_ref()?.value,
        raised_up_to: cap?.value,
        price: price?,
        price_text: phase.price.as_ref()?.value.clone(),
    })
}

/// The contract's price: payment base units per 1e18 token base units. The text is payment units per whole token.
fn read_price(reader: &Reader<'_>, at: &At<String>, draft: &Draft) -> Option<U256> {
    let number = match Decimal::parse(&at.value) {
        Ok(number) => number,
        Err(error) => {
            reader.error_at(
                at,
                format!("{:?} {error}", at.value),
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
            reader.error_at(at, format!("{:?} {error}", at.value), "write a smaller price");
            return None;
        }
    };
    let as_text = |price| Amount(price).to_units(u8::try_from(exponent).unwrap_or(0));
    if !exact {
        let message = format!(
            "{:?} is finer than the contract's price, which is a whole number of {} base units per 10^18 base units of {}",
            at.value, payment.symbol, token.symbol
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

fn check_token(reader: &Reader<'_>, draft: &DraftToken) -> (Option<TokenEntry>, Option<At<U256>>) {
    let for_sale = draft.for_sale.as_ref().and_then(|at| read_amount(reader, at, draft.asset.as_ref()));
    let token = match &draft.kind {
        Some(DraftTokenKind::Existing { address }) => Some(TokenEntry::Existing { address: address.value }),
        Some(DraftTokenKind::New { name, supply, contract_uri }) => {
            let supply = supply.as_ref().and_then(|at| read_amount(reader, at, draft.asset.as_ref()));
            if let (Some(supply), Some(for_sale), Some(asset)) = (&supply, &for_sale, &draft.asset)
                && supply.value < for_sale.value
            {
                let message =
                    format!("{} is below the {} for sale", asset.amount(supply.value), asset.amount(for_sale.value));
                reader.error_at(supply, message, "raise the supply: what is not for sale goes to sale.owner");
            }
            name.as_ref().zip(supply).map(|(name, supply)| TokenEntry::New {
                name: name.value.clone(),
                supply: supply.value,
                contract_uri: contract_uri.as_ref().map(|u| u.value.clone()).unwrap_or_default(),
            })
        }
        None => None,
    };
    (token, for_sale)
}
