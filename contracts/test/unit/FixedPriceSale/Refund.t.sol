// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../../src/FixedPriceSale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {CurrencyLibrary} from "../../../src/types/Currency.sol";
import {State} from "../../../src/types/SaleTypes.sol";
import {Wallet} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";

contract RefundTest is SaleTest {
    FixedPriceSale private sale;

    function setUp() public override {
        super.setUp();
        (sale,) = createSale(terms());
        vm.warp(OPENS);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        FixedPriceSale code = FixedPriceSale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.refundFor(alice);
        vm.expectRevert(ISale.NotASale.selector);
        code.refundTo(alice);
    }

    function test_RevertWhen_Upcoming() external {
        vm.warp(OPENS - 1);
        _expectNotRefundable(State.Upcoming);
    }

    function test_RevertWhen_Open() external {
        buy(sale, alice, 1 ether);
        _expectNotRefundable(State.Open);
    }

    function test_RevertWhen_Ended() external {
        buy(sale, alice, 1 ether);
        vm.warp(CLOSES);
        _expectNotRefundable(State.Ended);
    }

    function test_RevertWhen_Succeeded() external {
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        sale.close();
        _expectNotRefundable(State.Succeeded);
    }

    function test_RevertWhen_TheInvestorPaidNothing() external {
        _fail();
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, carol));
        sale.refundFor(carol);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, carol));
        vm.prank(carol);
        sale.refundTo(alice);
    }

    function test_RevertWhen_Refunded() external {
        _fail();
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        sale.refundFor(alice);
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        vm.prank(alice);
        sale.refundTo(bob);
    }

    function test_RevertWhen_TheReceiverIsTheZeroAddress() external {
        _fail();
        vm.expectRevert(abi.encodeWithSelector(ISale.InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        sale.refundTo(address(0));
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, address(0)));
        sale.refundFor(address(0));
    }

    function test_RevertWhen_TheReceiverRefusesEther() external {
        Wallet wallet = new Wallet();
        vm.prank(bob);
        sale.contribute{value: 3 ether}(address(wallet), 3 ether, "");
        wallet.setRefuses(true);
        _fail();

        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.EtherTransferFailed.selector, address(wallet), 3 ether));
        sale.refundFor(address(wallet));
        assertPosition(sale, address(wallet), 3 ether, 3000e18);

        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
        wallet.execute(address(sale), 0, abi.encodeCall(ISale.refundTo, (carol)));
        assertEq(carol.balance, 1003 ether);
        assertEq(address(sale).balance, 0);
    }

    function test_WhenAnyoneAsksForTheInvestor() external {
        buy(sale, bob, 2 ether);
        _fail();
        vm.expectEmit(address(sale));
        emit ISale.Refunded(alice, alice, 5 ether + 7);
        vm.prank(carol);
        assertEq(sale.refundFor(alice), 5 ether + 7);
        assertEq(alice.balance, 1000 ether);
        assertEq(carol.balance, 1000 ether);
        assertPosition(sale, alice, 0, 0);
        assertPosition(sale, bob, 2 ether, 2000e18);
        assertEq(address(sale).balance, 2 ether);
    }

    function test_WhenTheInvestorAsksForAnotherAddress() external {
        _fail();
        vm.expectEmit(address(sale));
        emit ISale.Refunded(alice, carol, 5 ether + 7);
        vm.prank(alice);
        assertEq(sale.refundTo(carol), 5 ether + 7);
        assertEq(alice.balance, 995 ether - 7);
        assertEq(carol.balance, 1005 ether + 7);
        assertPosition(sale, alice, 0, 0);
    }

    /// @dev The views of an empty position do not show its mark; clearing the whole word gives gas back.
    function test_NothingOfThePositionStaysInStorage() external {
        buy(sale, bob, 2 ether);
        _fail();
        assertNotEq(storedPosition(sale, alice), 0);
        assertNotEq(storedPosition(sale, bob), 0);
        sale.refundFor(alice);
        vm.prank(bob);
        sale.refundTo(carol);
        assertEq(storedPosition(sale, alice), 0);
        assertEq(storedPosition(sale, bob), 0);
    }

    function test_WhenAnotherPaidForTheInvestor() external {
        vm.prank(bob);
        sale.contribute{value: 1 ether}(carol, 1 ether, "");
        _fail();
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, bob));
        sale.refundFor(bob);
        sale.refundFor(carol);
        assertEq(carol.balance, 1001 ether);
    }

    function test_WhenCancelled() external {
        buy(sale, alice, 1 ether);
        vm.prank(owner);
        sale.cancel();
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
        vm.expectRevert(abi.encodeWithSelector(ISale.NotClaimable.selector, State.Cancelled));
        sale.claim(alice);
    }

    function test_HistoryStays() external {
        _fail();
        (uint256 raised, uint256 sold,) = sale.totals();
        sale.refundFor(alice);
        (uint256 raisedAfter, uint256 soldAfter,) = sale.totals();
        assertEq(raisedAfter, raised);
        assertEq(soldAfter, sold);
        assertEq(raised, 5 ether + 7);
    }

    function _fail() private {
        buy(sale, alice, 5 ether);
        buy(sale, alice, 7);
        vm.warp(CLOSES + 365 days);
        sale.close();
    }

    function _expectNotRefundable(State state) private {
        bytes memory reason = abi.encodeWithSelector(ISale.NotRefundable.selector, state);
        vm.expectRevert(reason);
        sale.refundFor(alice);
        vm.expectRevert(reason);
        vm.prank(alice);
        sale.refundTo(alice);
        vm.expectRevert(reason);
        sale.refundFor(address(0));
    }
}
