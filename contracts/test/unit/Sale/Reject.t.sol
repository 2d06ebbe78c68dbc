// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RefundVault} from "../../../src/RefundVault.sol";
import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms, State} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract RejectTest is SaleTest {
    Sale private sale;
    RefundVault private vault;
    address private compliance = makeAddr("compliance");

    function setUp() public override {
        super.setUp();
        SaleTerms memory t = terms();
        t.compliance = compliance;
        (sale, vault) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buy(sale, alice, 4 ether);
        buy(sale, bob, 12 ether);
    }

    function test_RevertWhen_TheCallerIsNotCompliance() external {
        address[3] memory callers = [owner, alice, beneficiary];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ISale.OnlyCompliance.selector, compliance, callers[i]));
            vm.prank(callers[i]);
            sale.reject(alice);
        }
    }

    function test_RevertWhen_ThereIsNoCompliance() external {
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, terms());
        vm.expectRevert(abi.encodeWithSelector(ISale.OnlyCompliance.selector, address(0), owner));
        vm.prank(owner);
        sale.reject(alice);
    }

    function test_RevertWhen_TheInvestorHasNothing() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToReject.selector, carol));
        _reject(carol);
    }

    function test_RevertWhen_Rejected() external {
        _reject(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvestorRejected.selector, alice));
        _reject(alice);
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvestorRejected.selector, alice));
        _reject(alice);
    }

    function test_RevertWhen_TheSecondIsCloses() external {
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.RejectTooLate.selector, CLOSES));
        _reject(alice);
    }

    function test_WhenTheSecondIsTheLast() external {
        vm.warp(CLOSES - 1);
        _reject(alice);
        assertTotals(sale, 12 ether, 12_000e18, Outcome.None);
    }

    function test_RevertWhen_AnOutcomeIsLatched() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        _reject(alice);
    }

    function test_RevertWhen_Cancelled() external {
        _reject(bob);
        vm.prank(owner);
        sale.cancel();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Cancelled));
        _reject(alice);
    }

    function test_ItTakesThePositionOutOfTheSale() external {
        vm.expectEmit(address(sale));
        emit ISale.Rejected(alice, compliance, 4 ether, 4000e18, 12 ether, 12_000e18);
        _reject(alice);
        assertPosition(sale, alice, 4 ether, 0);
        assertTotals(sale, 12 ether, 12_000e18, Outcome.None);
        assertEq(address(sale).balance, 16 ether);
        assertEq(sale.coolingOffUntil(alice), 0);
    }

    function test_ItsPlaceIsFreeAgain() external {
        buy(sale, bob, 4 ether);
        _reject(alice);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(carol, carol, 0, 4 ether, 4000e18, 4 ether, 20 ether, 20_000e18);
        buy(sale, carol, 4 ether);
    }

    function test_TheInvestorCannotComeBack() external {
        _reject(alice);
        bytes memory reason = abi.encodeWithSelector(ISale.InvestorRejected.selector, alice);
        vm.expectRevert(reason);
        buy(sale, alice, 1 ether);
        vm.expectRevert(reason);
        vm.prank(bob);
        sale.contribute{value: 1 ether}(alice, 1 ether, "");
        sale.refundFor(alice);
        vm.expectRevert(reason);
        buy(sale, alice, 1 ether);
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(sale).call{value: 1 ether}("");
        assertFalse(ok);
        assertEq(answer, reason);
    }

    function test_TheMoneyComesBackAtOnce() external {
        _reject(alice);
        vm.expectEmit(address(sale));
        emit ISale.Refunded(alice, alice, 4 ether);
        assertEq(sale.refundFor(alice), 4 ether);
        assertEq(alice.balance, 1000 ether);
        assertPosition(sale, alice, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Open));
        sale.refundFor(bob);
    }

    function test_TheMoneyGoesElsewhereIfTheInvestorSaysSo() external {
        _reject(alice);
        vm.expectEmit(address(sale));
        emit ISale.Refunded(alice, carol, 4 ether);
        vm.prank(alice);
        sale.refundTo(carol);
        assertEq(carol.balance, 1004 ether);
    }

    function test_TheMoneyWaitsForEverAfterASuccess() external {
        _reject(alice);
        vm.warp(CLOSES);
        sale.close();
        vault.release();
        assertEq(beneficiary.balance, 12 ether);
        assertEq(sale.stakeOf(alice), 0);
        (uint256 tokens, uint256 excess) = sale.claimable(alice);
        assertEq(tokens + excess, 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        sale.claim(alice);
        vm.warp(CLOSES + 36_500 days);
        assertEq(sale.refundFor(alice), 4 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        sale.refundFor(alice);
        assertEq(address(sale).balance, 0);
    }

    function test_TheMoneyWaitsAfterAFailure() external {
        _reject(bob);
        vm.warp(CLOSES);
        assertEq(sale.refundFor(bob), 12 ether);
        sale.close();
        assertTotals(sale, 4 ether, 4000e18, Outcome.Failed);
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, bob));
        sale.refundFor(bob);
        assertEq(address(sale).balance, 0);
    }

    function test_TheMoneyWaitsAfterACancellation() external {
        _reject(bob);
        vm.prank(owner);
        sale.cancel();
        assertEq(sale.refundFor(bob), 12 ether);
        assertEq(sale.refundFor(alice), 4 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, bob));
        sale.refundFor(bob);
    }

    function _reject(address investor) private {
        vm.prank(compliance);
        sale.reject(investor);
    }
}
