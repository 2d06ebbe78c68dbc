// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {RefundVault} from "../../../src/RefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {State} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract SweepTest is SaleTest {
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
        code.sweep();
    }

    function test_RevertWhen_TheCallerIsNotTheVault() external {
        _succeed();
        address[4] memory callers = [owner, beneficiary, alice, factory.REFUND_VAULT()];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ISale.OnlyVault.selector, address(vault), callers[i]));
            vm.prank(callers[i]);
            sale.sweep();
        }
    }

    function test_RevertWhen_TheCallerIsTheVaultOfAnotherSale() external {
        _succeed();
        vm.warp(OPENS - 1);
        token.approve(address(factory), type(uint256).max);
        (, RefundVault other) = createSale(onePhase(0.002 ether));
        vm.expectRevert(abi.encodeWithSelector(ISale.OnlyVault.selector, address(vault), address(other)));
        vm.prank(address(other));
        sale.sweep();
    }

    function test_RevertWhen_NotSucceeded() external {
        vm.warp(OPENS - 1);
        _expectNotSucceeded(State.Upcoming);
        vm.warp(OPENS);
        _expectNotSucceeded(State.Open);
        buy(sale, alice, 10 ether - 1);
        vm.warp(CLOSES);
        _expectNotSucceeded(State.Ended);
        sale.close();
        _expectNotSucceeded(State.Failed);
        assertEq(address(sale).balance, 10 ether - 1);
    }

    function test_RevertWhen_Cancelled() external {
        vm.prank(owner);
        sale.cancel();
        _expectNotSucceeded(State.Cancelled);
    }

    function test_RevertWhen_Swept() external {
        _succeed();
        vm.startPrank(address(vault));
        sale.sweep();
        vm.expectRevert(ISale.AlreadySwept.selector);
        sale.sweep();
        vm.stopPrank();
    }

    function test_WhenTheSaleSucceeded() external {
        _succeed();
        vm.deal(address(sale), 13 ether);
        vm.expectEmit(address(sale));
        emit ISale.Swept(10 ether);
        vm.prank(address(vault));
        assertEq(sale.sweep(), 10 ether);
        assertEq(address(vault).balance, 10 ether);
        assertEq(address(sale).balance, 3 ether);
    }

    function _succeed() private {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
    }

    function _expectNotSucceeded(State state) private {
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSucceeded.selector, state));
        vm.prank(address(vault));
        sale.sweep();
    }
}
