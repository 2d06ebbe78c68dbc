//! What a listener is told of one event.

use std::ops::Range;

use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::shapes::{AmountOut, BlockRef, Time, Token},
    db::{
        chains::Checkpoint,
        read::feed::{Audience, FeedEvent, Position, Stage},
    },
    types::{Addr, Finality, Hash32, upright},
    webhooks::MAX_BODY,
};

/// Something that happened, became final, or was reorged away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FeedEvent)]
pub struct FeedOut {
    /// `sale.created`, `sale.opened`, `sale.closed`, `sale.cancelled`, `sale.tap_stopped`, `sale.finalized`, `sale.reorged`, and `contribution`,
    /// `withdrawal`, `rejection`, `claim`, `refund`, `release` and `objection` with `.observed`, `.finalized` and `.reorged`. New ones
    /// may come.
    #[serde(rename = "type")]
    #[schema(example = "contribution.observed")]
    pub kind: String,
    /// Time of its block.
    pub timestamp: Time,
    /// The event.
    pub data: FeedData,
}

/// One event of a stream, field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamEvent {
    /// `ready` or `reset`, else the `type` in its data.
    #[schema(example = "contribution.observed")]
    pub event: String,
    /// Where it stands: what `Last-Event-ID` takes.
    #[schema(example = "4711-19000000-12", pattern = "^[0-9]+(-[0-9]+--?[0-9]+)?$")]
    pub id: String,
    /// A `FeedEvent` as JSON; an empty object in `ready` and `reset`.
    #[schema(content_media_type = "application/json")]
    pub data: String,
    /// Milliseconds after which a client whose stream broke off is to come back.
    #[schema(example = 2000)]
    pub retry: Option<u32>,
}

/// An event of a sale. What it does not have is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedData {
    /// What happened, in the words of a sale's `activity`; and `opened`, which is not there, as nobody did it.
    #[schema(example = "contributed")]
    pub kind: String,
    /// The sale.
    pub sale: Addr,
    /// The investor; the beneficiary (`released`) or owner (`sale_created`, `opened`).
    pub account: Option<Addr>,
    /// Where money or tokens went.
    pub recipient: Option<Addr>,
    /// Who else acted: who paid, who rejected, the creator.
    pub actor: Option<Addr>,
    /// Money; null too where it was reorged away together with its sale.
    pub amount: Option<AmountOut>,
    /// Tokens; null too where they were reorged away together with their sale.
    pub tokens: Option<AmountOut>,
    /// `succeeded`, `failed` or `cancelled`; of `sale_created` its name, as its author wrote it, or its beginning where it is very long.
    pub text: Option<String>,
    /// Its transaction; null where it opened, which no transaction does.
    pub transaction_hash: Option<Hash32>,
    /// Its place; of one that was reorged away the place it had, without confirmations. A sale opens with the first block whose time is
    /// not before `opens`; `log_index` is then no log's, and below zero, as that is before anything else in the block, or 2^30 and above where
    /// the block created the sale.
    pub block: BlockRef,
}

/// What is sent, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub at: Position,
    /// As it goes to every listener.
    pub frame: Bytes,
    /// Where in it the type and the event stand.
    kind: Range<usize>,
    json: Range<usize>,
    event: FeedEvent,
}

impl Message {
    pub fn new(event: FeedEvent, seq: i64, stage: Stage, checkpoint: &Checkpoint) -> Self {
        let mut out = FeedOut::new(&event, stage, checkpoint);
        // Strings and numbers alone: it cannot fail.
        let mut json = serde_json::to_string(&out).unwrap_or_default();
        if json.len() > MAX_BODY {
            out.shorten();
            json = serde_json::to_string(&out).unwrap_or_default();
        }
        let at = Position { seq, event: (event.block_number, event.log_index) };
        let (head, middle, tail) = ("event: ", format!("\nid: {}\ndata: ", id(at)), "\n\n");
        let frame: Bytes = [head, &out.kind, &middle, &json, tail].concat().into();
        let kind = head.len()..head.len() + out.kind.len();
        let json = frame.len() - tail.len() - json.len()..frame.len() - tail.len();
        Self { at, frame, kind, json, event }
    }

    /// The type of the event.
    pub fn kind(&self) -> &str {
        self.part(&self.kind)
    }

    /// The event, as its listeners get it.
    pub fn json(&self) -> &str {
        self.part(&self.json)
    }

    fn part(&self, place: &Range<usize>) -> &str {
        // It was put together from text.
        std::str::from_utf8(&self.frame[place.clone()]).unwrap_or_default()
    }

    pub fn block_hash(&self) -> Hash32 {
        self.event.block_hash
    }

    pub fn is_for(&self, audience: Audience) -> bool {
        audience.hears(&self.event)
    }
}

impl FeedOut {
    /// Leaves out most of what its author wrote, which can be of any length.
    fn shorten(&mut self) {
        let shorten = |text: &mut String, most: usize| {
            if let Some((end, _)) = text.char_indices().nth(most) {
                text.truncate(end);
                text.push('…');
            }
        };
        self.data.text.iter_mut().for_each(|text| shorten(text, 500));
        let amounts = self.data.amount.iter_mut().chain(&mut self.data.tokens);
        amounts.for_each(|amount| shorten(&mut amount.symbol, 100));
    }

    fn new(event: &FeedEvent, stage: Stage, checkpoint: &Checkpoint) -> Self {
        let mut block = BlockRef::new(checkpoint, event.block_number, event.block_hash, event.log_index);
        if stage == Stage::Reorged {
            (block.confirmations, block.finality) = (0, Finality::Latest);
        }
        let money = Token::new(Addr::default(), &event.currency_symbol, "", event.currency_decimals);
        let token = Token::new(Addr::default(), &event.token_symbol, "", event.token_decimals);
        Self {
            kind: name(&event.kind, stage),
            timestamp: Time::from_unix(event.timestamp),
            data: FeedData {
                kind: event.kind.clone(),
                sale: event.sale,
                account: event.account,
                recipient: event.recipient,
                actor: event.actor,
                amount: event.amount.as_ref().map(|amount| money.amount(amount)),
                tokens: event.tokens.as_ref().map(|tokens| token.amount(tokens)),
                text: event.word.as_deref().map(upright),
                transaction_hash: (event.transaction_hash != Hash32::default()).then_some(event.transaction_hash),
                block,
            },
        }
    }
}

/// A position as a listener is told it.
pub(super) fn id(position: Position) -> String {
    if position == Position::behind(position.seq) {
        return position.seq.to_string();
    }
    format!("{}-{}-{}", position.seq, position.event.0, position.event.1)
}

fn name(kind: &str, stage: Stage) -> String {
    let (subject, first) = match kind {
        "contributed" => ("contribution", "observed"),
        "withdrawn" => ("withdrawal", "observed"),
        "rejected" => ("rejection", "observed"),
        "claimed" => ("claim", "observed"),
        "refunded" | "excess_refunded" | "rest_refunded" => ("refund", "observed"),
        "released" => ("release", "observed"),
        "objected" => ("objection", "observed"),
        "sale_created" => ("sale", "created"),
        other => ("sale", other),
    };
    let what = match stage {
        Stage::Observed => first,
        Stage::Finalized => "finalized",
        Stage::Reorged => "reorged",
    };
    format!("{subject}.{what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::is_known;

    fn event(kind: &str, text: &str) -> FeedEvent {
        FeedEvent {
            block_number: 1,
            log_index: 2,
            block_hash: Hash32::default(),
            timestamp: 1_800_000_000,
            transaction_hash: Hash32::default(),
            kind: kind.to_owned(),
            sale: Addr::default(),
            account: None,
            recipient: None,
            actor: None,
            amount: Some("1".parse().unwrap()),
            tokens: Some("9".repeat(80).parse().unwrap()),
            word: Some(text.to_owned()),
            currency_symbol: text.to_owned(),
            currency_decimals: 18,
            token_symbol: text.to_owned(),
            token_decimals: 18,
        }
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            chain_id: i64::MAX,
            number: 1,
            hash: Hash32::default(),
            block_timestamp: 0,
            head_number: i64::MAX,
            safe_number: 0,
            finalized_number: 0,
            seen_seconds_ago: 0,
            halted: None,
        }
    }

    #[test]
    fn whatever_is_told_can_be_asked_for() {
        let kinds =
            ["sale_created", "contributed", "withdrawn", "rejected", "closed", "cancelled", "claimed", "refunded"];
        let more = ["excess_refunded", "rest_refunded", "released", "objected", "tap_stopped", "opened"];
        for kind in kinds.into_iter().chain(more) {
            for stage in [Stage::Observed, Stage::Finalized, Stage::Reorged] {
                let name = name(kind, stage);
                assert!(is_known(&name), "{name}");
            }
        }
    }

    #[test]
    fn what_an_author_wrote_fits_into_a_message() {
        for text in ["x".repeat(30_000), "\u{0}".repeat(10_000), "\u{1f980}".repeat(10_000)] {
            let message = Message::new(event("sale_created", &text), 1, Stage::Observed, &checkpoint());
            assert!(message.json().len() < MAX_BODY, "{}", message.json().len());
            let data: serde_json::Value = serde_json::from_str(message.json()).unwrap();
            assert!(text.starts_with(data["data"]["text"].as_str().unwrap().trim_end_matches('…')));
            assert_eq!(data["data"]["tokens"]["raw"], "9".repeat(80));
        }
        let text = "Aurora ".repeat(100);
        let whole = Message::new(event("sale_created", &text), 1, Stage::Observed, &checkpoint());
        assert!(whole.json().contains(&text));
    }
}
