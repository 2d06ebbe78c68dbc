// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {Mode, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SaleTest} from "../utils/SaleTest.sol";

/// @notice What a whole transaction costs, at most, with ether, an open gate and four phases.
/// forge-config: default.isolate = true
contract GasTest is SaleTest {
    FixedPriceSale private sale;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
        buy(sale, bob, 1 ether);
    }

    function test_Contribute() external {
        buy(sale, alice, 1 ether);
        _check(58_000);
        buy(sale, alice, 1 ether);
        _check(41_000);
    }

    function test_Refund() external {
        buy(sale, alice, 1 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.prank(alice);
        sale.refundFor(alice);
        _check(37_000);
        assertEq(alice.balance, 1000 ether);
    }

    function test_Create() external {
        vm.warp(OPENS - 1);
        SaleTerms memory t = terms();
        ++t.softCap;
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
        _check(350_000);
    }

    /// @dev The floor shows that whole transactions are measured.
    function _check(uint256 ceiling) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_uint(used);
        assertGt(used, 21_000);
        assertLe(used, ceiling);
    }
}
