// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {Price} from "../../../src/libraries/Price.sol";
import {Schedule} from "../../../src/libraries/Schedule.sol";

contract ScheduleTest is Test {
    function test_EachEdge() external pure {
        assertEq(Schedule.freed(1000, 2000, 30, 100, 0), 200);
        assertEq(Schedule.freed(1000, 2000, 30, 100, 29), 200);
        assertEq(Schedule.freed(1000, 2000, 30, 100, 30), 440);
        assertEq(Schedule.freed(1000, 2000, 30, 100, 99), 992);
        assertEq(Schedule.freed(1000, 2000, 30, 100, 100), 1000);
        assertEq(Schedule.freed(1000, 2000, 30, 100, type(uint256).max), 1000);
        assertEq(Schedule.freed(1000, 0, 0, 0, 0), 1000);
        assertEq(Schedule.freed(1000, 10_000, 100, 100, 0), 1000);
        assertEq(Schedule.freed(1000, 0, 100, 100, 99), 0);
        assertEq(Schedule.freed(3, 3333, 0, 2, 1), 1);
        assertEq(Schedule.freed(0, 5000, 0, 100, 50), 0);
    }

    function testFuzz_ItIsMonotoneAndBounded(
        uint120 total,
        uint256 atOnce,
        uint256 cliff,
        uint32 duration,
        uint64 a,
        uint64 b
    ) external pure {
        atOnce = bound(atOnce, 0, 10_000);
        cliff = bound(cliff, 0, duration);
        if (a > b) (a, b) = (b, a);
        uint256 first = Schedule.freed(total, atOnce, cliff, duration, a);
        uint256 second = Schedule.freed(total, atOnce, cliff, duration, b);
        assertLe(first, second);
        assertLe(second, total);
        assertGe(first, uint256(total) * atOnce / 10_000);
        assertEq(Schedule.freed(total, atOnce, cliff, duration, duration), total);
    }

    function testFuzz_APriceRoundsAgainstTheBuyer(uint120 amount, uint128 price) external pure {
        price = uint128(bound(price, 1, type(uint128).max));
        uint256 tokens = Price.tokensFor(amount, price);
        assertLe(tokens * price, uint256(amount) * 1e18);
        assertGt((tokens + 1) * price, uint256(amount) * 1e18);
    }

    function testFuzz_ACostIsNeverMoreThanThePrice(uint120 tokens, uint128 price) external pure {
        uint256 cost = Price.costOf(tokens, price);
        assertLe(cost * 1e18, uint256(tokens) * price);
        assertGt((cost + 1) * 1e18, uint256(tokens) * price);
    }
}
