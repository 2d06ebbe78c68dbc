//! How far a backfill is, for whoever shows it.

use tokio::sync::watch;

/// A backfill, as of its last commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backfill {
    /// Height it began at.
    pub from: u64,
    /// Height it goes to.
    pub to: u64,
    /// Height that is committed.
    pub done: u64,
    /// Events committed since it began.
    pub events: u64,
}

/// Tells a watcher, if there is one.
#[derive(Debug)]
pub(super) struct Progress(Option<watch::Sender<Backfill>>);

impl Progress {
    pub fn new(watcher: Option<watch::Sender<Backfill>>) -> Self {
        Self(watcher)
    }

    pub fn begin(&self, from: u64, to: u64) {
        if let Some(watcher) = &self.0 {
            watcher.send_modify(|b| {
                let began = if b.done + 1 == from && b.to != 0 { b.from } else { from };
                *b = Backfill { from: began, to, done: from.saturating_sub(1), events: b.events };
            });
        }
    }

    pub fn advance(&self, done: u64, events: u64) {
        if let Some(watcher) = &self.0 {
            watcher.send_modify(|b| {
                b.done = done;
                b.events += events;
            });
        }
    }
}
