//! What a revert means: one sentence with its values, and one next step, for every error of every contract.
//!
//! The matches are exhaustive over enums that are generated from `contracts/abi`: a new error without a sentence does not
//! compile.

use alloy::{
    primitives::{Address, U256},
    sol_types::{Panic, Revert, SolError, SolInterface as _},
};
use jiff::Timestamp;

use crate::{
    contracts::{
        FixedPriceSale::FixedPriceSaleErrors as Sale, RefundVault::RefundVaultErrors as Vault,
        SaleFactory::SaleFactoryErrors as Factory, SaleToken::SaleTokenErrors as Token,
    },
    types::Amount,
};

/// Decimals and symbol of an asset, where they are known.
pub type Known = Option<(u8, String)>;

/// What turns base units into amounts that a person reads. Unknown assets are written in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// What the sale is paid with.
    pub currency: Known,
    /// What is sold.
    pub token: Known,
}

/// A revert, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The error's name in the contract; `None` where no contract of ours has it.
    pub name: Option<&'static str>,
    /// What happened, without a full stop.
    pub sentence: String,
    /// What to do next.
    pub next: String,
}

/// Explains the data of a revert. Data that none of our contracts returns is shown as it is.
pub fn explain(data: &[u8], assets: &Assets) -> Explanation {
    if let Ok(e) = Factory::abi_decode(data) {
        return factory(&e, assets).named(Factory::name_by_selector(e.selector()));
    }
    if let Ok(e) = Sale::abi_decode(data) {
        return sale(&e, assets).named(Sale::name_by_selector(e.selector()));
    }
    if let Ok(e) = Vault::abi_decode(data) {
        return vault(&e, assets).named(Vault::name_by_selector(e.selector()));
    }
    // The development stablecoin has the same errors.
    if let Ok(e) = Token::abi_decode(data) {
        return token(&e).named(Token::name_by_selector(e.selector()));
    }
    if let Ok(e) = Revert::abi_decode(data) {
        let next = "the text comes from the contract that was called, most often a token: ask those who made it";
        return says(format!("a contract refused it: {}", e.reason), next);
    }
    if let Ok(e) = Panic::abi_decode(data) {
        let code = e.code;
        return says(
            format!("a contract failed with panic code {code:#x}"),
            "this is a defect of that contract: report it",
        );
    }
    if data.is_empty() {
        return says(
            "a contract refused it without a reason",
            "check that the address is the right contract on this chain, and that the account can pay",
        );
    }
    says(
        format!(
            "a contract refused it with data that none of the sale's contracts uses: 0x{}",
            alloy::hex::encode(data)
        ),
        "it most often comes from the token: look the first four bytes up among its errors",
    )
}

impl Explanation {
    fn named(self, name: Option<&'static str>) -> Self {
        Self { name, ..self }
    }
}

fn says(sentence: impl Into<String>, next: impl Into<String>) -> Explanation {
    Explanation { name: None, sentence: sentence.into(), next: next.into() }
}

fn money(raw: U256, assets: &Assets) -> String {
    amount(raw, &assets.currency)
}

fn tokens(raw: U256, assets: &Assets) -> String {
    amount(raw, &assets.token)
}

fn amount(raw: U256, asset: &Known) -> String {
    match asset {
        Some((decimals, symbol)) => format!("{} {symbol}", Amount(raw).to_units(*decimals)),
        None => format!("{raw} base units"),
    }
}

fn time(seconds: U256) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
    time.map_or_else(|| format!("second {seconds}"), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn days(seconds: U256) -> String {
    let day = U256::from(86_400);
    let (days, rest) = (seconds / day, seconds % day);
    if rest.is_zero() { format!("{days} days") } else { format!("{days} days and {rest} seconds") }
}

/// A phase's number as people count, from one.
fn phase(index: U256) -> String {
    format!("phase {}", index.saturating_add(U256::ONE))
}

fn state(state: u8) -> &'static str {
    match state {
        0 => "has not opened yet",
        1 => "is open",
        2 => "has ended and is not closed yet",
        3 => "succeeded",
        4 => "failed",
        5 => "was cancelled",
        _ => "is in a state that this program does not know",
    }
}

fn outcome(outcome: u8) -> &'static str {
    match outcome {
        0 => "has no outcome yet",
        1 => "has succeeded",
        2 => "has failed",
        3 => "was cancelled",
        _ => "has an outcome that this program does not know",
    }
}

const SEE_STATUS: &str = "see where it stands: crowdsale sale status SALE";
const MEND_FILE: &str = "mend the sale file and check it: crowdsale sale lint FILE";
const REPORT: &str = "this is a defect of the contracts or of this program: report it with the transaction";

fn factory(error: &Factory, assets: &Assets) -> Explanation {
    match error {
        Factory::OwnerZero(_) => says("the owner is the zero address", MEND_FILE),
        Factory::BeneficiaryZero(_) => says("the beneficiary is the zero address", MEND_FILE),
        Factory::TokenNotContract(e) => says(
            format!("there is no contract at the token's address {} on this chain", e.token),
            "check token.address in the sale file, and that the node is of the right chain",
        ),
        Factory::CurrencyNotContract(e) => says(
            format!("there is no contract at the payment currency's address {} on this chain", e.currency),
            "check payment.currency in the sale file, and that the node is of the right chain",
        ),
        Factory::CurrencyIsToken(e) => says(format!("the token {} would be paid for with itself", e.token), MEND_FILE),
        Factory::OpensInPast(e) => says(
            format!("the sale would open at {}, but the chain is at {} already", time(e.opens), time(e.blockTimestamp)),
            "set sale.opens later in the sale file, and publish it again: its hash changes",
        ),
        Factory::SoftCapZero(_) => {
            says("the soft cap is zero, so there would be no goal to miss and no refund", MEND_FILE)
        }
        Factory::CapsCrossed(e) => says(
            format!("the soft cap {} is above the hard cap {}", money(e.softCap, assets), money(e.hardCap, assets)),
            MEND_FILE,
        ),
        Factory::SoftCapOutOfReach(e) => says(
            format!(
                "less than the price of one base unit of the token could be left below the soft cap {}, and nobody could reach it then; the highest that is safe is {}",
                money(e.softCap, assets),
                money(e.highest, assets)
            ),
            MEND_FILE,
        ),
        Factory::LimitsCrossed(e) => says(
            format!(
                "the minimum of an investor {} is above the maximum {}, or the maximum is zero",
                money(e.minPaid, assets),
                money(e.maxPaid, assets)
            ),
            MEND_FILE,
        ),
        Factory::MaximumAboveHardCap(e) => says(
            format!(
                "the maximum of an investor {} is above the hard cap {}",
                money(e.maxPaid, assets),
                money(e.hardCap, assets)
            ),
            MEND_FILE,
        ),
        Factory::PhaseCount(e) => {
            says(format!("there are {} phases, and there must be between 1 and {}", e.count, e.max), MEND_FILE)
        }
        Factory::PhaseEndNotAfter(e) => says(
            format!(
                "{} ends at {}, which is not after {}, where it would begin",
                phase(e.index),
                time(e.end),
                time(e.previous)
            ),
            MEND_FILE,
        ),
        Factory::PhaseCapBelow(e) => says(
            format!(
                "{} sells up to {}, below the {} of the phase before it",
                phase(e.index),
                money(e.raisedUpTo, assets),
                money(e.previous, assets)
            ),
            MEND_FILE,
        ),
        Factory::PhasePriceZero(e) => says(format!("{} gives tokens away", phase(e.index)), MEND_FILE),
        Factory::LastPhaseCap(e) => says(
            format!(
                "the last phase sells up to {}, and must sell up to the hard cap {}",
                money(e.raisedUpTo, assets),
                money(e.hardCap, assets)
            ),
            MEND_FILE,
        ),
        Factory::DurationTooLong(e) => says(
            format!("the sale would run for {}, and may run for {} at most", days(e.duration), days(e.max)),
            MEND_FILE,
        ),
        Factory::TokensShort(e) => says(
            format!(
                "{} are for sale, but the hard cap could buy {}",
                tokens(e.needed, assets),
                tokens(e.needed, assets)
            ),
            MEND_FILE,
        ),
        Factory::SaleExists(e) => says(
            format!("this very sale exists already, at {}", e.sale),
            format!("nothing is left to do: crowdsale sale status {}", e.sale),
        ),
        Factory::TokenGiven(e) => says(
            format!("a sale that creates its token cannot name one, but {} was named", e.token),
            "remove token.address, or the new token's name and supply, from the sale file",
        ),
        Factory::SupplyShort(e) => says(
            format!(
                "the new token's supply {} is below the {} that are for sale",
                tokens(e.supply, assets),
                tokens(e.needed, assets)
            ),
            MEND_FILE,
        ),
        Factory::TransferNotExact(e) => transfer_not_exact(e.token, e.expected, e.received),
        Factory::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Factory::InsufficientBalance(e) => {
            says(format!("the factory would need {} wei and has {}", e.needed, e.balance), REPORT)
        }
        Factory::FailedDeployment(_) => says(
            "the chain refused to create the contract, most often for want of gas",
            "run the command again; if it repeats, check that the factory is the right one on this chain",
        ),
        Factory::Create2EmptyBytecode(_) => says("the factory has no code for the token to create", REPORT),
        Factory::CloneArgumentsTooLong(_) => clone_arguments(),
        #[allow(unreachable_patterns, reason = "TEMP")]
        _ => says("TEMP", REPORT),
    }
}

fn sale(error: &Sale, assets: &Assets) -> Explanation {
    match error {
        Sale::SaleNotOpen(e) if e.outcome != 0 => says(
            format!("the sale takes no contributions any more: it {}", outcome(e.outcome)),
            match e.outcome {
                1 => "investors can claim their tokens: crowdsale claim SALE",
                _ => "investors can have their money back: crowdsale refund SALE",
            },
        ),
        Sale::SaleNotOpen(e) => says(
            format!("the sale takes contributions from {} until {}, not now", time(e.opens), time(e.closes)),
            SEE_STATUS,
        ),
        Sale::InvalidInvestor(e) => {
            says(format!("{} cannot hold a position in this sale", e.investor), "name another investor with --for")
        }
        Sale::WrongValue(e) => says(
            format!("{} wei came with the contribution, but it takes {}", e.sent, e.expected),
            "send as much ether as the amount says, and none where the sale is paid with a token",
        ),
        Sale::EtherNotAccepted(e) => says(
            format!("this sale is paid with the token {}, not with ether", e.currency),
            "contribute through the command, which approves the token: crowdsale contribute SALE AMOUNT",
        ),
        Sale::SoldOut(e) => {
            says(format!("everything is sold: the hard cap of {} is reached", money(e.hardCap, assets)), SEE_STATUS)
        }
        Sale::ZeroTokens(e) => {
            says(format!("{} buys less than the smallest part of a token", money(e.amount, assets)), "contribute more")
        }
        Sale::BelowMinimum(e) => says(
            format!(
                "the investor would have paid {} in all, below the minimum of {}",
                money(e.paid, assets),
                money(e.minPaid, assets)
            ),
            "contribute more",
        ),
        Sale::AboveMaximum(e) => says(
            format!(
                "the investor would have paid {} in all, above the maximum of {}",
                money(e.paid, assets),
                money(e.maxPaid, assets)
            ),
            "contribute less",
        ),
        Sale::SaleNotEnded(e) => {
            says(format!("the sale can be closed from {} on, or once it is sold out", time(e.closes)), SEE_STATUS)
        }
        Sale::AlreadyClosed(e) => says(format!("the sale {} already, for ever", outcome(e.outcome)), SEE_STATUS),
        Sale::OnlyOwner(e) => says(
            format!("only the owner {} may do this, and the sender is {}", e.owner, e.caller),
            "send it with the owner's key: --private-key-file FILE",
        ),
        Sale::OnlyVault(e) => says(
            format!("only the vault {} may do this, and the sender is {}", e.vault, e.caller),
            "release the money through the vault: crowdsale release SALE",
        ),
        Sale::CancelTooLate(e) => says(
            format!("the sale ended at {} and cannot be cancelled any more", time(e.closes)),
            "close it, and it succeeds or fails by its soft cap: crowdsale sale close SALE",
        ),
        Sale::SoftCapReached(e) => says(
            format!(
                "the sale has raised {} and reached its soft cap of {}: it cannot be cancelled any more",
                money(e.raised, assets),
                money(e.softCap, assets)
            ),
            "wait for its end and close it: crowdsale sale close SALE",
        ),
        Sale::NotClaimable(e) => not_yet("tokens and money are given out after success only", e.state),
        Sale::NothingToClaim(e) => says(
            format!("{} has no tokens to claim in this sale, or has claimed them", e.investor),
            "name another investor with --for, if it is another's position",
        ),
        Sale::NotRefundable(e) => not_yet("money is refunded after failure or cancellation only", e.state),
        Sale::NothingToRefund(e) => says(
            format!("{} has no money to be refunded in this sale, or has had it", e.investor),
            "name another investor with --for, if it is another's position",
        ),
        Sale::InvalidReceiver(e) => says(format!("{} cannot receive it", e.to), "name another address with --to"),
        Sale::NotSettled(e) => not_yet("there are no unsold tokens before an outcome", e.state),
        Sale::GasTooLow(e) => says(
            format!("{} gas was left and {} are needed to move the unsold tokens", e.available, e.needed),
            "send it again with a gas limit of 400000",
        ),
        Sale::NothingUnsold(_) => says("no unsold token is left in the sale", "nothing is left to do"),
        Sale::AlreadySwept(_) => {
            says("the money has gone to the vault already", "release it from there: crowdsale release SALE")
        }
        Sale::NotASale(_) => says(
            "this is the code that all sales share, not a sale",
            "take the sale's own address, as `crowdsale sale deploy` printed it",
        ),
        Sale::EtherTransferFailed(e) => ether_refused(e.to, e.amount),
        Sale::TransferNotExact(e) => transfer_not_exact(e.token, e.expected, e.received),
        Sale::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Sale::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Sale::ReentrancyGuardReentrantCall(_) => reentered(),
        Sale::CloneArgumentsTooLong(_) => clone_arguments(),
        #[allow(unreachable_patterns, reason = "TEMP")]
        _ => says("TEMP", REPORT),
    }
}

fn vault(error: &Vault, assets: &Assets) -> Explanation {
    match error {
        Vault::NotAVault(_) => says(
            "this is the code that all vaults share, not a vault",
            "take the vault's own address, as `crowdsale sale status` prints it",
        ),
        Vault::OnlySale(e) => says(
            format!("only the sale {} may send ether here, and the sender is {}", e.sale, e.caller),
            "to contribute, send to the sale: crowdsale contribute SALE AMOUNT",
        ),
        Vault::NothingToRelease(e) => says(
            format!(
                "all that is due has been released: {} of {}",
                money(e.released, assets),
                money(e.received, assets)
            ),
            "nothing is left to do",
        ),
        Vault::EtherTransferFailed(e) => ether_refused(e.to, e.amount),
        Vault::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Vault::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Vault::ReentrancyGuardReentrantCall(_) => reentered(),
        #[allow(unreachable_patterns, reason = "TEMP")]
        _ => says("TEMP", REPORT),
    }
}

/// A token's amounts are in base units: the error does not say which token it comes from.
fn token(error: &Token) -> Explanation {
    match error {
        Token::ERC20InsufficientBalance(e) => says(
            format!("{} has {} base units of the token, and {} are needed", e.sender, e.balance, e.needed),
            "get more of the token first, or take a smaller amount",
        ),
        Token::ERC20InsufficientAllowance(e) => says(
            format!("{} may take {} base units of the token, and {} are needed", e.spender, e.allowance, e.needed),
            "run the command again: it approves what is needed",
        ),
        Token::ERC20InvalidSender(e) => {
            says(format!("the token cannot be sent from {}", e.sender), "check the address")
        }
        Token::ERC20InvalidReceiver(e) => {
            says(format!("the token cannot be sent to {}", e.receiver), "name another receiver")
        }
        Token::ERC20InvalidApprover(e) => {
            says(format!("{} cannot approve the token", e.approver), "send it from another account")
        }
        Token::ERC20InvalidSpender(e) => says(
            format!("the token cannot be approved for {}", e.spender),
            "check the address of the sale or the factory",
        ),
        Token::ERC2612ExpiredSignature(e) => {
            says(format!("the permit was valid until {}", time(e.deadline)), "sign a new permit")
        }
        Token::ERC2612InvalidSigner(e) => says(
            format!("the permit was signed by {}, not by the owner {}", e.signer, e.owner),
            "sign it with the owner's key, for this token and this chain",
        ),
        Token::InvalidAccountNonce(e) => says(
            format!("the permit's nonce is not the next one of {}, which is {}", e.account, e.currentNonce),
            "sign a new permit with that nonce",
        ),
        Token::ECDSAInvalidSignature(_) => says("the signature is not valid", "sign again"),
        Token::ECDSAInvalidSignatureLength(e) => {
            says(format!("the signature has {} bytes instead of 65", e.length), "sign again with an ordinary key")
        }
        Token::ECDSAInvalidSignatureS(e) => {
            says(format!("the signature's s value {} is in the upper half, which is refused", e.s), "sign again")
        }
        Token::InvalidShortString(_) => says("the token's stored name cannot be read", REPORT),
        Token::StringTooLong(e) => says(
            format!("{:?} is too long to be stored in one word", e.str),
            "choose a shorter name for the token: token.name in the sale file",
        ),
        #[allow(unreachable_patterns, reason = "TEMP")]
        _ => says("TEMP", REPORT),
    }
}

fn not_yet(rule: &str, current: u8) -> Explanation {
    says(
        format!("{rule}, and the sale {}", state(current)),
        match current {
            2 => "close it first, which anyone may do: crowdsale sale close SALE",
            3 => "investors claim their tokens: crowdsale claim SALE",
            4 | 5 => "investors take their money back: crowdsale refund SALE",
            _ => SEE_STATUS,
        },
    )
}

fn ether_refused(to: Address, amount: U256) -> Explanation {
    says(
        format!("{to} refused {amount} wei"),
        "it is a contract that takes no ether: the investor itself can name another receiver with --to",
    )
}

fn transfer_not_exact(token: Address, expected: U256, received: U256) -> Explanation {
    says(
        format!("the token {token} moved {received} base units where {expected} were asked for"),
        "tokens that take a fee on transfers or change balances cannot be used here: use another token",
    )
}

fn erc20_failed(token: Address) -> Explanation {
    says(
        format!("the token {token} refused the transfer"),
        "check that the account has enough of it, that it is not blocked there, and that the token is not paused",
    )
}

fn too_large(bits: u8, value: U256) -> Explanation {
    says(format!("{value} does not fit into {bits} bits, in which the contract keeps it"), "use a smaller amount")
}

fn reentered() -> Explanation {
    says(
        "a contract that was paid called back into the sale, which is refused",
        "the receiver or the token is hostile or broken: use another receiver",
    )
}

fn clone_arguments() -> Explanation {
    says("the terms do not fit into a contract's code", "take fewer phases")
}

#[cfg(test)]
mod tests;
