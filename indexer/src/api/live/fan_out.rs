//! What is new becomes messages of webhooks. A message is added in the transaction that moves its webhook's cursor past the event, so
//! that none is lost and none is added twice, wherever the process is killed.
//!
//! One process does this at a time, whichever comes first. Webhooks that stand at one place are served by one reading.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use super::{
    Live,
    message::Message,
    reading::{Reading, read},
};
use crate::{
    db::{
        DbError, follower,
        read::feed::{self, Audience, Position},
        service::{
            deliveries::{self, NewDelivery},
            webhooks::{self, CursorRow},
        },
        snapshot,
    },
    webhooks::{RESET, Webhooks, hears, message_id},
};

/// Most events that are read for webhooks of one place before they are committed.
const AT_ONCE: i64 = 500;
/// About how many messages are made at once for webhooks of one place, and how many are committed together.
const MESSAGES: i64 = 5_000;
const COMMITTED: u64 = 20_000;
/// How long what is new may stay unknown if nobody passes it on.
const POLL: Duration = Duration::from_secs(1);
/// How long listeners have the processors for themselves.
const AFTER: Duration = Duration::from_millis(20);

/// Makes messages of what is new, until `shutdown`.
pub async fn fan_out(live: Live, pool: PgPool, webhooks: Webhooks, shutdown: CancellationToken) {
    let pool = follower(&pool);
    let following = async {
        loop {
            match round(&pool, &webhooks).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "webhooks are not told what is new: trying again"),
            }
            // What it says is read again: this is only about when.
            let _ = tokio::time::timeout(POLL, live.news()).await;
            // Who listens is told first: a webhook's request takes longer than this.
            tokio::time::sleep(AFTER).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = following => {}
    }
}

/// Tells every webhook that is behind some of what is new. Whether there is more.
async fn round(pool: &PgPool, webhooks: &Webhooks) -> Result<bool, DbError> {
    let mut writing = webhooks.pool().begin().await?;
    if !webhooks::claim_cursors(&mut writing).await? {
        return Ok(false);
    }
    let mut reading = snapshot(pool).await?;
    let (mut more, mut added) = (false, 0);
    for ends in feed::ends(&mut reading).await? {
        let feed::Ends { chain_id, newest, .. } = ends;
        let waiting = webhooks.options().waiting;
        let behind = webhooks::cursors_behind(&mut writing, chain_id, newest, waiting).await?;
        // Those that are nearest to the end first: who has much to catch up does not keep them from what is new.
        for group in behind.chunk_by(|a, b| (a.position, a.untold_above) == (b.position, b.untold_above)).rev() {
            if added >= COMMITTED {
                more = true;
                break;
            }
            let (messages, done) = tell(&mut reading, &mut writing, ends, group).await?;
            added += messages;
            more |= !done;
        }
    }
    drop(reading);
    writing.commit().await?;
    if added > 0 {
        webhooks.wake();
    }
    Ok(more)
}

/// Tells webhooks that stand at one place what comes after it. How many messages that made, and whether it is all.
async fn tell(
    reading: &mut PgConnection,
    writing: &mut PgConnection,
    ends: feed::Ends,
    group: &[CursorRow],
) -> Result<(u64, bool), DbError> {
    let feed::Ends { chain_id, newest, .. } = ends;
    let Some(first) = group.first() else { return Ok((0, true)) };
    let mut place = Reading::again(chain_id, first.position, first.untold_above);
    let mut new = Vec::new();
    if first.position > Position::behind(newest) || ends.has_forgotten(first.position) {
        // The tables were made anew, and nothing says what of them was told before; or it was disabled for longer than entries are kept.
        tracing::warn!(chain_id, "webhooks cannot be told on from where they were: they are told to read anew");
        new.extend(group.iter().map(|cursor| reset(cursor, chain_id)));
        place = Reading::behind(chain_id, Position::behind(newest));
    }
    // Of one sale, where all are of the same.
    let sale = first.sale.filter(|sale| group.iter().all(|cursor| cursor.sale == Some(*sale)));
    let most = (MESSAGES / i64::try_from(group.len()).unwrap_or(MESSAGES)).clamp(1, AT_ONCE);
    let mut read_in_all = 0;
    while !place.is_at(newest) && read_in_all < most {
        let messages = read(reading, &mut place, Audience { sale, wallet: None }, newest, most).await?;
        read_in_all += messages.len() as i64;
        for message in &messages {
            new.extend(group.iter().filter(|c| is_for(message, c)).map(|c| delivery(message, &c.webhook, chain_id)));
        }
    }
    let added = deliveries::insert(writing, &new).await?;
    let group: Vec<String> = group.iter().map(|cursor| cursor.webhook.clone()).collect();
    webhooks::move_cursors(writing, &group, chain_id, place.position(), place.untold_above()).await?;
    Ok((added, place.is_at(newest)))
}

fn is_for(message: &Message, cursor: &CursorRow) -> bool {
    message.is_for(Audience { sale: cursor.sale, wallet: None }) && hears(&cursor.events, message.kind())
}

fn delivery(message: &Message, webhook: &str, chain_id: i64) -> NewDelivery {
    // The entry too: what was reorged away and comes back in the same block is told once more.
    let (chain, entry) = (chain_id.to_string(), message.at.seq.to_string());
    let log = message.at.event.1.to_string();
    let id = message_id(&[webhook, &chain, &entry, message.kind(), &message.block_hash().to_string(), &log]);
    NewDelivery { id, webhook: webhook.to_owned(), kind: message.kind().to_owned(), body: message.json().to_owned() }
}

fn reset(cursor: &CursorRow, chain_id: i64) -> NewDelivery {
    let webhook = &cursor.webhook;
    let now = jiff::Timestamp::now().to_string();
    let data = serde_json::json!({ "webhook": webhook, "chain_id": chain_id });
    let id = message_id(&[webhook, RESET, &chain_id.to_string(), &cursor.position.seq.to_string(), &now]);
    let body = serde_json::json!({ "type": RESET, "timestamp": now, "data": data }).to_string();
    NewDelivery { id, webhook: webhook.clone(), kind: RESET.to_owned(), body }
}
