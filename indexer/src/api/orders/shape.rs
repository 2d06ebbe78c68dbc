//! What is said of an order.

use serde::Serialize;
use utoipa::ToSchema;

use super::opened;
use crate::{
    api::{
        auth::Service,
        problem::Problem,
        shapes::{AmountOut, BlockRef, Time, Token},
    },
    db::{
        chains::Checkpoint,
        read::{contributions::Contribution, sales::Sale},
        service::{
            order_transactions::{EventRow, TransactionRow},
            orders::OrderRow,
        },
    },
    orders::{GivenUp, WAITS_FOR_FEES},
    types::{Addr, Finality, Hash32},
};

/// An order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderOut {
    /// What it is named by.
    #[schema(example = "ord_4rSw0JXjKzPq81mUcdYt")]
    pub id: String,
    /// How far it has come: `accepted`, `pending`, `included`, `failed`, `final`, `replaced`, `cancelled`, `dropped`,
    /// `expired` or `reorged`.
    #[schema(example = "pending")]
    pub state: String,
    /// The same in words, with what to do.
    #[schema(example = "It was sent, and is in no block yet.")]
    pub text: String,
    /// Whether nothing about it will change any more.
    pub settled: bool,
    /// Whether a transaction that cancels it is on its way.
    pub cancelling: bool,
    /// Why the service itself has it cancelled: `fee_cap`, blocks ask for more than its `max_fee_per_gas`, and other orders wait behind
    /// it; or `not_included`, it was in no block for too long. Null where nobody did, or its caller.
    #[schema(example = "fee_cap")]
    pub given_up: Option<String>,
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// Whose position it adds to.
    pub investor: Addr,
    /// Who pays: the operator's account, or who signed.
    pub payer: Addr,
    /// Whether the operator's signer sends it.
    pub by_operator: bool,
    /// What was ordered. A sale takes less of the last order before its hard cap; `contributions` say what it took.
    pub amount: AmountOut,
    /// Whose it is to the caller.
    #[schema(example = "customer 4711")]
    pub customer_reference: Option<String>,
    /// The nonce that all of its transactions share, so that one at most is ever included.
    #[schema(example = 7)]
    pub nonce: i64,
    /// The transaction that is included, else the newest; null where an unknown one has used the nonce.
    pub transaction_hash: Option<Hash32>,
    /// Where it is included; null where it is not.
    pub block: Option<OrderBlock>,
    /// Its transactions, in the order in which they were signed.
    pub transactions: Vec<OrderTransaction>,
    /// What it contributed, as far as that is indexed.
    pub contributions: Vec<OrderContribution>,
    /// What happened to it, in order.
    pub history: Vec<OrderEvent>,
    /// When it was accepted.
    pub created_at: Time,
    /// When something about it changed last.
    pub updated_at: Time,
}

/// The block that an order is included in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderBlock {
    /// Height.
    #[schema(example = 21_000_000)]
    pub number: i64,
    /// Hash.
    pub hash: Hash32,
    /// Blocks from this one to the indexer's head, both included.
    #[schema(example = 12)]
    pub confirmations: i64,
    /// By the node's own tags, as the indexer last saw them.
    pub finality: Finality,
}

/// A transaction of an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderTransaction {
    /// What identifies it.
    pub hash: Hash32,
    /// `original`; `speed_up`, the same for more; `cancel`; or `foreign`, which its sender sent elsewhere.
    #[schema(example = "original")]
    pub purpose: String,
    /// Wei of a unit of gas, at most; null where the service did not sign or get it.
    #[schema(example = "30000000000")]
    pub max_fee_per_gas: Option<String>,
    /// When it was written.
    pub created_at: Time,
}

/// A contribution that an order made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderContribution {
    /// Phase whose price applied.
    pub phase: i16,
    /// What was taken.
    pub amount: AmountOut,
    /// What it bought, where that is fixed at once.
    pub tokens: AmountOut,
    /// Where it stands.
    pub block: BlockRef,
}

/// Something that happened to an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderEvent {
    /// When.
    pub at: Time,
    /// A state that it came into, or `speeding_up` or `cancelling`: another transaction was signed.
    #[schema(example = "included")]
    pub state: String,
    /// The transaction that it is about.
    pub transaction_hash: Option<Hash32>,
    /// The block that it is about.
    pub block_number: Option<i64>,
    /// Its hash.
    pub block_hash: Option<Hash32>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// One order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneOrder {
    /// The order.
    pub data: OrderOut,
}

/// Orders, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderList {
    /// The orders.
    pub data: Vec<OrderOut>,
    /// `after` of the next answer; null at the end.
    pub next_after: Option<String>,
}

impl From<EventRow> for OrderEvent {
    fn from(row: EventRow) -> Self {
        Self {
            at: Time::from_unix(row.at),
            state: row.state,
            transaction_hash: row.transaction_hash,
            block_number: row.block_number,
            block_hash: row.block_hash,
            detail: row.detail,
        }
    }
}

impl From<&TransactionRow> for OrderTransaction {
    fn from(row: &TransactionRow) -> Self {
        Self {
            hash: row.hash,
            purpose: row.purpose.clone(),
            max_fee_per_gas: row.raw.is_some().then(|| row.max_fee.to_string()),
            created_at: Time::from_unix(row.created_at),
        }
    }
}

/// Said of an order that is over by a block which may still be replaced: the original can then be mined after all, and whoever has
/// placed it again by then pays twice.
const NOT_FINAL: &str = "That is not final yet, and a reorg can still bring the contribution: wait until `settled` is true before you place it again.";

/// Said of an order that is over, and of which nobody knows what used its nonce.
const UNKNOWN: &str = "Its nonce is used, in a way that is not known; that is final. No contribution by one of its transactions was indexed by then. Look at what the investor has contributed before you place it again.";

/// The same before that is final.
const SPENT: &str = "Its nonce is used, and by no transaction that is known. Once that is final and indexed it ends as replaced, unless what used it is found; a reorg can still bring the contribution. Wait until `settled` is true before you place it again.";

/// The state in words, and what to do.
fn text(row: &OrderRow) -> String {
    if row.state == "replaced" && row.mined_hash.is_none() {
        return UNKNOWN.to_owned();
    }
    if row.spent_hash.is_some() && !row.settled && row.block_hash.is_none() {
        return SPENT.to_owned();
    }
    let given_up = row.given_up.as_deref().and_then(GivenUp::read);
    let waits = row.detail.as_deref() == Some(WAITS_FOR_FEES);
    if waits && matches!(row.state.as_str(), "accepted" | "pending" | "dropped" | "reorged") {
        let what = if row.cancelling { "It is being cancelled, and waits" } else { "It waits, and is not given up" };
        return format!("{what}: {WAITS_FOR_FEES}. It goes on by itself when they ask for less.");
    }
    if let Some(why) = given_up {
        let why = why.text();
        match row.state.as_str() {
            "cancelled" => {
                let next = match given_up {
                    _ if !row.settled => NOT_FINAL,
                    Some(GivenUp::FeeCap) => "Place it again with a higher max_fee_per_gas, or without one.",
                    _ => "It can be placed again as a new order.",
                };
                return format!("Cancelled: nothing was contributed, because {why}. {next}");
            }
            "accepted" | "pending" | "dropped" | "reorged" => {
                return format!("It is being cancelled, because {why}. What is included first decides.");
            }
            _ => {}
        }
    }
    let text = match row.state.as_str() {
        "accepted" => "It is written, and being sent.",
        "pending" if row.cancelling => "It is being cancelled; what is included first decides.",
        "pending" => "It was sent, and is in no block yet.",
        "included" => "Included.",
        "failed" => "It was included, and the sale refused it: nothing was contributed.",
        "final" => "Final.",
        "replaced" => "Cancelled: its sender used the nonce for something else, or for another order.",
        "cancelled" => "Cancelled: nothing was contributed.",
        "dropped" if row.by_operator => "Not mined, and no node takes it at present; it is sent again until one does.",
        "dropped" => {
            "Not mined; it is safe to retry: sign again with the same nonce, so that one of the two at most is mined."
        }
        "expired" => {
            "Not mined, and not expected any more: nothing was contributed. Whoever has the signed transaction can still send it; to rule that out, use its nonce for another. If it is mined after all, this order says so."
        }
        "reorged" => "The network reorganised; checking again.",
        _ => "",
    };
    match (row.state.as_str(), &row.detail) {
        ("accepted" | "pending" | "dropped", Some(detail)) => format!("{text} The node says: {detail}."),
        ("failed", detail) => {
            let why = detail.as_ref().map(|detail| format!(" Why: {detail}.")).unwrap_or_default();
            let next = if row.settled { "A new order can be placed." } else { NOT_FINAL };
            format!("{text}{why} {next}")
        }
        ("cancelled" | "replaced", _) if !row.settled => format!("{text} {NOT_FINAL}"),
        _ => text.to_owned(),
    }
}

/// What the index has of one order.
pub(super) struct Indexed<'a> {
    /// Its sale; none where that was reorged away.
    pub sale: Option<&'a Sale>,
    /// How far its chain is indexed.
    pub checkpoint: Option<&'a Checkpoint>,
    /// What its transaction contributed.
    pub contributions: &'a [Contribution],
    /// The hash of the block at the height that it is included at, if the index has one.
    pub block_hash: Option<Hash32>,
}

impl OrderOut {
    /// An order, with its transactions, its history and what the index has of it.
    pub(super) fn new(
        service: &Service,
        row: OrderRow,
        signed: &[TransactionRow],
        history: Vec<EventRow>,
        indexed: &Indexed<'_>,
    ) -> Result<Self, Problem> {
        // A sale that was reorged away has no currency to be named.
        let (currency, token) = indexed.sale.map_or_else(
            || (Token::new(row.currency, "", "", 0), Token::new(Addr::default(), "", "", 0)),
            |s| {
                let currency = Token::new(s.currency, &s.currency_symbol, &s.currency_name, s.currency_decimals);
                (currency, Token::new(s.token, &s.token_symbol, &s.token_name, s.token_decimals))
            },
        );
        let mut made = Vec::new();
        if let Some(checkpoint) = indexed.checkpoint {
            made.extend(indexed.contributions.iter().map(|c| OrderContribution {
                phase: c.phase,
                amount: currency.amount(c.amount),
                tokens: token.amount(c.tokens),
                block: BlockRef::new(checkpoint, c.block_number, c.block_hash, c.log_index),
            }));
        }
        let block = match (row.block_number, row.block_hash, indexed.checkpoint) {
            (Some(number), Some(hash), Some(checkpoint)) => {
                let tips = checkpoint.tips();
                let finality = if row.settled {
                    // The one that followed the order knows that it is final, whatever the indexer has seen.
                    Finality::Finalized
                } else if indexed.block_hash != Some(hash) {
                    // The index is ahead of the order: what it knows of this height may be of another block, and of one without events that
                    // is final it keeps nothing.
                    Finality::Latest
                } else {
                    tips.finality(number)
                };
                Some(OrderBlock { number, hash, confirmations: tips.confirmations(number), finality })
            }
            _ => None,
        };
        Ok(Self {
            customer_reference: opened(service, &row)?,
            text: text(&row),
            amount: currency.amount(row.amount),
            transaction_hash: row
                .mined_hash
                .or_else(|| signed.last().filter(|_| row.state != "replaced").map(|t| t.hash)),
            transactions: signed.iter().map(OrderTransaction::from).collect(),
            contributions: made,
            history: history.into_iter().map(OrderEvent::from).collect(),
            block,
            created_at: Time::from_unix(row.created_at),
            updated_at: Time::from_unix(row.updated_at),
            id: row.id,
            state: row.state,
            settled: row.settled,
            cancelling: row.cancelling,
            given_up: row.given_up,
            chain_id: row.chain_id,
            sale: row.sale,
            investor: row.investor,
            payer: row.sender,
            by_operator: row.by_operator,
            nonce: row.nonce,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(state: &str, given_up: Option<&str>, settled: bool) -> OrderRow {
        OrderRow {
            by_operator: true,
            state: state.to_owned(),
            settled,
            given_up: given_up.map(str::to_owned),
            mined_hash: settled.then(Hash32::default),
            ..OrderRow::default()
        }
    }

    #[test]
    fn a_new_order_is_offered_only_once_no_reorg_can_bring_the_old_one() {
        let ended = [
            ("cancelled", None),
            ("cancelled", Some("fee_cap")),
            ("cancelled", Some("not_included")),
            ("failed", None),
            ("replaced", None),
        ];
        for (state, given_up) in ended {
            let early = text(&OrderRow { mined_hash: Some(Hash32::default()), ..order(state, given_up, false) });
            assert!(early.ends_with(NOT_FINAL) && !early.contains("new order"), "{early}");
            let late = text(&order(state, given_up, true));
            assert!(!late.contains("not final"), "{late}");
        }
        let unknown = OrderRow { mined_hash: None, ..order("replaced", None, true) };
        assert!(text(&unknown).contains("is not known; that is final"), "{}", text(&unknown));
        let waiting = OrderRow { detail: Some(WAITS_FOR_FEES.to_owned()), ..order("pending", None, false) };
        assert!(text(&waiting).starts_with("It waits, and is not given up: blocks ask for more"), "{}", text(&waiting));
        assert!(text(&order("failed", None, true)).ends_with("A new order can be placed."));
        assert!(text(&order("cancelled", Some("fee_cap"), true)).contains("a higher max_fee_per_gas"));
    }
}
