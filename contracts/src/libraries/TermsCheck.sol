// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Currency} from "../types/Currency.sol";
import {Gate, Mode, Phase, SaleTerms, Tap, Vesting} from "../types/SaleTypes.sol";
import {Price} from "./Price.sol";
import {Schedule} from "./Schedule.sol";

/// @title TermsCheck
/// @notice Refuses terms with which a sale could not work.
library TermsCheck {
    /// @notice Most phases a sale can have.
    uint256 internal constant MAX_PHASES = 8;

    /// @notice Longest a sale may take contributions, in seconds: nobody's money waits for an outcome longer than this.
    uint256 internal constant MAX_DURATION = 366 days;

    /// @notice Longest that tokens may vest or money be released, in seconds.
    uint256 internal constant MAX_SCHEDULE = 3653 days;

    /// @notice The owner is the zero address.
    error OwnerZero();

    /// @notice The beneficiary is the zero address.
    error BeneficiaryZero();

    /// @notice The token has no code.
    error TokenNotContract(address token);

    /// @notice The payment token has no code.
    error CurrencyNotContract(address currency);

    /// @notice A token cannot be paid for with itself.
    error CurrencyIsToken(address token);

    /// @notice The sale would open before this block.
    error OpensInPast(uint256 opens, uint256 blockTimestamp);

    /// @notice The soft cap is zero: then there is no goal to miss, and no refund.
    error SoftCapZero();

    /// @notice The soft cap is above the hard cap.
    error CapsCrossed(uint256 softCap, uint256 hardCap);

    /// @notice The minimum of an investor is above the maximum, or the maximum is zero.
    error LimitsCrossed(uint256 minPaid, uint256 maxPaid);

    /// @notice The maximum of an investor is above the hard cap.
    error MaximumAboveHardCap(uint256 maxPaid, uint256 hardCap);

    /// @notice There must be between one and `max` phases.
    error PhaseCount(uint256 count, uint256 max);

    /// @notice A phase must end after the one before it, and the first after the opening.
    error PhaseEndNotAfter(uint256 index, uint256 end, uint256 previous);

    /// @notice The cumulative cap of a phase is below that of the one before it.
    error PhaseCapBelow(uint256 index, uint256 raisedUpTo, uint256 previous);

    /// @notice A phase gives tokens away.
    error PhasePriceZero(uint256 index);

    /// @notice The last phase must sell up to the hard cap.
    error LastPhaseCap(uint256 raisedUpTo, uint256 hardCap);

    /// @notice Fewer base units than buy one of the token could be left below the soft cap in the last phase, or at any price
    /// of an auction: a contribution that leaves just them would make the sale fail. `highest` is the highest soft cap that
    /// is safe.
    error SoftCapOutOfReach(uint256 softCap, uint256 highest);

    /// @notice The sale would run for longer than `max` seconds.
    error DurationTooLong(uint256 duration, uint256 max);

    /// @notice Fewer tokens are for sale than the hard cap could buy.
    error TokensShort(uint256 tokensForSale, uint256 needed);

    /// @notice A phase asks for vouchers, and there is nobody to sign them.
    error SignerMissing(uint256 index);

    /// @notice A phase with a list has no root.
    error RootMissing(uint256 index);

    /// @notice A phase without a list has a root.
    error RootUnused(uint256 index);

    /// @notice The cooling-off is longer than the longest sale.
    error CoolingOffTooLong(uint256 coolingOff, uint256 max);

    /// @notice An auction has no cooling-off: a bid that can be taken back would hold the others' price up.
    error CoolingOffInAuction(uint256 coolingOff);

    /// @notice A share above one whole, a cliff after the end, a share at once of what comes all at once, or more than
    /// `max` seconds.
    error VestingInvalid(uint256 atOnce, uint256 cliff, uint256 duration, uint256 max);

    /// @notice As `VestingInvalid`; also an objection that needs all of the money or more, or that has no tap to stop.
    error TapInvalid(uint256 atOnce, uint256 duration, uint256 objection, uint256 max);

    /// @notice In a pro-rata sale all phases have one price, and no phase has a cap of its own.
    error PhaseNotUniform(uint256 index, uint256 price, uint256 raisedUpTo);

    /// @notice In an auction the price falls or stays, and no phase has a cap of its own.
    error PhaseNotFalling(uint256 index, uint256 price, uint256 raisedUpTo);

    /// @notice Reverts with one of this library's errors unless a sale with these terms can work.
    function check(Mode mode, SaleTerms memory terms) internal view {
        if (terms.owner == address(0)) revert OwnerZero();
        if (terms.beneficiary == address(0)) revert BeneficiaryZero();
        if (terms.token.code.length == 0) revert TokenNotContract(terms.token);
        address currency = Currency.unwrap(terms.currency);
        if (currency != address(0) && currency.code.length == 0) revert CurrencyNotContract(currency);
        if (currency == terms.token) revert CurrencyIsToken(currency);
        if (terms.opens < block.timestamp) revert OpensInPast(terms.opens, block.timestamp);
        if (terms.softCap == 0) revert SoftCapZero();
        if (terms.softCap > terms.hardCap) revert CapsCrossed(terms.softCap, terms.hardCap);
        if (terms.minPaid > terms.maxPaid || terms.maxPaid == 0) revert LimitsCrossed(terms.minPaid, terms.maxPaid);
        if (terms.maxPaid > terms.hardCap) revert MaximumAboveHardCap(terms.maxPaid, terms.hardCap);
        _checkSchedules(terms);
        _checkPhases(mode, terms);
        uint256 last = terms.phases[terms.phases.length - 1].price;
        uint256 highest;
        if (mode == Mode.DutchAuction) {
            if (terms.coolingOff != 0) revert CoolingOffInAuction(terms.coolingOff);
            highest = _highestInAuction(terms, terms.phases[0].price, last);
        } else {
            uint256 needed = tokensNeeded(terms.phases);
            if (terms.tokensForSale < needed) revert TokensShort(terms.tokensForSale, needed);
            highest = highestSoftCap(terms.hardCap, last);
        }
        if (terms.softCap > highest) revert SoftCapOutOfReach(terms.softCap, highest);
    }

    function _checkSchedules(SaleTerms memory terms) private pure {
        if (terms.coolingOff > MAX_DURATION) revert CoolingOffTooLong(terms.coolingOff, MAX_DURATION);
        Vesting memory v = terms.vesting;
        if (
            v.atOnce > Schedule.WHOLE || v.cliff > v.duration || v.duration > MAX_SCHEDULE
                || (v.duration == 0 && v.atOnce != 0)
        ) revert VestingInvalid(v.atOnce, v.cliff, v.duration, MAX_SCHEDULE);
        Tap memory t = terms.tap;
        if (
            t.atOnce > Schedule.WHOLE || t.duration > MAX_SCHEDULE || t.objection >= Schedule.WHOLE
                || (t.duration == 0 && (t.atOnce != 0 || t.objection != 0))
        ) revert TapInvalid(t.atOnce, t.duration, t.objection, MAX_SCHEDULE);
    }

    function _checkPhases(Mode mode, SaleTerms memory terms) private pure {
        uint256 count = terms.phases.length;
        if (count == 0 || count > MAX_PHASES) revert PhaseCount(count, MAX_PHASES);
        uint256 end = terms.opens;
        uint256 cap = 0;
        for (uint256 i = 0; i < count; ++i) {
            Phase memory p = terms.phases[i];
            if (p.end <= end) revert PhaseEndNotAfter(i, p.end, end);
            if (p.raisedUpTo < cap) revert PhaseCapBelow(i, p.raisedUpTo, cap);
            if (p.price == 0) revert PhasePriceZero(i);
            if (p.gate == Gate.Voucher && terms.signer == address(0)) revert SignerMissing(i);
            if (p.gate == Gate.Merkle && p.root == 0) revert RootMissing(i);
            if (p.gate != Gate.Merkle && p.root != 0) revert RootUnused(i);
            bool capped = mode != Mode.FixedPrice && p.raisedUpTo != terms.hardCap;
            if (mode == Mode.ProRata && (capped || p.price != terms.phases[0].price)) {
                revert PhaseNotUniform(i, p.price, p.raisedUpTo);
            }
            if (mode == Mode.DutchAuction && (capped || (i != 0 && p.price > terms.phases[i - 1].price))) {
                revert PhaseNotFalling(i, p.price, p.raisedUpTo);
            }
            (end, cap) = (p.end, p.raisedUpTo);
        }
        if (cap != terms.hardCap) revert LastPhaseCap(cap, terms.hardCap);
        if (end - terms.opens > MAX_DURATION) revert DurationTooLong(end - terms.opens, MAX_DURATION);
    }

    /// @notice As long as a sale is below its soft cap, what is left up to the most that can be
    /// taken, `reach`, must buy something.
    /// @return Payment base units; zero if the whole sale buys nothing at `price`.
    function highestSoftCap(uint256 reach, uint256 price) internal pure returns (uint256) {
        return Math.saturatingSub(reach + 1, Math.ceilDiv(price, Price.UNIT));
    }

    /// @dev An auction can be sold out, and closed, at any of its prices. Below the hard cap the dust is largest at the first.
    /// Below what the tokens cost it is largest just above a last price that is a whole number: they cost no more there,
    /// and one base unit more can be left.
    function _highestInAuction(SaleTerms memory terms, uint256 first, uint256 last) private pure returns (uint256) {
        uint256 cost = Price.costOf(terms.tokensForSale, last);
        return Math.min(highestSoftCap(terms.hardCap, first), highestSoftCap(cost, Math.min(first, last + 1)));
    }

    /// @notice Most tokens that phases can sell, however the contributions fall. A phase that ran out of time leaves its
    /// room to the later ones, so each layer between two caps counts at the lowest price among the phases that can reach
    /// it. Every purchase rounds down, so the layers, rounded up, bound them all.
    /// @return needed Token base units.
    function tokensNeeded(Phase[] memory phases) internal pure returns (uint256 needed) {
        uint256 price = type(uint256).max;
        for (uint256 i = phases.length; i > 0; --i) {
            price = Math.min(price, phases[i - 1].price);
            uint256 floor = i > 1 ? phases[i - 2].raisedUpTo : 0;
            needed += Math.ceilDiv((phases[i - 1].raisedUpTo - floor) * Price.UNIT, price);
        }
    }
}
