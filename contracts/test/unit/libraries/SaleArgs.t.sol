// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Test} from "forge-std/Test.sol";

import {SaleArgs} from "../../../src/libraries/SaleArgs.sol";
import {VaultArgs} from "../../../src/libraries/VaultArgs.sol";
import {WalletArgs} from "../../../src/libraries/WalletArgs.sol";
import {Currency} from "../../../src/types/Currency.sol";
import {Gate, Phase, SaleTerms, Tap, Unsold, Vesting} from "../../../src/types/SaleTypes.sol";

/// @notice A clone that reads its terms as a sale does: from its own code.
contract Reader {
    using SaleArgs for bytes;

    function load() external view returns (bytes memory) {
        return SaleArgs.load();
    }

    function unpack() external view returns (SaleTerms memory) {
        return SaleArgs.load().unpack();
    }

    function factory() external view returns (address) {
        return SaleArgs.load().factory();
    }

    function currencies() external view returns (address, address) {
        return (Currency.unwrap(SaleArgs.load().currency()), Currency.unwrap(SaleArgs.loadCurrency()));
    }

    function phaseCount() external view returns (uint256) {
        return SaleArgs.load().phaseCount();
    }

    function phase(uint256 i) external view returns (Phase memory) {
        return SaleArgs.load().phase(i);
    }

    /// @dev The fields of a phase, each by itself.
    function parts(uint256 i) external view returns (uint256 end, uint256 price, Gate gate, bytes32 root) {
        bytes memory args = SaleArgs.load();
        return (args.endOf(i), args.priceOf(i), args.gate(i), args.loadRoot(i));
    }

    function closes() external view returns (uint256) {
        return SaleArgs.load().closes();
    }
}

contract SaleArgsTest is Test {
    using SaleArgs for bytes;

    address private constant FACTORY = address(0xFAC7);
    address private code;

    function setUp() external {
        code = address(new Reader());
    }

    function testFuzz_UnpackGivesWhatWasPacked(uint256 seed, uint256 count, bool listed) external {
        SaleTerms memory t = _terms(seed, bound(count, 1, 8), listed);
        assertEq(SaleArgs.pack(t, FACTORY).length, 250 + (_hasRoot(t) ? 69 : 37) * t.phases.length);
        Reader reader = _clone(t, FACTORY);
        assertEq(keccak256(abi.encode(reader.unpack())), keccak256(abi.encode(t)));
        assertEq(reader.factory(), FACTORY);
        assertEq(reader.phaseCount(), t.phases.length);
    }

    function testFuzz_EachFieldIsItsOwn(uint256 seed, uint256 count, address factory) external {
        SaleTerms memory t = _terms(seed, bound(count, 1, 8), true);
        Reader reader = _clone(t, factory);
        assertEq(reader.factory(), factory);
        assertEq(reader.closes(), t.phases[t.phases.length - 1].end);
        (address inTerms, address alone) = reader.currencies();
        assertEq(inTerms, Currency.unwrap(t.currency));
        assertEq(alone, inTerms);
        for (uint256 i = 0; i < t.phases.length; ++i) {
            (uint256 end, uint256 price, Gate gate, bytes32 root) = reader.parts(i);
            assertEq(end, t.phases[i].end);
            assertEq(price, t.phases[i].price);
            assertEq(uint256(gate), uint256(t.phases[i].gate));
            assertEq(root, t.phases[i].root);
            assertEq(abi.encode(reader.phase(i)), abi.encode(t.phases[i]));
        }
    }

    /// @dev A root in one phase makes room for one in each; without any there is no room at all.
    function test_RootsTakeRoomOnlyWhereThereIsOne() external {
        SaleTerms memory t = _terms(1, 3, false);
        assertEq(SaleArgs.pack(t, FACTORY).length, 250 + 3 * 37);
        _checkRoots(_clone(t, FACTORY), 0, 0, 0);
        t.phases[1].root = bytes32(uint256(7));
        assertEq(SaleArgs.pack(t, FACTORY).length, 250 + 3 * 69);
        _checkRoots(_clone(t, FACTORY), 0, 7, 0);
    }

    /// @dev The factory can be asked for an address with terms that it will refuse.
    function test_NoPhasesArePackedToo() external pure {
        SaleTerms memory t;
        bytes memory args = SaleArgs.pack(t, FACTORY);
        assertEq(args.length, 250);
        assertEq(args.phaseCount(), 0);
        assertEq(args.closes(), 0);
    }

    function test_UnpackGivesTheLargestValues() external {
        SaleTerms memory t;
        address a = address(type(uint160).max);
        (t.owner, t.beneficiary, t.token, t.currency) = (a, a, a, Currency.wrap(a));
        (t.compliance, t.signer, t.coolingOff) = (a, a, type(uint32).max);
        (t.opens, t.softCap, t.hardCap) = (type(uint40).max, type(uint120).max, type(uint120).max);
        (t.minPaid, t.maxPaid, t.tokensForSale) = (type(uint120).max, type(uint120).max, type(uint120).max);
        t.unsold = Unsold.Burn;
        t.vesting = Vesting(type(uint16).max, type(uint32).max, type(uint32).max);
        t.tap = Tap(type(uint16).max, type(uint32).max, type(uint16).max);
        t.phases = new Phase[](8);
        for (uint256 i = 0; i < 8; ++i) {
            t.phases[i] =
                Phase(type(uint40).max, type(uint120).max, type(uint128).max, Gate.Merkle, bytes32(type(uint256).max));
        }
        Reader reader = _clone(t, a);
        assertEq(keccak256(abi.encode(reader.unpack())), keccak256(abi.encode(t)));
        assertEq(reader.factory(), a);
    }

    /// @dev What lies behind the packed terms in memory must not leak into the last fields.
    function testFuzz_FieldsDoNotReadPastTheEnd(uint256 seed, bytes32 dirt) external view {
        SaleTerms memory t = _terms(seed, 1, false);
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

    /// @dev The longest terms are copied whatever their length: what was packed comes first, and zeros follow it.
    function testFuzz_LoadGivesTheArgumentsOfTheClone(uint256 seed, uint256 count) external {
        SaleTerms memory t = _terms(seed, bound(count, 1, 8), false);
        bytes memory args = SaleArgs.pack(t, FACTORY);
        bytes memory loaded = _clone(t, FACTORY).load();
        assertEq(loaded.length, 250 + 8 * 37);
        assertEq(loaded, bytes.concat(args, new bytes(loaded.length - args.length)));
    }

    function testFuzz_PhaseAtIsTheFirstWithTimeAndRoom(uint256 seed, uint40 time, uint120 raised) external pure {
        SaleTerms memory t = _terms(seed, seed % 8 + 1, seed & 1024 != 0);
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

    function testFuzz_VaultArgs(address sale, address beneficiary, address currency, Tap calldata tap) external pure {
        bytes memory args = VaultArgs.pack(sale, beneficiary, Currency.wrap(currency), tap);
        assertEq(args.length, 68);
        (address sale_, address beneficiary_, Currency currency_, Tap memory tap_) = VaultArgs.unpack(args);
        assertEq(sale_, sale);
        assertEq(beneficiary_, beneficiary);
        assertEq(Currency.unwrap(currency_), currency);
        assertEq(abi.encode(tap_), abi.encode(tap));
    }

    function testFuzz_WalletArgs(WalletArgs.Args calldata a) external pure {
        bytes memory args = WalletArgs.pack(a);
        assertEq(args.length, 61);
        assertEq(abi.encode(WalletArgs.unpack(args)), abi.encode(a));
    }

    function _terms(uint256 seed, uint256 count, bool listed) private pure returns (SaleTerms memory t) {
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
        t.compliance = address(uint160(_word(seed, 20)));
        t.signer = address(uint160(_word(seed, 21)));
        t.coolingOff = uint32(_word(seed, 22));
        t.vesting = Vesting(uint16(_word(seed, 23)), uint32(_word(seed, 24)), uint32(_word(seed, 25)));
        t.tap = Tap(uint16(_word(seed, 26)), uint32(_word(seed, 27)), uint16(_word(seed, 28)));
        t.phases = new Phase[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = _word(seed, 10 + i);
            Gate gate = Gate(_word(word, 1) % (listed ? 3 : 2));
            t.phases[i] = Phase({
                end: uint40(word),
                raisedUpTo: uint120(word >> 40),
                price: uint128(_word(word, 0)),
                gate: gate,
                root: gate == Gate.Merkle ? bytes32(_word(word, 2)) : bytes32(0)
            });
        }
        t.hardCap = t.phases[count - 1].raisedUpTo;
    }

    function _clone(SaleTerms memory t, address factory) private returns (Reader) {
        return Reader(Clones.cloneWithImmutableArgs(code, SaleArgs.pack(t, factory)));
    }

    function _checkRoots(Reader reader, uint256 first, uint256 second, uint256 third) private view {
        uint256[3] memory expected = [first, second, third];
        for (uint256 i = 0; i < 3; ++i) {
            (,,, bytes32 root) = reader.parts(i);
            assertEq(uint256(root), expected[i]);
        }
    }

    function _hasRoot(SaleTerms memory t) private pure returns (bool) {
        for (uint256 i = 0; i < t.phases.length; ++i) {
            if (t.phases[i].root != 0) return true;
        }
        return false;
    }

    function _word(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }
}
