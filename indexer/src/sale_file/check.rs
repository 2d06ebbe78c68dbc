//! The rules: those of `TermsCheck.sol`, and those that keep a deployment from surprising its owner.

mod phases;
mod schedules;

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};

use super::{
    Allocation, Clock, Lines, Mode, SaleFile, TokenEntry, Whitepaper,
    bounds::{MAX_AMOUNT, cost_of, highest_in_auction, highest_soft_cap, tokens_needed},
    draft::{Draft, DraftToken, DraftTokenKind},
    section::{At, Reader, quoted},
};
use crate::{
    types::Amount,
    types::{
        clock::utc,
        units::{Asset, Decimal, UnitsError},
    },
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

    let mode =
        draft.mode.as_ref().map(|m| Mode::from_word(m.value)).or((!draft.mode_is_broken).then_some(Mode::FixedPrice));
    let phases = phases::check(reader, &draft, mode, hard_cap.as_ref());
    let schedules = mode.and_then(|mode| schedules::cooling_off(reader, &draft, mode));
    let (vesting, release) =
        (schedules::vesting(reader, draft.vesting.as_ref()), schedules::release(reader, draft.release.as_ref()));
    let allocations = schedules::allocations(reader, &draft);
    let (token, for_sale) = check_token(reader, &draft.token, allocations.as_deref());
    if let (Some(soft), Some(hard), Some(for_sale), Some(phases), Some(mode)) =
        (&soft_cap, &hard_cap, &for_sale, &phases, mode)
        && let (Some(payment), Some(asset)) = (&payment, &draft.token.asset)
    {
        let last = phases.last().map_or(U256::ONE, |p| p.price);
        if mode != Mode::DutchAuction {
            let bounds: Vec<_> = phases.iter().map(|p| (p.raised_up_to, p.price)).collect();
            check_for_sale(reader, for_sale, tokens_needed(&bounds), asset);
        }
        if soft.value <= hard.value && !soft.value.is_zero() {
            // In an auction all the tokens at the lowest price can be worth less than the hard cap.
            let worth = cost_of(for_sale.value, last);
            let (reach, highest) = if mode == Mode::DutchAuction {
                let first = phases.first().map_or(last, |p| p.price);
                (hard.value.min(worth), highest_in_auction(hard.value, worth, first, last))
            } else {
                (hard.value, highest_soft_cap(hard.value, last))
            };
            check_reach(reader, soft, reach, highest, payment);
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
    Some(SaleFile {
        mode: mode?,
        name: draft.name?.value,
        owner: draft.owner?.value,
        compliance: optional(draft.compliance, draft.compliance_is_broken)?,
        voucher_signer: optional(draft.voucher_signer, draft.voucher_signer_is_broken)?,
        cooling_off: schedules?,
        vesting: vesting?,
        release: release?,
        allocations: allocations?,
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

/// An address that may be missing, and then is zero.
fn optional(at: Option<At<Address>>, is_broken: bool) -> Option<Address> {
    (!is_broken).then(|| at.map(|a| a.value).unwrap_or_default())
}

fn check_for_sale(reader: &Reader<'_>, for_sale: &At<U256>, needed: U256, asset: &Asset) {
    if for_sale.value < needed {
        let message = format!(
            "is fewer than the hard cap can buy, which is {} at the prices of the phases",
            asset.amount(needed)
        );
        reader.error_at(for_sale, message, format!("write \"{}\" or more", units(needed, asset)));
    }
}

/// The soft cap must be reachable to the last base unit; `reach` is the most that can be taken, `highest` the highest soft cap
/// that no dust can put out of reach.
fn check_reach(reader: &Reader<'_>, soft: &At<U256>, reach: U256, highest: U256, asset: &Asset) {
    if soft.value <= highest {
        return;
    }
    let mend = format!("write \"{}\" or less", units(highest, asset));
    if soft.value > reach {
        let message =
            format!("cannot be reached: all the tokens at the lowest price are worth {}", asset.amount(reach));
        reader.error_at(soft, message, mend);
    } else {
        let message = "is so near the most that can be taken that less than one base unit of the token costs could be left \
                       below it, and nobody could reach it then";
        reader.error_at(soft, message, mend);
    }
}

fn units(raw: U256, asset: &Asset) -> String {
    Amount(raw).to_units(asset.decimals)
}

/// Base units of an amount, in 120 bits. Where the decimals are unknown the text is checked all the same.
fn read_amount(reader: &Reader<'_>, at: &At<String>, asset: Option<&Asset>) -> Option<At<U256>> {
    let number = Decimal::parse(&at.value);
    let Some(asset) = asset else {
        if let Err(error) = number {
            reader.error_at(
                at,
                format!("{} {error}", quoted(&at.value)),
                "write a decimal number in quotes, such as \"1.5\"",
            );
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
            let message = format!(
                "{} has more digits after the point than {} has: {}",
                quoted(&at.value),
                asset.symbol,
                asset.decimals
            );
            reader.error_at(at, message, format!("write at most {} digits after the point", asset.decimals));
            None
        }
        Err(error) => {
            reader.error_at(
                at,
                format!("{} {error}", quoted(&at.value)),
                "write a decimal number in quotes, such as \"1.5\"",
            );
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

fn check_token(
    reader: &Reader<'_>,
    draft: &DraftToken,
    allocations: Option<&[Allocation]>,
) -> (Option<TokenEntry>, Option<At<U256>>) {
    let for_sale = draft.for_sale.as_ref().and_then(|at| read_amount(reader, at, draft.asset.as_ref()));
    let token = match &draft.kind {
        Some(DraftTokenKind::Existing { address }) => Some(TokenEntry::Existing { address: address.value }),
        Some(DraftTokenKind::New { name, supply, contract_uri, restricted }) => {
            let supply = supply.as_ref().and_then(|at| read_amount(reader, at, draft.asset.as_ref()));
            if let (Some(supply), Some(for_sale), Some(allocations), Some(asset)) =
                (&supply, &for_sale, allocations, &draft.asset)
            {
                let kept: U256 = allocations.iter().map(|a| a.amount).sum();
                check_supply(reader, supply, for_sale.value, kept, asset);
            }
            name.as_ref().zip(supply).zip(*restricted).map(|((name, supply), restricted)| TokenEntry::New {
                name: name.value.clone(),
                supply: supply.value,
                contract_uri: contract_uri.as_ref().map(|u| u.value.clone()).unwrap_or_default(),
                restricted,
            })
        }
        None => None,
    };
    (token, for_sale)
}

fn check_supply(reader: &Reader<'_>, supply: &At<U256>, for_sale: U256, kept: U256, asset: &Asset) {
    if supply.value >= for_sale + kept {
        return;
    }
    let (written, sold) = (asset.amount(supply.value), asset.amount(for_sale));
    let message = if kept.is_zero() {
        format!("{written} is below the {sold} for sale")
    } else {
        format!("{written} is below the {sold} for sale and the {} allocated", asset.amount(kept))
    };
    reader.error_at(supply, message, "raise the supply: what is neither for sale nor allocated goes to sale.owner");
}
