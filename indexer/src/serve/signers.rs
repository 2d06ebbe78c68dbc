//! Keys that are replaced under a running server.
//!
//! That of vouchers is taken up, beside the one before it. That of orders is not: what it has sent is tied to its account's nonces, and
//! can be sped up, cancelled and filled by that key alone.

use std::{sync::Arc, time::Duration};

use metrics::gauge;
use tokio::time::MissedTickBehavior;

use crate::{
    api::auth::Service,
    config::{DEV_CHAIN_ID, Key, KeyPlace},
    orders::Signer,
    telemetry::metric,
};

/// Where the keys are that a server signs with. None where it has none of a kind.
#[derive(Clone, Debug, Default)]
pub struct KeyPlaces {
    /// That orders are sent with.
    pub orders: Option<KeyPlace>,
    /// That vouchers are signed with.
    pub vouchers: Option<KeyPlace>,
}

/// What signs with a key: one that everybody has signs on development chains alone.
pub fn signer(key: Key) -> Signer {
    let only_on = key.is_published().then_some(DEV_CHAIN_ID);
    Signer::new(key.into_signer(), only_on)
}

/// Looks at the keys' files every so often, for as long as it is polled.
pub(super) async fn renew(service: Arc<Service>, keys: KeyPlaces, every: Duration) {
    let KeyPlaces { mut orders, mut vouchers } = keys;
    // There from the start, where there is something to alert on.
    if orders.is_some() {
        stale("orders", false);
    }
    if vouchers.is_some() {
        stale("vouchers", false);
    }
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Some(place) = orders.as_mut().filter(|place| place.has_changed()) {
            compare_orders(&service, read(place).await);
        }
        if let Some(place) = vouchers.as_mut().filter(|place| place.has_changed()) {
            take_up_vouchers(&service, place).await;
        }
    }
}

/// Not on a thread that answers requests: opening a keystore is work. Said once for each change, also where it is only half of one.
async fn read(place: &mut KeyPlace) -> Option<Signer> {
    let mut moved = place.clone();
    let (moved, key) = tokio::task::spawn_blocking(move || {
        let key = moved.read();
        (moved, key)
    })
    .await
    .ok()?;
    *place = moved;
    match key {
        Ok(key) => Some(signer(key)),
        Err(error) => {
            let (variable, hint) = (place.variable(), error.hint());
            tracing::warn!(%error, hint, "{variable} is not replaced yet: the key before signs on");
            None
        }
    }
}

async fn take_up_vouchers(service: &Service, place: &mut KeyPlace) {
    let Some(signer) = read(place).await else { return stale("vouchers", true) };
    let account = signer.address();
    match service.replace_voucher_signer(signer).await {
        Ok(Some(before)) => {
            tracing::info!(%account, %before, "vouchers have a new signer; for sales that still name the one before, that signs on");
        }
        Ok(None) => tracing::info!(%account, "the key of vouchers was read again, and is the same"),
        Err(error) => {
            tracing::warn!(%error, %account, "vouchers have no new signer yet: the audit log cannot note it");
            place.forget();
            return stale("vouchers", true);
        }
    }
    stale("vouchers", false);
}

/// Says what will not be done.
fn compare_orders(service: &Service, found: Option<Signer>) {
    let Some(found) = found else { return stale("orders", true) };
    let account = service.orders().signer().map(Signer::address);
    let is_other = account != Some(found.address());
    if is_other {
        let (account, found) = (account.unwrap_or_default(), found.address());
        tracing::warn!(
            %account,
            %found,
            "the key of orders was replaced, and is not taken up: let the orders of the account before become final, then start the service again"
        );
    }
    stale("orders", is_other);
}

fn stale(signer: &'static str, is_stale: bool) {
    gauge!(metric::SIGNER_STALE, "signer" => signer).set(f64::from(u8::from(is_stale)));
}
