//! Webhooks of the real binary: whatever is killed and whoever fails, everything arrives, and is told apart by its id.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use e2e::{Indexer, Random, World, binary, ether, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto},
    server::TlsStream,
};

const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a01";
/// Longest that an answer may take is a second, so what a killed process had taken is taken again after two.
const LOCAL: [&str; 7] = [
    "--webhook-allow",
    "127.0.0.0/8,::1/128",
    "--webhook-allow-http",
    "--webhook-timeout",
    "1",
    "--webhook-retry",
    "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
];

/// A running `crowdsale serve`.
pub struct Serve {
    child: Child,
    pub url: String,
    folder: TempDir,
}

impl Serve {
    pub async fn start(world: &World, flags: &[&str]) -> Self {
        Self::start_in(world, flags, &[]).await
    }

    /// With more in its environment.
    async fn start_in(world: &World, flags: &[&str], environment: &[(&str, &Path)]) -> Self {
        let folder = TempDir::new().unwrap();
        let output = File::create(folder.path().join("out")).unwrap();
        let child = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env("CROWDSALE_DATABASE_URL", &world.database.url)
            .env("CROWDSALE_MASTER_KEY", MASTER_KEY)
            .env("CROWDSALE_LOG", "info,crowdsale::webhooks=debug,crowdsale::api::live=debug")
            // Nobody's proxy sees what is sent.
            .env("HTTP_PROXY", "http://127.0.0.1:9/")
            .env("ALL_PROXY", "http://127.0.0.1:9/")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut serve = Self { child, url: String::new(), folder };
        serve.url = until("the API listens", async || {
            let output = serve.output();
            if let Some(status) = serve.child.try_wait().unwrap() {
                panic!("the API ended: {status}: {output}");
            }
            let (_, rest) = output.split_once("serving http")?;
            rest.split_once(';').map(|(rest, _)| format!("http{rest}"))
        })
        .await;
        serve
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out")).unwrap()
    }

    /// `kill -9`.
    fn kill(mut self) -> String {
        assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself: {}", self.output());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.output()
    }

    async fn make(&self, key: &str, receiver: &str) -> (u16, Value) {
        let answer = reqwest::Client::new()
            .post(format!("{}/v1/webhooks", self.url))
            .bearer_auth(key)
            .header("idempotency-key", receiver)
            .json(&json!({"url": receiver, "label": "all"}))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

impl Drop for Serve {
    #[allow(clippy::print_stderr, reason = "what a failed test shows")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- output of crowdsale serve ----\n{}---- end ----", self.output());
        }
    }
}

/// Waits until the indexer has made the tables, then makes a key as an operator does.
async fn key(world: &World) -> String {
    until("the chain is indexed", async || world.database.checkpoint().await).await;
    let output = Command::new(binary())
        .args(["keys", "create", "ledger", "--scope", "webhooks:write"])
        .env("CROWDSALE_DATABASE_URL", &world.database.url)
        .env("CROWDSALE_MASTER_KEY", MASTER_KEY)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[derive(Clone, Debug)]
struct Got {
    headers: HeaderMap,
    body: Bytes,
    accepted: bool,
}

/// Takes messages, and now and then fails: before it has accepted one, or after.
#[derive(Clone)]
struct Receiver {
    got: Arc<Mutex<Vec<Got>>>,
    random: Arc<Mutex<Random>>,
    fails_per_mille: u64,
}

impl Receiver {
    async fn start(fails_per_mille: u64, random: Random) -> (Self, String) {
        let receiver = Self { got: Arc::default(), random: Arc::new(Mutex::new(random)), fails_per_mille };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?token=hush", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (receiver, url)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let (fails, accepts, pause) = {
        let mut random = receiver.random.lock().unwrap();
        (random.chance(receiver.fails_per_mille), random.chance(300), random.within(0..20))
    };
    tokio::time::sleep(Duration::from_millis(pause)).await;
    // One that says it failed, and did not.
    let accepted = !fails || accepts;
    receiver.got.lock().unwrap().push(Got { headers, body, accepted });
    if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

impl Got {
    fn id(&self) -> String {
        self.headers["webhook-id"].to_str().unwrap().to_owned()
    }

    /// What it tells of, as the test names it: type, block, log.
    fn event(&self) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap();
        let block = &json["data"]["block"];
        format!("{} {} {}", json["type"].as_str().unwrap(), block["hash"].as_str().unwrap(), block["log_index"])
    }

    fn assert_signed(&self, secret: &str, public_key: &str) {
        standardwebhooks::Webhook::new(secret).unwrap().verify(&self.body, &self.headers).unwrap();
        let key = BASE64_STANDARD.decode(public_key.strip_prefix("whpk_").unwrap()).unwrap();
        let timestamp = self.headers["webhook-timestamp"].to_str().unwrap();
        let signed = [format!("{}.{timestamp}.", self.id()).as_bytes(), &self.body].concat();
        let signatures = self.headers["webhook-signature"].to_str().unwrap();
        let (_, own) = signatures.split_once(" v1a,").unwrap();
        let own = BASE64_STANDARD.decode(own).unwrap();
        UnparsedPublicKey::new(&ED25519, key).verify(&signed, &own).unwrap();
    }
}

/// Waits until everything in the outbox was told to the one webhook, and has arrived.
async fn quiet(world: &World) {
    let head = world.chain.head().await.header;
    until("the head is indexed", async || {
        world.database.checkpoint().await.filter(|c| c.hash == head.hash && c.number == head.number)
    })
    .await;
    until("all is told and nothing waits", async || {
        let left = "SELECT (SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'pending')
                         + (SELECT count(*) FROM crowdsale_service.webhook_cursor
                            WHERE seq <> (SELECT max(seq) FROM outbox) OR at_block <> 9223372036854775807)";
        (world.database.number(left).await == 0).then_some(())
    })
    .await;
    assert_eq!(
        world.database.number("SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'dead'").await,
        0
    );
}

/// Types as events of these kinds have them when they are first told.
const FIRST: &str = "CASE kind WHEN 'sale_created' THEN 'sale.created' WHEN 'contributed' THEN 'contribution.observed'
    WHEN 'opened' THEN 'sale.opened'
    WHEN 'cancelled' THEN 'sale.cancelled' WHEN 'refunded' THEN 'refund.observed' END";

/// What the tables say has to have been told: of what stands, and of what became final of it.
async fn expected(world: &World) -> (BTreeSet<String>, BTreeSet<String>) {
    let observed = format!(
        "SELECT {FIRST} || ' 0x' || encode(b.hash, 'hex') || ' ' || log_index
         FROM feed_raw e JOIN block b ON b.number = e.block_number"
    );
    let finalized =
        "SELECT CASE WHEN kind IN ('sale_created', 'opened', 'cancelled') THEN 'sale' WHEN kind = 'refunded' THEN 'refund'
                                 ELSE 'contribution' END
                         || '.finalized 0x' || encode(b.hash, 'hex') || ' ' || log_index
                     FROM feed_raw e JOIN block b ON b.number = e.block_number
                     WHERE b.number <= (SELECT max(to_block) FROM outbox WHERE kind = 'finalized')";
    let set = async |query: &str| world.database.texts(query).await.into_iter().collect();
    (set(&observed).await, set(finalized).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_by_kill_9_while_receivers_fail_and_blocks_are_reorged() {
    let mut random = Random::seeded();
    let world = World::new(4).await;
    let mut indexer = world.index();
    let key = key(&world).await;

    // Without the operator's word nothing goes to this machine.
    let (receiver, url) = Receiver::start(250, random.fork()).await;
    let closed = Serve::start(&world, &[]).await;
    let (status, answer) = closed.make(&key, &url).await;
    assert_eq!((status, &answer["errors"][0]["pointer"]), (422, &json!("/body/url")), "{answer}");
    closed.kill();

    let mut serve = Serve::start(&world, &LOCAL).await;
    let (status, made) = serve.make(&key, &url).await;
    assert_eq!(status, 201, "{made}");
    let (secret, public_key) = (made["secret"].as_str().unwrap(), made["data"]["public_key"].as_str().unwrap());
    let sale = world.open_sale().await;
    let mut logs = String::new();
    for round in 0..14 {
        if round % 3 == 0 {
            // It opens soon: in a block that is perhaps reorged away, while perhaps nobody is there to tell it.
            let mut draft = world.draft().await;
            draft.terms.opens += alloy::primitives::aliases::U40::from(12 * random.within(0..4));
            world.create(&draft).await;
        }
        for _ in 0..random.within(1..4) {
            let contributions = (0..random.within(1..5)).map(|n| sale.send(world.investor(n as usize), ether("0.1")));
            world.chain.mine(contributions.collect::<Vec<_>>()).await;
        }
        if round % 4 == 3 {
            // What was told is taken back, or was never told.
            let depth = random.within(1..4);
            let blocks = (0..depth).map(|n| vec![sale.send(world.investor(n as usize), ether("0.2"))]).collect();
            world.chain.swap(blocks).await;
        }
        tokio::time::sleep(Duration::from_millis(random.within(0..400))).await;
        logs += &serve.kill();
        indexer.assert_running();
        serve = Serve::start(&world, &LOCAL).await;
    }
    world.chain.mine([sale.cancel(), sale.refund(world.anybody(), world.investor(0))]).await;
    world.chain.mine_blocks(12).await;
    world.agree(&mut indexer).await;
    quiet(&world).await;

    let got = receiver.got();
    let (mut ids, mut bodies) = (BTreeMap::<String, BTreeSet<String>>::new(), BTreeMap::<String, Bytes>::new());
    for got in &got {
        got.assert_signed(secret, public_key);
        ids.entry(got.event()).or_default().insert(got.id());
        let body = bodies.entry(got.id()).or_insert_with(|| got.body.clone());
        assert_eq!(*body, got.body, "the same id is the same message, byte for byte");
    }
    for (event, ids) in &ids {
        assert_eq!(ids.len(), 1, "{event} has several ids: {ids:?}");
    }
    assert_eq!(bodies.len(), ids.len(), "no id is of two events");
    let accepted: BTreeSet<_> = got.iter().filter(|g| g.accepted).map(Got::event).collect();
    let (observed, finalized) = expected(&world).await;
    assert!(observed.iter().filter(|event| event.starts_with("sale.opened ")).count() > 3);
    assert!(observed.len() > 20 && finalized.len() > 15, "{} {}", observed.len(), finalized.len());
    for event in observed.union(&finalized) {
        assert!(accepted.contains(event), "{event} was not told");
    }
    // What was taken back was told before, and whatever was told and does not stand was taken back.
    let ends_with =
        |end: &str| accepted.iter().filter(|e| e.split(' ').next().unwrap().ends_with(end)).collect::<Vec<_>>();
    let taken_back: BTreeSet<_> = ends_with(".reorged").iter().map(|e| e.split_once(' ').unwrap().1).collect();
    let first: BTreeSet<_> =
        accepted.iter().filter(|e| !e.contains(".reorged ") && !e.contains(".finalized ")).collect();
    let gone: BTreeSet<_> =
        first.iter().filter(|e| !observed.contains(**e)).map(|e| e.split_once(' ').unwrap().1).collect();
    assert_eq!(taken_back, gone);
    let told_final: BTreeSet<_> = ends_with(".finalized").into_iter().cloned().collect();
    assert_eq!(told_final, finalized);
    // As many messages are noted, all of them arrived.
    let noted =
        world.database.number("SELECT count(*) FROM crowdsale_service.webhook_delivery WHERE state = 'delivered'");
    assert_eq!(noted.await as usize, bodies.len());
    logs += &serve.kill();
    for hidden in ["hush", secret.trim_start_matches("whsec_"), key.split_at(24).1] {
        assert!(!logs.contains(hidden), "the log holds {hidden}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_of_the_tables_is_not_noticed() {
    let mut random = Random::seeded();
    let world = World::new(2).await;
    let mut live = world.index();
    let key = key(&world).await;
    let (receiver, url) = Receiver::start(0, random.fork()).await;
    let serve = Serve::start(&world, &LOCAL).await;
    assert_eq!(serve.make(&key, &url).await.0, 201);
    let sale = world.open_sale().await;
    for n in 0..5 {
        world.chain.mine([sale.send(world.investor(n), ether("0.5"))]).await;
    }
    world.chain.mine_blocks(6).await;
    world.agree(&mut live).await;
    quiet(&world).await;
    let before = receiver.got().len();

    let mut beside = Indexer::start(&world.flags().and("--reindex"));
    until("the new tables are live", async || {
        beside.assert_running();
        beside.output().contains("switched: the new tables are live").then_some(())
    })
    .await;
    world.chain.mine([sale.send(world.investor(0), ether("0.7"))]).await;
    world.chain.mine_blocks(6).await;
    world.agree(&mut live).await;
    quiet(&world).await;
    let got = receiver.got();
    let (observed, finalized) = expected(&world).await;
    let told: Vec<_> = got.iter().map(Got::event).collect();
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), observed.union(&finalized).cloned().collect());
    assert_eq!(told.len(), observed.len() + finalized.len(), "nothing twice, and no reset");
    assert_eq!(told.len(), before + 2);
}

/// What was told of the tables that are replaced is taken back where the new ones differ, and told anew as they have it: who adds up has what stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_switch_changes_is_taken_back_and_told_anew() {
    let mut random = Random::seeded();
    let world = World::new(2).await;
    let mut live = world.index();
    let key = key(&world).await;
    let (receiver, url) = Receiver::start(0, random.fork()).await;
    let serve = Serve::start(&world, &LOCAL).await;
    assert_eq!(serve.make(&key, &url).await.0, 201);
    serve.kill();
    let sale = world.open_sale().await;
    for n in 0..6 {
        world.chain.mine([sale.send(world.investor(n), ether("0.5"))]).await;
    }
    world.chain.mine_blocks(6).await;
    world.agree(&mut live).await;

    // An index that went wrong, and is told as it is: it has missed one, and has another amount.
    let blocks = world.database.texts("SELECT block_number::text FROM contribution c ORDER BY c.block_number").await;
    for statement in [
        format!("DELETE FROM contribution WHERE block_number = {}", blocks[2]),
        format!("UPDATE contribution SET amount = amount + 1 WHERE block_number = {}", blocks[3]),
        format!("UPDATE block SET digest = sha256(digest) WHERE number >= {}", blocks[2]),
    ] {
        assert!(world.database.execute(&statement).await > 0);
    }
    let _serve = Serve::start(&world, &LOCAL).await;
    quiet(&world).await;
    let wrong = receiver.got();
    assert_eq!(wrong.iter().filter(|g| g.event().starts_with("contribution.observed ")).count(), 5);

    let mut beside = Indexer::start(&world.flags().and("--reindex").and("--accept-differences"));
    until("the new tables are live", async || {
        beside.assert_running();
        beside.output().contains("switched: the new tables are live").then_some(())
    })
    .await;
    world.chain.mine([sale.send(world.investor(0), ether("0.7"))]).await;
    world.chain.mine_blocks(6).await;
    world.agree(&mut beside).await;
    quiet(&world).await;

    let got = receiver.got();
    let ids: BTreeSet<_> = got.iter().map(Got::id).collect();
    assert_eq!(ids.len(), got.len(), "no message came twice");
    // The event without its type, and what it was of.
    let (mut standing, mut times) = (BTreeMap::<(String, String), i64>::new(), BTreeMap::<String, i64>::new());
    for got in &got {
        let json: Value = serde_json::from_slice(&got.body).unwrap();
        let (kind, place) =
            got.event().split_once(' ').map(|(kind, place)| (kind.to_owned(), place.to_owned())).unwrap();
        let step = match kind.rsplit('.').next().unwrap() {
            "finalized" => continue,
            "reorged" => -1,
            _ => 1,
        };
        *standing.entry((place.clone(), json["data"]["amount"]["raw"].to_string())).or_default() += step;
        *times.entry(place).or_default() += i64::from(step > 0);
    }
    assert!(standing.values().all(|count| [0, 1].contains(count)), "{standing:?}");
    let stands: BTreeSet<String> = standing
        .iter()
        .filter(|(_, count)| **count == 1)
        .map(|((place, amount), _)| format!("{place} {amount}"))
        .collect();
    let expected =
        "SELECT '0x' || encode(b.hash, 'hex') || ' ' || log_index || ' ' || coalesce('\"' || amount || '\"', 'null')
         FROM feed_raw e JOIN block b ON b.number = e.block_number";
    assert_eq!(stands, world.database.texts(expected).await.into_iter().collect());
    // Only what stands where they differ was told once more.
    let below = format!(
        "SELECT '0x' || encode(b.hash, 'hex') || ' ' || log_index FROM feed_raw e JOIN block b ON b.number = e.block_number
         WHERE b.number < {}",
        blocks[2]
    );
    let below = world.database.texts(&below).await;
    assert_eq!(below.len(), 4, "a sale, its opening, and two contributions");
    assert!(below.iter().all(|place| times[place] == 1), "{times:?}");
    let finalized: BTreeSet<_> = got.iter().map(Got::event).filter(|e| e.contains(".finalized ")).collect();
    assert_eq!(finalized, self::expected(&world).await.1);
}

/// Takes connections over TLS; those that break off in the greeting come to nothing.
struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A receiver with a certificate for `localhost` by an authority of its own, and the authority's certificate.
async fn tls_receiver() -> (Receiver, String, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let own_key = rcgen::KeyPair::generate().unwrap();
    let own =
        rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&own_key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], own_key.serialize_der().try_into().unwrap())
        .unwrap();
    let receiver = Receiver { got: Arc::default(), random: Arc::new(Mutex::new(Random::seeded())), fails_per_mille: 0 };
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/hooks?token=hush", tcp.local_addr().unwrap().port());
    let app = Router::new().fallback(take).with_state(receiver.clone());
    let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (receiver, url, pem)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_is_talked_to_if_its_certificate_is_trusted_and_not_before() {
    const TLS: [&str; 6] =
        ["--webhook-allow", "127.0.0.0/8,::1/128", "--webhook-timeout", "5", "--webhook-retry", "0,0,100000"];
    let world = World::new(2).await;
    let mut indexer = world.index();
    let key = key(&world).await;
    let (receiver, url, pem) = tls_receiver().await;
    let (_, _, other) = tls_receiver().await;
    let folder = TempDir::new().unwrap();
    let (trusted, untrusted) = (folder.path().join("trusted.pem"), folder.path().join("untrusted.pem"));
    std::fs::write(&trusted, pem).unwrap();
    std::fs::write(&untrusted, other).unwrap();

    // The system trusts others.
    let serve = Serve::start_in(&world, &TLS, &[("SSL_CERT_FILE", &untrusted)]).await;
    let (status, made) = serve.make(&key, &url).await;
    assert_eq!(status, 201, "{made}");
    world.open_sale().await;
    world.agree(&mut indexer).await;
    let tried = "SELECT d.type || ' ' || a.error FROM crowdsale_service.webhook_attempt a
         JOIN crowdsale_service.webhook_delivery d ON d.id = a.delivery WHERE a.number = 3 AND a.status IS NULL";
    let told = until("it was tried three times", async || {
        let told = world.database.texts(tried).await;
        told.iter().any(|told| told.starts_with("sale.created ")).then_some(told)
    })
    .await;
    assert!(told.iter().all(|told| told.to_lowercase().contains("certificate") && !told.contains("hush")), "{told:?}");
    let hook = made["data"]["id"].as_str().unwrap();
    let listed = reqwest::Client::new()
        .get(format!("{}/v1/webhooks/{hook}/deliveries?state=pending", serve.url))
        .bearer_auth(&key)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(listed.to_lowercase().contains("certificate") && !listed.contains("hush"), "its owner is told: {listed}");
    assert!(receiver.got().is_empty(), "nothing was said to it");
    serve.kill();

    // And now it does not.
    world.database.execute("UPDATE crowdsale_service.webhook_delivery SET next_at = now()").await;
    let _serve = Serve::start_in(&world, &TLS, &[("SSL_CERT_FILE", &trusted)]).await;
    quiet(&world).await;
    let got = receiver.got();
    assert!(got.iter().any(|g| g.event().starts_with("sale.created ")), "{got:?}");
    let (secret, public_key) = (made["secret"].as_str().unwrap(), made["data"]["public_key"].as_str().unwrap());
    got.iter().for_each(|got| got.assert_signed(secret, public_key));
}
