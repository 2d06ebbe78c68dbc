// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;
import {FixedPriceSale} from "../src/FixedPriceSale.sol";
import {RefundVault} from "../src/RefundVault.sol";
import {SaleTerms} from "../src/types/SaleTypes.sol";
import {SaleTest} from "./utils/SaleTest.sol";
import {console} from "forge-std/console.sol";

contract ProbeTest is SaleTest {
    function test_gas() public {
        (FixedPriceSale sale, RefundVault vault) = createSale(terms());
        console.log("create", vm.lastCallGas().gasTotalUsed);
        vm.warp(OPENS);
        vm.startPrank(alice, alice);
        sale.contribute{value: 1 ether}(alice, 1 ether, "");
        console.log("first", vm.lastCallGas().gasTotalUsed);
        vm.startPrank(bob, bob);
        sale.contribute{value: 1 ether}(bob, 1 ether, "");
        console.log("new", vm.lastCallGas().gasTotalUsed);
        sale.contribute{value: 1 ether}(bob, 1 ether, "");
        console.log("again", vm.lastCallGas().gasTotalUsed);
        vm.warp(CLOSES - 1);
        sale.contribute{value: 1 ether}(bob, 1 ether, "");
        console.log("again phase 4", vm.lastCallGas().gasTotalUsed);
        vm.warp(CLOSES);
        sale.close();
        console.log("close", vm.lastCallGas().gasTotalUsed);
        sale.refund(bob);
        console.log("refund", vm.lastCallGas().gasTotalUsed);
    }
}
