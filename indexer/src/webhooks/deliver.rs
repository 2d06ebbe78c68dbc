//! What is due is taken, signed, sent, and noted. Several processes may do so on one database: each message is taken by one of them, until
//! it is done or its time is up.
//!
//! No transaction is open while a receiver is waited for. A process that is killed leaves messages that were taken, which others take
//! when their time is up: one that had arrived arrives again, with the same id.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use metrics::counter;
use reqwest::StatusCode;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    SigningSecret, Webhooks,
    send::{Answer, SendError, Sender, Signed},
};
use crate::{
    access::Source,
    db::{
        DbError,
        service::{
            audit,
            deliveries::{self, Outcome, Taken},
            webhooks,
        },
    },
    seal::SealError,
    telemetry::metric,
};

/// What is taken beyond an attempt's own time before others may take it: noting what came of it takes a moment.
const GRACE: Duration = Duration::from_secs(15);
/// Time between two looks for messages that are no longer kept, and how many are forgotten at once.
const PRUNING: Duration = Duration::from_secs(60);
const PRUNED_AT_ONCE: i64 = 1_000;

/// Sends what is due until `shutdown`; then lets what is under way end.
pub async fn run(webhooks: Webhooks, shutdown: CancellationToken) {
    let sender = match Sender::new(webhooks.guard().clone(), webhooks.options()) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(%error, "no webhook is sent: the HTTP client does not start");
            return;
        }
    };
    let mut deliverer =
        Deliverer { webhooks, sender, flying: JoinSet::new(), tasks: HashMap::new(), failing: HashSet::new() };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = deliverer.go_on() => {}
    }
    while deliverer.flying.join_next().await.is_some() {}
}

struct Deliverer {
    webhooks: Webhooks,
    sender: Sender,
    /// Attempts under way: whether the receiver took the message.
    flying: JoinSet<bool>,
    /// Whom each is for.
    tasks: HashMap<Id, String>,
    /// Webhooks whose last attempt failed: they get one at a time, so that many that are dead do not fill all there is.
    failing: HashSet<String>,
}

impl Deliverer {
    async fn go_on(&mut self) {
        let mut pruning = tokio::time::interval(PRUNING);
        loop {
            let taken = match self.take().await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "what is due cannot be read: trying again");
                    Vec::new()
                }
            };
            for message in taken {
                let webhook = message.webhook.clone();
                let attempt = attempt(self.webhooks.clone(), self.sender.clone(), message);
                let id = self.flying.spawn(attempt).id();
                self.tasks.insert(id, webhook);
            }
            let poll = self.webhooks.options().poll;
            tokio::select! {
                ended = self.flying.join_next_with_id(), if !self.flying.is_empty() => self.ended(ended),
                () = self.webhooks.0.wake.notified() => {}
                () = tokio::time::sleep(poll) => {}
                _ = pruning.tick() => self.prune().await,
            }
            while let Some(ended) = self.flying.try_join_next_with_id() {
                self.ended(Some(ended));
            }
        }
    }

    async fn take(&self) -> Result<Vec<Taken>, DbError> {
        let options = self.webhooks.options();
        let room = options.most.saturating_sub(self.flying.len());
        if room == 0 {
            return Ok(Vec::new());
        }
        let each = i64::try_from(options.each).unwrap_or(i64::MAX);
        let mut busy: HashMap<String, i64> = self.failing.iter().map(|webhook| (webhook.clone(), each - 1)).collect();
        for webhook in self.tasks.values() {
            *busy.entry(webhook.clone()).or_default() += 1;
        }
        let lease = options.timeout.saturating_mul(2).min(options.timeout + GRACE);
        let mut connection = self.webhooks.pool().acquire().await?;
        deliveries::take(
            &mut connection,
            each,
            &busy.into_iter().collect::<Vec<_>>(),
            i64::try_from(room).unwrap_or(i64::MAX),
            milliseconds(lease),
        )
        .await
    }

    fn ended(&mut self, ended: Option<Result<(Id, bool), JoinError>>) {
        let (id, arrived) = match ended {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                tracing::error!(%error, "an attempt panicked");
                (error.id(), false)
            }
            None => return,
        };
        let Some(webhook) = self.tasks.remove(&id) else { return };
        if arrived {
            self.failing.remove(&webhook);
        } else {
            self.failing.insert(webhook);
        }
    }

    async fn prune(&self) {
        let options = self.webhooks.options();
        let seconds = |kept: Duration| i64::try_from(kept.as_secs()).unwrap_or(i64::MAX);
        let pruned = async {
            let mut connection = self.webhooks.pool().acquire().await?;
            let (delivered, dead) = (seconds(options.keep_delivered), seconds(options.keep_dead));
            while deliveries::prune(&mut connection, delivered, dead, PRUNED_AT_ONCE).await? == PRUNED_AT_ONCE as u64 {}
            Ok::<_, DbError>(())
        };
        if let Err(error) = pruned.await {
            tracing::warn!(%error, "old messages are not forgotten: trying again");
        }
    }
}

/// Why an attempt came to nothing of which anybody could be told.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("its secret cannot be opened: {0}")]
    Seal(#[from] SealError),
    #[error("it has no secret")]
    NoSecret,
}

/// Sends a message and notes what came of it; whether the receiver took it.
async fn attempt(webhooks: Webhooks, sender: Sender, message: Taken) -> bool {
    match try_attempt(&webhooks, &sender, &message).await {
        Ok(arrived) => arrived,
        Err(error) => {
            // It is taken again when its time is up.
            tracing::error!(webhook = message.webhook, id = message.id, %error, "a message was not sent, or what came of it not noted");
            false
        }
    }
}

async fn try_attempt(webhooks: &Webhooks, sender: &Sender, message: &Taken) -> Result<bool, AttemptError> {
    let timestamp = Timestamp::now().as_second();
    let signature = signature(webhooks, message, timestamp).await?;
    let began = Instant::now();
    let signed = Signed { id: &message.id, timestamp, signature: &signature, body: &message.body };
    let answer = sender.send(&message.url, signed).await;
    let took = milliseconds(began.elapsed());
    let outcome = webhooks.outcome(message, &answer, took);
    let gone = matches!(answer, Ok(Answer { status: StatusCode::GONE, .. }));
    note(webhooks, message, &outcome, gone).await?;
    let result = match outcome.state {
        "delivered" => "delivered",
        "dead" => "dead",
        _ => "failed",
    };
    counter!(metric::WEBHOOK_ATTEMPTS, "result" => result).increment(1);
    tracing::debug!(
        webhook = message.webhook,
        id = message.id,
        status = outcome.status,
        error = outcome.error,
        took,
        result,
        "sent"
    );
    Ok(outcome.state == "delivered")
}

/// Of every secret that signs now: during a rotation a receiver finds the one that it knows.
async fn signature(webhooks: &Webhooks, message: &Taken, timestamp: i64) -> Result<String, AttemptError> {
    let mut connection = webhooks.pool().acquire().await.map_err(DbError::from)?;
    let mut signatures = Vec::new();
    for row in webhooks::secrets(&mut connection, &message.webhook).await? {
        let secret = SigningSecret::open(&webhooks.0.sealer, &row)?;
        signatures.push(secret.sign(&message.id, timestamp, &message.body)?);
    }
    if signatures.is_empty() { Err(AttemptError::NoSecret) } else { Ok(signatures.join(" ")) }
}

async fn note(webhooks: &Webhooks, message: &Taken, outcome: &Outcome, gone: bool) -> Result<(), DbError> {
    let mut transaction = webhooks.pool().begin().await?;
    deliveries::finish(&mut transaction, message, outcome).await?;
    if gone && webhooks::disable_gone(&mut transaction, &message.webhook).await? {
        let service = Source { actor: "service".to_owned(), ..Source::default() };
        let why = Some("its receiver answered 410 Gone".to_owned());
        audit::append(&mut transaction, &service.did("webhook.disabled", &message.webhook, why)).await?;
    }
    Ok(transaction.commit().await?)
}

impl Webhooks {
    /// What becomes of a message after an attempt.
    fn outcome(&self, message: &Taken, answer: &Result<Answer, SendError>, milliseconds: i64) -> Outcome {
        let status = answer.as_ref().ok().map(|a| a.status);
        let error = match answer {
            Ok(answer) if answer.status.is_success() => None,
            Ok(answer) if answer.status.is_redirection() => Some("redirects are not followed".to_owned()),
            Ok(_) => Some("not accepted".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let failed = usize::try_from(message.tries).unwrap_or_default() + 1;
        let asked = answer.as_ref().ok().and_then(|a| a.retry_after);
        let pause = self.options().schedule.pause(failed, asked);
        let (state, pause) = match (&error, pause) {
            (None, _) => ("delivered", Duration::ZERO),
            (Some(_), Some(pause)) if status != Some(StatusCode::GONE) => ("pending", pause),
            _ => ("dead", Duration::ZERO),
        };
        let status = status.and_then(|s| i16::try_from(s.as_u16()).ok());
        Outcome { status, error, milliseconds, state, again_in: self::milliseconds(pause) }
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
