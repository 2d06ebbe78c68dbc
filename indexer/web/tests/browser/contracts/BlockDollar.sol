// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A dollar whose issuer can block a holder, who then neither sends nor receives, as those of the large issuers can.
contract BlockDollar is ERC20 {
    mapping(address holder => bool) public isBlocked;

    constructor() ERC20("Block Dollar", "BLD") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setBlocked(address holder, bool on) external {
        isBlocked[holder] = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!isBlocked[from] && !isBlocked[to], "holder is blocked");
        super._update(from, to, amount);
    }
}
