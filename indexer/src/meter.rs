//! How often somebody may ask: a bucket for each, and what the answer says of it in the headers of the IETF's draft.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

/// Requests between two times that those who are quiet again are forgotten.
const FORGET_EVERY: u32 = 4_096;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// A limit of requests a minute for each `K`.
#[derive(Debug)]
pub struct Meter<K: Clone + Hash + Eq> {
    name: &'static str,
    per_minute: NonZeroU32,
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    count: AtomicU32,
}

/// What is left to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    name: &'static str,
    per_minute: NonZeroU32,
    left: Option<u32>,
    seconds: u64,
}

impl<K: Clone + Hash + Eq> Meter<K> {
    /// So many a minute, under a name that answers tell.
    pub fn new(name: &'static str, per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::dashmap(Quota::per_minute(per_minute)).with_middleware();
        Self { name, per_minute, limiter, count: AtomicU32::new(0) }
    }

    /// Counts a request.
    pub fn take(&self, who: &K) -> Reading {
        if self.count.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let (name, per_minute) = (self.name, self.per_minute);
        match self.limiter.check_key(who) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = u64::from(per_minute.get().saturating_sub(left));
                Reading {
                    name,
                    per_minute,
                    left: Some(left),
                    seconds: (used * 60).div_ceil(u64::from(per_minute.get())),
                }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.limiter.clock().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Reading { name, per_minute, left: None, seconds }
            }
        }
    }
}

impl Reading {
    /// Seconds to wait, where there is nothing left.
    pub fn wait(&self) -> Option<u32> {
        self.left.is_none().then(|| u32::try_from(self.seconds).unwrap_or(60))
    }

    /// The limit.
    pub fn per_minute(&self) -> NonZeroU32 {
        self.per_minute
    }

    /// Says it beside what other limits say: both headers are lists.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let policy = format!("\"{}\";q={};w=60", self.name, self.per_minute);
        let state = format!("\"{}\";r={};t={}", self.name, self.left.unwrap_or(0), self.seconds);
        for (name, value) in [(POLICY, policy), (STATE, state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
    }
}
