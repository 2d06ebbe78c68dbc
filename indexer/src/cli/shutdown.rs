//! Ctrl-C and SIGTERM end a command in order; a second one ends it at once.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A terminal, `timeout` and process managers send a signal to the process and to its group: what follows so soon is the same
/// signal again, and nobody's impatience.
const ECHO: Duration = Duration::from_secs(2);

/// A token that is cancelled by the first SIGINT or SIGTERM.
pub fn on_signals() -> Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        let first = tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        cancelled.cancel();
        let since = Instant::now();
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if since.elapsed() > ECHO {
                std::process::exit(first);
            }
        }
    });
    Ok(token)
}
