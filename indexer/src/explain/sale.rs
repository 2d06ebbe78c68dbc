//! Errors of a sale of any mode, its gates and its roles among them.

use super::{
    Assets, Next, SEE_STATUS, Said, clone_arguments, erc20_failed, ether_refused, gate, money, not_yet, outcome, phase,
    phases, reentered, says, time, too_large, transfer_not_exact,
};
use crate::contracts::FixedPriceSale::FixedPriceSaleErrors as Sale;

pub(super) fn explain(error: &Sale, assets: &Assets) -> Said {
    match error {
        Sale::SaleNotOpen(e) if e.outcome != 0 => says(
            format!("the sale takes no contributions any more: it {}", outcome(e.outcome)),
            match e.outcome {
                1 => Next::Run("investors can claim their tokens", "crowdsale claim SALE".into()),
                _ => Next::Run("investors can have their money back", "crowdsale refund SALE".into()),
            },
        ),
        Sale::SaleNotOpen(e) => says(
            format!("the sale takes contributions from {} until {}, not now", time(e.opens), time(e.closes)),
            SEE_STATUS,
        ),
        Sale::InvalidInvestor(e) => says(
            format!("{} cannot hold a position in this sale", e.investor),
            Next::Either("name another investor with --for", "name another `investor`"),
        ),
        Sale::WrongValue(e) => says(
            format!("{} wei came with the contribution, but it takes {}", e.sent, e.expected),
            "send as much ether as the amount says, and none where the sale is paid with a token",
        ),
        Sale::EtherNotAccepted(e) => says(
            format!("this sale is paid with the token {}, not with ether", e.currency),
            Next::Either(
                "contribute through the command, which approves the token: crowdsale contribute SALE AMOUNT",
                "have the payer approve the token for the sale, then call contribute and send no ether with it",
            ),
        ),
        Sale::ContributionsPaused(_) => says(
            "the owner has paused contributions; claims and refunds go on",
            Next::Either("see where it stands: crowdsale sale status SALE, and wait", "wait until it goes on"),
        ),
        Sale::InvestorRejected(e) => says(
            format!("compliance has rejected {}, who takes no part in this sale any more", e.investor),
            Next::Run("what was paid comes back at once", "crowdsale refund SALE".into()),
        ),
        Sale::EligibilityMissing(e) => match e.gate {
            1 => says(
                format!("{} is open to holders of a voucher only, and none was given", phase(e.phase)),
                Next::Either(
                    "ask the team for a voucher, and name it: crowdsale contribute SALE AMOUNT --eligibility VOUCHER",
                    "ask the team for a voucher, and send it as `eligibility`",
                ),
            ),
            _ => says(
                format!("{} is open to those on its list only, and no proof was given", phase(e.phase)),
                Next::Either(
                    "name the list, or its proof: crowdsale contribute SALE AMOUNT --allowlist TREE.json",
                    "take the investor's proof from the list, and send it as `eligibility`",
                ),
            ),
        },
        Sale::EligibilityMalformed(e) => says(
            format!("the proof of eligibility has {} bytes, which no {} has", e.length, gate(e.gate)),
            "copy the whole text that the team gave, and check that it is for this sale",
        ),
        Sale::VoucherNotForPhase(e) => says(
            format!("the voucher is for {}, not for {}", phases(e.phases), phase(e.phase)),
            "wait for that phase, or ask the team for a voucher for this one",
        ),
        Sale::VoucherExpired(e) => says(
            format!("the voucher was good until {}, and it is {}", time(e.deadline), time(e.blockTimestamp)),
            "ask the team for a new voucher",
        ),
        Sale::VoucherInvalid(e) => says(
            format!("{} has not signed this voucher for {} in this sale, for epoch {}", e.signer, e.investor, e.epoch),
            "check that it was made for this investor and this sale; if the signer was changed, ask for a new one",
        ),
        Sale::NotOnList(e) => says(
            format!("the list of {} has no entry for {} with {}", phase(e.phase), e.investor, money(e.maxPaid, assets)),
            "take the proof of this investor from the list that the team published for this phase",
        ),
        Sale::SoldOut(e) => {
            says(format!("everything is sold; the hard cap is {}", money(e.hardCap, assets)), SEE_STATUS)
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
        Sale::SaleNotEnded(e) => says(
            format!(
                "the sale can be closed from {} on, or, without a cooling-off, once it is sold out, then by compliance alone \
                 where there is one",
                time(e.closes)
            ),
            SEE_STATUS,
        ),
        Sale::AlreadyClosed(e) => says(format!("the sale {} already, for ever", outcome(e.outcome)), SEE_STATUS),
        Sale::OnlyOwner(e) => says(
            format!("only the owner {} may do this, and the sender is {}", e.owner, e.caller),
            Next::Run("send it with the owner's key", "--private-key-file FILE".into()),
        ),
        Sale::OnlyVault(e) => says(
            format!("only the vault {} may do this, and the sender is {}", e.vault, e.caller),
            Next::Run("release the money through the vault", "crowdsale release SALE".into()),
        ),
        Sale::CancelTooLate(e) => says(
            format!("the sale ended at {} and cannot be cancelled any more", time(e.closes)),
            Next::Run("close it, and it succeeds or fails by its soft cap", "crowdsale sale close SALE".into()),
        ),
        Sale::SoftCapReached(e) => says(
            format!(
                "the sale has raised {} and reached its soft cap of {}: it cannot be cancelled any more",
                money(e.raised, assets),
                money(e.softCap, assets)
            ),
            Next::Run("wait for its end and close it", "crowdsale sale close SALE".into()),
        ),
        Sale::OnlyCompliance(e) if e.compliance.is_zero() => says(
            format!("this sale has nobody for compliance, so {} cannot reject an investor", e.caller),
            Next::Run("the owner can name somebody", "crowdsale sale compliance SALE ADDRESS".into()),
        ),
        Sale::OnlyCompliance(e) => says(
            format!("only compliance, {}, may do this, and the sender is {}", e.compliance, e.caller),
            Next::Run("send it with the key of compliance", "--private-key-file FILE".into()),
        ),
        Sale::SignerZero(_) => {
            says("vouchers cannot be signed by the zero address", "name the address of the key or the Safe that signs")
        }
        Sale::PauseUnchanged(e) => says(
            if e.paused { "contributions are paused already" } else { "contributions are not paused" },
            "nothing is left to do",
        ),
        Sale::NoCoolingOff(_) => says(
            "this sale has no cooling-off, so a contribution cannot be withdrawn",
            Next::Run("if the sale fails, take the money back then", "crowdsale refund SALE".into()),
        ),
        Sale::CoolingOffOver(e) => says(
            format!("the contribution could be withdrawn before {}", time(e.until)),
            Next::Run("if the sale fails, take the money back then", "crowdsale refund SALE".into()),
        ),
        Sale::NothingToWithdraw(e) => {
            says(format!("{} has paid nothing into this sale, or has withdrawn it", e.investor), SEE_STATUS)
        }
        Sale::NothingToReject(e) => {
            says(format!("{} has paid nothing into this sale, or has withdrawn it", e.investor), "check the address")
        }
        Sale::RejectTooLate(e) => says(
            format!("the sale ended at {}, and nobody can be rejected any more", time(e.closes)),
            Next::Run("close it, and everybody leaves with tokens or money", "crowdsale sale close SALE".into()),
        ),
        Sale::NothingVested(e) => says(
            format!(
                "all that {} has been allotted so far is claimed; the next tokens are free from {}",
                e.investor,
                time(e.from)
            ),
            Next::Run("claim again then", "crowdsale claim SALE".into()),
        ),
        Sale::NotSucceeded(e) => not_yet("the money is paid after success only", e.state),
        Sale::WhitepaperUnchanged(e) => says(
            format!("the whitepaper in force has this hash already: {}", e.hash),
            "nothing is left to do, unless another file was meant",
        ),
        Sale::OwnershipNotRenounceable(_) => says(
            "ownership can be handed on, not given up: some things are the owner's to receive",
            Next::Run("hand it on", "crowdsale sale owner transfer SALE ADDRESS".into()),
        ),
        Sale::OwnableUnauthorizedAccount(e) => says(
            format!("ownership was not offered to {}", e.account),
            Next::Run(
                "send it with the key of the account that it was offered to",
                "crowdsale sale status SALE".into(),
            ),
        ),
        Sale::OwnableInvalidOwner(e) => says(format!("{} cannot be an owner", e.owner), "name another address"),
        Sale::NotClaimable(e) => not_yet("tokens are given out after success only", e.state),
        Sale::NothingToClaim(e) => says(
            format!("{} has no tokens to claim in this sale, or has claimed them", e.investor),
            Next::Either(
                "name another investor with --for, if it is another's position",
                "name another investor, if it is another's position",
            ),
        ),
        Sale::NotRefundable(e) => not_yet("money is refunded after failure, cancellation or rejection only", e.state),
        Sale::NothingToRefund(e) => says(
            format!("{} has no money to be refunded in this sale, or has had it", e.investor),
            Next::Either(
                "name another investor with --for, if it is another's position",
                "name another investor, if it is another's position",
            ),
        ),
        Sale::InvalidReceiver(e) => says(
            format!("{} cannot receive it", e.to),
            Next::Either("name another address with --to", "name another receiver"),
        ),
        Sale::NotSettled(e) => not_yet("there are no unsold tokens before an outcome", e.state),
        Sale::GasTooLow(e) => says(
            format!("{} gas was left and {} are needed to move the unsold tokens", e.available, e.needed),
            "send it again with a gas limit of 400000",
        ),
        Sale::NothingUnsold(_) => says("no unsold token is left in the sale", "nothing is left to do"),
        Sale::AlreadySwept(_) => says(
            "the money has gone to the vault already",
            Next::Run("release it from there", "crowdsale release SALE".into()),
        ),
        Sale::NotASale(_) => says(
            "this is the code that all sales share, not a sale",
            Next::Either(
                "take the sale's own address, as `crowdsale sale deploy` printed it",
                "take the sale's own address, as the list of sales has it",
            ),
        ),
        Sale::EtherTransferFailed(e) => ether_refused(e.to, e.amount),
        Sale::TransferNotExact(e) => transfer_not_exact(e.token, e.expected, e.received),
        Sale::SafeERC20FailedOperation(e) => erc20_failed(e.token),
        Sale::SafeCastOverflowedUintDowncast(e) => too_large(e.bits, e.value),
        Sale::ReentrancyGuardReentrantCall(_) => reentered(),
        Sale::CloneArgumentsTooLong(_) => clone_arguments(),
    }
}
