// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Sale} from "./Sale.sol";
import {Ledger, Position, Totals} from "./libraries/Ledger.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";

/// @title UniformPriceSale
/// @notice A sale whose outcome gives everybody the same: tokens, and money that comes back, by the share of what was paid.
/// @dev Both shares are rounded down, so the sums never exceed what is there, and no order of claims matters. A position can
/// lose one base unit of money and less than one of tokens to it; what they add up to stays in the sale.
abstract contract UniformPriceSale is Sale {
    using SaleArgs for bytes;

    /// @inheritdoc Sale
    function _allotsAtOnce() internal pure override returns (bool) {
        return false;
    }

    /// @inheritdoc Sale
    function _settled(bytes memory args, Totals t, Position p)
        internal
        pure
        override
        returns (Position, uint256 excess)
    {
        uint256 paid = p.paid();
        if (p.isSettled() || p.isRejected() || paid == 0) return (p, 0);
        uint256 kept = _kept(args, t);
        excess = Math.mulDiv(paid, t.raised() - kept, t.raised());
        kept = Math.mulDiv(paid, kept, t.raised());
        return (Ledger.position(kept, Math.mulDiv(paid, t.sold(), t.raised()), Ledger.SETTLED), excess);
    }
}
