// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ClonedOwnable} from "../../../src/access/ClonedOwnable.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract PauseTest is SaleTest {
    Sale private sale;
    address private compliance = makeAddr("compliance");

    function setUp() public override {
        super.setUp();
        SaleTerms memory t = terms();
        (t.compliance, t.coolingOff) = (compliance, 1 days);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buy(sale, alice, 10 ether);
        buy(sale, bob, 2 ether);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        vm.expectRevert(abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, owner, compliance));
        vm.prank(compliance);
        sale.setPaused(true);
    }

    function test_RevertWhen_NothingWouldChange() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.PauseUnchanged.selector, false));
        _set(false);
        _set(true);
        vm.expectRevert(abi.encodeWithSelector(ISale.PauseUnchanged.selector, true));
        _set(true);
    }

    function test_RevertWhen_AnOutcomeIsLatched() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        _set(true);
    }

    function test_ItStopsContributionsUntilItEnds() external {
        vm.expectEmit(address(sale));
        emit ISale.PauseChanged(true);
        _set(true);
        assertTrue(sale.paused());
        vm.expectRevert(ISale.ContributionsPaused.selector);
        buy(sale, alice, 1 ether);
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(sale).call{value: 1 ether}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(ISale.ContributionsPaused.selector));
        vm.expectRevert(ISale.ContributionsPaused.selector);
        sale.quote(1 ether);
        vm.expectRevert(ISale.ContributionsPaused.selector);
        sale.price();

        vm.expectEmit(address(sale));
        emit ISale.PauseChanged(false);
        _set(false);
        assertFalse(sale.paused());
        buy(sale, alice, 1 ether);
        assertTotals(sale, 13 ether, 13_000e18, Outcome.None);
    }

    function test_ItCanBeginBeforeTheOpening() external {
        SaleTerms memory t = terms();
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        _set(true);
        vm.warp(OPENS);
        vm.expectRevert(ISale.ContributionsPaused.selector);
        buy(sale, alice, 1 ether);
    }

    /// @dev Whoever comes too late is told so: a pause could end, the sale's time cannot begin again.
    function test_FromTheEndOnItIsNotTheReason() external {
        _set(true);
        vm.warp(CLOSES - 1);
        vm.expectRevert(ISale.ContributionsPaused.selector);
        buy(sale, alice, 1 ether);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None));
        buy(sale, alice, 1 ether);
        assertTrue(sale.paused());
    }

    function test_ItTouchesNothingElse() external {
        _set(true);
        vm.prank(bob);
        sale.withdraw();
        assertEq(bob.balance, 1000 ether);
        assertTrue(sale.paused());
        vm.prank(compliance);
        sale.reject(alice);
        assertTrue(sale.paused());
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
        assertTotals(sale, 0, 0, Outcome.None);
    }

    function test_ItEndsWithASuccess() external {
        _set(true);
        vm.warp(CLOSES);
        sale.close();
        assertFalse(sale.paused());
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 10_000e18);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.Succeeded));
        buy(sale, alice, 1 ether);
    }

    function test_ItEndsWithACancellation() external {
        vm.prank(alice);
        sale.withdraw();
        _set(true);
        vm.prank(owner);
        sale.cancel();
        assertFalse(sale.paused());
        sale.refundFor(bob);
        assertEq(bob.balance, 1000 ether);
    }

    function _set(bool on) private {
        vm.prank(owner);
        sale.setPaused(on);
    }
}
