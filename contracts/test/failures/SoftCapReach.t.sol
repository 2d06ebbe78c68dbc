// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {Sale} from "../../src/Sale.sol";
import {TermsCheck} from "../../src/libraries/TermsCheck.sol";
import {Mode, Outcome, SaleTerms, State} from "../../src/types/SaleTypes.sol";
import {SaleTest} from "../utils/SaleTest.sol";

/// @notice At two wei a base unit, a last wei buys nothing. Were the soft cap the hard cap, whoever left that wei would make a
/// fully bought sale fail, and could do so with a contribution that then comes back.
contract SoftCapReachTest is SaleTest {
    function test_RevertWhen_TheSoftCapIsWithinTheDustOfTheHardCap() external {
        SaleTerms memory t = _terms();
        t.softCap = t.hardCap;
        vm.expectRevert(abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 100 ether, 100 ether - 1));
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
    }

    function test_AFullyBoughtSaleSucceedsHoweverMuchDustIsLeft() external {
        SaleTerms memory t = _terms();
        t.softCap = t.hardCap - 1;
        (FixedPriceSale sale,) = createSale(t);
        vm.warp(OPENS);
        buy(sale, alice, 100 ether - 1);
        sale.close();
        assertTotals(sale, 100 ether - 1, 50 ether - 1, Outcome.Succeeded);
    }

    function test_OneBelowThatTheRestBuysSomething() external {
        SaleTerms memory t = _terms();
        t.softCap = t.hardCap - 1;
        (FixedPriceSale sale,) = createSale(t);
        vm.warp(OPENS);
        buy(sale, alice, 100 ether - 2);
        buy(sale, bob, 2);
        assertPosition(sale, bob, 2, 1);
        sale.close();
        assertTotals(sale, 100 ether, 50 ether, Outcome.Succeeded);
    }

    /// @dev While the price is still high, more is left that buys nothing than at the end.
    function test_RevertWhen_TheSoftCapIsWithinWhatTheFirstPriceOfAnAuctionLeaves() external {
        SaleTerms memory t = _auction(1000 ether, 100 ether, 3e18);
        t.softCap = 100 ether - 1;
        vm.expectRevert(abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 100 ether - 1, 100 ether - 2));
        factory.create(Mode.DutchAuction, t, documents(), noAllocations());
    }

    /// @dev Just above a last price of a whole number, the tokens cost as much as at it, and one base unit more can be left.
    function test_RevertWhen_TheSoftCapIsWithinWhatIsLeftJustBeforeTheLastPriceOfAnAuction() external {
        SaleTerms memory t = _auction(100, 1000, 2e18);
        t.softCap = 100;
        vm.expectRevert(abi.encodeWithSelector(TermsCheck.SoftCapOutOfReach.selector, 100, 99));
        factory.create(Mode.DutchAuction, t, documents(), noAllocations());
    }

    function test_AnAuctionSucceedsHoweverMuchDustIsLeftAtTheFirstPrice() external {
        SaleTerms memory t = _auction(1000 ether, 100 ether, 3e18);
        t.softCap = 100 ether - 2;
        Sale sale = _createAuction(t);
        vm.warp(OPENS);
        buy(sale, alice, 100 ether - 2);
        sale.close();
        assertEq(uint8(sale.state()), uint8(State.Succeeded));
    }

    function test_AnAuctionSucceedsHoweverMuchDustIsLeftJustBeforeTheLastPrice() external {
        SaleTerms memory t = _auction(100, 1000, 2e18);
        t.softCap = 99;
        Sale sale = _createAuction(t);
        vm.warp(OPENS + 1 days - 1);
        buy(sale, alice, 99);
        sale.close();
        assertEq(uint8(sale.state()), uint8(State.Succeeded));
    }

    function _createAuction(SaleTerms memory t) private returns (Sale) {
        (address sale,) = factory.create(Mode.DutchAuction, t, documents(), noAllocations());
        return Sale(payable(sale));
    }

    /// @dev From `first` to one wei a base unit over the first day.
    function _auction(uint120 tokens, uint120 hardCap, uint128 first) private view returns (SaleTerms memory t) {
        t = proRata();
        (t.tokensForSale, t.hardCap, t.maxPaid) = (tokens, hardCap, hardCap);
        (t.phases[0].raisedUpTo, t.phases[1].raisedUpTo) = (hardCap, hardCap);
        (t.phases[0].price, t.phases[1].price) = (first, 1e18);
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = onePhase(2e18);
        t.maxPaid = t.hardCap;
    }
}
