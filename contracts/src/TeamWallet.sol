// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {VestingWalletCliff} from "@openzeppelin/contracts/finance/VestingWalletCliff.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ClonedOwnable} from "./access/ClonedOwnable.sol";
import {ISale} from "./interfaces/ISale.sol";
import {ITeamWallet} from "./interfaces/ITeamWallet.sol";
import {WalletArgs} from "./libraries/WalletArgs.sol";
import {Outcome} from "./types/SaleTypes.sol";

/// @title TeamWallet
/// @notice OpenZeppelin's vesting wallet with a cliff, as a clone, that waits for a sale's success.
contract TeamWallet is ITeamWallet, VestingWalletCliff, ClonedOwnable {
    using SafeERC20 for IERC20;

    address private immutable IMPLEMENTATION = address(this);

    /// @dev The shared code is a wallet for nothing.
    constructor() VestingWallet(address(this), 0, 0) VestingWalletCliff(0) {}

    /// @notice Refuses ether.
    receive() external payable override {
        revert EtherNotAccepted();
    }

    /// @inheritdoc ITeamWallet
    function reclaim(address token) external returns (uint256 amount) {
        ISale sale_ = ISale(payable(sale()));
        (,, Outcome outcome) = sale_.totals();
        if (outcome != Outcome.Failed && outcome != Outcome.Cancelled) revert NotReclaimable(address(sale_));
        amount = IERC20(token).balanceOf(address(this));
        if (amount == 0) revert NothingToReclaim(token);
        address to = Ownable(address(sale_)).owner();
        emit Reclaimed(token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc VestingWallet
    /// @dev A release of nothing would only look like one.
    function release(address token) public override {
        if (releasable(token) == 0) revert NothingToRelease(token, cliff());
        super.release(token);
    }

    /// @inheritdoc ITeamWallet
    function sale() public view returns (address) {
        return _args().sale;
    }

    /// @inheritdoc VestingWallet
    function start() public view override returns (uint256) {
        return _isBeingDeployed() ? 0 : _args().start;
    }

    /// @inheritdoc VestingWallet
    function duration() public view override returns (uint256) {
        return _isBeingDeployed() ? 0 : _args().duration;
    }

    /// @inheritdoc VestingWalletCliff
    function cliff() public view override returns (uint256) {
        WalletArgs.Args memory a = _args();
        return a.start + a.cliff;
    }

    /// @inheritdoc Ownable2Step
    function transferOwnership(address newOwner) public override(Ownable, Ownable2Step) {
        super.transferOwnership(newOwner);
    }

    /// @inheritdoc ClonedOwnable
    function renounceOwnership() public pure override(Ownable, ClonedOwnable) {
        ClonedOwnable.renounceOwnership();
    }

    /// @inheritdoc ClonedOwnable
    function owner() public view override(Ownable, ClonedOwnable) returns (address) {
        return super.owner();
    }

    /// @dev Nothing vests before the sale has succeeded.
    function _vestingSchedule(uint256 total, uint64 timestamp) internal view override returns (uint256) {
        (,, Outcome outcome) = ISale(payable(sale())).totals();
        return outcome == Outcome.Succeeded ? super._vestingSchedule(total, timestamp) : 0;
    }

    function _transferOwnership(address newOwner) internal override(Ownable, Ownable2Step) {
        super._transferOwnership(newOwner);
    }

    function _checkOwner() internal view override(Ownable, ClonedOwnable) {
        super._checkOwner();
    }

    /// @inheritdoc ClonedOwnable
    function _firstOwner() internal view override returns (address) {
        return _args().owner;
    }

    /// @dev The bases ask for their schedule while the shared code is deployed; there is none yet.
    function _isBeingDeployed() private view returns (bool) {
        return address(this).code.length == 0;
    }

    function _args() private view returns (WalletArgs.Args memory) {
        if (address(this) == IMPLEMENTATION) revert NotAWallet();
        return WalletArgs.unpack(Clones.fetchCloneArgs(address(this)));
    }
}
