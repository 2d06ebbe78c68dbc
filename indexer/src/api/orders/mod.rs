//! `/v1/orders`: contributions that are sent for a caller, for who has `orders:write`.

mod body;
mod page;
mod shape;

use std::{sync::Arc, time::Duration};

use alloy::primitives::Bytes;
use axum::{extract::State, http::StatusCode, response::Response};
use secrecy::SecretSlice;
use sqlx::PgConnection;

pub use body::{NewOrder, OrderId, OrderPath, OrderState, OrdersQuery};
pub use shape::{OneOrder, OrderBlock, OrderContribution, OrderEvent, OrderList, OrderOut, OrderTransaction};

use super::{
    ApiState, WriteProblems,
    allowlists::NoQuery,
    auth::{Authorized, Caller, Once, OrdersWrite, Service, Turn},
    body::{NoFields, Post, Reference, no_store},
    extract::{ChainId, CheckedPath, CheckedQuery, Limit},
    meta::{Condition, Snapshot},
    page::cut_after,
    problem::{Code, Fault, Problem},
};
use crate::{
    access,
    chain::ChainError,
    db::{
        DbError,
        read::sales::{self, Sale},
        service::{
            audit,
            orders::{self as rows, OrderFilter, OrderRow},
        },
    },
    explain::Assets,
    orders::{self, Intent, More, OrderError, Placing, SaleFacts, Why},
    seal::Place,
    types::{Addr, upright},
};
use body::Wanted;
use page::Page;

/// Longest that a node may take for all that one order asks of it: less than an answer may.
const NODE_TIME: Duration = Duration::from_secs(8);

/// An example: 1.5 ether to a sale on a development chain, signed with the first of the keys that anvil publishes.
const SIGNED: &str = "0x02f876827a69808477359400850ba43b740083030d40945aaeb6053f3e94c9b9a09f33669435e7ef1beaed8814d1120d7b16000080c080a0b1e4ecea995c90bcf23bab67d6529dd3bb26853593a045563afdf3ff00fdb1ffa01fb538d37986f6ef3389c11d9a2b128acac5558766a69a43b7a6a7cc2aca2de0";

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let fault = |code: Code, field: &str, error: &OrderError| {
            Self::faults(code, vec![Fault { pointer: format!("/body/{field}"), detail: error.to_string() }])
        };
        let at = |field: &str, error: &OrderError| fault(Code::InvalidBody, field, error);
        let code = match error {
            OrderError::Db(error) => return error.into(),
            OrderError::Chain(error) => return error.into(),
            OrderError::ManyOpen { .. } => {
                return Problem::new(Code::TooManyRequests, error.to_string()).retry_after(60);
            }
            OrderError::Raw(_) | OrderError::OperatorsOwn(_) | OrderError::RawFee { .. } => {
                return at("raw_transaction", &error);
            }
            OrderError::FeeCap { .. } => return at("max_fee_per_gas", &error),
            OrderError::TooMuch { .. } | OrderError::MoreThanADay { .. } => return at("amount", &error),
            OrderError::DayIsFull { seconds, .. } => {
                return fault(Code::OrderLimitReached, "amount", &error).retry_after(seconds);
            }
            OrderError::FeesAboveLimit { seconds, .. } => {
                return Problem::new(Code::FeesAboveLimit, error.to_string()).retry_after(seconds);
            }
            OrderError::OtherSale { .. } => return fault(Code::SaleNotAllowed, "sale", &error),
            OrderError::Refused { .. } => Code::OrderRefused,
            OrderError::NonceUsed { .. } | OrderError::NonceAhead { .. } => Code::NonceUnusable,
            OrderError::Short { .. } | OrderError::FewTokens { .. } | OrderError::Allowance { .. } => {
                Code::InsufficientFunds
            }
            OrderError::Known { .. } => Code::OrderExists,
            OrderError::NotOpen { .. } => Code::OrderNotOpen,
            OrderError::NoSigner | OrderError::OtherSigner { .. } | OrderError::Published => Code::NotConfigured,
            OrderError::Signing(_) => {
                tracing::error!(%error, "an order was not signed");
                return Self::internal();
            }
        };
        Self::new(code, error.to_string())
    }
}

/// Places an order
///
/// Either a transaction that the caller has signed, or a contribution that the operator's signer pays for one of the caller's customers.
/// The answer comes when the order is written, with its nonce and its signed transaction; it is sent right after that, and again after a
/// crash. Sent again with the same `Idempotency-Key`, the request is answered the same for 24 hours, and never makes a second order.
#[utoipa::path(
    post,
    path = "/v1/orders",
    tag = "orders",
    security(("key" = ["orders:write"])),
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body(content = NewOrder, examples(
        ("signed by the operator" = (value = json!({
            "chain": 1, "sale": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "investor": "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "amount": "1500000000000000000", "customer_reference": "customer 4711"
        }))),
        ("signed by the caller" = (value = json!({
            "chain": 31_337, "raw_transaction": SIGNED, "customer_reference": "customer 4711"
        })))
    )),
    responses((status = 201, description = "The order, accepted.", body = OneOrder), WriteProblems)
)]
pub async fn place_order(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<OrdersWrite>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<NewOrder>,
) -> Result<Response, Problem> {
    let (chain_id, reference, wanted) = body.read()?;
    // Before a connection is held: a node that is slow must not take all of them.
    let _turn = service.orders().turn().await;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    match accept(&state, &service, &caller, &mut once, (chain_id, reference, wanted)).await {
        Ok(answer) => {
            let answer = once.finish(StatusCode::CREATED, &answer).await?;
            service.orders().wake();
            Ok(answer)
        }
        Err(why) => Err(once.undo(why).await),
    }
}

/// Writes an order through `once`, if the index and the node have nothing against it.
async fn accept(
    state: &ApiState,
    service: &Arc<Service>,
    caller: &Caller,
    once: &mut Once,
    (chain_id, reference, wanted): (ChainId, Option<Reference>, Wanted),
) -> Result<OneOrder, Problem> {
    let request_id = once.id().to_owned();
    // Its answer is forgotten after a day. That there is an order is not: a key never makes two.
    if let Some(id) = rows::find_by_request(once.connection(), &request_id).await? {
        let detail =
            format!("this Idempotency-Key made order {id}, more than a day ago: take a new key for a new order");
        return Err(Problem::new(Code::OrderExists, detail));
    }
    let address = match &wanted {
        Wanted::Raw(decoded) => Addr(decoded.to),
        Wanted::Intent { sale, .. } => *sale,
    };
    // Its snapshot is not kept while the node is asked: readers are everybody's.
    let (sale, _) = find_sale(state, chain_id, address).await?;
    if matches!(wanted, Wanted::Intent { .. }) {
        // Before the node is asked: what is missing is for the operator to set.
        service.orders().signer().ok_or(OrderError::NoSigner)?;
    }
    let chain = state.chain(chain_id.0).await?;
    let facts = facts(&sale);
    let prepared = tokio::time::timeout(NODE_TIME, async {
        match wanted {
            Wanted::Raw(decoded) => orders::prepare_raw(&chain, &facts, *decoded).await,
            Wanted::Intent { investor, amount, eligibility, fee_cap, .. } => {
                let intent = Intent { investor: investor.0, amount, eligibility: Bytes::from(eligibility), fee_cap };
                orders::prepare_intent(&chain, service.orders(), &facts, intent).await
            }
        }
    });
    let prepared = prepared.await.map_err(|_| ChainError::NotYet)??;

    let id = access::fresh_id("ord").map_err(|_| Problem::internal())?;
    let whose = caller.id();
    let (sealed, hash);
    let mut sealed_reference = None;
    if let Some(reference) = &reference {
        let text = SecretSlice::from(reference.expose().as_bytes().to_vec());
        sealed = service.sealer().seal(&text, place(&id)).map_err(|_| Problem::internal())?;
        hash = service.pepper().await?.hash_text("customer reference", &whose, reference.expose());
        sealed_reference = Some((sealed.as_slice(), hash.as_slice()));
    }
    // Before others wait for the order's nonce: readers may be waited for.
    let mut snapshot = Snapshot::of_chain(state, chain_id, None, Condition::none()).await?;
    let placing = Placing { id: &id, caller: &whose, request_id: &request_id, reference: sealed_reference };
    orders::place(once.connection(), service.orders(), &facts, &prepared, placing).await?;
    let row = rows::find(once.connection(), &whose, &id).await?.ok_or_else(Problem::internal)?;
    let entry = caller.source().did(
        "order.accepted",
        &id,
        Some(format!("{} base units of {} to sale {} on chain {}", row.amount, row.currency, row.sale, row.chain_id)),
    );
    let page = Page::of(once.connection(), vec![row]).await?;
    let answer = OneOrder { data: page.complete_one(service, &mut snapshot).await? };
    audit::append(once.connection(), &entry).await?;
    Ok(answer)
}

/// All orders of the caller
///
/// The newest first, with the customers' references opened.
#[utoipa::path(
    get,
    path = "/v1/orders",
    tag = "orders",
    security(("key" = ["orders:write"])),
    params(OrdersQuery),
    responses((status = 200, description = "Orders.", body = OrderList), WriteProblems)
)]
pub async fn list_orders(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<OrdersWrite>,
    CheckedQuery(query): CheckedQuery<OrdersQuery>,
) -> Result<Response, Problem> {
    let whose = caller.id();
    let hash = match &query.customer_reference {
        Some(reference) => Some(service.pepper().await?.hash_text("customer reference", &whose, reference.expose())),
        None => None,
    };
    let filter = OrderFilter {
        chain_id: query.chain.map(|c| c.0),
        sale: query.sale,
        state: query.state.map(OrderState::as_str),
        reference_hash: hash.as_deref(),
    };
    let Limit(limit) = query.limit;
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let after = query.after.as_ref().map(|a| a.0.as_str());
    let find = async |moment: &mut PgConnection| {
        let mut found = rows::list(moment, &whose, filter, after, limit + 1).await?;
        let next_after = cut_after(&mut found, limit, |row| row.id.clone());
        Ok((found, next_after))
    };
    let (page, next_after) = Page::find(&mut connection, find).await?;
    note_reading(&mut connection, &caller, &page, &whose).await?;
    drop(connection);
    let mut snapshot = Snapshot::of_all(&state, Condition::none()).await?;
    let data = page.complete(&service, &mut snapshot).await?;
    Ok(no_store(OrderList { data, next_after }))
}

/// One order
///
/// With its transactions, its history, and what it contributed as far as that is indexed. The customer's reference is opened.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    tag = "orders",
    security(("key" = ["orders:write"])),
    params(OrderPath),
    responses((status = 200, description = "The order.", body = OneOrder), WriteProblems)
)]
pub async fn get_order(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<OrdersWrite>,
    CheckedPath(path): CheckedPath<OrderPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let whose = caller.id();
    let find = async |moment: &mut PgConnection| {
        let found = rows::find(moment, &whose, &path.id.0).await?;
        let is_there = found.is_some();
        Ok((Vec::from_iter(found), is_there))
    };
    let (page, is_there) = Page::find(&mut connection, find).await?;
    if !is_there {
        return Err(unknown(&path.id));
    }
    note_reading(&mut connection, &caller, &page, &path.id.0).await?;
    drop(connection);
    let mut snapshot = Snapshot::of_all(&state, Condition::none()).await?;
    Ok(no_store(OneOrder { data: page.complete_one(&service, &mut snapshot).await? }))
}

/// Cancels an order
///
/// One of the operator's signer that is in no block yet: a transfer of nothing is sent with its nonce. Whichever of the two is included
/// first is what happens; the order says which.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/cancel",
    tag = "orders",
    security(("key" = ["orders:write"])),
    params(OrderPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = NoFields,
    responses((status = 200, description = "The order, being cancelled.", body = OneOrder), WriteProblems)
)]
pub async fn cancel_order(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<OrdersWrite>,
    CheckedPath(path): CheckedPath<OrderPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    post: Post<NoFields>,
) -> Result<Response, Problem> {
    send_more(&state, &service, &caller, &path.id, &post, More::Cancel).await
}

/// Speeds an order up
///
/// One of the operator's signer that is in no block yet is signed again, with the same nonce and an eighth more of fees at least.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/speed-up",
    tag = "orders",
    security(("key" = ["orders:write"])),
    params(OrderPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = NoFields,
    responses((status = 200, description = "The order, with another transaction.", body = OneOrder), WriteProblems)
)]
pub async fn speed_up_order(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<OrdersWrite>,
    CheckedPath(path): CheckedPath<OrderPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    post: Post<NoFields>,
) -> Result<Response, Problem> {
    send_more(&state, &service, &caller, &path.id, &post, More::SpeedUp).await
}

async fn send_more(
    state: &ApiState,
    service: &Arc<Service>,
    caller: &Authorized<OrdersWrite>,
    id: &OrderId,
    post: &Post<NoFields>,
    more: More,
) -> Result<Response, Problem> {
    let _turn = service.orders().turn().await;
    let mut once = match Once::begin(service, caller, &post.request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    match add_more(state, service, caller, &mut once, (id, more)).await {
        Ok(answer) => {
            let answer = once.finish(StatusCode::OK, &answer).await?;
            service.orders().wake();
            Ok(answer)
        }
        Err(why) => Err(once.undo(why).await),
    }
}

/// Writes another transaction of an order through `once`.
async fn add_more(
    state: &ApiState,
    service: &Arc<Service>,
    caller: &Caller,
    once: &mut Once,
    (id, more): (&OrderId, More),
) -> Result<OneOrder, Problem> {
    let row = rows::find(once.connection(), &caller.id(), &id.0).await?.ok_or_else(|| unknown(id))?;
    let chain = state.chain(row.chain_id).await?;
    let asked = chain.ask(|node| async move { Ok((node.heads(None).await?.latest.number(), node.fees().await?)) });
    let now = tokio::time::timeout(NODE_TIME, asked).await.map_err(|_| ChainError::NotYet)??;
    let mut snapshot = Snapshot::of_all(state, Condition::none()).await?;
    let added = orders::add_transaction(once.connection(), service.orders(), &id.0, more, now, Why::Asked).await?;
    let row = added.ok_or_else(|| {
        let detail = format!(
            "order {} may not pay more: the max_fee_per_gas that it was placed with or the operator's limit does not allow an eighth more, or it pays four times what blocks ask for already",
            id.0
        );
        Problem::new(Code::OrderNotOpen, detail)
    })?;
    let act = if more == More::Cancel { "order.cancelled" } else { "order.sped_up" };
    let page = Page::of(once.connection(), vec![row]).await?;
    let answer = OneOrder { data: page.complete_one(service, &mut snapshot).await? };
    audit::append(once.connection(), &caller.source().did(act, &id.0, None)).await?;
    Ok(answer)
}

/// The sale as the index has it, and the snapshot that it was read from.
pub(super) async fn find_sale(state: &ApiState, chain_id: ChainId, address: Addr) -> Result<(Sale, Snapshot), Problem> {
    let mut snapshot = Snapshot::of_chain(state, chain_id, None, Condition::none()).await?;
    let found = sales::find(snapshot.connection(), chain_id.0, address).await?;
    let sale = found.ok_or_else(|| {
        let detail = format!("no followed factory has created a sale {address} on chain {}", chain_id.0);
        Problem::new(Code::SaleNotFound, detail)
    })?;
    Ok((sale, snapshot))
}

fn facts(sale: &Sale) -> SaleFacts {
    let known = |decimals: i16, symbol: &str| {
        let symbol = if symbol.is_empty() { "tokens" } else { symbol };
        Some((u8::try_from(decimals).unwrap_or_default(), upright(symbol)))
    };
    SaleFacts {
        chain_id: sale.chain_id.unsigned_abs(),
        address: sale.address.0,
        currency: sale.currency.0,
        assets: Assets {
            currency: known(sale.currency_decimals, &sale.currency_symbol),
            token: known(sale.token_decimals, &sale.token_symbol),
        },
    }
}

/// Notes that what is sealed is read, if not each time: of a list with the caller, of one order with the order.
async fn note_reading(
    connection: &mut PgConnection,
    caller: &Caller,
    page: &Page,
    subject: &str,
) -> Result<(), DbError> {
    if page.has_references() {
        audit::append_rarely(connection, &caller.source().did("order.references_read", subject, None)).await?;
    }
    Ok(())
}

/// Where the reference of an order is sealed.
fn place(id: &str) -> Place<'_> {
    Place { table: "sale_order", column: "customer_reference_sealed", row: id }
}

fn unknown(id: &OrderId) -> Problem {
    Problem::new(Code::OrderNotFound, format!("there is no order {} of this caller", id.0))
}

/// A reference, opened.
fn opened(service: &Service, row: &OrderRow) -> Result<Option<String>, Problem> {
    use secrecy::ExposeSecret as _;
    let Some(sealed) = &row.customer_reference_sealed else { return Ok(None) };
    let text = service.sealer().open(sealed, place(&row.id)).map_err(|error| {
        tracing::error!(%error, order = row.id, "a customer's reference is sealed beyond reach");
        Problem::internal()
    })?;
    Ok(Some(String::from_utf8_lossy(text.expose_secret()).into_owned()))
}
