// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";

import {Sale} from "../../../src/Sale.sol";
import {TeamWallet} from "../../../src/TeamWallet.sol";
import {ClonedOwnable} from "../../../src/access/ClonedOwnable.sol";
import {ITeamWallet} from "../../../src/interfaces/ITeamWallet.sol";
import {Allocation, Mode} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {PlainToken} from "../../utils/Tokens.sol";

contract TeamWalletTest is SaleTest {
    Sale private sale;
    TeamWallet private wallet;
    address private team = makeAddr("team");
    uint256 private constant CLIFF = uint256(CLOSES) + 30 days;

    function setUp() public override {
        super.setUp();
        Allocation[] memory allocations = new Allocation[](1);
        allocations[0] = Allocation({beneficiary: team, amount: 365e18, cliff: 30 days, duration: 365 days});
        (address s,) = factory.create(Mode.FixedPrice, terms(), documents(), allocations);
        sale = Sale(payable(s));
        wallet = TeamWallet(payable(factory.predictWallet(s, CLOSES, 0, allocations[0])));
        vm.warp(OPENS);
    }

    function test_ItIsWhatTheAllocationSays() external view {
        assertEq(wallet.sale(), address(sale));
        assertEq(wallet.owner(), team);
        assertEq(wallet.start(), CLOSES);
        assertEq(wallet.duration(), 365 days);
        assertEq(wallet.cliff(), CLIFF);
        assertEq(wallet.end(), uint256(CLOSES) + 365 days);
        assertEq(token.balanceOf(address(wallet)), 365e18);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        TeamWallet code = TeamWallet(payable(factory.TEAM_WALLET()));
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.sale();
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.start();
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.duration();
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.cliff();
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.release(address(token));
        vm.expectRevert(ITeamWallet.NotAWallet.selector);
        code.reclaim(address(token));
        assertEq(code.owner(), address(code));
    }

    function test_RevertWhen_EtherComes() external {
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(wallet).call{value: 1}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(ITeamWallet.EtherNotAccepted.selector));
    }

    function test_NothingVestsBeforeSuccess() external {
        buy(sale, alice, 10 ether);
        vm.warp(uint256(CLOSES) + 400 days);
        _nothing();
        sale.close();
        wallet.release(address(token));
        assertEq(token.balanceOf(team), 365e18);
    }

    function test_TheCliffToTheSecond() external {
        _succeed();
        _nothing();
        vm.warp(CLIFF - 1);
        assertEq(wallet.releasable(address(token)), 0);
        _nothing();
        vm.warp(CLIFF);
        vm.expectEmit(address(wallet));
        emit VestingWallet.ERC20Released(address(token), 30e18);
        vm.prank(carol);
        wallet.release(address(token));
        assertEq(token.balanceOf(team), 30e18);
        assertEq(wallet.released(address(token)), 30e18);
        _nothing();
    }

    function test_ItVestsBySecondsToTheLastUnit() external {
        _succeed();
        vm.warp(CLIFF + 1);
        uint256 vested = uint256(365e18) * (30 days + 1) / 365 days;
        assertEq(wallet.releasable(address(token)), vested);
        wallet.release(address(token));
        vm.warp(uint256(CLOSES) + 365 days - 1);
        wallet.release(address(token));
        assertLt(token.balanceOf(team), 365e18);
        vm.warp(uint256(CLOSES) + 365 days);
        wallet.release(address(token));
        assertEq(token.balanceOf(team), 365e18);
        _nothing();
    }

    function test_OwnershipIsHandedOnInTwoSteps() external {
        vm.prank(team);
        wallet.transferOwnership(bob);
        assertEq(wallet.owner(), team);
        assertEq(wallet.pendingOwner(), bob);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, carol));
        vm.prank(carol);
        wallet.acceptOwnership();
        vm.prank(bob);
        wallet.acceptOwnership();
        assertEq(wallet.owner(), bob);
        vm.expectRevert(abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, bob, team));
        vm.prank(team);
        wallet.transferOwnership(team);
        vm.expectRevert(ClonedOwnable.OwnershipNotRenounceable.selector);
        vm.prank(bob);
        wallet.renounceOwnership();

        _succeed();
        vm.warp(CLIFF);
        wallet.release(address(token));
        assertEq(token.balanceOf(bob), 30e18);
        assertEq(token.balanceOf(team), 0);
    }

    function test_RevertWhen_ReclaimedBeforeAnOutcomeOrAfterSuccess() external {
        vm.expectRevert(abi.encodeWithSelector(ITeamWallet.NotReclaimable.selector, address(sale)));
        wallet.reclaim(address(token));
        _succeed();
        vm.expectRevert(abi.encodeWithSelector(ITeamWallet.NotReclaimable.selector, address(sale)));
        vm.prank(owner);
        wallet.reclaim(address(token));
    }

    function test_ReclaimAfterFailure() external {
        vm.warp(CLOSES);
        sale.close();
        _reclaim(owner, 100_000e18 + 365e18);
        vm.warp(uint256(CLOSES) + 365 days);
        _nothing();
    }

    function test_ReclaimAfterCancellation() external {
        vm.prank(owner);
        sale.cancel();
        _reclaim(owner, 100_000e18 + 365e18);
    }

    function test_ReclaimGoesToTheLaterOwner() external {
        vm.prank(owner);
        sale.transferOwnership(bob);
        vm.warp(CLOSES);
        sale.close();
        vm.prank(bob);
        sale.acceptOwnership();
        _reclaim(bob, 365e18);
    }

    function test_AnotherTokenIsReclaimedToo() external {
        PlainToken other = new PlainToken(18);
        other.mint(address(wallet), 7);
        vm.warp(CLOSES);
        sale.close();
        assertEq(wallet.reclaim(address(other)), 7);
        assertEq(other.balanceOf(owner), 7);
    }

    function testFuzz_VestedIsMonotoneAndBounded(uint40 a, uint40 b) external {
        _succeed();
        a = uint40(bound(a, CLOSES, uint256(CLOSES) + 400 days));
        b = uint40(bound(b, a, uint256(CLOSES) + 400 days));
        vm.warp(a);
        uint256 first = wallet.releasable(address(token));
        if (first != 0) wallet.release(address(token));
        vm.warp(b);
        uint256 second = wallet.releasable(address(token));
        assertLe(first + second, 365e18);
        if (b >= uint256(CLOSES) + 365 days) assertEq(first + second, 365e18);
        if (b < CLIFF) assertEq(first + second, 0);
    }

    function _succeed() private {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
    }

    function _nothing() private {
        vm.expectRevert(abi.encodeWithSelector(ITeamWallet.NothingToRelease.selector, address(token), CLIFF));
        wallet.release(address(token));
    }

    function _reclaim(address to, uint256 balance) private {
        vm.expectEmit(address(wallet));
        emit ITeamWallet.Reclaimed(address(token), to, 365e18);
        vm.prank(carol);
        assertEq(wallet.reclaim(address(token)), 365e18);
        assertEq(token.balanceOf(to), balance);
        vm.expectRevert(abi.encodeWithSelector(ITeamWallet.NothingToReclaim.selector, address(token)));
        wallet.reclaim(address(token));
    }
}
