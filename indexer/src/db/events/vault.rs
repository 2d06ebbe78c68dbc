//! What the vault did with the money of a success.

use crate::types::{Addr, Amount};

table! {
    Sweeps "sweep" "sale" {
        amount: Amount,
    }
    "amount"
    "$6::numeric[]"
}

table! {
    Releases "release" "sale" {
        beneficiary: Addr,
        recipient: Addr,
        amount: Amount,
        released: Amount,
    }
    "beneficiary, recipient, amount, released"
    "$6::bytea[], $7::bytea[], $8::numeric[], $9::numeric[]"
}

table! {
    Objections "objection" "sale" {
        investor: Addr,
        weight: Amount,
        objected: Amount,
    }
    "investor, weight, objected"
    "$6::bytea[], $7::numeric[], $8::numeric[]"
}

table! {
    TapStops "tap_stop" "sale" {
        rest: Amount,
        objected: Amount,
    }
    "rest, objected"
    "$6::numeric[], $7::numeric[]"
}

table! {
    RestRefunds "rest_refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
    "investor, recipient, amount"
    "$6::bytea[], $7::bytea[], $8::numeric[]"
}
