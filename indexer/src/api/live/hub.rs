//! Who listens, and passing on to them.
//!
//! Each listener has a queue of its own. One queue for all would be less code, but a thousand listeners that are woken at once meet at its
//! lock, and put each other's threads to sleep there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::Batch;

/// Batches that a listener may be behind before it reads from the database.
const BACKLOG: usize = 256;

/// All who listen.
#[derive(Debug)]
pub(super) struct Hub {
    /// None once the process ends.
    queues: Mutex<Option<Vec<mpsc::Sender<Arc<Batch>>>>>,
    /// For who reads by itself what is new, and asks only when.
    news: Notify,
}

impl Hub {
    pub fn new() -> Self {
        Self { queues: Mutex::new(Some(Vec::new())), news: Notify::new() }
    }

    /// What is passed on from now on. It ends, after what was passed on before, for who is too far behind and for everybody at the end of the process.
    pub fn subscribe(&self) -> mpsc::Receiver<Arc<Batch>> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        if let Some(queues) = &mut *self.lock() {
            queues.push(sender);
        }
        receiver
    }

    /// Passes on, and forgets who listens no more or is too far behind.
    pub fn tell(&self, batch: &Arc<Batch>) {
        if let Some(queues) = &mut *self.lock() {
            queues.retain(|queue| queue.try_send(batch.clone()).is_ok());
        }
        self.news.notify_one();
    }

    /// Ends every queue, and those of who comes later.
    pub fn close(&self) {
        *self.lock() = None;
    }

    /// When something new was passed on since this was last asked.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<mpsc::Sender<Arc<Batch>>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
