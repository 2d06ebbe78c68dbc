// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Test} from "forge-std/Test.sol";

import {RestrictedSaleToken} from "../../../src/RestrictedSaleToken.sol";
import {SaleToken} from "../../../src/SaleToken.sol";
import {TokenFactory} from "../../../src/TokenFactory.sol";
import {TokenKind, TokenTerms} from "../../../src/types/SaleTypes.sol";

contract TokenFactoryTest is Test {
    TokenFactory private factory;
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");
    address private admin = makeAddr("admin");

    function setUp() external {
        factory = new TokenFactory();
    }

    function test_APlainTokenIsTheCallers() external {
        address predicted = factory.predict(alice, _terms(TokenKind.Plain), admin, bytes32(uint256(1)));
        assertEq(_create(alice, TokenKind.Plain, 1), predicted);
        SaleToken token = SaleToken(predicted);
        assertEq(token.balanceOf(alice), 1000e18);
        assertEq(token.totalSupply(), 1000e18);
        assertEq(token.name(), "Boreal");
        assertEq(token.symbol(), "BOR");
        assertEq(token.contractURI(), "ipfs://boreal");
    }

    function test_ARestrictedTokenIsTheCallersAndTheAdmins() external {
        address predicted = factory.predict(alice, _terms(TokenKind.Restricted), admin, bytes32(uint256(1)));
        assertEq(_create(alice, TokenKind.Restricted, 1), predicted);
        RestrictedSaleToken token = RestrictedSaleToken(predicted);
        assertEq(token.balanceOf(alice), 1000e18);
        assertEq(token.defaultAdmin(), admin);
        vm.prank(alice);
        token.admit(bob);
    }

    function test_AnotherCallerCannotTakeTheAddress() external {
        address predicted = factory.predict(alice, _terms(TokenKind.Plain), admin, bytes32(uint256(1)));
        assertNotEq(_create(bob, TokenKind.Plain, 1), predicted);
        assertEq(predicted.code.length, 0);
        assertEq(_create(alice, TokenKind.Plain, 1), predicted);
    }

    function test_RevertWhen_TheSameTokenExists() external {
        _create(alice, TokenKind.Plain, 1);
        vm.expectRevert(Errors.FailedDeployment.selector);
        _create(alice, TokenKind.Plain, 1);
        _create(alice, TokenKind.Plain, 2);
    }

    function test_TheAddressBindsEverything() external view {
        address[8] memory seen;
        for (uint256 i = 0; i < 8; ++i) {
            TokenTerms memory t = _terms(TokenKind.Restricted);
            if (i == 1) t.name = "Boreas";
            if (i == 2) t.symbol = "BOS";
            if (i == 3) ++t.supply;
            if (i == 4) t.contractURI = "";
            if (i == 5) t.kind = TokenKind.Plain;
            seen[i] = factory.predict(i == 6 ? bob : alice, t, i == 7 ? bob : admin, bytes32(uint256(1)));
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(seen[i], seen[j]);
            }
        }
    }

    function _create(address by, TokenKind kind, uint256 salt) private returns (address) {
        vm.prank(by);
        return factory.create(_terms(kind), admin, bytes32(salt));
    }

    function _terms(TokenKind kind) private pure returns (TokenTerms memory) {
        return TokenTerms({kind: kind, name: "Boreal", symbol: "BOR", supply: 1000e18, contractURI: "ipfs://boreal"});
    }
}
