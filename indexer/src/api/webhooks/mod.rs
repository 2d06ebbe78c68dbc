//! `/v1/webhooks`: who is told of events, for who has `webhooks:write`. Everybody sees their own alone.

mod deliveries;
mod shapes;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret as _;

use super::{
    ApiState, WriteProblems,
    allowlists::NoQuery,
    auth::{Authorized, Once, Service, Turn, WebhooksWrite},
    body::{Post, no_store},
    extract::{CheckedPath, CheckedQuery, Limit, Parameter},
    page::cut_after,
    problem::{Code, Fault, Problem},
};
use crate::{
    db::{DbError, read::feed, service::webhooks as rows, snapshot},
    types::Addr,
    webhooks::{self, Created, Filter, Target, Terms, WebhookError},
};
pub use deliveries::{
    __path_get_delivery, __path_list_deliveries, __path_replay_dead_deliveries, __path_replay_delivery,
    __path_test_webhook, get_delivery, list_deliveries, replay_dead_deliveries, replay_delivery, test_webhook,
};
pub use shapes::{
    DeliveryOut, FreshWebhook, NewWebhook, OneWebhook, SecretRotation, WebhookChanges, WebhookId, WebhookList,
    WebhookOut, WebhookPath, WebhooksQuery,
};

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let code = match &error {
            WebhookError::Unknown(_) => Code::WebhookNotFound,
            WebhookError::UnknownMessage { .. } => Code::DeliveryNotFound,
            WebhookError::TooMany | WebhookError::TooManySecrets => Code::TooManyWebhooks,
            WebhookError::Disabled(_) => Code::WebhookDisabled,
            WebhookError::Db(_) | WebhookError::Seal(_) => {
                return match error {
                    WebhookError::Db(error) => error.into(),
                    error => {
                        tracing::error!(%error, "a webhook's secret cannot be sealed");
                        Self::internal()
                    }
                };
            }
        };
        Self::new(code, error.to_string())
    }
}

/// What an act has come to; one that came to nothing is taken back before anybody is told.
async fn done<T>(once: Once, outcome: Result<T, WebhookError>) -> Result<(Once, T), Problem> {
    match outcome {
        Ok(value) => Ok((once, value)),
        Err(why) => Err(once.undo(why.into()).await),
    }
}

fn fault(field: &str, detail: impl ToString) -> Fault {
    Fault { pointer: format!("/body/{field}"), detail: detail.to_string() }
}

impl From<Created> for FreshWebhook {
    fn from(created: Created) -> Self {
        Self { secret: created.secret.expose_secret().to_owned(), data: created.row.into() }
    }
}

fn event_faults(events: &[String]) -> impl Iterator<Item = Fault> {
    Terms::event_faults(events).into_iter().map(|(place, detail)| match place {
        Some(place) => fault(&format!("events/{place}"), detail),
        None => fault("events", detail),
    })
}

/// A webhook's address: what is wrong with it, and once that is nothing, whether its name leads where messages may go.
async fn target(service: &Service, url: &str, faults: &mut Vec<Fault>) -> Option<Target> {
    let guard = service.webhooks().guard();
    let target = guard.parse(url).map_err(|error| faults.push(fault("url", error))).ok()?;
    if faults.is_empty()
        && let Err(error) = guard.look(&target).await
    {
        faults.push(fault("url", error));
    }
    Some(target)
}

/// The terms that a body asks for, or all that is wrong with them. `followed` are the chains that there are.
async fn terms(service: &Service, body: NewWebhook, followed: &[(i64, i64)]) -> Result<Terms, Problem> {
    let mut faults = Vec::new();
    faults.extend(Terms::label_fault(&body.label).map(|detail| fault("label", detail)));
    faults.extend(event_faults(&body.events));
    if body.chain_id.is_some_and(|id| !followed.iter().any(|(chain, _)| *chain == id)) {
        faults.push(fault("chain_id", "must be a chain that is followed here, as /v1/status names them"));
    }
    let sale = body
        .sale
        .as_deref()
        .and_then(|text| <Addr as Parameter>::parse(text).map_err(|detail| faults.push(fault("sale", detail))).ok());
    if body.sale.is_some() && body.chain_id.is_none() {
        faults.push(fault(
            "chain_id",
            "must be given with a sale: the same address can be another sale on another chain",
        ));
    }
    match target(service, &body.url, &mut faults).await {
        Some(target) if faults.is_empty() => {
            let filter = Filter { events: body.events, chain_id: body.chain_id, sale };
            Ok(Terms { label: body.label, target, filter })
        }
        _ => Err(Problem::faults(Code::InvalidBody, faults)),
    }
}

/// Makes a webhook
///
/// It is told of everything that is committed from now on and that it asks for. The secret is shown this once. Events come in the shape
/// of the streams, `{type, timestamp, data}`, as POST requests; a type that you do not know is to be answered 2xx and passed over, as
/// `webhook.test`, and `webhook.reset`, which says that the events of a chain cannot be told on from where they were. What came and was
/// reorged away while nothing could be sent is not told.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = NewWebhook,
    responses((status = 201, description = "The webhook, and its secret, shown once.", body = FreshWebhook), WriteProblems)
)]
pub async fn create_webhook(
    State(state): State<ApiState>,
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<NewWebhook>,
) -> Result<Response, Problem> {
    // Read before it is there: what comes between is told too.
    let newest = feed::ends(&mut *snapshot(state.pool()).await?).await?;
    let newest: Vec<(i64, i64)> = newest.into_iter().map(|ends| (ends.chain_id, ends.newest)).collect();
    // No transaction is open while a name is resolved, and who sends the request again gets the first answer whatever comes of it now.
    let terms = terms(&service, body, &newest).await;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let terms = match terms {
        Ok(terms) => terms,
        Err(why) => return Err(once.undo(why).await),
    };
    let sealer = service.sealer();
    let owner = caller.id();
    let created = webhooks::create(once.connection(), sealer, &owner, &terms, &newest, &caller.source()).await;
    let (once, created) = done(once, created).await?;
    once.finish(StatusCode::CREATED, &FreshWebhook::from(created)).await
}

/// Your webhooks
///
/// By id.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhooksQuery),
    responses((status = 200, description = "Webhooks.", body = WebhookList), WriteProblems)
)]
pub async fn list_webhooks(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedQuery(query): CheckedQuery<WebhooksQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let after = query.after.as_ref().map(|a| a.0.as_str());
    let Limit(limit) = query.limit;
    let mut found = rows::list(&mut connection, &caller.id(), after, limit + 1).await?;
    let next_after = cut_after(&mut found, limit, |row| row.id.clone());
    Ok(no_store(WebhookList { data: found.into_iter().map(WebhookOut::from).collect(), next_after }))
}

/// One webhook
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath),
    responses((status = 200, description = "The webhook.", body = OneWebhook), WriteProblems)
)]
pub async fn get_webhook(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let row = rows::find(&mut connection, &caller.id(), &path.id.0).await?;
    let row = row.ok_or(WebhookError::Unknown(path.id.0))?;
    Ok(no_store(OneWebhook { data: row.into() }))
}

/// Changes a webhook
///
/// What is not given stays. Disabled, it is sent nothing, and loses nothing: enabled again, it is sent what waits, and told what happened
/// meanwhile.
#[utoipa::path(
    patch,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = WebhookChanges,
    responses((status = 200, description = "The webhook, changed.", body = OneWebhook), WriteProblems)
)]
pub async fn update_webhook(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<WebhookChanges>,
) -> Result<Response, Problem> {
    let mut faults = Vec::new();
    faults.extend(body.label.as_deref().and_then(Terms::label_fault).map(|detail| fault("label", detail)));
    faults.extend(body.events.iter().flat_map(|events| event_faults(events)));
    let target = match &body.url {
        Some(url) => target(&service, url, &mut faults).await,
        None => None,
    };
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    if !faults.is_empty() {
        return Err(once.undo(Problem::faults(Code::InvalidBody, faults)).await);
    }
    let changes = rows::Changes {
        url: None,
        label: body.label.as_deref(),
        events: body.events.as_deref(),
        enabled: body.enabled,
    };
    let (owner, id) = (caller.id(), path.id.0);
    let row = webhooks::update(once.connection(), (&owner, &id), target.as_ref(), changes, &caller.source()).await;
    let (once, row) = done(once, row).await?;
    let answer = once.finish(StatusCode::OK, &OneWebhook { data: row.into() }).await;
    service.webhooks().wake();
    answer
}

/// Gives a webhook another secret
///
/// The one before it signs beside it until the overlap is over, so that a receiver that checks with either finds its signature. The
/// ed25519 key changes with it.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/rotate",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = SecretRotation,
    responses((status = 201, description = "The webhook, and its new secret, shown once.", body = FreshWebhook), WriteProblems)
)]
pub async fn rotate_webhook(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<SecretRotation>,
) -> Result<Response, Problem> {
    if !(0..=webhooks::MAX_OVERLAP).contains(&body.overlap_seconds) {
        let detail = format!("must be between 0 and {}", webhooks::MAX_OVERLAP);
        return Err(Problem::faults(Code::InvalidBody, vec![fault("overlap_seconds", detail)]));
    }
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let (owner, id) = (caller.id(), path.id.0);
    let overlap = body.overlap_seconds;
    let created = webhooks::rotate(once.connection(), service.sealer(), (&owner, &id), overlap, &caller.source()).await;
    let (once, created) = done(once, created).await?;
    once.finish(StatusCode::CREATED, &FreshWebhook::from(created)).await
}

/// Removes a webhook
///
/// At once, with all its messages.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath),
    responses((status = 204, description = "It is gone."), WriteProblems)
)]
pub async fn delete_webhook(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut transaction = service.begin().await?;
    webhooks::remove(&mut transaction, (&caller.id(), &path.id.0), &caller.source()).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response())
}
