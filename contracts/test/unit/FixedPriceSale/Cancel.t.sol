// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ClonedOwnable} from "../../../src/access/ClonedOwnable.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Outcome, SaleTerms, State, Unsold} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {StubbornToken} from "../../utils/Tokens.sol";

contract CancelTest is SaleTest {
    FixedPriceSale private sale;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, address(code), address(this)));
        code.cancel();
        vm.expectRevert(ISale.NotASale.selector);
        vm.prank(address(code));
        code.cancel();
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        vm.expectRevert(abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, owner, beneficiary));
        vm.prank(beneficiary);
        sale.cancel();
    }

    function test_RevertWhen_Cancelled() external {
        _cancel();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Cancelled));
        _cancel();
    }

    function test_RevertWhen_Failed() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Failed));
        _cancel();
    }

    function test_RevertWhen_Succeeded() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        _cancel();
    }

    function test_RevertWhen_TheSecondIsCloses() external {
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.CancelTooLate.selector, CLOSES));
        _cancel();
    }

    function test_WhenTheSecondIsTheLast() external {
        vm.warp(CLOSES - 1);
        _cancel();
        assertState(sale, State.Cancelled);
    }

    function test_RevertWhen_TheSoftCapIsReached() external {
        buy(sale, alice, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.SoftCapReached.selector, 10 ether, 10 ether));
        _cancel();
    }

    function test_WhenTheSoftCapIsMissedByOneWei() external {
        buy(sale, alice, 10 ether - 1);
        vm.expectEmit(address(sale));
        emit ISale.Cancelled(10 ether - 1, 10_000e18 - 1000);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 100_000e18);
        _cancel();
        assertTotals(sale, 10 ether - 1, 10_000e18 - 1000, Outcome.Cancelled);
        assertState(sale, State.Cancelled);
        assertEq(token.balanceOf(owner), 100_000e18);
        vm.warp(CLOSES);
        assertState(sale, State.Cancelled);
    }

    function test_WhenItHasNotOpened() external {
        vm.warp(OPENS - 1);
        vm.expectEmit(address(sale));
        emit ISale.Cancelled(0, 0);
        _cancel();
        assertState(sale, State.Cancelled);
    }

    function test_ItBurnsNothingAfterCancelling() external {
        SaleTerms memory t = terms();
        t.unsold = Unsold.Burn;
        (sale,) = createSale(t);
        _cancel();
        assertEq(token.balanceOf(owner), 100_000e18);
    }

    function test_ItLatchesIfTheTokenReverts() external {
        StubbornToken stubborn = new StubbornToken();
        stubborn.mint(address(this), 100_000e18);
        stubborn.approve(address(factory), type(uint256).max);
        SaleTerms memory t = terms();
        t.token = address(stubborn);
        (sale,) = createSale(t);
        buy(sale, alice, 1 ether);
        stubborn.setMood(StubbornToken.Mood.Reverts);
        _cancel();
        assertState(sale, State.Cancelled);
        assertEq(stubborn.balanceOf(address(sale)), 100_000e18);
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);

        stubborn.setMood(StubbornToken.Mood.Plain);
        sale.returnUnsold();
        assertEq(stubborn.balanceOf(owner), 100_000e18);
    }

    function _cancel() private {
        vm.prank(owner);
        sale.cancel();
    }
}
