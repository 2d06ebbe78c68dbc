// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DutchAuctionSale} from "../../src/DutchAuctionSale.sol";
import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {ProRataSale} from "../../src/ProRataSale.sol";
import {Mode, Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SymbolicSale} from "./SymbolicSale.sol";

/// @notice Contributions, outcomes and withdrawals of the modes that divide by fixed prices only and have a cooling-off, so that
/// nothing closes early.
abstract contract SymbolicWithdrawal is SymbolicSale {
    /// @notice 1, 3: whatever is contributed whenever, the sale holds the money it notes, and never more than its cap.
    function check_Contribution(uint120 raised, uint120 sold, uint120 paid, uint128 amount, uint40 time) external {
        _contribution(raised, sold, paid, amount, time);
    }

    function reach_Contribution(uint120 raised, uint120 sold, uint120 paid, uint128 amount, uint40 time) external {
        _contribution(raised, sold, paid, amount, time);
        assert(!reached);
    }

    /// @notice 5: an outcome is latched once, by the rules, and nothing changes it.
    function check_Outcome(uint120 raised, uint8 outcome, address caller, uint8 call, uint40 time) external {
        _outcome(raised, outcome, caller, call, time);
    }

    function reach_Outcome(uint120 raised, uint8 outcome, address caller, uint8 call, uint40 time) external {
        _outcome(raised, outcome, caller, call, time);
        assert(!reached);
    }

    /// @notice 1: a withdrawal takes from the totals just what it pays, and only before the end and without an outcome.
    function check_Withdrawal(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, uint40 time)
        external
    {
        _withdrawal(raised, sold, paid, tokens, mark, time);
    }

    function reach_Withdrawal(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, uint40 time)
        external
    {
        _withdrawal(raised, sold, paid, tokens, mark, time);
        assert(!reached);
    }

    function _withdrawal(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, uint40 time) private {
        vm.assume(paid <= raised && tokens <= sold && mark < type(uint16).max - 1);
        _ledger(raised, sold, Outcome.None, address(this), paid, uint256(tokens) << 120 | uint256(mark) << 240);
        vm.deal(address(sale), raised);
        vm.deal(address(this), 0);
        vm.warp(time);
        try sale.withdraw() {
            (uint256 raised_, uint256 sold_,) = sale.totals();
            assert(raised_ == uint256(raised) - paid && sold_ == uint256(sold) - tokens);
            assert(address(sale).balance == raised_ && address(this).balance == paid);
            assert(time < CLOSES && time < uint256(OPENS) + uint256(mark) * 10 minutes + 1 days);
            reached = true;
        } catch {
            assert(address(sale).balance == raised);
        }
    }
}

/// @notice Two phases with prices and caps of their own.
contract SymbolicFixedPrice is SymbolicWithdrawal {
    function _code(address vaultCode) internal override returns (address) {
        return address(new FixedPriceSale(vaultCode));
    }

    function _shape(SaleTerms memory t) internal pure override {
        t.coolingOff = 1 days;
        t.phases[0].raisedUpTo = 40 ether;
        t.phases[1].price = 2e15;
    }

    function _tokens() internal pure override returns (uint120) {
        return 1_000_000e18;
    }

    function _mode() internal pure override returns (Mode) {
        return Mode.FixedPrice;
    }
}

contract SymbolicProRata is SymbolicWithdrawal {
    function _code(address vaultCode) internal override returns (address) {
        return address(new ProRataSale(vaultCode));
    }

    function _shape(SaleTerms memory t) internal pure override {
        t.coolingOff = 1 days;
    }

    function _tokens() internal pure override returns (uint120) {
        return 100_000e18;
    }

    function _mode() internal pure override returns (Mode) {
        return Mode.ProRata;
    }
}

/// @notice Of an auction, what does not ask for the price of a second: dividing by a price that is a symbol is beyond the
/// solvers, and so are the minima that it is compared by. Its contributions and its closing are the fuzzers' and invariants'.
contract SymbolicAuction is SymbolicSale {
    function _code(address vaultCode) internal override returns (address) {
        return address(new DutchAuctionSale(vaultCode));
    }

    function _shape(SaleTerms memory t) internal pure override {
        t.phases[0].price = 4e15;
    }

    function _tokens() internal pure override returns (uint120) {
        return 30_000e18;
    }

    function _mode() internal pure override returns (Mode) {
        return Mode.DutchAuction;
    }
}
