//! Errors of the factory, most of them about terms with which a sale could not work.

use alloy::primitives::U256;

use super::{
    Assets, MEND_FILE, Next, REPORT, Said, clone_arguments, days, erc20_failed, money, percent, phase, says, time,
    tokens, transfer_not_exact,
};
use crate::contracts::SaleFactory::SaleFactoryErrors as Factory;

pub(super) fn explain(error: &Factory, assets: &Assets) -> Said {
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
                tokens(e.tokensForSale, assets),
                tokens(e.needed, assets)
            ),
            MEND_FILE,
        ),
        Factory::SaleExists(e) => says(
            format!("this very sale exists already, at {}", e.sale),
            Next::Run("nothing is left to do", format!("crowdsale sale status {}", e.sale).into()),
        ),
        Factory::TokenGiven(e) => says(
            format!("a sale that creates its token cannot name one, but {} was named", e.token),
            "remove token.address, or the new token's name and supply, from the sale file",
        ),
        Factory::SupplyShort(e) => says(
            format!(
                "the new token's supply {} is below the {} that are for sale and allocated",
                tokens(e.supply, assets),
                tokens(e.needed, assets)
            ),
            MEND_FILE,
        ),
        Factory::SignerMissing(e) => says(
            format!("{} asks for vouchers, and nobody is named who signs them", phase(e.index)),
            "name sale.voucher_signer in the sale file",
        ),
        Factory::RootMissing(e) => says(
            format!("{} is for those on a list, and has no list", phase(e.index)),
            "name the phase's list or list_root in the sale file",
        ),
        Factory::RootUnused(e) => says(format!("{} has a list, and its gate is not a list", phase(e.index)), MEND_FILE),
        Factory::CoolingOffTooLong(e) => says(
            format!("the cooling-off lasts {}, and may last {} at most", days(e.coolingOff), days(e.max)),
            MEND_FILE,
        ),
        Factory::CoolingOffInAuction(e) => says(
            format!(
                "the cooling-off lasts {}, and an auction cannot have one: a bid that can be taken back would hold the others' price up",
                days(e.coolingOff)
            ),
            "remove sale.cooling_off from the sale file",
        ),
        Factory::VestingInvalid(e) => says(
            format!(
                "{} at once, a cliff of {} and a duration of {} are no vesting: the share is at most 100 %, the cliff within the duration, that at most {}, and nothing is at once where all is",
                percent(e.atOnce),
                days(e.cliff),
                days(e.duration),
                days(e.max)
            ),
            MEND_FILE,
        ),
        Factory::TapInvalid(e) => says(
            format!(
                "{} at once, a duration of {} and an objection of {} are no release: the share is at most 100 %, the duration at most {}, the objection below 100 %, and neither stands without a duration",
                percent(e.atOnce),
                days(e.duration),
                percent(e.objection),
                days(e.max)
            ),
            MEND_FILE,
        ),
        Factory::PhaseNotUniform(e) => says(
            format!(
                "{} has a price or a cap of its own ({}), and in a pro-rata sale all phases have one price and the hard cap",
                phase(e.index),
                money(e.raisedUpTo, assets)
            ),
            MEND_FILE,
        ),
        Factory::PhaseNotFalling(e) => says(
            format!(
                "{} has a higher price than the one before or a cap of its own ({}), and in an auction the price falls and every phase has the hard cap",
                phase(e.index),
                money(e.raisedUpTo, assets)
            ),
            MEND_FILE,
        ),
        Factory::AllocationCount(e) => {
            says(format!("there are {} allocations, and there can be {} at most", e.count, e.max), MEND_FILE)
        }
        Factory::AllocationInvalid(e) => says(
            format!(
                "allocation {} of {} to {} with a cliff of {} and a duration of {} cannot be: it needs a beneficiary, an amount, a cliff within the duration, and that at most {}",
                e.index.saturating_add(U256::ONE),
                tokens(U256::from(e.allocation.amount), assets),
                e.allocation.beneficiary,
                days(U256::from(e.allocation.cliff)),
                days(U256::from(e.allocation.duration)),
                days(e.max)
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
    }
}
