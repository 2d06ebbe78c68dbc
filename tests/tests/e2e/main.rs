//! End-to-end tests; see the harness in `tests/src`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod faults;
mod harness;
mod holders;
mod lifecycle;
mod modes;
mod openings;
mod operate;
mod orders;
mod orders_fees;
mod orders_gas;
mod orders_line;
mod orders_spent;
mod refusals;
mod reindex;
mod reorgs;
mod sessions;
mod up;
mod vouchers;
mod webhooks;
