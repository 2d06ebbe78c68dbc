// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RefundVault} from "../../../src/RefundVault.sol";
import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Gate, Mode, Outcome, Phase, SaleTerms, State} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract DutchAuctionSaleTest is SaleTest {
    Sale private sale;
    RefundVault private vault;

    function setUp() public override {
        super.setUp();
        _create(dutch());
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        Sale code = Sale(payable(factory.DUTCH_AUCTION_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.close();
    }

    /// @dev 0.001 ether over a day, then 0.002 over two, rounded up each second.
    function test_ThePriceAtEachEdge() external {
        uint256[9] memory times = [
            uint256(OPENS),
            OPENS + 1,
            OPENS + 12 hours,
            OPENS + 1 days - 1,
            OPENS + 1 days,
            OPENS + 1 days + 1,
            OPENS + 3 days - 1,
            OPENS + 3 days,
            CLOSES - 1
        ];
        uint256[9] memory prices = [
            uint256(0.004 ether),
            3_999_988_425_925_926,
            0.0035 ether,
            3_000_011_574_074_075,
            0.003 ether,
            2_999_988_425_925_926,
            1_000_011_574_074_075,
            0.001 ether,
            0.001 ether
        ];
        uint256[9] memory phases = [uint256(0), 0, 0, 0, 1, 1, 1, 2, 2];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            assertEq(sale.price(), prices[i]);
            (uint256 index, Phase memory phase) = sale.activePhase();
            assertEq(index, phases[i]);
            assertEq(phase.end, dutch().phases[index].end);
        }
    }

    function test_RevertWhen_ThePriceIsAskedForWhileNotOpen() external {
        bytes memory reason = abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None);
        vm.warp(OPENS - 1);
        vm.expectRevert(reason);
        sale.price();
        vm.warp(CLOSES);
        vm.expectRevert(reason);
        sale.price();
    }

    function test_OnePhaseHasOnePrice() external {
        SaleTerms memory t = dutch();
        t.phases = new Phase[](1);
        t.phases[0] = Phase({end: CLOSES, raisedUpTo: 200 ether, price: 0.001 ether, gate: Gate.Open, root: 0});
        _create(t);
        assertEq(sale.price(), 0.001 ether);
        vm.warp(CLOSES - 1);
        assertEq(sale.price(), 0.001 ether);
    }

    function test_AContributionIsAllottedNothingYet() external {
        vm.warp(OPENS + 12 hours);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 35 ether, 0, 35 ether, 35 ether, 0);
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 35 ether);
        assertEq(accepted, 35 ether);
        assertEq(tokens, 0);
        (accepted, tokens) = sale.quote(35 ether);
        assertEq(accepted, 35 ether);
        assertEq(tokens, 10_000e18);
        assertTotals(sale, 35 ether, 0, Outcome.None);
    }

    function test_RevertWhen_TheAmountBuysNothing() external {
        SaleTerms memory t = dutch();
        t.phases[0].price = 1e27;
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 1e9 - 1));
        buy(sale, alice, 1e9 - 1);
    }

    function test_SoldOutByFalling() external {
        buy(sale, alice, 100 ether);
        vm.warp(OPENS + 2 days - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
        (uint256 accepted,) = sale.quote(200 ether);
        assertGt(accepted, 0);

        // At 0.002 ether, 100 ether are all 50,000 tokens.
        vm.warp(OPENS + 2 days);
        (accepted,) = sale.quote(200 ether);
        assertEq(accepted, 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.SoldOut.selector, 200 ether));
        buy(sale, bob, 1 ether);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 100 ether, 50_000e18);
        sale.close();
        assertTotals(sale, 100 ether, 50_000e18, Outcome.Succeeded);
        vm.expectEmit(address(sale));
        emit ISale.Settled(alice, 100 ether, 50_000e18, 0);
        assertEq(sale.claim(alice), 50_000e18);
        assertEq(token.balanceOf(owner), 0);
        assertEq(vault.release(), 100 ether);
    }

    function test_TheLastFill() external {
        buy(sale, alice, 100 ether);
        vm.warp(OPENS + 1 days);
        // At 0.003 ether the tokens cost 150.
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, bob, 1, 50 ether, 0, 50 ether, 150 ether, 0);
        vm.expectEmit(address(sale));
        emit ISale.ExcessReturned(bob, 10 ether);
        (uint256 accepted,) = buy(sale, bob, 60 ether);
        assertEq(accepted, 50 ether);
        assertEq(bob.balance, 950 ether);
        sale.close();
        assertTotals(sale, 150 ether, 50_000e18, Outcome.Succeeded);
        // All pay 0.003: alice less than the 0.004 she saw.
        assertEq(sale.claim(alice), 33_333_333_333_333_333_333_333);
        assertEq(sale.claim(bob), 16_666_666_666_666_666_666_666);
        assertEq(token.balanceOf(address(sale)), 1);
        assertEq(vault.release(), 150 ether);
        assertEq(address(sale).balance, 0);
    }

    function test_TheLastFillMayBeBelowTheMinimum() external {
        SaleTerms memory t = dutch();
        t.minPaid = 1 ether;
        _create(t);
        buy(sale, alice, 199.5 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.BelowMinimum.selector, 1 ether, 0.5 ether - 4000));
        buy(sale, bob, 0.5 ether - 4000);
        buy(sale, bob, 0.5 ether);
        sale.close();
        assertState(sale, State.Succeeded);
    }

    function test_TheReserveLeavesTokensUnsold() external {
        buy(sale, alice, 15 ether);
        vm.warp(CLOSES - 1);
        buy(sale, bob, 5 ether);
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Closed(Outcome.Succeeded, 20 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(owner, 30_000e18);
        sale.close();
        assertEq(sale.claim(alice), 15_000e18);
        assertEq(sale.claim(bob), 5000e18);
        assertEq(token.balanceOf(owner), 30_000e18);
        assertEq(token.balanceOf(address(sale)), 0);
    }

    function test_TheHardCapEndsItAtAHighPrice() external {
        SaleTerms memory t = dutch();
        (t.hardCap, t.maxPaid) = (60 ether, 60 ether);
        for (uint256 i = 0; i < 3; ++i) {
            t.phases[i].raisedUpTo = 60 ether;
        }
        _create(t);
        (uint256 accepted,) = buy(sale, alice, 70 ether);
        assertEq(accepted, 60 ether);
        sale.close();
        // 60 ether for all the tokens is above the last price, so all are sold.
        assertTotals(sale, 60 ether, 50_000e18, Outcome.Succeeded);
        assertEq(sale.claim(alice), 50_000e18);
    }

    function test_ItsCloseBeforeTheOpeningIsTooEarly() external {
        vm.warp(OPENS - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
    }

    function test_AFailureGivesAllBack() external {
        buy(sale, alice, 10 ether - 1);
        vm.warp(CLOSES);
        sale.close();
        assertTotals(sale, 10 ether - 1, 0, Outcome.Failed);
        assertEq(sale.refundFor(alice), 10 ether - 1);
        assertEq(token.balanceOf(owner), 50_000e18);
    }

    function test_ThereIsNoExcess() external {
        buy(sale, alice, 100 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(alice);
        assertEq(sale.stakeOf(alice), 100 ether);
        (uint256 tokens, uint256 excess) = sale.claimable(alice);
        assertEq(tokens, 50_000e18);
        assertEq(excess, 0);
    }

    function test_RevertWhen_ABidIsTakenBack() external {
        buy(sale, alice, 1 ether);
        vm.expectRevert(ISale.NoCoolingOff.selector);
        vm.prank(alice);
        sale.withdraw();
    }

    function test_ARejectedBidMakesRoom() external {
        SaleTerms memory t = dutch();
        t.compliance = carol;
        _create(t);
        buy(sale, alice, 200 ether);
        vm.prank(carol);
        sale.reject(alice);
        (uint256 accepted,) = buy(sale, bob, 60 ether);
        assertEq(accepted, 60 ether);
        vm.warp(CLOSES);
        sale.close();
        assertEq(sale.claim(bob), 50_000e18);
        assertEq(sale.refundFor(alice), 200 ether);
    }

    /// @notice Nobody pays more than the price of the own contribution, but for the base unit that was cut.
    function testFuzz_TheClearingPriceIsNeverAboveOnesOwn(uint96[4] calldata amounts, uint32[4] calldata steps)
        external
    {
        address[4] memory who = [alice, bob, carol, owner];
        vm.deal(owner, 1000 ether);
        uint256[4] memory quoted;
        uint256[4] memory paid;
        uint256 last = type(uint256).max;
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(vm.getBlockTimestamp() + steps[i] % 1 days);
            assertLe(sale.price(), last);
            last = sale.price();
            uint256 amount = bound(amounts[i], 1 ether, 120 ether);
            (paid[i], quoted[i]) = sale.quote(amount);
            if (quoted[i] != 0) buy(sale, who[i], amount);
            else paid[i] = 0;
        }
        (uint256 raised,,) = sale.totals();
        if (raised < 10 ether) return;
        vm.warp(CLOSES);
        sale.close();
        (, uint256 sold,) = sale.totals();
        assertLe(sold, 50_000e18);
        // Not below the reserve either.
        assertLe(sold * 0.001 ether, raised * 1e18);
        uint256 given;
        for (uint256 i = 0; i < 4; ++i) {
            if (paid[i] == 0) continue;
            uint256 tokens = sale.claim(who[i]);
            assertGe(tokens + 1, quoted[i]);
            given += tokens;
        }
        assertLe(given, sold);
        assertLe(sold - given, 4);
        assertEq(vault.release(), raised);
        assertEq(address(sale).balance, 0);
    }

    /// @notice The price never rises, and stays between the prices of its phase.
    function testFuzz_ThePriceFalls(uint40 a, uint40 b) external {
        a = uint40(bound(a, OPENS, CLOSES - 1));
        b = uint40(bound(b, a, CLOSES - 1));
        vm.warp(a);
        uint256 first = sale.price();
        vm.warp(b);
        uint256 second = sale.price();
        assertLe(second, first);
        assertLe(first, 0.004 ether);
        assertGe(second, 0.001 ether);
    }

    function test_TheSmallestSale() external {
        SaleTerms memory t = onePhase(1);
        (t.softCap, t.hardCap, t.minPaid, t.maxPaid, t.tokensForSale) = (1, 1, 1, 1, 1e18);
        t.phases[0].raisedUpTo = 1;
        _create(t);
        buy(sale, alice, 1);
        sale.close();
        assertTotals(sale, 1, 1e18, Outcome.Succeeded);
        assertEq(sale.claim(alice), 1e18);
    }

    function _create(SaleTerms memory t) private {
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.DutchAuction, t);
        vm.warp(OPENS);
    }
}
