//! Reading the feed from a position on, so that it tells what it would have told somebody who listened all the time, but for what came
//! and went meanwhile.

use sqlx::PgConnection;

use super::message::Message;
use crate::db::{
    DbError,
    chains::find_checkpoint,
    read::feed::{self, Audience, Entry, Position, Stage},
};

/// Entries of the outbox that are read at a time.
const ENTRIES: i64 = 256;
/// Before the first event of an entry.
const START: (i64, i32) = (-1, -1);

/// How far somebody has read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    chain_id: i64,
    position: Position,
    /// Events above this place were not told, as they were gone already: that they are gone is not told either.
    untold_above: Option<(i64, i32)>,
    whole: bool,
}

impl Reading {
    pub fn behind(chain_id: i64, position: Position) -> Self {
        Self { chain_id, position, untold_above: None, whole: true }
    }

    /// As one that has read before.
    pub fn again(chain_id: i64, position: Position, untold_above: Option<(i64, i32)>) -> Self {
        Self { untold_above, ..Self::behind(chain_id, position) }
    }

    pub fn untold_above(&self) -> Option<(i64, i32)> {
        self.untold_above
    }

    pub fn position(&self) -> Position {
        self.position
    }

    pub fn is_at(&self, seq: i64) -> bool {
        self.position >= Position::behind(seq)
    }

    /// Goes to the end without having read it.
    pub fn skip_to(&mut self, seq: i64) {
        (self.position, self.whole) = (Position::behind(seq), false);
    }

    /// Whether everything was read.
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}

/// Reads on up to the entry `newest`: about `limit` messages, and all there is if fewer. The connection is in a snapshot.
pub(super) async fn read(
    connection: &mut PgConnection,
    reading: &mut Reading,
    audience: Audience,
    newest: i64,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    let mut messages = Vec::new();
    let chain_id = reading.chain_id;
    let Some(checkpoint) = find_checkpoint(connection, chain_id).await? else {
        reading.position = Position::behind(newest);
        return Ok(messages);
    };
    let entries = feed::entries(connection, chain_id, reading.position.seq, ENTRIES).await?;
    // Of what is near the end, which is most that is ever read, the entries themselves tell.
    let reverts = if entries.len() < ENTRIES as usize {
        entries.iter().filter(|e| e.stage == Stage::Reorged).map(|e| (e.seq, e.from_block)).collect()
    } else {
        feed::reverts(connection, chain_id, reading.position.seq).await?
    };
    let done = entries.last().is_none_or(|last| last.seq >= newest);
    for entry in entries {
        let after = if entry.seq == reading.position.seq { reading.position.event } else { START };
        if after == Position::behind(0).event {
            continue;
        }
        let room = limit - messages.len() as i64;
        if room <= 0 {
            return Ok(messages);
        }
        let found = match entry.stage {
            Stage::Reorged => {
                let up_to = reading.untold_above.unwrap_or((i64::MAX, i32::MAX));
                feed::reverted(connection, chain_id, entry.seq, (after, up_to), audience, room).await?
            }
            Stage::Observed | Stage::Finalized => {
                let kept = kept(&entry, &reverts);
                if entry.stage == Stage::Observed && kept < entry.to_block {
                    let told = (kept.max(entry.from_block - 1), i32::MAX).max(after);
                    reading.untold_above = Some(reading.untold_above.map_or(told, |above| above.min(told)));
                }
                feed::events(connection, chain_id, (entry.from_block, kept), after, audience, room).await?
            }
        };
        let partly = found.len() as i64 == room;
        messages.extend(found.into_iter().map(|event| Message::new(event, entry.seq, entry.stage, &checkpoint)));
        if partly {
            if let Some(last) = messages.last() {
                reading.position = last.at;
            }
            return Ok(messages);
        }
        if entry.stage == Stage::Reorged && reading.untold_above.is_some_and(|above| above.0 >= entry.from_block - 1) {
            reading.untold_above = None;
        }
        reading.position = Position::behind(entry.seq);
    }
    if done {
        reading.position = reading.position.max(Position::behind(newest));
    }
    Ok(messages)
}

/// The highest block of an entry whose events are still those it told of.
fn kept(entry: &Entry, reverts: &[(i64, i64)]) -> i64 {
    let lowest = reverts.iter().filter(|(seq, _)| *seq > entry.seq).map(|(_, from)| *from).min();
    lowest.map_or(entry.to_block, |from| entry.to_block.min(from - 1))
}
