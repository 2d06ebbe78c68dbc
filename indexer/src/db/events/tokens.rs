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
}

table! {
    AllocationReleases "allocation_release" "sale" {
        wallet: Addr,
        token: Addr,
        amount: Amount,
    }
}

table! {
    AllocationReclaims "allocation_reclaim" "sale" {
        wallet: Addr,
        token: Addr,
        recipient: Addr,
        amount: Amount,
    }
}

table! {
    Tokens "token_created" "token" {
        creator: Addr,
        name: &'a str,
        symbol: &'a str,
        supply: Amount,
        contract_uri: &'a str,
        data: &'a [u8],
        kind: &'a str,
    }
}

table! {
    HolderApprovals "holder_approval" "token" {
        holder: Addr,
        until: Option<Amount>,
        approved_by: Option<Addr>,
    }
}

table! {
    TokenRoleChanges "token_role_change" "token" {
        change: &'a str,
        role: Option<Hash32>,
        account: Option<Addr>,
        changed_by: Option<Addr>,
        delay: Option<i64>,
        at: Option<i64>,
    }
}
