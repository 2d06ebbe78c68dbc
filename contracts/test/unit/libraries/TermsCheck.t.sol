// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TermsCheck} from "../../../src/libraries/TermsCheck.sol";
import {Currency} from "../../../src/types/Currency.sol";
import {Gate, Mode, Phase, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract TermsCheckTest is SaleTest {
    function test_OwnerZero() external {
        SaleTerms memory t = terms();
        t.owner = address(0);
        _refused(t, abi.encodeWithSelector(TermsCheck.OwnerZero.selector));
    }

    function test_BeneficiaryZero() external {
        SaleTerms memory t = terms();
        t.beneficiary = address(0);
        _refused(t, abi.encodeWithSelector(TermsCheck.BeneficiaryZero.selector));
    }

    function test_TokenNotContract() external {
        SaleTerms memory t = terms();
        t.token = alice;
        _refused(t, abi.encodeWithSelector(TermsCheck.TokenNotContract.selector, alice));
        t.token = address(0);
        _refused(t, abi.encodeWithSelector(TermsCheck.TokenNotContract.selector, address(0)));
    }

    function test_CurrencyNotContract() external {
        SaleTerms memory t = terms();
        t.currency = Currency.wrap(alice);
        _refused(t, abi.encodeWithSelector(TermsCheck.CurrencyNotContract.selector, alice));
    }

    function test_CurrencyIsToken() external {
        SaleTerms memory t = terms();
        t.currency = Currency.wrap(address(token));
        _refused(t, abi.encodeWithSelector(TermsCheck.CurrencyIsToken.selector, address(token)));
    }

    function test_OpensInPast() external {
        vm.warp(OPENS + 1);
        _refused(terms(), abi.encodeWithSelector(TermsCheck.OpensInPast.selector, OPENS, OPENS + 1));
        vm.warp(OPENS);
        _accepted(terms());
    }

    function test_SoftCapZero() external {
        SaleTerms memory t = terms();
        t.softCap = 0;
        _refused(t, abi.encodeWithSelector(TermsCheck.SoftCapZero.selector));
        t.softCap = 1;
        _accepted(t);
    }

    function test_CapsCrossed() external {
        SaleTerms memory t = terms();
        t.softCap = t.hardCap + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.CapsCrossed.selector, 100 ether + 1, 100 ether));
        t.softCap = t.hardCap;
        _accepted(t);
    }

    function test_LimitsCrossed() external {
        SaleTerms memory t = terms();
        t.minPaid = t.maxPaid + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.LimitsCrossed.selector, 50 ether + 1, 50 ether));
        t.minPaid = t.maxPaid;
        _accepted(t);
    }

    function test_LimitsZero() external {
        SaleTerms memory t = terms();
        (t.minPaid, t.maxPaid) = (0, 0);
        _refused(t, abi.encodeWithSelector(TermsCheck.LimitsCrossed.selector, 0, 0));
        t.maxPaid = 1;
        _accepted(t);
    }

    function test_MaximumAboveHardCap() external {
        SaleTerms memory t = terms();
        t.maxPaid = t.hardCap + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.MaximumAboveHardCap.selector, 100 ether + 1, 100 ether));
        t.maxPaid = t.hardCap;
        _accepted(t);
    }

    function test_PhaseCount() external {
        SaleTerms memory t = terms();
        t.phases = new Phase[](0);
        _refused(t, abi.encodeWithSelector(TermsCheck.PhaseCount.selector, 0, 8));
        t.phases = _phases(9);
        _refused(t, abi.encodeWithSelector(TermsCheck.PhaseCount.selector, 9, 8));
        t.phases = _phases(8);
        _accepted(t);
        t.phases = _phases(1);
        _accepted(t);
    }

    function test_FirstPhaseEndNotAfter() external {
        SaleTerms memory t = terms();
        t.phases[0].end = OPENS;
        _refused(t, abi.encodeWithSelector(TermsCheck.PhaseEndNotAfter.selector, 0, OPENS, OPENS));
        t.phases[0].end = OPENS + 1;
        _accepted(t);
    }

    function test_LaterPhaseEndNotAfter() external {
        SaleTerms memory t = terms();
        t.phases[3].end = t.phases[2].end;
        _refused(t, abi.encodeWithSelector(TermsCheck.PhaseEndNotAfter.selector, 3, OPENS + 3 days, OPENS + 3 days));
        t.phases[3].end = t.phases[2].end + 1;
        _accepted(t);
    }

    function test_PhaseCapBelow() external {
        SaleTerms memory t = terms();
        t.phases[1].raisedUpTo = 20 ether - 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.PhaseCapBelow.selector, 1, 20 ether - 1, 20 ether));
        t.phases[1].raisedUpTo = 20 ether;
        _accepted(t);
    }

    function test_PhasePriceZero() external {
        SaleTerms memory t = _tiny();
        t.phases[0].price = 0;
        _refused(t, abi.encodeWithSelector(TermsCheck.PhasePriceZero.selector, 0));
        t.phases[0].price = 1;
        _accepted(t);
        t = terms();
        t.phases[3].price = 0;
        _refused(t, abi.encodeWithSelector(TermsCheck.PhasePriceZero.selector, 3));
    }

    function test_LastPhaseCap() external {
        SaleTerms memory t = terms();
        t.phases[3].raisedUpTo = 100 ether - 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.LastPhaseCap.selector, 100 ether - 1, 100 ether));
        t.phases[3].raisedUpTo = 100 ether + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.LastPhaseCap.selector, 100 ether + 1, 100 ether));
    }

    function test_DurationTooLong() external {
        SaleTerms memory t = terms();
        t.phases[3].end = OPENS + 366 days + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.DurationTooLong.selector, 366 days + 1, 366 days));
        t.phases[3].end = OPENS + 366 days;
        _accepted(t);
    }

    function test_SoftCapOutOfReach() external {
        SaleTerms memory t = onePhase(2e18 + 1);
        t.softCap = 100 ether - 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 100 ether - 1, 100 ether - 2));
        t.softCap = 100 ether - 2;
        _accepted(t);
        t.softCap = 100 ether;
        t.phases[0].price = 1e18;
        _accepted(t);
    }

    function test_SoftCapOutOfReachIfNothingCanBeBought() external {
        SaleTerms memory t = _tiny();
        t.phases[0].price = type(uint128).max;
        _refused(t, abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 1, 0));
        t.phases[0].price = 1_000_000e18 + 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 1, 0));
        t.phases[0].price = 1_000_000e18;
        _accepted(t);
    }

    function test_SoftCapOutOfReachLooksAtTheLastPriceAlone() external {
        SaleTerms memory t = terms();
        t.softCap = t.hardCap;
        t.phases[0].price = type(uint128).max;
        _accepted(t);
    }

    function test_TokensShort() external {
        SaleTerms memory t = terms();
        t.tokensForSale = 47_500e18 - 1;
        _refused(t, abi.encodeWithSelector(TermsCheck.TokensShort.selector, 47_500e18 - 1, 47_500e18));
        t.tokensForSale = 47_500e18;
        _accepted(t);
    }

    function test_TokensNeededCountsALaterLowerPrice() external view {
        Phase[] memory phases = terms().phases;
        phases[2].price = 0.0005 ether;
        // The first 70 ether can all wait for the third phase; the last 30 cannot.
        assertEq(TermsCheck.tokensNeeded(phases), 140_000e18 + 7500e18);
    }

    function test_TokensNeededRoundsEachLayerUp() external view {
        Phase[] memory phases = terms().phases;
        for (uint256 i = 0; i < 4; ++i) {
            (phases[i].raisedUpTo, phases[i].price) = (uint120(10 * (i + 1)), uint128(3e18 * (i + 1)));
        }
        // 10/3, 10/6, 10/9 and 10/12, each up.
        assertEq(TermsCheck.tokensNeeded(phases), 4 + 2 + 2 + 1);
    }

    function test_TokensNeededHoldsTheLargestValues() external pure {
        Phase[] memory phases = new Phase[](1);
        phases[0] = Phase({end: 1, raisedUpTo: type(uint120).max, price: 1, gate: Gate.Open, root: 0});
        assertEq(TermsCheck.tokensNeeded(phases), uint256(type(uint120).max) * 1e18);
    }

    function _refused(SaleTerms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
    }

    function _accepted(SaleTerms memory t) private {
        (address sale,) = factory.create(Mode.FixedPrice, t, documents(), noAllocations());
        assertGt(sale.code.length, 0);
    }

    /// @dev A million base units of money in all.
    function _tiny() private view returns (SaleTerms memory t) {
        t = onePhase(1);
        (t.softCap, t.hardCap, t.minPaid, t.maxPaid) = (1, 1_000_000, 0, 1_000_000);
        t.phases[0].raisedUpTo = t.hardCap;
        t.tokensForSale = 1_000_000e18;
    }

    function _phases(uint256 count) private pure returns (Phase[] memory phases) {
        phases = new Phase[](count);
        for (uint256 i = 0; i < count; ++i) {
            phases[i] = Phase({
                end: uint40(OPENS + i + 1), raisedUpTo: 100 ether, price: 0.001 ether, gate: Gate.Open, root: 0
            });
        }
    }
}
