//! The rules of time: cooling-off, vesting, release and the team's allocations.

use alloy::primitives::{Address, U256};

use super::{
    super::{
        Allocation, Mode, Release, Vesting,
        bounds::{MAX_ALLOCATIONS, MAX_DURATION, MAX_SCHEDULE},
        draft::{Draft, DraftAllocation, DraftSchedule},
        section::{At, Reader},
    },
    read_amount,
};
use crate::types::clock::span;

/// Seconds in which an investor may withdraw. `None` where it cannot be.
pub fn cooling_off(reader: &Reader<'_>, draft: &Draft, mode: Mode) -> Option<u64> {
    let Some(at) = &draft.cooling_off else { return (!draft.cooling_off_is_broken).then_some(0) };
    if at.value > MAX_DURATION {
        let message = format!("is longer than the longest sale, {}", span(MAX_DURATION));
        reader.error_at(at, message, "write a shorter time, such as \"14d\"");
        return None;
    }
    if mode == Mode::DutchAuction && at.value != 0 {
        let message = "cannot be in an auction: a bid that can be taken back would hold the others' price up";
        reader.error_at(at, message, "remove the line, or choose another mode");
        return None;
    }
    Some(at.value)
}

/// When tokens can be claimed. `None` where it cannot be.
pub fn vesting(reader: &Reader<'_>, draft: Option<&DraftSchedule>) -> Option<Vesting> {
    let Some(draft) = draft else { return Some(Vesting::default()) };
    if draft.is_broken {
        return None;
    }
    let found = Vesting {
        at_once: draft.at_once.as_ref().map_or(0, |a| a.value),
        cliff: draft.cliff.as_ref().map_or(0, |a| a.value),
        duration: draft.duration.as_ref()?.value,
    };
    let mut right = within(reader, draft.duration.as_ref());
    if let Some(cliff) = draft.cliff.as_ref().filter(|c| c.value > found.duration) {
        let message = format!("of {} is after the end of the vesting, {}", span(cliff.value), span(found.duration));
        reader.error_at(cliff, message, "lengthen the duration, or shorten the cliff");
        right = false;
    }
    right &= nothing_at_once_of_all(reader, draft);
    right.then_some(found)
}

/// When the beneficiary is paid. `None` where it cannot be.
pub fn release(reader: &Reader<'_>, draft: Option<&DraftSchedule>) -> Option<Release> {
    let Some(draft) = draft else { return Some(Release::default()) };
    if draft.is_broken {
        return None;
    }
    let found = Release {
        at_once: draft.at_once.as_ref().map_or(0, |a| a.value),
        duration: draft.duration.as_ref()?.value,
        objection: draft.objection.as_ref().map_or(0, |a| a.value),
    };
    let mut right = within(reader, draft.duration.as_ref());
    right &= nothing_at_once_of_all(reader, draft);
    if let Some(objection) = &draft.objection {
        if objection.value >= super::super::section::WHOLE {
            let message = "needs all the money to object, which nobody could exceed";
            reader.error_at(objection, message, "write less than 100 %, such as \"50%\"");
            right = false;
        } else if objection.value != 0 && found.duration == 0 {
            let message = "has nothing to stop: all the money is paid at once";
            reader.error_at(objection, message, "write a duration over which the money is paid");
            right = false;
        }
    }
    right.then_some(found)
}

fn within(reader: &Reader<'_>, duration: Option<&At<u64>>) -> bool {
    let Some(at) = duration.filter(|d| d.value > MAX_SCHEDULE) else { return true };
    reader.error_at(
        at,
        format!("is longer than the longest schedule, {}", span(MAX_SCHEDULE)),
        "write a shorter time, such as \"730d\"",
    );
    false
}

fn nothing_at_once_of_all(reader: &Reader<'_>, draft: &DraftSchedule) -> bool {
    match (&draft.at_once, &draft.duration) {
        (Some(share), Some(duration)) if share.value != 0 && duration.value == 0 => {
            let message = "names a share of what comes all at once anyway, as the duration is zero";
            reader.error_at(share, message, "write the duration of the rest, or remove the table");
            false
        }
        _ => true,
    }
}

/// The team's tokens. `None` where one cannot be.
pub fn allocations(reader: &Reader<'_>, draft: &Draft) -> Option<Vec<Allocation>> {
    let mut right = draft.allocations.len() <= MAX_ALLOCATIONS;
    if !right {
        let message =
            format!("there are {} allocations, and at most {MAX_ALLOCATIONS} are possible", draft.allocations.len());
        reader.error(draft.allocations[MAX_ALLOCATIONS].line, "allocation", message, "join some");
    }
    let mut found = Vec::with_capacity(draft.allocations.len());
    for one in &draft.allocations {
        let entry = allocation(reader, draft, one);
        right &= entry.is_some();
        found.extend(entry);
    }
    right.then_some(found)
}

fn allocation(reader: &Reader<'_>, draft: &Draft, one: &DraftAllocation) -> Option<Allocation> {
    let amount = one.amount.as_ref().and_then(|at| read_amount(reader, at, draft.token.asset.as_ref()));
    let mut right = within(reader, one.duration.as_ref());
    if let (Some(cliff), Some(duration)) = (&one.cliff, &one.duration)
        && cliff.value > duration.value
    {
        let message = format!("of {} is after the end of the vesting, {}", span(cliff.value), span(duration.value));
        reader.error_at(cliff, message, "lengthen the duration, or shorten the cliff");
        right = false;
    }
    if let Some(at) = amount.as_ref().filter(|a| a.value.is_zero()) {
        reader.error_at(at, "is zero", "write how many tokens are kept, or remove the allocation");
        right = false;
    }
    let beneficiary: Address = one.beneficiary.as_ref()?.value;
    let amount: U256 = amount?.value;
    let name = one.name.as_ref()?.value.clone();
    if one.is_broken || !right {
        return None;
    }
    let duration = one.duration.as_ref()?.value;
    Some(Allocation { name, beneficiary, amount, cliff: one.cliff.as_ref().map_or(0, |c| c.value), duration })
}
