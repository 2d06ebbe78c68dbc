// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ITeamWallet
/// @notice Holds an allocation of the team from before the sale on. It vests only if the sale succeeds; after a failure the
/// tokens go back to the sale's owner.
interface ITeamWallet {
    /// @notice The sale did not succeed, and tokens went back to its owner.
    event Reclaimed(address indexed token, address indexed to, uint256 amount);

    /// @notice This is the code that wallets share, not a wallet.
    error NotAWallet();

    /// @notice Ether has no business here.
    error EtherNotAccepted();

    /// @notice Tokens go back only once the sale has failed or was cancelled.
    error NotReclaimable(address sale);

    /// @notice No token is here.
    error NothingToReclaim(address token);

    /// @notice Nothing is free now; the first tokens are from `cliff` on, if the sale has succeeded.
    error NothingToRelease(address token, uint256 cliff);

    /// @notice Sends all of `token` to the sale's owner, after failure or cancellation. Anyone may call it.
    /// @return amount Base units sent.
    function reclaim(address token) external returns (uint256 amount);

    /// @return The sale whose success it waits for.
    function sale() external view returns (address);
}
