// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tap} from "../types/SaleTypes.sol";

/// @title IRefundVault
/// @notice Holds the money of a successful sale. It can pay only the beneficiary, by the schedule of the sale's terms, or, once
/// enough investors have objected, the investors. No owner, no pause.
interface IRefundVault {
    /// @notice Money left for the beneficiary. `to` differs from `beneficiary` only if the beneficiary chose so.
    /// @param amount Payment base units sent now.
    /// @param released Payment base units sent in all.
    event Released(address indexed beneficiary, address indexed to, uint256 amount, uint256 released);

    /// @notice An investor objected to paying the beneficiary any more.
    /// @param weight What the sale kept of the investor's money, payment base units.
    /// @param objected Weight of all objections.
    event Objected(address indexed investor, uint256 weight, uint256 objected);

    /// @notice Enough have objected: the beneficiary gets nothing more, for ever.
    /// @param rest Payment base units that go back to the investors.
    event TapStopped(uint256 rest, uint256 objected);

    /// @notice An investor's share of the rest left. `to` differs from `investor` only if the investor chose so.
    event RestRefunded(address indexed investor, address indexed to, uint256 amount);

    /// @notice This is the code that vaults share, not a vault.
    error NotAVault();

    /// @notice Only the sale may send ether here.
    error OnlySale(address sale, address caller);

    /// @notice Only the beneficiary may do this.
    error OnlyBeneficiary(address beneficiary, address caller);

    /// @notice Everything that is due has been released; all of it will be due from `complete` on.
    error NothingToRelease(uint256 received, uint256 released, uint256 complete);

    /// @notice Investors have stopped the tap: what is left is theirs.
    error TapIsStopped(uint256 rest);

    /// @notice The tap has not been stopped, so nothing is to be refunded.
    error TapNotStopped(uint256 objected, uint256 needed);

    /// @notice The terms of this sale give investors no objection.
    error NoObjection();

    /// @notice All money is due since `complete`: nothing is left to object to.
    error ObjectionTooLate(uint256 complete);

    /// @notice This investor has objected already.
    error AlreadyObjected(address investor);

    /// @notice The sale kept no money of this address.
    error NoStake(address account);

    /// @notice This investor has had its share of the rest, or it is less than a base unit.
    error NothingToRefund(address investor);

    /// @notice Money cannot be sent to the zero address.
    error InvalidReceiver(address to);

    /// @notice Takes ether from the sale.
    receive() external payable;

    /// @notice Pays the beneficiary what is due; takes the money from the sale first. Anyone may call it; it reverts with
    /// the sale's `NotSucceeded` before success.
    /// @return amount Payment base units sent.
    function release() external returns (uint256 amount);

    /// @notice As `release`, to `to`: the beneficiary's, for an address that is blocked.
    /// @return amount Payment base units sent.
    function releaseTo(address to) external returns (uint256 amount);

    /// @notice Objects to paying the beneficiary, with the weight of what the sale kept of the sender's money. Past the share
    /// in the terms the tap stops for ever.
    /// @return objected Weight of all objections, payment base units.
    function object() external returns (uint256 objected);

    /// @notice Sends `investor` its share of the rest, once the tap is stopped. Anyone may call it.
    /// @return amount Payment base units sent.
    function refundFor(address investor) external returns (uint256 amount);

    /// @notice As `refundFor`, the sender's own, to `to`.
    /// @return amount Payment base units sent.
    function refundTo(address to) external returns (uint256 amount);

    /// @return received Payment base units that came from the sale.
    /// @return released Payment base units that went to the beneficiary.
    function account() external view returns (uint256 received, uint256 released);

    /// @return due Payment base units that `release` would send now; zero before the money came from the sale.
    function releasable() external view returns (uint256 due);

    /// @return objected Weight of all objections, payment base units.
    /// @return needed Weight past which the tap stops; zero before the money came from the sale.
    /// @return stopped Whether it has stopped.
    function objections() external view returns (uint256 objected, uint256 needed, bool stopped);

    /// @return Whether `investor` has objected.
    function hasObjected(address investor) external view returns (bool);

    /// @return Payment base units that `refundFor` would send `investor`.
    function refundable(address investor) external view returns (uint256);

    /// @return When the beneficiary is paid.
    function tap() external view returns (Tap memory);

    /// @return The sale this vault belongs to.
    function sale() external view returns (address);

    /// @return Who is paid.
    function beneficiary() external view returns (address);

    /// @return What is paid, zero for ether.
    function currency() external view returns (address);
}
