// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Test} from "forge-std/Test.sol";

import {Currency, CurrencyLibrary} from "../../../src/types/Currency.sol";
import {Costly, Wallet} from "../../utils/Actors.sol";
import {FalseToken, FeeToken, PlainToken, PretendingToken, SilentToken} from "../../utils/Tokens.sol";

contract CurrencyTest is Test {
    Currency private constant ETHER = Currency.wrap(address(0));
    address private to = makeAddr("to");

    function test_IsEther() external view {
        assertTrue(ETHER.isEther());
        assertFalse(Currency.wrap(to).isEther());
    }

    function test_SendEther() external {
        this.send(ETHER, to, 3);
        assertEq(to.balance, 3);
    }

    function test_SendEtherToACostlyReceiver() external {
        Costly costly = new Costly();
        this.send(ETHER, address(costly), 1);
        assertEq(costly.calls(), 1);
        assertEq(address(costly).balance, 1);
    }

    /// @dev A receiver whose answer is long burns its own share of gas, not that of copying.
    function test_SendEtherCopiesNoAnswer() external {
        Verbose verbose = new Verbose();
        this.send{gas: 1_000_000}(ETHER, address(verbose), 1);
        assertEq(address(verbose).balance, 1);
    }

    function test_RevertWhen_TheReceiverRefuses() external {
        Wallet wallet = new Wallet();
        wallet.setRefuses(true);
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.EtherTransferFailed.selector, address(wallet), 3));
        this.send(ETHER, address(wallet), 3);
    }

    function test_RevertWhen_ThereIsNotEnoughEther() external {
        uint256 amount = address(this).balance + 1;
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.EtherTransferFailed.selector, to, amount));
        this.send(ETHER, to, amount);
    }

    function test_SendTokens() external {
        PlainToken plain = new PlainToken(18);
        plain.mint(address(this), 5);
        this.send(Currency.wrap(address(plain)), to, 5);
        assertEq(plain.balanceOf(to), 5);
    }

    function test_SendTokensThatAnswerNothing() external {
        SilentToken silent = new SilentToken();
        silent.mint(address(this), 5);
        this.send(Currency.wrap(address(silent)), to, 5);
        assertEq(silent.balanceOf(to), 5);
    }

    function test_RevertWhen_TheTokenAnswersFalse() external {
        FalseToken lying = new FalseToken();
        lying.mint(address(this), 5);
        bytes memory reason = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lying));
        vm.expectRevert(reason);
        this.send(Currency.wrap(address(lying)), to, 5);
        vm.expectRevert(reason);
        this.pull(Currency.wrap(address(lying)), address(this), to, 5);
    }

    function test_RevertWhen_TheTokenReverts() external {
        PlainToken plain = new PlainToken(18);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(this), 0, 5));
        this.send(Currency.wrap(address(plain)), to, 5);
    }

    function test_Pull() external {
        PlainToken plain = new PlainToken(18);
        plain.mint(address(this), 5);
        plain.mint(to, 9);
        plain.approve(address(this), 5);
        this.pull(Currency.wrap(address(plain)), address(this), to, 5);
        assertEq(plain.balanceOf(to), 14);
    }

    function test_RevertWhen_LessArrives() external {
        FeeToken fee = new FeeToken();
        fee.mint(address(this), 500);
        fee.approve(address(this), 500);
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, address(fee), 500, 495));
        this.pull(Currency.wrap(address(fee)), address(this), to, 500);
    }

    function test_RevertWhen_NothingArrives() external {
        address token = address(new PretendingToken());
        vm.expectRevert(abi.encodeWithSelector(CurrencyLibrary.TransferNotExact.selector, token, 5, 0));
        this.pull(Currency.wrap(token), address(this), to, 5);
    }

    function send(Currency currency, address to_, uint256 amount) external {
        currency.send(to_, amount);
    }

    function pull(Currency currency, address from, address to_, uint256 amount) external {
        currency.pull(from, to_, amount);
    }
}

/// @notice Answers with a megabyte of nothing, from as much memory as its gas buys.
contract Verbose {
    receive() external payable {
        assembly {
            return(0, 400000)
        }
    }
}
