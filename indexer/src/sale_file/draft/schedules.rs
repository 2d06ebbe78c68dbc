//! What a sale may add to its price: vesting, release, allocations.

use alloy::primitives::Address;
use toml::{Spanned, de::DeValue};

use super::super::section::{At, MOST_NAME, Reader, Section};

/// `[vesting]` or `[release]`.
#[derive(Debug, Default)]
pub struct DraftSchedule {
    pub at_once: Option<At<u16>>,
    /// Of a vesting.
    pub cliff: Option<At<u64>>,
    pub duration: Option<At<u64>>,
    /// Of a release.
    pub objection: Option<At<u16>>,
    /// Whether a value was written that cannot be read.
    pub is_broken: bool,
}

/// One of `[[allocation]]`.
#[derive(Debug)]
pub struct DraftAllocation {
    pub line: usize,
    pub name: Option<At<String>>,
    pub beneficiary: Option<At<Address>>,
    pub amount: Option<At<String>>,
    pub cliff: Option<At<u64>>,
    pub duration: Option<At<u64>>,
    /// Whether a time was written that cannot be read.
    pub is_broken: bool,
}

type Entry<'r, 't> = Option<&'r Spanned<DeValue<'t>>>;

/// Reads `[vesting]`.
pub fn vesting<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> Option<DraftSchedule> {
    value?;
    let mut section = Section::new(reader, "vesting", value, true);
    let mut draft = DraftSchedule {
        at_once: section.percent("at_once"),
        cliff: section.duration("cliff", false),
        duration: section.duration("duration", true),
        ..DraftSchedule::default()
    };
    draft.is_broken = draft.duration.is_none()
        || (section.has("at_once") && draft.at_once.is_none())
        || (section.has("cliff") && draft.cliff.is_none());
    section.finish();
    Some(draft)
}

/// Reads `[release]`.
pub fn release<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> Option<DraftSchedule> {
    value?;
    let mut section = Section::new(reader, "release", value, true);
    let mut draft = DraftSchedule {
        at_once: section.percent("at_once"),
        duration: section.duration("duration", true),
        objection: section.percent("objection"),
        ..DraftSchedule::default()
    };
    draft.is_broken = draft.duration.is_none()
        || (section.has("at_once") && draft.at_once.is_none())
        || (section.has("objection") && draft.objection.is_none());
    section.finish();
    Some(draft)
}

/// Reads all of `[[allocation]]`.
pub fn allocations<'t>(reader: &Reader<'t>, value: Entry<'_, 't>) -> Vec<DraftAllocation> {
    let Some(value) = value else { return Vec::new() };
    let Some(array) = value.get_ref().as_array() else {
        let mend = "write [[allocation]] with two brackets on each side";
        reader.error(reader.line(&value.span()), "allocation", "is not a list of allocations", mend);
        return Vec::new();
    };
    let read = |(index, value): (usize, &Spanned<DeValue<'t>>)| {
        let mut section = Section::new(reader, &format!("allocation[{}]", index + 1), Some(value), true);
        let mut draft = DraftAllocation {
            line: section.line(),
            name: section.short_text("name", "team", MOST_NAME),
            beneficiary: section.address("beneficiary"),
            amount: section.decimal("amount", Some("100000")),
            cliff: section.duration("cliff", false),
            duration: section.duration("duration", true),
            is_broken: false,
        };
        draft.is_broken = draft.duration.is_none() || (section.has("cliff") && draft.cliff.is_none());
        section.finish();
        draft
    };
    array.iter().enumerate().map(read).collect()
}
