// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {SaleToken} from "../../../src/SaleToken.sol";

contract SaleTokenTest is Test {
    SaleToken private token;
    address private to = makeAddr("to");

    function setUp() external {
        token = new SaleToken("Aurora", "AUR", 1000e18, "ipfs://aurora", address(this));
    }

    function test_ItIsWhatItWasCreatedWith() external view {
        assertEq(token.name(), "Aurora");
        assertEq(token.symbol(), "AUR");
        assertEq(token.decimals(), 18);
        assertEq(token.totalSupply(), 1000e18);
        assertEq(token.balanceOf(address(this)), 1000e18);
        assertEq(token.contractURI(), "ipfs://aurora");
    }

    function test_Transfer() external {
        token.transfer(to, 1e18);
        assertEq(token.balanceOf(to), 1e18);
        assertEq(token.balanceOf(address(this)), 999e18);
    }

    function test_HoldersBurnTheirOwn() external {
        token.burn(1e18);
        assertEq(token.totalSupply(), 999e18);
        vm.prank(to);
        vm.expectRevert();
        token.burnFrom(address(this), 1);
    }

    function test_Permit() external {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 digest = keccak256(
            abi.encodePacked(
                hex"1901", token.DOMAIN_SEPARATOR(), keccak256(abi.encode(typeHash, holder, to, 7, 0, block.timestamp))
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        token.permit(holder, to, 7, block.timestamp, v, r, s);
        assertEq(token.allowance(holder, to), 7);
    }
}
