//! Who runs a sale, and what its owner published.

use crate::types::{Addr, Amount, Hash32};

table! {
    PauseChanges "pause_change" "sale" {
        paused: bool,
    }
    "paused"
    "$6::boolean[]"
}

table! {
    VoucherSignerChanges "voucher_signer_change" "sale" {
        signer: Addr,
        epoch: Amount,
    }
    "signer, epoch"
    "$6::bytea[], $7::numeric[]"
}

table! {
    ComplianceChanges "compliance_change" "sale" {
        compliance: Addr,
    }
    "compliance"
    "$6::bytea[]"
}

table! {
    OwnershipTransfers "ownership_transfer" "sale" {
        contract: Addr,
        previous_owner: Addr,
        new_owner: Addr,
        done: bool,
    }
    "contract, previous_owner, new_owner, done"
    "$6::bytea[], $7::bytea[], $8::bytea[], $9::boolean[]"
}

table! {
    Whitepapers "whitepaper" "sale" {
        version: Amount,
        hash: Hash32,
        uri: String,
        data: Vec<u8>,
    }
    "version, hash, uri, data"
    "$6::numeric[], $7::bytea[], $8::text[], $9::bytea[]"
}
