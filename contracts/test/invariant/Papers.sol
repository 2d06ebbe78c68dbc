// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../src/Sale.sol";
import {HostileToken} from "./Hostile.sol";
import {SaleModel} from "./SaleModel.sol";

/// @dev Key that signs vouchers at first; each rotation takes the next.
uint256 constant FIRST_SIGNER = 0x5109e4;

/// @dev Entry of a list.
function leafOf(address investor, uint256 limit) pure returns (bytes32) {
    return keccak256(bytes.concat(keccak256(abi.encode(investor, limit))));
}

/// @dev Inner node of a list.
function pairOf(bytes32 a, bytes32 b) pure returns (bytes32) {
    return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
}

/// @dev Root of a list of four.
function rootOf(address[] memory on, uint256 limit) pure returns (bytes32) {
    return
        pairOf(pairOf(leafOf(on[0], limit), leafOf(on[1], limit)), pairOf(leafOf(on[2], limit), leafOf(on[3], limit)));
}

/// @notice Vouchers, list proofs and permits, right and wrong, as a KYC desk, a team and a wallet would make them.
abstract contract Papers is SaleModel {
    uint256 internal constant INVESTOR_KEY = 0x1271;
    uint256 internal constant LISTED = 4;

    address private immutable OF;
    uint256 private epoch;

    constructor(Sale sale) {
        OF = address(sale);
    }

    function _nextSigner() internal view returns (address) {
        return vm.addr(FIRST_SIGNER + epoch + 1);
    }

    function _rotate() internal {
        ++epoch;
    }

    /// @dev The right ones as often as all wrong ones together.
    function _paper(uint256 seed) internal pure returns (Paper) {
        uint256 kind = seed % 20;
        if (kind < 6) return Paper.Voucher;
        if (kind < 11) return Paper.List;
        if (kind == 11) return Paper.None;
        if (kind == 12) return Paper.Garbage;
        if (kind == 13) return Paper.ListWithOtherLimit;
        return Paper(uint256(Paper.VoucherOfAnother) + kind - 14);
    }

    function _eligibility(Paper paper, address investor) internal view returns (bytes memory) {
        uint256 deadline = block.timestamp;
        if (paper == Paper.None) return "";
        if (paper == Paper.Garbage) return hex"c0ffee";
        if (paper == Paper.List) return _proof(investor, listLimit);
        if (paper == Paper.ListWithOtherLimit) return _proof(investor, listLimit + 1);
        if (paper == Paper.VoucherOfAnother) return _voucher(address(1), 15, deadline, epoch, block.chainid, OF);
        if (paper == Paper.VoucherExpired) return _voucher(investor, 15, deadline - 1, epoch, block.chainid, OF);
        if (paper == Paper.VoucherForOtherPhases) {
            return _voucher(investor, 13, deadline, epoch, block.chainid, OF);
        }
        if (paper == Paper.VoucherOfOldEpoch) {
            return _voucher(investor, 15, deadline, epoch == 0 ? 1 : epoch - 1, block.chainid, OF);
        }
        if (paper == Paper.VoucherOfOtherChain) return _voucher(investor, 15, deadline, epoch, 1, OF);
        if (paper == Paper.VoucherOfOtherSale) {
            return _voucher(investor, 15, deadline, epoch, block.chainid, address(this));
        }
        return _voucher(investor, 15, deadline, epoch, block.chainid, OF);
    }

    function _signPermit(HostileToken token, uint256 amount) internal view returns (uint8 v, bytes32 r, bytes32 s) {
        address holder = vm.addr(INVESTOR_KEY);
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                holder,
                OF,
                amount,
                token.nonces(holder),
                block.timestamp
            )
        );
        return vm.sign(INVESTOR_KEY, keccak256(bytes.concat(hex"1901", token.DOMAIN_SEPARATOR(), permit)));
    }

    function _voucher(address investor, uint256 phases, uint256 deadline, uint256 epoch_, uint256 chain, address sale)
        private
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Crowdsale"),
                keccak256("1"),
                chain,
                sale
            )
        );
        bytes32 voucher = keccak256(
            abi.encode(
                keccak256("Voucher(address investor,uint256 maxPaid,uint256 phases,uint256 deadline,uint256 epoch)"),
                investor,
                voucherLimit,
                phases,
                deadline,
                epoch_
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(FIRST_SIGNER + epoch, keccak256(bytes.concat(hex"1901", domain, voucher)));
        return abi.encodePacked(uint120(voucherLimit), uint8(phases), uint40(deadline), r, s, v);
    }

    function _proof(address investor, uint256 limit) private view returns (bytes memory) {
        uint256 i = 0;
        while (i < LISTED && actors[i] != investor) ++i;
        if (i == LISTED) i = 0;
        uint256 other = i < 2 ? 2 : 0;
        bytes32 far = pairOf(leafOf(actors[other], listLimit), leafOf(actors[other + 1], listLimit));
        return abi.encodePacked(uint120(limit), leafOf(actors[i ^ 1], listLimit), far);
    }
}
