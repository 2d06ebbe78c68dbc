// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title WalletArgs
/// @notice What a team wallet is created with, in the bytes that follow its code.
library WalletArgs {
    /// @param sale The sale whose success it waits for.
    /// @param owner First owner: who receives what vests.
    /// @param start Second from which it vests: the end of the sale.
    /// @param cliff Seconds after it before which nothing vests.
    /// @param duration Seconds after it over which all vests.
    struct Args {
        address sale;
        address owner;
        uint40 start;
        uint64 cliff;
        uint64 duration;
    }

    /// @return Packed: sale 0, owner 20, start 40 (5), cliff 45 (8), duration 53 (8).
    function pack(Args memory a) internal pure returns (bytes memory) {
        return abi.encodePacked(a.sale, a.owner, a.start, a.cliff, a.duration);
    }

    /// @return a What was packed.
    function unpack(bytes memory args) internal pure returns (Args memory a) {
        uint256 owner;
        uint256 times;
        address sale;
        assembly ("memory-safe") {
            sale := shr(96, mload(add(args, 32)))
            owner := shr(96, mload(add(args, 52)))
            times := mload(add(args, 72))
        }
        a.sale = sale;
        // Each cast takes the field of its width.
        // forge-lint: disable-start(unsafe-typecast)
        a.owner = address(uint160(owner));
        a.start = uint40(times >> 216);
        a.cliff = uint64(times >> 152);
        a.duration = uint64(times >> 88);
        // forge-lint: disable-end(unsafe-typecast)
    }
}
