// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Test} from "forge-std/Test.sol";

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {SaleArgs} from "../../src/libraries/SaleArgs.sol";
import {Gate, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";

/// @notice What was signed, as a wallet would show it.
struct Signed {
    uint256 chainId;
    address sale;
    address investor;
    uint120 maxPaid;
    uint8 phases;
    uint40 deadline;
    uint64 epoch;
}

/// @notice A contract that has signed one digest, and nothing else. A key is the same under the assumption that no two
/// digests share a signature, which no solver can prove of elliptic curves; that hashes do not collide is halmos' own.
contract SignsOnce {
    bytes32 private digest;

    function sign(bytes32 digest_) external {
        digest = digest_;
    }

    function isValidSignature(bytes32 asked, bytes calldata) external view returns (bytes4) {
        return asked == digest ? bytes4(0x1626ba7e) : bytes4(0);
    }
}

/// @notice 13: one voucher is signed, all of it symbols; whatever is handed in, to the real sale, by whomever, whenever, on
/// whichever chain, is taken only if it is that voucher, of this sale, here, and not too late.
contract SymbolicVoucherTest is Test {
    uint40 private constant OPENS = 1_900_000_000;
    address private constant OWNER = address(0x0a);

    FixedPriceSale private sale;
    SignsOnce private signer;
    bool private reached;

    function setUp() public {
        signer = new SignsOnce();
        address saleCode = address(new FixedPriceSale(address(new RefundVault())));
        SaleTerms memory t;
        (t.owner, t.beneficiary, t.token, t.signer) = (OWNER, address(0xbe), address(signer), address(signer));
        (t.opens, t.softCap, t.hardCap, t.maxPaid) = (OPENS, 10 ether, 100 ether, 100 ether);
        t.tokensForSale = 100_000e18;
        t.phases = new Phase[](2);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 100 ether, price: 1e15, gate: Gate.Voucher, root: 0});
        t.phases[1] = Phase({end: OPENS + 2 days, raisedUpTo: 100 ether, price: 1e15, gate: Gate.Voucher, root: 0});
        bytes memory args = SaleArgs.pack(t, address(this));
        sale = FixedPriceSale(payable(Clones.cloneDeterministicWithImmutableArgs(saleCode, args, 0)));
    }

    /// @param s What was signed.
    /// @param shown What is handed in, of it chain and sale are where it is handed in, and the epoch is the sale's: zero or,
    /// after the owner has named the signer anew, one.
    function check_Voucher(Signed memory s, Signed memory shown, uint128 amount, uint40 time) external {
        _voucher(s, shown, amount, time);
    }

    function reach_Voucher(Signed memory s, Signed memory shown, uint128 amount, uint40 time) external {
        _voucher(s, shown, amount, time);
        assert(!reached);
    }

    function _voucher(Signed memory s, Signed memory shown, uint128 amount, uint40 time) private {
        vm.assume(shown.epoch <= 1 && shown.chainId < type(uint64).max);
        signer.sign(_digest(s));
        if (shown.epoch == 1) {
            vm.prank(OWNER);
            sale.setVoucherSigner(address(signer));
        }
        vm.chainId(shown.chainId);
        vm.warp(time);
        vm.deal(address(this), amount);
        // Not 65 bytes, so no key's signature.
        bytes memory eligibility = abi.encodePacked(shown.maxPaid, shown.phases, shown.deadline, uint8(1));
        try sale.contribute{value: amount}(shown.investor, amount, eligibility) returns (uint256 accepted, uint256) {
            assert(s.chainId == shown.chainId && s.sale == address(sale) && s.epoch == shown.epoch);
            assert(s.investor == shown.investor && s.maxPaid == shown.maxPaid);
            assert(s.phases == shown.phases && s.deadline == shown.deadline);
            assert(time <= s.deadline && accepted <= s.maxPaid);
            assert(s.phases >> (time < OPENS + 1 days ? 0 : 1) & 1 == 1);
            reached = true;
        } catch {}
    }

    receive() external payable {}

    /// @dev EIP-712, written a second time.
    function _digest(Signed memory s) private pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Crowdsale"),
                keccak256("1"),
                s.chainId,
                s.sale
            )
        );
        bytes32 voucher = keccak256(
            abi.encode(
                keccak256("Voucher(address investor,uint256 maxPaid,uint256 phases,uint256 deadline,uint256 epoch)"),
                s.investor,
                s.maxPaid,
                s.phases,
                s.deadline,
                s.epoch
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, voucher));
    }
}
