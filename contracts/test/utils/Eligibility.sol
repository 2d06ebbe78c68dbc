// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

/// @notice What a desk needs to make vouchers and lists, written from the specification and not from the contract's code.
abstract contract Eligibility is Test {
    struct Voucher {
        uint256 chainId;
        address sale;
        address investor;
        uint120 maxPaid;
        uint8 phases;
        uint40 deadline;
        uint256 epoch;
    }

    function digestOf(Voucher memory v) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Crowdsale"),
                keccak256("1"),
                v.chainId,
                v.sale
            )
        );
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Voucher(address investor,uint256 maxPaid,uint256 phases,uint256 deadline,uint256 epoch)"),
                v.investor,
                uint256(v.maxPaid),
                uint256(v.phases),
                uint256(v.deadline),
                v.epoch
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    function packed(Voucher memory v, bytes memory signature) internal pure returns (bytes memory) {
        return abi.encodePacked(v.maxPaid, v.phases, v.deadline, signature);
    }

    function signed(uint256 key, Voucher memory v) internal pure returns (bytes memory) {
        return packed(v, signatureOf(key, v));
    }

    function signatureOf(uint256 key, Voucher memory v) internal pure returns (bytes memory) {
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, digestOf(v));
        return abi.encodePacked(r, s, parity);
    }

    function leafOf(address investor, uint120 maxPaid) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(investor, uint256(maxPaid)))));
    }

    function parentOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
