//! How far a backfill is, on a terminal.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::sync::Backfill;

/// A bar with rate and time left, fed by what is sent; `None` where nobody would see it.
pub fn show() -> Option<watch::Sender<Backfill>> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let (sender, mut receiver) = watch::channel(Backfill::default());
    tokio::spawn(async move {
        let mut bar: Option<ProgressBar> = None;
        while receiver.changed().await.is_ok() {
            let b = *receiver.borrow_and_update();
            let shown = bar.get_or_insert_with(new_bar);
            shown.set_length(b.to.saturating_sub(b.from) + 1);
            shown.set_position((b.done + 1).saturating_sub(b.from));
            let rate = u128::from(b.events) * 1_000 / shown.elapsed().as_millis().max(1);
            shown.set_message(format!("{} events, {rate}/s", b.events));
            if b.done >= b.to {
                shown.finish_and_clear();
                bar = None;
            }
        }
    });
    Some(sender)
}

fn new_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} blocks  {msg}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
