// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice An ordinary token with the decimals one asks for; everybody may mint.
contract PlainToken is ERC20 {
    uint8 private immutable DECIMALS;

    constructor(uint8 decimals_) ERC20("Plain", "PLN") {
        DECIMALS = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }
}

/// @notice As Tether on Ethereum: transfers return nothing.
contract SilentToken {
    uint8 public constant decimals = 6;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;

    error Short();

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        if (allowance[from][msg.sender] < amount) revert Short();
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (balanceOf[from] < amount) revert Short();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Keeps a hundredth of every transfer once switched on.
contract FeeToken is PlainToken {
    bool public feeOn = true;

    constructor() PlainToken(18) {}

    function setFee(bool on) external {
        feeOn = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (feeOn && from != address(0) && to != address(0)) super._update(to, address(0), amount / 100);
    }
}

/// @notice As the centrally issued stablecoins: an address can be blocked.
contract BlockingToken is PlainToken {
    mapping(address account => bool) public blocked;

    error Blocked(address account);

    constructor() PlainToken(6) {}

    function setBlocked(address account, bool to) external {
        blocked[account] = to;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (blocked[from]) revert Blocked(from);
        if (blocked[to]) revert Blocked(to);
        super._update(from, to, amount);
    }
}

/// @notice Answers false instead of reverting, and moves nothing, once switched on.
contract FalseToken is PlainToken {
    bool public lying = true;

    constructor() PlainToken(18) {}

    function setLying(bool on) external {
        lying = on;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !lying && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !lying && super.transferFrom(from, to, amount);
    }
}

/// @notice Says true and moves nothing.
contract PretendingToken is PlainToken {
    constructor() PlainToken(18) {}

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @notice Who wants to be called by a `HookToken`.
interface IHook {
    function tokensToSend(address to, uint256 amount) external;
    function tokensReceived(address from, uint256 amount) external;
}

/// @notice As ERC-777: calls the sender before and the receiver after, where they registered.
contract HookToken is PlainToken {
    mapping(address account => bool) public hooked;

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function register(bool on) external {
        hooked[msg.sender] = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (hooked[from]) IHook(from).tokensToSend(to, amount);
        super._update(from, to, amount);
        if (hooked[to]) IHook(to).tokensReceived(from, amount);
    }
}

/// @notice A sold token that its team can make misbehave in every way.
contract StubbornToken is PlainToken {
    enum Mood {
        Plain,
        Reverts,
        ReturnsFalse,
        BurnsAllGas,
        ReturnsMuch,
        ReEnters
    }

    Mood public mood;
    address public target;
    bytes public call;
    bool public called;
    bool public callSucceeded;

    error Stubborn();

    constructor() PlainToken(18) {}

    function setMood(Mood to) external {
        mood = to;
    }

    function setCall(address target_, bytes calldata call_) external {
        (mood, target, call) = (Mood.ReEnters, target_, call_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (mood == Mood.Reverts) revert Stubborn();
        if (mood == Mood.ReturnsFalse) return false;
        if (mood == Mood.BurnsAllGas) {
            assembly {
                invalid()
            }
        }
        if (mood == Mood.ReturnsMuch) {
            assembly {
                revert(0, 300000)
            }
        }
        if (mood == Mood.ReEnters) {
            called = true;
            (callSucceeded,) = target.call(call);
        }
        return super.transfer(to, amount);
    }
}
