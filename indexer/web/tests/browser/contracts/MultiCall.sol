// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a Safe runs on its own account to make several calls, all of them or none.
contract MultiCall {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    function execute(Call[] calldata calls) external payable {
        for (uint256 i; i < calls.length; i++) {
            (bool success,) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            require(success, "one of them failed");
        }
    }
}
