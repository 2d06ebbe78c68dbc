// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Test, stdError} from "forge-std/Test.sol";

import {Ledger, Position, Totals} from "../../../src/libraries/Ledger.sol";
import {Outcome} from "../../../src/types/SaleTypes.sol";

contract LedgerTest is Test {
    uint256 private constant MAX = type(uint120).max;

    function testFuzz_Position(uint120 paid, uint120 tokens, uint16 mark) external pure {
        Position p = Ledger.position(paid, tokens, mark);
        assertEq(p.paid(), paid);
        assertEq(p.tokens(), tokens);
        assertEq(p.mark(), mark);
        assertEq(p.isRejected(), mark == 65_535);
        assertEq(p.isSettled(), mark == 65_534);
    }

    function test_NoTimeMarkIsAStateMark() external pure {
        // Ten minutes of the longest sale, rounded up.
        assertLt(uint256(366 days) / 10 minutes, Ledger.SETTLED);
        assertLt(Ledger.SETTLED, Ledger.REJECTED);
    }

    function testFuzz_Totals(uint120 raised, uint120 sold, uint120 soldAtLast, uint8 seed) external pure {
        Totals t = Ledger.totals(raised, sold);
        assertEq(uint256(t.outcome()), uint256(Outcome.None));
        assertFalse(t.isPaused());
        assertTrue(t.takesContributions());
        Outcome outcome = Outcome(seed % 4);
        t = t.settled(outcome, soldAtLast);
        assertEq(t.raised(), raised);
        assertEq(t.sold(), soldAtLast);
        assertEq(uint256(t.outcome()), uint256(outcome));
        assertEq(t.takesContributions(), outcome == Outcome.None);
    }

    function testFuzz_Pause(uint120 raised, uint120 sold, bool first, bool then) external pure {
        Totals t = Ledger.totals(raised, sold).paused(first);
        assertEq(t.isPaused(), first);
        assertEq(t.takesContributions(), !first);
        t = t.paused(then);
        assertEq(t.isPaused(), then);
        assertEq(t.raised(), raised);
        assertEq(t.sold(), sold);
        assertEq(uint256(t.outcome()), uint256(Outcome.None));
        assertFalse(t.settled(Outcome.Failed, sold).isPaused());
    }

    function testFuzz_Less(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, bool on)
        external
        pure
    {
        (paid, tokens) = (uint120(bound(paid, 0, raised)), uint120(bound(tokens, 0, sold)));
        Totals t = Ledger.totals(raised, sold).paused(on).less(Ledger.position(paid, tokens, mark));
        assertEq(t.raised(), raised - paid);
        assertEq(t.sold(), sold - tokens);
        assertEq(t.isPaused(), on);
        assertEq(uint256(t.outcome()), uint256(Outcome.None));
    }

    function test_RevertWhen_MoreLeavesThanThereIs() external {
        vm.expectRevert(stdError.arithmeticError);
        this.less(Ledger.totals(1, 1), Ledger.position(2, 0, 0));
        vm.expectRevert(stdError.arithmeticError);
        this.less(Ledger.totals(1, 1), Ledger.position(0, 2, 0));
    }

    function testFuzz_RevertWhen_AHalfDoesNotFit(uint256 over, uint120 other) external {
        over = bound(over, MAX + 1, type(uint256).max);
        bytes memory reason = abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 120, over);
        vm.expectRevert(reason);
        this.position(over, other);
        vm.expectRevert(reason);
        this.position(other, over);
        vm.expectRevert(reason);
        this.totals(over, other);
        vm.expectRevert(reason);
        this.totals(other, over);
        vm.expectRevert(reason);
        this.settled(over);
    }

    function test_TheLargestHalvesFit() external view {
        assertEq(Position.unwrap(this.position(MAX, MAX)), (1 << 240) - 1);
        assertEq(Totals.unwrap(this.totals(MAX, MAX)), (1 << 240) - 1);
    }

    function position(uint256 paid, uint256 tokens) external pure returns (Position) {
        return Ledger.position(paid, tokens, 0);
    }

    function totals(uint256 raised, uint256 sold) external pure returns (Totals) {
        return Ledger.totals(raised, sold);
    }

    function less(Totals t, Position p) external pure returns (Totals) {
        return t.less(p);
    }

    function settled(uint256 sold) external pure returns (Totals) {
        return Ledger.totals(1, 1).settled(Outcome.Succeeded, sold);
    }
}
