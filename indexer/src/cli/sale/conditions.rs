//! What `sale status` tells beside totals and phases: the price of this block, roles, schedules, objections, the team's tokens.

use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
};
use anyhow::Result;
use serde::Serialize;

use super::allocations::{self, AllocationStatus};
use crate::{
    cli::{
        clock,
        node::{BlockRef, Node},
        units::Money,
        view::SaleView,
    },
    contracts::{FixedPriceSale, RefundVault},
    sale_file::schedule,
    types::Addr,
};

/// All of it, at one block.
#[derive(Debug, Serialize)]
pub struct Conditions {
    /// `None` where the sale's factory is none of this version.
    mode: Option<&'static str>,
    /// Of this block, per whole token; `None` where nobody can contribute.
    price: Option<String>,
    /// Payment base units per 10^18 token base units.
    price_raw: Option<String>,
    /// What can still be taken in this block.
    pub room: Option<Money>,
    pub paused: bool,
    owner: Addr,
    /// To whom the ownership was offered.
    pending_owner: Option<Addr>,
    pub compliance: Option<Addr>,
    voucher_signer: Option<Addr>,
    voucher_epoch: String,
    /// SHA-256 of the whitepapers that superseded the first, in order.
    whitepapers: Vec<B256>,
    pub cooling_off_seconds: u64,
    settled_at: Option<String>,
    vesting: String,
    release: String,
    releasable: Money,
    objected: Money,
    objections_needed: Option<Money>,
    pub release_stopped: bool,
    /// `None` where the node does not look through the blocks.
    allocations: Option<Vec<AllocationStatus>>,
}

/// Reads all of it.
///
/// # Errors
/// Where the node fails.
pub async fn read(node: &Node, view: &SaleView, block: &BlockRef, at: BlockId) -> Result<Conditions> {
    let failed = |e| node.read_failed(&format!("cannot read the sale {}", view.address), &e);
    let sale = FixedPriceSale::new(view.address, &node.provider);
    let vault = RefundVault::new(view.vault, &node.provider);
    let hard_cap: U256 = view.terms.hardCap.to();
    let (price, quote, paused) = (sale.price().block(at), sale.quote(hard_cap).block(at), sale.paused().block(at));
    let (owner, pending) = (sale.owner().block(at), sale.pendingOwner().block(at));
    let (compliance, signer) = (sale.compliance().block(at), sale.voucherSigner().block(at));
    let (papers, settled) = (sale.whitepapers().block(at), sale.settledAt().block(at));
    let (due, objections) = (vault.releasable().block(at), vault.objections().block(at));
    let (price, quote, paused) = tokio::join!(price.call(), quote.call(), paused.call());
    let (owner, pending, compliance, signer) =
        tokio::join!(owner.call(), pending.call(), compliance.call(), signer.call());
    let (papers, settled, due, objections) = tokio::join!(papers.call(), settled.call(), due.call(), objections.call());
    let signer = signer.map_err(failed)?;
    let objections = objections.map_err(failed)?;
    let settled = settled.map_err(failed)?.saturating_to::<u64>();
    let start = (settled != 0).then_some(settled);
    // Before the opening, after the end and in a pause there is none.
    let price = price.ok().and_then(|p| u128::try_from(p).ok());
    let tap = &view.terms.tap;
    let found = allocations::read(node, view, 0, block.number, at).await.ok();
    Ok(Conditions {
        mode: view.mode.map(|m| m.word()),
        price: price.map(|p| view.price(p)),
        price_raw: price.map(|p| p.to_string()),
        room: quote.ok().map(|q| view.payment.amount(q.accepted)),
        paused: paused.map_err(failed)?,
        owner: Addr(owner.map_err(failed)?),
        pending_owner: named(pending.map_err(failed)?),
        compliance: named(compliance.map_err(failed)?),
        voucher_signer: named(signer.signer),
        voucher_epoch: signer.epoch.to_string(),
        whitepapers: papers.map_err(failed)?,
        cooling_off_seconds: view.terms.coolingOff.into(),
        settled_at: start.map(clock::rfc3339),
        vesting: schedule::vesting(&view.terms.vesting, start),
        release: schedule::release(tap, start),
        releasable: view.payment.amount(due.map_err(failed)?),
        objected: view.payment.amount(objections.objected),
        objections_needed: (!objections.needed.is_zero()).then(|| view.payment.amount(objections.needed)),
        release_stopped: objections.stopped,
        allocations: found,
    })
}

fn named(address: Address) -> Option<Addr> {
    (!address.is_zero()).then_some(Addr(address))
}

impl Conditions {
    /// Rows for a table.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("mode", self.mode.unwrap_or("unknown to this program").to_owned())];
        if let Some(price) = &self.price {
            let room = self.room.as_ref().map(|r| format!("; {r} can still be taken")).unwrap_or_default();
            rows.push(("price now", format!("{price}{room}")));
        }
        rows.extend([("tokens", self.vesting.clone()), ("money", self.release.clone())]);
        if !self.releasable.raw.is_zero() {
            rows.push(("due now", self.releasable.exact()));
        }
        if let Some(needed) = &self.objections_needed {
            let state = if self.release_stopped { "the release is stopped" } else { "the release goes on" };
            let line = format!("{}; more than {} stop the release\n{state}", self.objected.exact(), needed.exact());
            rows.push(("objections", line));
        }
        let withdrawal = match self.cooling_off_seconds {
            0 => "not possible".to_owned(),
            time => format!("until {} after the investor's latest contribution", clock::span(time)),
        };
        rows.push(("withdrawal", withdrawal));
        match &self.allocations {
            None => rows.push(("team keeps", "unknown: the node does not look through its blocks".to_owned())),
            Some(list) => rows.extend(list.iter().map(|a| ("team keeps", a.text()))),
        }
        let offered = self.pending_owner.map(|o| format!("\noffered to {o}")).unwrap_or_default();
        rows.push(("owner", format!("{}{offered}", self.owner)));
        rows.extend(self.compliance.map(|c| ("compliance", c.to_string())));
        rows.extend(self.voucher_signer.map(|s| ("voucher signer", format!("{s}, epoch {}", self.voucher_epoch))));
        if let Some(last) = self.whitepapers.last() {
            rows.push(("whitepaper", format!("version {}: {last}", self.whitepapers.len())));
        }
        rows
    }
}
