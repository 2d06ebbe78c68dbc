// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IHook} from "../utils/Tokens.sol";

/// @notice A payment token that can do what the worst ones do: take a fee, block accounts, call senders and receivers.
contract HostileToken is ERC20Permit {
    uint8 private immutable DECIMALS;
    bool public feeOn;
    mapping(address account => bool) public blocked;
    mapping(address account => bool) public hooked;

    error Blocked(address account);

    constructor(uint8 decimals_) ERC20("Hostile", "HST") ERC20Permit("Hostile") {
        DECIMALS = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function register(bool on) external {
        hooked[msg.sender] = on;
    }

    function setFee(bool on) external {
        feeOn = on;
    }

    function setBlocked(address account, bool to) external {
        blocked[account] = to;
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (blocked[from]) revert Blocked(from);
        if (blocked[to]) revert Blocked(to);
        if (hooked[from]) IHook(from).tokensToSend(to, amount);
        super._update(from, to, amount);
        if (feeOn && from != address(0) && to != address(0)) super._update(to, address(0), amount / 100);
        if (hooked[to]) IHook(to).tokensReceived(from, amount);
    }
}

/// @notice An investor that calls back into whoever pays it or takes from it, with everything it can think of.
contract ReEnteringInvestor is IHook {
    struct Try {
        address target;
        bytes data;
    }

    Try[] private tries;
    address public armedAgainst;
    uint256 public attempts;
    uint256 public successes;

    receive() external payable {
        _attack();
    }

    function plan(address target, bytes calldata data) external {
        tries.push(Try({target: target, data: data}));
    }

    /// @dev Against one contract at a time: what it is owed by another is its to take at any time.
    function arm(address target) external {
        armedAgainst = target;
    }

    function tokensToSend(address, uint256) external {
        _attack();
    }

    function tokensReceived(address, uint256) external {
        _attack();
    }

    function _attack() private {
        for (uint256 i = 0; i < tries.length; ++i) {
            if (tries[i].target != armedAgainst) continue;
            ++attempts;
            (bool ok,) = tries[i].target.call(tries[i].data);
            if (ok) ++successes;
        }
    }
}
