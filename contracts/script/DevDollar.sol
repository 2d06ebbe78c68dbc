// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title DevDollar
/// @notice A stablecoin's shape for a devnet: 6 decimals, permit, and anyone may mint. Worthless, and never deployed elsewhere.
contract DevDollar is ERC20Permit {
    constructor() ERC20("Dev Dollar", "USDD") ERC20Permit("Dev Dollar") {}

    /// @notice Gives `amount` base units to `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @return 6, as the stablecoins in use have it.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
