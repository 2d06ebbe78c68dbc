// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {State} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ClaimTest is SaleTest {
    FixedPriceSale private sale;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.claim(alice);
        vm.expectRevert(ISale.NotASale.selector);
        code.claimTo(alice);
    }

    function test_RevertWhen_Upcoming() external {
        vm.warp(OPENS - 1);
        _expectNotClaimable(State.Upcoming);
    }

    function test_RevertWhen_Open() external {
        buy(sale, alice, 10 ether);
        _expectNotClaimable(State.Open);
    }

    function test_RevertWhen_Ended() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        _expectNotClaimable(State.Ended);
    }

    function test_RevertWhen_Failed() external {
        buy(sale, alice, 10 ether - 1);
        vm.warp(CLOSES);
        sale.close();
        _expectNotClaimable(State.Failed);
    }

    function test_RevertWhen_Cancelled() external {
        buy(sale, alice, 1 ether);
        vm.prank(owner);
        sale.cancel();
        _expectNotClaimable(State.Cancelled);
    }

    function test_RevertWhen_TheInvestorHasNoTokens() external {
        _succeed();
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, carol));
        sale.claim(carol);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, carol));
        vm.prank(carol);
        sale.claimTo(carol);
    }

    function test_RevertWhen_Claimed() external {
        _succeed();
        sale.claim(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        sale.claim(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        vm.prank(alice);
        sale.claimTo(bob);
    }

    function test_RevertWhen_TheReceiverIsTheZeroAddress() external {
        _succeed();
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        sale.claimTo(address(0));
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        sale.claim(address(0));
    }

    function test_RevertWhen_RefundedInstead() external {
        _succeed();
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(alice);
    }

    function test_WhenAnyoneClaimsForTheInvestor() external {
        _succeed();
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, alice, 6000e18);
        vm.prank(carol);
        assertEq(sale.claim(alice), 6000e18);
        assertEq(token.balanceOf(alice), 6000e18);
        assertEq(token.balanceOf(carol), 0);
        assertPosition(sale, alice, 6 ether, 0);
        assertPosition(sale, bob, 4 ether, 4000e18);
        // Only what vests is counted.
        assertEq(sale.claimedOf(alice), 0);
        assertEq(token.balanceOf(address(sale)), 4000e18);
    }

    function test_WhenTheInvestorClaimsToAnotherAddress() external {
        _succeed();
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, carol, 6000e18);
        vm.prank(alice);
        assertEq(sale.claimTo(carol), 6000e18);
        assertEq(token.balanceOf(carol), 6000e18);
        assertEq(token.balanceOf(alice), 0);
        assertPosition(sale, alice, 6 ether, 0);
    }

    function test_AfterSweepAndEverythingElse() external {
        _succeed();
        address vault = sale.vault();
        (bool ok,) = vault.call(abi.encodeWithSignature("release()"));
        assertTrue(ok);
        vm.warp(CLOSES + 10_000 days);
        sale.claim(bob);
        sale.claim(alice);
        assertEq(token.balanceOf(bob), 4000e18);
        assertEq(token.balanceOf(alice), 6000e18);
        assertEq(token.balanceOf(address(sale)), 0);
    }

    function _succeed() private {
        buy(sale, alice, 6 ether);
        buy(sale, bob, 4 ether);
        vm.warp(CLOSES);
        sale.close();
    }

    function _expectNotClaimable(State state) private {
        bytes memory reason = abi.encodeWithSelector(ISale.NotClaimable.selector, state);
        vm.expectRevert(reason);
        sale.claim(alice);
        vm.expectRevert(reason);
        vm.prank(alice);
        sale.claimTo(alice);
        vm.expectRevert(reason);
        sale.claim(address(0));
    }
}
