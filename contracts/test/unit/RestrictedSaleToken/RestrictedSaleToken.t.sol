// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Test} from "forge-std/Test.sol";

import {RestrictedSaleToken} from "../../../src/RestrictedSaleToken.sol";
import {IRestrictedSaleToken} from "../../../src/interfaces/IRestrictedSaleToken.sol";
import {ISaleToken} from "../../../src/interfaces/ISaleToken.sol";

contract RestrictedSaleTokenTest is Test {
    RestrictedSaleToken private token;
    address private admin = makeAddr("admin");
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    address private sale = makeAddr("sale");

    function setUp() external {
        vm.warp(1_900_000_000);
        token = new RestrictedSaleToken("Boreal", "BOR", 1000e18, "ipfs://boreal", address(this), admin);
    }

    function test_ItIsWhatItWasCreatedWith() external view {
        assertEq(token.name(), "Boreal");
        assertEq(token.symbol(), "BOR");
        assertEq(token.decimals(), 18);
        assertEq(token.totalSupply(), 1000e18);
        assertEq(token.balanceOf(address(this)), 1000e18);
        assertEq(token.contractURI(), "ipfs://boreal");
        assertEq(token.defaultAdmin(), admin);
        assertTrue(token.hasRole(token.REGISTRAR_ROLE(), admin));
        assertEq(token.approvedUntil(address(this)), type(uint256).max);
        assertEq(token.approvedUntil(admin), type(uint40).max);
        assertEq(token.approvedUntil(alice), 0);
    }

    function test_ItsCreationSaysWhoMayHold() external {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectEmit(predicted);
        emit IRestrictedSaleToken.Admitted(address(this));
        vm.expectEmit(predicted);
        emit IRestrictedSaleToken.HolderSet(admin, type(uint40).max, address(this));
        new RestrictedSaleToken("Boreal", "BOR", 1, "", address(this), admin);
    }

    /// @dev An issuer that is its own admin stays admitted.
    function test_TheIssuerMayBeTheAdmin() external {
        token = new RestrictedSaleToken("Boreal", "BOR", 1, "", address(this), address(this));
        assertEq(token.approvedUntil(address(this)), type(uint256).max);
    }

    function test_TheCodesOfErc1404() external {
        assertEq(token.detectTransferRestriction(alice, address(this), 1), 1);
        assertEq(token.detectTransferRestriction(address(this), alice, 1), 2);
        assertEq(token.detectTransferRestriction(alice, bob, 1), 1);
        assertEq(token.detectTransferRestriction(address(this), admin, 1), 0);
        assertEq(token.detectTransferRestriction(address(0), alice, 1), 2);
        assertEq(token.detectTransferRestriction(address(this), address(0), 1), 0);
        _set(alice, uint40(vm.getBlockTimestamp() + 1));
        assertEq(token.detectTransferRestriction(address(this), alice, 1), 0);
        assertEq(token.detectTransferRestriction(alice, address(this), 1), 0);
        assertEq(token.messageForTransferRestriction(0), "The transfer is allowed.");
        assertEq(token.messageForTransferRestriction(1), "The sender is not an approved holder.");
        assertEq(token.messageForTransferRestriction(2), "The receiver is not an approved holder.");
        assertEq(token.messageForTransferRestriction(3), "Unknown code.");
        assertEq(token.messageForTransferRestriction(255), "Unknown code.");
    }

    function test_RevertWhen_TheReceiverIsNotApproved() external {
        _refused(2, address(this), alice);
        token.transfer(alice, 1);
    }

    function test_ApprovalsLapseToTheSecond() external {
        uint40 until = uint40(vm.getBlockTimestamp() + 100);
        vm.expectEmit(address(token));
        emit IRestrictedSaleToken.HolderSet(alice, until, admin);
        _set(alice, until);
        vm.warp(until - 1);
        token.transfer(alice, 5);
        assertEq(token.balanceOf(alice), 5);
        vm.warp(until);
        _refused(2, address(this), alice);
        token.transfer(alice, 1);
        _refused(1, alice, address(this));
        vm.prank(alice);
        token.transfer(address(this), 1);
        _refused(1, alice, address(0));
        vm.prank(alice);
        token.burn(1);
        vm.prank(alice);
        token.approve(bob, 5);
        _refused(1, alice, admin);
        vm.prank(bob);
        token.transferFrom(alice, admin, 1);
    }

    function test_AnApprovalCanBeEnded() external {
        _set(alice, type(uint40).max);
        token.transfer(alice, 5);
        _set(alice, 0);
        _refused(2, address(this), alice);
        token.transfer(alice, 1);
        assertEq(token.balanceOf(alice), 5);
    }

    function test_SeveralHoldersAtOnce() external {
        address[] memory holders = new address[](2);
        uint40[] memory untils = new uint40[](2);
        (holders[0], holders[1], untils[0], untils[1]) = (alice, bob, type(uint40).max, 7);
        vm.prank(admin);
        token.setHolders(holders, untils);
        assertEq(token.approvedUntil(alice), type(uint40).max);
        assertEq(token.approvedUntil(bob), 7);
        vm.expectRevert(abi.encodeWithSelector(IRestrictedSaleToken.LengthsDiffer.selector, 2, 1));
        vm.prank(admin);
        token.setHolders(holders, new uint40[](1));
    }

    function test_RevertWhen_TheCallerIsNoRegistrar() external {
        bytes32 role = token.REGISTRAR_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, alice, role));
        vm.prank(alice);
        token.setHolders(new address[](0), new uint40[](0));
        vm.prank(admin);
        token.grantRole(role, alice);
        vm.prank(alice);
        token.setHolders(new address[](0), new uint40[](0));
        vm.prank(admin);
        token.revokeRole(role, alice);
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, alice, role));
        vm.prank(alice);
        token.setHolders(new address[](0), new uint40[](0));
    }

    function test_TheAdminIsHandedOnInTwoSteps() external {
        vm.expectRevert(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        vm.prank(admin);
        token.grantRole(0, alice);
        vm.prank(admin);
        token.beginDefaultAdminTransfer(alice);
        assertEq(token.defaultAdmin(), admin);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, bob)
        );
        vm.prank(bob);
        token.acceptDefaultAdminTransfer();
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(alice);
        token.acceptDefaultAdminTransfer();
        assertEq(token.defaultAdmin(), alice);
        assertFalse(token.hasRole(0, admin));
    }

    function test_ContractsOfTheSaleCannotBeShutOut() external {
        vm.expectEmit(address(token));
        emit IRestrictedSaleToken.Admitted(sale);
        token.admit(sale);
        vm.recordLogs();
        _set(sale, 0);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(token.approvedUntil(sale), type(uint256).max);
        _set(address(this), 0);
        token.transfer(sale, 5);
        vm.prank(sale);
        token.transfer(admin, 5);
        assertEq(token.balanceOf(admin), 5);
    }

    function test_RevertWhen_AnotherThanTheIssuerAdmits() external {
        vm.expectRevert(abi.encodeWithSelector(IRestrictedSaleToken.OnlyIssuer.selector, address(this), admin));
        vm.prank(admin);
        token.admit(alice);
    }

    function test_HoldersBurnTheirOwn() external {
        token.burn(1e18);
        assertEq(token.totalSupply(), 999e18);
        vm.expectRevert();
        vm.prank(admin);
        token.burnFrom(address(this), 1);
    }

    function test_Permit() external {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                holder,
                bob,
                7,
                0,
                vm.getBlockTimestamp()
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), content)));
        token.permit(holder, bob, 7, vm.getBlockTimestamp(), v, r, s);
        assertEq(token.allowance(holder, bob), 7);
    }

    function test_TheMetadataMayMove() external {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, alice, bytes32(0))
        );
        vm.prank(alice);
        token.setContractURI("x");
        vm.expectEmit(address(token));
        emit ISaleToken.ContractURIUpdated();
        vm.prank(admin);
        token.setContractURI("ipfs://elsewhere");
        assertEq(token.contractURI(), "ipfs://elsewhere");
    }

    function _set(address holder, uint40 until) private {
        address[] memory holders = new address[](1);
        uint40[] memory untils = new uint40[](1);
        (holders[0], untils[0]) = (holder, until);
        vm.prank(admin);
        token.setHolders(holders, untils);
    }

    function _refused(uint8 code, address from, address to) private {
        vm.expectRevert(abi.encodeWithSelector(IRestrictedSaleToken.TransferRestricted.selector, code, from, to));
    }
}
