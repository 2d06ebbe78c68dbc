//! The map of the system, in the order in which data flows.

pub mod contracts;
pub mod types;

pub mod chain;
pub mod decode;

pub mod db;

pub mod apply;
pub mod revert;
pub mod sync;
pub mod units;
pub mod cli;
