//! The clock of this computer, beside how times are written.

use jiff::Timestamp;

pub use crate::types::clock::{rfc3339, span, utc};

/// Unix seconds now, by this computer's clock. Chain time decides; this is for checks without a node.
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or(0)
}
