//! Logs and metrics: their names in one place, and how a process turns them on.

use std::{io::IsTerminal, sync::OnceLock};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Names of all metrics. No label ever holds an address, a hash or a path as it was asked for: their values are without number.
pub mod metric {
    /// Gauge by `chain_id`, seconds: how far the indexed tip's timestamp is behind the clock.
    pub const LAG_SECONDS: &str = "crowdsale_indexer_lag_seconds";
    /// Counter by `chain_id`: reorganisations that were rolled back.
    pub const REORGS: &str = "crowdsale_indexer_reorgs_total";
    /// Counter by `chain_id`: events that were written.
    pub const EVENTS: &str = "crowdsale_indexer_events_total";
    /// Counter by `chain_id`: steps that failed and were tried again.
    pub const RETRIES: &str = "crowdsale_indexer_retries_total";
    /// Counter: ranges of a backfill that a node refused, and that were halved.
    pub const HALVINGS: &str = "crowdsale_indexer_range_halvings_total";
    /// Histogram by `chain_id`, blocks: how deep reorganisations were.
    pub const REORG_DEPTH: &str = "crowdsale_indexer_reorg_depth_blocks";
    /// Histogram by `chain_id`, seconds: from a batch that is ready to its commit.
    pub const BATCH_SECONDS: &str = "crowdsale_indexer_batch_duration_seconds";
    /// Histogram by `chain_id`: events of a batch.
    pub const BATCH_EVENTS: &str = "crowdsale_indexer_batch_events";
    /// Gauge by `chain_id`, blocks: what one request of a backfill asks for.
    pub const RANGE_BLOCKS: &str = "crowdsale_indexer_range_blocks";
    /// Gauge by `chain_id`, height: the indexed tip.
    pub const INDEXED_BLOCK: &str = "crowdsale_indexer_indexed_block";
    /// Gauge by `chain_id`, height: the node's head.
    pub const HEAD_BLOCK: &str = "crowdsale_indexer_head_block";
    /// Gauge by `chain_id`, height: the node's finalized block.
    pub const FINALIZED_BLOCK: &str = "crowdsale_indexer_finalized_block";
    /// Gauge by `chain_id`: 1 while indexing is halted until a person decides.
    pub const HALTED: &str = "crowdsale_indexer_halted";
    /// Gauge by `chain_id`, seconds: since the indexer last asked its node.
    pub const SILENT_SECONDS: &str = "crowdsale_indexer_silent_seconds";
    /// Counter by `method`, `route` (the template, never the path) and `status`.
    pub const HTTP_REQUESTS: &str = "crowdsale_http_requests_total";
    /// Histogram by `method` and `route`, seconds.
    pub const HTTP_SECONDS: &str = "crowdsale_http_request_duration_seconds";
    /// Gauge by `state` (`idle`, `used`): connections of the readers' pool.
    pub const POOL_CONNECTIONS: &str = "crowdsale_db_pool_connections";
    /// Counter by `result` (`delivered`, `failed`, `dead`): attempts to send a webhook's message.
    pub const WEBHOOK_ATTEMPTS: &str = "crowdsale_webhook_attempts_total";
    /// Gauge: messages that wait to be sent.
    pub const WEBHOOK_PENDING: &str = "crowdsale_webhook_pending_messages";
    /// Gauge, seconds: since the oldest of them was added.
    pub const WEBHOOK_OLDEST: &str = "crowdsale_webhook_oldest_pending_seconds";
    /// Gauge by `chain_id` and `state`: orders that can still change.
    pub const ORDERS_OPEN: &str = "crowdsale_orders_open";
    /// Gauge by `chain_id`, seconds: since the oldest of them was accepted, expired ones aside.
    pub const ORDER_OLDEST: &str = "crowdsale_order_oldest_open_seconds";
    /// Counter by `chain_id` and `outcome` (`final`, `failed`, `cancelled`, `replaced`): orders that this process saw end. A spend is
    /// what is `final`.
    pub const ORDERS_SETTLED: &str = "crowdsale_orders_settled_total";
    /// Gauge by `chain_id`: 1 in the one process that follows the chain's orders, 0 in those that stand by.
    pub const ORDER_FOLLOWER: &str = "crowdsale_order_follower";
    /// Gauge by `chain_id`, seconds: since that process last saw a new block.
    pub const ORDER_SILENT: &str = "crowdsale_order_silent_seconds";
    /// Gauge by `chain_id`, wei: what the account that sends orders has.
    pub const ORDER_BALANCE: &str = "crowdsale_order_signer_balance_wei";
    /// Gauge by `chain_id`: nonces of that account that were allotted and are in no block.
    pub const ORDER_UNMINED: &str = "crowdsale_order_signer_unmined_nonces";
    /// Gauge by `chain_id`, wei: what the next block asks for a unit of gas, as that process last saw it.
    pub const ORDER_FEE_ASKED: &str = "crowdsale_order_fee_asked_wei";
    /// Gauge by `chain_id`, wei: what an order may pay for a unit of gas, as the operator has set it.
    pub const ORDER_FEE_LIMIT: &str = "crowdsale_order_fee_limit_wei";
    /// Gauge by `chain_id`: 1 while a nonce is missing below all open orders.
    pub const ORDER_GAP: &str = "crowdsale_order_signer_nonce_gap";
    /// Gauge by `signer` (`orders`, `vouchers`): 1 while its files hold another key than it signs with, or none that can be read.
    pub const SIGNER_STALE: &str = "crowdsale_signer_stale";
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Logging or metrics could not be turned on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter is not one of `tracing`'s, e.g. `info,sqlx=warn`.
    #[error("the log filter {filter:?} cannot be read: {reason}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else in this process logs already.
    #[error("logging is on already: {0}")]
    Logs(#[from] tracing_subscriber::util::TryInitError),
    /// Something else in this process counts already.
    #[error("metrics cannot be turned on: {0}")]
    Metrics(#[from] BuildError),
}

/// Writes logs to standard error, from `filter` on, e.g. `info` or `info,crowdsale=debug`. Colours on a terminal only.
pub fn install_logs(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let levels = EnvFilter::try_new(filter)
        .map_err(|e| TelemetryError::Filter { filter: filter.to_owned(), reason: e.to_string() })?;
    let registry = tracing_subscriber::registry().with(levels);
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Human => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init()?,
    }
    Ok(())
}

/// Bounds of the duration histogram, seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Bounds of the histogram of a batch's events.
const EVENTS: [f64; 6] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0];
/// Bounds of the histogram of reorganisations, blocks.
const DEPTHS: [f64; 7] = [1.0, 2.0, 3.0, 10.0, 32.0, 64.0, 300.0];

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Folds what histograms gathered, which nobody may ask for in a long while. To be called every few seconds.
pub fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}

/// Counts from now on. The same handle every time: a process has one set of metrics.
pub fn install_metrics() -> Result<PrometheusHandle, TelemetryError> {
    static ONCE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = ONCE.lock();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(metric::HTTP_SECONDS.to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(metric::BATCH_SECONDS.to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(metric::BATCH_EVENTS.to_owned()), &EVENTS)?
        .set_buckets_for_metric(Matcher::Full(metric::REORG_DEPTH.to_owned()), &DEPTHS)?
        .install_recorder()?;
    describe();
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Says what each metric means, for `# HELP`.
pub fn describe() {
    describe_gauge!(metric::LAG_SECONDS, Unit::Seconds, "How far the indexed tip's timestamp is behind the clock");
    describe_counter!(metric::REORGS, "Reorganisations that were rolled back");
    describe_counter!(metric::EVENTS, "Events that were written");
    describe_counter!(metric::RETRIES, "Steps that failed and were tried again");
    describe_counter!(metric::HALVINGS, "Ranges of a backfill that a node refused, and that were halved");
    describe_histogram!(metric::REORG_DEPTH, "How many blocks deep reorganisations were");
    describe_histogram!(metric::BATCH_SECONDS, Unit::Seconds, "From a batch that is ready to its commit");
    describe_histogram!(metric::BATCH_EVENTS, "Events of a batch");
    describe_gauge!(metric::RANGE_BLOCKS, "Blocks that one request of a backfill asks for");
    describe_gauge!(metric::INDEXED_BLOCK, "Height of the indexed tip");
    describe_gauge!(metric::HEAD_BLOCK, "Height of the node's head");
    describe_gauge!(metric::FINALIZED_BLOCK, "Height of the node's finalized block");
    describe_gauge!(metric::HALTED, "1 while indexing is halted until a person decides");
    describe_gauge!(metric::SILENT_SECONDS, Unit::Seconds, "Since the indexer last asked its node");
    describe_counter!(metric::HTTP_REQUESTS, "Requests, by the route's template and the answer's status");
    describe_histogram!(metric::HTTP_SECONDS, Unit::Seconds, "Time until the answer's head, by the route's template");
    describe_gauge!(metric::POOL_CONNECTIONS, "Connections of the readers' pool");
    describe_counter!(metric::WEBHOOK_ATTEMPTS, "Attempts to send a webhook's message, by what came of them");
    describe_gauge!(metric::WEBHOOK_PENDING, "Messages of webhooks that wait to be sent");
    describe_gauge!(metric::WEBHOOK_OLDEST, Unit::Seconds, "Since the oldest waiting message of a webhook was added");
    describe_gauge!(metric::ORDERS_OPEN, "Orders that can still change, by state");
    describe_gauge!(
        metric::ORDER_OLDEST,
        Unit::Seconds,
        "Since the oldest open order was accepted, expired ones aside"
    );
    describe_counter!(metric::ORDERS_SETTLED, "Orders that this process saw end, by outcome");
    describe_gauge!(metric::ORDER_FOLLOWER, "1 in the process that follows the chain's orders");
    describe_gauge!(metric::ORDER_SILENT, Unit::Seconds, "Since the follower of orders last saw a new block");
    describe_gauge!(metric::ORDER_BALANCE, "Wei of the account that sends orders");
    describe_gauge!(metric::ORDER_UNMINED, "Nonces of that account that were allotted and are in no block");
    describe_gauge!(metric::ORDER_FEE_ASKED, "Wei that the next block asks for a unit of gas");
    describe_gauge!(metric::ORDER_FEE_LIMIT, "Wei that an order may pay for a unit of gas");
    describe_gauge!(metric::ORDER_GAP, "1 while a nonce is missing below all open orders");
    describe_gauge!(metric::SIGNER_STALE, "1 while a signer's files hold another key than it signs with, or no key");
}
