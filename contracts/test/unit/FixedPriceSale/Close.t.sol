// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Gate, Outcome, Phase, SaleTerms, State, Unsold} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {StubbornToken} from "../../utils/Tokens.sol";

contract CloseTest is SaleTest {
    FixedPriceSale private sale;
    StubbornToken private stubborn;

    /// @dev Alice and bob part the third phase, and each part rounds down.
    uint256 private constant ALL = 47_500e18 - 1;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.close();
    }

    function test_RevertWhen_Failed() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Failed));
        sale.close();
    }

    function test_RevertWhen_Succeeded() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        sale.close();
    }

    function test_RevertWhen_Cancelled() external {
        vm.prank(owner);
        sale.cancel();
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Cancelled));
        sale.close();
    }

    function test_RevertWhen_ItHasNotOpened() external {
        vm.warp(OPENS - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
    }

    function test_RevertGiven_SomethingIsLeftThatBuysTokens() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether - 1);
        vm.warp(CLOSES - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
    }

    function test_RevertGiven_DustIsLeftInAPhaseBeforeTheLast() external {
        SaleTerms memory t = _dusty();
        t.phases = new Phase[](2);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: t.hardCap, price: 1000e18, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: CLOSES, raisedUpTo: t.hardCap, price: 1e18, gate: Gate.Open, root: 0});
        t.tokensForSale = t.hardCap;
        (sale,) = createSale(t);
        buy(sale, alice, 100 ether - 999);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();

        vm.warp(OPENS + 1 days);
        (, uint256 tokens) = buy(sale, bob, 999);
        assertEq(tokens, 999);
        sale.close();
        assertState(sale, State.Succeeded);
    }

    function test_GivenDustIsLeftInTheLastPhase() external {
        (sale,) = createSale(_dusty());
        buy(sale, alice, 100 ether - 1999);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();

        buy(sale, alice, 1000);
        sale.close();
        assertTotals(sale, 100 ether - 999, 0.1 ether - 1, Outcome.Succeeded);
    }

    function test_GivenNothingIsLeft() external {
        _sellOut();
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 100 ether, ALL);
        sale.close();
        assertTotals(sale, 100 ether, ALL, Outcome.Succeeded);
        assertState(sale, State.Succeeded);
        assertEq(token.balanceOf(owner), 100_000e18 - ALL);
    }

    function test_GivenTheSoftCapIsMissedByOneWei() external {
        buy(sale, alice, 10 ether - 1);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Failed, 10 ether - 1, 10_000e18 - 1000);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 100_000e18);
        vm.prank(carol);
        sale.close();
        assertTotals(sale, 10 ether - 1, 10_000e18 - 1000, Outcome.Failed);
        assertState(sale, State.Failed);
        assertEq(token.balanceOf(owner), 100_000e18);
    }

    function test_GivenTheSoftCapIsReachedToTheWei() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 10 ether, 10_000e18);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 90_000e18);
        sale.close();
        assertTotals(sale, 10 ether, 10_000e18, Outcome.Succeeded);
        assertEq(token.balanceOf(owner), 90_000e18);
        assertEq(token.balanceOf(address(sale)), 10_000e18);
    }

    function test_ALateCloseIsACloseToo() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES + 1000 days);
        sale.close();
        assertState(sale, State.Succeeded);
    }

    function test_ItBurnsWhereTheTermsSaySo() external {
        SaleTerms memory t = terms();
        t.unsold = Unsold.Burn;
        (sale,) = createSale(t);
        buy(sale, alice, 10 ether);
        uint256 supply = token.totalSupply();
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(address(0), 90_000e18);
        sale.close();
        assertEq(token.totalSupply(), supply - 90_000e18);
        assertEq(token.balanceOf(address(sale)), 10_000e18);
        assertEq(token.balanceOf(owner), 0);
    }

    function test_ItLatchesIfTheTokenReverts() external {
        _checkLatch(StubbornToken.Mood.Reverts);
    }

    function test_ItLatchesIfTheTokenReturnsFalse() external {
        _checkLatch(StubbornToken.Mood.ReturnsFalse);
    }

    function test_ItLatchesIfTheTokenBurnsAllGas() external {
        _checkLatch(StubbornToken.Mood.BurnsAllGas);
    }

    function test_ItLatchesIfTheTokenReturnsMuch() external {
        _checkLatch(StubbornToken.Mood.ReturnsMuch);
    }

    function test_ItLatchesOnceIfTheTokenReEnters() external {
        _stubborn();
        stubborn.setCall(address(sale), abi.encodeCall(ISale.returnUnsold, ()));
        sale.close();
        assertTrue(stubborn.called());
        assertFalse(stubborn.callSucceeded());
        assertEq(stubborn.balanceOf(owner), 90_000e18);
    }

    /// @dev A gas limit too low to move the tokens is refused as a whole: none closes the sale and leaves them behind.
    function test_RevertWhen_TheTokenWouldGetTooLittleGas() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        uint256 refused;
        uint256 closed;
        for (uint256 gas = 40_000; gas < 320_000; gas += 2500) {
            uint256 snapshot = vm.snapshotState();
            (bool ok, bytes memory reason) = address(sale).call{gas: gas}(abi.encodeCall(ISale.close, ()));
            if (ok) {
                ++closed;
                assertState(sale, State.Succeeded);
                assertEq(token.balanceOf(owner), 90_000e18);
            } else if (reason.length != 0) {
                ++refused;
                assertEq(bytes4(reason), ISale.GasTooLow.selector);
                assertState(sale, State.Ended);
            }
            vm.revertToState(snapshot);
        }
        assertGt(refused, 0);
        assertGt(closed, 0);
    }

    /// @dev What the error asks for is enough, and one unit less is not.
    function test_TheGasForTheTokenIsExact() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        uint256 limit = 200_000;
        uint256 available;
        uint256 needed;
        while (true) {
            (bool ok, bytes memory reason) = address(sale).call{gas: limit}(abi.encodeCall(ISale.close, ()));
            if (ok) break;
            assertEq(bytes4(reason), ISale.GasTooLow.selector);
            assembly ("memory-safe") {
                available := mload(add(reason, 0x24))
                needed := mload(add(reason, 0x44))
            }
            assertLt(available, needed);
            // A unit more at the call is never more than one there, so no step passes over one less than needed.
            limit += available + 1 < needed ? needed - available - 1 : 1;
        }
        assertEq(available, needed - 1);
        assertState(sale, State.Succeeded);
        assertEq(token.balanceOf(owner), 90_000e18);
    }

    /// @dev A payer who gets its excess back may close the sold-out sale then; the unsold follow in a call of their own.
    function test_ItLatchesInTheMidstOfTheLastContribution() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 49 ether);
        ReEntrant attacker = new ReEntrant();
        attacker.plan(address(sale), abi.encodeCall(ISale.close, ()));
        attacker.execute{value: 2 ether}(
            address(sale), 2 ether, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, ""))
        );
        assertEq(attacker.successes(), 1);
        assertTotals(sale, 100 ether, ALL, Outcome.Succeeded);
        assertEq(token.balanceOf(owner), 0);
        sale.returnUnsold();
        assertEq(token.balanceOf(owner), 100_000e18 - ALL);
    }

    function _checkLatch(StubbornToken.Mood mood) private {
        _stubborn();
        stubborn.setMood(mood);
        sale.close();
        assertTotals(sale, 10 ether, 10_000e18, Outcome.Succeeded);
        assertEq(stubborn.balanceOf(owner), 0);

        stubborn.setMood(StubbornToken.Mood.Plain);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 90_000e18);
        sale.returnUnsold();
        assertEq(stubborn.balanceOf(owner), 90_000e18);
        sale.claim(alice);
        assertEq(stubborn.balanceOf(alice), 10_000e18);
    }

    function _stubborn() private {
        stubborn = new StubbornToken();
        stubborn.mint(address(this), 100_000e18);
        stubborn.approve(address(factory), type(uint256).max);
        SaleTerms memory t = terms();
        t.token = address(stubborn);
        (sale,) = createSale(t);
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
    }

    /// @dev A thousand wei a base unit: up to 999 wei buy nothing.
    function _dusty() private view returns (SaleTerms memory t) {
        t = onePhase(1000e18);
        t.minPaid = 0;
        t.maxPaid = t.hardCap;
    }

    function _sellOut() private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
    }
}
