// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {SaleTerms, State, Unsold} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {StubbornToken} from "../../utils/Tokens.sol";

contract ReturnUnsoldTest is SaleTest {
    FixedPriceSale private sale;
    StubbornToken private stubborn;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        stubborn = new StubbornToken();
        stubborn.mint(address(this), 1_000_000e18);
        stubborn.approve(address(factory), type(uint256).max);
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.returnUnsold();
    }

    function test_RevertWhen_ThereIsNoOutcome() external {
        vm.warp(OPENS - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSettled.selector, State.Upcoming));
        sale.returnUnsold();
        vm.warp(OPENS);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSettled.selector, State.Open));
        sale.returnUnsold();
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSettled.selector, State.Ended));
        vm.prank(owner);
        sale.returnUnsold();
    }

    function test_RevertWhen_TheyWentHomeAtClose() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(ISale.NothingUnsold.selector);
        sale.returnUnsold();
    }

    function test_RevertWhen_TheyWentHomeAtCloseOfASuccess() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(ISale.NothingUnsold.selector);
        sale.returnUnsold();
        assertEq(token.balanceOf(address(sale)), 10_000e18);
    }

    function test_RevertWhen_EverythingWasSold() external {
        SaleTerms memory t = onePhase(0.001 ether);
        t.maxPaid = t.hardCap;
        (sale,) = createSale(t);
        buy(sale, alice, 100 ether);
        vm.recordLogs();
        sale.close();
        // `Closed` alone: nothing is said to return.
        assertEq(vm.getRecordedLogs().length, 1);
        assertEq(token.balanceOf(owner), 0);
        vm.expectRevert(ISale.NothingUnsold.selector);
        sale.returnUnsold();
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 100_000e18);
    }

    function test_WhenOneBaseUnitIsUnsold() external {
        SaleTerms memory t = onePhase(0.001 ether);
        (t.maxPaid, t.tokensForSale) = (t.hardCap, t.tokensForSale + 1);
        (sale,) = createSale(t);
        buy(sale, alice, 100 ether);
        sale.close();
        assertEq(token.balanceOf(owner), 1);
    }

    function test_RevertWhen_TheTokenRefuses() external {
        _stubborn(Unsold.ToOwner, StubbornToken.Mood.Reverts);
        vm.expectRevert(StubbornToken.Stubborn.selector);
        sale.returnUnsold();

        stubborn.setMood(StubbornToken.Mood.ReturnsFalse);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(stubborn)));
        sale.returnUnsold();

        stubborn.setMood(StubbornToken.Mood.Plain);
        sale.returnUnsold();
        vm.expectRevert(ISale.NothingUnsold.selector);
        sale.returnUnsold();
        assertEq(stubborn.balanceOf(owner), 90_000e18);
    }

    function test_RevertWhen_TheTokenCannotBeBurnt() external {
        _stubborn(Unsold.Burn, StubbornToken.Mood.Plain);
        vm.expectRevert();
        sale.returnUnsold();
        assertState(sale, State.Succeeded);
        sale.claim(alice);
        assertEq(stubborn.balanceOf(alice), 10_000e18);
        assertEq(stubborn.balanceOf(address(sale)), 90_000e18);
    }

    function test_WhenTheTokenCannotBeBurntAndTheSaleFails() external {
        _create(Unsold.Burn);
        vm.warp(CLOSES);
        sale.close();
        assertEq(stubborn.balanceOf(owner), 100_000e18);
    }

    function test_ItSendsExactlyWhatIsUnsold() external {
        _stubborn(Unsold.ToOwner, StubbornToken.Mood.Reverts);
        stubborn.setMood(StubbornToken.Mood.Plain);
        stubborn.transfer(address(sale), 77);
        sale.claim(alice);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 90_000e18);
        vm.prank(carol);
        sale.returnUnsold();
        assertEq(stubborn.balanceOf(owner), 90_000e18);
        assertEq(stubborn.balanceOf(address(sale)), 77);
    }

    function test_ATokenThatReEntersDuringAClaimGetsNothingMore() external {
        _stubborn(Unsold.ToOwner, StubbornToken.Mood.Reverts);
        stubborn.setCall(address(sale), abi.encodeCall(ISale.returnUnsold, ()));
        sale.claim(alice);
        assertTrue(stubborn.called());
        assertFalse(stubborn.callSucceeded());
        assertEq(stubborn.balanceOf(owner), 0);
    }

    function _stubborn(Unsold unsold, StubbornToken.Mood mood) private {
        _create(unsold);
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        stubborn.setMood(mood);
        sale.close();
        assertEq(stubborn.balanceOf(owner), 0);
    }

    function _create(Unsold unsold) private {
        SaleTerms memory t = terms();
        t.token = address(stubborn);
        t.unsold = unsold;
        (sale,) = createSale(t);
    }
}
