// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "../types/Currency.sol";
import {Gate, Phase, SaleTerms, Tap, Unsold, Vesting} from "../types/SaleTypes.sol";

/// @title SaleArgs
/// @notice The terms of a sale, packed into the bytes that follow a clone's code, and read back field by field: a
/// contribution pays for copying some 400 bytes of code instead of for a dozen storage reads.
/// @dev Layout, byte offsets: owner 0, beneficiary 20, token 40, currency 60, opens 80 (5), softCap 85 (15), minPaid 100
/// (15), maxPaid 115 (15), tokensForSale 130 (15), unsold 145 (1), closes 146 (5), hardCap 151 (15), coolingOff 166 (4),
/// end of the phases 170 (2), factory 172, compliance 192, signer 212, vesting 232 (2, 4, 4), tap 242 (2, 4, 2), then 37
/// bytes a phase: end (5), raisedUpTo (15), gate (1), price (16), then 32 bytes a phase: root, if any phase has one. `closes`
/// and `hardCap` repeat the last phase's, for a fixed place.
library SaleArgs {
    /// @dev Length of the code that OpenZeppelin's `Clones` puts before the arguments.
    uint256 private constant CLONE_CODE = 45;
    uint256 private constant HEAD = 250;
    uint256 private constant PHASE = 37;
    uint256 private constant ROOT = 32;
    /// @dev Eight phases (`TermsCheck`).
    uint256 private constant LONGEST = 546;
    /// @dev `CLONE_CODE` and the offset of the currency.
    uint256 private constant CURRENCY_IN_CODE = 105;

    /// @return args `terms`, packed, with the factory that creates the sale.
    function pack(SaleTerms memory terms, address factory_) internal pure returns (bytes memory args) {
        uint256 count = terms.phases.length;
        args = bytes.concat(
            abi.encodePacked(terms.owner, terms.beneficiary, terms.token, Currency.unwrap(terms.currency), terms.opens),
            abi.encodePacked(terms.softCap, terms.minPaid, terms.maxPaid, terms.tokensForSale, terms.unsold),
            abi.encodePacked(
                count == 0 ? 0 : terms.phases[count - 1].end,
                terms.hardCap,
                terms.coolingOff,
                // At most `LONGEST`.
                // forge-lint: disable-next-line(unsafe-typecast)
                uint16(HEAD + count * PHASE),
                factory_,
                terms.compliance,
                terms.signer
            ),
            abi.encodePacked(terms.vesting.atOnce, terms.vesting.cliff, terms.vesting.duration),
            abi.encodePacked(terms.tap.atOnce, terms.tap.duration, terms.tap.objection)
        );
        bytes memory roots;
        bool listed;
        for (uint256 i = 0; i < count; ++i) {
            Phase memory p = terms.phases[i];
            args = bytes.concat(args, abi.encodePacked(p.end, p.raisedUpTo, p.gate, p.price));
            roots = bytes.concat(roots, p.root);
            if (p.root != 0) listed = true;
        }
        if (listed) args = bytes.concat(args, roots);
    }

    /// @return args The packed terms of the clone that is running, from its own code, without the roots.
    /// @dev As OpenZeppelin's `Clones.fetchCloneArgs`, less the zeroing of memory that is then overwritten, and less the
    /// question how long the code is: the longest terms are copied, and past the end code reads as zeros.
    function load() internal view returns (bytes memory args) {
        assembly ("memory-safe") {
            args := mload(0x40)
            mstore(args, LONGEST)
            extcodecopy(address(), add(args, 32), CLONE_CODE, LONGEST)
            mstore(0x40, add(args, add(LONGEST, 62)))
        }
    }

    /// @return value The currency of the clone that is running, from its own code: all that a refund needs of its terms.
    function loadCurrency() internal view returns (Currency value) {
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(address(), 12, CURRENCY_IN_CODE, 20)
            value := mload(0)
        }
    }

    /// @param args What `load` gave.
    /// @return value The root of phase `index` of the clone that is running; zero if no phase has one.
    function loadRoot(bytes memory args, uint256 index) internal view returns (bytes32 value) {
        uint256 offset = CLONE_CODE + _phasesEnd(args) + index * ROOT;
        assembly ("memory-safe") {
            extcodecopy(address(), 0, offset, ROOT)
            value := mload(0)
        }
    }

    /// @return terms What was packed into the clone that is running.
    function unpack(bytes memory args) internal view returns (SaleTerms memory terms) {
        uint256 count = phaseCount(args);
        terms.owner = owner(args);
        terms.compliance = compliance(args);
        terms.signer = signer(args);
        terms.beneficiary = beneficiary(args);
        terms.token = token(args);
        terms.currency = currency(args);
        terms.opens = uint40(opens(args));
        terms.coolingOff = uint32(coolingOff(args));
        terms.softCap = uint120(softCap(args));
        terms.hardCap = uint120(hardCap(args));
        terms.minPaid = uint120(minPaid(args));
        terms.maxPaid = uint120(maxPaid(args));
        terms.tokensForSale = uint120(tokensForSale(args));
        terms.unsold = unsold(args);
        terms.vesting = vesting(args);
        terms.tap = tap(args);
        terms.phases = new Phase[](count);
        for (uint256 i = 0; i < count; ++i) {
            terms.phases[i] = phase(args, i);
        }
    }

    function owner(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 0, 160)));
    }

    function beneficiary(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 20, 160)));
    }

    function token(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 40, 160)));
    }

    function currency(bytes memory args) internal pure returns (Currency) {
        return Currency.wrap(address(uint160(_read(args, 60, 160))));
    }

    function opens(bytes memory args) internal pure returns (uint256) {
        return _read(args, 80, 40);
    }

    function softCap(bytes memory args) internal pure returns (uint256) {
        return _read(args, 85, 120);
    }

    function minPaid(bytes memory args) internal pure returns (uint256) {
        return _read(args, 100, 120);
    }

    function maxPaid(bytes memory args) internal pure returns (uint256) {
        return _read(args, 115, 120);
    }

    function tokensForSale(bytes memory args) internal pure returns (uint256) {
        return _read(args, 130, 120);
    }

    function unsold(bytes memory args) internal pure returns (Unsold) {
        return Unsold(_read(args, 145, 8));
    }

    /// @return First second after the last phase.
    function closes(bytes memory args) internal pure returns (uint256) {
        return _read(args, 146, 40);
    }

    function hardCap(bytes memory args) internal pure returns (uint256) {
        return _read(args, 151, 120);
    }

    function coolingOff(bytes memory args) internal pure returns (uint256) {
        return _read(args, 166, 32);
    }

    function factory(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 172, 160)));
    }

    function compliance(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 192, 160)));
    }

    function signer(bytes memory args) internal pure returns (address) {
        return address(uint160(_read(args, 212, 160)));
    }

    function vesting(bytes memory args) internal pure returns (Vesting memory) {
        return Vesting({
            atOnce: uint16(_read(args, 232, 16)),
            cliff: uint32(_read(args, 234, 32)),
            duration: uint32(_read(args, 238, 32))
        });
    }

    function tap(bytes memory args) internal pure returns (Tap memory) {
        return Tap({
            atOnce: uint16(_read(args, 242, 16)),
            duration: uint32(_read(args, 244, 32)),
            objection: uint16(_read(args, 248, 16))
        });
    }

    /// @return Number of phases.
    function phaseCount(bytes memory args) internal pure returns (uint256) {
        unchecked {
            return (_phasesEnd(args) - HEAD) / PHASE;
        }
    }

    /// @notice The first phase whose end is after `time` and whose cap is above `raised`.
    /// @return index Index of the phase, the number of phases if there is none.
    /// @return cap Its `raisedUpTo`; zero if there is none.
    /// @return price Its price; zero if there is none.
    function phaseAt(bytes memory args, uint256 time, uint256 raised)
        internal
        pure
        returns (uint256 index, uint256 cap, uint256 price)
    {
        uint256 end = _phasesEnd(args);
        // The offsets stay within the code of one contract, far from overflow.
        unchecked {
            for (uint256 offset = HEAD; offset < end; offset += PHASE) {
                cap = _read(args, offset + 5, 120);
                if (time < _read(args, offset, 40) && raised < cap) return (index, cap, _read(args, offset + 21, 128));
                ++index;
            }
        }
        cap = 0;
    }

    /// @return The price of phase `index`, which exists.
    function priceOf(bytes memory args, uint256 index) internal pure returns (uint256) {
        return _read(args, HEAD + index * PHASE + 21, 128);
    }

    /// @return First second after phase `index`, which exists.
    function endOf(bytes memory args, uint256 index) internal pure returns (uint256) {
        return _read(args, HEAD + index * PHASE, 40);
    }

    /// @return The gate of phase `index`, which exists.
    function gate(bytes memory args, uint256 index) internal pure returns (Gate) {
        unchecked {
            return Gate(_read(args, HEAD + index * PHASE + 20, 8));
        }
    }

    function phase(bytes memory args, uint256 index) internal view returns (Phase memory) {
        uint256 offset = HEAD + index * PHASE;
        return Phase({
            end: uint40(_read(args, offset, 40)),
            raisedUpTo: uint120(_read(args, offset + 5, 120)),
            price: uint128(_read(args, offset + 21, 128)),
            gate: Gate(_read(args, offset + 20, 8)),
            root: loadRoot(args, index)
        });
    }

    /// @dev Byte after the last phase.
    function _phasesEnd(bytes memory args) private pure returns (uint256) {
        return _read(args, 170, 16);
    }

    /// @dev Reads `bits` at a byte offset inside `args`. May touch up to 31 bytes past the end, which the shift drops.
    function _read(bytes memory args, uint256 offset, uint256 bits) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, bits), mload(add(add(args, 32), offset)))
        }
    }
}
