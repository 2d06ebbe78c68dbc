//! `sale status`: where a sale stands, from the chain itself.

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, U256},
};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::conditions::Conditions;
use crate::{
    cli::{
        clock,
        node::{BlockRef, Node},
        printer::{Printer, Report, table},
        sale_file::Mode,
        units::Money,
        view::{SaleView, at_hash},
    },
    config::{NodeArgs, parse_address},
    contracts::{FixedPriceSale, RefundVault},
    types::{Addr, Amount},
};

/// Shows where a sale stands: state, phase, price, totals, times, roles, schedules and allocations
///
/// Everything is read from the chain at one block, which is named with its hash and how final it is.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale sale status $SALE
  crowdsale sale status $SALE --at finalized --json")]
pub struct StatusArgs {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    /// The block to read: a finalized answer cannot change any more
    #[arg(long, value_enum, default_value_t = At::Latest)]
    at: At,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum At {
    /// The newest block
    Latest,
    /// The newest that only an attack on the network could change
    Safe,
    /// The newest that cannot change
    Finalized,
}

#[derive(Debug, Serialize)]
struct Status {
    sale: Addr,
    state: &'static str,
    raised: Money,
    soft_cap: Money,
    hard_cap: Money,
    sold: Money,
    tokens_for_sale: Money,
    phase: Option<PhaseStatus>,
    next_phase: Option<PhaseStatus>,
    opens: String,
    closes: String,
    min_paid: Money,
    max_paid: Money,
    token: Addr,
    currency: Option<Addr>,
    vault: Addr,
    received: Money,
    released: Money,
    #[serde(flatten)]
    conditions: Conditions,
    beneficiary: Addr,
    block: BlockRef,
    #[serde(skip)]
    times: (u64, u64),
}

#[derive(Debug, Serialize)]
struct PhaseStatus {
    /// From one.
    number: usize,
    of: usize,
    price: String,
    /// Payment base units per 10^18 token base units.
    price_raw: String,
    ends: String,
    raised_up_to: Money,
    #[serde(skip)]
    ends_seconds: u64,
}

const STATES: [&str; 6] = ["upcoming", "open", "ended", "succeeded", "failed", "cancelled"];

/// Runs the command.
///
/// # Errors
/// Where the node cannot be reached or the address is no sale.
pub async fn run(args: StatusArgs, printer: Printer) -> Result<()> {
    let node = Node::connect(&args.node).await?;
    let tag = match args.at {
        At::Latest => BlockNumberOrTag::Latest,
        At::Safe => BlockNumberOrTag::Safe,
        At::Finalized => BlockNumberOrTag::Finalized,
    };
    let block = node.block(tag).await?;
    printer.result(&read(&node, args.sale, block).await?)
}

async fn read(node: &Node, address: Address, block: BlockRef) -> Result<Status> {
    let at = at_hash(&block);
    let view = SaleView::read(node, address, at).await?;
    let failed = |e| node.read_failed(&format!("cannot read the sale {address}"), &e);
    let sale = FixedPriceSale::new(address, &node.provider);
    let vault = RefundVault::new(view.vault, &node.provider);
    let (state, totals, account) = (sale.state().block(at), sale.totals().block(at), vault.account().block(at));
    let (state, totals, account) = tokio::join!(state.call(), totals.call(), account.call());
    let (state, totals, account) = (state.map_err(failed)?, totals.map_err(failed)?, account.map_err(failed)?);

    let conditions = super::conditions::read(node, &view, &block, at).await?;
    let terms = &view.terms;
    // Where all pay one price, phases have no caps of their own.
    let capped = view.mode == Some(Mode::FixedPrice) || view.mode.is_none();
    let counted = if capped { totals.raised } else { U256::ZERO };
    let sold_out = conditions.room.as_ref().is_some_and(|r| r.raw.is_zero());
    let count = terms.phases.len();
    let phase = |index: usize| {
        terms.phases.get(index).map(|p| PhaseStatus {
            number: index + 1,
            of: count,
            price: view.price(p.price),
            price_raw: p.price.to_string(),
            ends: clock::rfc3339(p.end.to()),
            raised_up_to: view.payment.amount(p.raisedUpTo.to()),
            ends_seconds: p.end.to(),
        })
    };
    // As the contract has it: the first phase that has both time and room.
    let active = |from: usize, time: u64| {
        let has_room = |i: &usize| {
            let p = &terms.phases[*i];
            time < p.end.to::<u64>() && counted < p.raisedUpTo.to::<U256>()
        };
        (from..count).find(has_room)
    };
    let opens: u64 = terms.opens.to();
    let (current, next) = match state {
        0 => (None, active(0, opens)),
        1 => {
            let current = if sold_out { None } else { active(0, block.timestamp) };
            let after = current.and_then(|i| terms.phases.get(i).map(|p| (i + 1, p.end.to::<u64>())));
            (current, after.and_then(|(from, _)| (from < count).then_some(from)))
        }
        _ => (None, None),
    };
    let closes: u64 = terms.phases.last().map_or(opens, |p| p.end.to());
    Ok(Status {
        sale: Addr(address),
        state: STATES.get(usize::from(state)).copied().unwrap_or("unknown"),
        raised: view.payment.amount(totals.raised),
        soft_cap: view.payment.amount(terms.softCap.to()),
        hard_cap: view.payment.amount(terms.hardCap.to()),
        sold: view.token.amount(totals.sold),
        tokens_for_sale: view.token.amount(terms.tokensForSale.to()),
        phase: current.and_then(phase),
        next_phase: next.and_then(phase),
        opens: clock::rfc3339(opens),
        closes: clock::rfc3339(closes),
        min_paid: view.payment.amount(terms.minPaid.to()),
        max_paid: view.payment.amount(terms.maxPaid.to()),
        token: Addr(terms.token),
        currency: (!view.takes_ether()).then_some(Addr(terms.currency)),
        vault: Addr(view.vault),
        received: view.payment.amount(account.received),
        released: view.payment.amount(account.released),
        conditions,
        beneficiary: Addr(terms.beneficiary),
        block,
        times: (opens, closes),
    })
}

impl Report for Status {
    fn text(&self) -> String {
        let now = self.block.timestamp;
        let moment = |time: u64| {
            let distance = clock::span(time.abs_diff(now));
            format!(
                "{} ({})",
                clock::utc(time),
                if time > now { format!("in {distance}") } else { format!("{distance} ago") }
            )
        };
        let phase = |phase: &Option<PhaseStatus>, none: &str| match phase {
            Some(p) => format!(
                "{} of {}: {}, until {} or {} in all",
                p.number,
                p.of,
                p.price,
                clock::utc(p.ends_seconds),
                p.raised_up_to
            ),
            None => none.to_owned(),
        };
        let currency =
            self.currency.map_or_else(|| "ETH".to_owned(), |c| format!("{} ({c})", self.raised.asset.symbol));
        let mut rows = vec![
            ("sale", self.sale.to_string()),
            ("state", format!("{}: {}", self.state, self.next_step())),
            ("raised", format!("{}, {} of the hard cap", self.raised.exact(), percent(&self.raised, &self.hard_cap))),
            ("soft cap", self.soft_cap.exact()),
            ("hard cap", self.hard_cap.exact()),
            ("sold", format!("{}\nof {}", self.sold.exact(), self.tokens_for_sale.exact())),
        ];
        if matches!(self.state, "upcoming" | "open") {
            rows.push(("phase", phase(&self.phase, if self.state == "open" { "none: sold out" } else { "none yet" })));
            rows.push(("next phase", phase(&self.next_phase, "none")));
        }
        rows.extend([
            ("opens", moment(self.times.0)),
            ("closes", moment(self.times.1)),
            ("per investor", format!("{} to {} in all", self.min_paid, self.max_paid)),
            ("paid in", currency),
            ("token", format!("{} ({})", self.sold.asset.symbol, self.token)),
            (
                "vault",
                format!("{}\nreceived {}\nreleased {}", self.vault, self.received.exact(), self.released.exact()),
            ),
        ]);
        rows.extend(self.conditions.rows());
        rows.extend([("beneficiary", self.beneficiary.to_string()), ("as of", self.block.text())]);
        table(&rows)
    }
}

impl Status {
    fn next_step(&self) -> &'static str {
        match self.state {
            "upcoming" => "contributions are taken from its opening on",
            "open" if self.conditions.paused => "the owner has paused contributions; all else goes on",
            "open" if self.phase.is_none() && self.conditions.cooling_off_seconds != 0 => {
                "sold out, investors may still withdraw; anyone may close it after its end"
            }
            "open" if self.phase.is_none() && self.conditions.compliance.is_some() => {
                "sold out, compliance may close it now, and anyone after its end"
            }
            "open" if self.phase.is_none() => "sold out, anyone may close it now",
            "open" => "contributions are taken",
            "ended" => "anyone may close it; the money is still held",
            "succeeded" if self.conditions.release_stopped => {
                "investors claim tokens, and take their share of the rest of the money back"
            }
            "succeeded" => "investors claim tokens, the vault releases the money",
            "failed" | "cancelled" => "investors take their money back",
            _ => "this program does not know it",
        }
    }
}

/// With two digits after the point, rounded down.
fn percent(part: &Money, whole: &Money) -> String {
    let points = (part.raw * U256::from(10_000)).checked_div(whole.raw).unwrap_or_default();
    format!("{} %", Amount(points).to_units(2))
}
