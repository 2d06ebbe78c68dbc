// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ISaleToken
/// @notice What a token created with its sale has beside ERC-20, ERC-2612 and burning.
interface ISaleToken {
    /// @return Where the token's metadata stands (ERC-7572); empty if nowhere. It never changes.
    function contractURI() external view returns (string memory);
}
