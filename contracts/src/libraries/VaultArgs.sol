// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "../types/Currency.sol";

/// @title VaultArgs
/// @notice What a vault is created with, in the bytes that follow its code. Sale and factory derive its address from the
/// same bytes, so that the sale needs no word of storage to know it.
library VaultArgs {
    /// @return Packed: sale 0, beneficiary 20, currency 40.
    function pack(address sale, address beneficiary, Currency currency) internal pure returns (bytes memory) {
        return abi.encodePacked(sale, beneficiary, Currency.unwrap(currency));
    }

    /// @return sale The sale whose money it takes.
    /// @return beneficiary Who is paid.
    /// @return currency What is paid.
    function unpack(bytes memory args) internal pure returns (address sale, address beneficiary, Currency currency) {
        address currency_;
        assembly ("memory-safe") {
            sale := shr(96, mload(add(args, 32)))
            beneficiary := shr(96, mload(add(args, 52)))
            currency_ := shr(96, mload(add(args, 72)))
        }
        currency = Currency.wrap(currency_);
    }
}
