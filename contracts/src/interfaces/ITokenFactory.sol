// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TokenTerms} from "../types/SaleTypes.sol";

/// @title ITokenFactory
/// @notice Creates tokens for whoever calls, at addresses that bind the caller. It keeps nothing.
interface ITokenFactory {
    /// @notice Creates a token; the caller gets the supply.
    /// @param salt The caller's own; the same token cannot be created twice with one.
    /// @param admin First admin of a restricted token; of no meaning to a plain one.
    function create(TokenTerms calldata terms, address admin, bytes32 salt) external returns (address token);

    /// @return token Address that `create` called by `creator` would use.
    function predict(address creator, TokenTerms calldata terms, address admin, bytes32 salt)
        external
        view
        returns (address token);
}
