// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {RefundVault} from "../../../src/RefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {CurrencyLibrary} from "../../../src/types/Currency.sol";
import {Outcome, State} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {
    BlockingToken,
    FalseToken,
    FeeToken,
    HookToken,
    PlainToken,
    PretendingToken,
    SilentToken
} from "../../utils/Tokens.sol";

contract CurrenciesTest is SaleTest {
    FixedPriceSale private sale;
    RefundVault private vault;

    function test_SixDecimals() external {
        _sellsToTheBaseUnit(6);
    }

    function test_EightDecimals() external {
        _sellsToTheBaseUnit(8);
    }

    function test_EighteenDecimals() external {
        _sellsToTheBaseUnit(18);
    }

    function test_ATokenThatAnswersNothing() external {
        SilentToken usdt = new SilentToken();
        usdt.mint(alice, 20e6);
        _create(address(usdt), 6);
        vm.startPrank(alice);
        usdt.approve(address(sale), 20e6);
        (uint256 accepted, uint256 tokens) = sale.contribute(alice, 5e6, "");
        vm.stopPrank();
        assertEq(accepted, 5e6);
        assertEq(tokens, 5000e18);
        assertEq(usdt.balanceOf(address(sale)), 5e6);
        uint256 snapshot = vm.snapshotState();

        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(alice);
        assertEq(usdt.balanceOf(alice), 20e6);

        vm.revertToState(snapshot);
        vm.prank(alice);
        sale.contribute(alice, 5e6, "");
        vm.warp(CLOSES);
        sale.close();
        vault.release();
        assertEq(usdt.balanceOf(beneficiary), 10e6);
    }

    function test_RevertGiven_ATokenThatTakesAFee() external {
        FeeToken fee = new FeeToken();
        fee.mint(alice, 10 ether);
        _create(address(fee), 18);
        vm.prank(alice);
        fee.approve(address(sale), 10 ether);
        vm.expectRevert(
            abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, address(fee), 1 ether, 0.99 ether)
        );
        vm.prank(alice);
        sale.contribute(alice, 1 ether, "");
        assertTotals(sale, 0, 0, Outcome.None);
    }

    function test_RevertGiven_ATokenThatAnswersFalse() external {
        FalseToken lying = new FalseToken();
        lying.mint(alice, 10 ether);
        _create(address(lying), 18);
        vm.startPrank(alice);
        lying.approve(address(sale), 10 ether);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lying)));
        sale.contribute(alice, 1 ether, "");

        lying.setLying(false);
        sale.contribute(alice, 1 ether, "");
        vm.stopPrank();
        vm.warp(CLOSES);
        sale.close();
        lying.setLying(true);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lying)));
        sale.refundFor(alice);
        assertPosition(sale, alice, 1 ether, 1000e18);
        lying.setLying(false);
        sale.refundFor(alice);
        assertEq(lying.balanceOf(alice), 10 ether);
    }

    function test_RevertGiven_ATokenThatOnlyPretends() external {
        PretendingToken nothing = new PretendingToken();
        _create(address(nothing), 18);
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, address(nothing), 1 ether, 0));
        vm.prank(alice);
        sale.contribute(alice, 1 ether, "");
    }

    function test_RevertGiven_NoAllowance() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 10e6);
        _create(address(usd), 6);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sale), 0, 1e6));
        vm.prank(alice);
        sale.contribute(alice, 1e6, "");
    }

    function test_ABlockedInvestorHurtsNobodyAndLeavesElsewhere() external {
        BlockingToken usdc = new BlockingToken();
        usdc.mint(alice, 10e6);
        usdc.mint(bob, 10e6);
        _create(address(usdc), 6);
        buyWith(address(usdc), sale, alice, 3e6);
        buyWith(address(usdc), sale, bob, 4e6);
        usdc.setBlocked(alice, true);
        vm.warp(CLOSES);
        sale.close();

        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, alice));
        sale.refundFor(alice);
        sale.refundFor(bob);
        assertEq(usdc.balanceOf(bob), 10e6);
        vm.expectEmit(address(sale));
        emit ISale.Refunded(alice, carol, 3e6);
        vm.prank(alice);
        sale.refundTo(carol);
        assertEq(usdc.balanceOf(carol), 3e6);
        assertEq(usdc.balanceOf(address(sale)), 0);
    }

    function test_ABlockedBeneficiaryHurtsNoInvestor() external {
        BlockingToken usdc = new BlockingToken();
        usdc.mint(alice, 10e6);
        _create(address(usdc), 6);
        buyWith(address(usdc), sale, alice, 10e6);
        usdc.setBlocked(beneficiary, true);
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, beneficiary));
        vault.release();
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 10_000e18);
    }

    function test_AHookCannotReEnterAContribution() external {
        (HookToken hook, ReEntrant attacker) = _hooked();
        attacker.plan(address(sale), abi.encodeCall(ISale.contribute, (address(attacker), 1 ether, "")));
        bytes memory locked = abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        attacker.execute(address(sale), 0, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, "")));
        assertEq(attacker.attempts(), 1);
        assertEq(attacker.successes(), 0);
        assertEq(attacker.lastAnswer(), locked);
        assertPosition(sale, address(attacker), 2 ether, 2000e18);
        assertEq(hook.balanceOf(address(sale)), 2 ether);
    }

    function test_AHookCannotReEnterARefund() external {
        (HookToken hook, ReEntrant attacker) = _hooked();
        attacker.execute(address(sale), 0, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, "")));
        hook.mint(bob, 5 ether);
        buyWith(address(hook), sale, bob, 5 ether);
        attacker.plan(address(sale), abi.encodeCall(ISale.refundFor, (address(attacker))));
        attacker.plan(address(sale), abi.encodeCall(ISale.refundTo, (address(attacker))));
        attacker.plan(address(sale), abi.encodeCall(ISale.refundFor, (bob)));
        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(address(attacker));
        assertEq(attacker.attempts(), 3);
        assertEq(attacker.successes(), 0);
        assertEq(hook.balanceOf(address(attacker)), 10 ether);
        assertEq(hook.balanceOf(address(sale)), 5 ether);
    }

    /// @dev The payer may close in the middle of its own payment: the ledger is written before, and the payment still has
    /// to arrive.
    function test_AHookThatClosesTheSaleStillPays() external {
        (HookToken hook, ReEntrant attacker) = _hooked();
        hook.mint(alice, 50 ether);
        hook.mint(bob, 49 ether);
        buyWith(address(hook), sale, alice, 50 ether);
        buyWith(address(hook), sale, bob, 49 ether);
        attacker.plan(address(sale), abi.encodeCall(ISale.close, ()));
        attacker.plan(address(vault), abi.encodeCall(RefundVault.release, ()));
        attacker.plan(address(sale), abi.encodeCall(ISale.claim, (address(attacker))));
        attacker.execute(address(sale), 0, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, "")));
        assertEq(attacker.successes(), 1);
        assertState(sale, State.Succeeded);
        vault.release();
        assertEq(hook.balanceOf(beneficiary), 100 ether);
        sale.returnUnsold();
        sale.claim(address(attacker));
        assertEq(token.balanceOf(address(attacker)), 250e18);
    }

    function test_RevertWhen_EtherComesAlong() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 10e6);
        _create(address(usd), 6);
        vm.startPrank(alice);
        usd.approve(address(sale), 10e6);
        vm.expectRevert(abi.encodeWithSelector(ISale.WrongValue.selector, 0, 1e6));
        sale.contribute{value: 1e6}(alice, 1e6, "");
        vm.stopPrank();
    }

    function test_AtTheHardCapItPullsOnlyWhatItTakes() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 50e6);
        usd.mint(bob, 49e6);
        usd.mint(carol, 30e6);
        _create(address(usd), 6);
        buyWith(address(usd), sale, alice, 50e6);
        buyWith(address(usd), sale, bob, 49e6);
        vm.startPrank(carol);
        usd.approve(address(sale), 1e6);
        vm.recordLogs();
        (uint256 accepted, uint256 tokens) = sale.contribute(carol, type(uint256).max, "");
        vm.stopPrank();
        assertEq(accepted, 1e6);
        assertEq(tokens, 250e18);
        assertEq(usd.balanceOf(carol), 29e6);
        // Contributed and the token's Transfer: nothing came, so nothing went back.
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function _sellsToTheBaseUnit(uint8 decimals) private {
        PlainToken usd = new PlainToken(decimals);
        uint256 one = 10 ** decimals;
        usd.mint(alice, 100 * one);
        usd.mint(bob, 100 * one);
        _create(address(usd), decimals);
        uint256 tokens = 3000e18 + 1000e18 / one;
        vm.prank(alice);
        usd.approve(address(sale), 3 * one + 1);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 3 * one + 1, tokens, 3 * one + 1, 3 * one + 1, tokens);
        vm.prank(alice);
        sale.contribute(alice, 3 * one + 1, "");
        assertEq(usd.balanceOf(address(sale)), 3 * one + 1);
        uint256 snapshot = vm.snapshotState();

        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(alice);
        assertEq(usd.balanceOf(alice), 100 * one);
        assertEq(usd.balanceOf(address(sale)), 0);

        vm.revertToState(snapshot);
        buyWith(address(usd), sale, bob, 7 * one);
        vm.warp(CLOSES);
        sale.close();
        sale.claim(alice);
        sale.claim(bob);
        vault.release();
        assertEq(token.balanceOf(alice), tokens);
        assertEq(token.balanceOf(bob), 7000e18);
        assertEq(usd.balanceOf(beneficiary), 10 * one + 1);
    }

    function _hooked() private returns (HookToken hook, ReEntrant attacker) {
        hook = new HookToken(18);
        attacker = new ReEntrant();
        hook.mint(address(attacker), 10 ether);
        _create(address(hook), 18);
        attacker.execute(address(hook), 0, abi.encodeCall(HookToken.register, (true)));
        attacker.execute(address(hook), 0, abi.encodeCall(IERC20.approve, (address(sale), type(uint256).max)));
    }

    function _create(address currency, uint8 decimals) private {
        (sale, vault) = createSale(paidIn(currency, decimals));
        vm.warp(OPENS);
    }
}
