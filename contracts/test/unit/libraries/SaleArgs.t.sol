// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {SaleArgs} from "../../../src/libraries/SaleArgs.sol";
import {VaultArgs} from "../../../src/libraries/VaultArgs.sol";
import {Currency} from "../../../src/types/Currency.sol";
import {Gate, Phase, SaleTerms, Unsold} from "../../../src/types/SaleTypes.sol";

contract SaleArgsTest is Test {
    using SaleArgs for bytes;

    function testFuzz_UnpackGivesWhatWasPacked(uint256 seed, uint256 count) external view {
        SaleTerms memory t = _terms(seed, bound(count, 1, 8));
        bytes memory args = SaleArgs.pack(t, FACTORY);
        assertEq(args.length, 146 + 37 * t.phases.length);
        assertEq(keccak256(abi.encode(args.unpack())), keccak256(abi.encode(t)));
    }

    function test_UnpackGivesTheLargestValues() external pure {
        SaleTerms memory t;
        address a = address(type(uint160).max);
        (t.owner, t.beneficiary, t.token, t.currency) = (a, a, a, Currency.wrap(a));
        (t.opens, t.softCap, t.hardCap) = (type(uint40).max, type(uint120).max, type(uint120).max);
        (t.minPaid, t.maxPaid, t.tokensForSale) = (type(uint120).max, type(uint120).max, type(uint120).max);
        t.unsold = Unsold.Burn;
        t.phases = new Phase[](8);
        for (uint256 i = 0; i < 8; ++i) {
            t.phases[i] = Phase(type(uint40).max, type(uint120).max, type(uint128).max, Gate.Open);
        }
        assertEq(keccak256(abi.encode(SaleArgs.pack(t, FACTORY).unpack())), keccak256(abi.encode(t)));
    }

    /// @dev What lies behind the arguments in memory must not leak into the last fields.
    function testFuzz_FieldsDoNotReadPastTheEnd(uint256 seed, bytes32 dirt) external view {
        SaleTerms memory t = _terms(seed, 1);
        bytes memory args = SaleArgs.pack(t, FACTORY);
        assembly {
            mstore(add(args, add(32, mload(args))), dirt)
            mstore(0x40, add(args, add(96, mload(args))))
        }
        assertEq(args.phase(0).price, t.phases[0].price);
        assertEq(args.hardCap(), t.hardCap);
        assertEq(args.closes(), t.phases[0].end);
        (,, uint256 price) = args.phaseAt(0, 0);
        if (t.phases[0].end != 0 && t.hardCap != 0) assertEq(price, t.phases[0].price);
    }

    function testFuzz_PhaseAtIsTheFirstWithTimeAndRoom(uint256 seed, uint40 time, uint120 raised) external view {
        SaleTerms memory t = _terms(seed, seed % 8 + 1);
        // Half of the time exactly on an edge.
        if (seed & 256 != 0) time = t.phases[time % t.phases.length].end;
        if (seed & 512 != 0) raised = t.phases[raised % t.phases.length].raisedUpTo;
        (uint256 index, uint256 cap, uint256 price) = SaleArgs.pack(t, FACTORY).phaseAt(time, raised);
        uint256 i = 0;
        while (i < t.phases.length && (time >= t.phases[i].end || raised >= t.phases[i].raisedUpTo)) ++i;
        assertEq(index, i);
        assertEq(cap, i == t.phases.length ? 0 : t.phases[i].raisedUpTo);
        assertEq(price, i == t.phases.length ? 0 : t.phases[i].price);
    }

    function testFuzz_VaultArgs(address sale, address beneficiary, address currency) external pure {
        bytes memory args = VaultArgs.pack(sale, beneficiary, Currency.wrap(currency));
        assertEq(args.length, 60);
        (address sale_, address beneficiary_, Currency currency_) = VaultArgs.unpack(args);
        assertEq(sale_, sale);
        assertEq(beneficiary_, beneficiary);
        assertEq(Currency.unwrap(currency_), currency);
    }

    function _terms(uint256 seed, uint256 count) private view returns (SaleTerms memory t) {
        t.owner = address(uint160(_word(seed, 0)));
        t.beneficiary = address(uint160(_word(seed, 1)));
        t.token = address(uint160(_word(seed, 2)));
        t.currency = Currency.wrap(address(uint160(_word(seed, 3))));
        t.opens = uint40(_word(seed, 4));
        t.softCap = uint120(_word(seed, 5));
        t.minPaid = uint120(_word(seed, 6));
        t.maxPaid = uint120(_word(seed, 7));
        t.tokensForSale = uint120(_word(seed, 8));
        t.unsold = Unsold(_word(seed, 9) % 2);
        t.phases = new Phase[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = _word(seed, 10 + i);
            t.phases[i] = Phase(uint40(word), uint120(word >> 40), uint128(_word(word, 0)), Gate.Open);
        }
        t.hardCap = t.phases[count - 1].raisedUpTo;
    }

    function _word(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }
}
