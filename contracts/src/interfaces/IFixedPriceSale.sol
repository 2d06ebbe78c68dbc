// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Phase} from "../types/SaleTypes.sol";
import {ISale} from "./ISale.sol";

/// @title IFixedPriceSale
/// @notice A sale whose phases each have their own price.
interface IFixedPriceSale is ISale {
    /// @notice What a contribution of `amount` would get in this block, limits and gates apart.
    /// @return accepted Payment base units that would be taken.
    /// @return tokens Token base units that would be allotted.
    function quote(uint256 amount) external view returns (uint256 accepted, uint256 tokens);

    /// @notice The phase whose price applies in this block; reverts with `SaleNotOpen` or `SoldOut` where there is none.
    /// @return index Index in the terms.
    /// @return phase The phase.
    function activePhase() external view returns (uint256 index, Phase memory phase);
}
