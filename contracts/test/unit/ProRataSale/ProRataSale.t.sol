// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RefundVault} from "../../../src/RefundVault.sol";
import {RestrictedSaleToken} from "../../../src/RestrictedSaleToken.sol";
import {Sale} from "../../../src/Sale.sol";
import {IRestrictedSaleToken} from "../../../src/interfaces/IRestrictedSaleToken.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, Outcome, Phase, SaleTerms, State, TokenKind, TokenTerms, Vesting} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ProRataSaleTest is SaleTest {
    Sale private sale;
    RefundVault private vault;

    /// @dev A third of the hard cap, and a sixth of what three paid 50 ether into 100; both cut.
    uint256 private constant KEPT = 33_333_333_333_333_333_333;
    uint256 private constant EXCESS = 16_666_666_666_666_666_666;
    uint256 private constant TOKENS = 33_333_333_333_333_333_333_333;

    function setUp() public override {
        super.setUp();
        _create(proRata());
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        Sale code = Sale(payable(factory.PRO_RATA_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.close();
    }

    function test_AContributionIsAllottedNothingYet() external {
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 30 ether, 0, 30 ether, 30 ether, 0);
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 30 ether);
        assertEq(accepted, 30 ether);
        assertEq(tokens, 0);
        assertPosition(sale, alice, 30 ether, 0);
        assertTotals(sale, 30 ether, 0, Outcome.None);
        (accepted, tokens) = sale.quote(20 ether);
        assertEq(accepted, 20 ether);
        assertEq(tokens, 20_000e18);
        assertEq(sale.price(), 0.001 ether);
    }

    function test_ItTakesMoreThanTheHardCap() external {
        buy(sale, alice, 100 ether);
        vm.warp(OPENS + 1 days);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, bob, 1, 100 ether, 0, 100 ether, 200 ether, 0);
        buy(sale, bob, 100 ether);
        assertTotals(sale, 200 ether, 0, Outcome.None);
        (uint256 index, Phase memory phase) = sale.activePhase();
        assertEq(index, 1);
        assertEq(phase.end, CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
    }

    function test_RevertWhen_OneWouldPayMoreThanTheHardCap() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 100 ether, 100 ether + 1));
        buy(sale, alice, 100 ether + 1);
        buy(sale, alice, 100 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 100 ether, 100 ether + 1));
        buy(sale, alice, 1);
    }

    function test_RevertWhen_MoreThanTheHardCapIsQuoted() external {
        uint256[2] memory amounts = [100 ether + 1, type(uint256).max];
        for (uint256 i = 0; i < amounts.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 100 ether, amounts[i]));
            sale.quote(amounts[i]);
        }
    }

    function test_RevertWhen_BelowTheMinimum() external {
        SaleTerms memory t = proRata();
        t.minPaid = 1 ether;
        _create(t);
        buy(sale, bob, 100 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.BelowMinimum.selector, 1 ether, 1 ether - 1));
        buy(sale, alice, 1 ether - 1);
    }

    function test_RevertWhen_TheAmountBuysNothing() external {
        SaleTerms memory t = proRata();
        (t.phases[0].price, t.phases[1].price, t.softCap) = (1000e18, 1000e18, 10 ether);
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 999));
        buy(sale, alice, 999);
        buy(sale, alice, 1000);
    }

    function test_Undersubscribed() external {
        buy(sale, alice, 30 ether);
        buy(sale, bob, 20 ether + 1);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 50 ether + 1, 50_000e18 + 1000);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 50_000e18 - 1000);
        sale.close();
        vm.expectEmit(address(sale));
        emit ISale.Settled(alice, 30 ether, 30_000e18, 0);
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, alice, 30_000e18);
        assertEq(sale.claim(alice), 30_000e18);
        assertEq(sale.claim(bob), 20_000e18 + 1000);
        assertEq(token.balanceOf(address(sale)), 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(bob);
        assertEq(vault.release(), 50 ether + 1);
        assertEq(address(sale).balance, 0);
    }

    function test_ExactlySubscribed() external {
        buy(sale, alice, 60 ether);
        buy(sale, bob, 40 ether);
        _close();
        assertTotals(sale, 100 ether, 100_000e18, Outcome.Succeeded);
        assertEq(sale.claim(alice), 60_000e18);
        assertEq(sale.claim(bob), 40_000e18);
        assertEq(alice.balance, 940 ether);
        assertEq(vault.release(), 100 ether);
        assertEq(address(sale).balance, 0);
        assertEq(token.balanceOf(owner), 0);
    }

    function test_OnePhase() external {
        _create(onePhase(0.001 ether));
        buy(sale, alice, 30 ether);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 30 ether, 30_000e18);
        sale.close();
        assertEq(sale.claim(alice), 30_000e18);
    }

    function test_TheSmallestSale() external {
        SaleTerms memory t = onePhase(1);
        (t.softCap, t.hardCap, t.minPaid, t.maxPaid, t.tokensForSale) = (1, 1, 1, 1, 1e18);
        t.phases[0].raisedUpTo = 1;
        _create(t);
        buy(sale, alice, 1);
        buy(sale, bob, 1);
        _close();
        assertTotals(sale, 2, 1e18, Outcome.Succeeded);
        assertEq(sale.claim(alice), 0.5e18);
        assertEq(vault.release(), 1);
    }

    function test_OneInvestor() external {
        buy(sale, alice, 100 ether);
        _close();
        assertEq(sale.claim(alice), 100_000e18);
        assertEq(alice.balance, 900 ether);
        assertEq(vault.release(), 100 ether);
    }

    function test_OversubscribedWithDust() external {
        _oversubscribe();
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 100 ether, 100_000e18);
        _close();
        assertTotals(sale, 150 ether, 100_000e18, Outcome.Succeeded);
        (uint256 tokens, uint256 excess) = sale.claimable(alice);
        assertEq(tokens, TOKENS);
        assertEq(excess, EXCESS);
        assertEq(sale.stakeOf(alice), KEPT);
        assertPosition(sale, alice, 50 ether, 0);

        vm.expectEmit(address(sale));
        emit ISale.Settled(alice, KEPT, TOKENS, EXCESS);
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, alice, TOKENS);
        vm.expectEmit(address(sale));
        emit ISale.ExcessRefunded(alice, alice, EXCESS);
        vm.prank(carol);
        assertEq(sale.claim(alice), TOKENS);
        assertPosition(sale, alice, KEPT, 0);
        assertEq(sale.stakeOf(alice), KEPT);
        assertEq(alice.balance, 950 ether + EXCESS);
        sale.claim(bob);
        sale.claim(carol);
        assertEq(vault.release(), 100 ether);
        // What was cut: a wei of money each, and a base unit in all of the tokens.
        assertEq(address(sale).balance, 2);
        assertEq(token.balanceOf(address(sale)), 1);
    }

    function test_TheExcessComesOnceByClaim() external {
        _oversubscribe();
        _close();
        sale.claim(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        sale.claim(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        vm.prank(alice);
        sale.refundTo(alice);
    }

    function test_TheExcessComesByRefundWithoutTheTokens() external {
        _oversubscribe();
        _close();
        vm.expectEmit(address(sale));
        emit ISale.Settled(alice, KEPT, TOKENS, EXCESS);
        vm.expectEmit(address(sale));
        emit ISale.ExcessRefunded(alice, alice, EXCESS);
        vm.prank(carol);
        assertEq(sale.refundFor(alice), EXCESS);
        assertPosition(sale, alice, KEPT, TOKENS);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(alice);
        assertEq(sale.claim(alice), TOKENS);
        assertEq(alice.balance, 950 ether + EXCESS);
        assertEq(token.balanceOf(alice), TOKENS);
    }

    function test_TheExcessGoesElsewhereIfTheInvestorSaysSo() external {
        _oversubscribe();
        _close();
        vm.expectEmit(address(sale));
        emit ISale.ExcessRefunded(alice, owner, EXCESS);
        vm.prank(alice);
        assertEq(sale.refundTo(owner), EXCESS);
        assertEq(owner.balance, EXCESS);
        vm.expectEmit(address(sale));
        emit ISale.ExcessRefunded(bob, owner, EXCESS);
        vm.prank(bob);
        assertEq(sale.claimTo(owner), TOKENS);
        assertEq(owner.balance, 2 * EXCESS);
        assertEq(token.balanceOf(owner), TOKENS);
    }

    function test_RevertWhen_NobodyAsksForAnExcess() external {
        _oversubscribe();
        _close();
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(owner);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        sale.refundTo(address(0));
    }

    /// @dev The money must not wait for a token that the investor may not hold any more.
    function test_AnInvestorWhoseApprovalLapsedGetsTheExcess() external {
        SaleTerms memory t = proRata();
        t.token = address(0);
        vm.warp(OPENS - 1);
        (address s,, address restricted) = factory.createWithToken(
            Mode.ProRata,
            t,
            documents(),
            noAllocations(),
            TokenTerms({kind: TokenKind.Restricted, name: "Boreal", symbol: "BOR", supply: 100_000e18, contractURI: ""})
        );
        sale = Sale(payable(s));
        _approve(restricted, CLOSES - 1);
        vm.warp(OPENS);
        _oversubscribe();
        _close();
        bytes memory reason =
            abi.encodeWithSelector(IRestrictedSaleToken.TransferRestricted.selector, uint8(2), address(sale), alice);
        vm.expectRevert(reason);
        sale.claim(alice);
        assertEq(sale.refundFor(alice), EXCESS);
        assertEq(alice.balance, 950 ether + EXCESS);
        vm.expectRevert(reason);
        sale.claim(alice);
        _approve(restricted, CLOSES + 1);
        assertEq(sale.claim(alice), TOKENS);
        assertEq(RestrictedSaleToken(restricted).balanceOf(alice), TOKENS);
    }

    function test_WithVestingTheExcessComesAtOnce() external {
        SaleTerms memory t = proRata();
        t.vesting = Vesting({atOnce: 0, cliff: 1 days, duration: 2 days});
        _create(t);
        _oversubscribe();
        _close();
        vm.recordLogs();
        assertEq(sale.claim(alice), 0);
        // Settled and ExcessRefunded.
        assertEq(vm.getRecordedLogs().length, 2);
        assertEq(alice.balance, 950 ether + EXCESS);
        assertPosition(sale, alice, KEPT, TOKENS);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingVested.selector, alice, CLOSES + 1 days));
        sale.claim(alice);
        vm.warp(CLOSES + 1 days);
        assertEq(sale.claim(alice), TOKENS / 2);
        vm.warp(CLOSES + 2 days);
        assertEq(sale.claim(alice), TOKENS - TOKENS / 2);
        assertEq(sale.claimedOf(alice), TOKENS);
    }

    function test_WithCoolingOff() external {
        SaleTerms memory t = proRata();
        t.coolingOff = 1 hours;
        _create(t);
        _oversubscribe();
        vm.expectEmit(address(sale));
        emit ISale.Withdrawn(bob, bob, 50 ether, 0, 100 ether, 0);
        vm.prank(bob);
        sale.withdraw();
        assertEq(bob.balance, 1000 ether);
        _close();
        assertEq(sale.claim(alice), 50_000e18);
        assertEq(sale.claim(carol), 50_000e18);
        assertEq(alice.balance, 950 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, bob));
        sale.claim(bob);
    }

    function test_ARejectedInvestorTakesNoShare() external {
        SaleTerms memory t = proRata();
        t.compliance = owner;
        _create(t);
        _oversubscribe();
        vm.prank(owner);
        sale.reject(bob);
        assertTotals(sale, 100 ether, 0, Outcome.None);
        _close();
        assertEq(sale.claim(alice), 50_000e18);
        assertEq(sale.refundFor(bob), 50 ether);
        assertEq(bob.balance, 1000 ether);
        assertEq(sale.stakeOf(bob), 0);
    }

    function test_AFailureGivesAllBack() external {
        buy(sale, alice, 10 ether - 1);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Failed, 10 ether - 1, 0);
        sale.close();
        assertEq(sale.refundFor(alice), 10 ether - 1);
        assertEq(alice.balance, 1000 ether);
        assertEq(token.balanceOf(owner), 100_000e18);
    }

    /// @notice Nobody's part depends on when the others take theirs, or by which door.
    function testFuzz_TheOrderDoesNotMatter(uint96[4] calldata paid, uint256 order) external {
        address[4] memory who = [alice, bob, carol, owner];
        uint256[4] memory amounts;
        vm.deal(owner, 1000 ether);
        uint256 raised;
        for (uint256 i = 0; i < 4; ++i) {
            amounts[i] = bound(paid[i], 2.5 ether, 100 ether);
            buy(sale, who[i], amounts[i]);
            raised += amounts[i];
        }
        _close();
        (, uint256 sold,) = sale.totals();
        uint256 kept = raised < 100 ether ? raised : 100 ether;
        uint256 unsold = token.balanceOf(owner);
        assertEq(unsold, 100_000e18 - sold);
        for (uint256 i = 0; i < 4; ++i) {
            address investor = who[(i + order % 4) % 4];
            if (order >> (8 + i) & 1 == 1 && raised > kept) sale.refundFor(investor);
            if (order >> (16 + i) & 1 == 1 && i == 2) vault.release();
            sale.claim(investor);
        }
        uint256 given;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 back = amounts[i] * (raised - kept) / raised;
            uint256 tokens = amounts[i] * sold / raised;
            assertEq(who[i].balance, 1000 ether - amounts[i] + back);
            assertEq(token.balanceOf(who[i]), tokens + (i == 3 ? unsold : 0));
            // Never dearer than the price, but for the base unit that was cut.
            assertGe((tokens + 1) * 0.001 ether, (amounts[i] - back - 1) * 1e18);
            given += tokens;
        }
        assertLe(given, sold);
        assertLe(sold - given, 4);
        assertLe(address(sale).balance + address(vault).balance + beneficiary.balance - kept, 4);
    }

    function _create(SaleTerms memory t) private {
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.ProRata, t);
        vm.warp(OPENS);
    }

    function _oversubscribe() private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
        buy(sale, carol, 50 ether);
    }

    function _close() private {
        vm.warp(CLOSES);
        sale.close();
    }

    function _approve(address restricted, uint40 until) private {
        address[] memory holders = new address[](1);
        uint40[] memory untils = new uint40[](1);
        (holders[0], untils[0]) = (alice, until);
        vm.prank(owner);
        IRestrictedSaleToken(restricted).setHolders(holders, untils);
    }
}
