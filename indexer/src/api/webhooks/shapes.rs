//! What is asked and answered about webhooks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::{
        extract::{FromPath, FromQuery, Limit, Parameter, Reader, parse_id},
        shapes::Time,
    },
    db::service::{
        deliveries::{AttemptRow, DeliveryRow},
        webhooks::WebhookRow,
    },
    types::Addr,
};

/// The id of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookId(pub String);

impl Parameter for WebhookId {
    fn parse(text: &str) -> Result<Self, String> {
        parse_id(text, "wh_", "a webhook").map(Self)
    }
}

/// Which webhook.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// The webhook's id.
    #[param(value_type = String, example = "wh_4rSw0JXjKzPq81mUcdYt", pattern = "^wh_[0-9A-Za-z]{20}$")]
    pub id: WebhookId,
}

impl FromPath for WebhookPath {
    fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self { id: reader.read("id")? })
    }
}

/// Which webhooks.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhooksQuery {
    /// Most webhooks in the answer.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, required = false, default = 50)]
    pub limit: Limit,
    /// `next_after` of the answer before.
    #[param(value_type = Option<String>, required = false, pattern = "^wh_[0-9A-Za-z]{20}$")]
    pub after: Option<WebhookId>,
}

impl FromQuery for WebhooksQuery {
    fn read(reader: &mut Reader) -> Self {
        Self { limit: reader.read("limit").unwrap_or_default(), after: reader.read("after") }
    }
}

/// What a webhook is to be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where messages are sent: `https`, without a user name, a password or a fragment, on port 443 or one from 1024 on. Its host has to
    /// have public addresses alone, now and whenever a message is sent.
    #[schema(example = "https://example.org/webhooks", max_length = 2048)]
    pub url: String,
    /// What it is for: 1 to 100 characters.
    #[schema(
        example = "ledger",
        min_length = 1,
        max_length = 100,
        pattern = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub label: String,
    /// Types of events, or all of a subject, such as `contribution.*`; every event if empty.
    #[serde(default)]
    #[schema(max_items = 32, example = json!(["contribution.*", "sale.closed"]))]
    pub events: Vec<String>,
    /// Of this chain alone; of all that are followed, those that come later too, if it is not given.
    #[serde(default)]
    #[schema(example = 1)]
    pub chain_id: Option<i64>,
    /// Of this sale alone, with its chain.
    #[serde(default)]
    #[schema(value_type = Option<Addr>)]
    pub sale: Option<String>,
}

/// What is to be changed; what is not given stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChanges {
    /// Where messages are sent, those too that wait.
    #[serde(default)]
    #[schema(example = "https://example.org/webhooks", max_length = 2048)]
    pub url: Option<String>,
    /// What it is for: 1 to 100 characters.
    #[serde(default)]
    #[schema(
        example = "ledger",
        min_length = 1,
        max_length = 100,
        pattern = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*$"
    )]
    pub label: Option<String>,
    /// Types of events, from here on.
    #[serde(default)]
    #[schema(max_items = 32, example = json!(["contribution.*", "sale.closed"]))]
    pub events: Option<Vec<String>>,
    /// Whether anything is sent to it.
    #[serde(default)]
    #[schema(example = true)]
    pub enabled: Option<bool>,
}

/// How a secret is replaced.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// Seconds that the replaced secret signs beside the new one; up to 7 days, a day if it is not given. 0 ends it at once.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    pub overlap_seconds: i64,
}

fn a_day() -> i64 {
    86_400
}

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookOut {
    /// What it is named by.
    #[schema(example = "wh_4rSw0JXjKzPq81mUcdYt")]
    pub id: String,
    /// What it is for.
    #[schema(example = "ledger")]
    pub label: String,
    /// Where messages are sent.
    #[schema(example = "https://example.org/webhooks")]
    pub url: String,
    /// Types of events; every event if empty.
    pub events: Vec<String>,
    /// Of this chain alone.
    #[schema(example = 1)]
    pub chain_id: Option<i64>,
    /// Of this sale alone.
    pub sale: Option<Addr>,
    /// `enabled`, `disabled` by you, or `gone`: its receiver has answered 410, and it has to be enabled again.
    #[schema(example = "enabled")]
    pub state: String,
    /// The key that signatures `v1a` are checked with. Those of a secret that was replaced were made with the key before.
    #[schema(example = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    pub public_key: String,
    /// When it was made.
    pub created_at: Time,
}

impl From<WebhookRow> for WebhookOut {
    fn from(row: WebhookRow) -> Self {
        let state = match row.disabled.as_deref() {
            None => "enabled",
            Some("gone") => "gone",
            Some(_) => "disabled",
        };
        Self {
            id: row.id,
            label: row.label,
            url: row.url,
            events: row.events,
            chain_id: row.chain_id,
            sale: row.sale,
            state: state.to_owned(),
            public_key: row.public_key,
            created_at: Time::from_unix(row.created_at),
        }
    }
}

/// One webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneWebhook {
    /// The webhook.
    pub data: WebhookOut,
}

/// Webhooks by id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// The webhooks.
    pub data: Vec<WebhookOut>,
    /// `after` of the next answer; null at the end.
    pub next_after: Option<String>,
}

/// A webhook or a secret that was just made.
#[derive(Clone, Serialize, ToSchema)]
pub struct FreshWebhook {
    /// What signatures `v1` are checked with: `whsec_` and 32 bytes in Base64. This is the only time that it is shown.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw…")]
    pub secret: String,
    /// The webhook.
    pub data: WebhookOut,
}

/// A message and how it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryOut {
    /// The `webhook-id`: the same however often it is sent.
    #[schema(example = "msg_0f3a9c5e7b1d2468ace013579bdf0246")]
    pub id: String,
    /// The type of its event.
    #[serde(rename = "type")]
    #[schema(example = "contribution.observed")]
    pub kind: String,
    /// `pending`, `delivered`, or `dead`: given up, until it is replayed.
    #[schema(example = "dead")]
    pub state: String,
    /// How often it was tried.
    #[schema(example = 10)]
    pub attempts: i32,
    /// When it was added.
    pub created_at: Time,
    /// When it is sent next, if it is.
    pub next_attempt_at: Option<Time>,
    /// When it was delivered or given up.
    pub ended_at: Option<Time>,
    /// Status of the last answer, if there was one.
    #[schema(example = 503)]
    pub last_status: Option<i16>,
    /// What went wrong last.
    #[schema(example = "not accepted")]
    pub last_error: Option<String>,
}

impl From<DeliveryRow> for DeliveryOut {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            state: row.state,
            attempts: row.attempts,
            created_at: Time::from_unix(row.created_at),
            next_attempt_at: row.next_at.map(Time::from_unix),
            ended_at: row.ended_at.map(Time::from_unix),
            last_status: row.last_status,
            last_error: row.last_error,
        }
    }
}

/// One attempt to send a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct AttemptOut {
    /// Which, from one.
    #[schema(example = 1)]
    pub number: i32,
    /// When it ended.
    pub at: Time,
    /// Status of the answer, if there was one.
    #[schema(example = 503)]
    pub status: Option<i16>,
    /// What went wrong.
    #[schema(example = "not accepted")]
    pub error: Option<String>,
    /// How long it took.
    #[schema(example = 87)]
    pub milliseconds: i64,
}

impl From<AttemptRow> for AttemptOut {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { number, at, status, error, milliseconds } = row;
        Self { number, at: Time::from_unix(at), status, error, milliseconds }
    }
}
