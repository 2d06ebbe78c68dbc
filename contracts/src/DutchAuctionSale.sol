// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Sale} from "./Sale.sol";
import {UniformPriceSale} from "./UniformPriceSale.sol";
import {Totals} from "./libraries/Ledger.sol";
import {Price} from "./libraries/Price.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";

/// @title DutchAuctionSale
/// @notice The price falls until what was paid buys all the tokens, or down to the last phase's price; all pay the price that
/// was reached, which is never above that of their own contribution.
contract DutchAuctionSale is UniformPriceSale {
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
        uint256 value;
        (phase, value) = _phaseAndPrice(args, raised);
        amount = Math.min(left, _room(args, raised, value));
        tokens = amount == 0 ? 0 : Price.tokensFor(amount, value);
    }

    /// @inheritdoc Sale
    function _isSoldOut(bytes memory args, uint256 raised) internal view override returns (bool) {
        (uint256 index, uint256 value) = _phaseAndPrice(args, raised);
        return index == args.phaseCount() || Price.tokensFor(_room(args, raised, value), value) == 0;
    }

    /// @inheritdoc Sale
    function _phaseAndPrice(bytes memory args, uint256) internal view override returns (uint256 index, uint256 value) {
        (index,, value) = args.phaseAt(block.timestamp, 0);
        uint256 count = args.phaseCount();
        if (index + 1 >= count) return (index, value);
        uint256 end = args.endOf(index);
        uint256 start = index == 0 ? args.opens() : args.endOf(index - 1);
        // Before the opening it is the first price.
        uint256 elapsed = Math.saturatingSub(block.timestamp, start);
        // Rounded up: at no second cheaper than the line.
        value -= (value - args.priceOf(index + 1)) * elapsed / (end - start);
    }

    /// @inheritdoc Sale
    function _soldAtLast(bytes memory args, Totals t) internal pure override returns (uint256) {
        uint256 last = args.priceOf(args.phaseCount() - 1);
        return Math.min(args.tokensForSale(), Price.tokensFor(t.raised(), last));
    }

    /// @return Payment base units that can still be taken at price `value`.
    function _room(bytes memory args, uint256 raised, uint256 value) private pure returns (uint256) {
        return Math.saturatingSub(Math.min(args.hardCap(), Price.costOf(args.tokensForSale(), value)), raised);
    }
}
