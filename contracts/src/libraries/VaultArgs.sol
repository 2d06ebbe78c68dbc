// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "../types/Currency.sol";
import {Tap} from "../types/SaleTypes.sol";

/// @title VaultArgs
/// @notice What a vault is created with, in the bytes that follow its code. Sale and factory derive its address from the
/// same bytes, so that the sale needs no word of storage to know it.
library VaultArgs {
    /// @return Packed: sale 0, beneficiary 20, currency 40, tap 60 (2, 4, 2).
    function pack(address sale, address beneficiary, Currency currency, Tap memory tap)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(sale, beneficiary, Currency.unwrap(currency), tap.atOnce, tap.duration, tap.objection);
    }

    /// @return sale The sale whose money it takes.
    /// @return beneficiary Who is paid.
    /// @return currency What is paid.
    /// @return tap When it is paid.
    function unpack(bytes memory args)
        internal
        pure
        returns (address sale, address beneficiary, Currency currency, Tap memory tap)
    {
        uint256 word;
        address currency_;
        assembly ("memory-safe") {
            sale := shr(96, mload(add(args, 32)))
            beneficiary := shr(96, mload(add(args, 52)))
            currency_ := shr(96, mload(add(args, 72)))
            word := mload(add(args, 92))
        }
        currency = Currency.wrap(currency_);
        // Each cast takes the field of its width.
        // forge-lint: disable-next-line(unsafe-typecast)
        tap = Tap({atOnce: uint16(word >> 240), duration: uint32(word >> 208), objection: uint16(word >> 192)});
    }
}
