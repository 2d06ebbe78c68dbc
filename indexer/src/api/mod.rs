//! The HTTP API: a router, and the OpenAPI document that is generated from its handlers. One file a resource.
//!
//! - Every answer from the chain is `{data, meta}`, a page `{data, meta, next_cursor}`. `meta` says how current the answer is: flat where a
//!   route is about one chain, `{"chains": […]}` where it is about all.
//! - Everything in an answer is read in one snapshot of the database, its `meta` too.
//! - States of sales follow the chain's clock, so an answer changes only when a block comes.

pub mod activity;
pub mod allowlists;
pub mod audit;
pub mod auth;
pub mod body;
pub mod concentration;
pub mod contributions;
pub mod digests;
pub mod docs;
pub mod document;
pub mod export;
pub mod extract;
pub mod health;
pub mod holders;
pub mod investors;
pub mod keys;
pub mod live;
pub mod meta;
pub mod metrics;
pub mod orders;
pub mod page;
pub mod plan;
pub mod plan_terms;
pub mod position;
pub mod problem;
pub mod records;
pub mod sale;
pub mod sale_parts;
pub mod sales;
pub mod schedule;
pub mod series;
pub mod session_vouchers;
pub mod sessions;
pub mod shapes;
pub mod standing;
pub mod status;
pub mod supply;
pub mod terms;
pub mod tokenlist;
pub mod vouchers;
pub mod wallet;
pub mod webhooks;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use utoipa::{
    IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::meter::Meter;
use allowlists::Allowlists;
use auth::Service;
use live::Live;
use problem::{Code, Problem, ProblemBody};

use crate::chain::{Chain, Nodes};

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
        let live = Live::new(options.listeners);
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

    fn waiting(&self) -> &Semaphore {
        &self.0.waiting
    }

    fn planning(&self) -> &Semaphore {
        &self.0.planning
    }

    fn exporting(&self, has_key: bool) -> Arc<Semaphore> {
        if has_key { self.0.keyed_exporting.clone() } else { self.0.exporting.clone() }
    }

    fn identity_meter(&self) -> Option<&Meter<String>> {
        self.0.identities.as_ref()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "crowdsale",
        description = "How every sale and every investor stands, as indexed from the chain.\n\nAmounts are decimal strings of base units, beside their decimals and symbol. Addresses carry their EIP-55 checksum; one that is wrong is refused. Times are RFC 3339 in UTC. Every answer says how current it is, and every record in which block it stands and how final that is. Lists go on with `next_cursor`. Errors are RFC 9457 problems with a `code`.",
        license(name = "MIT", identifier = "MIT")
    ),
    tags(
        (name = "sales", description = "Sales, their contributions and investors"),
        (name = "exports", description = "Whole lists as CSV"),
        (name = "tokens", description = "Tokens that sales sell"),
        (name = "investors", description = "One wallet over all sales"),
        (name = "orders", description = "Contributions that are sent for a caller and followed until they are final"),
        (name = "vouchers", description = "What lets an investor into a sale that is not open to all"),
        (name = "keys", description = "Keys of the API, for who has `keys:admin`"),
        (name = "sessions", description = "Wallets that sign in"),
        (name = "webhooks", description = "Events sent to an address of yours, for who has `webhooks:write`. By Standard Webhooks 1.0.0: `webhook-id` tells a message from others, `webhook-signature` has `v1` (HMAC-SHA-256) and `v1a` (ed25519) over `id.timestamp.body`. A message comes at least once, in no certain order; answer 2xx within 15 seconds"),
        (name = "service", description = "How current and how well the service is")
    ),
    modifiers(&KeyScheme),
    components(schemas(ProblemBody, live::FeedOut, contributions::ListOrder, investors::InvestorSort, series::Interval, supply::SupplyKind))
)]
struct Document;

/// How a request carries a key.
struct KeyScheme;

impl Modify for KeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let about = "A key of the API, `crs_…`. Its scopes say what it may do. A key that was registered with a public key is not sent: its owner signs requests (RFC 9421, Ed25519) over `@method`, `@authority`, `@path`, `@query` and, where there is a body, `content-digest`, with `created`, a fresh `nonce` and the key's id as `keyid`.";
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
        let about = "The token of a wallet that has signed in, `cws_…`.";
        let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        components.add_security_scheme("session", SecurityScheme::Http(session));
    }
}

fn resources() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(status::get_status))
        .routes(routes!(sales::list_sales))
        .routes(routes!(plan::plan_sale))
        .routes(routes!(sale::get_sale))
        .routes(routes!(contributions::list_contributions))
        .routes(routes!(activity::list_activity))
        .routes(routes!(investors::list_investors))
        .routes(routes!(records::list_claims))
        .routes(routes!(records::list_refunds))
        .routes(routes!(records::list_releases))
        .routes(routes!(records::list_objections))
        .routes(routes!(series::get_series))
        .routes(routes!(concentration::get_concentration))
        .routes(routes!(export::export_contributions))
        .routes(routes!(export::export_investors))
        .routes(routes!(supply::get_supply))
        .routes(routes!(holders::list_holders))
        .routes(routes!(tokenlist::get_token_list))
        .routes(routes!(wallet::list_positions))
        .routes(routes!(live::listen_to_sale))
        .routes(routes!(live::listen_to_wallet))
        .routes(routes!(allowlists::get_membership))
        .routes(routes!(digests::get_digest))
        .routes(routes!(keys::create_key, keys::list_keys))
        .routes(routes!(keys::get_key, keys::revoke_key))
        .routes(routes!(keys::rotate_key))
        .routes(routes!(audit::list_acts))
        .routes(routes!(sessions::get_nonce))
        .routes(routes!(sessions::sign_in))
        .routes(routes!(sessions::get_session, sessions::sign_out))
        .routes(routes!(session_vouchers::list_own_vouchers))
        .routes(routes!(webhooks::create_webhook, webhooks::list_webhooks))
        .routes(routes!(webhooks::get_webhook, webhooks::update_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::rotate_webhook))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(webhooks::replay_dead_deliveries))
        .routes(routes!(webhooks::list_deliveries))
        .routes(routes!(webhooks::get_delivery))
        .routes(routes!(webhooks::replay_delivery))
        .routes(routes!(orders::place_order, orders::list_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::cancel_order))
        .routes(routes!(orders::speed_up_order))
        .routes(routes!(vouchers::issue_voucher, vouchers::list_vouchers))
        .merge(operator())
}

/// What an operator's tools ask for.
fn operator() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(metrics::get_metrics))
}

/// The OpenAPI 3.1 document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = resources().into_openapi();
    document::complete(&mut document);
    document
}

/// All routes, without what a server puts around them: request ids, timeouts and the bodies of problems are `serve`'s.
pub fn router(state: ApiState) -> Router {
    let (router, mut document) = resources().split_for_parts();
    document::complete(&mut document);
    router
        .route_layer(middleware::from_fn_with_state(state.clone(), auth::identified))
        .merge(docs::router(&document))
        .fallback(|| async {
            Problem::new(Code::NotFound, "there is nothing under this path: /docs shows what there is")
        })
        .with_state(state)
}

/// Health and metrics alone, for a process that serves nothing else.
pub fn operator_router(state: ApiState) -> Router {
    let (router, _) = operator().split_for_parts();
    router
        .fallback(|| async {
            Problem::new(Code::NotFound, "there is nothing under this path: /docs shows what there is")
        })
        .with_state(state)
}

/// The problems that every read can end in.
#[derive(Debug)]
pub struct ReadProblems;

/// The problems of a list.
#[derive(Debug)]
pub struct PageProblems;

/// The problems of a request that needs a key.
#[derive(Debug)]
pub struct WriteProblems;

/// The problems of a plan, which is asked for and changes nothing.
#[derive(Debug)]
pub struct PlanProblems;

/// The problems of an allowlist, which is read from memory.
#[derive(Debug)]
pub struct AllowlistProblems;

fn problem_response(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build().into()
}

impl IntoResponses for ReadProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        let not_modified = ResponseBuilder::new().description("`If-None-Match` has the tag of this answer.").build();
        [
            ("304", RefOr::T(not_modified)),
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The chain is not followed here, or the sale is not known.")),
            ("422", problem_response("A parameter has no valid value; `errors` says which.")),
            ("500", problem_response("A defect of this service.")),
            ("503", problem_response("Not indexed that far yet, or the database does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for PageProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        let mut responses = ReadProblems::responses();
        responses.insert("410".to_owned(), problem_response("The cursor's block was reorged away; start again."));
        responses
    }
}

impl IntoResponses for WriteProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read, or its `Idempotency-Key` is missing.")),
            ("401", problem_response("There is no key, signature or session, or none that is good; `code` says what is wrong.")),
            ("403", problem_response("The key has not the scope, or may not be used from there; `code` says which.")),
            ("404", problem_response("What the path names is not known.")),
            ("409", problem_response("A request with this `Idempotency-Key` is under way, or what it asks for cannot be any more; `code` says which.")),
            ("413", problem_response("The body is too large.")),
            ("415", problem_response("The body is not `application/json`.")),
            ("422", problem_response("A parameter or a field has no valid value, which `errors` names, or the `Idempotency-Key` belongs to another request.")),
            ("500", problem_response("A defect of this service.")),
            ("501", problem_response("The operator has set no master key, or no node or signer where one is needed; `detail` says which.")),
            ("503", problem_response("The database or the chain's node does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for PlanProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The chain is not followed here.")),
            ("413", problem_response("The body is too large.")),
            ("415", problem_response("The body is not `application/json`.")),
            ("422", problem_response("A field has no valid value, which `errors` names.")),
            ("500", problem_response("A defect of this service.")),
            ("501", problem_response("A creator is named, and the operator has set no node of the chain.")),
            ("503", problem_response("The database or the chain's node does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for AllowlistProblems {
    fn responses() -> std::collections::BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The list is not served here, or the investor is not on it; `code` says which.")),
            ("422", problem_response("A part of the path has no valid value; `errors` says which.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}
