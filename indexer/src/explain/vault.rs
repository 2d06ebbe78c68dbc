//! Errors of a vault: its schedule and the investors' objection.

use super::{Assets, Next, Said, erc20_failed, ether_refused, money, reentered, says, time, too_large};
use crate::contracts::RefundVault::RefundVaultErrors as Vault;

pub(super) fn explain(error: &Vault, assets: &Assets) -> Said {
    match error {
        Vault::NotAVault(_) => says(
            "this is the code that all vaults share, not a vault",
            Next::Either(
                "take the vault's own address, as `crowdsale sale status` prints it",
                "take the vault's own address, which the sale names",
            ),
        ),
        Vault::OnlySale(e) => says(
            format!("only the sale {} may send ether here, and the sender is {}", e.sale, e.caller),
            Next::Run("to contribute, send to the sale", "crowdsale contribute SALE AMOUNT".into()),
        ),
        Vault::OnlyBeneficiary(e) => says(
            format!("only the beneficiary {} may name another receiver, and the sender is {}", e.beneficiary, e.caller),
            Next::Either(
                "leave --to out, and the money goes to the beneficiary: crowdsale release SALE",
                "name no receiver, and the money goes to the beneficiary",
            ),
        ),
        Vault::NothingToRelease(e) if e.released == e.received => says(
            format!(
                "all that is due has been released: {} of {}",
                money(e.released, assets),
                money(e.received, assets)
            ),
            "nothing is left to do",
        ),
        Vault::NothingToRelease(e) => says(
            format!(
                "all that is due has been released: {} of {}; the last of it is due at {}",
                money(e.released, assets),
                money(e.received, assets),
                time(e.complete)
            ),
            Next::Run("release again later", "crowdsale release SALE".into()),
        ),
        Vault::TapIsStopped(e) => says(
            format!("investors have stopped the tap: the rest, {}, is theirs", money(e.rest, assets)),
            Next::Run("investors take their share of it", "crowdsale refund SALE".into()),
        ),
        Vault::TapNotStopped(e) if e.needed.is_zero() => says(
            "investors have not stopped the tap, so nothing of it comes back",
            Next::Run("if the terms give an objection, object", "crowdsale object SALE".into()),
        ),
        Vault::TapNotStopped(e) => says(
            format!(
                "investors have not stopped the tap: {} object, and more than {} must",
                money(e.objected, assets),
                money(e.needed, assets)
            ),
            Next::Run("object", "crowdsale object SALE".into()),
        ),
        Vault::NoObjection(_) => says(
            "the terms of this sale give investors no objection",
            Next::Run("see its terms", "crowdsale sale status SALE".into()),
        ),
        Vault::ObjectionTooLate(e) => says(
            format!("all the money is due since {}: nothing is left to object to", time(e.complete)),
            "nothing is left to do",
        ),
        Vault::AlreadyObjected(e) => {
            says(format!("{} has objected already, with all its weight", e.investor), "wait for others to object too")
        }
        Vault::NoStake(e) => says(
            format!("the sale kept no money of {}, so its objection has no weight", e.account),
            Next::Run("send it with the key of an investor", "--private-key-file FILE".into()),
        ),
        Vault::NothingToRefund(e) => says(
            format!("{} has had its share of the rest, or has none", e.investor),
            Next::Either(
                "name another investor with --for, if it is another's position",
                "name another investor, if it is another's position",
            ),
        ),
        Vault::InvalidReceiver(e) => says(
            format!("{} cannot receive it", e.to),
            Next::Either("name another address with --to", "name another receiver"),
        ),
        Vault::EtherTransferFailed(e) => ether_refused(e.to, e.amount),
        Vault::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Vault::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Vault::ReentrancyGuardReentrantCall(_) => reentered(),
    }
}
