// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TermsCheck} from "../../../src/libraries/TermsCheck.sol";
import {Gate, Mode, SaleTerms, Tap, Vesting} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract TermsCheckModesTest is SaleTest {
    bytes32 private constant ROOT = bytes32(uint256(1));
    uint256 private constant MOST = 3653 days;

    function test_SignerMissing() external {
        SaleTerms memory t = terms();
        t.phases[2].gate = Gate.Voucher;
        _refused(Mode.FixedPrice, t, abi.encodeWithSelector(TermsCheck.SignerMissing.selector, 2));
        t.signer = alice;
        _accepted(Mode.FixedPrice, t);
    }

    function test_RootMissing() external {
        SaleTerms memory t = terms();
        t.phases[1].gate = Gate.Merkle;
        _refused(Mode.FixedPrice, t, abi.encodeWithSelector(TermsCheck.RootMissing.selector, 1));
        t.phases[1].root = ROOT;
        _accepted(Mode.FixedPrice, t);
    }

    function test_RootUnused() external {
        SaleTerms memory t = terms();
        t.phases[3].root = ROOT;
        bytes memory reason = abi.encodeWithSelector(TermsCheck.RootUnused.selector, 3);
        _refused(Mode.FixedPrice, t, reason);
        (t.phases[3].gate, t.signer) = (Gate.Voucher, alice);
        _refused(Mode.FixedPrice, t, reason);
    }

    function test_CoolingOffTooLong() external {
        SaleTerms memory t = terms();
        t.coolingOff = 366 days + 1;
        _refused(
            Mode.FixedPrice, t, abi.encodeWithSelector(TermsCheck.CoolingOffTooLong.selector, 366 days + 1, 366 days)
        );
        t.coolingOff = 366 days;
        _accepted(Mode.FixedPrice, t);
    }

    function test_CoolingOffInAuction() external {
        SaleTerms memory t = dutch();
        t.coolingOff = 1;
        _refused(Mode.DutchAuction, t, abi.encodeWithSelector(TermsCheck.CoolingOffInAuction.selector, 1));
        t.coolingOff = 0;
        _accepted(Mode.DutchAuction, t);
        t = proRata();
        t.coolingOff = 1;
        _accepted(Mode.ProRata, t);
    }

    function test_VestingInvalid() external {
        _vesting(10_001, 0, 1, false);
        _vesting(10_000, 0, 1, true);
        _vesting(0, 11, 10, false);
        _vesting(0, 10, 10, true);
        _vesting(0, 0, uint32(MOST) + 1, false);
        _vesting(0, 0, uint32(MOST), true);
        _vesting(1, 0, 0, false);
        _vesting(0, 1, 0, false);
    }

    function test_TapInvalid() external {
        _tap(10_001, 1, 0, false);
        _tap(10_000, 1, 0, true);
        _tap(0, uint32(MOST) + 1, 0, false);
        _tap(0, uint32(MOST), 0, true);
        _tap(0, 1, 10_000, false);
        _tap(0, 1, 9999, true);
        _tap(1, 0, 0, false);
        _tap(0, 0, 1, false);
    }

    function test_PhaseNotUniform() external {
        SaleTerms memory t = proRata();
        t.phases[1].price = 0.001 ether + 1;
        _refused(
            Mode.ProRata, t, abi.encodeWithSelector(TermsCheck.PhaseNotUniform.selector, 1, 0.001 ether + 1, 100 ether)
        );
        t = proRata();
        t.phases[0].raisedUpTo = 100 ether - 1;
        _refused(
            Mode.ProRata, t, abi.encodeWithSelector(TermsCheck.PhaseNotUniform.selector, 0, 0.001 ether, 100 ether - 1)
        );
        _accepted(Mode.FixedPrice, t);
        _accepted(Mode.ProRata, proRata());
    }

    function test_PhaseNotFalling() external {
        SaleTerms memory t = dutch();
        t.phases[1].price = 0.004 ether + 1;
        _refused(
            Mode.DutchAuction,
            t,
            abi.encodeWithSelector(TermsCheck.PhaseNotFalling.selector, 1, 0.004 ether + 1, 200 ether)
        );
        t.phases[1].price = 0.004 ether;
        _accepted(Mode.DutchAuction, t);
        t = dutch();
        t.phases[0].raisedUpTo = 200 ether - 1;
        _refused(
            Mode.DutchAuction,
            t,
            abi.encodeWithSelector(TermsCheck.PhaseNotFalling.selector, 0, 0.004 ether, 200 ether - 1)
        );
    }

    function test_TokensShortInProRata() external {
        SaleTerms memory t = proRata();
        t.tokensForSale = 100_000e18 - 1;
        _refused(Mode.ProRata, t, abi.encodeWithSelector(TermsCheck.TokensShort.selector, 100_000e18 - 1, 100_000e18));
    }

    /// @dev What the tokens cost at the last price is the most that an auction surely can raise.
    function test_SoftCapOutOfReachInAnAuction() external {
        SaleTerms memory t = dutch();
        t.softCap = 50 ether + 1;
        _refused(
            Mode.DutchAuction, t, abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 50 ether + 1, 50 ether)
        );
        t.softCap = 50 ether;
        _accepted(Mode.DutchAuction, t);
    }

    function _vesting(uint16 atOnce, uint32 cliff, uint32 duration, bool ok) private {
        SaleTerms memory t = terms();
        t.vesting = Vesting(atOnce, cliff, duration);
        if (ok) return _accepted(Mode.FixedPrice, t);
        _refused(
            Mode.FixedPrice,
            t,
            abi.encodeWithSelector(TermsCheck.VestingInvalid.selector, atOnce, cliff, duration, MOST)
        );
    }

    function _tap(uint16 atOnce, uint32 duration, uint16 objection, bool ok) private {
        SaleTerms memory t = terms();
        t.tap = Tap(atOnce, duration, objection);
        if (ok) return _accepted(Mode.FixedPrice, t);
        _refused(
            Mode.FixedPrice,
            t,
            abi.encodeWithSelector(TermsCheck.TapInvalid.selector, atOnce, duration, objection, MOST)
        );
    }

    function _refused(Mode mode, SaleTerms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.create(mode, t, documents(), noAllocations());
    }

    function _accepted(Mode mode, SaleTerms memory t) private {
        (address sale,) = factory.create(mode, t, documents(), noAllocations());
        assertGt(sale.code.length, 0);
    }
}
