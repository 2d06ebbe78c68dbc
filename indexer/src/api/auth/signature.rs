//! Signed requests (RFC 9421): instead of sending a key, its owner signs what they ask for, with Ed25519.
//!
//! ```text
//! Content-Digest: sha-256=:…:
//! Signature-Input: sig=("@method" "@authority" "@path" "@query" "content-digest");created=1700000000;nonce="…";keyid="key_…";alg="ed25519"
//! Signature: sig=:…:
//! ```
//!
//! Method, authority, path and query have to be covered, the digest of the body where there is one, and `idempotency-key` where that is
//! there; other header fields may be.
//! The scheme is not: TLS may end before us. `created` must be of the last minutes, and a nonce is good once.

use axum::http::{HeaderMap, Method, Uri, header, request::Parts};
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, Item, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

use super::Origins;

/// Seconds that a signature is good for.
pub const LIFE: i64 = 300;
/// Seconds that a client's clock may be ahead.
pub const SKEW: i64 = 30;

/// Components that say what is asked for.
const REQUIRED: [&str; 4] = ["@method", "@authority", "@path", "@query"];
const DIGEST: &str = "content-digest";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// More would cost more to look at than they could say.
const MOST_COMPONENTS: usize = 32;

/// What is wrong with a signed request. Each is the end of a sentence that says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// One of the two headers is missing, repeated or cannot be read.
    #[error("{0} is missing or cannot be read: it has to stand there once, as RFC 9421 writes it")]
    Header(&'static str),
    /// Not exactly one signature is by a key of ours.
    #[error(
        "Signature-Input and Signature have to hold one signature, under the same label, whose keyid is the id of a key (key_…)"
    )]
    Label,
    /// A parameter of the signature is missing or of another type.
    #[error(
        "the parameter {0} of Signature-Input is missing or not what it has to be: /docs says what a signature needs"
    )]
    Parameter(&'static str),
    /// Something has to be covered and is not.
    #[error("the signature does not cover {0:?}: add it to what is signed, and sign again")]
    Uncovered(&'static str),
    /// Something is covered that nothing is known of.
    #[error(
        "the signature covers {0:?}, which the request does not have or this service cannot check: send it, or leave it out"
    )]
    Component(String),
    /// Another name than this service's.
    #[error(
        "the request is for {0:?}, which is not the name of this service; its operator sets that with --public-url"
    )]
    Authority(String),
    /// Too old, or of the future.
    #[error(
        "created must be within the last {LIFE} seconds and expires not be over; here it is {now}: set your clock and sign anew"
    )]
    Stale {
        /// This service's clock, Unix seconds.
        now: i64,
    },
    /// The body is not the one that was signed.
    #[error(
        "Content-Digest is missing, has neither sha-256 nor sha-512, or is of another body: make it of the very bytes that are sent"
    )]
    Digest,
}

/// A signature, read, and what it is to be verified over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Whose it is.
    pub key_id: String,
    /// What is good once.
    pub nonce: String,
    /// The text that was signed.
    pub base: String,
    /// The signature.
    pub signature: Vec<u8>,
    covers_digest: bool,
}

/// Whether a request means to be signed.
pub fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key("signature") || headers.contains_key("signature-input")
}

fn dictionary(headers: &HeaderMap, name: &'static str) -> Result<Dictionary, SignatureFault> {
    let fault = SignatureFault::Header(name);
    let text = field(headers, name).ok_or(fault.clone())?;
    Parser::new(&text).parse().map_err(|_| fault)
}

/// All values of a header field as one.
fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().map(str::trim));
    let values = values.collect::<Result<Vec<_>, _>>().ok()?;
    (!values.is_empty()).then(|| values.join(", "))
}

/// Reads the signature of a request, but for its body.
///
/// # Errors
/// [`SignatureFault`], where it cannot be one that this service takes.
pub fn read(parts: &Parts, origins: &Origins, now: i64) -> Result<Signed, SignatureFault> {
    let inputs = dictionary(&parts.headers, "signature-input")?;
    let signatures = dictionary(&parts.headers, "signature")?;
    // A proxy may have added one of its own.
    let mut ours = inputs.iter().filter_map(|(label, input)| match input {
        ListEntry::InnerList(input) => {
            text(input, "keyid").filter(|id| id.starts_with("key_")).map(|id| (label, input, id))
        }
        ListEntry::Item(_) => None,
    });
    let (Some((label, input, key_id)), None) = (ours.next(), ours.next()) else { return Err(SignatureFault::Label) };
    let signature = match signatures.get(label.as_str()) {
        Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. })) => bytes.clone(),
        _ => return Err(SignatureFault::Label),
    };

    if input.params.get("alg").is_some() && text(input, "alg") != Some("ed25519") {
        return Err(SignatureFault::Parameter("alg"));
    }
    let nonce = text(input, "nonce").filter(|nonce| (8..=128).contains(&nonce.len()));
    let nonce = nonce.ok_or(SignatureFault::Parameter("nonce"))?;
    let created = number(input, "created").ok_or(SignatureFault::Parameter("created"))?;
    let expires = match input.params.get("expires") {
        Some(_) => number(input, "expires").ok_or(SignatureFault::Parameter("expires"))?,
        None => i64::MAX,
    };
    if created > now + SKEW || created < now - LIFE || expires < now {
        return Err(SignatureFault::Stale { now });
    }

    let mut covered: Vec<&str> = Vec::new();
    let mut base = String::new();
    for item in &input.items {
        let name = item.bare_item.as_string().map(|name| name.as_str()).unwrap_or_default();
        let unknown = || SignatureFault::Component(name.chars().take(64).collect());
        if !item.params.is_empty() || covered.contains(&name) || covered.len() == MOST_COMPONENTS {
            return Err(unknown());
        }
        let value = component(name, &parts.method, &parts.uri, &parts.headers).ok_or_else(unknown)?;
        covered.push(name);
        base += &format!("\"{name}\": {value}\n");
    }
    if let Some(missing) = REQUIRED.into_iter().find(|name| !covered.contains(name)) {
        return Err(SignatureFault::Uncovered(missing));
    }
    // What makes a request that is sent again the same: another in its place would be another request.
    if parts.headers.contains_key(IDEMPOTENCY_KEY) && !covered.contains(&IDEMPOTENCY_KEY) {
        return Err(SignatureFault::Uncovered(IDEMPOTENCY_KEY));
    }
    let authority = authority(&parts.uri, &parts.headers).unwrap_or_default();
    if !origins.holds(&authority) {
        return Err(SignatureFault::Authority(authority.chars().take(64).collect()));
    }
    base += &format!("\"@signature-params\": {}", parameters(input));
    let covers_digest = covered.contains(&DIGEST);
    Ok(Signed { key_id: key_id.to_owned(), nonce: nonce.to_owned(), base, signature, covers_digest })
}

impl Signed {
    /// Whether the body is the one that was signed.
    ///
    /// # Errors
    /// [`SignatureFault::Uncovered`] where a body is not covered, [`SignatureFault::Digest`] where it is another.
    pub fn check_body(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureFault> {
        if !self.covers_digest {
            return if body.is_empty() { Ok(()) } else { Err(SignatureFault::Uncovered(DIGEST)) };
        }
        let digests = dictionary(headers, DIGEST).map_err(|_| SignatureFault::Digest)?;
        let mut known = 0;
        for (algorithm, value) in &digests {
            let right = match algorithm.as_str() {
                "sha-256" => Sha256::digest(body).to_vec(),
                "sha-512" => Sha512::digest(body).to_vec(),
                _ => continue,
            };
            known += 1;
            let told = match value {
                ListEntry::Item(item) => item.bare_item.as_byte_sequence(),
                ListEntry::InnerList(_) => None,
            };
            if told != Some(&right[..]) {
                return Err(SignatureFault::Digest);
            }
        }
        if known == 0 { Err(SignatureFault::Digest) } else { Ok(()) }
    }
}

/// The parameters as they were signed: in the one form that structured fields have.
fn parameters(input: &InnerList) -> String {
    let list: sfv::List = vec![ListEntry::InnerList(input.clone())];
    // A list of one member is written as that member.
    list.serialize().unwrap_or_default()
}

fn text<'a>(input: &'a InnerList, name: &str) -> Option<&'a str> {
    input.params.get(name)?.as_string().map(|text| text.as_str())
}

fn number(input: &InnerList, name: &str) -> Option<i64> {
    input.params.get(name)?.as_integer().map(i64::from)
}

/// The value of a component, if it is one that can be covered.
fn component(name: &str, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match name {
        "@method" => Some(method.as_str().to_owned()),
        "@authority" => authority(uri, headers),
        "@path" => Some(if uri.path().is_empty() { "/".to_owned() } else { uri.path().to_owned() }),
        "@query" => Some(format!("?{}", uri.query().unwrap_or_default())),
        _ if name.starts_with('@') || name.bytes().any(|b| b.is_ascii_uppercase()) => None,
        _ => field(headers, name),
    }
}

/// Where the request was sent to, without the port that goes without saying.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, _) => authority.as_str().to_owned(),
        (None, Some(host), None) => host.to_str().ok()?.to_owned(),
        _ => return None,
    };
    let host = host.to_ascii_lowercase();
    let bare = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(&host);
    Some(bare.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::access::PublicKey;

    const NOW: i64 = 1_618_884_473;

    fn request(input: &str, signature: &str) -> Parts {
        let request = Request::post("/foo?param=Value&Pet=dog")
            .header("host", "example.com")
            .header("date", "Tue, 20 Apr 2021 02:07:55 GMT")
            .header("content-type", "application/json")
            .header(
                "content-digest",
                "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
            )
            .header("content-length", "18")
            .header("signature-input", input)
            .header("signature", signature);
        request.body(()).unwrap().into_parts().0
    }

    fn origins() -> Origins {
        Origins::new(["https://example.com".parse().unwrap()])
    }

    /// RFC 9421, B.2.6, whose key id is another form than ours: the base and the signature are those of the RFC.
    #[test]
    fn the_example_of_the_standard_is_verified() {
        let input = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
        let parts = request(&format!("sig-b26={input}"), "x=:AA==:");
        let list: sfv::Dictionary = Parser::new(&format!("sig-b26={input}")).parse().unwrap();
        let Some(ListEntry::InnerList(inner)) = list.get("sig-b26") else { panic!("no inner list") };
        assert_eq!(parameters(inner), input);
        let mut base = String::new();
        for item in &inner.items {
            let name = item.bare_item.as_string().unwrap().as_str();
            let value = component(name, &parts.method, &parts.uri, &parts.headers).unwrap();
            base += &format!("\"{name}\": {value}\n");
        }
        base += &format!("\"@signature-params\": {}", parameters(inner));
        let signature: Item =
            Parser::new(":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:")
                .parse()
                .unwrap();
        let key: PublicKey = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=".parse().unwrap();
        assert!(key.verify(base.as_bytes(), signature.bare_item.as_byte_sequence().unwrap()));
        assert!(!key.verify(base.replace("POST", "PUT").as_bytes(), signature.bare_item.as_byte_sequence().unwrap()));
    }

    fn input(covered: &str, parameters: &str) -> String {
        format!("sig=({covered}){parameters}")
    }

    const ALL: &str = r#""@method" "@authority" "@path" "@query" "content-digest""#;
    const GOOD: &str = r#";created=1618884473;nonce="abcdefgh";keyid="key_1";alg="ed25519""#;

    #[test]
    fn what_is_covered_is_what_is_asked_for() {
        let signed = read(&request(&input(ALL, GOOD), "sig=:AAAA:"), &origins(), NOW).unwrap();
        assert_eq!(
            (signed.key_id.as_str(), signed.nonce.as_str(), &signed.signature[..]),
            ("key_1", "abcdefgh", &[0; 3][..])
        );
        let expected =
            "\"@method\": POST\n\"@authority\": example.com\n\"@path\": /foo\n\"@query\": ?param=Value&Pet=dog\n";
        assert!(signed.base.starts_with(expected), "{}", signed.base);
        let headers = request("", "").headers;
        assert_eq!(signed.check_body(&headers, br#"{"hello": "world"}"#), Ok(()));
        assert_eq!(signed.check_body(&headers, br#"{"hello": "World"}"#), Err(SignatureFault::Digest));
        assert_eq!(signed.check_body(&HeaderMap::new(), b""), Err(SignatureFault::Digest));
        let mut other = HeaderMap::new();
        other.insert("content-digest", "md5=:AAAA:".parse().unwrap());
        assert_eq!(signed.check_body(&other, b""), Err(SignatureFault::Digest));

        // Beside a proxy's own, and with a port that goes without saying.
        let two = format!("{}, proxy=(\"@method\");keyid=\"proxy\"", input(ALL, GOOD));
        let mut parts = request(&two, "proxy=:AAAA:, sig=:AAAA:");
        parts.headers.insert("host", "EXAMPLE.com:443".parse().unwrap());
        assert_eq!(read(&parts, &origins(), NOW).unwrap().base.lines().nth(1), Some("\"@authority\": example.com"));
    }

    #[test]
    fn what_must_not_pass_is_told() {
        let fault = |input: &str, signature: &str| read(&request(input, signature), &origins(), NOW).unwrap_err();
        for name in REQUIRED {
            let less = ALL.replace(&format!("\"{name}\" "), "");
            assert_eq!(fault(&input(&less, GOOD), "sig=:AAAA:"), SignatureFault::Uncovered(name));
        }
        let signed =
            read(&request(&input(&ALL.replace(" \"content-digest\"", ""), GOOD), "sig=:AAAA:"), &origins(), NOW);
        let signed = signed.unwrap();
        let mut keyed = request(&input(ALL, GOOD), "sig=:AAAA:");
        keyed.headers.insert("idempotency-key", "one".parse().unwrap());
        assert_eq!(read(&keyed, &origins(), NOW), Err(SignatureFault::Uncovered(IDEMPOTENCY_KEY)));
        assert_eq!(signed.check_body(&HeaderMap::new(), b"{}"), Err(SignatureFault::Uncovered(DIGEST)));
        assert_eq!(signed.check_body(&HeaderMap::new(), b""), Ok(()));
        for component in ["@target-uri", "@scheme", "@status", "x-missing", "@method", "Date", ""] {
            let more = format!("{ALL} \"{component}\"");
            assert_eq!(fault(&input(&more, GOOD), "sig=:AAAA:"), SignatureFault::Component(component.to_owned()));
        }
        let keyed = format!("{ALL} \"date\";bs");
        assert_eq!(fault(&input(&keyed, GOOD), "sig=:AAAA:"), SignatureFault::Component("date".to_owned()));
        for (parameters, missing) in [
            (GOOD.replace("created=1618884473;", ""), "created"),
            (GOOD.replace("1618884473", "\"1618884473\""), "created"),
            (GOOD.replace("nonce=\"abcdefgh\";", ""), "nonce"),
            (GOOD.replace("abcdefgh", "abcdefg"), "nonce"),
            (GOOD.replace("ed25519", "rsa-pss-sha512"), "alg"),
            (format!("{GOOD};expires=\"x\""), "expires"),
        ] {
            assert_eq!(fault(&input(ALL, &parameters), "sig=:AAAA:"), SignatureFault::Parameter(missing));
        }
        for created in [NOW - LIFE - 1, NOW + SKEW + 1] {
            let stale = GOOD.replace("1618884473", &created.to_string());
            assert_eq!(fault(&input(ALL, &stale), "sig=:AAAA:"), SignatureFault::Stale { now: NOW });
        }
        let over = format!("{GOOD};expires={}", NOW - 1);
        assert_eq!(fault(&input(ALL, &over), "sig=:AAAA:"), SignatureFault::Stale { now: NOW });
        for (input, signature) in [
            (input(ALL, GOOD), "other=:AAAA:"),
            (input(ALL, GOOD), "sig=AAAA"),
            (input(ALL, &GOOD.replace("key_1", "other")), "sig=:AAAA:"),
            (format!("{}, two={}", input(ALL, GOOD), &input(ALL, GOOD)[4..]), "sig=:AAAA:, two=:AAAA:"),
            ("sig=1".to_owned(), "sig=:AAAA:"),
        ] {
            assert_eq!(fault(&input, signature), SignatureFault::Label, "{input}");
        }
        for (input, signature, header) in
            [("sig=(", "sig=:AAAA:", "signature-input"), (&*input(ALL, GOOD), "sig=:AAAA", "signature")]
        {
            assert_eq!(fault(input, signature), SignatureFault::Header(header));
        }
        let mut parts = request(&input(ALL, GOOD), "sig=:AAAA:");
        parts.headers.insert("host", "example.org".parse().unwrap());
        assert_eq!(read(&parts, &origins(), NOW), Err(SignatureFault::Authority("example.org".to_owned())));
    }
}
