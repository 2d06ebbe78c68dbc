//! A test for each way in which indexers of this kind have failed; `docs/failure-modes.md` says which stands against what.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod clients;
mod content;
mod database;
mod logs;
mod node;
mod reorgs;

use e2e::peer::Finality;

/// Tags near the head.
const NEAR: Option<Finality> = Some(Finality { safe: 2, finalized: 4 });
/// Tags far from it: nearly everything can change.
const FAR: Option<Finality> = Some(Finality { safe: 200, finalized: 400 });
