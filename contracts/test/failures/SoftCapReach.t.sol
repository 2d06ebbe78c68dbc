// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {TermsCheck} from "../../src/libraries/TermsCheck.sol";
import {Mode, Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
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

    function _terms() private view returns (SaleTerms memory t) {
        t = onePhase(2e18);
        t.maxPaid = t.hardCap;
    }
}
