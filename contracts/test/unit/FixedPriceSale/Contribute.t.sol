// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {CurrencyLibrary} from "../../../src/types/Currency.sol";
import {Outcome, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {Wallet} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract ContributeTest is SaleTest {
    FixedPriceSale private sale;

    /// @dev Alice and bob part the third phase, and each part rounds down.
    uint256 private constant ALL = 47_500e18 - 1;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        vm.prank(alice);
        code.contribute{value: 1 ether}(alice, 1 ether, "");
    }

    function test_RevertWhen_TheValueIsBelowTheAmount() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.WrongValue.selector, 1 ether, 1 ether - 1));
        vm.prank(alice);
        sale.contribute{value: 1 ether - 1}(alice, 1 ether, "");
    }

    function test_RevertWhen_TheValueIsAboveTheAmount() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.WrongValue.selector, 1 ether, 1 ether + 1));
        vm.prank(alice);
        sale.contribute{value: 1 ether + 1}(alice, 1 ether, "");
    }

    function test_ItDoesNotLookAtAProofOfEligibility() external {
        vm.prank(alice);
        (, uint256 tokens) = sale.contribute{value: 1 ether}(alice, 1 ether, hex"00");
        assertEq(tokens, 1000e18);
    }

    function test_RevertWhen_TheSecondIsBeforeOpens() external {
        vm.warp(OPENS - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None));
        buy(sale, alice, 1 ether);
    }

    function test_WhenTheSecondIsOpens() external {
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 1 ether);
        assertEq(accepted, 1 ether);
        assertEq(tokens, 1000e18);
    }

    function test_WhenTheSecondIsTheLast() external {
        vm.warp(CLOSES - 1);
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 1 ether);
        assertEq(accepted, 1 ether);
        assertEq(tokens, 250e18);
    }

    function test_RevertWhen_TheSecondIsCloses() external {
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None));
        buy(sale, alice, 1 ether);
    }

    function test_RevertWhen_TheSaleSucceededEarly() external {
        _sellOut();
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.Succeeded));
        buy(sale, carol, 1 ether);
    }

    function test_RevertWhen_TheSaleWasCancelled() external {
        vm.prank(owner);
        sale.cancel();
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.Cancelled));
        buy(sale, alice, 1 ether);
    }

    function test_RevertWhen_TheSaleFailed() external {
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.Failed));
        buy(sale, alice, 1 ether);
    }

    function test_RevertWhen_TheInvestorIsTheZeroAddress() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidInvestor.selector, address(0)));
        vm.prank(alice);
        sale.contribute{value: 1 ether}(address(0), 1 ether, "");
    }

    function test_RevertWhen_TheInvestorIsTheSale() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidInvestor.selector, address(sale)));
        vm.prank(alice);
        sale.contribute{value: 1 ether}(address(sale), 1 ether, "");
    }

    function test_RevertWhen_EverythingIsSold() external {
        _sellOut();
        vm.expectRevert(abi.encodeWithSelector(ISale.SoldOut.selector, 100 ether));
        buy(sale, carol, 1 ether);
    }

    function test_RevertWhen_TheAmountIsZero() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 0));
        buy(sale, alice, 0);
    }

    function test_RevertWhen_TheAmountIsZeroAndThePositionIsNot() external {
        buy(sale, alice, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 0));
        buy(sale, alice, 0);
    }

    function test_RevertWhen_TheAmountBuysNoBaseUnit() external {
        SaleTerms memory t = onePhase(1000e18);
        t.minPaid = 0;
        (sale,) = createSale(t);
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 999));
        buy(sale, alice, 999);

        (, uint256 tokens) = buy(sale, alice, 1000);
        assertEq(tokens, 1);
    }

    function test_RevertWhen_OneContributionIsAboveTheMaximum() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 50 ether + 1));
        buy(sale, alice, 50 ether + 1);
    }

    function test_WhenOneContributionIsTheMaximum() external {
        (uint256 accepted,) = buy(sale, alice, 50 ether);
        assertEq(accepted, 50 ether);
    }

    function test_RevertWhen_AllContributionsAreAboveTheMaximum() external {
        buy(sale, alice, 30 ether);
        buy(sale, alice, 20 ether - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 50 ether + 1));
        buy(sale, alice, 2);

        buy(sale, alice, 1);
        assertPosition(sale, alice, 50 ether, 20_000e18 + 10_000e18 + 3_333_333_333_333_333_333_333);
    }

    function test_RevertWhen_AnotherPaysAboveTheMaximumOfTheInvestor() external {
        buy(sale, alice, 50 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 50.5 ether));
        vm.prank(bob);
        sale.contribute{value: 0.5 ether}(alice, 0.5 ether, "");
    }

    function test_WhenOnePayerPaysTheMaximumOfTwoInvestors() external {
        vm.startPrank(carol);
        sale.contribute{value: 50 ether}(alice, 50 ether, "");
        sale.contribute{value: 50 ether}(bob, 50 ether, "");
        vm.stopPrank();
        (uint256 paid,) = sale.positionOf(bob);
        assertEq(paid, 50 ether);
        assertPosition(sale, carol, 0, 0);
    }

    function test_WhenTheHardCapCutsWhatWouldBeAboveTheMaximum() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 20 ether);
        (uint256 accepted,) = buy(sale, carol, 60 ether);
        assertEq(accepted, 30 ether);
    }

    function test_RevertWhen_TheFirstContributionIsBelowTheMinimum() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.BelowMinimum.selector, 0.01 ether, 0.01 ether - 1));
        buy(sale, alice, 0.01 ether - 1);
    }

    function test_WhenAllContributionsReachTheMinimum() external {
        buy(sale, alice, 0.01 ether);
        buy(sale, alice, 1);
        assertPosition(sale, alice, 0.01 ether + 1, 10e18 + 1000);
    }

    function test_RevertGiven_ARemainderBelowTheMinimumIsNotFilled() external {
        _leave(0.005 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.BelowMinimum.selector, 0.01 ether, 0.005 ether - 1));
        buy(sale, carol, 0.005 ether - 1);
    }

    function test_GivenARemainderBelowTheMinimumIsFilled() external {
        _leave(0.005 ether);
        buy(sale, carol, 0.005 ether);
        assertPosition(sale, carol, 0.005 ether, 1.25e18);
    }

    function test_GivenARemainderBelowTheMinimumIsFilledInPart() external {
        _leave(0.005 ether);
        (uint256 accepted,) = buy(sale, carol, 1 ether);
        assertEq(accepted, 0.005 ether);
        assertEq(carol.balance, 1000 ether - 0.005 ether);
    }

    function test_ItBooksAndEmits() external {
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, bob, 0, 2 ether, 2000e18, 2 ether, 2 ether, 2000e18);
        vm.prank(bob);
        sale.contribute{value: 2 ether}(alice, 2 ether, "");

        vm.warp(OPENS + 1 days);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 1, 1 ether, 500e18, 3 ether, 3 ether, 2500e18);
        buy(sale, alice, 1 ether);

        assertPosition(sale, alice, 3 ether, 2500e18);
        assertPosition(sale, bob, 0, 0);
        assertTotals(sale, 3 ether, 2500e18, Outcome.None);
        assertEq(address(sale).balance, 3 ether);
        assertEq(bob.balance, 998 ether);
        assertEq(alice.balance, 999 ether);
    }

    function test_ItUsesThePriceOfThePhaseToTheSecond() external {
        uint256[8] memory times = [
            uint256(OPENS),
            OPENS + 1 days - 1,
            OPENS + 1 days,
            OPENS + 2 days - 1,
            OPENS + 2 days,
            OPENS + 3 days - 1,
            OPENS + 3 days,
            CLOSES - 1
        ];
        uint256[8] memory tokens = [
            uint256(1000e18),
            1000e18,
            500e18,
            500e18,
            333_333_333_333_333_333_333,
            333_333_333_333_333_333_333,
            250e18,
            250e18
        ];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            (, uint256 bought) = buy(sale, alice, 1 ether);
            assertEq(bought, tokens[i]);
        }
    }

    function test_ItSplitsAtTheCapOfAPhase() external {
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 20 ether, 20_000e18, 20 ether, 20 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 1, 10 ether, 5000e18, 30 ether, 30 ether, 25_000e18);
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 30 ether);
        assertEq(accepted, 30 ether);
        assertEq(tokens, 25_000e18);
        assertPosition(sale, alice, 30 ether, 25_000e18);
    }

    function test_ItTakesTheNextPhaseFromItsCapOn() external {
        buy(sale, alice, 20 ether);
        (, uint256 tokens) = buy(sale, bob, 1 ether);
        assertEq(tokens, 500e18);
    }

    function test_ItTakesThePhaseUpToItsLastWei() external {
        buy(sale, alice, 20 ether - 1);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, bob, 0, 1, 1000, 1, 20 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, bob, 1, 1 ether, 500e18, 1 ether + 1, 21 ether, 20_500e18);
        (, uint256 tokens) = buy(sale, bob, 1 ether + 1);
        assertEq(tokens, 500e18 + 1000);
    }

    function test_ItCrossesAllPhasesInOneContribution() external {
        SaleTerms memory t = terms();
        t.maxPaid = t.hardCap;
        (sale,) = createSale(t);
        (uint256 accepted, uint256 tokens) = buy(sale, alice, 120 ether);
        assertEq(accepted, 100 ether);
        assertEq(tokens, 47_500e18);
        assertTotals(sale, 100 ether, 47_500e18, Outcome.None);
        assertEq(alice.balance, 900 ether);
    }

    function test_ItLeavesTheRoomOfATimedOutPhaseToTheLaterOnes() external {
        buy(sale, alice, 5 ether);
        vm.warp(OPENS + 1 days);
        (, uint256 tokens) = buy(sale, bob, 36 ether);
        // 35 ether up to the second cap, and 1 ether of the third phase.
        assertEq(tokens, 17_500e18 + 333_333_333_333_333_333_333);
    }

    function test_ItSkipsPhasesWithoutRoom() external {
        SaleTerms memory t = terms();
        (t.phases[0].raisedUpTo, t.phases[1].raisedUpTo, t.phases[2].raisedUpTo) = (0, 40 ether, 40 ether);
        (sale,) = createSale(t);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 1, 40 ether, 20_000e18, 40 ether, 40 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 3, 1 ether, 250e18, 41 ether, 41 ether, 20_250e18);
        buy(sale, alice, 41 ether);
    }

    function test_ItRoundsEachPartDown() external {
        SaleTerms memory t = terms();
        t.minPaid = 0;
        t.phases[0].price = 3e18;
        t.phases[1].price = 7e18;
        (sale,) = createSale(t);
        buy(sale, alice, 20 ether - 5);
        // 5 wei at 3, then 8 at 7.
        (, uint256 tokens) = buy(sale, bob, 13);
        assertEq(tokens, 2);
        assertTotals(sale, 20 ether + 8, uint256(20 ether - 5) / 3 + 2, Outcome.None);
    }

    function test_ItPassesDustOfAPhaseThatBuysNothing() external {
        SaleTerms memory t = terms();
        t.minPaid = 0;
        t.phases[0].price = 3e18;
        (sale,) = createSale(t);
        buy(sale, alice, 20 ether - 2);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, bob, 0, 2, 0, 2, 20 ether, uint256(20 ether - 2) / 3);
        (, uint256 tokens) = buy(sale, bob, 3);
        assertEq(tokens, 500);
    }

    function test_ItGivesTheRestBackToThePayer() external {
        _leave(1 ether);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(bob, carol, 3, 1 ether, 250e18, 50 ether, 100 ether, ALL);
        vm.expectEmit(address(sale));
        emit ISale.ExcessReturned(carol, 2 ether);
        vm.prank(carol);
        (uint256 accepted, uint256 tokens) = sale.contribute{value: 3 ether}(bob, 3 ether, "");
        assertEq(accepted, 1 ether);
        assertEq(tokens, 250e18);
        assertEq(carol.balance, 999 ether);
        assertEq(address(sale).balance, 100 ether);
    }

    function test_ItReturnsNothingAtTheExactHardCap() external {
        _leave(1 ether);
        vm.recordLogs();
        buy(sale, carol, 1 ether);
        assertEq(vm.getRecordedLogs().length, 1);
        assertTotals(sale, 100 ether, ALL, Outcome.None);
    }

    function test_RevertGiven_ThePayerRefusesTheRest() external {
        _leave(1 ether);
        Wallet wallet = new Wallet();
        vm.deal(address(wallet), 10 ether);
        wallet.setRefuses(true);
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.EtherTransferFailed.selector, address(wallet), 2 ether));
        wallet.execute(address(sale), 3 ether, abi.encodeCall(ISale.contribute, (bob, 3 ether, "")));

        wallet.execute(address(sale), 1 ether, abi.encodeCall(ISale.contribute, (bob, 1 ether, "")));
        assertTotals(sale, 100 ether, ALL, Outcome.None);
    }

    function _sellOut() private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether);
    }

    /// @dev Alice and bob buy all but `rest`; bob's is the shorter part.
    function _leave(uint256 rest) private {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether - rest);
    }
}
