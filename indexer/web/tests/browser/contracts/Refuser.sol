// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A wallet that is a contract, and takes no ether.
contract Refuser {
    uint256 public count;

    function note() external {
        ++count;
    }
}
