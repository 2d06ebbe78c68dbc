// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISale} from "../src/interfaces/ISale.sol";

/// @title Crowd
/// @notice Contributes for many investors in one transaction, so that a devnet holds a large sale within seconds. For
/// benchmarks: a real sale's investors come one by one.
contract Crowd {
    constructor() payable {}

    /// @notice The `from`-th to the last of `count` contributions of `amount` wei, to `sales` in turn, by `investors` wallets that
    /// nobody has the keys of.
    function contribute(ISale[] calldata sales, uint256 from, uint256 count, uint256 investors, uint256 amount)
        external
    {
        for (uint256 i = from; i < from + count; ++i) {
            // A stride without a common factor, so that an investor comes back after all others and elsewhere.
            address investor = address(uint160(uint256(keccak256(abi.encode((i * 7919) % investors)))));
            sales[i % sales.length].contribute{value: amount}(investor, amount, "");
        }
    }

    /// @notice Calls `factory` `count` times with `data`, in which the word at byte `offset` counts up from `first`: sales that differ
    /// in one figure.
    function found(address factory, bytes memory data, uint256 offset, uint256 first, uint256 count) external {
        for (uint256 i = first; i < first + count; ++i) {
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), offset), i)
            }
            (bool done,) = factory.call(data);
            require(done);
        }
    }

    receive() external payable {}
}
