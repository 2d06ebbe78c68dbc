//! Where messages go and do not go, with real sockets.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{
    Guard, Options, Resolver, TargetError,
    send::{Answer, SendError, Sender, Signed},
};

#[test]
fn urls_that_lead_nowhere_public_are_refused_in_every_notation() {
    let guard = Guard::default();
    for url in [
        "https://example.org",
        "https://example.org/hooks?key=a%20b",
        "https://example.org:443/",
        "https://example.org:8443/",
        "https://8.8.8.8/",
        "https://134744072/",
        "https://[2606:4700::1111]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[64:ff9b::8.8.8.8]/",
        "https://müller.example/",
    ] {
        assert!(guard.parse(url).is_ok(), "{url}: {:?}", guard.parse(url));
    }
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://2130706433/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.0.0.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://100.127.255.255/",
        "https://169.254.169.254/latest/meta-data",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.0.0.1/",
        "https://192.0.2.1/",
        "https://192.88.99.1/",
        "https://192.168.1.1/",
        "https://198.18.0.1/",
        "https://198.19.255.255/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://224.0.0.1/",
        "https://239.255.255.255/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::8.8.8.8]/",
        "https://[100::1]/",
        "https://[2001::1]/",
        "https://[2001:db8::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:808:808::]/",
        "https://[3fff::1]/",
        "https://[5f00::1]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
    ] {
        assert!(matches!(guard.parse(url), Err(TargetError::Address(_))), "{url}: {:?}", guard.parse(url));
    }
    for (url, error) in [
        ("", TargetError::Form),
        ("example.org", TargetError::Form),
        ("//example.org/", TargetError::Form),
        ("https://", TargetError::Form),
        ("https://a b/", TargetError::Form),
        ("https://1.2.3.4.5/", TargetError::Form),
        ("https://[fe80::1%25eth0]/", TargetError::Form),
        (&format!("https://example.org/{}", "x".repeat(2_048)), TargetError::Form),
        // Longer once it is encoded.
        (&format!("https://example.org/{}", "ü".repeat(1_000)), TargetError::Form),
        ("http://example.org/", TargetError::Scheme("https://")),
        ("ftp://example.org/", TargetError::Scheme("https://")),
        ("file:///etc/passwd", TargetError::Scheme("https://")),
        ("https://user@example.org/", TargetError::UserInfo),
        ("https://:word@example.org/", TargetError::UserInfo),
        ("https://example.org@127.0.0.1/", TargetError::UserInfo),
        ("https://example.org/#x", TargetError::Fragment),
        ("https://example.org:22/", TargetError::Port),
        ("https://example.org:80/", TargetError::Port),
        ("https://example.org:0/", TargetError::Port),
    ] {
        assert_eq!(guard.parse(url).unwrap_err(), error, "{url}");
    }
    assert!(
        guard
            .parse("https://example.org/hooks?secret=1")
            .is_ok_and(|t| format!("{t:?}").ends_with("(https://example.org)"))
    );
}

#[test]
fn an_operator_lets_through_what_he_names_and_no_more() {
    let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()], true);
    for url in ["http://10.1.2.3:9000/", "https://[::ffff:10.1.2.3]/", "https://[fd00::1]/", "http://example.org/"] {
        assert!(guard.parse(url).is_ok(), "{url}");
    }
    for url in ["http://10.2.0.1/", "http://127.0.0.1/", "https://[fc00::1]/"] {
        assert!(matches!(guard.parse(url), Err(TargetError::Address(_))), "{url}");
    }
    assert_eq!(guard.parse("ftp://example.org/"), Err(TargetError::Scheme("https:// or http://")));
}

/// Answers each question as the next in the list says; the last for ever.
#[derive(Clone, Debug)]
struct Scripted(Arc<Mutex<VecDeque<Vec<IpAddr>>>>);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|a| a.iter().map(|a| a.parse().unwrap()).collect());
        Self(Arc::new(Mutex::new(answers.collect())))
    }
}

impl Resolver for Scripted {
    fn resolve(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

const MESSAGE: Signed<'static> =
    Signed { id: "msg_1", timestamp: 1_614_265_330, signature: "v1,x v1a,y", body: "{\"a\":1}" };

fn options() -> Options {
    Options { timeout: Duration::from_secs(20), ..Options::default() }
}

/// Takes one request after another, answers each with this, and hands them over.
async fn receiver(answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let mut buffer = [0; 4096];
            while !text.contains("{\"a\":1}") {
                let read = stream.read(&mut buffer).await.unwrap();
                if read == 0 {
                    break;
                }
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            requests.lock().unwrap().push(text);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, seen)
}

async fn send(guard: &Guard, url: &str) -> Result<Answer, SendError> {
    Sender::new(guard.clone(), &options()).unwrap().send(url, MESSAGE).await
}

#[tokio::test]
async fn a_name_that_turns_to_an_address_inside_reaches_nobody() {
    let (port, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = format!("http://rebound.example:{port}/");
    // Public when it was made, inside when a message is sent.
    for later in [&["127.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::ffff:127.0.0.1"], &["::1"], &[]] {
        let guard = Guard::new(Vec::new(), true).with_resolver(Scripted::new(&[&["8.8.8.8"], later]));
        let target = guard.parse(&url).unwrap();
        guard.look(&target).await.unwrap();
        assert_eq!(send(&guard, &url).await, Err(SendError::Target(TargetError::Name)), "{later:?}");
        assert_eq!(guard.look(&target).await, Err(TargetError::Name), "{later:?}");
    }
    assert!(seen.lock().unwrap().is_empty());

    // Checked once and connected to once: between the two nobody is asked. Here the first answer leads to the receiver, which is allowed,
    // and the second would lead elsewhere.
    let scripted = Scripted::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let guard = Guard::new(vec!["127.0.0.1/32".parse().unwrap()], true).with_resolver(scripted.clone());
    assert_eq!(send(&guard, &url).await.unwrap().status, 200);
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(scripted.0.lock().unwrap().len(), 1, "one question was asked");
    // And for every attempt anew, whatever connection there was.
    assert_eq!(send(&guard, &url).await, Err(SendError::Target(TargetError::Name)));
}

#[tokio::test]
async fn an_address_that_was_allowed_once_is_checked_again() {
    let (port, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{port}/");
    let refused = send(&Guard::new(Vec::new(), true), &url).await.unwrap_err();
    assert_eq!(refused, SendError::Target(TargetError::Address(Ipv4Addr::LOCALHOST.into())));
    let local = vec!["127.0.0.0/8".parse().unwrap()];
    let plain = send(&Guard::new(local.clone(), false), &url).await.unwrap_err();
    assert_eq!(plain, SendError::Target(TargetError::Scheme("https://")));
    assert!(seen.lock().unwrap().is_empty());

    assert_eq!(send(&Guard::new(local, true), &url).await.unwrap().status, 200);
    let request = seen.lock().unwrap().remove(0).to_lowercase();
    for header in [
        "post / http/1.1\r\n",
        "\r\nwebhook-id: msg_1\r\n",
        "\r\nwebhook-timestamp: 1614265330\r\n",
        "\r\nwebhook-signature: v1,x v1a,y\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\nuser-agent: crowdsale-webhooks/",
    ] {
        assert!(request.contains(header), "{header} in {request}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_receiver_may_ask_for_time() {
    let local = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], true);
    let (inside, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let to =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{inside}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _) = receiver(to.leak()).await;
    assert_eq!(send(&local, &format!("http://127.0.0.1:{port}/")).await.unwrap().status, 307);
    assert!(seen.lock().unwrap().is_empty());

    let (port, _) = receiver("HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;
    let answer = send(&local, &format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.retry_after), (503, Some(Duration::from_secs(120))));

    // No HTTP, and nobody there: what is said has no URL in it.
    let (port, _) = receiver("220 mail ready\r\n").await;
    for port in [port, 1] {
        let url = format!("http://127.0.0.1:{}/?token=hush", port.max(1024));
        let SendError::Failed(text) = send(&local, &url).await.unwrap_err() else { panic!("it was answered") };
        assert!(!text.is_empty() && !text.contains("hush"), "{text}");
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_left() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], true);
    let options = Options { timeout: Duration::from_secs(1), ..Options::default() };
    let sender = Sender::new(guard, &options).unwrap();
    assert_eq!(sender.send(&url, MESSAGE).await, Err(SendError::Timeout(1)));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_talked_to() {
    let made = rcgen::generate_simple_self_signed(["hooks.example".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://hooks.example:{}/", listener.local_addr().unwrap().port());
    let greeted = tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() });
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], false);
    let guard = guard.with_resolver(Scripted::new(&[&["127.0.0.1"]]));
    let SendError::Failed(text) = send(&guard, &url).await.unwrap_err() else { panic!("it was not tried") };
    assert!(text.to_lowercase().contains("certificate"), "{text}");
    assert!(!greeted.await.unwrap(), "nothing was said to it");
}
