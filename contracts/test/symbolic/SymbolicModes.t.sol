// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DutchAuctionSale} from "../../src/DutchAuctionSale.sol";
import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {ProRataSale} from "../../src/ProRataSale.sol";
import {Mode, Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SymbolicSale} from "./SymbolicSale.sol";

/// @notice Withdrawals, in the modes that have a cooling-off.
abstract contract SymbolicWithdrawal is SymbolicSale {
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

    function _soldOut(uint256, uint256) internal pure override returns (bool) {
        return false;
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

/// @notice The price falls over the first day from four times to that of the second. A price that is a symbol would be
/// divided by, which is beyond the solvers: the obligations are proved at the seconds of `_at`, around every edge and between.
contract SymbolicAuction is SymbolicSale {
    /// @notice The price never rises, and stays between the first and the last phase's.
    function check_PriceFalls(uint40 sooner, uint40 later) external {
        _priceFalls(sooner, later);
    }

    function reach_PriceFalls(uint40 sooner, uint40 later) external {
        _priceFalls(sooner, later);
        assert(!reached);
    }

    /// @notice What was paid never exceeds what all the tokens cost at the price of the block: no contribution pays for
    /// tokens that are not there, and the price reached is never above that of a contribution.
    function check_PaidIsCovered(uint120 raised, uint128 amount, uint40 time) external {
        _paidIsCovered(raised, amount, time);
    }

    function reach_PaidIsCovered(uint120 raised, uint128 amount, uint40 time) external {
        _paidIsCovered(raised, amount, time);
        assert(!reached);
    }

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

    function _at(uint40 time) internal override {
        if (time == OPENS - 1) vm.warp(OPENS - 1);
        else if (time == OPENS) vm.warp(OPENS);
        else if (time == OPENS + 12_345) vm.warp(OPENS + 12_345);
        else if (time == OPENS + 1 days - 1) vm.warp(OPENS + 1 days - 1);
        else if (time == OPENS + 1 days) vm.warp(OPENS + 1 days);
        else if (time == CLOSES - 1) vm.warp(CLOSES - 1);
        else if (time == CLOSES) vm.warp(CLOSES);
        else vm.assume(false);
    }

    function _soldOut(uint256 raised, uint256 time) internal pure override returns (bool) {
        uint256 price = _priceAt(time);
        uint256 most = uint256(_tokens()) * price / 1e18;
        if (most > HARD_CAP) most = HARD_CAP;
        return most <= raised || (most - raised) * 1e18 / price == 0;
    }

    function _priceFalls(uint40 sooner, uint40 later) private {
        vm.assume(OPENS <= sooner && sooner <= later && later < CLOSES);
        _ledger(0, 0, Outcome.None, address(this), 0, 0);
        vm.warp(sooner);
        uint256 first = sale.price();
        vm.warp(later);
        uint256 second = sale.price();
        assert(4e15 >= first && first >= second && second >= 1e15);
        reached = true;
    }

    function _paidIsCovered(uint120 raised, uint128 amount, uint40 time) private {
        vm.assume(raised <= HARD_CAP);
        _ledger(raised, 0, Outcome.None, address(this), 0, 0);
        vm.deal(address(this), amount);
        _at(time);
        try sale.contribute{value: amount}(address(this), amount, "") {
            (uint256 raised_,,) = sale.totals();
            assert(raised_ <= uint256(_tokens()) * _priceAt(block.timestamp) / 1e18);
            reached = true;
        } catch {}
    }

    function _priceAt(uint256 time) private pure returns (uint256) {
        if (time < OPENS) return 4e15;
        return time < OPENS + 1 days ? 4e15 - 3e15 * (time - OPENS) / 1 days : 1e15;
    }
}
