//! The team's wallets, and tokens that were created with a sale.

use crate::types::{Addr, Amount, Hash32};

table! {
    Allocations "allocation" "sale" {
        wallet: Addr,
        index: i16,
        beneficiary: Addr,
        amount: Amount,
        cliff: i64,
        duration: i64,
    }
    "wallet, \"index\", beneficiary, amount, cliff, duration"
    "$6::bytea[], $7::smallint[], $8::bytea[], $9::numeric[], $10::bigint[], $11::bigint[]"
}

table! {
    AllocationReleases "allocation_release" "sale" {
        wallet: Addr,
        token: Addr,
        amount: Amount,
    }
    "wallet, token, amount"
    "$6::bytea[], $7::bytea[], $8::numeric[]"
}

table! {
    AllocationReclaims "allocation_reclaim" "sale" {
        wallet: Addr,
        token: Addr,
        recipient: Addr,
        amount: Amount,
    }
    "wallet, token, recipient, amount"
    "$6::bytea[], $7::bytea[], $8::bytea[], $9::numeric[]"
}

table! {
    Tokens "token_created" "token" {
        creator: Addr,
        name: String,
        symbol: String,
        supply: Amount,
        contract_uri: String,
        data: Vec<u8>,
        kind: String,
    }
    "creator, name, symbol, supply, contract_uri, data, kind"
    "$6::bytea[], $7::text[], $8::text[], $9::numeric[], $10::text[], $11::bytea[], $12::text[]"
}

table! {
    HolderApprovals "holder_approval" "token" {
        holder: Addr,
        until: Option<Amount>,
        approved_by: Option<Addr>,
    }
    "holder, until, approved_by"
    "$6::bytea[], $7::numeric[], $8::bytea[]"
}

table! {
    TokenRoleChanges "token_role_change" "token" {
        change: String,
        role: Option<Hash32>,
        account: Option<Addr>,
        changed_by: Option<Addr>,
        delay: Option<i64>,
        at: Option<i64>,
    }
    "change, role, account, changed_by, delay, at"
    "$6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[], $11::bigint[]"
}
