// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {SaleToken} from "../../../src/SaleToken.sol";
import {ISaleFactory} from "../../../src/interfaces/ISaleFactory.sol";
import {TermsCheck} from "../../../src/libraries/TermsCheck.sol";
import {Mode, SaleTerms, TokenKind, TokenTerms} from "../../../src/types/SaleTypes.sol";
import {ForceFeeder} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract CreateWithTokenTest is SaleTest {
    function test_RevertWhen_TheTermsNameAToken() external {
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.TokenGiven.selector, address(token)));
        factory.createWithToken(Mode.FixedPrice, terms(), documents(), noAllocations(), _tokenTerms());
    }

    function test_RevertWhen_TheSupplyIsShort() external {
        TokenTerms memory tokenTerms = _tokenTerms();
        tokenTerms.supply = 100_000e18 - 1;
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SupplyShort.selector, 100_000e18 - 1, 100_000e18));
        factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), tokenTerms);
    }

    function test_RevertWhen_TheSameSaleExists() external {
        (address sale,,) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SaleExists.selector, sale));
        factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
    }

    function test_RevertWhen_TheTermsCannotWork() external {
        SaleTerms memory t = _terms();
        t.owner = address(0);
        (,, address predicted) =
            factory.predictWithToken(address(this), Mode.FixedPrice, t, documents(), noAllocations(), _tokenTerms());
        vm.expectRevert(TermsCheck.OwnerZero.selector);
        factory.createWithToken(Mode.FixedPrice, t, documents(), noAllocations(), _tokenTerms());
        assertEq(predicted.code.length, 0);
    }

    function test_ItIsWherePredictWithTokenSaid() external {
        (address sale, address vault, address token_) = factory.predictWithToken(
            address(this), Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms()
        );
        (address sale_, address vault_, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        assertEq(sale_, sale);
        assertEq(vault_, vault);
        assertEq(created, token_);
        assertEq(FixedPriceSale(payable(sale)).vault(), vault);
        SaleTerms memory t = _terms();
        t.token = created;
        assertEq(keccak256(abi.encode(FixedPriceSale(payable(sale)).terms())), keccak256(abi.encode(t)));
    }

    function test_ItSharesOutTheSupply() external {
        (address sale,, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        SaleToken newToken = SaleToken(created);
        assertEq(newToken.totalSupply(), 1_000_000e18);
        assertEq(newToken.balanceOf(sale), 100_000e18);
        assertEq(newToken.balanceOf(owner), 900_000e18);
        assertEq(newToken.name(), "Boreal");
        assertEq(newToken.symbol(), "BOR");
        assertEq(newToken.contractURI(), "https://example.org/token.json");
    }

    function test_WhenAllOfItIsForSale() external {
        TokenTerms memory tokenTerms = _tokenTerms();
        tokenTerms.supply = 100_000e18;
        vm.recordLogs();
        (address sale,, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), tokenTerms);
        // Mint, TokenCreated, SaleCreated, and one transfer.
        assertEq(vm.getRecordedLogs().length, 4);
        assertEq(SaleToken(created).balanceOf(sale), 100_000e18);
        assertEq(SaleToken(created).balanceOf(owner), 0);
    }

    function test_ItEmitsTokenCreatedAndSaleCreated() external {
        SaleTerms memory t = _terms();
        (address sale, address vault, address created) =
            factory.predictWithToken(address(this), Mode.FixedPrice, t, documents(), noAllocations(), _tokenTerms());
        t.token = created;
        vm.expectEmit(address(factory));
        emit ISaleFactory.TokenCreated(created, address(this), _tokenTerms());
        vm.expectEmit(address(factory));
        emit ISaleFactory.SaleCreated(sale, address(this), created, vault, Mode.FixedPrice, t, documents());
        factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
    }

    function test_ItWorksAtAddressesThatHoldEther() external {
        (address sale, address vault, address predicted) = factory.predictWithToken(
            address(this), Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms()
        );
        new ForceFeeder{value: 1}(payable(sale));
        new ForceFeeder{value: 1}(payable(vault));
        new ForceFeeder{value: 1}(payable(predicted));
        (address created,,) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        assertEq(created, sale);
        vm.warp(OPENS);
        buy(FixedPriceSale(payable(sale)), alice, 1 ether);
        assertPosition(FixedPriceSale(payable(sale)), alice, 1 ether, 1000e18);
    }

    function test_ItHasOtherAddressesForAnotherCreatorOrAnotherToken() external {
        (address sale,, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        vm.prank(alice);
        (address sale2,, address created2) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms());
        TokenTerms memory tokenTerms = _tokenTerms();
        tokenTerms.symbol = "BOREAL";
        (address sale3,, address created3) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), noAllocations(), tokenTerms);
        assertTrue(sale != sale2 && sale != sale3 && sale2 != sale3);
        assertTrue(created != created2 && created != created3 && created2 != created3);
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = terms();
        t.token = address(0);
    }

    function _tokenTerms() private pure returns (TokenTerms memory) {
        return TokenTerms({
            kind: TokenKind.Plain,
            name: "Boreal",
            symbol: "BOR",
            supply: 1_000_000e18,
            contractURI: "https://example.org/token.json"
        });
    }
}
