// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Schedule
/// @notice How much of a sum is free after some time: a share at once, the rest linearly.
library Schedule {
    /// @notice One whole, in hundredths of a percent.
    uint256 internal constant WHOLE = 10_000;

    /// @param total The sum.
    /// @param atOnce Share free at once, in hundredths of a percent; at most `WHOLE`.
    /// @param cliff Seconds before which nothing but that share is free.
    /// @param duration Seconds over which the rest becomes free; zero: all at once.
    /// @param elapsed Seconds since the start.
    /// @return Never more than `total`, and never less than for a smaller `elapsed`. Rounded down: the rest comes later.
    function freed(uint256 total, uint256 atOnce, uint256 cliff, uint256 duration, uint256 elapsed)
        internal
        pure
        returns (uint256)
    {
        if (elapsed >= duration) return total;
        uint256 first = Math.mulDiv(total, atOnce, WHOLE);
        if (elapsed < cliff) return first;
        return first + Math.mulDiv(total - first, elapsed, duration);
    }
}
