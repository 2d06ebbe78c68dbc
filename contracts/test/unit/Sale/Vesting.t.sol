// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, SaleTerms, Vesting} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract VestingTest is SaleTest {
    Sale private sale;

    function setUp() public override {
        super.setUp();
        _create(Vesting({atOnce: 2000, cliff: 30 days, duration: 100 days}));
    }

    function test_TheShareIsFreeAtOnce() external {
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, alice, 2000e18);
        assertEq(sale.claim(alice), 2000e18);
        assertEq(sale.claimedOf(alice), 2000e18);
        assertPosition(sale, alice, 10 ether, 8000e18);
        _nothing(alice, CLOSES + 30 days);
        vm.warp(CLOSES + 30 days - 1);
        _nothing(alice, CLOSES + 30 days);
    }

    function test_TheCliffToTheSecond() external {
        sale.claim(alice);
        vm.warp(CLOSES + 30 days);
        _checkClaimable(2400e18);
        assertEq(sale.claim(alice), 2400e18);
        assertEq(token.balanceOf(alice), 4400e18);
        // 8,000 tokens over 8,640,000 seconds.
        _nothing(alice, CLOSES + 30 days + 1);
        vm.warp(CLOSES + 30 days + 1);
        uint256 next = uint256(8000e18) * (30 days + 1) / 100 days - 2400e18;
        assertEq(next, 925_925_925_925_925);
        assertEq(sale.claim(alice), next);
    }

    function test_TheEndToTheSecond() external {
        vm.warp(CLOSES + 100 days - 1);
        uint256 before = 2000e18 + uint256(8000e18) * (100 days - 1) / 100 days;
        assertEq(sale.claim(alice), before);
        vm.warp(CLOSES + 100 days);
        _checkClaimable(10_000e18 - before);
        assertEq(sale.claim(alice), 10_000e18 - before);
        assertEq(token.balanceOf(alice), 10_000e18);
        assertEq(sale.claimedOf(alice), 10_000e18);
        assertPosition(sale, alice, 10 ether, 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        sale.claim(alice);
        vm.warp(CLOSES + 1000 days);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, alice));
        sale.claim(alice);
    }

    function test_AllAtOnceLongAfter() external {
        vm.warp(CLOSES + 36_500 days);
        assertEq(sale.claim(alice), 10_000e18);
        assertEq(sale.claim(bob), 3e18);
        assertEq(token.balanceOf(address(sale)), 0);
    }

    function test_AnyoneClaimsForTheInvestor() external {
        vm.prank(carol);
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 2000e18);
        assertEq(token.balanceOf(carol), 0);
    }

    function test_TheInvestorClaimsToAnother() external {
        vm.expectEmit(address(sale));
        emit ISale.Claimed(alice, carol, 2000e18);
        vm.prank(alice);
        assertEq(sale.claimTo(carol), 2000e18);
        vm.warp(CLOSES + 50 days);
        vm.prank(alice);
        assertEq(sale.claimTo(bob), 4000e18);
        assertEq(token.balanceOf(carol), 2000e18);
        assertEq(token.balanceOf(bob), 4000e18);
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        sale.claimTo(address(0));
    }

    function test_WithNothingAtOnce() external {
        _create(Vesting({atOnce: 0, cliff: 0, duration: 10}));
        _nothing(alice, CLOSES + 1);
        vm.warp(CLOSES + 3);
        assertEq(sale.claim(alice), 3000e18);
        vm.warp(CLOSES + 10);
        assertEq(sale.claim(alice), 7000e18);
    }

    function test_WithACliffAtTheEnd() external {
        _create(Vesting({atOnce: 0, cliff: 10 days, duration: 10 days}));
        vm.warp(CLOSES + 10 days - 1);
        _nothing(alice, CLOSES + 10 days);
        vm.warp(CLOSES + 10 days);
        assertEq(sale.claim(alice), 10_000e18);
    }

    function test_ItCountsFromTheOutcomeNotFromTheEnd() external {
        vm.warp(OPENS - 1);
        _open(Vesting({atOnce: 0, cliff: 0, duration: 100}));
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES + 7 days);
        sale.close();
        assertEq(sale.settledAt(), CLOSES + 7 days);
        vm.warp(CLOSES + 7 days + 50);
        assertEq(sale.claim(alice), 5000e18);
    }

    function test_NothingIsClaimableWithoutSuccessOrPosition() external {
        (uint256 tokens, uint256 excess) = sale.claimable(carol);
        assertEq(tokens + excess, 0);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToClaim.selector, carol));
        sale.claim(carol);
        _open(Vesting({atOnce: 0, cliff: 0, duration: 100}));
        buy(sale, alice, 1 ether);
        (tokens, excess) = sale.claimable(alice);
        assertEq(tokens + excess, 0);
        assertEq(sale.stakeOf(alice), 0);
        assertEq(sale.settledAt(), 0);
    }

    /// @notice However often it is claimed, all of it comes, and never more than the schedule.
    function testFuzz_ClaimsAddUp(Vesting memory v, uint32[8] calldata steps) external {
        v.duration = uint32(bound(v.duration, 1, 3653 days));
        v.cliff = uint32(bound(v.cliff, 0, v.duration));
        v.atOnce = uint16(bound(v.atOnce, 0, 10_000));
        _create(v);
        uint256 sum;
        for (uint256 i = 0; i < steps.length; ++i) {
            vm.warp(vm.getBlockTimestamp() + steps[i] % (v.duration / 4 + 1));
            (uint256 due,) = sale.claimable(alice);
            (bool ok,) = address(sale).call(abi.encodeCall(ISale.claim, (alice)));
            assertEq(ok, due != 0);
            sum += due;
            assertEq(token.balanceOf(alice), sum);
            assertLe(sum, 10_000e18);
        }
        vm.warp(CLOSES + v.duration);
        if (sum != 10_000e18) sale.claim(alice);
        assertEq(token.balanceOf(alice), 10_000e18);
    }

    function _create(Vesting memory v) private {
        _open(v);
        buy(sale, alice, 10 ether);
        buy(sale, bob, 0.003 ether);
        vm.warp(CLOSES);
        sale.close();
    }

    function _open(Vesting memory v) private {
        SaleTerms memory t = terms();
        (t.vesting, t.minPaid) = (v, 0);
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
    }

    function _checkClaimable(uint256 expected) private view {
        (uint256 tokens, uint256 excess) = sale.claimable(alice);
        assertEq(tokens, expected);
        assertEq(excess, 0);
    }

    function _nothing(address investor, uint256 from) private {
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingVested.selector, investor, from));
        sale.claim(investor);
    }
}
