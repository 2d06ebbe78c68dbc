// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ISaleToken
/// @notice What a token created with its sale has beside ERC-20, ERC-2612 and burning.
interface ISaleToken {
    /// @notice The metadata stands elsewhere now, or changed (ERC-7572).
    event ContractURIUpdated();

    /// @return Where the token's metadata stands (ERC-7572); empty if nowhere.
    function contractURI() external view returns (string memory);
}
