//! Logs that do not decode, and what has no columns of its own.

use alloy::primitives::B256;

table! {
    Quarantined "quarantined_log" "emitter" {
        topics: &'a [B256],
        data: &'a [u8],
        reason: &'a str,
    }
}

table! {
    ContractUriChanges "contract_uri_change" "token" {
    }
}
