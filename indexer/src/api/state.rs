//! What an operator sets of the API, and what its handlers share.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use super::{
    allowlists::Allowlists,
    auth::Service,
    live::Live,
    problem::{Code, Problem},
};
use crate::{
    chain::{Chain, Nodes},
    meter::Meter,
};

/// What an operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiOptions {
    /// How often `min_block` looks again.
    pub min_block_attempts: u32,
    /// Pause between two looks.
    pub min_block_interval: Duration,
    /// Most requests that wait for a block at once; more are told to come back.
    pub min_block_waiting: usize,
    /// Most listeners to streams of events.
    pub listeners: usize,
    /// Most of them from one address.
    pub listeners_per_address: Option<NonZeroUsize>,
    /// Seconds after which an indexer that says nothing makes the service not ready.
    pub silent_after_seconds: i64,
    /// Most plans of sales that ask a node at once: anybody may ask for one, and each is some twenty calls.
    pub plans: usize,
    /// Most exports that are written at once. Each holds a connection of the pool.
    pub exports: usize,
    /// Most exports beside those for who has a key for them.
    pub keyed_exports: usize,
    /// Requests that a key or a wallet may make in a minute, from wherever.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Time for an export. As long it holds a snapshot of the database, which a re-index that would take the tables' place waits for.
    pub export_timeout: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            min_block_attempts: 8,
            min_block_interval: Duration::from_millis(250),
            min_block_waiting: 64,
            listeners: 4_000,
            listeners_per_address: None,
            silent_after_seconds: 120,
            plans: 4,
            exports: 2,
            keyed_exports: 2,
            requests_per_minute: None,
            export_timeout: Duration::from_secs(300),
        }
    }
}

/// What handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ApiState(Arc<Shared>, Allowlists, Option<Arc<Service>>, Nodes);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    options: ApiOptions,
    metrics: PrometheusHandle,
    waiting: Semaphore,
    live: Live,
    planning: Semaphore,
    exporting: Arc<Semaphore>,
    keyed_exporting: Arc<Semaphore>,
    identities: Option<Meter<String>>,
}

impl ApiState {
    /// Reads through `pool`; `metrics` is what [`crate::telemetry::install_metrics`] gave.
    pub fn new(pool: PgPool, metrics: PrometheusHandle, options: ApiOptions) -> Self {
        let waiting = Semaphore::new(options.min_block_waiting);
        let planning = Semaphore::new(options.plans);
        let exporting = Arc::new(Semaphore::new(options.exports));
        let keyed_exporting = Arc::new(Semaphore::new(options.keyed_exports));
        let identities = options.requests_per_minute.map(|limit| Meter::new("key", limit));
        let live = Live::new(options.listeners, options.listeners_per_address);
        let shared = Shared { pool, options, metrics, waiting, planning, exporting, keyed_exporting, identities, live };
        Self(Arc::new(shared), Allowlists::default(), None, Nodes::default())
    }

    /// The same, answering for these lists.
    #[must_use]
    pub fn with_allowlists(self, allowlists: Allowlists) -> Self {
        Self(self.0, allowlists, self.2, self.3)
    }

    /// The same, taking privileged requests too.
    #[must_use]
    pub fn with_service(self, service: Service) -> Self {
        Self(self.0, self.1, Some(Arc::new(service)), self.3)
    }

    /// The same, asking these nodes where the index does not tell.
    #[must_use]
    pub fn with_nodes(self, nodes: Nodes) -> Self {
        Self(self.0, self.1, self.2, nodes)
    }

    /// The nodes of a chain, for what the index does not tell.
    ///
    /// # Errors
    /// 501 where the operator has set none for the chain, 503 where none has answered yet.
    pub async fn chain(&self, chain_id: i64) -> Result<Arc<Chain>, Problem> {
        let found = match u64::try_from(chain_id) {
            Ok(id) => self.3.find(id).await?,
            Err(_) => None,
        };
        found.ok_or_else(|| {
            let detail = format!(
                "this service has no node of chain {chain_id}: its operator has to name one with --rpc-url or CROWDSALE_RPC_URL, and start it again"
            );
            Problem::new(Code::NotConfigured, detail)
        })
    }

    /// What privileged requests write with; none where the operator has set no master key.
    pub fn service(&self) -> Option<&Arc<Service>> {
        self.2.as_ref()
    }

    /// The lists that are answered for.
    pub fn allowlists(&self) -> &Allowlists {
        &self.1
    }

    /// Where answers are read from.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// What the operator set.
    pub fn options(&self) -> &ApiOptions {
        &self.0.options
    }

    /// The metrics of this process.
    pub fn metrics(&self) -> &PrometheusHandle {
        &self.0.metrics
    }

    /// Who passes on what is new; it must [run](Live::run).
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// The nodes that are asked.
    pub fn nodes(&self) -> &Nodes {
        &self.3
    }

    pub(super) fn waiting(&self) -> &Semaphore {
        &self.0.waiting
    }

    pub(super) fn planning(&self) -> &Semaphore {
        &self.0.planning
    }

    pub(super) fn exporting(&self, has_key: bool) -> Arc<Semaphore> {
        if has_key { self.0.keyed_exporting.clone() } else { self.0.exporting.clone() }
    }

    pub(super) fn identity_meter(&self) -> Option<&Meter<String>> {
        self.0.identities.as_ref()
    }
}
