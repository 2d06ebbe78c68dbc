//! How many requests an address may make, and which address that is.
//!
//! Behind a proxy all requests come from its address. What it says of whom it passes on is believed of proxies that are trusted, and of
//! nobody else: else anybody could have as many addresses as they can write down.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;

use crate::{
    api::{
        auth::{ClientAddress, counted, shows_key},
        problem::{Code, Problem},
    },
    meter::Meter,
};

/// So many times the limit is what an address has that sends a key.
const WITH_KEY: u32 = 10;
/// What operators' own tools ask for.
const UNLIMITED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Limits of addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limits {
    shared: Arc<Shared>,
    takes_keys: bool,
}

#[derive(Debug)]
struct Shared {
    trusted: Vec<IpNet>,
    open: Option<Meter<IpAddr>>,
    keyed: Option<Meter<IpAddr>>,
}

impl Default for Limits {
    /// None, and no proxy is trusted.
    fn default() -> Self {
        Self::new(None, Vec::new())
    }
}

impl Limits {
    /// So many requests a minute for each address, ten times as many with a key; `trusted` are proxies.
    pub fn new(per_minute: Option<NonZeroU32>, trusted: Vec<IpNet>) -> Self {
        let keyed = per_minute.map(|limit| limit.saturating_mul(NonZeroU32::MIN.saturating_add(WITH_KEY - 1)));
        let shared = Shared {
            trusted,
            open: per_minute.map(|limit| Meter::new("default", limit)),
            keyed: keyed.map(|limit| Meter::new("with-key", limit)),
        };
        Self { shared: Arc::new(shared), takes_keys: true }
    }

    /// The same where keys are not looked at: who sends one is as everybody else.
    #[must_use]
    pub(super) fn for_keys(self, takes_keys: bool) -> Self {
        Self { takes_keys, ..self }
    }

    /// Whether what this address says of whom it passes on is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.shared.trusted.iter().any(|net| net.contains(&address))
    }

    /// Who sent a request that came from `peer`: the last address in `X-Forwarded-For` that no trusted proxy has, each having added
    /// whom it heard from. What cannot be read ends the search.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()).collect();
        for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            let Ok(address) = text.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }

    fn meter(&self, request: &Request) -> Option<&Meter<IpAddr>> {
        if UNLIMITED.contains(&request.uri().path()) {
            return None;
        }
        // Whether it is a good one is found out later: who sends a bad one gets no answer for it.
        let has_key = self.takes_keys && shows_key(request.headers());
        if has_key { self.shared.keyed.as_ref() } else { self.shared.open.as_ref() }
    }
}

/// Says whose request it is, and lets it pass if they have one left.
pub(super) async fn metered(limits: Limits, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ClientAddress>().map(|ClientAddress(peer)| *peer);
    let Some(peer) = peer else { return next.run(request).await };
    let client = limits.client(peer, request.headers());
    request.extensions_mut().insert(ClientAddress(client));
    let Some(meter) = limits.meter(&request) else { return next.run(request).await };
    let reading = meter.take(&counted(client));
    let mut response = match reading.wait() {
        None => next.run(request).await,
        Some(seconds) => {
            let detail = format!(
                "this address may make {} requests a minute: wait as long as Retry-After says",
                reading.per_minute()
            );
            Problem::new(Code::TooManyRequests, detail).retry_after(seconds).into_response()
        }
    };
    reading.tell(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let limits = Limits::new(None, trusted.iter().map(|net| net.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        limits.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_says_who_asks() {
        let nets = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client(&[], "10.0.0.1", &["1.2.3.4"]), "10.0.0.1", "nobody is trusted");
        assert_eq!(client(&nets, "8.8.8.8", &["1.2.3.4"]), "8.8.8.8", "not this one");
        assert_eq!(client(&nets, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client(&nets, "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        // What the client wrote itself stands before what the proxies added.
        assert_eq!(client(&nets, "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.9.9.9"]), "1.2.3.4");
        assert_eq!(client(&nets, "10.0.0.1", &["6.6.6.6", "1.2.3.4 ,fd00::1"]), "1.2.3.4", "as one list");
        assert_eq!(client(&nets, "10.0.0.1", &["1.2.3.4, x, 10.9.9.9"]), "10.9.9.9", "what cannot be read ends it");
        assert_eq!(client(&nets, "::ffff:10.0.0.1", &["::ffff:1.2.3.4"]), "1.2.3.4");
    }

    #[test]
    fn a_network_of_one_host_counts_as_one() {
        let one: IpAddr = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        let two: IpAddr = "2001:db8:1:2:ffff::1".parse().unwrap();
        let other: IpAddr = "2001:db8:1:3::1".parse().unwrap();
        assert_eq!(counted(one), counted(two));
        assert_ne!(counted(one), counted(other));
    }
}
