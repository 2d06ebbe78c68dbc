// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {Sale} from "../../../src/Sale.sol";
import {ClonedOwnable} from "../../../src/access/ClonedOwnable.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract RolesTest is SaleTest {
    Sale private sale;
    address private compliance = makeAddr("compliance");
    address private signer = makeAddr("signer");

    function setUp() public override {
        super.setUp();
        SaleTerms memory t = terms();
        (t.compliance, t.signer) = (compliance, signer);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
    }

    function test_TheFirstOfEachIsInTheTerms() external view {
        assertEq(sale.owner(), owner);
        assertEq(sale.pendingOwner(), address(0));
        assertEq(sale.compliance(), compliance);
        (address signer_, uint256 epoch) = sale.voucherSigner();
        assertEq(signer_, signer);
        assertEq(epoch, 0);
        assertEq(sale.whitepapers().length, 0);
        assertEq(sale.factory(), address(factory));
    }

    function test_OwnershipIsHandedOnInTwoSteps() external {
        vm.expectEmit(address(sale));
        emit Ownable2Step.OwnershipTransferStarted(owner, bob);
        vm.prank(owner);
        sale.transferOwnership(bob);
        assertEq(sale.owner(), owner);
        assertEq(sale.pendingOwner(), bob);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, carol));
        vm.prank(carol);
        sale.acceptOwnership();

        vm.prank(bob);
        sale.acceptOwnership();
        assertEq(sale.owner(), bob);
        assertEq(sale.pendingOwner(), address(0));
        vm.expectRevert(abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, bob, owner));
        vm.prank(owner);
        sale.cancel();
        vm.prank(bob);
        sale.cancel();
        assertEq(token.balanceOf(bob), 100_000e18);
        assertEq(token.balanceOf(owner), 0);
    }

    function test_OwnershipGoesBackToTheFirst() external {
        vm.prank(owner);
        sale.transferOwnership(bob);
        vm.prank(bob);
        sale.acceptOwnership();
        vm.prank(bob);
        sale.transferOwnership(owner);
        vm.prank(owner);
        sale.acceptOwnership();
        assertEq(sale.owner(), owner);
    }

    function test_AnOfferOfOwnershipCanBeTakenBack() external {
        vm.startPrank(owner);
        sale.transferOwnership(bob);
        sale.transferOwnership(address(0));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, bob));
        vm.prank(bob);
        sale.acceptOwnership();
        assertEq(sale.owner(), owner);
    }

    function test_RevertWhen_OwnershipIsRenounced() external {
        vm.expectRevert(ClonedOwnable.OwnershipNotRenounceable.selector);
        vm.prank(owner);
        sale.renounceOwnership();
        assertEq(sale.owner(), owner);
    }

    function test_TheLaterOwnerReceivesTheUnsold() external {
        buy(sale, alice, 10 ether);
        vm.prank(owner);
        sale.transferOwnership(bob);
        vm.prank(bob);
        sale.acceptOwnership();
        vm.warp(CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.UnsoldReturned(bob, 90_000e18);
        sale.close();
        assertEq(token.balanceOf(bob), 90_000e18);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        address[3] memory callers = [compliance, signer, beneficiary];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(ClonedOwnable.OnlyOwner.selector, owner, callers[i]);
            vm.startPrank(callers[i]);
            vm.expectRevert(reason);
            sale.setVoucherSigner(alice);
            vm.expectRevert(reason);
            sale.setCompliance(alice);
            vm.expectRevert(reason);
            sale.supersedeWhitepaper(bytes32(uint256(1)), "");
            vm.expectRevert(reason);
            sale.transferOwnership(alice);
            vm.stopPrank();
        }
    }

    function test_ComplianceIsNamedAnew() external {
        buy(sale, alice, 1 ether);
        vm.expectEmit(address(sale));
        emit ISale.ComplianceChanged(bob);
        vm.prank(owner);
        sale.setCompliance(bob);
        assertEq(sale.compliance(), bob);
        vm.expectRevert(abi.encodeWithSelector(ISale.OnlyCompliance.selector, bob, compliance));
        vm.prank(compliance);
        sale.reject(alice);
        vm.prank(bob);
        sale.reject(alice);
    }

    function test_ComplianceCanBeNobody() external {
        buy(sale, alice, 1 ether);
        vm.prank(owner);
        sale.setCompliance(address(0));
        assertEq(sale.compliance(), address(0));
        vm.expectRevert(abi.encodeWithSelector(ISale.OnlyCompliance.selector, address(0), compliance));
        vm.prank(compliance);
        sale.reject(alice);
    }

    function test_RevertWhen_TheSignerIsTheZeroAddress() external {
        vm.expectRevert(ISale.SignerZero.selector);
        vm.prank(owner);
        sale.setVoucherSigner(address(0));
    }

    function test_EachSignerHasItsEpoch() external {
        address[3] memory signers = [alice, signer, signer];
        for (uint256 i = 0; i < signers.length; ++i) {
            vm.expectEmit(address(sale));
            emit ISale.VoucherSignerChanged(signers[i], i + 1);
            vm.prank(owner);
            sale.setVoucherSigner(signers[i]);
            (address signer_, uint256 epoch) = sale.voucherSigner();
            assertEq(signer_, signers[i]);
            assertEq(epoch, i + 1);
        }
    }

    function test_WhitepapersStayOnRecord() external {
        bytes32[3] memory hashes = [bytes32(uint256(1)), bytes32(uint256(2)), bytes32(uint256(1))];
        for (uint256 i = 0; i < hashes.length; ++i) {
            vm.expectEmit(address(sale));
            emit ISale.WhitepaperSuperseded(i + 1, hashes[i], "https://example.org/2.pdf");
            vm.prank(owner);
            sale.supersedeWhitepaper(hashes[i], "https://example.org/2.pdf");
            vm.expectRevert(abi.encodeWithSelector(ISale.WhitepaperUnchanged.selector, hashes[i]));
            vm.prank(owner);
            sale.supersedeWhitepaper(hashes[i], "");
        }
        bytes32[] memory record = sale.whitepapers();
        assertEq(record.length, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(record[i], hashes[i]);
        }
    }

    function test_TheSharedCodeBelongsToItself() external {
        Sale code = Sale(payable(factory.FIXED_PRICE_SALE()));
        assertEq(code.owner(), address(code));
        vm.expectRevert(ISale.NotASale.selector);
        code.compliance();
        vm.expectRevert(ISale.NotASale.selector);
        code.voucherSigner();
        vm.expectRevert(ISale.NotASale.selector);
        code.factory();
        vm.expectRevert(ISale.NotASale.selector);
        code.reject(alice);
        vm.expectRevert(ISale.NotASale.selector);
        code.withdraw();
        vm.expectRevert(ISale.NotASale.selector);
        code.stakeOf(alice);
        vm.expectRevert(ISale.NotASale.selector);
        code.claimable(alice);
        vm.expectRevert(ISale.NotASale.selector);
        code.price();
        vm.expectRevert(ISale.NotASale.selector);
        code.coolingOffUntil(alice);
    }
}
