// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {Ledger, Position, Totals} from "../../src/libraries/Ledger.sol";
import {Outcome} from "../../src/types/SaleTypes.sol";

/// @notice The two packed words, for all values. Products and quotients of symbols are beyond the solvers:
/// `test/unit/libraries/SmallNumbers.t.sol` goes through all small ones, the fuzzers and invariants take wide ones.
contract SymbolicLedgerTest is Test {
    /// @notice A position reads back as it was written; what does not fit is refused, never cut.
    function check_PositionRoundTrip(uint256 paid, uint256 tokens, uint16 mark) external view {
        try this.position(paid, tokens, mark) returns (uint256 paid_, uint256 tokens_, uint256 mark_) {
            assert(paid_ == paid && tokens_ == tokens && mark_ == mark);
        } catch {
            assert(paid > type(uint120).max || tokens > type(uint120).max);
        }
    }

    /// @notice So do totals; settling keeps what was raised, and pausing touches the pause alone.
    function check_TotalsRoundTrip(uint120 raised, uint120 sold, uint120 soldAtLast, uint8 outcome, bool on)
        external
        pure
    {
        vm.assume(outcome != 0 && outcome <= uint8(Outcome.Cancelled));
        Totals t = Ledger.totals(raised, sold);
        assert(t.raised() == raised && t.sold() == sold && t.outcome() == Outcome.None && t.takesContributions());
        Totals p = t.paused(on);
        assert(p.raised() == raised && p.sold() == sold && p.isPaused() == on && p.takesContributions() == !on);
        assert(Totals.unwrap(p.paused(false)) == Totals.unwrap(t));
        Totals s = p.settled(Outcome(outcome), soldAtLast);
        assert(s.raised() == raised && s.sold() == soldAtLast && uint8(s.outcome()) == outcome);
        assert(!s.isPaused() && !s.takesContributions());
    }

    /// @notice A position that leaves takes just itself along.
    function check_TotalsLess(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, bool on)
        external
        pure
    {
        vm.assume(paid <= raised && tokens <= sold);
        Totals t = Ledger.totals(raised, sold).paused(on).less(Ledger.position(paid, tokens, mark));
        assert(t.raised() == uint256(raised) - paid && t.sold() == uint256(sold) - tokens);
        assert(t.isPaused() == on && t.outcome() == Outcome.None);
    }

    function position(uint256 paid, uint256 tokens, uint16 mark) external pure returns (uint256, uint256, uint256) {
        Position p = Ledger.position(paid, tokens, mark);
        return (p.paid(), p.tokens(), p.mark());
    }
}
