//! The map of the system, in the order in which data flows.

pub mod contracts;
pub mod types;

pub mod decode;

pub mod db;

/// What people and programs ask of the database over HTTP. Every answer is one snapshot and says how current it is; every
/// record says in which block it stands and how final that is.
pub mod api;

/// A server around the API: request ids, limits, the bodies of errors, and how connections begin and end.
pub mod serve;

/// Logs and metrics of every part: their names in one place.
pub mod telemetry;
