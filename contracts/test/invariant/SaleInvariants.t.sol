// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SaleTerms} from "../../src/types/SaleTypes.sol";
import {SaleInvariants} from "./SaleInvariants.sol";

contract EtherSaleInvariants is SaleInvariants {
    function _terms() internal view override returns (SaleTerms memory) {
        return terms();
    }

    function _balance(address of_) internal view override returns (uint256) {
        return of_.balance;
    }
}

contract Erc20SaleInvariants is SaleInvariants {
    function _terms() internal view override returns (SaleTerms memory) {
        return paidIn(address(usd), 6);
    }

    function _balance(address of_) internal view override returns (uint256) {
        return usd.balanceOf(of_);
    }
}
