// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Mode} from "../../src/types/SaleTypes.sol";
import {SaleInvariants} from "./SaleInvariants.sol";

abstract contract InEther is SaleInvariants {
    function _isEther() internal pure override returns (bool) {
        return true;
    }
}

abstract contract InErc20 is SaleInvariants {
    function _isEther() internal pure override returns (bool) {
        return false;
    }
}

abstract contract OfFixedPrice is SaleInvariants {
    function _mode() internal pure override returns (Mode) {
        return Mode.FixedPrice;
    }
}

abstract contract OfProRata is SaleInvariants {
    function _mode() internal pure override returns (Mode) {
        return Mode.ProRata;
    }
}

abstract contract OfDutchAuction is SaleInvariants {
    function _mode() internal pure override returns (Mode) {
        return Mode.DutchAuction;
    }
}

contract FixedPriceEtherInvariants is OfFixedPrice, InEther {}

contract FixedPriceErc20Invariants is OfFixedPrice, InErc20 {}

contract ProRataEtherInvariants is OfProRata, InEther {}

contract ProRataErc20Invariants is OfProRata, InErc20 {}

contract DutchAuctionEtherInvariants is OfDutchAuction, InEther {}

contract DutchAuctionErc20Invariants is OfDutchAuction, InErc20 {}
