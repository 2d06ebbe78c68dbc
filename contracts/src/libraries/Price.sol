// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Price
/// @notice What a price means: payment base units per 1e18 token base units.
library Price {
    /// @notice Token base units that a price is for.
    uint256 internal constant UNIT = 1e18;

    /// @return Token base units that `amount` buys at `price`, rounded down: against the buyer.
    /// @dev The product fits, as `amount` is below 2^120 wherever it can be taken, and the unit below 2^60. No price is zero
    /// (`TermsCheck`).
    function tokensFor(uint256 amount, uint256 price) internal pure returns (uint256) {
        unchecked {
            return amount * UNIT / price;
        }
    }

    /// @return Payment base units that `tokens` cost at `price`, rounded down: what a seller can take for them at most.
    /// @dev The product fits, as `tokens` are below 2^120 and prices below 2^128.
    function costOf(uint256 tokens, uint256 price) internal pure returns (uint256) {
        unchecked {
            return tokens * price / UNIT;
        }
    }
}
