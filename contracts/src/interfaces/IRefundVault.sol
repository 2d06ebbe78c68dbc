// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IRefundVault
/// @notice Holds the money of a successful sale and pays it to the beneficiary alone. No owner, no pause.
interface IRefundVault {
    /// @notice Money left for the beneficiary.
    /// @param beneficiary Receiver.
    /// @param amount Payment base units sent now.
    /// @param released Payment base units sent in all.
    event Released(address indexed beneficiary, uint256 amount, uint256 released);

    /// @notice This is the code that vaults share, not a vault.
    error NotAVault();

    /// @notice Only the sale may send ether here.
    error OnlySale(address sale, address caller);

    /// @notice Everything that is due has been released.
    error NothingToRelease(uint256 received, uint256 released);

    /// @notice Takes ether from the sale.
    receive() external payable;

    /// @notice Pays the beneficiary what is due; takes the money from the sale first. Anyone may call it; it reverts with
    /// the sale's `NotClaimable` before success.
    /// @return amount Payment base units sent.
    function release() external returns (uint256 amount);

    /// @return received Payment base units that came from the sale.
    /// @return released Payment base units that went to the beneficiary.
    function account() external view returns (uint256 received, uint256 released);

    /// @return The sale this vault belongs to.
    function sale() external view returns (address);

    /// @return Who is paid.
    function beneficiary() external view returns (address);

    /// @return What is paid, zero for ether.
    function currency() external view returns (address);
}
