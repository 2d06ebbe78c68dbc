//! What the contracts refuse, as a sentence and a next step. Every error of every ABI has one: the matches below have no
//! catch-all, so that a new error does not compile without its sentence.

use alloy::{
    primitives::{Address, U256},
    sol_types::{Revert, SolError, SolInterface},
};
use jiff::Timestamp;

use crate::{
    contracts::{
        FixedPriceSale::FixedPriceSaleErrors as Sale, RefundVault::RefundVaultErrors as Vault,
        SaleFactory::SaleFactoryErrors as Factory, SaleToken::SaleTokenErrors as Token,
    },
    types::Amount,
};

/// How to write amounts for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Digits after the point.
    pub decimals: u8,
    /// Behind the number.
    pub symbol: String,
}

impl Unit {
    /// Ether.
    pub fn ether() -> Self {
        Self { decimals: 18, symbol: "ETH".to_owned() }
    }

    /// `raw` base units, for people.
    pub fn write(&self, raw: U256) -> String {
        format!("{} {}", Amount(raw).to_units(self.decimals), self.symbol)
    }
}

/// The units of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    /// What is paid.
    pub currency: Unit,
    /// What is sold.
    pub token: Unit,
}

/// A refusal, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened and why.
    pub sentence: String,
    /// What to do next.
    pub next_step: String,
}

fn explanation(sentence: impl Into<String>, next_step: impl Into<String>) -> Explanation {
    Explanation { sentence: sentence.into(), next_step: next_step.into() }
}

/// Explains the data of a revert. `None` if it is of no error that the contracts know.
pub fn explain(data: &[u8], units: &Units) -> Option<Explanation> {
    if let Ok(error) = Sale::abi_decode(data) {
        return Some(sale(error, units));
    }
    if let Ok(error) = Vault::abi_decode(data) {
        return Some(vault(error, units));
    }
    if let Ok(error) = Factory::abi_decode(data) {
        return Some(factory(error, units));
    }
    if let Ok(error) = Token::abi_decode(data) {
        return Some(token(error, units));
    }
    let text = Revert::abi_decode(data).ok()?;
    Some(explanation(format!("A contract refused: {}.", text.reason), "Check the addresses and amounts."))
}

/// A time of the chain, for people.
fn time(seconds: U256) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok())
        .map_or_else(|| format!("second {seconds}"), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn state(number: u8) -> &'static str {
    ["upcoming", "open", "ended, but not closed", "successful", "failed", "cancelled"]
        .get(usize::from(number))
        .copied()
        .unwrap_or("in an unknown state")
}

fn outcome(number: u8) -> &'static str {
    ["open", "succeeded", "failed", "cancelled"].get(usize::from(number)).copied().unwrap_or("unknown")
}

const BUG: &str = "This should not happen: please report it with the transaction.";

fn not_exact(token: Address, expected: U256, received: U256) -> Explanation {
    explanation(
        format!("The token {token} delivered {received} base units of {expected}: it takes a fee or rebases."),
        "Such a token cannot be used with a sale.",
    )
}

fn failed_operation(token: Address) -> Explanation {
    explanation(
        format!("The token {token} refused the transfer."),
        "Check its balance and allowance, and whether it blocks one of the addresses.",
    )
}

fn ether_failed(to: Address, amount: U256) -> Explanation {
    explanation(
        format!("{to} refused {}.", Unit::ether().write(amount)),
        "Let the entitled address take it elsewhere, with --to.",
    )
}

fn sale(error: Sale, units: &Units) -> Explanation {
    let paid = |raw| units.currency.write(raw);
    match error {
        Sale::AboveMaximum(e) => explanation(
            format!("That would make {} in all, above the maximum of {} an investor.", paid(e.paid), paid(e.maxPaid)),
            "Contribute less.",
        ),
        Sale::BelowMinimum(e) => explanation(
            format!("That would make {} in all, below the minimum of {} an investor.", paid(e.paid), paid(e.minPaid)),
            "Contribute more.",
        ),
        Sale::SaleNotOpen(e) if e.outcome != 0 => explanation(
            format!("The sale {}.", if e.outcome == 3 { "was cancelled" } else { outcome(e.outcome) }),
            "See `crowdsale sale status` for what can be done now.",
        ),
        Sale::SaleNotOpen(e) => explanation(
            format!("The sale is open from {} until before {}.", time(e.opens), time(e.closes)),
            "Contribute within that time; the chain's clock counts.",
        ),
        Sale::SoldOut(e) => explanation(
            format!("Everything is sold: the hard cap of {} is reached.", paid(e.hardCap)),
            "Nothing can be bought.",
        ),
        Sale::ZeroTokens(e) => {
            explanation(format!("{} buys less than one base unit of the token.", paid(e.amount)), "Contribute more.")
        }
        Sale::WrongValue(e) => explanation(
            format!(
                "{} of ether had to come with the call, {} came.",
                Unit::ether().write(e.expected),
                Unit::ether().write(e.sent)
            ),
            "Send exactly the amount named; no ether with an ERC-20 contribution.",
        ),
        Sale::EtherNotAccepted(e) => explanation(
            format!("This sale is paid in the token {}, not in ether.", e.currency),
            "Use `crowdsale contribute`.",
        ),
        Sale::EligibilityNotExpected(_) => {
            explanation("The phase is open to all and takes no proof.", "Contribute without one.")
        }
        Sale::InvalidInvestor(e) => {
            explanation(format!("{} cannot be an investor.", e.investor), "Name another address with --for.")
        }
        Sale::InvalidReceiver(e) => {
            explanation(format!("Nothing can be sent to {}.", e.to), "Name another address with --to.")
        }
        Sale::SaleNotEnded(e) => explanation(
            format!("The sale runs until {} and is not sold out.", time(e.closes)),
            "Close it from then on; anyone may.",
        ),
        Sale::AlreadyClosed(e) => explanation(
            format!("The sale has {}; an outcome is for ever.", outcome(e.outcome)),
            "See `crowdsale sale status` for what can be done now.",
        ),
        Sale::OnlyOwner(e) => explanation(
            format!("Only the owner {} may do this, not {}.", e.owner, e.caller),
            "Sign with the owner's key.",
        ),
        Sale::OnlyVault(e) => explanation(
            format!("Only the vault {} may do this, not {}.", e.vault, e.caller),
            "Use `crowdsale release`.",
        ),
        Sale::CancelTooLate(e) => {
            explanation(format!("The sale ended {}; it cannot be cancelled any more.", time(e.closes)), "Close it.")
        }
        Sale::SoftCapReached(e) => explanation(
            format!(
                "{} are raised, the soft cap of {} is reached: the sale cannot be cancelled.",
                paid(e.raised),
                paid(e.softCap)
            ),
            "Wait for its end and close it.",
        ),
        Sale::NotClaimable(e) => explanation(
            format!("The sale is {}; tokens are claimed and funds released after success.", state(e.state)),
            "See `crowdsale sale status` for what can be done now.",
        ),
        Sale::NothingToClaim(e) => {
            explanation(format!("{} has no tokens to claim, or has claimed them.", e.investor), "Check the address.")
        }
        Sale::NotRefundable(e) => explanation(
            format!("The sale is {}; money is refunded after failure or cancellation.", state(e.state)),
            "See `crowdsale sale status` for what can be done now.",
        ),
        Sale::NothingToRefund(e) => {
            explanation(format!("{} has no money to be refunded, or has had it.", e.investor), "Check the address.")
        }
        Sale::NotSettled(e) => {
            explanation(format!("The sale is {}: it has no outcome yet.", state(e.state)), "Close it after its end.")
        }
        Sale::NothingUnsold(_) => explanation("No unsold token is left in the sale.", "There is nothing to do."),
        Sale::AlreadySwept(_) => explanation("The money has gone to the vault already.", "Use `crowdsale release`."),
        Sale::EtherTransferFailed(e) => ether_failed(e.to, e.amount),
        Sale::TransferNotExact(e) => not_exact(e.token, e.expected, e.received),
        Sale::SafeERC20FailedOperation(e) => failed_operation(e.token),
        Sale::NotASale(_) => {
            explanation("This address holds the code that sales share, it is no sale.", "Use the address of a sale.")
        }
        Sale::CloneArgumentsTooLong(_) => explanation("The terms do not fit into a sale.", BUG),
        Sale::SafeCastOverflowedUintDowncast(e) => {
            explanation(format!("{} does not fit into {} bits.", e.value, e.bits), "Use a smaller amount.")
        }
        Sale::ReentrancyGuardReentrantCall(_) => {
            explanation("A receiver called back into the sale.", "Use a receiver that does not.")
        }
    }
}

fn vault(error: Vault, units: &Units) -> Explanation {
    match error {
        Vault::NothingToRelease(e) => explanation(
            format!(
                "All that is due was released: {} of {}.",
                units.currency.write(e.released),
                units.currency.write(e.received)
            ),
            "There is nothing to do.",
        ),
        Vault::OnlySale(e) => explanation(
            format!("Only the sale {} sends money to its vault, not {}.", e.sale, e.caller),
            "Contribute to the sale.",
        ),
        Vault::NotAVault(_) => {
            explanation("This address holds the code that vaults share, it is no vault.", "Use the address of a sale.")
        }
        Vault::EtherTransferFailed(e) => explanation(
            format!("The beneficiary {} refused {}.", e.to, Unit::ether().write(e.amount)),
            "The beneficiary must accept ether; the money waits in the vault.",
        ),
        Vault::SafeERC20FailedOperation(e) => failed_operation(e.token),
        Vault::SafeCastOverflowedUintDowncast(e) => {
            explanation(format!("{} does not fit into {} bits.", e.value, e.bits), BUG)
        }
        Vault::ReentrancyGuardReentrantCall(_) => {
            explanation("The beneficiary called back into the vault.", "Use a beneficiary that does not.")
        }
    }
}

fn factory(error: Factory, units: &Units) -> Explanation {
    let paid = |raw| units.currency.write(raw);
    match error {
        Factory::OwnerZero(_) => explanation("The owner is the zero address.", "Set sale.owner."),
        Factory::BeneficiaryZero(_) => explanation("The beneficiary is the zero address.", "Set sale.beneficiary."),
        Factory::TokenNotContract(e) => explanation(
            format!("There is no contract at the token's address {}.", e.token),
            "Check token.address and the chain.",
        ),
        Factory::CurrencyNotContract(e) => explanation(
            format!("There is no contract at the payment token's address {}.", e.currency),
            "Check payment.currency and the chain.",
        ),
        Factory::CurrencyIsToken(e) => explanation(
            format!("The token {} would be paid for with itself.", e.token),
            "Set another payment.currency.",
        ),
        Factory::OpensInPast(e) => explanation(
            format!("The sale would open at {}, but the chain's clock says {}.", time(e.opens), time(e.blockTimestamp)),
            "Set sale.opens to a later time.",
        ),
        Factory::SoftCapZero(_) => {
            explanation("The soft cap is zero: no goal to miss, and no refund.", "Set sale.soft_cap above 0.")
        }
        Factory::CapsCrossed(e) => explanation(
            format!("The soft cap of {} is above the hard cap of {}.", paid(e.softCap), paid(e.hardCap)),
            "Lower the soft cap or raise the hard cap.",
        ),
        Factory::SoftCapOutOfReach(e) => explanation(
            format!(
                "Below the hard cap an amount could be left that buys nothing, and the soft cap of {} lies within it.",
                paid(e.softCap)
            ),
            format!("Set sale.soft_cap to at most {}.", paid(e.highest)),
        ),
        Factory::LimitsCrossed(e) => explanation(
            format!(
                "The minimum of {} is above the maximum of {}, or the maximum is zero.",
                paid(e.minPaid),
                paid(e.maxPaid)
            ),
            "Mend limits.min and limits.max.",
        ),
        Factory::MaximumAboveHardCap(e) => explanation(
            format!("The maximum of {} an investor is above the hard cap of {}.", paid(e.maxPaid), paid(e.hardCap)),
            "Lower limits.max.",
        ),
        Factory::PhaseCount(e) => explanation(
            format!("There are {} phases, there must be 1 to {}.", e.count, e.max),
            "Mend the [[phase]] tables.",
        ),
        Factory::PhaseEndNotAfter(e) => explanation(
            format!("Phase {} ends at {}, not after {}.", e.index + U256::ONE, time(e.end), time(e.previous)),
            "Set phases in the order of their ends, all after the opening.",
        ),
        Factory::PhaseCapBelow(e) => explanation(
            format!(
                "Phase {} sells up to {}, below {} of the phase before it.",
                e.index + U256::ONE,
                paid(e.raisedUpTo),
                paid(e.previous)
            ),
            "raised_up_to is cumulative: let it grow from phase to phase.",
        ),
        Factory::PhasePriceZero(e) => {
            explanation(format!("Phase {} gives tokens away.", e.index + U256::ONE), "Set its price above 0.")
        }
        Factory::LastPhaseCap(e) => explanation(
            format!("The last phase sells up to {}, the hard cap is {}.", paid(e.raisedUpTo), paid(e.hardCap)),
            "Let the last phase's raised_up_to be the hard cap.",
        ),
        Factory::DurationTooLong(e) => explanation(
            format!(
                "The sale would run for {} seconds, {} are allowed: nobody's money waits longer.",
                e.duration, e.max
            ),
            "Let the last phase end earlier.",
        ),
        Factory::TokensShort(e) => explanation(
            format!(
                "{} are for sale, the hard cap could buy {}.",
                units.token.write(e.tokensForSale),
                units.token.write(e.needed)
            ),
            "Raise token.for_sale, raise prices or lower the hard cap.",
        ),
        Factory::SupplyShort(e) => explanation(
            format!(
                "The supply of {} is below the {} for sale.",
                units.token.write(e.supply),
                units.token.write(e.tokensForSale)
            ),
            "Raise token.supply.",
        ),
        Factory::TokenGiven(e) => explanation(
            format!("A new token was asked for, and the token {} named.", e.token),
            "Name one or the other.",
        ),
        Factory::SaleExists(e) => explanation(
            format!("This very sale exists already, at {}.", e.sale),
            "See `crowdsale sale status`; change the file to create another.",
        ),
        Factory::TransferNotExact(e) => not_exact(e.token, e.expected, e.received),
        Factory::SafeERC20FailedOperation(e) => failed_operation(e.token),
        Factory::InsufficientBalance(e) => {
            explanation(format!("The factory has {} wei of {}.", e.balance, e.needed), BUG)
        }
        Factory::FailedDeployment(_) => explanation("The sale could not be created.", BUG),
        Factory::Create2EmptyBytecode(_) => explanation("There was nothing to create.", BUG),
        Factory::CloneArgumentsTooLong(_) => explanation("The terms do not fit into a sale.", "Use fewer phases."),
    }
}

fn token(error: Token, units: &Units) -> Explanation {
    // Which of the two tokens refused is not in the data, so these are base units.
    let _ = units;
    match error {
        Token::ERC20InsufficientBalance(e) => explanation(
            format!("{} holds {} base units of the token, {} are needed.", e.sender, e.balance, e.needed),
            "Get more of the token, or use less.",
        ),
        Token::ERC20InsufficientAllowance(e) => explanation(
            format!("{} may take {} base units of the token, {} are needed.", e.spender, e.allowance, e.needed),
            "Approve it first.",
        ),
        Token::ERC20InvalidApprover(e) => explanation(format!("{} cannot approve.", e.approver), BUG),
        Token::ERC20InvalidReceiver(e) => {
            explanation(format!("{} cannot receive the token.", e.receiver), "Use another receiver.")
        }
        Token::ERC20InvalidSender(e) => explanation(format!("{} cannot send the token.", e.sender), BUG),
        Token::ERC20InvalidSpender(e) => explanation(format!("{} cannot be approved.", e.spender), BUG),
        Token::ERC2612ExpiredSignature(e) => {
            explanation(format!("The permit expired at {}.", time(e.deadline)), "Sign a new permit.")
        }
        Token::ERC2612InvalidSigner(e) => explanation(
            format!("The permit was signed by {}, not by {}.", e.signer, e.owner),
            "Sign it with the owner's key.",
        ),
        Token::InvalidAccountNonce(e) => explanation(
            format!("The permit of {} was used, its nonce is {} now.", e.account, e.currentNonce),
            "Sign a new permit.",
        ),
        Token::ECDSAInvalidSignature(_) => explanation("The signature is not valid.", "Sign again."),
        Token::ECDSAInvalidSignatureLength(e) => {
            explanation(format!("A signature of {} bytes is not valid.", e.length), "Sign again.")
        }
        Token::ECDSAInvalidSignatureS(_) => explanation("The signature is malleable.", "Sign again."),
        Token::InvalidShortString(_) => explanation("The token's name cannot be read.", BUG),
        Token::StringTooLong(e) => explanation(format!("{:?} is too long.", e.str), "Use a shorter name."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy::primitives::B256;

    use super::*;

    fn units() -> Units {
        Units {
            currency: Unit { decimals: 6, symbol: "USDD".to_owned() },
            token: Unit { decimals: 18, symbol: "AUR".to_owned() },
        }
    }

    /// Every error of every committed ABI is explained, by a sentence of its own.
    #[test]
    fn no_error_is_without_a_sentence() {
        let mut seen = BTreeSet::new();
        for name in ["SaleFactory", "FixedPriceSale", "RefundVault", "SaleToken"] {
            let file = format!("{}/../contracts/abi/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            for error in json["abi"].as_array().unwrap().iter().filter(|e| e["type"] == "error") {
                let types: Vec<&str> =
                    error["inputs"].as_array().unwrap().iter().map(|i| i["type"].as_str().unwrap()).collect();
                let signature = format!("{}({})", error["name"].as_str().unwrap(), types.join(","));
                let mut data = alloy::primitives::keccak256(&signature)[..4].to_vec();
                // A string is an offset to a length; everything else may be zero.
                for kind in &types {
                    data.extend(if *kind == "string" { B256::with_last_byte(32) } else { B256::ZERO });
                }
                data.extend([0; 32]);
                let explained = explain(&data, &units()).unwrap_or_else(|| panic!("{signature} has no sentence"));
                assert!(
                    explained.sentence.ends_with('.') && explained.next_step.ends_with('.'),
                    "{signature}: {explained:?}"
                );
                seen.insert(signature);
            }
        }
        assert!(seen.len() > 60, "{} errors", seen.len());
    }

    #[test]
    fn values_are_written_for_people() {
        use alloy::sol_types::SolError;

        use crate::contracts::FixedPriceSale::{AboveMaximum, SaleNotOpen};
        let data = AboveMaximum { maxPaid: U256::from(5_000_000), paid: U256::from(6_500_000) }.abi_encode();
        assert_eq!(
            explain(&data, &units()).unwrap().sentence,
            "That would make 6.5 USDD in all, above the maximum of 5 USDD an investor."
        );
        let data = SaleNotOpen { opens: U256::from(1_900_000_000), closes: U256::from(1_900_086_400), outcome: 0 }
            .abi_encode();
        assert_eq!(
            explain(&data, &units()).unwrap().sentence,
            "The sale is open from 2030-03-17 17:46:40 UTC until before 2030-03-18 17:46:40 UTC."
        );
        assert_eq!(explain(&[1, 2, 3, 4], &units()), None);
    }
}
