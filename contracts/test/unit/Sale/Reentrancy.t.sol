// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {RefundVault} from "../../../src/RefundVault.sol";
import {Sale} from "../../../src/Sale.sol";
import {IRefundVault} from "../../../src/interfaces/IRefundVault.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode, SaleTerms, Tap} from "../../../src/types/SaleTypes.sol";
import {ReEntrant} from "../../utils/Actors.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {HookToken} from "../../utils/Tokens.sol";

/// @dev Its `permit` calls whom it is asked to permit for.
contract CallingPermitToken is HookToken {
    constructor() HookToken(18) {}

    function permit(address holder, address, uint256, uint256, uint8, bytes32, bytes32) external {
        ReEntrant(payable(holder)).tokensToSend(address(0), 0);
    }
}

/// @notice Whoever gets control from the sale or the vault finds every door shut, each by the guard itself: no order of
/// effects is relied on alone.
contract ReentrancyTest is SaleTest {
    Sale private sale;
    RefundVault private vault;
    ReEntrant private attacker;
    bytes[] private ofSale;
    bytes[] private ofVault;

    function setUp() public override {
        super.setUp();
        attacker = new ReEntrant();
        vm.deal(address(attacker), 1000 ether);
        address a = address(attacker);
        ofSale.push("");
        ofSale.push(abi.encodeCall(ISale.contribute, (a, 0, "")));
        ofSale.push(abi.encodeCall(ISale.contributeWithPermit, (a, 0, "", 0, 0, 0, 0)));
        ofSale.push(abi.encodeCall(ISale.withdraw, ()));
        ofSale.push(abi.encodeCall(ISale.withdrawTo, (a)));
        ofSale.push(abi.encodeCall(ISale.returnUnsold, ()));
        ofSale.push(abi.encodeCall(ISale.claim, (a)));
        ofSale.push(abi.encodeCall(ISale.claimTo, (a)));
        ofSale.push(abi.encodeCall(ISale.refundFor, (a)));
        ofSale.push(abi.encodeCall(ISale.refundTo, (a)));
        ofSale.push(abi.encodeCall(ISale.sweep, ()));
        ofVault.push(abi.encodeCall(IRefundVault.release, ()));
        ofVault.push(abi.encodeCall(IRefundVault.releaseTo, (a)));
        ofVault.push(abi.encodeCall(IRefundVault.object, ()));
        ofVault.push(abi.encodeCall(IRefundVault.refundFor, (a)));
        ofVault.push(abi.encodeCall(IRefundVault.refundTo, (a)));
    }

    function test_WhileAWithdrawalIsPaid() external {
        SaleTerms memory t = terms();
        t.coolingOff = 1 days;
        _open(Mode.FixedPrice, t);
        _contribute(5 ether);
        _shut(abi.encodeCall(ISale.withdraw, ()), 5 ether);
        _shut(abi.encodeCall(ISale.withdrawTo, (address(attacker))), 5 ether);
    }

    function test_WhileARefundIsPaid() external {
        _open(Mode.FixedPrice, terms());
        _contribute(5 ether);
        vm.warp(CLOSES);
        sale.close();
        _shut(abi.encodeCall(ISale.refundFor, (address(attacker))), 5 ether);
        _shut(abi.encodeCall(ISale.refundTo, (address(attacker))), 5 ether);
    }

    function test_WhileAClaimPaysTheExcess() external {
        _open(Mode.ProRata, proRata());
        _contribute(100 ether);
        buy(sale, alice, 100 ether);
        vm.warp(CLOSES);
        sale.close();
        _shut(abi.encodeCall(ISale.claim, (address(attacker))), 50 ether);
        _shut(abi.encodeCall(ISale.claimTo, (address(attacker))), 50 ether);
        _shut(abi.encodeCall(ISale.refundFor, (address(attacker))), 50 ether);
    }

    function test_WhileAContributionReturnsItsExcess() external {
        _open(Mode.FixedPrice, terms());
        buy(sale, alice, 50 ether);
        buy(sale, bob, 40 ether);
        for (uint256 i = 0; i < ofSale.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            attacker.plan(address(sale), ofSale[i]);
            _contribute(12 ether);
            _checkShut(i);
            assertPosition(sale, address(attacker), 10 ether, 2500e18);
            assertEq(address(attacker).balance, 990 ether);
            vm.revertToState(snapshot);
        }
    }

    function test_WhileAPaymentIsPulled() external {
        HookToken hook = _hooked(new HookToken(18));
        _whilePaying(hook, abi.encodeCall(ISale.contribute, (address(attacker), 2 ether, "")));
    }

    function test_WhileAPermitIsAskedFor() external {
        HookToken hook = _hooked(new CallingPermitToken());
        attacker.execute(address(hook), 0, abi.encodeCall(HookToken.register, (false)));
        bytes memory call = abi.encodeCall(ISale.contributeWithPermit, (address(attacker), 2 ether, "", 0, 0, 0, 0));
        _whilePaying(hook, call);
    }

    function test_WhileTheUnsoldGoHome() external {
        HookToken sold = new HookToken(18);
        sold.mint(address(this), 100_000e18);
        sold.approve(address(factory), type(uint256).max);
        attacker.execute(address(sold), 0, abi.encodeCall(HookToken.register, (true)));
        SaleTerms memory t = terms();
        (t.token, t.owner) = (address(sold), address(attacker));
        _open(Mode.FixedPrice, t);
        vm.warp(CLOSES);
        for (uint256 i = 0; i < ofSale.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            attacker.plan(address(sale), ofSale[i]);
            sale.close();
            _checkShut(i);
            assertEq(sold.balanceOf(address(attacker)), 100_000e18);
            vm.revertToState(snapshot);
        }
    }

    function test_WhileTheVaultReleases() external {
        SaleTerms memory t = terms();
        (t.beneficiary, t.tap) = (address(attacker), Tap({atOnce: 1000, duration: 100 days, objection: 5000}));
        _open(Mode.FixedPrice, t);
        buy(sale, alice, 20 ether);
        vm.warp(CLOSES);
        sale.close();
        _shutVault(abi.encodeCall(IRefundVault.release, ()), 2 ether);
        _shutVault(abi.encodeCall(IRefundVault.releaseTo, (address(attacker))), 2 ether);
    }

    function test_WhileTheVaultPaysTheRest() external {
        SaleTerms memory t = terms();
        t.tap = Tap({atOnce: 0, duration: 100 days, objection: 5000});
        _open(Mode.FixedPrice, t);
        _contribute(8 ether);
        buy(sale, alice, 12 ether);
        vm.warp(CLOSES);
        sale.close();
        vm.prank(alice);
        vault.object();
        _shutVault(abi.encodeCall(IRefundVault.refundFor, (address(attacker))), 8 ether);
        _shutVault(abi.encodeCall(IRefundVault.refundTo, (address(attacker))), 8 ether);
    }

    function _open(Mode mode, SaleTerms memory t) private {
        (sale, vault) = create(mode, t);
        vm.warp(OPENS);
    }

    function _contribute(uint256 amount) private {
        attacker.execute(address(sale), amount, abi.encodeCall(ISale.contribute, (address(attacker), amount, "")));
    }

    function _hooked(HookToken hook) private returns (HookToken) {
        hook.mint(address(attacker), 10 ether);
        _open(Mode.FixedPrice, paidIn(address(hook), 18));
        attacker.execute(address(hook), 0, abi.encodeCall(HookToken.register, (true)));
        attacker.execute(address(hook), 0, abi.encodeCall(IERC20.approve, (address(sale), type(uint256).max)));
        return hook;
    }

    function _whilePaying(HookToken hook, bytes memory call) private {
        for (uint256 i = 0; i < ofSale.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            attacker.plan(address(sale), ofSale[i]);
            attacker.execute(address(sale), 0, call);
            _checkShut(i);
            assertPosition(sale, address(attacker), 2 ether, 2000e18);
            assertEq(hook.balanceOf(address(sale)), 2 ether);
            vm.revertToState(snapshot);
        }
    }

    /// @dev `call` pays `amount` wei to the attacker, who tries each entry of the sale from there.
    function _shut(bytes memory call, uint256 amount) private {
        for (uint256 i = 0; i < ofSale.length; ++i) {
            _try(address(sale), call, ofSale[i], i, amount);
        }
    }

    function _shutVault(bytes memory call, uint256 amount) private {
        for (uint256 i = 0; i < ofVault.length; ++i) {
            _try(address(vault), call, ofVault[i], i, amount);
        }
    }

    function _try(address target, bytes memory call, bytes memory entry, uint256 index, uint256 amount) private {
        uint256 snapshot = vm.snapshotState();
        uint256 before = address(attacker).balance;
        attacker.plan(target, entry);
        attacker.execute(target, 0, call);
        _checkShut(index);
        assertEq(address(attacker).balance - before, amount);
        vm.revertToState(snapshot);
    }

    function _checkShut(uint256 index) private view {
        assertEq(attacker.attempts(), 1, vm.toString(index));
        assertEq(
            attacker.lastAnswer(),
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            vm.toString(index)
        );
    }
}
