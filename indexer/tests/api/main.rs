//! The API over a real database: every resource to the base unit, every error, pages while rows come and go.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod activity;
mod allowlists;
mod commands;
mod conditional;
mod connections;
mod dashboard_metrics;
mod dashboards;
mod errors;
mod exports;
mod health;
mod idempotency;
mod keys;
mod live;
mod order_pages;
mod orders;
mod pages;
mod plans;
mod receiver;
mod records;
mod rights;
mod sale_plan;
mod sales;
mod schemas;
mod search;
mod series;
mod server;
mod service_plans;
mod sessions;
mod signatures;
mod signers;
mod snapshots;
mod support;
mod tokens;
mod vouchers;
mod web;
mod webhooks;
