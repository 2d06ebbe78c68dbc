// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What an account lends itself (EIP-7702) to make several calls in one transaction.
contract Batcher {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    function execute(Call[] calldata calls) external payable {
        require(msg.sender == address(this), "not the account");
        for (uint256 i; i < calls.length; i++) {
            (bool success, bytes memory told) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!success) {
                assembly ("memory-safe") {
                    revert(add(told, 32), mload(told))
                }
            }
        }
    }
}
