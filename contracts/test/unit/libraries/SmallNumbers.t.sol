// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";

import {Schedule} from "../../../src/libraries/Schedule.sol";

/// @notice Shares and schedules for every combination of small numbers, where rounding shows most: what a solver could not
/// decide for all numbers, and a fuzzer with wide ones seldom meets.
contract SmallNumbersTest is Test {
    /// @notice What is kept of two investors is at most what is kept, what comes back to both at most the rest, and an
    /// investor loses at most one base unit.
    function test_SharesNeverExceedWhatIsThere() external pure {
        for (uint256 raised = 1; raised <= 16; ++raised) {
            for (uint256 kept = 1; kept <= raised; ++kept) {
                for (uint256 one = 0; one <= raised; ++one) {
                    uint256 other = raised - one;
                    (uint256 kept1, uint256 kept2) = (Math.mulDiv(one, kept, raised), Math.mulDiv(other, kept, raised));
                    uint256 excess1 = Math.mulDiv(one, raised - kept, raised);
                    uint256 excess2 = Math.mulDiv(other, raised - kept, raised);
                    assertLe(kept1 + kept2, kept);
                    assertLe(excess1 + excess2, raised - kept);
                    assertLe(kept1 + excess1, one);
                    assertLe(one, kept1 + excess1 + 1);
                }
            }
        }
    }

    /// @notice With all that was paid covered by the tokens at the price of an investor's contribution, its share is never
    /// less than that price gave.
    function test_TheClearingPriceIsNeverAboveOnesOwn() external pure {
        for (uint256 price = 1; price <= 8; ++price) {
            for (uint256 tokens = 1; tokens <= 8; ++tokens) {
                for (uint256 raised = 1; raised <= tokens * price; ++raised) {
                    for (uint256 paid = 0; paid <= raised; ++paid) {
                        assertGe(Math.mulDiv(paid, tokens, raised), paid / price);
                    }
                }
            }
        }
    }

    /// @notice What is free never falls, never exceeds the sum, and is all of it at the end.
    function test_FreedNeverFalls() external pure {
        for (uint256 total = 0; total <= 12; ++total) {
            for (uint256 share = 0; share <= Schedule.WHOLE; share += 1250) {
                for (uint256 duration = 0; duration <= 7; ++duration) {
                    for (uint256 cliff = 0; cliff <= duration; ++cliff) {
                        uint256 before = 0;
                        for (uint256 elapsed = 0; elapsed <= duration + 1; ++elapsed) {
                            uint256 free = Schedule.freed(total, share, cliff, duration, elapsed);
                            assertGe(free, before);
                            assertLe(free, total);
                            if (elapsed >= duration) assertEq(free, total);
                            before = free;
                        }
                    }
                }
            }
        }
    }

    /// @notice For the tap of the symbolic proofs, 15 % at once and the rest over a hundred seconds, every sum and time below
    /// 256: what is free is the plain formula's, so never more than the sum.
    function test_FreedIsThePlainFormula() external pure {
        for (uint256 total = 0; total < 256; ++total) {
            uint256 first = total * 15 / 100;
            for (uint256 elapsed = 0; elapsed < 256; ++elapsed) {
                uint256 free = Schedule.freed(total, 1500, 0, 100, elapsed);
                assertEq(free, elapsed >= 100 ? total : first + (total - first) * elapsed / 100);
                assertLe(free, total);
            }
        }
    }
}
