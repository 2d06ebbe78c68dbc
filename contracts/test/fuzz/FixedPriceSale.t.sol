// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {TermsCheck} from "../../src/libraries/TermsCheck.sol";
import {Gate, Outcome, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SaleTest} from "../utils/SaleTest.sol";

/// @notice Prices, caps and sequences that nobody would think of.
contract FixedPriceSaleFuzz is SaleTest {
    FixedPriceSale private sale;

    /// @notice Splitting a contribution never gains, nor does it change what is paid.
    function testFuzz_SplittingNeverGains(uint256 seed, uint256 start, uint256 amount, uint256 parts) external {
        _create(seed);
        uint256 cap = sale.terms().hardCap;
        vm.warp(bound(seed, OPENS, sale.closes() - 1));
        vm.deal(bob, type(uint128).max);
        start = bound(start, 0, cap - 1);
        if (start != 0) _tryBuy(bob, start);
        (uint256 raised,,) = sale.totals();
        amount = bound(amount, 1, cap - raised);
        (uint256 accepted, uint256 whole) = sale.quote(amount);
        assertEq(accepted, amount);

        parts = bound(parts, 2, 6);
        uint256 split;
        uint256 left = amount;
        for (uint256 i = 0; i < parts && left != 0; ++i) {
            uint256 part = i == parts - 1 ? left : bound(uint256(keccak256(abi.encode(seed, i))), 0, left);
            (bool ok, uint256 tokens) = _tryBuy(bob, part);
            if (ok) split += tokens;
            left -= part;
        }
        assertLe(split, whole);
    }

    /// @notice A quote is what the contribution gets, and the payer is out of pocket by just what was accepted.
    function testFuzz_QuoteIsExact(uint256 seed, uint256 first, uint256 amount) external {
        _create(seed);
        uint256 cap = sale.terms().hardCap;
        vm.warp(bound(seed >> 1, OPENS, sale.closes() - 1));
        _tryBuy(bob, bound(first, 0, cap - 1));
        (uint256 raised, uint256 sold,) = sale.totals();
        amount = bound(amount, 1, 2 * cap);
        (uint256 accepted, uint256 tokens) = sale.quote(amount);
        assertEq(accepted, amount < cap - raised ? amount : cap - raised);
        vm.deal(alice, amount);
        (bool ok, uint256 got) = _tryBuy(alice, amount);
        assertEq(ok, tokens != 0);
        if (!ok) return;
        assertEq(got, tokens);
        assertEq(alice.balance, amount - accepted);
        assertEq(address(sale).balance, raised + accepted);
        assertPosition(sale, alice, accepted, tokens);
        assertTotals(sale, raised + accepted, sold + tokens, Outcome.None);
    }

    /// @notice The tokens that `TermsCheck` asks for are enough for any contributions at any times.
    function testFuzz_TokensNeededIsEnough(uint256 seed, uint256[12] calldata steps) external {
        _create(seed);
        SaleTerms memory t = sale.terms();
        uint256 needed = TermsCheck.tokensNeeded(t.phases);
        assertEq(t.tokensForSale, needed);
        vm.warp(OPENS);
        for (uint256 i = 0; i < steps.length; ++i) {
            vm.warp(vm.getBlockTimestamp() + steps[i] % 8 hours);
            // Small amounts, and now and then all the rest.
            uint256 most = i == steps.length - 1 ? 2 * uint256(t.hardCap) : uint256(t.hardCap) / 4 + 1;
            _tryBuy(bob, bound(steps[i] >> 16, 1, most));
            (, uint256 sold,) = sale.totals();
            assertLe(sold, needed);
        }
    }

    /// @notice Filled at once in the first second of each phase, the bound is met from below by no more than rounding.
    function testFuzz_TokensNeededIsTight(uint256 seed) external {
        _create(seed);
        SaleTerms memory t = sale.terms();
        uint256 cheapest = type(uint128).max;
        uint256 cheapestAt;
        for (uint256 i = 0; i < t.phases.length; ++i) {
            if (t.phases[i].price < cheapest) (cheapest, cheapestAt) = (t.phases[i].price, i);
        }
        vm.warp(cheapestAt == 0 ? OPENS : t.phases[cheapestAt - 1].end);
        (, uint256 tokens) = sale.quote(t.phases[cheapestAt].raisedUpTo);
        uint256 floor = uint256(t.phases[cheapestAt].raisedUpTo) * 1e18 / cheapest;
        assertEq(tokens, floor);
        assertGe(TermsCheck.tokensNeeded(t.phases), floor);
    }

    /// @notice Every part is rounded against the buyer, by less than one base unit of the token.
    function testFuzz_RoundingIsAgainstTheBuyer(uint256 seed, uint256 amount) external {
        SaleTerms memory t = onePhase(uint128(bound(seed, 0.001 ether, 1e24)));
        t.minPaid = 0;
        t.maxPaid = t.hardCap;
        (sale,) = createSale(t);
        vm.warp(OPENS);
        amount = bound(amount, 1, t.hardCap);
        (bool ok, uint256 tokens) = _tryBuy(alice, amount);
        uint256 price = t.phases[0].price;
        assertEq(ok, amount * 1e18 >= price);
        if (!ok) return;
        assertLe(tokens * price, amount * 1e18);
        assertGt((tokens + 1) * price, amount * 1e18);
    }

    /// @notice However it came to be paid, the refund is exactly that.
    function testFuzz_TheRefundIsWhatWasPaid(uint256 seed, uint256[6] calldata amounts) external {
        _create(seed);
        vm.warp(OPENS);
        uint256 paid;
        vm.deal(bob, type(uint128).max);
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 before = bob.balance;
            (,, Outcome outcome) = sale.totals();
            assertEq(uint256(outcome), uint256(Outcome.None));
            _tryBuy(bob, bound(amounts[i], 1, sale.terms().softCap / 8 + 1));
            paid += before - bob.balance;
        }
        (uint256 raised,,) = sale.totals();
        assertEq(raised, paid);
        if (raised >= sale.terms().softCap || raised == 0) return;
        vm.prank(owner);
        sale.cancel();
        assertEq(sale.refundFor(bob), paid);
        assertEq(bob.balance, type(uint128).max);
    }

    /// @dev A sale with random phases that `TermsCheck` accepts, with no more tokens than it asks for.
    function _create(uint256 seed) private {
        SaleTerms memory t = terms();
        uint256 count = seed % 8 + 1;
        t.phases = new Phase[](count);
        uint256 cap = 0;
        uint256 end = OPENS;
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            end += 1 + word % 12 hours;
            // Some layers are empty, some tiny, some large.
            cap += word % 5 == 0 && i != count - 1 ? 0 : 1 + (word >> 16) % (word % 3 == 0 ? 1000 : 10 ether);
            uint256 price = 1 + (word >> 80) % (word % 4 == 0 ? 10e18 : 0.001 ether) + 1e15;
            t.phases[i] = Phase(uint40(end), uint120(cap), uint128(price), Gate.Open, 0);
        }
        t.phases[count - 1].price = uint128(t.phases[count - 1].price % 0.9e18 + 1e15);
        t.hardCap = uint120(cap);
        t.softCap = uint120(cap);
        (t.minPaid, t.maxPaid) = (0, t.hardCap);
        t.tokensForSale = uint120(TermsCheck.tokensNeeded(t.phases));
        (sale,) = createSale(t);
        vm.deal(bob, type(uint128).max);
    }

    function _tryBuy(address investor, uint256 amount) private returns (bool ok, uint256 tokens) {
        vm.prank(investor);
        try sale.contribute{value: amount}(investor, amount, "") returns (uint256, uint256 tokens_) {
            return (true, tokens_);
        } catch {}
    }
}
