// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SymbolicSale} from "./SymbolicSale.sol";

/// @notice A fixed-price sale without a cooling-off: it may close early.
contract SymbolicEarlyClose is SymbolicSale {
    /// @notice 9: before the end it is closed only once sold out, and by compliance where there is one; from the end on by
    /// anybody, whoever compliance is.
    function check_EarlyClose(uint120 raised, address compliance, address caller, uint40 time) external {
        _earlyClose(raised, compliance, caller, time);
    }

    function reach_EarlyClose(uint120 raised, address compliance, address caller, uint40 time) external {
        _earlyClose(raised, compliance, caller, time);
        assert(!reached);
    }

    function _earlyClose(uint120 raised, address compliance, address caller, uint40 time) private {
        vm.assume(raised <= HARD_CAP);
        _ledger(raised, 0, Outcome.None, caller, 0, 0);
        vm.prank(OWNER);
        sale.setCompliance(compliance);
        vm.warp(time);
        // The phases have one price and one cap. At two thousandths of ether a token, one wei buys 500 base units.
        bool allowed = raised == HARD_CAP && (compliance == address(0) || caller == compliance);
        vm.prank(caller);
        try sale.close() {
            assert(time >= CLOSES || allowed);
            if (time < CLOSES && compliance != address(0)) reached = true;
        } catch (bytes memory reason) {
            // How much gas there is, is a symbol too.
            assert(bytes4(reason) == ISale.GasTooLow.selector || (time < CLOSES && !allowed));
        }
    }

    function _code(address vaultCode) internal override returns (address) {
        return address(new FixedPriceSale(vaultCode));
    }

    function _shape(SaleTerms memory t) internal pure override {
        (t.phases[0].price, t.phases[1].price) = (2e15, 2e15);
    }

    function _tokens() internal pure override returns (uint120) {
        return 1_000_000e18;
    }

    function _mode() internal pure override returns (Mode) {
        return Mode.FixedPrice;
    }
}
