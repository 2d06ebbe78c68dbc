// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Gates} from "../../../src/libraries/Gates.sol";
import {Gate, Mode, Outcome, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {Eligibility} from "../../utils/Eligibility.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

/// @notice Signs by noting what it has signed, as a Safe can.
contract ContractSigner {
    mapping(bytes32 digest => bool) public approved;

    function approve(bytes32 digest) external {
        approved[digest] = true;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return approved[digest] ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

contract VouchersTest is SaleTest, Eligibility {
    uint256 private constant N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    Sale private sale;
    address private signer;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        (signer, key) = makeAddrAndKey("signer");
        (sale,) = create(Mode.FixedPrice, _terms());
        vm.warp(OPENS);
    }

    function test_WhenTheSignerIsAKey() external {
        (uint256 accepted, uint256 tokens) = _contribute(3 ether, signed(key, _voucher()));
        assertEq(accepted, 3 ether);
        assertEq(tokens, 3000e18);
        assertPosition(sale, alice, 3 ether, 3000e18);
    }

    function test_WhenTheSignerIsAContract() external {
        ContractSigner safe = new ContractSigner();
        vm.prank(owner);
        sale.setVoucherSigner(address(safe));
        Voucher memory v = _voucher();
        v.epoch = 1;
        bytes memory invalid = _invalid(address(safe), 1);
        vm.expectRevert(invalid);
        _contribute(1 ether, packed(v, hex"01"));

        safe.approve(digestOf(v));
        _contribute(1 ether, packed(v, hex"01"));
        assertPosition(sale, alice, 1 ether, 1000e18);
        ++v.maxPaid;
        vm.expectRevert(invalid);
        _contribute(1 ether, packed(v, hex"01"));
    }

    function test_RevertGiven_NoVoucher() external {
        vm.expectRevert(abi.encodeWithSelector(Gates.EligibilityMissing.selector, 0, Gate.Voucher));
        _contribute(1 ether, "");
    }

    function test_RevertGiven_APlainTransfer() external {
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(sale).call{value: 1 ether}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(Gates.EligibilityMissing.selector, 0, Gate.Voucher));
    }

    function test_RevertGiven_ALengthWithoutASignature() external {
        for (uint256 length = 1; length <= 21; length += 4) {
            vm.expectRevert(abi.encodeWithSelector(Gates.EligibilityMalformed.selector, Gate.Voucher, length));
            _contribute(1 ether, new bytes(length));
        }
    }

    function test_RevertGiven_AnotherSigner() external {
        (, uint256 other) = makeAddrAndKey("other signer");
        _refused(signed(other, _voucher()));
    }

    function test_RevertGiven_AnotherChain() external {
        Voucher memory v = _voucher();
        bytes memory eligibility = signed(key, v);
        vm.chainId(10);
        _refused(eligibility);
        v.chainId = 10;
        _contribute(1 ether, signed(key, v));
        vm.chainId(31_337);
        _contribute(1 ether, eligibility);
    }

    function test_RevertGiven_AnotherSale() external {
        bytes memory eligibility = signed(key, _voucher());
        vm.warp(OPENS - 1);
        SaleTerms memory t = _terms();
        ++t.softCap;
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        _refused(eligibility);
    }

    function test_RevertGiven_AnotherInvestor() external {
        bytes memory eligibility = signed(key, _voucher());
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherInvalid.selector, bob, signer, 0));
        vm.prank(alice);
        sale.contribute{value: 1 ether}(bob, 1 ether, eligibility);
    }

    function test_RevertGiven_AnotherEpoch() external {
        Voucher memory v = _voucher();
        v.epoch = 1;
        _refused(signed(key, v));
    }

    function test_RevertGiven_AChangedLimitPhaseOrDeadline() external {
        Voucher memory v = _voucher();
        bytes memory signature = signatureOf(key, v);
        ++v.maxPaid;
        _refused(packed(v, signature));
        v = _voucher();
        v.phases = 7;
        _refused(packed(v, signature));
        v = _voucher();
        ++v.deadline;
        _refused(packed(v, signature));
    }

    function test_TheDeadlineIsTheLastSecond() external {
        Voucher memory v = _voucher();
        v.deadline = OPENS + 100;
        bytes memory eligibility = signed(key, v);
        vm.warp(OPENS + 100);
        _contribute(1 ether, eligibility);
        vm.warp(OPENS + 101);
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherExpired.selector, OPENS + 100, OPENS + 101));
        _contribute(1 ether, eligibility);
    }

    function test_RevertGiven_AnotherPhase() external {
        Voucher memory v = _voucher();
        v.phases = 2;
        bytes memory eligibility = signed(key, v);
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherNotForPhase.selector, 0, 2));
        _contribute(1 ether, eligibility);
        vm.warp(OPENS + 1 days);
        _contribute(1 ether, eligibility);
        assertPosition(sale, alice, 1 ether, 500e18);
    }

    function test_RevertGiven_AHighS() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(_voucher()));
        bytes memory mirrored = abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _refused(packed(_voucher(), mirrored));
    }

    function test_RevertGiven_ACompactSignature() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(_voucher()));
        bytes32 vs = bytes32(uint256(s) | uint256(v - 27) << 255);
        _refused(packed(_voucher(), abi.encodePacked(r, vs)));
        _refused(packed(_voucher(), abi.encodePacked(r, s, v, uint8(0))));
    }

    function test_RevertGiven_ZerosForASignature() external {
        _refused(packed(_voucher(), new bytes(65)));
    }

    function test_TheLimitIsCumulativeAndTheInvestors() external {
        bytes memory eligibility = signed(key, _voucher());
        _contribute(3 ether, eligibility);
        vm.prank(bob);
        sale.contribute{value: 2 ether}(alice, 2 ether, eligibility);
        bytes memory above = abi.encodeWithSelector(ISale.AboveMaximum.selector, 5 ether, 5 ether + 1);
        vm.expectRevert(above);
        _contribute(1, eligibility);
        vm.expectRevert(above);
        vm.prank(bob);
        sale.contribute{value: 1}(alice, 1, eligibility);
        assertPosition(sale, alice, 5 ether, 5000e18);
        assertPosition(sale, bob, 0, 0);
    }

    function test_ALimitAboveTheTermsIsTheTerms() external {
        Voucher memory v = _voucher();
        v.maxPaid = type(uint120).max;
        bytes memory eligibility = signed(key, v);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 50 ether + 1));
        _contribute(50 ether + 1, eligibility);
    }

    function test_AVoucherIsGoodAgain() external {
        bytes memory eligibility = signed(key, _voucher());
        for (uint256 i = 0; i < 5; ++i) {
            _contribute(1 ether, eligibility);
        }
        assertPosition(sale, alice, 5 ether, 5000e18);
    }

    function test_AnotherSignerVoidsAllVouchers() external {
        bytes memory eligibility = signed(key, _voucher());
        (address next, uint256 nextKey) = makeAddrAndKey("next signer");
        vm.expectEmit(address(sale));
        emit ISale.VoucherSignerChanged(next, 1);
        vm.prank(owner);
        sale.setVoucherSigner(next);
        bytes memory invalid = _invalid(next, 1);
        vm.expectRevert(invalid);
        _contribute(1 ether, eligibility);
        Voucher memory v = _voucher();
        vm.expectRevert(invalid);
        _contribute(1 ether, signed(nextKey, v));
        v.epoch = 1;
        _contribute(1 ether, signed(nextKey, v));
    }

    function test_TheSameSignerVoidsAllVouchers() external {
        bytes memory eligibility = signed(key, _voucher());
        vm.startPrank(owner);
        sale.setVoucherSigner(signer);
        sale.setVoucherSigner(signer);
        vm.stopPrank();
        vm.expectRevert(_invalid(signer, 2));
        _contribute(1 ether, eligibility);
        Voucher memory v = _voucher();
        v.epoch = 2;
        _contribute(1 ether, signed(key, v));
    }

    function test_ItCrossesIntoTheNextGatedPhaseItIsFor() external {
        Voucher memory v = _voucher();
        v.maxPaid = 50 ether;
        (uint256 accepted, uint256 tokens) = _contribute(30 ether, signed(key, v));
        assertEq(accepted, 30 ether);
        assertEq(tokens, 25_000e18);
    }

    function test_ItStopsBeforeTheGatedPhaseItIsNotFor() external {
        Voucher memory v = _voucher();
        (v.maxPaid, v.phases) = (50 ether, 1);
        bytes memory eligibility = signed(key, v);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 20 ether, 20_000e18, 20 ether, 20 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.ExcessReturned(alice, 10 ether);
        (uint256 accepted,) = _contribute(30 ether, eligibility);
        assertEq(accepted, 20 ether);
        assertEq(alice.balance, 980 ether);
        assertTotals(sale, 20 ether, 20_000e18, Outcome.None);
    }

    function test_TheLimitHoldsForAllThatAGatedContributionPays() external {
        Voucher memory v = _voucher();
        v.maxPaid = 41 ether;
        bytes memory eligibility = signed(key, v);
        // 40 ether behind the gate, and 2 in the open phase after it.
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 41 ether, 42 ether));
        _contribute(42 ether, eligibility);
        _contribute(41 ether, eligibility);
        // In the open phase the terms alone count.
        _contribute(9 ether, "");
        (uint256 paid,) = sale.positionOf(alice);
        assertEq(paid, 50 ether);
    }

    /// @dev A limit of nothing opens no gate.
    function test_RevertGiven_ALimitOfZero() external {
        Voucher memory v = _voucher();
        v.maxPaid = 0;
        bytes memory eligibility = signed(key, v);
        vm.expectRevert();
        _contribute(1 ether, eligibility);
    }

    function testFuzz_OnlyTheVoucherThatWasSignedCounts(Voucher calldata v) external {
        bytes memory signature = signatureOf(key, v);
        bool fits = v.chainId == block.chainid && v.sale == address(sale) && v.investor == alice && v.epoch == 0;
        vm.assume(!fits);
        vm.prank(alice);
        (bool ok,) =
            address(sale).call{value: 1 ether}(abi.encodeCall(ISale.contribute, (alice, 1 ether, packed(v, signature))));
        assertFalse(ok);
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = terms();
        (t.signer, t.minPaid) = (signer, 0);
        (t.phases[0].gate, t.phases[1].gate) = (Gate.Voucher, Gate.Voucher);
    }

    function _voucher() private view returns (Voucher memory) {
        return Voucher({
            chainId: block.chainid,
            sale: address(sale),
            investor: alice,
            maxPaid: 5 ether,
            phases: 3,
            deadline: CLOSES,
            epoch: 0
        });
    }

    function _contribute(uint256 amount, bytes memory eligibility) private returns (uint256, uint256) {
        vm.prank(alice);
        return sale.contribute{value: amount}(alice, amount, eligibility);
    }

    function _refused(bytes memory eligibility) private {
        vm.expectRevert(_invalid(signer, 0));
        _contribute(1 ether, eligibility);
    }

    function _invalid(address by, uint256 epoch) private view returns (bytes memory) {
        return abi.encodeWithSelector(Gates.VoucherInvalid.selector, alice, by, epoch);
    }
}
