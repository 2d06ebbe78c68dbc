//! Who runs a sale, and what its owner published.

use crate::types::{Addr, Amount, Hash32};

table! {
    PauseChanges "pause_change" "sale" {
        paused: bool,
    }
}

table! {
    VoucherSignerChanges "voucher_signer_change" "sale" {
        signer: Addr,
        epoch: Amount,
    }
}

table! {
    ComplianceChanges "compliance_change" "sale" {
        compliance: Addr,
    }
}

table! {
    OwnershipTransfers "ownership_transfer" "sale" {
        contract: Addr,
        previous_owner: Addr,
        new_owner: Addr,
        done: bool,
    }
}

table! {
    Whitepapers "whitepaper" "sale" {
        version: Amount,
        hash: Hash32,
        uri: &'a str,
        data: &'a [u8],
    }
}
