//! Errors of a vault: its schedule and the investors' objection.

use super::{Assets, Explanation, erc20_failed, ether_refused, money, reentered, says, time, too_large};
use crate::contracts::RefundVault::RefundVaultErrors as Vault;

pub(super) fn explain(error: &Vault, assets: &Assets) -> Explanation {
    match error {
        Vault::NotAVault(_) => says(
            "this is the code that all vaults share, not a vault",
            "take the vault's own address, as `crowdsale sale status` prints it",
        ),
        Vault::OnlySale(e) => says(
            format!("only the sale {} may send ether here, and the sender is {}", e.sale, e.caller),
            "to contribute, send to the sale: crowdsale contribute SALE AMOUNT",
        ),
        Vault::OnlyBeneficiary(e) => says(
            format!("only the beneficiary {} may name another receiver, and the sender is {}", e.beneficiary, e.caller),
            "leave --to out, and the money goes to the beneficiary: crowdsale release SALE",
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
            "release again later: crowdsale release SALE",
        ),
        Vault::TapIsStopped(e) => says(
            format!("investors have stopped the tap: the rest, {}, is theirs", money(e.rest, assets)),
            "investors take their share of it: crowdsale refund SALE",
        ),
        Vault::TapNotStopped(e) if e.needed.is_zero() => says(
            "investors have not stopped the tap, so nothing of it comes back",
            "if the terms give an objection, object: crowdsale object SALE",
        ),
        Vault::TapNotStopped(e) => says(
            format!(
                "investors have not stopped the tap: {} object, and more than {} must",
                money(e.objected, assets),
                money(e.needed, assets)
            ),
            "object: crowdsale object SALE",
        ),
        Vault::NoObjection(_) => {
            says("the terms of this sale give investors no objection", "see its terms: crowdsale sale status SALE")
        }
        Vault::ObjectionTooLate(e) => says(
            format!("all the money is due since {}: nothing is left to object to", time(e.complete)),
            "nothing is left to do",
        ),
        Vault::AlreadyObjected(e) => {
            says(format!("{} has objected already, with all its weight", e.investor), "wait for others to object too")
        }
        Vault::NoStake(e) => says(
            format!("the sale kept no money of {}, so its objection has no weight", e.account),
            "send it with the key of an investor: --private-key-file FILE",
        ),
        Vault::NothingToRefund(e) => says(
            format!("{} has had its share of the rest, or has none", e.investor),
            "name another investor with --for, if it is another's position",
        ),
        Vault::InvalidReceiver(e) => says(format!("{} cannot receive it", e.to), "name another address with --to"),
        Vault::EtherTransferFailed(e) => ether_refused(e.to, e.amount),
        Vault::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Vault::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Vault::ReentrancyGuardReentrantCall(_) => reentered(),
    }
}
