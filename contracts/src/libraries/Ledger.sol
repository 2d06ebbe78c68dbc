// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Outcome} from "../types/SaleTypes.sol";

/// @notice An investor's slot: `paid` in bits 0 to 119, `tokens` in bits 120 to 239.
type Position is uint256;

/// @notice The sale's slot: `raised` in bits 0 to 119, `sold` in bits 120 to 239, the outcome in bits 240 to 247.
type Totals is uint256;

using {Ledger.paid, Ledger.tokens} for Position global;
using {Ledger.raised, Ledger.sold, Ledger.outcome, Ledger.withOutcome} for Totals global;

/// @title Ledger
/// @notice The two words that every contribution reads once and writes once. Packed by hand, because the compiler writes a
/// struct to storage field by field.
library Ledger {
    using SafeCast for uint256;

    uint256 private constant MASK = type(uint120).max;

    function position(uint256 paid_, uint256 tokens_) internal pure returns (Position) {
        return Position.wrap(_pack(paid_, tokens_));
    }

    function paid(Position self) internal pure returns (uint256) {
        return Position.unwrap(self) & MASK;
    }

    function tokens(Position self) internal pure returns (uint256) {
        return Position.unwrap(self) >> 120;
    }

    function totals(uint256 raised_, uint256 sold_) internal pure returns (Totals) {
        return Totals.wrap(_pack(raised_, sold_));
    }

    function raised(Totals self) internal pure returns (uint256) {
        return Totals.unwrap(self) & MASK;
    }

    function sold(Totals self) internal pure returns (uint256) {
        return Totals.unwrap(self) >> 120 & MASK;
    }

    function outcome(Totals self) internal pure returns (Outcome) {
        return Outcome(Totals.unwrap(self) >> 240);
    }

    /// @dev For totals without an outcome: it is latched once.
    function withOutcome(Totals self, Outcome outcome_) internal pure returns (Totals) {
        return Totals.wrap(Totals.unwrap(self) | uint256(outcome_) << 240);
    }

    /// @dev Both halves are checked: a value that does not fit reverts, it is never cut.
    function _pack(uint256 low, uint256 high) private pure returns (uint256) {
        return uint256(low.toUint120()) | uint256(high.toUint120()) << 120;
    }
}
