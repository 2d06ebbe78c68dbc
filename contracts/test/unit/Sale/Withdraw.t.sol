// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {BlockingToken} from "../../utils/Tokens.sol";

contract WithdrawTest is SaleTest {
    Sale private sale;
    address private compliance = makeAddr("compliance");

    function setUp() public override {
        super.setUp();
        (sale,) = create(Mode.FixedPrice, _terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_ThereIsNoCoolingOff() external {
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, terms());
        vm.warp(OPENS + 601);
        buy(sale, alice, 1 ether);
        assertEq(sale.coolingOffUntil(alice), 0);
        // The time is not kept either.
        assertEq(storedPosition(sale, alice), 1 ether | uint256(1000e18) << 120);
        vm.expectRevert(ISale.NoCoolingOff.selector);
        _withdraw(alice);
    }

    function test_RevertWhen_TheInvestorHasNothing() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, alice));
        _withdraw(alice);
        assertEq(sale.coolingOffUntil(alice), 0);
    }

    function test_RevertWhen_Withdrawn() external {
        buy(sale, alice, 1 ether);
        _withdraw(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, alice));
        _withdraw(alice);
    }

    function test_RevertWhen_Rejected() external {
        buy(sale, alice, 1 ether);
        vm.prank(compliance);
        sale.reject(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvestorRejected.selector, alice));
        _withdraw(alice);
    }

    function test_RevertWhen_TheReceiverIsTheZeroAddress() external {
        buy(sale, alice, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        sale.withdrawTo(address(0));
    }

    function test_RevertWhen_AnOutcomeIsLatched() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        assertEq(sale.coolingOffUntil(alice), 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        _withdraw(alice);
    }

    function test_RevertWhen_Cancelled() external {
        buy(sale, alice, 1 ether);
        vm.prank(owner);
        sale.cancel();
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Cancelled));
        _withdraw(alice);
    }

    /// @dev The second of the contribution is rounded up to ten minutes since the opening.
    function test_TheEndToTheSecond() external {
        uint256[6] memory times = [uint256(0), 1, 599, 600, 601, 1200];
        uint256[6] memory marks = [uint256(0), 600, 600, 600, 1200, 1200];
        for (uint256 i = 0; i < times.length; ++i) {
            uint256 until = OPENS + marks[i] + 1 hours;
            vm.warp(OPENS + times[i]);
            buy(sale, alice, 1 ether);
            assertEq(sale.coolingOffUntil(alice), until);
            assertGe(until, vm.getBlockTimestamp() + 1 hours);
            assertLt(until, vm.getBlockTimestamp() + 1 hours + 10 minutes);
            uint256 snapshot = vm.snapshotState();
            vm.warp(until);
            vm.expectRevert(abi.encodeWithSelector(ISale.CoolingOffOver.selector, until));
            _withdraw(alice);
            vm.warp(until - 1);
            _withdraw(alice);
            assertEq(alice.balance, 1000 ether);
            vm.revertToState(snapshot);
            vm.warp(OPENS + times[i]);
            _withdraw(alice);
        }
    }

    /// @dev The shortest there is counts from the contribution too, not from the opening.
    function test_ACoolingOffOfOneSecond() external {
        SaleTerms memory t = _terms();
        t.coolingOff = 1;
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS + 601);
        buy(sale, alice, 1 ether);
        uint256 until = OPENS + 1201;
        assertEq(sale.coolingOffUntil(alice), until);
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(ISale.CoolingOffOver.selector, until));
        _withdraw(alice);
        vm.warp(until - 1);
        _withdraw(alice);
        assertEq(alice.balance, 1000 ether);
    }

    function test_ItNeverReachesPastTheEnd() external {
        vm.warp(CLOSES - 30 minutes);
        buy(sale, alice, 1 ether);
        buy(sale, bob, 1 ether);
        assertEq(sale.coolingOffUntil(alice), CLOSES);
        vm.warp(CLOSES - 1);
        _withdraw(alice);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.CoolingOffOver.selector, CLOSES));
        _withdraw(bob);
    }

    function test_EachContributionBeginsItAnew() external {
        buy(sale, alice, 1 ether);
        vm.warp(OPENS + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(ISale.CoolingOffOver.selector, OPENS + 1 hours));
        _withdraw(alice);
        buy(sale, alice, 2 ether);
        assertEq(sale.coolingOffUntil(alice), OPENS + 2 hours);
        _withdraw(alice);
        assertEq(alice.balance, 1000 ether);
    }

    function test_ItTakesThePositionOutOfTheSale() external {
        buy(sale, bob, 3 ether);
        buy(sale, alice, 20 ether);
        vm.expectEmit(address(sale));
        emit ISale.Withdrawn(alice, alice, 20 ether, 18_500e18, 3 ether, 3000e18);
        vm.prank(alice);
        assertEq(sale.withdraw(), 20 ether);
        assertEq(alice.balance, 1000 ether);
        assertPosition(sale, alice, 0, 0);
        assertTotals(sale, 3 ether, 3000e18, Outcome.None);
        assertEq(address(sale).balance, 3 ether);
        // The first price is there again.
        (, uint256 tokens) = buy(sale, carol, 1 ether);
        assertEq(tokens, 1000e18);
    }

    function test_NothingOfThePositionStaysInStorage() external {
        vm.warp(OPENS + 1);
        buy(sale, alice, 20 ether);
        assertNotEq(storedPosition(sale, alice), 0);
        _withdraw(alice);
        assertEq(storedPosition(sale, alice), 0);
    }

    function test_TheInvestorMayComeBack() external {
        buy(sale, alice, 50 ether);
        _withdraw(alice);
        buy(sale, alice, 50 ether);
        (uint256 paid,) = sale.positionOf(alice);
        assertEq(paid, 50 ether);
        _withdraw(alice);
        assertEq(alice.balance, 1000 ether);
        assertTotals(sale, 0, 0, Outcome.None);
    }

    function test_ItGoesElsewhereIfTheInvestorSaysSo() external {
        BlockingToken usdc = new BlockingToken();
        usdc.mint(alice, 5e6);
        SaleTerms memory t = paidIn(address(usdc), 6);
        t.coolingOff = 1 hours;
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buyWith(address(usdc), sale, alice, 5e6);
        usdc.setBlocked(alice, true);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, alice));
        _withdraw(alice);
        vm.expectEmit(address(sale));
        emit ISale.Withdrawn(alice, carol, 5e6, 5000e18, 0, 0);
        vm.prank(alice);
        assertEq(sale.withdrawTo(carol), 5e6);
        assertEq(usdc.balanceOf(carol), 5e6);
    }

    function test_WhilePaused() external {
        buy(sale, alice, 1 ether);
        vm.prank(owner);
        sale.setPaused(true);
        _withdraw(alice);
        assertEq(alice.balance, 1000 ether);
        assertTrue(sale.paused());
    }

    function test_ItPaysOnce() external {
        ReEntrant attacker = new ReEntrant();
        vm.deal(address(attacker), 2 ether);
        buy(sale, bob, 10 ether);
        attacker.execute(address(sale), 2 ether, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, "")));
        attacker.plan(address(sale), abi.encodeCall(ISale.withdraw, ()));
        attacker.plan(address(sale), abi.encodeCall(ISale.withdrawTo, (alice)));
        attacker.plan(address(sale), abi.encodeCall(ISale.contribute, (bob, 0, "")));
        attacker.execute(address(sale), 0, abi.encodeCall(ISale.withdraw, ()));
        assertEq(attacker.attempts(), 3);
        assertEq(attacker.successes(), 0);
        assertEq(address(attacker).balance, 2 ether);
        assertEq(address(sale).balance, 10 ether);
    }

    /// @dev Sold out is not the end while money can still be taken back.
    function test_ASoldOutSaleWithCoolingOffClosesAtItsEnd() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
        _withdraw(bob);
        buy(sale, carol, 50 ether);
        vm.warp(CLOSES);
        sale.close();
        (uint256 raised,, Outcome outcome) = sale.totals();
        assertEq(raised, 100 ether);
        assertEq(uint256(outcome), uint256(Outcome.Succeeded));
    }

    function testFuzz_NobodysCoolingOffIsShorterThanTheTerms(uint40 second, uint32 coolingOff) external {
        SaleTerms memory t = _terms();
        t.coolingOff = uint32(bound(coolingOff, 1, 366 days));
        // Not the sale that is there already.
        ++t.softCap;
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(bound(second, OPENS, CLOSES - 1));
        buy(sale, alice, 1 ether);
        uint256 until = sale.coolingOffUntil(alice);
        assertTrue(until == CLOSES || until >= vm.getBlockTimestamp() + t.coolingOff);
        vm.warp(until - 1);
        _withdraw(alice);
        assertEq(alice.balance, 1000 ether);
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = terms();
        (t.coolingOff, t.compliance) = (1 hours, compliance);
    }

    function _withdraw(address investor) private {
        vm.prank(investor);
        sale.withdraw();
    }
}
