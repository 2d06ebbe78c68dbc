//! The API over a real database: every resource to the base unit, every error, pages while rows come and go.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod allowlists;
mod commands;
mod conditional;
mod errors;
mod health;
mod idempotency;
mod keys;
mod live;
mod pages;
mod plans;
mod sales;
mod server;
mod snapshots;
mod support;
