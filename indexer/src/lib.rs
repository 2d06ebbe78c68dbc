//! The map of the system, in the order in which data flows.

pub mod contracts;
pub mod types;

pub mod chain;
pub mod decode;

pub mod db;

pub mod apply;
pub mod sync;

/// The command line: a file a command. It may use everything above, nothing above uses it.
pub mod cli;

/// What the command line is told by flags, environment and files: the node, the key, the factory.
pub mod config;
