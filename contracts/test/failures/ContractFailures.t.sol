// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Currency, CurrencyLibrary} from "../../src/types/Currency.sol";
import {Mode, Outcome, SaleTerms, State} from "../../src/types/SaleTypes.sol";
import {Costly, ForceFeeder, Wallet} from "../utils/Actors.sol";
import {SaleTest} from "../utils/SaleTest.sol";
import {BlockingToken, FeeToken, PlainToken, StubbornToken} from "../utils/Tokens.sol";

/// @notice How sale contracts have lost or locked money elsewhere, one test for each. Every one fails against the design that
/// failed.
contract ContractFailuresTest is SaleTest {
    FixedPriceSale private sale;
    RefundVault private vault;

    function setUp() public override {
        super.setUp();
        (sale, vault) = createSale(terms());
        vm.warp(OPENS);
    }

    /// @notice Push refunds that one refusing bidder stopped for all.
    function test_PushRefunds_OneRefusingInvestorStopsNobody() external {
        Wallet[5] memory refusing;
        for (uint256 i = 0; i < 5; ++i) {
            refusing[i] = new Wallet();
            refusing[i].setRefuses(true);
            vm.prank(bob);
            sale.contribute{value: 1 ether}(address(refusing[i]), 1 ether, "");
        }
        buy(sale, alice, 2 ether);
        vm.warp(CLOSES);
        sale.close();
        assertState(sale, State.Failed);
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
    }

    /// @notice Proceeds that waited until a counter of bidders equalled a counter of units: one contribution for many units, or
    /// many contributions of one investor, change nothing about who can be paid.
    function test_MixedCounters_ProceedsDependOnMoneyAlone() external {
        for (uint256 i = 0; i < 20; ++i) {
            buy(sale, alice, 0.5 ether);
        }
        vm.warp(CLOSES);
        sale.close();
        vault.release();
        assertEq(beneficiary.balance, 10 ether);
    }

    /// @notice `msg.value` counted again for each call of a batch.
    function test_BatchedValue_ThereIsNoMulticall() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(ISale.contribute, (alice, 1 ether, ""));
        calls[1] = calls[0];
        string[4] memory names =
            ["multicall(bytes[])", "batch(bytes[],bool)", "multicall(uint256,bytes[])", "execute(bytes[])"];
        for (uint256 i = 0; i < names.length; ++i) {
            vm.prank(alice);
            (bool ok,) = address(sale).call{value: 1 ether}(abi.encodeWithSignature(names[i], calls));
            assertFalse(ok);
        }
        assertPosition(sale, alice, 0, 0);
    }

    /// @notice An approval that outlived the campaign it was made for.
    function test_LeftoverApproval_NothingIsEverApproved() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 100e6);
        vm.warp(OPENS - 1);
        vm.recordLogs();
        (sale, vault) = createSale(paidIn(address(usd), 6));
        vm.warp(OPENS);
        buyWith(address(usd), sale, alice, 10e6);
        vm.warp(CLOSES);
        sale.close();
        sale.claim(alice);
        vault.release();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 approvals;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IERC20.Approval.selector) continue;
            ++approvals;
            assertEq(logs[i].topics[1], bytes32(uint256(uint160(alice))), "only the investor approves");
        }
        assertEq(approvals, 1);
        assertEq(usd.allowance(alice, address(sale)), 0);
    }

    /// @notice A refund computed back from the tokens, by an inverse rate that rounds the other way.
    function test_InverseRate_TheRefundIsWhatWasPaidNotWhatTheTokensCost() external {
        SaleTerms memory t = terms();
        t.minPaid = 0;
        t.phases[0].price = 7e18;
        (sale,) = createSale(t);
        buy(sale, alice, 13);
        buy(sale, alice, 8);
        vm.warp(OPENS + 1 days);
        buy(sale, alice, 5);
        vm.warp(CLOSES);
        sale.close();
        assertEq(sale.refundFor(alice), 26);
        assertEq(alice.balance, 1000 ether);
    }

    /// @notice A reverting receiver of fees or proceeds that kept everybody's sale from ending.
    function test_RevertingReceiver_ClosingSendsNoMoney() external {
        SaleTerms memory t = terms();
        Wallet refusing = new Wallet();
        refusing.setRefuses(true);
        (t.owner, t.beneficiary) = (address(refusing), address(refusing));
        (sale, vault) = createSale(t);
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        sale.claim(alice);
        assertEq(token.balanceOf(alice), 10_000e18);
    }

    /// @notice Ether sent with 2,300 gas, which a smart wallet cannot take.
    function test_TwoThousandThreeHundredGas_SmartWalletsArePaid() external {
        Costly investor = new Costly();
        vm.deal(address(investor), 1 ether);
        bytes memory data = abi.encodeCall(ISale.contribute, (address(investor), 1 ether, ""));
        investor.execute(address(sale), 1 ether, data);
        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(address(investor));
        assertEq(address(investor).balance, 1 ether);
        assertEq(investor.calls(), 1);
    }

    /// @notice Accounting by balance: forced ether that reaches a goal, fills a cap, or is paid out.
    function test_ForcedEther_ReachesNoGoalAndFillsNoCap() external {
        buy(sale, alice, 1 ether);
        new ForceFeeder{value: 200 ether}(payable(address(sale)));
        new ForceFeeder{value: 200 ether}(payable(address(vault)));
        buy(sale, bob, 1 ether);
        vm.warp(CLOSES);
        sale.close();
        assertTotals(sale, 2 ether, 2000e18, Outcome.Failed);
        assertEq(sale.refundFor(alice), 1 ether);
        assertEq(sale.refundFor(bob), 1 ether);
        assertEq(address(sale).balance, 200 ether);
    }

    /// @notice The zero address, refunded again and again.
    function test_ZeroAddress_OwnsNothingAndGetsNothing() external {
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidInvestor.selector, address(0)));
        vm.prank(alice);
        sale.contribute{value: 1 ether}(address(0), 1 ether, "");
        buy(sale, alice, 1 ether);
        vm.warp(CLOSES);
        sale.close();
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, address(0)));
            sale.refundFor(address(0));
        }
        assertEq(address(sale).balance, 1 ether);
    }

    /// @notice A limit for each transaction, passed by splitting.
    function test_LimitByTransaction_TheMaximumIsCumulative() external {
        buy(sale, alice, 30 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 60 ether));
        buy(sale, alice, 30 ether);
    }

    /// @notice A remainder below the minimum that nobody could buy, so that the sale could not end.
    function test_RemainderBelowTheMinimum_CanBeBought() external {
        buy(sale, alice, 50 ether);
        buy(sale, bob, 50 ether - 1000);
        buy(sale, carol, 1000);
        sale.close();
        assertState(sale, State.Succeeded);
        assertPosition(sale, carol, 1000, 250_000);
    }

    /// @notice A check of the payer where the position's owner was meant.
    function test_PayerChecked_TheLimitIsTheInvestors() external {
        buy(sale, alice, 50 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 50 ether, 51 ether));
        vm.prank(bob);
        sale.contribute{value: 1 ether}(alice, 1 ether, "");
        // And paying for others uses up nothing of one's own.
        vm.prank(alice);
        sale.contribute{value: 20 ether}(bob, 20 ether, "");
        assertPosition(sale, alice, 50 ether, 33_333_333_333_333_333_333_333);
    }

    /// @notice One blocked holder of a stablecoin who kept all from being settled.
    function test_BlockedHolder_StopsNobody() external {
        BlockingToken usdc = new BlockingToken();
        usdc.mint(alice, 1e6);
        usdc.mint(bob, 1e6);
        vm.warp(OPENS - 1);
        (sale,) = createSale(paidIn(address(usdc), 6));
        vm.warp(OPENS);
        buyWith(address(usdc), sale, alice, 1e6);
        buyWith(address(usdc), sale, bob, 1e6);
        usdc.setBlocked(alice, true);
        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(bob);
        vm.prank(alice);
        sale.refundTo(carol);
        assertEq(usdc.balanceOf(bob), 1e6);
        assertEq(usdc.balanceOf(carol), 1e6);
    }

    /// @notice A creator who cancels once the result is known.
    function test_LateCancel_NotAfterTheEndNorAtTheGoal() external {
        buy(sale, alice, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.SoftCapReached.selector, 10 ether, 10 ether));
        vm.prank(owner);
        sale.cancel();
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.CancelTooLate.selector, CLOSES));
        vm.prank(owner);
        sale.cancel();
    }

    /// @notice A second that belonged to both the sale and its end.
    function test_TheLastSecond_IsNeverBoth() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES - 1);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotEnded.selector, CLOSES));
        sale.close();
        buy(sale, bob, 1 ether);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.SaleNotOpen.selector, OPENS, CLOSES, Outcome.None));
        buy(sale, bob, 1 ether);
        sale.close();
    }

    /// @notice Money put in and taken out again in the last second, to move a result.
    function test_BidAndUnbid_NothingLeavesBeforeTheOutcome() external {
        vm.warp(CLOSES - 1);
        buy(sale, alice, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Open));
        sale.refundFor(alice);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Ended));
        sale.refundFor(alice);
        sale.close();
        assertState(sale, State.Succeeded);
    }

    /// @notice Few decimals of the payment, rounded to nothing before they were multiplied.
    function test_FewDecimals_ABaseUnitBuysItsDueOrIsRefused() external {
        PlainToken coin = new PlainToken(0);
        coin.mint(alice, 100);
        SaleTerms memory t = onePhase(3);
        t.currency = Currency.wrap(address(coin));
        (t.softCap, t.hardCap, t.minPaid, t.maxPaid) = (1, 100, 0, 100);
        t.phases[0].raisedUpTo = t.hardCap;
        t.tokensForSale = 34e18;
        vm.warp(OPENS - 1);
        (sale,) = createSale(t);
        vm.warp(OPENS);
        buyWith(address(coin), sale, alice, 1);
        assertPosition(sale, alice, 1, uint256(1e18) / 3);
    }

    /// @notice What buys nothing is not taken.
    function test_ZeroTokens_AreNotSold() external {
        SaleTerms memory t = onePhase(1000e18);
        t.minPaid = 0;
        (sale,) = createSale(t);
        vm.expectRevert(abi.encodeWithSelector(ISale.ZeroTokens.selector, 999));
        buy(sale, alice, 999);
    }

    /// @notice Amounts cut to fewer bits: 2^128 + 1 taken for 1.
    function test_Truncation_HugeAmountsAreNotCut() external {
        PlainToken coin = new PlainToken(18);
        coin.mint(alice, type(uint256).max);
        SaleTerms memory t = onePhase(2e18);
        t.currency = Currency.wrap(address(coin));
        t.hardCap = type(uint120).max;
        (t.maxPaid, t.phases[0].raisedUpTo) = (t.hardCap, t.hardCap);
        t.tokensForSale = t.hardCap / 2 + 1;
        StubbornToken sold = new StubbornToken();
        sold.mint(address(this), t.tokensForSale);
        sold.approve(address(factory), type(uint256).max);
        t.token = address(sold);
        vm.warp(OPENS - 1);
        (sale, vault) = createSale(t);
        vm.warp(OPENS);
        (uint256 accepted, uint256 tokens) = buyWith(address(coin), sale, alice, uint256(type(uint128).max) + 2);
        assertEq(accepted, type(uint120).max);
        assertEq(tokens, uint256(type(uint120).max) / 2);
        assertPosition(sale, alice, type(uint120).max, type(uint120).max / 2);
        sale.close();
        vault.release();
        assertEq(coin.balanceOf(beneficiary), type(uint120).max);
    }

    /// @notice A verdict read twice, with which both the investors and the team were paid.
    function test_StaleVerdict_OnlyOneSideIsPaid() external {
        buy(sale, alice, 10 ether);
        uint256 open = vm.snapshotState();
        vm.warp(CLOSES);
        sale.close();
        vault.release();
        vm.expectRevert(abi.encodeWithSelector(ISale.NotRefundable.selector, State.Succeeded));
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.AlreadyClosed.selector, Outcome.Succeeded));
        sale.close();
        vm.revertToState(open);

        vm.warp(OPENS - 1);
        SaleTerms memory t = terms();
        t.softCap = 11 ether;
        (sale, vault) = createSale(t);
        vm.warp(OPENS);
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotSucceeded.selector, State.Failed));
        vault.release();
        vm.expectRevert(abi.encodeWithSelector(ISale.NotClaimable.selector, State.Failed));
        sale.claim(alice);
    }

    /// @notice A sweep with which a caller made the contract call whatever it liked.
    function test_ArbitraryCallAtSweep_ItPaysTheVaultAlone() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.OnlyVault.selector, address(vault), alice));
        vm.prank(alice);
        sale.sweep();
        vm.expectCall(address(vault), 10 ether, "");
        vault.release();
    }

    /// @notice Tokens that were sold and never came.
    function test_TokensNeverArrive_TheyAreThereBeforeTheOpening() external {
        assertEq(token.balanceOf(address(sale)), 100_000e18);
        token.transfer(carol, token.balanceOf(address(this)));
        vm.warp(OPENS - 1);
        SaleTerms memory t = onePhase(0.001 ether);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(this), 0, 100_000e18)
        );
        factory.create(Mode.FixedPrice, t, documents(), noAllocations());
    }

    /// @notice The same money taken out twice, by either of two doors.
    function test_WithdrawTwice_EitherDoorClosesBoth() external {
        buy(sale, alice, 1 ether);
        buy(sale, bob, 1 ether);
        vm.warp(CLOSES);
        sale.close();
        sale.refundFor(alice);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        sale.refundTo(alice);
        vm.stopPrank();
        vm.prank(bob);
        sale.refundTo(carol);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, bob));
        sale.refundFor(bob);
    }

    /// @notice Tokens that could be sold on while their money could still be had back.
    function test_RefundableAndTransferable_TokensLeaveOnlyAfterSuccess() external {
        buy(sale, alice, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotClaimable.selector, State.Open));
        sale.claim(alice);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotClaimable.selector, State.Ended));
        sale.claim(alice);
        assertEq(token.balanceOf(address(sale)), 100_000e18);
    }

    /// @notice An owner who could halt refunds: here nobody has to act, and nothing the team controls is in the way.
    function test_OwnerHaltsRefunds_NothingOfTheTeamIsInTheWay() external {
        StubbornToken sold = new StubbornToken();
        sold.mint(address(this), 100_000e18);
        sold.approve(address(factory), type(uint256).max);
        Wallet refusing = new Wallet();
        refusing.setRefuses(true);
        SaleTerms memory t = terms();
        (t.token, t.owner, t.beneficiary) = (address(sold), address(refusing), address(refusing));
        vm.warp(OPENS - 1);
        (sale,) = createSale(t);
        vm.warp(OPENS);
        buy(sale, alice, 1 ether);
        sold.setMood(StubbornToken.Mood.BurnsAllGas);
        vm.warp(CLOSES);
        vm.startPrank(bob);
        sale.close();
        sale.refundFor(alice);
        vm.stopPrank();
        assertEq(alice.balance, 1000 ether);
    }

    /// @notice Contracts kept out by `tx.origin`: a smart wallet buys and claims like anyone.
    function test_TxOrigin_SmartWalletsAreWelcome() external {
        Wallet safe = new Wallet();
        vm.deal(address(safe), 10 ether);
        safe.execute(address(sale), 10 ether, abi.encodeCall(ISale.contribute, (address(safe), 10 ether, "")));
        vm.warp(CLOSES);
        sale.close();
        safe.execute(address(sale), 0, abi.encodeCall(ISale.claimTo, (alice)));
        assertEq(token.balanceOf(alice), 10_000e18);
    }

    /// @notice What was left over at the cap, sent to whom the position belonged instead of who had paid.
    function test_ExcessToAnother_ItGoesBackToThePayer() external {
        buy(sale, alice, 50 ether);
        vm.prank(bob);
        sale.contribute{value: 60 ether}(carol, 60 ether, "");
        assertEq(bob.balance, 950 ether);
        assertEq(carol.balance, 1000 ether);
        assertEq(beneficiary.balance, 0);
    }

    /// @notice A token that takes a fee, booked at what was asked for.
    function test_FeeOnTransfer_WhatArrivedIsMeasured() external {
        FeeToken fee = new FeeToken();
        fee.mint(alice, 1 ether);
        vm.warp(OPENS - 1);
        (sale,) = createSale(paidIn(address(fee), 18));
        vm.warp(OPENS);
        vm.startPrank(alice);
        fee.approve(address(sale), 1 ether);
        vm.expectRevert(
            abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, address(fee), 1 ether, 0.99 ether)
        );
        sale.contribute(alice, 1 ether, "");
        vm.stopPrank();
    }

    /// @notice Money put at the predicted address, to break the deployment.
    function test_PrefundedAddress_TheSaleIsCreatedAllTheSame() external {
        vm.warp(OPENS - 1);
        SaleTerms memory t = onePhase(0.001 ether);
        (address predicted, address predictedVault) =
            factory.predict(address(this), Mode.FixedPrice, t, documents(), noAllocations());
        vm.startPrank(alice);
        payable(predicted).transfer(1 ether);
        payable(predictedVault).transfer(1 ether);
        vm.stopPrank();
        (sale, vault) = createSale(t);
        assertEq(address(sale), predicted);
        assertEq(address(vault), predictedVault);
        assertTotals(sale, 0, 0, Outcome.None);
    }

    /// @notice A window for refunds that shut before the investor came.
    function test_RefundWindow_NeverShuts() external {
        buy(sale, alice, 1 ether);
        vm.warp(CLOSES + 36_500 days);
        sale.close();
        vm.warp(CLOSES + 73_000 days);
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
    }
}
