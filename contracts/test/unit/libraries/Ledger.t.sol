// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Test} from "forge-std/Test.sol";

import {Ledger, Position, Totals} from "../../../src/libraries/Ledger.sol";
import {Outcome} from "../../../src/types/SaleTypes.sol";

contract LedgerTest is Test {
    uint256 private constant MAX = type(uint120).max;

    function testFuzz_Position(uint120 paid, uint120 tokens) external pure {
        Position p = Ledger.position(paid, tokens);
        assertEq(p.paid(), paid);
        assertEq(p.tokens(), tokens);
    }

    function testFuzz_Totals(uint120 raised, uint120 sold, uint8 seed) external pure {
        Totals t = Ledger.totals(raised, sold);
        assertEq(uint256(t.outcome()), uint256(Outcome.None));
        Outcome outcome = Outcome(seed % 4);
        t = t.withOutcome(outcome);
        assertEq(t.raised(), raised);
        assertEq(t.sold(), sold);
        assertEq(uint256(t.outcome()), uint256(outcome));
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
    }

    function test_TheLargestHalvesFit() external view {
        assertEq(Position.unwrap(this.position(MAX, MAX)), (1 << 240) - 1);
        assertEq(Totals.unwrap(this.totals(MAX, MAX)), (1 << 240) - 1);
    }

    function position(uint256 paid, uint256 tokens) external pure returns (Position) {
        return Ledger.position(paid, tokens);
    }

    function totals(uint256 raised, uint256 sold) external pure returns (Totals) {
        return Ledger.totals(raised, sold);
    }
}
