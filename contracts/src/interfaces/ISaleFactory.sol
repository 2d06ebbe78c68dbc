// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allocation, Documents, Mode, SaleTerms, TokenTerms} from "../types/SaleTypes.sol";

/// @title ISaleFactory
/// @notice Creates sales. An address binds the creator, the terms, the documents and the allocations, so it is known before,
/// and the same sale cannot be created twice. The factory keeps no money, no storage and no power over what it created.
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

    /// @notice A wallet holds tokens that the team keeps; it follows the event of its sale.
    event AllocationCreated(address indexed sale, address indexed wallet, uint256 index, Allocation allocation);

    /// @notice The creator has created this very sale before.
    error SaleExists(address sale);

    /// @notice A sale that creates its token cannot name one.
    error TokenGiven(address token);

    /// @notice The new token's supply is below what is for sale and allocated.
    error SupplyShort(uint256 supply, uint256 needed);

    /// @notice There can be `max` allocations at most.
    error AllocationCount(uint256 count, uint256 max);

    /// @notice An allocation needs a beneficiary, an amount, and a cliff not after its end, within `max` seconds.
    error AllocationInvalid(uint256 index, Allocation allocation, uint256 max);

    /// @notice Creates a sale of an existing token; takes `terms.tokensForSale` and the allocations from the caller, who has
    /// approved them.
    /// @return sale Address of the sale.
    /// @return vault Address of its vault.
    function create(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations
    ) external returns (address sale, address vault);

    /// @notice Creates a token and its sale. `terms.token` must be zero. What is neither for sale nor allocated goes to
    /// `terms.owner`, who is also the first admin of a restricted token.
    /// @return sale Address of the sale.
    /// @return vault Address of its vault.
    /// @return token Address of the token.
    function createWithToken(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations,
        TokenTerms calldata tokenTerms
    ) external returns (address sale, address vault, address token);

    /// @notice Addresses that `create` called by `creator` would use.
    function predict(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations
    ) external view returns (address sale, address vault);

    /// @notice Addresses that `createWithToken` called by `creator` would use.
    function predictWithToken(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations,
        TokenTerms calldata tokenTerms
    ) external view returns (address sale, address vault, address token);

    /// @return Address of the wallet that `sale`, which ends at `closes`, has for its allocation `index`.
    function predictWallet(address sale, uint40 closes, uint256 index, Allocation calldata allocation)
        external
        view
        returns (address);
}
