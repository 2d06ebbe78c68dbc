//! What the vault did with the money of a success.

use crate::types::{Addr, Amount};

table! {
    Sweeps "sweep" "sale" {
        amount: Amount,
    }
}

table! {
    Releases "release" "sale" {
        beneficiary: Addr,
        recipient: Addr,
        amount: Amount,
        released: Amount,
    }
}

table! {
    Objections "objection" "sale" {
        investor: Addr,
        weight: Amount,
        objected: Amount,
    }
}

table! {
    TapStops "tap_stop" "sale" {
        rest: Amount,
        objected: Amount,
    }
}

table! {
    RestRefunds "rest_refund" "sale" {
        investor: Addr,
        recipient: Addr,
        amount: Amount,
    }
}
