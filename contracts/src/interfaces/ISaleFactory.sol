// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Documents, Mode, SaleTerms, TokenTerms} from "../types/SaleTypes.sol";

/// @title ISaleFactory
/// @notice Creates sales. An address binds the creator, the terms and the documents, so it is known before, and the same
/// sale cannot be created twice. The factory keeps no money, no storage and no power over what it created.
interface ISaleFactory {
    /// @notice A sale exists, with its vault and with its tokens in it.
    event SaleCreated(
        address indexed sale,
        address indexed creator,
        address indexed token,
        address vault,
        Mode mode,
        SaleTerms terms,
        Documents documents
    );

    /// @notice A token was created together with its sale.
    event TokenCreated(address indexed token, address indexed creator, TokenTerms terms);

    /// @notice The creator has created this very sale before.
    error SaleExists(address sale);

    /// @notice A sale that creates its token cannot name one.
    error TokenGiven(address token);

    /// @notice The new token's supply is below what is for sale.
    error SupplyShort(uint256 supply, uint256 tokensForSale);

    /// @notice Creates a sale of an existing token; takes `terms.tokensForSale` from the caller, who has approved them.
    /// @return sale Address of the sale.
    /// @return vault Address of its vault.
    function create(Mode mode, SaleTerms calldata terms, Documents calldata documents)
        external
        returns (address sale, address vault);

    /// @notice Creates a token and its sale. `terms.token` must be zero. What is not for sale goes to `terms.owner`.
    /// @return sale Address of the sale.
    /// @return vault Address of its vault.
    /// @return token Address of the token.
    function createWithToken(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        TokenTerms calldata tokenTerms
    ) external returns (address sale, address vault, address token);

    /// @notice Addresses that `create` called by `creator` would use.
    function predict(address creator, Mode mode, SaleTerms calldata terms, Documents calldata documents)
        external
        view
        returns (address sale, address vault);

    /// @notice Addresses that `createWithToken` called by `creator` would use.
    function predictWithToken(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        TokenTerms calldata tokenTerms
    ) external view returns (address sale, address vault, address token);
}
