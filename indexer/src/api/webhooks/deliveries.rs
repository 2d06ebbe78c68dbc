//! Messages of a webhook: those that wait, that have arrived, and that were given up, which can be sent again.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    WebhookPath, done,
    shapes::{AttemptOut, DeliveryOut, WebhookId},
};
use crate::{
    api::{
        WriteProblems,
        allowlists::NoQuery,
        auth::{Authorized, Caller, Once, Service, Turn, WebhooksWrite},
        body::{Post, no_store},
        extract::{Behind, CheckedPath, CheckedQuery, FromPath, FromQuery, Limit, Parameter, Reader},
        page::cut_after,
        problem::{Code, Fault, Problem},
        shapes::Time,
    },
    db::{
        DbError,
        service::{deliveries, webhooks as rows},
    },
    webhooks::{self, REPLAYED_AT_ONCE, WebhookError},
};

/// The id of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(pub String);

impl Parameter for MessageId {
    fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("msg_").unwrap_or_default();
        if rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be the id of a message: msg_ and 32 hex digits".to_owned())
        }
    }
}

/// Which message of which webhook.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    /// The webhook's id.
    #[param(value_type = String, example = "wh_4rSw0JXjKzPq81mUcdYt", pattern = "^wh_[0-9A-Za-z]{20}$")]
    pub id: WebhookId,
    /// The message's id.
    #[param(value_type = String, example = "msg_0f3a9c5e7b1d2468ace013579bdf0246", pattern = "^msg_[0-9a-f]{32}$")]
    pub message: MessageId,
}

impl FromPath for DeliveryPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        let (id, message) = (reader.read("id"), reader.read("message"));
        Some(Self { id: id?, message: message? })
    }
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It waits to be sent, for the first time or again.
    Pending,
    /// It has arrived.
    Delivered,
    /// It was given up.
    Dead,
}

impl DeliveryState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl Parameter for DeliveryState {
    fn parse(text: &str) -> Result<Self, String> {
        let all = [Self::Pending, Self::Delivered, Self::Dead];
        let found = all.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| "must be pending, delivered or dead".to_owned())
    }
}

/// Which messages.
#[derive(Clone, Copy, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// How they stand; `dead` are those that were given up.
    #[param(inline, required = false)]
    pub state: Option<DeliveryState>,
    /// Most messages in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before.
    #[param(value_type = Option<String>, required = false, pattern = "^[0-9]{1,18}$")]
    pub after: Option<Behind>,
}

impl FromQuery for DeliveriesQuery {
    fn read(reader: &mut Reader) -> Self {
        Self {
            state: reader.read("state"),
            limit: reader.read("limit").unwrap_or_default(),
            after: reader.read("after"),
        }
    }
}

/// Messages, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    /// The messages.
    pub data: Vec<DeliveryOut>,
    /// `after` of the next answer; null at the end.
    #[schema(example = "1024")]
    pub next_after: Option<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneDelivery {
    /// The message.
    pub data: DeliveryOut,
}

/// One message in full.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FullDelivery {
    /// The message.
    pub data: DeliveryOut,
    /// Its body, byte for byte as it is signed and sent.
    #[schema(example = "{\"type\":\"webhook.test\",\"timestamp\":\"2027-01-15T14:00:00Z\",\"data\":{}}")]
    pub body: String,
    /// Its last attempts, 20 at most, the newest first.
    pub attempts: Vec<AttemptOut>,
}

/// Which of the messages that were given up are sent again.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadReplay {
    /// Those that were added from here on; all if it is not given.
    #[serde(default)]
    #[schema(example = "2027-01-15T14:00:00Z", format = DateTime)]
    pub since: Option<String>,
}

/// How many messages are sent again.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// So many.
    #[schema(example = 12)]
    pub count: u64,
    /// Whether there are more: ask again, with another `Idempotency-Key`.
    #[schema(example = false)]
    pub more: bool,
}

/// A request without a field.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// That a webhook is this caller's.
async fn must_be_own(connection: &mut PgConnection, caller: &Caller, id: &WebhookId) -> Result<(), Problem> {
    let found = rows::find(connection, &caller.id(), &id.0).await?;
    Ok(found.map(|_| ()).ok_or_else(|| WebhookError::Unknown(id.0.clone()))?)
}

/// Messages of a webhook
///
/// The newest first. With `state=dead` those that were given up.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}/deliveries",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath, DeliveriesQuery),
    responses((status = 200, description = "Messages.", body = DeliveryList), WriteProblems)
)]
pub async fn list_deliveries(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(query): CheckedQuery<DeliveriesQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    must_be_own(&mut connection, &caller, &path.id).await?;
    let Limit(limit) = query.limit;
    let (state, after) = (query.state.map(DeliveryState::as_str), query.after.map(|after| after.0));
    let mut found = deliveries::list(&mut connection, &path.id.0, state, after, limit + 1).await?;
    let next_after = cut_after(&mut found, limit, |row| row.number.to_string());
    Ok(no_store(DeliveryList { data: found.into_iter().map(DeliveryOut::from).collect(), next_after }))
}

/// One message, with its body and its attempts
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}/deliveries/{message}",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(DeliveryPath),
    responses((status = 200, description = "The message.", body = FullDelivery), WriteProblems)
)]
pub async fn get_delivery(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<DeliveryPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    must_be_own(&mut connection, &caller, &path.id).await?;
    let found = deliveries::find(&mut connection, &path.id.0, &path.message.0).await?;
    let unknown = || WebhookError::UnknownMessage { webhook: path.id.0.clone(), id: path.message.0.clone() };
    let row = found.ok_or_else(unknown)?;
    let attempts = deliveries::attempts(&mut connection, &row.id).await?.into_iter().map(AttemptOut::from).collect();
    let body = row.body.clone();
    Ok(no_store(FullDelivery { data: row.into(), body, attempts }))
}

/// Sends a test
///
/// A message of type `webhook.test`, signed, sent and tried again as any other.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/test",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = Nothing,
    responses((status = 201, description = "The message, which is on its way.", body = OneDelivery), WriteProblems)
)]
pub async fn test_webhook(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body: Nothing {}, request }: Post<Nothing>,
) -> Result<Response, Problem> {
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let row = webhooks::send_test(once.connection(), (&caller.id(), &path.id.0), &caller.source()).await;
    let (once, row) = done(once, row).await?;
    let answer = once.finish(StatusCode::CREATED, &OneDelivery { data: row.into() }).await;
    service.webhooks().wake();
    answer
}

/// Sends a message again
///
/// Whatever became of it, with the same id and the same body, and with all its attempts before it.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/deliveries/{message}/replay",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(DeliveryPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = Nothing,
    responses((status = 200, description = "The message, which is on its way.", body = OneDelivery), WriteProblems)
)]
pub async fn replay_delivery(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<DeliveryPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body: Nothing {}, request }: Post<Nothing>,
) -> Result<Response, Problem> {
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let (owner, id, message) = (caller.id(), path.id.0, path.message.0);
    let row = webhooks::replay(once.connection(), (&owner, &id), &message, &caller.source()).await;
    let (once, row) = done(once, row).await?;
    let answer = once.finish(StatusCode::OK, &OneDelivery { data: row.into() }).await;
    service.webhooks().wake();
    answer
}

/// Sends again what was given up
///
/// The oldest first, 10,000 at once.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/replay",
    tag = "webhooks",
    security(("key" = ["webhooks:write"])),
    params(WebhookPath, ("Idempotency-Key" = String, Header, description = "A fresh UUID for every new request.")),
    request_body = DeadReplay,
    responses((status = 200, description = "How many are on their way.", body = Replayed), WriteProblems)
)]
pub async fn replay_dead_deliveries(
    service: Arc<Service>,
    caller: Authorized<WebhooksWrite>,
    CheckedPath(path): CheckedPath<WebhookPath>,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
    Post { body, request }: Post<DeadReplay>,
) -> Result<Response, Problem> {
    let since = body.since.as_deref().map(<Time as Parameter>::parse).transpose();
    let since = since.map_err(|detail| {
        Problem::faults(Code::InvalidBody, vec![Fault { pointer: "/body/since".to_owned(), detail }])
    })?;
    let mut once = match Once::begin(&service, &caller, &request).await? {
        Turn::First(once) => once,
        Turn::Replay(answer) => return Ok(answer),
    };
    let (owner, id) = (caller.id(), path.id.0);
    let since = since.map(Time::as_unix);
    let count = webhooks::replay_dead(once.connection(), (&owner, &id), since, &caller.source()).await;
    let (once, count) = done(once, count).await?;
    let replayed = Replayed { count, more: count == REPLAYED_AT_ONCE as u64 };
    let answer = once.finish(StatusCode::OK, &replayed).await;
    service.webhooks().wake();
    answer
}
