// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {ISaleToken} from "./interfaces/ISaleToken.sol";

/// @title SaleToken
/// @notice ERC-20 with permit, burning by holders and a fixed supply; no owner, no minting, no pause. 18 decimals.
contract SaleToken is ISaleToken, ERC20Permit, ERC20Burnable {
    string private $contractURI;

    /// @param name_ ERC-20 name.
    /// @param symbol_ ERC-20 symbol.
    /// @param supply Base units.
    /// @param contractURI_ ERC-7572 metadata; may be empty. It never changes.
    /// @param holder Who gets the supply.
    constructor(string memory name_, string memory symbol_, uint256 supply, string memory contractURI_, address holder)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
    {
        $contractURI = contractURI_;
        _mint(holder, supply);
    }

    /// @inheritdoc ISaleToken
    function contractURI() external view returns (string memory) {
        return $contractURI;
    }
}
