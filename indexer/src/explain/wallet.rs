//! Errors of a team's wallet, and of the factory of tokens.

use super::{Next, REPORT, Said, erc20_failed, says, time, too_large};
use crate::contracts::{TeamWallet::TeamWalletErrors as Wallet, TokenFactory::TokenFactoryErrors as TokenFactory};

pub(super) fn explain(error: &Wallet) -> Said {
    match error {
        Wallet::NotAWallet(_) => says(
            "this is the code that all wallets share, not a wallet",
            Next::Run("take the wallet's own address", "crowdsale sale allocations SALE".into()),
        ),
        Wallet::EtherNotAccepted(_) => {
            says("the wallet holds the team's tokens, and takes no ether", "send the ether to its owner instead")
        }
        Wallet::NotReclaimable(e) => says(
            format!("the tokens go back only once the sale {} has failed or was cancelled", e.sale),
            Next::Run("see where it stands", format!("crowdsale sale status {}", e.sale).into()),
        ),
        Wallet::NothingToReclaim(e) => {
            says(format!("no token {} is left in the wallet", e.token), "nothing is left to do")
        }
        Wallet::NothingToRelease(e) => says(
            format!(
                "nothing of the token {} is free now: the first tokens are from {} on, if the sale has succeeded",
                e.token,
                time(e.cliff)
            ),
            Next::Run("see what is free and when", "crowdsale sale allocations SALE".into()),
        ),
        Wallet::OnlyOwner(e) => says(
            format!("only the owner {} may do this, and the sender is {}", e.owner, e.caller),
            Next::Run("send it with the owner's key", "--private-key-file FILE".into()),
        ),
        Wallet::OwnershipNotRenounceable(_) => {
            says("ownership of the wallet can be handed on, not given up", "transfer it to another address")
        }
        Wallet::OwnableInvalidOwner(e) => says(format!("{} cannot be an owner", e.owner), "name another address"),
        Wallet::OwnableUnauthorizedAccount(e) => says(
            format!("ownership was not offered to {}", e.account),
            "send it with the key of the account that it was offered to",
        ),
        Wallet::InvalidCliffDuration(e) => says(
            format!("the cliff of {} s is after the end, {} s", e.cliffSeconds, e.durationSeconds),
            "take a cliff within the duration",
        ),
        Wallet::FailedCall(_) => says("a contract that the wallet called refused it", "check the token's address"),
        Wallet::InsufficientBalance(e) => {
            says(format!("the wallet would need {} wei and has {}", e.needed, e.balance), REPORT)
        }
        Wallet::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Wallet::SafeERC20FailedOperation(e) => erc20_failed(e.token),
    }
}

pub(super) fn explain_token_factory(error: &TokenFactory) -> Said {
    match error {
        TokenFactory::InsufficientBalance(e) => {
            says(format!("the factory of tokens would need {} wei and has {}", e.needed, e.balance), REPORT)
        }
        TokenFactory::FailedDeployment(_) => says(
            "the chain refused to create the token, most often because it exists already",
            "look at the sale that was created with it; for another token change its name or its sale",
        ),
        TokenFactory::Create2EmptyBytecode(_) => says("the factory of tokens has no code to create one from", REPORT),
    }
}
