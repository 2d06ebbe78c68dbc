//! Waiting for the next look at the head.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::chain::Node;

/// How often a subscription that could not be made or ended is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A node that tells of new heads by itself wakes the loop at once. It may fall silent without a word, so the loop looks for
/// itself all the same.
#[derive(Debug)]
pub(super) struct Wake {
    heard: Arc<Notify>,
    _listener: AbortOnDropHandle<()>,
}

impl Wake {
    pub fn new(node: Node) -> Self {
        let heard = Arc::new(Notify::new());
        let notify = heard.clone();
        let listener = tokio::spawn(async move {
            while node.pushes() {
                if let Some(mut heads) = node.heads_pushed().await {
                    while heads.next().await.is_some() {
                        notify.notify_one();
                    }
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        Self { heard, _listener: AbortOnDropHandle::new(listener) }
    }

    /// Returns on a new head, after `poll`, or on `shutdown`.
    pub async fn or_after(&self, poll: Duration, shutdown: &CancellationToken) {
        tokio::select! {
            () = self.heard.notified() => {}
            () = tokio::time::sleep(poll) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
