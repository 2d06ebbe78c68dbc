//! `voucher issue`: the signer of a sale's vouchers lets one investor in.

use std::str::FromStr as _;

use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, Bytes, U256, fixed_bytes},
    sol,
};
use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::{
    clock,
    contribute::{amount_text, bytes_text},
    failure::Failure,
    node::Node,
    printer::{Printer, Report, table},
    units::{Money, parse_units},
    view::SaleView,
};
use crate::{
    config::{KeyArgs, NodeArgs, parse_address},
    gates::{
        eligibility::{Deadline, MaxPaid, Phases},
        voucher::{VoucherFault, VoucherTerms},
    },
    types::Addr,
};

sol! {
    /// What a sale with vouchers says about them. Declared here because the committed ABI does not have it.
    #[sol(rpc)]
    interface IVoucherGate {
        function voucherSigner() external view returns (address signer, uint256 epoch);
    }

    /// ERC-1271: how a contract signs.
    #[sol(rpc)]
    interface IERC1271 {
        function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
    }
}

/// The commands below `voucher`.
#[derive(Debug, Subcommand)]
pub enum VoucherCommand {
    Issue(IssueArgs),
}

/// Runs the command.
///
/// # Errors
/// Those of the command.
pub async fn run(command: VoucherCommand, printer: Printer) -> Result<()> {
    match command {
        VoucherCommand::Issue(args) => issue(args, printer).await,
    }
}

/// Signs a voucher: what one investor may pay into a sale, in which phases, until when
///
/// The key must be the sale's signer of vouchers. Nothing is sent: give the eligibility to the investor, who hands it in with
/// `crowdsale contribute --eligibility`. Where a Safe or another wallet signs, take what it signs with --typed-data, and pack
/// its signature with --signature and otherwise the same flags.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("until").required(true).args(["deadline", "valid_for"]))]
#[command(after_long_help = "\
Examples:
  crowdsale voucher issue $SALE $INVESTOR --max-paid 2.5 --phases 0,2 --valid-for 7d --private-key-file key.txt
  crowdsale voucher issue $SALE $INVESTOR --max-paid 2.5 --phases 0 --deadline 2031-03-08T14:00:00Z --typed-data
  crowdsale voucher issue $SALE $INVESTOR --max-paid 2.5 --phases 0 --deadline 2031-03-08T14:00:00Z --signature 0x…")]
pub struct IssueArgs {
    /// The sale's address
    #[arg(value_name = "SALE", value_parser = parse_address)]
    sale: Address,

    /// Who gets the position, whoever pays
    #[arg(value_name = "INVESTOR", value_parser = parse_address)]
    investor: Address,

    /// What the investor may have paid in all, in whole units of the payment currency
    #[arg(long, value_name = "AMOUNT", value_parser = amount_text, allow_negative_numbers = true)]
    max_paid: String,

    /// The phases it is for, as the contract counts them: the first of the sale file is 0
    #[arg(long, value_name = "N,…", required = true, value_delimiter = ',', value_parser = clap::value_parser!(u8).range(0..8))]
    phases: Vec<u8>,

    /// The last second it is good for: 2031-03-08T14:00:00Z, or Unix seconds
    #[arg(long, value_name = "TIME", value_parser = deadline_text)]
    deadline: Option<Deadline>,

    /// How long it is good for, by the chain's clock: 7d, 12h, 90m
    #[arg(long, value_name = "DURATION", value_parser = duration_text)]
    valid_for: Option<u64>,

    /// Sign for this epoch instead of the sale's present one
    #[arg(long, value_name = "N")]
    epoch: Option<U256>,

    /// Sign for the sale's next epoch, with a key that its owner is to name then: of no use before, and good from then on
    #[arg(long, conflicts_with_all = ["epoch", "typed_data", "signature"])]
    ahead: bool,

    /// Print what is to be signed, for eth_signTypedData_v4, and sign nothing
    #[arg(long, conflicts_with_all = ["private_key_file", "dev_account"])]
    typed_data: bool,

    /// Pack a signature that was made elsewhere, after checking it
    #[arg(
        long,
        value_name = "HEX",
        value_parser = bytes_text,
        conflicts_with_all = ["typed_data", "valid_for", "private_key_file", "dev_account"]
    )]
    signature: Option<Bytes>,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Serialize)]
struct Issued {
    chain_id: u64,
    sale: Addr,
    investor: Addr,
    max_paid: Money,
    phases: Vec<u8>,
    deadline: String,
    epoch: String,
    signer: Addr,
    signature: Bytes,
    eligibility: Bytes,
    #[serde(skip)]
    deadline_seconds: u64,
}

/// What a wallet is asked to sign, as it is.
#[derive(Debug, Serialize)]
struct TypedData(Value);

/// The account that signs a sale's vouchers.
struct Signer {
    address: Address,
    epoch: U256,
    /// Contracts say themselves whether they signed.
    is_contract: bool,
}

fn deadline_text(text: &str) -> Result<Deadline, String> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => Timestamp::from_str(text).ok().and_then(|t| u64::try_from(t.as_second()).ok()),
    };
    let seconds = seconds.ok_or("write a time with its offset, such as 2031-03-08T14:00:00Z, or Unix seconds")?;
    Deadline::new(seconds).map_err(|e| e.to_string())
}

pub(super) fn duration_text(text: &str) -> Result<u64, String> {
    let span = Span::from_str(text).ok().and_then(|s| s.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let seconds = span.and_then(|s| u64::try_from(s.as_secs()).ok()).filter(|s| *s > 0);
    seconds.ok_or_else(|| "write a duration of a second at least, such as 7d, 12h or 90m".to_owned())
}

async fn issue(args: IssueArgs, printer: Printer) -> Result<()> {
    let node = Node::connect(&args.node).await?;
    // Before the chain is asked: a missing key is the quickest thing to mend.
    let key = match (args.typed_data, &args.signature) {
        (false, None) => Some(args.key.read(node.chain_id).map_err(|e| Failure::new("cannot sign", &e, e.hint()))?),
        _ => None,
    };
    let view = SaleView::read(&node, args.sale, BlockId::latest()).await?;
    let mut signer = Signer::read(&node, args.sale).await?;
    if args.ahead {
        signer.epoch = signer.epoch.saturating_add(U256::ONE);
    }
    let terms = terms(&args, &node, &view, &signer, printer).await?;

    let signature = match (key, &args.signature) {
        (Some(key), _) => {
            if args.ahead {
                let next = key.address();
                if next == signer.address {
                    let why =
                        format!("the sale names {next} already, and ahead is for the signer that it is to name next");
                    return Err(Failure::new(
                        "cannot issue a voucher",
                        why,
                        "leave out --ahead, or sign with the next key",
                    ));
                }
                printer.note(format!(
                    "of no use until the owner names this signer: crowdsale sale signer {} {next}",
                    args.sale
                ));
                signer.address = next;
            } else if key.address() != signer.address {
                return Err(signer.is_not(key.address(), "the key"));
            }
            terms.sign(&key.into_signer())?.as_bytes().into()
        }
        (None, Some(signature)) => signer.check(&node, &terms, signature).await?,
        (None, None) => {
            printer.note(format!(
                "for {} to sign; pack the signature with the same flags, --deadline {} --epoch {} --signature HEX",
                signer.address,
                terms.deadline.seconds(),
                terms.epoch
            ));
            return printer.result(&TypedData(terms.typed_data()));
        }
    };
    printer.result(&Issued {
        chain_id: terms.chain_id,
        sale: Addr(terms.sale),
        investor: Addr(terms.investor),
        max_paid: view.payment.amount(terms.max_paid.get()),
        phases: terms.phases.indices().collect(),
        deadline: clock::rfc3339(terms.deadline.seconds()),
        deadline_seconds: terms.deadline.seconds(),
        epoch: terms.epoch.to_string(),
        signer: Addr(signer.address),
        eligibility: terms.eligibility(&signature),
        signature,
    })
}

/// What is to be signed, where it can be of use.
async fn terms(
    args: &IssueArgs,
    node: &Node,
    view: &SaleView,
    signer: &Signer,
    printer: Printer,
) -> Result<VoucherTerms> {
    let cannot = |why: String, hint: &str| Failure::new("cannot issue a voucher", why, hint);
    let amount =
        |why: String| cannot(format!("{:?} {} {why}", args.max_paid, view.payment.symbol), "write such as 2.5");
    let max_paid = parse_units(&args.max_paid, view.payment.decimals).map_err(|e| amount(e.to_string()))?;
    let max_paid = MaxPaid::new(max_paid).map_err(|e| amount(e.to_string()))?;
    let phases = Phases::new(args.phases.iter().copied())?;
    let now = node.block(BlockNumberOrTag::Latest).await?.timestamp;
    let seconds = match (args.deadline, args.valid_for) {
        (Some(deadline), _) => deadline.seconds(),
        (None, valid_for) => now.saturating_add(valid_for.unwrap_or_default()),
    };
    let deadline =
        Deadline::new(seconds).map_err(|e| cannot(format!("second {seconds} {e}"), "name an earlier time"))?;
    let epoch = args.epoch.unwrap_or(signer.epoch);
    if epoch != signer.epoch {
        printer.note(format!(
            "warning: the sale is in epoch {} of its vouchers: one of epoch {epoch} is refused in every other",
            signer.epoch
        ));
    }
    let (chain_id, sale, investor) = (node.chain_id, view.address, args.investor);
    let terms = VoucherTerms { chain_id, sale, investor, max_paid, phases, deadline, epoch };
    terms.check(view.terms.phases.len(), now).map_err(|fault| match fault {
        VoucherFault::Over { .. } => {
            let why = format!("{} is over: the chain's clock is at {}", clock::utc(seconds), clock::utc(now));
            cannot(why, "name a later time: --deadline TIME or --valid-for DURATION")
        }
        VoucherFault::Phase { .. } => cannot(fault.to_string(), "name phases of the sale, such as --phases 0"),
        _ => cannot(fault.to_string(), "name the investor's own address"),
    })?;
    Ok(terms)
}

impl Signer {
    async fn read(node: &Node, sale: Address) -> Result<Self> {
        let answer = IVoucherGate::new(sale, &node.provider).voucherSigner().call().await;
        let none = || {
            let why = format!("the sale {sale} names no signer: none of its phases takes vouchers");
            Failure::new(
                "cannot issue a voucher",
                why,
                "check the sale's address; only a sale with such a phase takes one",
            )
        };
        let answer = match answer {
            Ok(answer) if answer.signer.is_zero() => return Err(none()),
            Ok(answer) => answer,
            Err(alloy::contract::Error::TransportError(e)) if e.as_error_resp().is_none() => {
                return Err(node.failed("cannot read the sale", &e));
            }
            Err(_) => return Err(none()),
        };
        let is_contract = node.has_code(answer.signer).await?;
        Ok(Self { address: answer.signer, epoch: answer.epoch, is_contract })
    }

    /// The error where somebody else signs.
    fn is_not(&self, found: Address, whose: &str) -> anyhow::Error {
        let signer = self.address;
        let hint = if self.is_contract {
            "the signer is a contract, such as a Safe: let it sign what --typed-data prints, then pack it with --signature"
        } else {
            "sign with that account's key, or let its wallet sign what --typed-data prints"
        };
        let why = format!("{whose} is that of {found}, and the vouchers of this sale are signed by {signer}");
        Failure::new("cannot issue a voucher", why, hint)
    }

    /// The signature in the form that the sale takes, if the sale will take it.
    async fn check(&self, node: &Node, terms: &VoucherTerms, signature: &Bytes) -> Result<Bytes> {
        let hash = terms.signing_hash();
        if self.is_contract {
            return if self.vouches(node, hash, signature).await? {
                Ok(signature.clone())
            } else {
                let why = format!("the contract {} does not accept it for this voucher (ERC-1271)", self.address);
                Err(Failure::new("wrong signature", why, SAME_FLAGS))
            };
        }
        match terms.recover(signature) {
            Some((found, normal)) if found == self.address => Ok(normal),
            Some((found, _)) => Err(self.is_not(found, "the signature").context(SAME_FLAGS)),
            None => {
                let why = format!("it has {} bytes that are no signature of a key, which has 65", signature.len());
                Err(Failure::new("wrong signature", why, "copy the whole signature from the wallet"))
            }
        }
    }

    async fn vouches(&self, node: &Node, hash: B256, signature: &Bytes) -> Result<bool> {
        let contract = IERC1271::new(self.address, &node.provider);
        match contract.isValidSignature(hash, signature.clone()).call().await {
            Ok(magic) => Ok(magic == fixed_bytes!("1626ba7e")),
            Err(alloy::contract::Error::TransportError(e)) if e.as_error_resp().is_none() => {
                Err(node.failed("cannot ask the signer", &e))
            }
            Err(_) => Ok(false),
        }
    }
}

const SAME_FLAGS: &str = "give the flags with which --typed-data was printed, --deadline and --epoch as it said";

impl Report for TypedData {
    fn text(&self) -> String {
        format!("{:#}", self.0)
    }
}

impl Report for Issued {
    fn text(&self) -> String {
        let phases: Vec<_> = self.phases.iter().map(u8::to_string).collect();
        table(&[
            ("sale", format!("{} on chain {}", self.sale, self.chain_id)),
            ("investor", self.investor.to_string()),
            ("may pay in all", self.max_paid.exact()),
            ("phases", format!("{}, the first being 0", phases.join(", "))),
            ("until", clock::utc(self.deadline_seconds)),
            ("epoch", self.epoch.clone()),
            ("signer", self.signer.to_string()),
            ("signature", self.signature.to_string()),
            ("eligibility", self.eligibility.to_string()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_times_with_an_offset_or_seconds() {
        let seconds = |text| deadline_text(text).map(Deadline::seconds);
        assert_eq!(seconds("2031-03-01T14:00:00Z"), Ok(1_930_140_000));
        assert_eq!(seconds("2031-03-01T15:00:00+01:00"), Ok(1_930_140_000));
        assert_eq!(seconds("1930140000"), Ok(1_930_140_000));
        for text in ["", "2031-03-01", "2031-03-01T14:00:00", "-1", "1930-01-01T00:00:00Z", "tomorrow", "1e9"] {
            assert!(seconds(text).unwrap_err().contains("with its offset"), "{text:?}");
        }
        assert!(seconds("1099511627776").unwrap_err().contains("too late"));
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("90m", 5_400), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("1d 2h", 93_600)]
        {
            assert_eq!(duration_text(text), Ok(seconds), "{text}");
        }
        for text in ["", "7", "0s", "-1h", "1mo", "1y", "soon", "1ms"] {
            assert!(duration_text(text).is_err(), "{text:?}");
        }
    }
}
