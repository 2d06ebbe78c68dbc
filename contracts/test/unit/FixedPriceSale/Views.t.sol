// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {RefundVault} from "../../../src/RefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Gate, Outcome, Phase, SaleTerms, State} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ViewsTest is SaleTest {
    FixedPriceSale private sale;
    RefundVault private vault;

    function setUp() public override {
        super.setUp();
        (sale, vault) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.quote(1 ether);
        vm.expectRevert(ISale.NotASale.selector);
        code.activePhase();
        vm.expectRevert(ISale.NotASale.selector);
        code.state();
        vm.expectRevert(ISale.NotASale.selector);
        code.terms();
        vm.expectRevert(ISale.NotASale.selector);
        code.closes();
        vm.expectRevert(ISale.NotASale.selector);
        code.vault();
    }

    function test_QuoteIsWhatAContributionGets() external {
        buy(sale, alice, 15 ether);
        vm.warp(OPENS + 1 days - 1);
        uint256[6] memory amounts = [uint256(0.01 ether), 1 ether, 5 ether, 5 ether + 1, 26 ether, 50 ether];
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            (uint256 accepted, uint256 tokens) = sale.quote(amounts[i]);
            assertEq(accepted, amounts[i]);
            (uint256 accepted_, uint256 tokens_) = buy(sale, bob, amounts[i]);
            assertEq(accepted, accepted_);
            assertEq(tokens, tokens_);
            vm.revertToState(snapshot);
        }
    }

    function test_QuoteSplitsAtTheCaps() external view {
        (uint256 accepted, uint256 tokens) = sale.quote(30 ether);
        assertEq(accepted, 30 ether);
        assertEq(tokens, 25_000e18);
    }

    function test_QuoteIsCutAtTheHardCap() external {
        buy(sale, alice, 50 ether);
        (uint256 accepted, uint256 tokens) = sale.quote(type(uint256).max);
        assertEq(accepted, 50 ether);
        assertEq(tokens, 6_666_666_666_666_666_666_666 + 7500e18);
    }

    function test_QuoteOfNothingIsNothing() external view {
        (uint256 accepted, uint256 tokens) = sale.quote(0);
        assertEq(accepted, 0);
        assertEq(tokens, 0);
    }

    function test_QuoteIsZeroWhenSoldOut() external {
        _sellOut();
        (uint256 accepted, uint256 tokens) = sale.quote(1 ether);
        assertEq(accepted, 0);
        assertEq(tokens, 0);
    }

    function test_RevertWhen_QuotedOrAskedForThePhaseWhileNotOpen() external {
        vm.warp(OPENS - 1);
        _expectNotOpen(Outcome.None);
        vm.warp(CLOSES);
        _expectNotOpen(Outcome.None);
        sale.close();
        _expectNotOpen(Outcome.Failed);
    }

    function test_RevertWhen_QuotedOrAskedForThePhaseAfterAnOutcome() external {
        _sellOut();
        sale.close();
        _expectNotOpen(Outcome.Succeeded);
    }

    function test_ActivePhaseFollowsTime() external {
        uint256[8] memory times = [
            uint256(OPENS),
            OPENS + 1 days - 1,
            OPENS + 1 days,
            OPENS + 2 days - 1,
            OPENS + 2 days,
            OPENS + 3 days - 1,
            OPENS + 3 days,
            CLOSES - 1
        ];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            _checkPhase(i / 2);
        }
    }

    function test_ActivePhaseFollowsTheCaps() external {
        buy(sale, alice, 20 ether - 1);
        _checkPhase(0);
        buy(sale, alice, 1);
        _checkPhase(1);
        buy(sale, alice, 20 ether);
        _checkPhase(2);
        buy(sale, bob, 30 ether);
        _checkPhase(3);
        vm.warp(OPENS + 3 days);
        _checkPhase(3);
    }

    function test_RevertWhen_NoPhaseHasRoom() external {
        _sellOut();
        vm.expectRevert(abi.encodeWithSelector(ISale.SoldOut.selector, 100 ether));
        sale.activePhase();
    }

    function test_PriceIsThatOfTheActivePhase() external {
        assertEq(sale.price(), 0.001 ether);
        vm.warp(OPENS + 1 days - 1);
        assertEq(sale.price(), 0.001 ether);
        vm.warp(OPENS + 1 days);
        assertEq(sale.price(), 0.002 ether);
        buy(sale, alice, 40 ether);
        assertEq(sale.price(), 0.003 ether);
        vm.warp(OPENS + 3 days);
        assertEq(sale.price(), 0.004 ether);
    }

    function test_RevertWhen_ThereIsNoPrice() external {
        _sellOut();
        vm.expectRevert(abi.encodeWithSelector(ISale.SoldOut.selector, 100 ether));
        sale.price();
    }

    function test_StateFollowsTime() external {
        vm.warp(0);
        assertState(sale, State.Upcoming);
        vm.warp(OPENS - 1);
        assertState(sale, State.Upcoming);
        vm.warp(OPENS);
        assertState(sale, State.Open);
        vm.warp(CLOSES - 1);
        assertState(sale, State.Open);
        vm.warp(CLOSES);
        assertState(sale, State.Ended);
        vm.warp(type(uint64).max);
        assertState(sale, State.Ended);
    }

    function test_StateIsOpenWhenSoldOutUntilClosed() external {
        _sellOut();
        assertState(sale, State.Open);
        sale.close();
        assertState(sale, State.Succeeded);
        vm.warp(0);
        assertState(sale, State.Succeeded);
    }

    function test_TermsAreThoseOfTheCreation() external view {
        SaleTerms memory t = terms();
        assertEq(keccak256(abi.encode(sale.terms())), keccak256(abi.encode(t)));
    }

    function test_ClosesIsTheEndOfTheLastPhase() external view {
        assertEq(sale.closes(), CLOSES);
    }

    function test_VaultIsWhatTheFactoryCreated() external view {
        assertEq(sale.vault(), address(vault));
        assertGt(address(vault).code.length, 0);
    }

    function test_PositionsAndTotalsStartAtZero() external view {
        assertPosition(sale, alice, 0, 0);
        assertTotals(sale, 0, 0, Outcome.None);
    }

    function _sellOut() private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
    }

    function _checkPhase(uint256 expected) private view {
        (uint256 index, Phase memory phase) = sale.activePhase();
        Phase memory p = terms().phases[expected];
        assertEq(index, expected);
        assertEq(phase.end, p.end);
        assertEq(phase.raisedUpTo, p.raisedUpTo);
        assertEq(phase.price, p.price);
        assertEq(uint256(phase.gate), uint256(Gate.Open));
    }

    function _expectNotOpen(Outcome outcome) private {
        bytes memory reason = abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, outcome);
        vm.expectRevert(reason);
        sale.quote(1 ether);
        vm.expectRevert(reason);
        sale.activePhase();
        vm.expectRevert(reason);
        sale.price();
    }
}
