// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "./Sale.sol";
import {Position, Totals} from "./libraries/Ledger.sol";
import {Price} from "./libraries/Price.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";

/// @title FixedPriceSale
/// @notice Each phase sells at its own price; a contribution that crosses a phase's cap is split at both prices.
contract FixedPriceSale is Sale {
    using SaleArgs for bytes;

    /// @param vaultImplementation Code of the vaults that factories create beside these sales.
    constructor(address vaultImplementation) Sale(vaultImplementation) {}

    /// @inheritdoc Sale
    function _nextPart(bytes memory args, uint256 raised, uint256 left)
        internal
        view
        override
        returns (uint256 phase, uint256 amount, uint256 tokens)
    {
        uint256 cap;
        uint256 value;
        (phase, cap, value) = args.phaseAt(block.timestamp, raised);
        if (cap == 0) return (phase, 0, 0);
        // The active phase has room: `raised < cap`.
        unchecked {
            amount = cap - raised;
        }
        if (left < amount) amount = left;
        tokens = Price.tokensFor(amount, value);
    }

    /// @inheritdoc Sale
    function _isSoldOut(bytes memory args, uint256 raised) internal view override returns (bool) {
        (uint256 index, uint256 cap, uint256 value) = args.phaseAt(block.timestamp, raised);
        // Only dust of the last phase counts: before it, the next price may still buy something.
        return cap == 0 || (index == args.phaseCount() - 1 && Price.tokensFor(cap - raised, value) == 0);
    }

    /// @inheritdoc Sale
    function _phaseAndPrice(bytes memory args, uint256 raised)
        internal
        view
        override
        returns (uint256 index, uint256 value)
    {
        (index,, value) = args.phaseAt(block.timestamp, raised);
    }

    /// @inheritdoc Sale
    function _allotsAtOnce() internal pure override returns (bool) {
        return true;
    }

    /// @inheritdoc Sale
    function _soldAtLast(bytes memory, Totals t) internal pure override returns (uint256) {
        return t.sold();
    }

    /// @inheritdoc Sale
    function _settled(bytes memory, Totals, Position p) internal pure override returns (Position, uint256) {
        return (p, 0);
    }
}
