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
}

table! {
    ExcessReturns "excess_return" "sale" {
        payer: Addr,
        amount: Amount,
    }
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
}

table! {
    Settlements "settlement" "sale" {
        outcome: &'a str,
        raised: Amount,
        sold: Amount,
    }
}

table! {
    Shares "share" "sale" {
        investor: Addr,
        kept: Amount,
        tokens: Amount,
        excess: Amount,
    }
}

table! {
    Claims "claim" "sale" {
        investor: Addr,
        recipient: Addr,
        tokens: Amount,
    }
}

table! {
    Refunds "refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
}

table! {
    ExcessRefunds "excess_refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
}

table! {
    UnsoldReturns "unsold_return" "sale" {
        recipient: Addr,
        tokens: Amount,
    }
}
