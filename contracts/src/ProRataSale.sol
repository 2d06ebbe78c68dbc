// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "./Sale.sol";
import {UniformPriceSale} from "./UniformPriceSale.sol";
import {Totals} from "./libraries/Ledger.sol";
import {Price} from "./libraries/Price.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";

/// @title ProRataSale
/// @notice One price. It takes more than its hard cap; then everybody gets the same share, and the excess comes back.
contract ProRataSale is UniformPriceSale {
    using SaleArgs for bytes;

    /// @param vaultImplementation Code of the vaults that factories create beside these sales.
    constructor(address vaultImplementation) Sale(vaultImplementation) {}

    /// @inheritdoc Sale
    function _nextPart(bytes memory args, uint256, uint256 left)
        internal
        view
        override
        returns (uint256 phase, uint256 amount, uint256 tokens)
    {
        uint256 value;
        (phase, value) = _phaseAndPrice(args, 0);
        // Limits refuse what is larger, but only after the product was formed.
        if (left > args.hardCap()) revert AboveMaximum(args.maxPaid(), left);
        return (phase, left, Price.tokensFor(left, value));
    }

    /// @inheritdoc Sale
    function _isSoldOut(bytes memory, uint256) internal pure override returns (bool) {
        return false;
    }

    /// @inheritdoc Sale
    function _phaseAndPrice(bytes memory args, uint256) internal view override returns (uint256 index, uint256 value) {
        (index,, value) = args.phaseAt(block.timestamp, 0);
    }

    /// @inheritdoc Sale
    function _soldAtLast(bytes memory args, Totals t) internal pure override returns (uint256) {
        return Price.tokensFor(_kept(args, t), args.priceOf(0));
    }
}
