// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {RefundVault} from "../../../src/RefundVault.sol";
import {ISaleFactory} from "../../../src/interfaces/ISaleFactory.sol";
import {Currency, CurrencyLibrary} from "../../../src/types/Currency.sol";
import {Documents, Mode, Outcome, SaleTerms, State, Unsold} from "../../../src/types/SaleTypes.sol";
import {ForceFeeder} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {FeeToken, PlainToken, PretendingToken} from "../../utils/Tokens.sol";

contract CreateTest is SaleTest {
    address private constant STRANGER = address(0xBEEF);

    function test_RevertWhen_TheModeIsUnknown() external {
        bytes memory data =
            abi.encodeWithSelector(ISaleFactory.create.selector, uint8(3), terms(), documents(), noAllocations());
        (bool ok, bytes memory answer) = address(factory).call(data);
        assertFalse(ok);
        assertEq(answer.length, 0);
    }

    function test_RevertWhen_TheSameSaleExists() external {
        (FixedPriceSale sale,) = createSale(terms());
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SaleExists.selector, address(sale)));
        factory.create(Mode.FixedPrice, terms(), documents(), noAllocations());
    }

    function test_RevertWhen_TheSameSaleWasCancelled() external {
        (FixedPriceSale sale,) = createSale(terms());
        vm.prank(owner);
        sale.cancel();
        vm.expectRevert(abi.encodeWithSelector(ISaleFactory.SaleExists.selector, address(sale)));
        factory.create(Mode.FixedPrice, terms(), documents(), noAllocations());
    }

    function test_RevertWhen_TheTokensAreNotApproved() external {
        token.approve(address(factory), 100_000e18 - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(factory), 100_000e18 - 1, 100_000e18
            )
        );
        factory.create(Mode.FixedPrice, terms(), documents(), noAllocations());
    }

    function test_RevertWhen_TheTokenTakesAFee() external {
        FeeToken fee = new FeeToken();
        fee.mint(address(this), 100_000e18);
        fee.approve(address(factory), type(uint256).max);
        SaleTerms memory t = terms();
        t.token = address(fee);
        vm.expectRevert(
            abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, address(fee), 100_000e18, 99_000e18)
        );
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
    }

    function test_RevertWhen_TheTokenOnlyPretends() external {
        SaleTerms memory t = terms();
        t.token = address(new PretendingToken());
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, t.token, 100_000e18, 0));
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
    }

    function test_ItIsWherePredictSaid() external {
        (address predicted, address predictedVault) =
            factory.predict(address(this), Mode.FixedPrice, terms(), documents(), noAllocations());
        assertEq(predicted.code.length, 0);
        (FixedPriceSale sale, RefundVault vault) = createSale(terms());
        assertEq(address(sale), predicted);
        assertEq(address(vault), predictedVault);
        assertEq(sale.vault(), predictedVault);
        assertEq(vault.sale(), predicted);
        assertState(sale, State.Upcoming);
        assertTotals(sale, 0, 0, Outcome.None);
    }

    function test_ItHoldsTheTokensForSale() external {
        uint256 before = token.balanceOf(address(this));
        (FixedPriceSale sale,) = createSale(terms());
        assertEq(token.balanceOf(address(sale)), 100_000e18);
        assertEq(token.balanceOf(address(this)), before - 100_000e18);
        assertEq(token.balanceOf(address(factory)), 0);
        assertEq(token.allowance(address(sale), owner), 0);
    }

    function test_ItEmitsSaleCreated() external {
        SaleTerms memory t = terms();
        t.unsold = Unsold.Burn;
        Documents memory d = documents();
        d.whitepaperHash = bytes32(uint256(7));
        d.whitepaperURI = "https://example.org/paper.pdf";
        (address sale, address vault) = factory.predict(address(this), Mode.FixedPrice, t, d, noAllocations());
        vm.expectEmit(address(factory));
        emit ISaleFactory.SaleCreated(sale, address(this), address(token), vault, Mode.FixedPrice, t, d);
        factory.create(Mode.FixedPrice, t, d, noAllocations());
    }

    function test_ItWorksAtAnAddressThatHoldsEtherAndTokens() external {
        PlainToken usd = new PlainToken(6);
        SaleTerms memory t = paidIn(address(usd), 6);
        (address predicted, address predictedVault) =
            factory.predict(address(this), Mode.FixedPrice, t, documents(), noAllocations());
        new ForceFeeder{value: 1 ether}(payable(predicted));
        new ForceFeeder{value: 1 ether}(payable(predictedVault));
        usd.mint(predicted, 5);
        token.transfer(predicted, 33);

        (FixedPriceSale sale, RefundVault vault) = createSale(t);
        assertEq(address(sale), predicted);
        assertEq(address(vault), predictedVault);
        assertEq(token.balanceOf(predicted), 100_000e18 + 33);
        assertTotals(sale, 0, 0, Outcome.None);

        usd.mint(alice, 10e6);
        vm.warp(OPENS);
        buyWith(address(usd), sale, alice, 10e6);
        vm.warp(CLOSES);
        sale.close();
        vault.release();
        sale.claim(alice);
        assertEq(usd.balanceOf(beneficiary), 10e6);
        assertEq(token.balanceOf(alice), 10_000e18);
        assertEq(token.balanceOf(owner), 90_000e18);
    }

    function test_ItHasAnotherAddressForAnotherCreator() external {
        (FixedPriceSale sale,) = createSale(terms());
        token.transfer(STRANGER, 100_000e18);
        vm.startPrank(STRANGER);
        token.approve(address(factory), type(uint256).max);
        (address other, address otherVault) = factory.create(Mode.FixedPrice, terms(), documents(), noAllocations());
        vm.stopPrank();
        assertNotEq(other, address(sale));
        assertNotEq(otherVault, sale.vault());
        (address predicted,) = factory.predict(STRANGER, Mode.FixedPrice, terms(), documents(), noAllocations());
        assertEq(other, predicted);
    }

    /// @dev A stranger who creates the same sale first takes nothing from the creator.
    function test_AStrangerCannotTakeTheAddress() external {
        (address predicted,) = factory.predict(address(this), Mode.FixedPrice, terms(), documents(), noAllocations());
        token.transfer(STRANGER, 100_000e18);
        vm.startPrank(STRANGER);
        token.approve(address(factory), type(uint256).max);
        factory.create(Mode.FixedPrice, terms(), documents(), noAllocations());
        vm.stopPrank();
        (FixedPriceSale sale,) = createSale(terms());
        assertEq(address(sale), predicted);
    }

    function test_TheAddressBindsEveryTermAndDocument() external view {
        address[] memory seen = new address[](18);
        for (uint256 i = 0; i < seen.length; ++i) {
            (SaleTerms memory t, Documents memory d) = _changed(i);
            (seen[i],) = factory.predict(address(this), Mode.FixedPrice, t, d, noAllocations());
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(seen[i], seen[j]);
            }
        }
    }

    function test_ItCanOpenInTheSecondOfItsCreation() external {
        SaleTerms memory t = terms();
        vm.warp(OPENS);
        (FixedPriceSale sale,) = createSale(t);
        buy(sale, alice, 1 ether);
        assertPosition(sale, alice, 1 ether, 1000e18);
    }

    function _changed(uint256 i) private view returns (SaleTerms memory t, Documents memory d) {
        (t, d) = (terms(), documents());
        if (i == 1) t.owner = STRANGER;
        if (i == 2) t.beneficiary = STRANGER;
        if (i == 3) t.token = STRANGER;
        if (i == 4) t.currency = Currency.wrap(STRANGER);
        if (i == 5) ++t.opens;
        if (i == 6) ++t.softCap;
        if (i == 7) ++t.minPaid;
        if (i == 8) ++t.maxPaid;
        if (i == 9) ++t.tokensForSale;
        if (i == 10) t.unsold = Unsold.Burn;
        if (i == 11) ++t.phases[0].end;
        if (i == 12) ++t.phases[1].raisedUpTo;
        if (i == 13) ++t.phases[3].price;
        if (i == 14) d.name = "Aurorb";
        if (i == 15) d.saleHash = bytes32(uint256(1));
        if (i == 16) d.whitepaperHash = bytes32(uint256(1));
        if (i == 17) d.whitepaperURI = "x";
    }
}
