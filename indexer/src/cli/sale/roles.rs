//! `sale pause`, `resume`, `signer`, `compliance`, `owner`: what the owner of a sale may change. None of it reaches money.

use alloy::{
    primitives::{Address, U256},
    sol_types::SolCall,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    cli::{
        printer::{Printer, Report, table},
        send::{Included, Wallet},
        target::{SaleTarget, get_event},
        view::SaleView,
    },
    config::parse_address,
    contracts::FixedPriceSale,
    types::Addr,
};

/// Pauses contributions: the owner's, before an outcome
///
/// Nothing else is paused: withdrawals, refunds, claims and closing go on, and the sale ends when it would have ended.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale pause $SALE --private-key-file owner.txt")]
pub struct PauseArgs {
    #[command(flatten)]
    target: SaleTarget,
}

/// Lets contributions go on after a pause: the owner's
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale resume $SALE --private-key-file owner.txt")]
pub struct ResumeArgs {
    #[command(flatten)]
    target: SaleTarget,
}

/// Names who signs vouchers, and voids all earlier ones: the owner's
///
/// With the signer of now it only voids the vouchers. Investors need new ones from then on.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale signer $SALE $SIGNER --private-key-file owner.txt")]
pub struct SignerArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// A key's address, or a contract's that checks signatures (ERC-1271), such as a Safe
    #[arg(value_name = "ADDRESS", value_parser = parse_address)]
    signer: Address,
}

/// Names who may reject investors before the end, or nobody: the owner's
///
/// A sale that is sold out before its end is closed by compliance alone; by anyone where there is none.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale sale compliance $SALE $OFFICER --private-key-file owner.txt
  crowdsale sale compliance $SALE none --private-key-file owner.txt")]
pub struct ComplianceArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// The address, or none
    #[arg(value_name = "ADDRESS|none", value_parser = address_or_none)]
    compliance: Address,
}

/// Hands the ownership of a sale on, in two steps
#[derive(Debug, Subcommand)]
pub enum OwnerCommand {
    Transfer(TransferArgs),
    Accept(AcceptArgs),
}

/// Offers the ownership to another address: the owner's
///
/// Nothing changes before that address accepts, and another offer takes the place of this one.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale owner transfer $SALE $OTHER --private-key-file owner.txt")]
pub struct TransferArgs {
    #[command(flatten)]
    target: SaleTarget,

    /// Who is to be the owner
    #[arg(value_name = "ADDRESS", value_parser = parse_address)]
    owner: Address,
}

/// Accepts the ownership that was offered to the signer
#[derive(Args, Debug)]
#[command(after_long_help = "\
Example:
  crowdsale sale owner accept $SALE --private-key-file new-owner.txt")]
pub struct AcceptArgs {
    #[command(flatten)]
    target: SaleTarget,
}

/// What changed, and to what.
#[derive(Debug, Serialize)]
struct Changed {
    sale: Addr,
    changed: &'static str,
    value: String,
    /// Of the vouchers that count, where it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    #[serde(flatten)]
    included: Included,
}

fn address_or_none(text: &str) -> Result<Address, crate::config::AddressError> {
    if text == "none" { Ok(Address::ZERO) } else { parse_address(text) }
}

/// Runs `sale pause`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn pause(args: PauseArgs, printer: Printer) -> Result<()> {
    set_paused(&args.target, true, printer).await
}

/// Runs `sale resume`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn resume(args: ResumeArgs, printer: Printer) -> Result<()> {
    set_paused(&args.target, false, printer).await
}

async fn set_paused(target: &SaleTarget, paused: bool, printer: Printer) -> Result<()> {
    let (wallet, view) = target.connect(printer).await?;
    let what = if paused { "pause contributions" } else { "resume contributions" };
    let (_, included) = act(&wallet, &view, what, &FixedPriceSale::setPausedCall { on: paused }).await?;
    let value = if paused { "paused" } else { "going on" };
    changed(&view, "contributions", value.to_owned(), included, printer)
}

/// Runs `sale signer`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn signer(args: SignerArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let call = FixedPriceSale::setVoucherSignerCall { signer: args.signer };
    let (receipt, included) = act(&wallet, &view, "name the signer of vouchers", &call).await?;
    let e: FixedPriceSale::VoucherSignerChanged = get_event(&receipt, view.address)?;
    printer.result(&Changed {
        sale: Addr(view.address),
        changed: "voucher signer",
        value: e.signer.to_string(),
        epoch: Some(e.epoch.to_string()),
        included,
    })?;
    printer.note(
        "all earlier vouchers are void, but for those that this signer signed with --ahead: investors need new ones",
    );
    if view.terms.phases.iter().all(|p| p.gate != 1) {
        printer.note("no phase of this sale asks for vouchers");
    }
    Ok(())
}

/// Runs `sale compliance`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn compliance(args: ComplianceArgs, printer: Printer) -> Result<()> {
    let (wallet, view) = args.target.connect(printer).await?;
    let call = FixedPriceSale::setComplianceCall { account: args.compliance };
    let (_, included) = act(&wallet, &view, "name compliance", &call).await?;
    let value = if args.compliance.is_zero() { "nobody".to_owned() } else { args.compliance.to_string() };
    changed(&view, "compliance", value, included, printer)
}

/// Runs `sale owner …`.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn owner(command: OwnerCommand, printer: Printer) -> Result<()> {
    match command {
        OwnerCommand::Transfer(args) => {
            let (wallet, view) = args.target.connect(printer).await?;
            let call = FixedPriceSale::transferOwnershipCall { newOwner: args.owner };
            let (_, included) = act(&wallet, &view, "offer the ownership", &call).await?;
            changed(&view, "ownership offered to", args.owner.to_string(), included, printer)?;
            let key = "with the key of that address";
            printer.note(format!("next, {key}: crowdsale sale owner accept {}", view.address));
            Ok(())
        }
        OwnerCommand::Accept(args) => {
            let (wallet, view) = args.target.connect(printer).await?;
            let call = FixedPriceSale::acceptOwnershipCall {};
            let (_, included) = act(&wallet, &view, "accept the ownership", &call).await?;
            let owner = FixedPriceSale::new(view.address, &wallet.node.provider).owner().call().await;
            let owner = owner.map_err(|e| wallet.node.read_failed("cannot read the owner", &e))?;
            changed(&view, "owner", owner.to_string(), included, printer)
        }
    }
}

/// Sends a call that changes something.
///
/// # Errors
/// Where the contract refuses, in words.
pub async fn act(
    wallet: &Wallet,
    view: &SaleView,
    what: &str,
    call: &impl SolCall,
) -> Result<(alloy::rpc::types::TransactionReceipt, Included)> {
    let receipt = wallet.send(what, wallet.call(view.address, call, U256::ZERO), &view.about()).await?;
    let included = Included::new(&receipt);
    Ok((receipt, included))
}

fn changed(view: &SaleView, changed: &'static str, value: String, included: Included, printer: Printer) -> Result<()> {
    printer.result(&Changed { sale: Addr(view.address), changed, value, epoch: None, included })
}

impl Report for Changed {
    fn text(&self) -> String {
        let mut rows = vec![("sale", self.sale.to_string()), (self.changed, self.value.clone())];
        rows.extend(self.epoch.as_ref().map(|e| ("epoch", e.clone())));
        rows.extend(self.included.rows());
        table(&rows)
    }
}
