// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Outcome} from "../types/SaleTypes.sol";

/// @notice An investor's slot: `paid` in bits 0 to 119, `tokens` in bits 120 to 239, a mark in bits 240 to 255.
type Position is uint256;

/// @notice The sale's slot: `raised` in bits 0 to 119, `sold` in bits 120 to 239, the outcome in bits 240 to 247, whether
/// contributions are paused in bit 248.
type Totals is uint256;

using {Ledger.paid, Ledger.tokens, Ledger.mark, Ledger.isRejected, Ledger.isSettled} for Position global;
using {
    Ledger.raised,
    Ledger.sold,
    Ledger.outcome,
    Ledger.isPaused,
    Ledger.takesContributions,
    Ledger.settled,
    Ledger.less,
    Ledger.paused
} for Totals global;

/// @title Ledger
/// @notice The two words that every contribution reads once and writes once. Packed by hand, because the compiler writes a
/// struct to storage field by field.
library Ledger {
    using SafeCast for uint256;

    /// @notice Mark of a position that compliance has rejected. A time mark stays below: it counts ten minutes of a year.
    uint256 internal constant REJECTED = type(uint16).max;

    /// @notice Mark of a position whose share of the outcome has been written into it.
    uint256 internal constant SETTLED = REJECTED - 1;

    uint256 private constant MASK = type(uint120).max;
    uint256 private constant PAUSED = 1 << 248;

    function position(uint256 paid_, uint256 tokens_, uint256 mark_) internal pure returns (Position) {
        return Position.wrap(_pack(paid_, tokens_) | mark_ << 240);
    }

    function paid(Position self) internal pure returns (uint256) {
        return Position.unwrap(self) & MASK;
    }

    function tokens(Position self) internal pure returns (uint256) {
        return Position.unwrap(self) >> 120 & MASK;
    }

    function mark(Position self) internal pure returns (uint256) {
        return Position.unwrap(self) >> 240;
    }

    function isRejected(Position self) internal pure returns (bool) {
        return self.mark() == REJECTED;
    }

    function isSettled(Position self) internal pure returns (bool) {
        return self.mark() == SETTLED;
    }

    /// @return Totals without an outcome, with contributions going on.
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
        return Outcome(uint8(Totals.unwrap(self) >> 240));
    }

    function isPaused(Totals self) internal pure returns (bool) {
        return Totals.unwrap(self) & PAUSED != 0;
    }

    /// @return Whether there is neither an outcome nor a pause: one comparison on the path that every contribution takes.
    function takesContributions(Totals self) internal pure returns (bool) {
        return Totals.unwrap(self) >> 240 == 0;
    }

    /// @dev For totals without an outcome: it is latched once. A pause ends with it.
    function settled(Totals self, Outcome outcome_, uint256 sold_) internal pure returns (Totals) {
        return Totals.wrap(_pack(self.raised(), sold_) | uint256(outcome_) << 240);
    }

    /// @return The totals after a position left them; the pause stays.
    function less(Totals self, Position left) internal pure returns (Totals) {
        uint256 flags = Totals.unwrap(self) >> 240 << 240;
        return Totals.wrap(_pack(self.raised() - left.paid(), self.sold() - left.tokens()) | flags);
    }

    function paused(Totals self, bool on) internal pure returns (Totals) {
        return Totals.wrap(on ? Totals.unwrap(self) | PAUSED : Totals.unwrap(self) & ~PAUSED);
    }

    /// @dev Both halves are checked: a value that does not fit reverts, it is never cut.
    function _pack(uint256 low, uint256 high) private pure returns (uint256) {
        return uint256(low.toUint120()) | uint256(high.toUint120()) << 120;
    }
}
