// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms, State} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

/// @notice Who may close a sold-out sale before its end.
contract EarlyCloseTest is SaleTest {
    Sale private sale;
    address private compliance = makeAddr("compliance");

    function test_ComplianceClosesAFixedPriceSale() external {
        _create(Mode.FixedPrice, terms(), compliance);
        _sellOut();
        _refusesOthers();
        _closes(compliance);
    }

    function test_ComplianceClosesAnAuction() external {
        _create(Mode.DutchAuction, dutch(), compliance);
        _sellOut();
        _refuses(compliance);
        // The price of now takes all tokens for what is raised.
        vm.warp(OPENS + 2 days);
        _refusesOthers();
        _closes(compliance);
    }

    function test_RevertWhen_WhoBuysTheLastTokensClosesAtOnce() external {
        _create(Mode.FixedPrice, terms(), compliance);
        buy(sale, alice, 50 ether);
        buy(sale, bob, 49 ether);
        ReEntrant attacker = new ReEntrant();
        attacker.plan(address(sale), abi.encodeCall(ISale.close, ()));
        attacker.execute{value: 2 ether}(
            address(sale), 2 ether, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, ""))
        );
        assertEq(attacker.attempts(), 1);
        assertEq(attacker.successes(), 0);
        assertState(sale, State.Open);
        // So there is time to look.
        vm.prank(compliance);
        sale.reject(address(attacker));
        assertTotals(sale, 99 ether, 47_250e18 - 1, Outcome.None);
    }

    function test_RevertWhen_SomethingIsLeft() external {
        _create(Mode.FixedPrice, terms(), compliance);
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether - 1);
        _refuses(compliance);
    }

    function test_ARejectionFreesTheRoom() external {
        _create(Mode.FixedPrice, terms(), compliance);
        _sellOut();
        vm.prank(compliance);
        sale.reject(bob);
        _refuses(compliance);
        buy(sale, carol, 50 ether);
        _closes(compliance);
    }

    function test_AtTheEndItIsAnybodys() external {
        Mode[3] memory modes = [Mode.FixedPrice, Mode.ProRata, Mode.DutchAuction];
        for (uint256 i = 0; i < modes.length; ++i) {
            vm.warp(OPENS - 1 days);
            _create(modes[i], _terms(modes[i]), compliance);
            _sellOut();
            vm.warp(CLOSES - 1);
            _refuses(carol);
            vm.warp(CLOSES);
            _closes(carol);
        }
    }

    function test_TheOneOfNowCounts() external {
        _create(Mode.FixedPrice, terms(), compliance);
        _sellOut();
        vm.prank(owner);
        sale.setCompliance(carol);
        _refuses(compliance);
        _closes(carol);
    }

    function test_NobodyFromTheBeginning() external {
        _create(Mode.FixedPrice, terms(), address(0));
        _sellOut();
        _closes(carol);
        vm.warp(OPENS - 1 days);
        _create(Mode.DutchAuction, dutch(), address(0));
        _sellOut();
        vm.warp(OPENS + 2 days);
        _closes(carol);
    }

    function test_NobodyByNow() external {
        _create(Mode.FixedPrice, terms(), compliance);
        _sellOut();
        vm.prank(owner);
        sale.setCompliance(address(0));
        _closes(carol);
    }

    function test_NamedLater() external {
        _create(Mode.FixedPrice, terms(), address(0));
        _sellOut();
        vm.prank(owner);
        sale.setCompliance(compliance);
        _refusesOthers();
        _closes(compliance);
    }

    function test_RevertGiven_ACoolingOff() external {
        SaleTerms memory t = terms();
        t.coolingOff = 1;
        _create(Mode.FixedPrice, t, compliance);
        _sellOut();
        vm.warp(CLOSES - 1);
        _refuses(compliance);
    }

    function test_RevertGiven_ProRata() external {
        _create(Mode.ProRata, proRata(), compliance);
        _sellOut();
        _refuses(compliance);
    }

    function _terms(Mode mode) private view returns (SaleTerms memory) {
        return mode == Mode.FixedPrice ? terms() : mode == Mode.ProRata ? proRata() : dutch();
    }

    function _create(Mode mode, SaleTerms memory t, address compliance_) private {
        t.compliance = compliance_;
        (sale,) = create(mode, t);
        vm.warp(OPENS);
    }

    /// @dev In an auction once the price has fallen to half of the first.
    function _sellOut() private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
    }

    function _refuses(address caller) private {
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        vm.prank(caller);
        sale.close();
    }

    function _refusesOthers() private {
        address[5] memory callers = [owner, beneficiary, alice, bob, carol];
        for (uint256 i = 0; i < callers.length; ++i) {
            _refuses(callers[i]);
        }
    }

    function _closes(address caller) private {
        vm.prank(caller);
        sale.close();
        assertState(sale, State.Succeeded);
    }
}
