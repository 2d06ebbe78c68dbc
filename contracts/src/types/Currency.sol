// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

/// @notice What investors pay with: an ERC-20, or ether as `address(0)`. One transfer path for both.
type Currency is address;

using {CurrencyLibrary.isEther, CurrencyLibrary.send, CurrencyLibrary.pull} for Currency global;

/// @title CurrencyLibrary
/// @notice Moves a `Currency`. Sends are exact pushes of an amount the caller has already booked; nothing is approved.
library CurrencyLibrary {
    using SafeERC20 for IERC20;

    /// @notice The receiver refused `amount` wei, or its code ran out of gas or reverted.
    error EtherTransferFailed(address to, uint256 amount);

    /// @notice The token moved another amount than it was asked to: it takes a fee or rebases, and cannot be used here.
    error TransferNotExact(address token, uint256 expected, uint256 received);

    /// @return Whether this currency is ether.
    function isEther(Currency self) internal pure returns (bool) {
        return Currency.unwrap(self) == address(0);
    }

    /// @notice Sends `amount` base units to `to`, with all gas and without copying what the receiver returns.
    function send(Currency self, address to, uint256 amount) internal {
        if (self.isEther()) {
            if (!LowLevelCall.callNoReturn(to, amount, "")) revert EtherTransferFailed(to, amount);
        } else {
            IERC20(Currency.unwrap(self)).safeTransfer(to, amount);
        }
    }

    /// @notice Takes exactly `amount` base units of an ERC-20 from `from` to `to`, and measures that they arrived.
    function pull(Currency self, address from, address to, uint256 amount) internal {
        IERC20 token = IERC20(Currency.unwrap(self));
        uint256 before = token.balanceOf(to);
        token.safeTransferFrom(from, to, amount);
        uint256 received = token.balanceOf(to) - before;
        if (received != amount) revert TransferNotExact(address(token), amount, received);
    }
}
