//! Between the indexer and Postgres: answers get lost, connections break, at a moment that a test chooses.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::Database;

/// A way to a database that can break.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    /// For the indexer.
    pub options: PgConnectOptions,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    to: (String, u16),
    /// Commits whose answers are still to be lost.
    to_lose: AtomicU32,
    lost: AtomicU32,
    /// Of connections over which this was sent alone; of all where it is empty.
    of: Mutex<Vec<u8>>,
    connections: AtomicU64,
    cut: watch::Sender<u64>,
    frozen: watch::Sender<bool>,
    sent: Mutex<Vec<u8>>,
}

impl Proxy {
    /// In front of a database.
    pub async fn start(database: &Database) -> Self {
        let options = database.options();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared {
            to: (options.get_host().to_owned(), options.get_port()),
            to_lose: AtomicU32::new(0),
            lost: AtomicU32::new(0),
            of: Mutex::default(),
            connections: AtomicU64::new(0),
            cut: watch::channel(0).0,
            frozen: watch::channel(false).0,
            sent: Mutex::default(),
        });
        let mine = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                mine.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(mine.clone().carry(client));
            }
        });
        Self { shared, options: options.host("127.0.0.1").port(port), accepting }
    }

    /// The next `count` commits happen, and nobody hears of it.
    pub fn lose_commits(&self, count: u32) {
        self.shared.to_lose.store(count, Ordering::Relaxed);
    }

    /// The next commit of a connection over which this text has been sent happens, and nobody hears of it.
    pub fn lose_commit_of(&self, text: &str) {
        *self.shared.of.lock().unwrap_or_else(PoisonError::into_inner) = text.as_bytes().to_vec();
        self.lose_commits(1);
    }

    /// How many were lost so far.
    pub fn lost(&self) -> u32 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Connections so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|n| *n += 1);
    }

    /// From now on nothing gets through, in either direction, and nobody is told: as when the indexer's host is gone.
    pub fn freeze(&self, frozen: bool) {
        self.shared.frozen.send_replace(frozen);
    }

    /// Whether the indexer ever sent this text.
    pub fn was_sent(&self, text: &str) -> bool {
        let sent = self.shared.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.windows(text.len()).any(|w| w == text.as_bytes())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Shared {
    async fn carry(self: Arc<Self>, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect((self.to.0.as_str(), self.to.1)).await else { return };
        // Small messages go at once, as they do without a proxy.
        drop((client.set_nodelay(true), server.set_nodelay(true)));
        let (mut cut, mut frozen) = (self.cut.subscribe(), self.frozen.subscribe());
        cut.mark_unchanged();
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let (mut losing, mut meant) = (false, false);
        loop {
            let is_frozen = *frozen.borrow_and_update();
            tokio::select! {
                _ = cut.changed() => return,
                _ = frozen.changed() => {}
                read = client.read(&mut up), if !is_frozen => {
                    let Ok(length @ 1..) = read else { return };
                    let part = &up[..length];
                    self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(part);
                    let of = self.of.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    meant |= !of.is_empty() && contains(part, &of);
                    losing |= (of.is_empty() || meant) && contains(part, b"COMMIT") && self.take_one();
                    if server.write_all(part).await.is_err() { return }
                }
                read = server.read(&mut down), if !is_frozen => {
                    let Ok(length @ 1..) = read else { return };
                    let part = &down[..length];
                    if losing {
                        // The server's word that it is done, or that it failed; it goes no further.
                        self.lost.fetch_add(u32::from(contains(part, b"COMMIT\0")), Ordering::Relaxed);
                        return;
                    } else if client.write_all(part).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn take_one(&self) -> bool {
        self.to_lose.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
    }
}

fn contains(part: &[u8], what: &[u8]) -> bool {
    part.windows(what.len()).any(|w| w == what)
}
