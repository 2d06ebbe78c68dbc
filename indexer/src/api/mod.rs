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
mod responses;
pub mod sale;
pub mod sale_parts;
pub mod sales;
pub mod schedule;
pub mod series;
pub mod session_vouchers;
pub mod sessions;
pub mod shapes;
pub mod standing;
mod state;
pub mod status;
pub mod supply;
pub mod terms;
pub mod tokenlist;
pub mod vouchers;
pub mod wallet;
pub mod webhooks;

use axum::{Router, http::Method, middleware};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use problem::{Code, Problem, ProblemBody};
pub use responses::{AllowlistProblems, PageProblems, PlanProblems, ReadProblems, WriteProblems};
pub use state::{ApiOptions, ApiState};

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

/// Where a key or a session is needed.
const CLOSED: [&str; 5] = ["/v1/keys", "/v1/audit", "/v1/orders", "/v1/webhooks", "/v1/session"];

/// Whether anybody may ask this, and nothing is done. A preflight is of what it asks about.
pub fn is_public_read(method: &Method, path: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
        && !CLOSED.iter().any(|closed| path.starts_with(closed))
        && !path.contains("/vouchers")
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
