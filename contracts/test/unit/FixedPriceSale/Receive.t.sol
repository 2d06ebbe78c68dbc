// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Outcome} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {PlainToken} from "../../utils/Tokens.sol";

contract ReceiveTest is SaleTest {
    FixedPriceSale private sale;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        address code = factory.FIXED_PRICE_SALE();
        _expectRefusal(code, 1 ether, abi.encodeWithSelector(ISale.NotASale.selector));
    }

    function test_RevertWhen_TheSaleIsPaidInAnErc20() external {
        PlainToken usd = new PlainToken(6);
        vm.warp(OPENS - 1);
        (sale,) = createSale(paidIn(address(usd), 6));
        vm.warp(OPENS);
        _expectRefusal(address(sale), 1 ether, abi.encodeWithSelector(ISale.EtherNotAccepted.selector, address(usd)));
    }

    function test_RevertWhen_TheSaleIsNotOpen() external {
        bytes memory reason = abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None);
        vm.warp(OPENS - 1);
        _expectRefusal(address(sale), 1 ether, reason);
        vm.warp(CLOSES);
        _expectRefusal(address(sale), 1 ether, reason);
    }

    function test_RevertWhen_NoEtherComes() external {
        _expectRefusal(address(sale), 0, abi.encodeWithSelector(ISale.ZeroTokens.selector, 0));
    }

    function test_RevertWhen_BelowTheMinimum() external {
        _expectRefusal(
            address(sale),
            0.01 ether - 1,
            abi.encodeWithSelector(ISale.BelowMinimum.selector, 0.01 ether, 0.01 ether - 1)
        );
    }

    function test_WhenItCrossesTheHardCap() external {
        buy(sale, bob, 50 ether);
        buy(sale, carol, 49 ether);
        vm.expectEmit(address(sale));
        emit ISale.ExcessReturned(alice, 4 ether);
        _send(5 ether);
        assertEq(alice.balance, 999 ether);
        assertPosition(sale, alice, 1 ether, 250e18);
    }

    function test_ItContributesForTheSender() external {
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 1 ether, 1000e18, 1 ether, 1 ether, 1000e18);
        _send(1 ether);
        assertPosition(sale, alice, 1 ether, 1000e18);
        assertTotals(sale, 1 ether, 1000e18, Outcome.None);
        assertEq(address(sale).balance, 1 ether);
    }

    function _send(uint256 amount) private {
        vm.prank(alice);
        (bool ok,) = address(sale).call{value: amount}("");
        assertTrue(ok);
    }

    function _expectRefusal(address to, uint256 amount, bytes memory reason) private {
        vm.prank(alice);
        (bool ok, bytes memory answer) = to.call{value: amount}("");
        assertFalse(ok);
        assertEq(answer, reason);
    }
}
