// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {RefundVault} from "../../../src/RefundVault.sol";
import {IRefundVault} from "../../../src/interfaces/IRefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {CurrencyLibrary} from "../../../src/types/Currency.sol";
import {SaleTerms, State} from "../../../src/types/SaleTypes.sol";
import {ForceFeeder, ReEntrant, Wallet} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {PlainToken} from "../../utils/Tokens.sol";

contract RefundVaultTest is SaleTest {
    FixedPriceSale private sale;
    RefundVault private vault;

    function setUp() public override {
        super.setUp();
        (sale, vault) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        RefundVault code = RefundVault(payable(factory.REFUND_VAULT()));
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.release();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.sale();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.beneficiary();
        vm.expectRevert(IRefundVault.NotAVault.selector);
        code.currency();
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(code).call{value: 1}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(IRefundVault.NotAVault.selector));
    }

    function test_RevertWhen_TheSenderIsNotTheSale() external {
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(vault).call{value: 1}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(IRefundVault.OnlySale.selector, address(sale), alice));
    }

    function test_WhenTheSenderIsTheSale() external {
        vm.deal(address(sale), 1 ether);
        vm.prank(address(sale));
        (bool ok,) = address(vault).call{value: 1 ether}("");
        assertTrue(ok);
        assertEq(address(vault).balance, 1 ether);
        _checkAccount(0, 0);
    }

    function test_RevertWhen_TheSaleHasNotSucceeded() external {
        vm.warp(OPENS - 1);
        _expectNotSucceeded(State.Upcoming);
        vm.warp(OPENS);
        buy(sale, alice, 10 ether - 1);
        _expectNotSucceeded(State.Open);
        vm.warp(CLOSES);
        _expectNotSucceeded(State.Ended);
        sale.close();
        _expectNotSucceeded(State.Failed);
    }

    function test_RevertWhen_TheSaleWasCancelled() external {
        vm.prank(owner);
        sale.cancel();
        _expectNotSucceeded(State.Cancelled);
    }

    function test_RevertWhen_EverythingIsReleased() external {
        _succeed();
        vault.release();
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRelease.selector, 12 ether, 12 ether, CLOSES));
        vault.release();
    }

    function test_RevertWhen_TheBeneficiaryRefuses() external {
        Wallet wallet = new Wallet();
        wallet.setRefuses(true);
        _createFor(address(wallet));
        _succeed();
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.EtherTransferFailed.selector, address(wallet), 12 ether));
        vault.release();
        _checkAccount(0, 0);
        assertEq(address(sale).balance, 12 ether);
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 12_000e18);

        wallet.setRefuses(false);
        vault.release();
        assertEq(address(wallet).balance, 12 ether);
    }

    function test_WhenTheBeneficiaryReEnters() external {
        ReEntrant attacker = new ReEntrant();
        _createFor(address(attacker));
        attacker.plan(address(vault), abi.encodeCall(IRefundVault.release, ()));
        attacker.plan(address(sale), abi.encodeCall(ISale.sweep, ()));
        _succeed();
        vault.release();
        assertEq(attacker.attempts(), 2);
        assertEq(attacker.successes(), 0);
        assertEq(address(attacker).balance, 12 ether);
        _checkAccount(12 ether, 12 ether);
    }

    function test_WhenTheSaleSucceeded() external {
        _succeed();
        vm.expectEmit(address(sale));
        emit ISale.Swept(12 ether);
        vm.expectEmit(address(vault));
        emit IRefundVault.Released(beneficiary, beneficiary, 12 ether, 12 ether);
        vm.prank(carol);
        assertEq(vault.release(), 12 ether);
        assertEq(beneficiary.balance, 12 ether);
        assertEq(address(sale).balance, 0);
        assertEq(address(vault).balance, 0);
        _checkAccount(12 ether, 12 ether);
    }

    function test_WhenPaidInAnErc20() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 1000e6);
        vm.warp(OPENS - 1);
        (sale, vault) = createSale(paidIn(address(usd), 6));
        vm.warp(OPENS);
        buyWith(address(usd), sale, alice, 12e6);
        vm.warp(CLOSES);
        sale.close();
        vm.expectEmit(address(vault));
        emit IRefundVault.Released(beneficiary, beneficiary, 12e6, 12e6);
        vault.release();
        assertEq(usd.balanceOf(beneficiary), 12e6);
        assertEq(vault.currency(), address(usd));
        _checkAccount(12e6, 12e6);
    }

    function test_ForcedEtherChangesNothing() external {
        _succeed();
        new ForceFeeder{value: 5 ether}(payable(address(vault)));
        new ForceFeeder{value: 3 ether}(payable(address(sale)));
        vault.release();
        assertEq(beneficiary.balance, 12 ether);
        assertEq(address(vault).balance, 5 ether);
        assertEq(address(sale).balance, 3 ether);
        vm.expectRevert(abi.encodeWithSelector(IRefundVault.NothingToRelease.selector, 12 ether, 12 ether, CLOSES));
        vault.release();
    }

    function test_ItNamesTheSaleTheBeneficiaryAndTheCurrency() external view {
        assertEq(vault.sale(), address(sale));
        assertEq(vault.beneficiary(), beneficiary);
        assertEq(vault.currency(), address(0));
        _checkAccount(0, 0);
    }

    function _createFor(address to) private {
        SaleTerms memory t = terms();
        t.beneficiary = to;
        (sale, vault) = createSale(t);
    }

    function _succeed() private {
        buy(sale, alice, 12 ether);
        vm.warp(CLOSES);
        sale.close();
    }

    function _checkAccount(uint256 received, uint256 released) private view {
        (uint256 received_, uint256 released_) = vault.account();
        assertEq(received_, received);
        assertEq(released_, released);
    }

    function _expectNotSucceeded(State state) private {
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSucceeded.selector, state));
        vault.release();
    }
}
