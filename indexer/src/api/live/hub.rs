//! Who listens, and passing on to them.
//!
//! Each listener has a queue of its own. One queue for all would be less code, but a thousand listeners that are woken at once meet at its
//! lock, and put each other's threads to sleep there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::Batch;

/// Batches that a listener may be behind before it reads from the database. Few: each who is behind keeps others in memory.
const BACKLOG: usize = 16;

/// All who listen.
#[derive(Debug)]
pub(super) struct Hub {
    /// None once the process ends.
    queues: Mutex<Option<Queues>>,
    /// For who reads by itself what is new, and asks only when.
    news: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    all: Vec<mpsc::Sender<Arc<Batch>>>,
    /// As many as this, and those of who listens no more are looked for.
    full: usize,
}

impl Queues {
    /// Where nothing happens, nothing is passed on, and who comes and goes must not pile up.
    fn add(&mut self, queue: mpsc::Sender<Arc<Batch>>) {
        if self.all.len() >= self.full {
            self.all.retain(|queue| !queue.is_closed());
            self.full = 64.max(2 * self.all.len());
        }
        self.all.push(queue);
    }
}

impl Hub {
    pub fn new() -> Self {
        Self { queues: Mutex::new(Some(Queues::default())), news: Notify::new() }
    }

    /// What is passed on from now on. It ends, after what was passed on before, for who is too far behind and for everybody at the end of the process.
    pub fn subscribe(&self) -> mpsc::Receiver<Arc<Batch>> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        if let Some(queues) = &mut *self.lock() {
            queues.add(sender);
        }
        receiver
    }

    /// Passes on, and forgets who listens no more or is too far behind.
    pub fn tell(&self, batch: &Arc<Batch>) {
        if let Some(queues) = &mut *self.lock() {
            queues.all.retain(|queue| queue.try_send(batch.clone()).is_ok());
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

    fn lock(&self) -> MutexGuard<'_, Option<Queues>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_no_more_is_forgotten_though_nothing_happens() {
        let hub = Hub::new();
        let staying: Vec<_> = (0..10).map(|_| hub.subscribe()).collect();
        for _ in 0..10_000 {
            drop(hub.subscribe());
        }
        let kept = hub.lock().as_ref().unwrap().all.len();
        assert!(kept <= 64 + staying.len(), "{kept}");
    }
}
