//! How many requests an address may make, and which address that is.
//!
//! Behind a proxy all requests come from its address. What it says of whom it passes on is believed of proxies that are trusted, and of
//! nobody else: else anybody could have as many addresses as they can write down.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use ipnet::IpNet;

use crate::api::{
    auth::ClientAddress,
    problem::{Code, Problem},
};

/// Requests between two times that addresses which are quiet again are forgotten.
const FORGET_EVERY: u32 = 4_096;
/// So many times the limit is what an address has that sends a key.
const WITH_KEY: u32 = 10;
/// What operators' own tools ask for.
const UNLIMITED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

type ByAddress = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// Limits of addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    trusted: Vec<IpNet>,
    open: Option<Meter>,
    keyed: Option<Meter>,
    count: AtomicU32,
}

#[derive(Debug)]
struct Meter {
    name: &'static str,
    per_minute: NonZeroU32,
    limiter: ByAddress,
}

impl Meter {
    fn new(name: &'static str, per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::dashmap(Quota::per_minute(per_minute)).with_middleware();
        Self { name, per_minute, limiter }
    }

    /// What may still be asked, and the seconds until all may be asked again; or, past the limit, until the next may.
    fn take(&self, address: IpAddr) -> (Result<u32, ()>, u64) {
        match self.limiter.check_key(&address) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = u64::from(self.per_minute.get().saturating_sub(left));
                (Ok(left), (used * 60).div_ceil(u64::from(self.per_minute.get())))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.limiter.clock().now());
                (Err(()), wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
            }
        }
    }
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
        Self(Arc::new(Shared {
            trusted,
            open: per_minute.map(|limit| Meter::new("default", limit)),
            keyed: keyed.map(|limit| Meter::new("with-key", limit)),
            count: AtomicU32::new(0),
        }))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.trusted.iter().any(|net| net.contains(&address))
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

    fn meter(&self, request: &Request) -> Option<&Meter> {
        let shared = &*self.0;
        if UNLIMITED.contains(&request.uri().path()) {
            return None;
        }
        if self.0.count.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            shared.open.iter().chain(&shared.keyed).for_each(|meter| meter.limiter.retain_recent());
        }
        if request.headers().contains_key(header::AUTHORIZATION) { shared.keyed.as_ref() } else { shared.open.as_ref() }
    }
}

/// An IPv6 host has a whole /64 to write its address in.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
    }
}

/// Says whose request it is, and lets it pass if they have one left.
pub(super) async fn metered(limits: Limits, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ClientAddress>().map(|ClientAddress(peer)| *peer);
    let Some(peer) = peer else { return next.run(request).await };
    let client = limits.client(peer, request.headers());
    request.extensions_mut().insert(ClientAddress(client));
    let Some(meter) = limits.meter(&request) else { return next.run(request).await };
    let (left, seconds) = meter.take(counted(client));
    let mut response = match left {
        Ok(_) => next.run(request).await,
        Err(()) => {
            let detail = format!("this address may make {} requests a minute; wait before the next", meter.per_minute);
            Problem::new(Code::TooManyRequests, detail)
                .retry_after(u32::try_from(seconds).unwrap_or(60))
                .into_response()
        }
    };
    let policy = format!("\"{}\";q={};w=60", meter.name, meter.per_minute);
    let state = format!("\"{}\";r={};t={seconds}", meter.name, left.unwrap_or(0));
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
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
