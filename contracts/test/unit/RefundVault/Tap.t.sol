// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RefundVault} from "../../../src/RefundVault.sol";
import {Sale} from "../../../src/Sale.sol";
import {IRefundVault} from "../../../src/interfaces/IRefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, SaleTerms, State, Tap} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract TapTest is SaleTest {
    Sale private sale;
    RefundVault private vault;
    uint256 private constant COMPLETE = uint256(CLOSES) + 100 days;

    function setUp() public override {
        super.setUp();
        SaleTerms memory t = terms();
        (t.tap, t.compliance, t.minPaid) = (_tap(), owner, 0);
        (sale, vault) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buy(sale, alice, 30 ether);
        buy(sale, bob, 10 ether);
        buy(sale, carol, 10 ether);
    }

    function test_TheScheduleToTheSecond() external {
        _close();
        assertEq(vault.releasable(), 0);
        _release(5 ether, 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRelease.selector, 50 ether, 5 ether, COMPLETE));
        vault.release();
        // 45 ether over 8,640,000 seconds.
        vm.warp(CLOSES + 1);
        assertEq(vault.releasable(), 5_208_333_333_333);
        _release(5_208_333_333_333, 5 ether + 5_208_333_333_333);
        vm.warp(CLOSES + 50 days);
        _release(22.5 ether - 5_208_333_333_333, 27.5 ether);
        vm.warp(COMPLETE - 1);
        _release(22.5 ether - 5_208_333_333_334, 50 ether - 5_208_333_333_334);
        vm.warp(COMPLETE);
        _release(5_208_333_333_334, 50 ether);
        assertEq(beneficiary.balance, 50 ether);
        assertEq(address(vault).balance, 0);
        assertEq(vault.releasable(), 0);
        vm.warp(COMPLETE + 1);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRelease.selector, 50 ether, 50 ether, COMPLETE));
        vault.release();
    }

    function test_ItCountsFromTheOutcomeNotFromTheEnd() external {
        vm.warp(CLOSES + 9 days);
        sale.close();
        _release(5 ether, 5 ether);
    }

    function test_TheFirstReleaseMayComeLate() external {
        _close();
        vm.warp(COMPLETE);
        vm.expectEmit(address(sale));
        emit ISale.Swept(50 ether);
        _release(50 ether, 50 ether);
    }

    function test_ReleaseTo() external {
        _close();
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.OnlyBeneficiary.selector, beneficiary, alice));
        vm.prank(alice);
        vault.releaseTo(alice);
        vm.startPrank(beneficiary);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.InvalidReceiver.selector, address(0)));
        vault.releaseTo(address(0));
        vm.expectEmit(address(vault));
        emit IRefundVault.Released(beneficiary, owner, 5 ether, 5 ether);
        assertEq(vault.releaseTo(owner), 5 ether);
        vm.stopPrank();
        assertEq(owner.balance, 5 ether);
        assertEq(beneficiary.balance, 0);
    }

    function test_ReleaseToWhereTheBeneficiaryIsAContractThatReEnters() external {
        ReEntrant attacker = new ReEntrant();
        SaleTerms memory t = terms();
        (t.tap, t.beneficiary) = (_tap(), address(attacker));
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buy(sale, alice, 50 ether);
        _close();
        attacker.plan(address(vault), abi.encodeCall(IRefundVault.release, ()));
        attacker.plan(address(vault), abi.encodeCall(IRefundVault.releaseTo, (alice)));
        attacker.plan(address(vault), abi.encodeCall(IRefundVault.refundFor, (alice)));
        attacker.plan(address(vault), abi.encodeCall(IRefundVault.object, ()));
        attacker.execute(address(vault), 0, abi.encodeCall(IRefundVault.releaseTo, (address(attacker))));
        assertEq(attacker.attempts(), 4);
        assertEq(attacker.successes(), 0);
        assertEq(address(attacker).balance, 5 ether);
    }

    function test_RevertWhen_NotSucceeded() external {
        bytes memory reason = abi.encodeWithSelector(ISale.NotSucceeded.selector, State.Open);
        vm.expectRevert(reason);
        vault.release();
        vm.expectRevert(reason);
        vm.prank(beneficiary);
        vault.releaseTo(alice);
        vm.expectRevert(reason);
        vm.prank(alice);
        vault.object();
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.TapNotStopped.selector, 0, 0));
        vault.refundFor(alice);
        assertEq(vault.releasable(), 0);
        assertEq(vault.refundable(alice), 0);
    }

    function test_RevertWhen_TheTermsGiveNoObjection() external {
        SaleTerms memory t = terms();
        t.tap = Tap({atOnce: 1000, duration: 100 days, objection: 0});
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        buy(sale, alice, 50 ether);
        _close();
        vm.expectRevert(IRefundVault.NoObjection.selector);
        _object(alice);
    }

    /// @dev A fifth of 50 ether must be exceeded, not met.
    function test_AtTheShareItGoesOn() external {
        _close();
        vm.expectEmit(address(sale));
        emit ISale.Swept(50 ether);
        vm.expectEmit(address(vault));
        emit IRefundVault.Objected(bob, 10 ether, 10 ether);
        vm.prank(bob);
        assertEq(vault.object(), 10 ether);
        _checkObjections(10 ether, 10 ether, false);
        assertTrue(vault.hasObjected(bob));
        assertFalse(vault.hasObjected(alice));
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.TapNotStopped.selector, 10 ether, 10 ether));
        vault.refundFor(bob);
        _release(5 ether, 5 ether);
    }

    function test_AboveTheShareItStops() external {
        _aWeiOf(owner);
        _close();
        _object(bob);
        vm.expectEmit(address(vault));
        emit IRefundVault.Objected(owner, 1, 10 ether + 1);
        vm.expectEmit(address(vault));
        emit IRefundVault.TapStopped(50 ether + 1, 10 ether + 1);
        _object(owner);
        _checkObjections(10 ether + 1, 10 ether, true);
        _stopped(50 ether + 1);
    }

    function test_RevertWhen_ObjectedTwice() external {
        _close();
        _object(bob);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.AlreadyObjected.selector, bob));
        _object(bob);
        _checkObjections(10 ether, 10 ether, false);
    }

    function test_RevertWhen_ThereIsNoStake() external {
        vm.prank(owner);
        sale.reject(carol);
        _close();
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NoStake.selector, owner));
        _object(owner);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NoStake.selector, carol));
        _object(carol);
    }

    function test_RevertWhen_AllIsDue() external {
        _close();
        vm.warp(COMPLETE);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.ObjectionTooLate.selector, COMPLETE));
        _object(alice);
        vm.warp(COMPLETE - 1);
        _object(alice);
        _stopped(50 ether);
    }

    function test_RevertWhen_Stopped() external {
        _close();
        _release(5 ether, 5 ether);
        _object(alice);
        bytes memory reason = abi.encodeWithSelector(IRefundVault.TapIsStopped.selector, 45 ether);
        vm.expectRevert(reason);
        _object(bob);
        vm.warp(COMPLETE + 1);
        assertEq(vault.releasable(), 0);
        vm.expectRevert(reason);
        vault.release();
        vm.expectRevert(reason);
        vm.prank(beneficiary);
        vault.releaseTo(owner);
    }

    function test_TheRestGoesBackByShares() external {
        _close();
        sale.claim(alice);
        vm.warp(CLOSES + 50 days);
        _release(27.5 ether, 27.5 ether);
        vm.expectEmit(address(vault));
        emit IRefundVault.TapStopped(22.5 ether, 30 ether);
        _object(alice);
        assertEq(vault.releasable(), 0);
        assertEq(vault.refundable(alice), 13.5 ether);
        assertEq(vault.refundable(bob), 4.5 ether);
        vm.expectEmit(address(vault));
        emit IRefundVault.RestRefunded(alice, alice, 13.5 ether);
        vm.prank(owner);
        assertEq(vault.refundFor(alice), 13.5 ether);
        assertEq(alice.balance, 983.5 ether);
        assertEq(vault.refundable(alice), 0);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRefund.selector, alice));
        vault.refundFor(alice);
        // The tokens are the investors' all the same.
        vm.warp(COMPLETE * 2);
        assertEq(vault.refundFor(bob), 4.5 ether);
        sale.claim(bob);
        vm.expectEmit(address(vault));
        emit IRefundVault.RestRefunded(carol, owner, 4.5 ether);
        vm.prank(carol);
        assertEq(vault.refundTo(owner), 4.5 ether);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRefund.selector, carol));
        vm.prank(carol);
        vault.refundTo(carol);
        assertEq(address(vault).balance, 0);
    }

    function test_RevertWhen_TheReceiverOfTheRestIsTheZeroAddress() external {
        _close();
        _object(alice);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        vault.refundTo(address(0));
    }

    function test_RevertWhen_WhoHasNoStakeAsksForTheRest() external {
        vm.prank(owner);
        sale.reject(carol);
        _close();
        _object(alice);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRefund.selector, carol));
        vault.refundFor(carol);
        assertEq(sale.refundFor(carol), 10 ether);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRefund.selector, owner));
        vault.refundFor(owner);
        assertEq(vault.refundFor(alice), 30 ether);
        assertEq(vault.refundFor(bob), 10 ether);
        assertEq(address(vault).balance, 0);
        assertEq(address(sale).balance, 0);
    }

    function test_ProRataSharesClaimedOrNot() external {
        SaleTerms memory t = proRata();
        t.tap = _tap();
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.ProRata, t);
        vm.warp(OPENS);
        buy(sale, alice, 100 ether);
        buy(sale, bob, 100 ether);
        _close();
        sale.claim(alice);
        _release(10 ether, 10 ether);
        _object(bob);
        _checkObjections(50 ether, 20 ether, true);
        assertEq(vault.refundable(alice), 45 ether);
        assertEq(vault.refundFor(bob), 45 ether);
        assertEq(vault.refundFor(alice), 45 ether);
        // The excess and the tokens of bob wait still.
        assertEq(sale.claim(bob), 50_000e18);
        assertEq(alice.balance, 965 ether);
        assertEq(bob.balance, 985 ether);
        assertEq(address(vault).balance, 0);
        assertEq(address(sale).balance, 0);
    }

    function test_TheTapIsThatOfTheTerms() external view {
        assertEq(abi.encode(vault.tap()), abi.encode(_tap()));
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        RefundVault code = RefundVault(payable(factory.REFUND_VAULT()));
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.object();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.releaseTo(alice);
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.refundFor(alice);
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.tap();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.releasable();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.objections();
    }

    /// @notice What each gets of the rest depends neither on the order nor on what was claimed.
    function testFuzz_TheOrderDoesNotMatter(uint96[3] calldata amounts, uint32 second, uint256 order) external {
        SaleTerms memory t = proRata();
        t.tap = Tap({atOnce: 0, duration: 100 days, objection: 1});
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.ProRata, t);
        vm.warp(OPENS);
        address[3] memory who = [alice, bob, carol];
        for (uint256 i = 0; i < 3; ++i) {
            buy(sale, who[i], bound(amounts[i], 4 ether, 100 ether));
        }
        _close();
        vm.warp(CLOSES + bound(second, 1, 100 days - 1));
        uint256 released = vault.release();
        _object(alice);
        (uint256 received,) = vault.account();
        uint256 paid;
        for (uint256 i = 0; i < 3; ++i) {
            address investor = who[(i + order % 3) % 3];
            if (order >> (4 + i) & 1 == 1) sale.claim(investor);
            uint256 stake = sale.stakeOf(investor);
            assertEq(vault.refundFor(investor), stake * (received - released) / received);
            paid += stake * (received - released) / received;
        }
        assertLe(paid, received - released);
        assertLe(received - released - paid, 6);
    }

    function _aWeiOf(address investor) private {
        vm.deal(investor, 1);
        buy(sale, investor, 1);
    }

    function _tap() private pure returns (Tap memory) {
        return Tap({atOnce: 1000, duration: 100 days, objection: 2000});
    }

    function _close() private {
        vm.warp(CLOSES);
        sale.close();
    }

    function _object(address investor) private {
        vm.prank(investor);
        vault.object();
    }

    function _release(uint256 amount, uint256 all) private {
        vm.expectEmit(address(vault));
        emit IRefundVault.Released(beneficiary, beneficiary, amount, all);
        assertEq(vault.release(), amount);
    }

    function _stopped(uint256 rest) private {
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.TapIsStopped.selector, rest));
        vault.release();
    }

    function _checkObjections(uint256 objected, uint256 needed, bool stopped) private view {
        (uint256 objected_, uint256 needed_, bool stopped_) = vault.objections();
        assertEq(objected_, objected);
        assertEq(needed_, needed);
        assertEq(stopped_, stopped);
    }
}
