//! Server-sent events: from the commit to a thousand listeners.

use std::{
    fs,
    io::{IoSliceMut, Write as _},
    net::TcpStream,
    os::fd::AsRawFd as _,
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use e2e::{Chain, Database, binary};
use nix::sys::{
    socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt::ReceiveTimestampns},
    time::TimeSpec,
};
use sqlx::postgres::PgListener;

use crate::{fixture::Fixture, process};

/// Prints p50 and p99 of the time from the notification of a commit to each listener's event, one contribution a block.
pub async fn run(listeners: u64, blocks: u64) {
    let fixture = Fixture::new(Chain::start(32).await, 1, 100).await;
    let database = Database::create().await;
    let url = fixture.world.chain.url.replace("http://", "ws://");
    let mut indexer = process::start(&url, fixture.world.factory, &database);
    e2e::until("the indexer is at the head", async || {
        let head = fixture.world.chain.head().await.header.number;
        database.checkpoint().await.filter(|c| c.number == head)
    })
    .await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(binary())
        .args([
            "serve",
            "--rate-limit",
            "0",
            "--connections-per-address",
            "0",
            "--listen",
            &format!("127.0.0.1:{port}"),
        ])
        .env("CROWDSALE_DATABASE_URL", &database.url)
        .env("CROWDSALE_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()
        .expect("crowdsale serve");
    let base = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::new();
    e2e::until("the API answers", async || {
        client.get(format!("{base}/readyz")).send().await.ok().filter(|r| r.status().is_success())
    })
    .await;

    let path = format!("/v1/sales/31337/{}/events", fixture.sales[0].address);
    let mut all: Vec<Listener> = (0..listeners).map(|_| Listener::connect(port, &path)).collect();
    let mut commits = PgListener::connect(&database.url).await.unwrap();
    commits.listen(crowdsale::db::outbox::CHANNEL).await.unwrap();
    let mut milliseconds = Vec::new();
    let worked = cpu_milliseconds(server.id());
    for block in 0..blocks {
        tokio::time::sleep(Duration::from_millis(500)).await;
        fixture.block(block, 1).await;
        let head = fixture.world.chain.head().await.header.number;
        let committed = loop {
            let notice = commits.recv().await.unwrap();
            if notice.payload().split(':').nth(1) == Some(&head.to_string()) {
                break SystemTime::now();
            }
        };
        // Nobody reads while others are told: the kernel notes when it had something for whom.
        tokio::time::sleep(Duration::from_millis(200)).await;
        for listener in &mut all {
            let told = listener.told(head);
            // One that was there before this process had heard of the commit took no time that could be measured.
            let took = told.duration_since(committed).unwrap_or_default();
            milliseconds.push(took.as_secs_f64() * 1_000.0);
        }
    }
    let worked = (cpu_milliseconds(server.id()) - worked) / blocks as f64;
    for child in [&mut server, &mut indexer] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |share: f64| milliseconds[((milliseconds.len() - 1) as f64 * share).round() as usize];
    println!(
        "{listeners} listeners, {blocks} blocks of one contribution: notification of the commit to each listener's socket p50 {:.1} ms (5 asked), \
         p99 {:.1} ms; the server works {worked:.1} ms a block",
        at(0.5),
        at(0.99)
    );
}

/// What the process has had of processors.
fn cpu_milliseconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name, which can have spaces: the 12th and 13th, in hundredths of a second.
    let ticks: f64 =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).map(|t| t.parse::<f64>().unwrap()).sum();
    ticks * 10.0
}

/// A connection that listens. It reads when it is asked to: a thousand readers on the same processors would be what is measured.
struct Listener {
    socket: TcpStream,
    text: String,
}

impl Listener {
    fn connect(port: u16, path: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        setsockopt(&socket, ReceiveTimestampns, &true).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n").unwrap();
        let mut listener = Self { socket, text: String::new() };
        while !listener.text.contains("event: ready") {
            listener.read();
        }
        assert!(listener.text.starts_with("HTTP/1.1 200"), "{}", listener.text);
        listener
    }

    /// When the kernel had the contribution of the block for it.
    fn told(&mut self, block: u64) -> SystemTime {
        let wanted = format!("\"number\":{block},");
        self.text.clear();
        loop {
            let at = self.read();
            if self.text.contains("event: contribution.observed") && self.text.contains(&wanted) {
                return at;
            }
        }
    }

    fn read(&mut self) -> SystemTime {
        let mut bytes = [0; 16 * 1024];
        let mut notes = nix::cmsg_space!(TimeSpec);
        let mut into = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg::<()>(self.socket.as_raw_fd(), &mut into, Some(&mut notes), MsgFlags::empty()).unwrap();
        assert_ne!(received.bytes, 0, "the stream ended");
        let at = received.cmsgs().unwrap().find_map(|note| match note {
            ControlMessageOwned::ScmTimestampns(at) => Some(UNIX_EPOCH + Duration::from(at)),
            _ => None,
        });
        let count = received.bytes;
        self.text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        at.expect("the kernel notes when it received something")
    }
}
