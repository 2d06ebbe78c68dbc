//! `GET /metrics`, in Prometheus' text format. Heights and lag are read when they are asked for, so that an indexer which stands
//! still, or runs in another process, shows.

use std::collections::BTreeSet;

use axum::{extract::State, http::header, response::IntoResponse};
use metrics::{counter, gauge};

use super::{ApiState, auth::Service, orders::OrderState};
use crate::{
    db::{
        DbError,
        read::chains,
        service::{deliveries, order_signers as signers, orders},
        snapshot,
    },
    telemetry::metric,
    types::Addr,
};

/// Metrics of this process and of the chains
///
/// While the database is away, those of the chains keep their last values.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses((status = 200, description = "Prometheus' text format.", body = String, content_type = "text/plain"))
)]
pub async fn get_metrics(State(state): State<ApiState>) -> impl IntoResponse {
    if let Err(error) = observe(&state).await {
        tracing::warn!(%error, "the metrics of chains are stale");
    }
    let headers =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, state.metrics().render())
}

// Prometheus has floats alone; heights stay exact in them below 2^53.
async fn observe(state: &ApiState) -> Result<(), DbError> {
    let idle = state.pool().num_idle();
    gauge!(metric::POOL_CONNECTIONS, "state" => "idle").set(idle as f64);
    let used = (state.pool().size() as usize).saturating_sub(idle);
    gauge!(metric::POOL_CONNECTIONS, "state" => "used").set(used as f64);

    if let Some(service) = state.service() {
        let mut connection = service.webhooks().pool().acquire().await?;
        let waiting = deliveries::waiting(&mut connection).await?;
        gauge!(metric::WEBHOOK_PENDING).set(waiting.count as f64);
        gauge!(metric::WEBHOOK_OLDEST).set(waiting.oldest_seconds as f64);
    }
    let chains = {
        // Not for longer: a reader that waits for another connection is one less for everybody.
        let mut transaction = snapshot(state.pool()).await?;
        chains::list(&mut transaction).await?
    };
    if let Some(service) = state.service() {
        observe_orders(service, chains.iter().map(|chain| chain.checkpoint.chain_id)).await?;
    }
    for chain in chains {
        let c = &chain.checkpoint;
        let id = c.chain_id.to_string();
        gauge!(metric::LAG_SECONDS, "chain_id" => id.clone()).set(chain.lag_seconds as f64);
        gauge!(metric::INDEXED_BLOCK, "chain_id" => id.clone()).set(c.number as f64);
        gauge!(metric::HEAD_BLOCK, "chain_id" => id.clone()).set(c.head_number as f64);
        gauge!(metric::FINALIZED_BLOCK, "chain_id" => id.clone()).set(c.finalized_number as f64);
        gauge!(metric::HALTED, "chain_id" => id.clone()).set(f64::from(u8::from(c.halted.is_some())));
        gauge!(metric::SILENT_SECONDS, "chain_id" => id.clone()).set(c.seen_seconds_ago as f64);
        // There from the start: a rate over a series that appears with its first reorg misses that reorg.
        counter!(metric::REORGS, "chain_id" => id).increment(0);
    }
    Ok(())
}

async fn observe_orders(service: &Service, chains: impl Iterator<Item = i64>) -> Result<(), DbError> {
    let mut connection = service.pool().acquire().await?;
    let open = orders::count_open(&mut connection).await?;
    for chain_id in chains.chain(open.iter().map(|o| o.chain_id)).collect::<BTreeSet<_>>() {
        let id = chain_id.to_string();
        let of_chain = || open.iter().filter(|o| o.chain_id == chain_id);
        // All of them, as what is there no more has to show as none.
        for state in OrderState::ALL.map(OrderState::as_str) {
            let count: i64 = of_chain().filter(|o| o.state == state).map(|o| o.count).sum();
            gauge!(metric::ORDERS_OPEN, "chain_id" => id.clone(), "state" => state).set(count as f64);
        }
        let oldest = of_chain().filter(|o| o.state != "expired").map(|o| o.oldest_seconds).max();
        gauge!(metric::ORDER_OLDEST, "chain_id" => id.clone()).set(oldest.unwrap_or_default() as f64);
        for outcome in OrderState::SETTLED.map(OrderState::as_str) {
            counter!(metric::ORDERS_SETTLED, "chain_id" => id.clone(), "outcome" => outcome).increment(0);
        }
    }
    let Some(signer) = service.orders().signer() else { return Ok(()) };
    for row in signers::list(&mut connection, Addr(signer.address())).await? {
        let id = row.chain_id.to_string();
        gauge!(metric::ORDER_GAP, "chain_id" => id.clone()).set(f64::from(u8::from(row.has_gap)));
        let limit = service.orders().options().max_fee_of_order();
        gauge!(metric::ORDER_FEE_LIMIT, "chain_id" => id.clone()).set(limit as f64);
        if let Some(asked) = row.fee_asked {
            gauge!(metric::ORDER_FEE_ASKED, "chain_id" => id.clone()).set(f64::from(asked.0));
        }
        if let (Some(balance), Some(unmined), Some(ago)) = (row.balance, row.unmined, row.seen_seconds_ago) {
            gauge!(metric::ORDER_BALANCE, "chain_id" => id.clone()).set(f64::from(balance.0));
            gauge!(metric::ORDER_UNMINED, "chain_id" => id.clone()).set(unmined as f64);
            gauge!(metric::ORDER_SILENT, "chain_id" => id).set(ago as f64);
        }
    }
    Ok(())
}
