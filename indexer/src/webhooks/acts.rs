//! What is done with webhooks. Each act and its line in the audit log are one transaction of the caller's.

use secrecy::SecretString;
use sqlx::PgConnection;

use super::{SigningSecret, TEST, Target, is_known, message_id};
use crate::{
    access::{Source, fresh_id, is_label},
    db::{
        DbError,
        service::{
            audit,
            deliveries::{self, DeliveryRow, NewDelivery},
            webhooks::{self, Changes, NewWebhook, WebhookRow},
        },
    },
    seal::{SealError, Sealer},
    types::Addr,
};

/// Webhooks that a caller may have.
pub const MAX_WEBHOOKS: i64 = 20;
/// Secrets that sign at once, the present one among them.
pub const MAX_SECRETS: usize = 3;
/// Longest that a replaced secret goes on, seconds.
pub const MAX_OVERLAP: i64 = 7 * 24 * 60 * 60;
/// Messages that one act sends again.
pub const REPLAYED_AT_ONCE: i64 = 10_000;
const MAX_EVENTS: usize = 32;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There is no such webhook, or it is another caller's.
    #[error("there is no webhook {0} of yours")]
    Unknown(String),
    /// There is no such message, or it is no longer kept.
    #[error("webhook {webhook} has no message {id}, or no longer: delivered ones are kept for 7 days, others for 30")]
    UnknownMessage {
        /// The webhook.
        webhook: String,
        /// The message.
        id: String,
    },
    /// The caller has as many as there may be.
    #[error("you have {MAX_WEBHOOKS} webhooks, and nobody may have more: remove one, or let one hear of more")]
    TooMany,
    /// As many secrets sign as there may be.
    #[error("{MAX_SECRETS} secrets sign already: wait until one of those that were replaced has ended")]
    TooManySecrets,
    /// Nothing is sent to it.
    #[error("nothing is sent to webhook {0} while it is disabled: enable it first")]
    Disabled(String),
}

/// What a webhook hears of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Types of events, or all of a subject as `contribution.*`; every event if empty.
    pub events: Vec<String>,
    /// Of this chain alone.
    pub chain_id: Option<i64>,
    /// Of this sale alone.
    pub sale: Option<Addr>,
}

/// What a webhook is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What it is for.
    pub label: String,
    /// Where messages are sent.
    pub target: Target,
    /// What it hears of.
    pub filter: Filter,
}

impl Terms {
    /// What is wrong with a label.
    pub fn label_fault(label: &str) -> Option<&'static str> {
        (!is_label(label)).then_some("must have 1 to 100 characters, and none that cannot be seen")
    }

    /// What is wrong with a list of types of events, and where: at a place in it, or with all of it.
    pub fn event_faults(events: &[String]) -> Vec<(Option<usize>, String)> {
        if events.len() > MAX_EVENTS {
            return vec![(None, format!("must not name more than {MAX_EVENTS} types; none at all means every one"))];
        }
        let unknown = events.iter().enumerate().filter(|(_, event)| !is_known(event));
        unknown
            .map(|(place, _)| {
                (Some(place), "must be a type of event such as contribution.observed, or a subject with all that is told of it, such as contribution.*".to_owned())
            })
            .collect()
    }
}

/// A webhook or a secret that was just made: the only time that the secret is seen.
#[derive(Debug)]
pub struct Created {
    /// `whsec_…`.
    pub secret: SecretString,
    /// What is kept of it.
    pub row: WebhookRow,
}

/// Makes a webhook, which hears of what is committed after the entries `newest` of each chain's outbox; of chains that come later, of
/// everything.
///
/// # Errors
/// [`WebhookError::TooMany`]; those of the database.
pub async fn create(
    connection: &mut PgConnection,
    sealer: &Sealer,
    owner: &str,
    terms: &Terms,
    newest: &[(i64, i64)],
    source: &Source,
) -> Result<Created, WebhookError> {
    if webhooks::count_alone(connection, owner).await? >= MAX_WEBHOOKS {
        return Err(WebhookError::TooMany);
    }
    let id = fresh_id("wh")?;
    let Filter { events, chain_id, sale } = &terms.filter;
    let new = NewWebhook {
        id: &id,
        owner,
        label: terms.label.trim(),
        url: terms.target.url().as_str(),
        events,
        chain_id: *chain_id,
        sale: *sale,
    };
    webhooks::insert(connection, new).await?;
    for (chain, seq) in newest.iter().filter(|(chain, _)| chain_id.is_none_or(|id| id == *chain)) {
        webhooks::begin_at(connection, &id, *chain, *seq).await?;
    }
    let secret = add_secret(connection, sealer, &id, 0).await?;
    let row = find(connection, owner, &id).await?;
    audit::append(connection, &source.did("webhook.created", &id, Some(terms.target.place()))).await?;
    Ok(Created { secret, row })
}

/// Changes a webhook. What waits for it is sent to where it is sent from then on.
///
/// # Errors
/// [`WebhookError::Unknown`]; those of the database.
pub async fn update(
    connection: &mut PgConnection,
    (owner, id): (&str, &str),
    target: Option<&Target>,
    changes: Changes<'_>,
    source: &Source,
) -> Result<WebhookRow, WebhookError> {
    find_for_change(connection, owner, id).await?;
    let changes = Changes { url: target.map(|t| t.url().as_str()), label: changes.label.map(str::trim), ..changes };
    webhooks::update(connection, id, changes).await?;
    let detail = [
        target.map(|t| format!("to {}", t.place())),
        changes.label.map(|_| "label".to_owned()),
        changes.events.map(|_| "events".to_owned()),
        changes.enabled.map(|on| if on { "enabled" } else { "disabled" }.to_owned()),
    ];
    let detail = detail.into_iter().flatten().collect::<Vec<_>>().join(", ");
    audit::append(connection, &source.did("webhook.updated", id, Some(detail))).await?;
    find(connection, owner, id).await
}

/// Gives a webhook another secret. The one before signs beside it for so many seconds, so that its receiver can change over.
///
/// # Errors
/// [`WebhookError::Unknown`], [`WebhookError::TooManySecrets`]; those of the database.
pub async fn rotate(
    connection: &mut PgConnection,
    sealer: &Sealer,
    (owner, id): (&str, &str),
    overlap_seconds: i64,
    source: &Source,
) -> Result<Created, WebhookError> {
    find_for_change(connection, owner, id).await?;
    if overlap_seconds > 0 && webhooks::secrets(connection, id).await?.len() >= MAX_SECRETS {
        return Err(WebhookError::TooManySecrets);
    }
    let secret = add_secret(connection, sealer, id, overlap_seconds).await?;
    let row = find(connection, owner, id).await?;
    let detail = format!("the secret before goes on for {overlap_seconds} s");
    audit::append(connection, &source.did("webhook.rotated", id, Some(detail))).await?;
    Ok(Created { secret, row })
}

/// Removes a webhook with all its messages.
///
/// # Errors
/// [`WebhookError::Unknown`]; those of the database.
pub async fn remove(
    connection: &mut PgConnection,
    (owner, id): (&str, &str),
    source: &Source,
) -> Result<(), WebhookError> {
    if !webhooks::delete(connection, owner, id).await? {
        return Err(WebhookError::Unknown(id.to_owned()));
    }
    Ok(audit::append(connection, &source.did("webhook.deleted", id, None)).await?)
}

/// Adds a message that tells of nothing but itself.
///
/// # Errors
/// [`WebhookError::Unknown`], [`WebhookError::Disabled`]; those of the database.
pub async fn send_test(
    connection: &mut PgConnection,
    (owner, id): (&str, &str),
    source: &Source,
) -> Result<DeliveryRow, WebhookError> {
    let webhook = find_for_change(connection, owner, id).await?;
    if webhook.disabled.is_some() {
        return Err(WebhookError::Disabled(id.to_owned()));
    }
    let now = jiff::Timestamp::now();
    let body = serde_json::json!({ "type": TEST, "timestamp": now.to_string(), "data": { "webhook": id } }).to_string();
    let message = message_id(&[id, TEST, &fresh_id("test")?]);
    let new = NewDelivery { id: message.clone(), webhook: id.to_owned(), kind: TEST.to_owned(), body };
    deliveries::insert(connection, &[new]).await?;
    audit::append(connection, &source.did("webhook.tested", id, Some(message.clone()))).await?;
    find_message(connection, id, &message).await
}

/// Sends a message again from now on, whatever became of it.
///
/// # Errors
/// [`WebhookError::Unknown`], [`WebhookError::UnknownMessage`]; those of the database.
pub async fn replay(
    connection: &mut PgConnection,
    (owner, id): (&str, &str),
    message: &str,
    source: &Source,
) -> Result<DeliveryRow, WebhookError> {
    find_for_change(connection, owner, id).await?;
    find_message(connection, id, message).await?;
    deliveries::replay(connection, id, message).await?;
    audit::append(connection, &source.did("webhook.replayed", id, Some(message.to_owned()))).await?;
    find_message(connection, id, message).await
}

/// Sends again what was given up: of what was added at this Unix second or later, the oldest [`REPLAYED_AT_ONCE`]. How many there were.
///
/// # Errors
/// [`WebhookError::Unknown`]; those of the database.
pub async fn replay_dead(
    connection: &mut PgConnection,
    (owner, id): (&str, &str),
    since: Option<i64>,
    source: &Source,
) -> Result<u64, WebhookError> {
    find_for_change(connection, owner, id).await?;
    let count = deliveries::replay_dead(connection, id, since, REPLAYED_AT_ONCE).await?;
    let detail = Some(format!("{count} messages that were given up"));
    audit::append(connection, &source.did("webhook.replayed", id, detail)).await?;
    Ok(count)
}

async fn add_secret(
    connection: &mut PgConnection,
    sealer: &Sealer,
    webhook: &str,
    overlap_seconds: i64,
) -> Result<SecretString, WebhookError> {
    let secret = SigningSecret::generate()?;
    let row = secret.seal(sealer, fresh_id("whs")?)?;
    webhooks::add_secret(connection, webhook, &row, overlap_seconds).await?;
    Ok(secret.shown())
}

async fn find(connection: &mut PgConnection, owner: &str, id: &str) -> Result<WebhookRow, WebhookError> {
    webhooks::find(connection, owner, id).await?.ok_or_else(|| WebhookError::Unknown(id.to_owned()))
}

async fn find_for_change(connection: &mut PgConnection, owner: &str, id: &str) -> Result<WebhookRow, WebhookError> {
    webhooks::find_for_change(connection, owner, id).await?.ok_or_else(|| WebhookError::Unknown(id.to_owned()))
}

async fn find_message(connection: &mut PgConnection, webhook: &str, id: &str) -> Result<DeliveryRow, WebhookError> {
    let unknown = || WebhookError::UnknownMessage { webhook: webhook.to_owned(), id: id.to_owned() };
    deliveries::find(connection, webhook, id).await?.ok_or_else(unknown)
}
