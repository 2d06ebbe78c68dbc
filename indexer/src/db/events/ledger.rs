//! What investors did, and what the sale did with their money and tokens.

use crate::types::{Addr, Amount};

table! {
    Contributions "contribution" "sale" {
        investor: Addr,
        payer: Addr,
        phase: i16,
        amount: Amount,
        tokens: Amount,
        paid: Amount,
        raised: Amount,
        sold: Amount,
    }
    "investor, payer, phase, amount, tokens, paid, raised, sold"
    "$6::bytea[], $7::bytea[], $8::smallint[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[]"
}

table! {
    ExcessReturns "excess_return" "sale" {
        payer: Addr,
        amount: Amount,
    }
    "payer, amount"
    "$6::bytea[], $7::numeric[]"
}

table! {
    Withdrawals "withdrawal" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
        tokens: Amount,
        raised: Amount,
        sold: Amount,
    }
    "investor, recipient, amount, tokens, raised, sold"
    "$6::bytea[], $7::bytea[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[]"
}

table! {
    Rejections "rejection" "sale" {
        investor: Addr,
        rejected_by: Addr,
        amount: Amount,
        tokens: Amount,
        raised: Amount,
        sold: Amount,
    }
    "investor, rejected_by, amount, tokens, raised, sold"
    "$6::bytea[], $7::bytea[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[]"
}

table! {
    Settlements "settlement" "sale" {
        outcome: String,
        raised: Amount,
        sold: Amount,
    }
    "outcome, raised, sold"
    "$6::text[], $7::numeric[], $8::numeric[]"
}

table! {
    Shares "share" "sale" {
        investor: Addr,
        kept: Amount,
        tokens: Amount,
        excess: Amount,
    }
    "investor, kept, tokens, excess"
    "$6::bytea[], $7::numeric[], $8::numeric[], $9::numeric[]"
}

table! {
    Claims "claim" "sale" {
        investor: Addr,
        recipient: Addr,
        tokens: Amount,
    }
    "investor, recipient, tokens"
    "$6::bytea[], $7::bytea[], $8::numeric[]"
}

table! {
    Refunds "refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
    "investor, recipient, amount"
    "$6::bytea[], $7::bytea[], $8::numeric[]"
}

table! {
    ExcessRefunds "excess_refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
    "investor, recipient, amount"
    "$6::bytea[], $7::bytea[], $8::numeric[]"
}

table! {
    UnsoldReturns "unsold_return" "sale" {
        recipient: Addr,
        tokens: Amount,
    }
    "recipient, tokens"
    "$6::bytea[], $7::numeric[]"
}
