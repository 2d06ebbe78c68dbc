// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {RestrictedSaleToken} from "../../../src/RestrictedSaleToken.sol";
import {Sale} from "../../../src/Sale.sol";
import {SaleToken} from "../../../src/SaleToken.sol";
import {TeamWallet} from "../../../src/TeamWallet.sol";
import {ISaleFactory} from "../../../src/interfaces/ISaleFactory.sol";
import {TermsCheck} from "../../../src/libraries/TermsCheck.sol";
import {Allocation, Mode, SaleTerms, TokenKind, TokenTerms} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract AllocationsTest is SaleTest {
    address private team = makeAddr("team");

    function test_EachHasAWalletWithItsTokens() external {
        Allocation[] memory a = _allocations(3);
        (address sale,) = factory.predict(address(this), Mode.FixedPrice, terms(), documents(), a);
        uint256 before = token.balanceOf(address(this));
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(factory));
            emit ISaleFactory.AllocationCreated(sale, factory.predictWallet(sale, CLOSES, i, a[i]), i, a[i]);
        }
        (address created,) = factory.create(Mode.FixedPrice, terms(), documents(), a);
        assertEq(created, sale);
        for (uint256 i = 0; i < 3; ++i) {
            TeamWallet wallet = TeamWallet(payable(factory.predictWallet(sale, CLOSES, i, a[i])));
            assertEq(token.balanceOf(address(wallet)), a[i].amount);
            assertEq(wallet.owner(), a[i].beneficiary);
            assertEq(wallet.sale(), sale);
            assertEq(wallet.start(), CLOSES);
            assertEq(wallet.cliff(), CLOSES + a[i].cliff);
            assertEq(wallet.duration(), a[i].duration);
        }
        assertEq(token.balanceOf(sale), 100_000e18);
        assertEq(before - token.balanceOf(address(this)), 100_000e18 + 6e18);
    }

    function test_TheSameAllocationTwiceHasTwoWallets() external {
        Allocation[] memory a = _allocations(2);
        a[1] = a[0];
        (address sale,) = factory.create(Mode.FixedPrice, terms(), documents(), a);
        address first = factory.predictWallet(sale, CLOSES, 0, a[0]);
        address second = factory.predictWallet(sale, CLOSES, 1, a[1]);
        assertNotEq(first, second);
        assertEq(token.balanceOf(first), 1e18);
        assertEq(token.balanceOf(second), 1e18);
    }

    function test_SixteenAtMost() external {
        factory.create(Mode.FixedPrice, terms(), documents(), _allocations(16));
        assertEq(factory.MAX_ALLOCATIONS(), 16);
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.AllocationCount.selector, 17, 16));
        factory.create(Mode.FixedPrice, terms(), documents(), _allocations(17));
    }

    function test_RevertGiven_AnAllocationThatCannotWork() external {
        Allocation[] memory a = _allocations(2);
        a[1].beneficiary = address(0);
        _invalid(a);
        a = _allocations(2);
        a[1].amount = 0;
        _invalid(a);
        a = _allocations(2);
        (a[1].cliff, a[1].duration) = (1001, 1000);
        _invalid(a);
        a[1].cliff = 1000;
        factory.create(Mode.FixedPrice, terms(), documents(), a);
        a[1].duration = 3653 days + 1;
        _invalid(a);
        a[1].duration = 3653 days;
        factory.create(Mode.FixedPrice, terms(), documents(), a);
        (a[1].cliff, a[1].duration) = (0, 0);
        factory.create(Mode.FixedPrice, terms(), documents(), a);
    }

    function test_RevertGiven_TokensForTheSaleAlone() external {
        token.approve(address(factory), 100_000e18);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(factory), 0, 1e18)
        );
        factory.create(Mode.FixedPrice, terms(), documents(), _allocations(1));
    }

    function test_TheAddressOfTheSaleBindsThem() external view {
        address[6] memory seen;
        for (uint256 i = 0; i < 6; ++i) {
            Allocation[] memory a = i == 5 ? _allocations(1) : _allocations(2);
            if (i == 1) a[1].beneficiary = alice;
            if (i == 2) ++a[1].amount;
            if (i == 3) ++a[1].cliff;
            if (i == 4) ++a[1].duration;
            (seen[i],) = factory.predict(address(this), Mode.FixedPrice, terms(), documents(), a);
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(seen[i], seen[j]);
            }
        }
    }

    function test_TheAddressBindsEveryNewTermAndTheMode() external view {
        address[] memory seen = new address[](13);
        for (uint256 i = 0; i < seen.length; ++i) {
            SaleTerms memory t = proRata();
            if (i == 1) t.compliance = alice;
            if (i == 2) t.signer = alice;
            if (i == 3) t.coolingOff = 1;
            if (i == 4) t.vesting.atOnce = 1;
            if (i == 5) t.vesting.cliff = 1;
            if (i == 6) t.vesting.duration = 1;
            if (i == 7) t.tap.atOnce = 1;
            if (i == 8) t.tap.duration = 1;
            if (i == 9) t.tap.objection = 1;
            if (i == 10) t.phases[0].root = bytes32(uint256(1));
            Mode mode = i == 11 ? Mode.FixedPrice : i == 12 ? Mode.DutchAuction : Mode.ProRata;
            (seen[i],) = factory.predict(address(this), mode, t, documents(), noAllocations());
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(seen[i], seen[j]);
            }
        }
    }

    function test_EachModeHasItsCode() external {
        Mode[3] memory modes = [Mode.FixedPrice, Mode.ProRata, Mode.DutchAuction];
        address[3] memory codes = [factory.FIXED_PRICE_SALE(), factory.PRO_RATA_SALE(), factory.DUTCH_AUCTION_SALE()];
        for (uint256 i = 0; i < 3; ++i) {
            SaleTerms memory t = proRata();
            (address sale, address vault) = factory.predict(address(this), modes[i], t, documents(), noAllocations());
            vm.expectEmit(address(factory));
            emit ISaleFactory.SaleCreated(sale, address(this), address(token), vault, modes[i], t, documents());
            (Sale created,) = create(modes[i], t);
            assertEq(address(created), sale);
            assertEq(created.vault(), vault);
            assertEq(created.factory(), address(factory));
            assertEq(keccak256(abi.encode(created.terms())), keccak256(abi.encode(t)));
            // A clone carries the address of its code after ten bytes.
            bytes memory code = sale.code;
            address target;
            assembly {
                target := shr(96, mload(add(code, 42)))
            }
            assertEq(target, codes[i]);
            vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SaleExists.selector, sale));
            factory.create(modes[i], t, documents(), noAllocations());
        }
    }

    function test_ANewTokenIsSharedOut() external {
        Allocation[] memory a = _allocations(2);
        (address sale,, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), a, _tokenTerms(TokenKind.Plain));
        SaleToken newToken = SaleToken(created);
        assertEq(newToken.balanceOf(sale), 100_000e18);
        assertEq(newToken.balanceOf(factory.predictWallet(sale, CLOSES, 0, a[0])), 1e18);
        assertEq(newToken.balanceOf(factory.predictWallet(sale, CLOSES, 1, a[1])), 2e18);
        assertEq(newToken.balanceOf(owner), 900_000e18 - 3e18);
        assertEq(newToken.balanceOf(address(factory)), 0);
    }

    function test_RevertGiven_ASupplyBelowTheSaleAndThem() external {
        TokenTerms memory t = _tokenTerms(TokenKind.Plain);
        t.supply = 100_003e18 - 1;
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SupplyShort.selector, 100_003e18 - 1, 100_003e18));
        factory.createWithToken(Mode.FixedPrice, _terms(), documents(), _allocations(2), t);
        t.supply = 100_003e18;
        factory.createWithToken(Mode.FixedPrice, _terms(), documents(), _allocations(2), t);
    }

    function test_ARestrictedTokenAdmitsTheSaleAndTheWallets() external {
        Allocation[] memory a = _allocations(1);
        (address sale,, address created) =
            factory.createWithToken(Mode.FixedPrice, _terms(), documents(), a, _tokenTerms(TokenKind.Restricted));
        RestrictedSaleToken restricted = RestrictedSaleToken(created);
        address wallet = factory.predictWallet(sale, CLOSES, 0, a[0]);
        assertEq(restricted.approvedUntil(sale), type(uint256).max);
        assertEq(restricted.approvedUntil(wallet), type(uint256).max);
        assertEq(restricted.approvedUntil(owner), type(uint40).max);
        assertEq(restricted.defaultAdmin(), owner);
        assertEq(restricted.balanceOf(sale), 100_000e18);
        assertEq(restricted.balanceOf(wallet), 1e18);
        assertEq(restricted.balanceOf(owner), 900_000e18 - 1e18);

        vm.warp(OPENS);
        buy(Sale(payable(sale)), alice, 10 ether);
        address[] memory holders = new address[](2);
        uint40[] memory untils = new uint40[](2);
        (holders[0], holders[1], untils[0], untils[1]) = (alice, team, type(uint40).max, type(uint40).max);
        vm.prank(owner);
        restricted.setHolders(holders, untils);
        vm.warp(uint256(CLOSES) + 1000);
        Sale(payable(sale)).close();
        Sale(payable(sale)).claim(alice);
        TeamWallet(payable(wallet)).release(created);
        assertEq(restricted.balanceOf(alice), 10_000e18);
        assertEq(restricted.balanceOf(team), 1e18);
        assertEq(restricted.balanceOf(owner), 990_000e18 - 1e18);
    }

    function test_TheKindIsBoundByTheAddressOfTheToken() external view {
        (,, address plain) = factory.predictWithToken(
            address(this), Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms(TokenKind.Plain)
        );
        (,, address restricted) = factory.predictWithToken(
            address(this), Mode.FixedPrice, _terms(), documents(), noAllocations(), _tokenTerms(TokenKind.Restricted)
        );
        assertNotEq(plain, restricted);
    }

    function _invalid(Allocation[] memory a) private {
        bytes memory reason =
            abi.encodeWithSelector(ISaleFactory.AllocationInvalid.selector, 1, a[1], TermsCheck.MAX_SCHEDULE);
        vm.expectRevert(reason);
        factory.create(Mode.FixedPrice, terms(), documents(), a);
        vm.expectRevert(reason);
        factory.predict(address(this), Mode.FixedPrice, terms(), documents(), a);
    }

    function _allocations(uint256 count) private view returns (Allocation[] memory a) {
        a = new Allocation[](count);
        for (uint256 i = 0; i < count; ++i) {
            a[i] = Allocation({
                beneficiary: team,
                amount: uint120((i + 1) * 1e18),
                cliff: uint64(100 * i),
                duration: 1000 * uint64(i + 1)
            });
        }
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = terms();
        t.token = address(0);
    }

    function _tokenTerms(TokenKind kind) private pure returns (TokenTerms memory) {
        return TokenTerms({kind: kind, name: "Boreal", symbol: "BOR", supply: 1_000_000e18, contractURI: ""});
    }
}
