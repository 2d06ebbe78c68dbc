//! Errors of the sold tokens and of the development stablecoin.

use alloy::primitives::U256;

use super::{Next, REPORT, Said, says, time, too_large};
use crate::contracts::{
    RestrictedSaleToken::RestrictedSaleTokenErrors as Restricted, SaleToken::SaleTokenErrors as Token,
};

/// A token's amounts are in base units: the error does not say which token it comes from.
pub(super) fn explain(error: &Token) -> Said {
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
    }
}

/// What a restricted token adds; the rest it has in common with the plain one, which is tried first.
pub(super) fn explain_restricted(error: &Restricted) -> Option<Said> {
    Some(match error {
        Restricted::TransferRestricted(e) => {
            let (who, address) = if e.code == 1 { ("sender", e.from) } else { ("receiver", e.to) };
            says(
                format!("the token moves between approved holders only, and the {who} {address} is not one"),
                Next::Run(
                    "have a registrar of the token approve it",
                    "crowdsale token holders set TOKEN HOLDERS.csv".into(),
                ),
            )
        }
        Restricted::OnlyIssuer(e) => says(
            format!("only the factory {} may admit contracts, and the sender is {}", e.issuer, e.caller),
            Next::Run("approve a holder instead", "crowdsale token holders set TOKEN HOLDERS.csv".into()),
        ),
        Restricted::LengthsDiffer(e) => {
            says(format!("there are {} holders and {} times", e.holders, e.untils), "give every holder one time")
        }
        Restricted::AccessControlUnauthorizedAccount(e) => says(
            format!("{} does not have the role that this needs ({})", e.account, e.neededRole),
            Next::Run("send it with the key of a registrar of the token", "--private-key-file FILE".into()),
        ),
        Restricted::AccessControlBadConfirmation(_) => {
            says("a role can be given up by its holder only", "send it with the holder's key")
        }
        Restricted::AccessControlEnforcedDefaultAdminDelay(e) => says(
            format!("the admin's role changes hands from {} on", time(U256::from(e.schedule))),
            "send it again then",
        ),
        Restricted::AccessControlEnforcedDefaultAdminRules(_) => says(
            "the admin's role is handed on in two steps, not granted or taken",
            "begin with beginDefaultAdminTransfer, and let the new admin accept",
        ),
        Restricted::AccessControlInvalidDefaultAdmin(e) => {
            says(format!("{} cannot become the admin", e.defaultAdmin), "name the account that was offered the role")
        }
        Restricted::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Restricted::ERC20InsufficientBalance(_)
        | Restricted::ERC20InsufficientAllowance(_)
        | Restricted::ERC20InvalidSender(_)
        | Restricted::ERC20InvalidReceiver(_)
        | Restricted::ERC20InvalidApprover(_)
        | Restricted::ERC20InvalidSpender(_)
        | Restricted::ERC2612ExpiredSignature(_)
        | Restricted::ERC2612InvalidSigner(_)
        | Restricted::InvalidAccountNonce(_)
        | Restricted::ECDSAInvalidSignature(_)
        | Restricted::ECDSAInvalidSignatureLength(_)
        | Restricted::ECDSAInvalidSignatureS(_)
        | Restricted::InvalidShortString(_)
        | Restricted::StringTooLong(_) => return None,
    })
}
