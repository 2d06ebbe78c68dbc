// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "./Sale.sol";
import {IFixedPriceSale} from "./interfaces/IFixedPriceSale.sol";
import {Totals} from "./libraries/Ledger.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";
import {Phase} from "./types/SaleTypes.sol";

/// @title FixedPriceSale
/// @notice Each phase sells at its own price; a contribution that crosses a phase's cap is split at both prices.
contract FixedPriceSale is IFixedPriceSale, Sale {
    using SaleArgs for bytes;

    /// @param vaultImplementation Code of the vaults that the deployer creates beside its sales.
    constructor(address vaultImplementation) Sale(vaultImplementation) {}

    /// @inheritdoc IFixedPriceSale
    function quote(uint256 amount) external view returns (uint256 accepted, uint256 tokens) {
        bytes memory args = _args();
        Totals t = _loadTotals();
        _requireOpen(args, t.outcome());
        while (accepted != amount) {
            (, uint256 part, uint256 bought) = _nextPart(args, t.raised() + accepted, amount - accepted);
            if (part == 0) break;
            accepted += part;
            tokens += bought;
        }
    }

    /// @inheritdoc IFixedPriceSale
    function activePhase() external view returns (uint256 index, Phase memory phase) {
        bytes memory args = _args();
        Totals t = _loadTotals();
        _requireOpen(args, t.outcome());
        (index,,) = args.phaseAt(block.timestamp, t.raised());
        if (index == args.phaseCount()) revert SoldOut(args.hardCap());
        phase = args.phase(index);
    }

    /// @inheritdoc Sale
    function _nextPart(bytes memory args, uint256 raised, uint256 left)
        internal
        view
        override
        returns (uint256 phase, uint256 amount, uint256 tokens)
    {
        uint256 cap;
        uint256 price;
        (phase, cap, price) = args.phaseAt(block.timestamp, raised);
        if (cap == 0) return (phase, 0, 0);
        // The active phase has room: `raised < cap`.
        unchecked {
            amount = cap - raised;
        }
        if (left < amount) amount = left;
        tokens = _tokensFor(amount, price);
    }

    /// @inheritdoc Sale
    function _isSoldOut(bytes memory args, uint256 raised) internal view override returns (bool) {
        (uint256 index, uint256 cap, uint256 price) = args.phaseAt(block.timestamp, raised);
        // Only dust of the last phase counts: before it, the next price may still buy something.
        return cap == 0 || (index == args.phaseCount() - 1 && _tokensFor(cap - raised, price) == 0);
    }

    /// @dev Rounded down, against the buyer. The product fits, as caps are below 2^120 and the unit below 2^60; no price is
    /// zero (`TermsCheck`).
    function _tokensFor(uint256 amount, uint256 price) private pure returns (uint256) {
        unchecked {
            return amount * TermsCheck.PRICE_UNIT / price;
        }
    }
}
