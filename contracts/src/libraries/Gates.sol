// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {Gate} from "../types/SaleTypes.sol";

/// @notice What a gate says of an investor.
enum Verdict {
    Eligible,
    Missing,
    Malformed,
    NotForPhase,
    Expired,
    BadSignature,
    NotOnList
}

/// @title Gates
/// @notice Whether an investor may contribute in a phase, and how much in all. Always about the owner of the position, never
/// about who pays.
/// @dev `eligibility` is packed. Voucher: `maxPaid` (15 bytes), `phases` (1, bit i for phase i), `deadline` (5), signature.
/// List: `maxPaid` (15), then the hashes of the proof (32 each).
library Gates {
    /// @notice The phase takes only those with a proof of eligibility, and none came.
    error EligibilityMissing(uint256 phase, Gate gate);

    /// @notice The proof of eligibility has not the length that the phase's gate asks for.
    error EligibilityMalformed(Gate gate, uint256 length);

    /// @notice The voucher is for other phases: bit i of `phases` stands for phase i.
    error VoucherNotForPhase(uint256 phase, uint256 phases);

    /// @notice The voucher was good until `deadline`.
    error VoucherExpired(uint256 deadline, uint256 blockTimestamp);

    /// @notice `signer` has not signed this voucher for this investor, sale, chain and epoch.
    error VoucherInvalid(address investor, address signer, uint256 epoch);

    /// @notice The list of the phase has no entry with this investor and limit.
    error NotOnList(uint256 phase, address investor, uint256 maxPaid);

    /// @notice The EIP-712 type of a voucher; chain and sale stand in the domain.
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(address investor,uint256 maxPaid,uint256 phases,uint256 deadline,uint256 epoch)");

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Crowdsale");
    bytes32 private constant VERSION_HASH = keccak256("1");

    uint256 private constant VOUCHER_HEAD = 21;
    uint256 private constant LIMIT = 15;
    uint256 private constant HASH = 32;

    /// @return verdict Whether a voucher by `signer` of `epoch` lets `investor` contribute in `phase` now.
    /// @return maxPaid Most the investor may have paid after it, cumulatively.
    /// @dev A key's signature is tried before the account's code is looked at: keys are what most desks use, and a cold
    /// account costs as much as a storage slot.
    function voucher(bytes calldata eligibility, uint256 phase, address investor, address signer, uint256 epoch)
        internal
        view
        returns (Verdict verdict, uint256 maxPaid)
    {
        if (eligibility.length == 0) return (Verdict.Missing, 0);
        if (eligibility.length <= VOUCHER_HEAD) return (Verdict.Malformed, 0);
        maxPaid = uint120(bytes15(eligibility[:15]));
        uint256 phases = uint8(eligibility[15]);
        uint256 deadline = uint40(bytes5(eligibility[16:21]));
        if (phases >> phase & 1 == 0) return (Verdict.NotForPhase, maxPaid);
        if (block.timestamp > deadline) return (Verdict.Expired, maxPaid);

        bytes32 digest = MessageHashUtils.toTypedDataHash(
            domainSeparator(), keccak256(abi.encode(VOUCHER_TYPEHASH, investor, maxPaid, phases, deadline, epoch))
        );
        bytes calldata signature = eligibility[VOUCHER_HEAD:];
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return (Verdict.Eligible, maxPaid);
        bool valid = SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
        return (valid ? Verdict.Eligible : Verdict.BadSignature, maxPaid);
    }

    /// @return verdict Whether the list with this `root` has an entry for `investor`.
    /// @return maxPaid Most the investor may have paid after it, cumulatively.
    function list(bytes32 root, address investor, bytes calldata eligibility)
        internal
        pure
        returns (Verdict verdict, uint256 maxPaid)
    {
        if (eligibility.length == 0) return (Verdict.Missing, 0);
        if (eligibility.length < LIMIT || (eligibility.length - LIMIT) % HASH != 0) return (Verdict.Malformed, 0);
        maxPaid = uint120(bytes15(eligibility[:15]));
        bytes32[] calldata proof;
        assembly ("memory-safe") {
            proof.offset := add(eligibility.offset, LIMIT)
            proof.length := div(sub(eligibility.length, LIMIT), HASH)
        }
        // Hashed twice, so that no inner node of the tree can pass for an entry.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(investor, maxPaid))));
        return (MerkleProof.verifyCalldata(proof, root, leaf) ? Verdict.Eligible : Verdict.NotOnList, maxPaid);
    }

    /// @notice Reverts with what `verdict`, which is not `Eligible`, stands for.
    function refuse(
        Verdict verdict,
        address investor,
        bytes calldata eligibility,
        Gate gate,
        uint256 phase,
        address signer,
        uint256 epoch
    ) internal view {
        if (verdict == Verdict.Missing) revert EligibilityMissing(phase, gate);
        if (verdict == Verdict.Malformed) revert EligibilityMalformed(gate, eligibility.length);
        if (verdict == Verdict.NotOnList) revert NotOnList(phase, investor, uint120(bytes15(eligibility[:15])));
        if (verdict == Verdict.NotForPhase) revert VoucherNotForPhase(phase, uint8(eligibility[15]));
        if (verdict == Verdict.Expired) revert VoucherExpired(uint40(bytes5(eligibility[16:21])), block.timestamp);
        revert VoucherInvalid(investor, signer, epoch);
    }

    /// @return The EIP-712 domain of the sale that is running, on the chain it is running on.
    function domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }
}
