//! The map of the system, in the order in which data flows:
//!
//! ```text
//! chain -> decode -> apply -> Postgres -> api -> people and programs
//! ```
//!
//! `types`, `contracts` <- `sale_file` <- `plan` -> `chain`;
//! `types`, `contracts` <- `decode`, `chain`, `db` <- `apply` <- `sync`; `seal` <- `access` -> `db`; `webhooks` -> `access`, `db`;
//! `orders` -> `access`, `chain`, `db`, `explain`;
//! `api` -> `webhooks`, `access`, `chain`, `db`, `gates`, `orders`, `plan`, `sale_file`, `types`; `serve` -> `api`, `web`; `meter` <- both;
//! `cli` -> all.
//! `db` never sees a log, `decode` never sees SQL.

/// Bindings of the contracts, from their committed ABIs.
pub mod contracts;

/// Words that every module shares: amounts, addresses, blocks, events, finality. A leaf without I/O.
pub mod types;

/// The sale file: what a team writes, the rules it is held to, and what it comes to. Reads no file but where it is told a folder.
pub mod sale_file;

/// What a revert means: a sentence and a next step for every error of every contract.
pub mod explain;

/// Puts the whole system on a chain.
pub mod deployment;

/// The node's side: headers, logs and tags, each answer checked before it is believed.
pub mod chain;

/// Pure: a log becomes an event, if its emitter is one we know.
pub mod decode;

/// All SQL. One writer a chain, a pool of readers beside it.
pub mod db;

/// A batch of blocks becomes rows, with its checkpoint, in one transaction.
pub mod apply;

/// The loop: chain -> decode -> apply, through reorgs and restarts.
pub mod sync;

/// The database against the chain, at one block.
pub mod reconcile;

/// A sale before it exists: its file held against the chain, the addresses it gets, and the transactions that create it.
pub mod plan;

/// How often somebody may ask. A leaf without I/O.
pub mod meter;

/// How much of what there is for all one may have at a time.
pub mod shares;

/// What people and programs ask of the database over HTTP. Every answer is one snapshot and says how current it is; every
/// record says in which block it stands and how final that is.
pub mod api;

/// The investor page. A leaf without I/O: its files are in the program.
pub mod web;

/// A server around the API and the page: request ids, limits, the bodies of errors, and how connections begin and end.
pub mod serve;

/// Who may contribute where a sale is not open to all: allowlists, vouchers, and the bytes that prove either. A leaf without I/O.
pub mod gates;

/// Secrets at rest: what seals and opens them. A leaf without I/O.
pub mod seal;

/// Who may do what: keys of the API, what is done with them, and the log of it.
pub mod access;

/// Who is told of events over HTTP: messages, their signatures, and every attempt until they have arrived.
pub mod webhooks;

/// Contributions that are sent for a caller: one spend each, whatever crashes, and followed until they are final.
pub mod orders;

/// Logs and metrics of every part: their names in one place.
pub mod telemetry;

/// What the command line is told by flags, environment and files: the node, the key, the factory.
pub mod config;

/// The command line: a file a command. It may use everything above, nothing above uses it.
pub mod cli;
