// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title ClonedOwnable
/// @notice Ownership in two steps for clones: the first owner stands in the clone's code, later ones in storage. It cannot be
/// given up, because some things are the owner's to receive.
abstract contract ClonedOwnable is Ownable2Step {
    /// @notice Only `owner` may do this.
    error OnlyOwner(address owner, address caller);

    /// @notice Ownership can be handed on, not given up.
    error OwnershipNotRenounceable();

    /// @notice Refused: see `transferOwnership`.
    function renounceOwnership() public pure virtual override {
        revert OwnershipNotRenounceable();
    }

    /// @return Who owns this.
    function owner() public view virtual override returns (address) {
        address later = super.owner();
        return later == address(0) ? _firstOwner() : later;
    }

    /// @return The owner that the clone was created with.
    function _firstOwner() internal view virtual returns (address);

    /// @inheritdoc Ownable
    function _checkOwner() internal view virtual override {
        if (msg.sender != owner()) revert OnlyOwner(owner(), msg.sender);
    }
}
