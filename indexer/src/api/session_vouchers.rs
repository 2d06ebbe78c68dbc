//! `/v1/session/vouchers`: what the KYC desk has signed for a wallet, for that wallet alone.

use std::{collections::BTreeMap, sync::Arc};

use alloy::primitives::Bytes;
use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, WriteProblems,
    auth::{Service, Wallet},
    body::no_store,
    extract::{ChainId, CheckedQuery},
    meta::{Condition, Snapshot},
    problem::Problem,
    shapes::{AmountOut, Time},
    status::NoQuery,
    vouchers::{currency, is_current, packed},
};
use crate::{
    db::{
        DbError,
        read::sales,
        service::vouchers::{self as rows, VoucherRow},
    },
    types::Addr,
};

/// Most vouchers that are shown: newer ones take the place of older ones.
const MOST: i64 = 200;

/// A voucher of one's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OwnVoucher)]
pub struct OwnVoucherOut {
    /// EIP-155 id.
    #[schema(example = 1)]
    pub chain_id: i64,
    /// The sale.
    pub sale: Addr,
    /// What the wallet may have paid in all.
    pub max_paid: AmountOut,
    /// The phases that it is for, counted from zero.
    #[schema(example = json!([0]))]
    pub phases: Vec<u8>,
    /// The last second that it is good for.
    pub deadline: Time,
    /// Whether it is of the sale's present signer and epoch; else the sale refuses it.
    pub is_current: bool,
    /// `eligibility` of the contract's `contribute`.
    #[schema(value_type = String, pattern = "^0x([0-9a-f]{2})+$")]
    pub eligibility: Bytes,
    /// When it was signed.
    pub created_at: Time,
}

/// Vouchers of one's own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnVouchers {
    /// The vouchers, the newest first.
    pub data: Vec<OwnVoucherOut>,
}

/// What the KYC desk has signed for the wallet
///
/// For the wallet that has signed in, on the chain that it has signed in for: the newest 200, without what the desk has written of it.
#[utoipa::path(
    get,
    path = "/v1/session/vouchers",
    tag = "sessions",
    security(("session" = [])),
    responses((status = 200, description = "Vouchers.", body = OwnVouchers), WriteProblems)
)]
pub async fn list_own_vouchers(
    State(state): State<ApiState>,
    service: Arc<Service>,
    wallet: Wallet,
    CheckedQuery(NoQuery): CheckedQuery<NoQuery>,
) -> Result<Response, Problem> {
    let chain_id = wallet.chain_id();
    let mut connection = service.pool().acquire().await.map_err(DbError::from)?;
    let vouchers = rows::list_of_investor(&mut connection, chain_id, wallet.address(), MOST).await?;
    drop(connection);
    let mut keys: Vec<(i64, Addr)> = vouchers.iter().map(|(sale, _)| (chain_id, *sale)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut snapshot = Snapshot::of_chain(&state, ChainId(chain_id), None, Condition::none()).await?;
    let sales = sales::list_by_key(snapshot.connection(), &keys).await?;
    let sales: BTreeMap<Addr, sales::Sale> = sales.into_iter().map(|sale| (sale.address, sale)).collect();
    // A sale that was reorged away takes no vouchers.
    let known = vouchers.iter().filter_map(|(sale, voucher)| Some((sales.get(sale)?, voucher)));
    let data = known.map(|(sale, voucher)| show(sale, voucher)).collect::<Result<_, _>>()?;
    Ok(no_store(OwnVouchers { data }))
}

fn show(sale: &sales::Sale, voucher: &VoucherRow) -> Result<OwnVoucherOut, Problem> {
    let (phases, eligibility) = packed(voucher)?;
    Ok(OwnVoucherOut {
        chain_id: sale.chain_id,
        sale: sale.address,
        max_paid: currency(sale).amount(voucher.max_paid),
        phases: phases.indices().collect(),
        deadline: Time::from_unix(voucher.deadline),
        is_current: is_current(voucher, sale),
        eligibility,
        created_at: Time::from_unix(voucher.created_at),
    })
}
