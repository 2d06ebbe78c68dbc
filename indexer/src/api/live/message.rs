//! What a listener is told of one event.

use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::shapes::{AmountOut, BlockRef, Time, Token},
    db::{
        chains::Checkpoint,
        read::feed::{Audience, FeedEvent, Position, Stage},
    },
    types::{Addr, Finality, Hash32},
};

/// Something that happened, became final, or was reorged away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FeedEvent)]
pub struct FeedOut {
    /// `sale.created`, `sale.closed`, `sale.cancelled`, `sale.tap_stopped`, `sale.finalized`, `sale.reorged`, and `contribution`,
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

/// An event of a sale. What it does not have is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedData {
    /// What happened, in the words of a sale's `activity`.
    #[schema(example = "contributed")]
    pub kind: String,
    /// The sale.
    pub sale: Addr,
    /// The investor; the beneficiary (`released`) or owner (`sale_created`).
    pub account: Option<Addr>,
    /// Where money or tokens went.
    pub recipient: Option<Addr>,
    /// Who else acted: who paid, who rejected, the creator.
    pub actor: Option<Addr>,
    /// Money; null too where it was reorged away together with its sale.
    pub amount: Option<AmountOut>,
    /// Tokens; null too where they were reorged away together with their sale.
    pub tokens: Option<AmountOut>,
    /// `succeeded`, `failed` or `cancelled`; of `sale_created` its name, as its author wrote it.
    pub text: Option<String>,
    /// Its transaction.
    pub transaction_hash: Hash32,
    /// Its place; of one that was reorged away the place it had, without confirmations.
    pub block: BlockRef,
}

/// What is sent, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub at: Position,
    /// As it goes to every listener.
    pub frame: Bytes,
    event: FeedEvent,
}

impl Message {
    pub fn new(event: FeedEvent, seq: i64, stage: Stage, checkpoint: &Checkpoint) -> Self {
        let out = FeedOut::new(&event, stage, checkpoint);
        // Strings and numbers alone: it cannot fail.
        let json = serde_json::to_string(&out).unwrap_or_default();
        let at = Position { seq, event: (event.block_number, event.log_index) };
        let frame = format!("event: {}\nid: {}\ndata: {json}\n\n", out.kind, id(at)).into();
        Self { at, frame, event }
    }

    pub fn is_for(&self, audience: Audience) -> bool {
        audience.hears(&self.event)
    }
}

impl FeedOut {
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
                text: event.word.clone(),
                transaction_hash: event.transaction_hash,
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
