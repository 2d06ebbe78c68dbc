// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IHook} from "./Tokens.sol";

/// @notice A contract that does what it is told, and can refuse ether, as some wallets and contracts do.
contract Wallet {
    bool public refuses;

    error Refused();

    receive() external payable {
        if (refuses) revert Refused();
    }

    function setRefuses(bool on) external {
        refuses = on;
    }

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory answer) = to.call{value: value}(data);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}

/// @notice Tries calls of its choice whenever money reaches or leaves it, and remembers how they went.
contract ReEntrant is IHook {
    address[] private targets;
    bytes[] private calls;
    uint256 public attempts;
    uint256 public successes;
    bytes public lastAnswer;

    receive() external payable {
        _attack();
    }

    function plan(address target, bytes calldata data) external {
        targets.push(target);
        calls.push(data);
    }

    function tokensToSend(address, uint256) external {
        _attack();
    }

    function tokensReceived(address, uint256) external {
        _attack();
    }

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool ok, bytes memory answer) = to.call{value: value}(data);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    function _attack() private {
        for (uint256 i = 0; i < calls.length; ++i) {
            ++attempts;
            (bool ok, bytes memory answer) = targets[i].call(calls[i]);
            if (ok) ++successes;
            lastAnswer = answer;
        }
    }
}

/// @notice Forces its ether upon an address that has not asked for it.
contract ForceFeeder {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}

/// @notice Needs more than the 2,300 gas of `transfer` to take ether, as smart wallets do.
contract Costly {
    uint256 public calls;

    receive() external payable {
        ++calls;
    }

    function execute(address to, uint256 value, bytes calldata data) external payable {
        (bool ok,) = to.call{value: value}(data);
        require(ok);
    }
}
