// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Test} from "forge-std/Test.sol";

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {SaleArgs} from "../../src/libraries/SaleArgs.sol";
import {VaultArgs} from "../../src/libraries/VaultArgs.sol";
import {Currency} from "../../src/types/Currency.sol";
import {Gate, Outcome, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";

/// @notice The starred proof obligations, for all values at once: halmos takes every argument of a `check_` function as a
/// symbol. The ledger's words are symbols too, so each holds from every state, reached or not, that the assumptions allow.
contract SymbolicSaleTest is Test {
    uint40 private constant OPENS = 1_900_000_000;
    uint40 private constant CLOSES = OPENS + 2 days;
    uint120 private constant HARD_CAP = 100 ether;
    uint120 private constant SOFT_CAP = 10 ether;
    /// @dev Of the layout that `forge inspect FixedPriceSale storageLayout` shows.
    uint256 private constant TOTALS_SLOT = 5;
    uint256 private constant POSITIONS_SLOT = 7;

    address private constant OWNER = address(0x0a);
    address private constant BENEFICIARY = address(0xbe);

    FixedPriceSale private sale;
    RefundVault private vault;
    Money private money;

    function setUp() public {
        money = new Money();
        address vaultCode = address(new RefundVault());
        address saleCode = address(new FixedPriceSale(vaultCode));
        SaleTerms memory t;
        (t.owner, t.compliance, t.beneficiary, t.token) = (OWNER, OWNER, BENEFICIARY, address(money));
        (t.opens, t.softCap, t.hardCap, t.maxPaid) = (OPENS, SOFT_CAP, HARD_CAP, HARD_CAP);
        t.tokensForSale = 1_000_000e18;
        t.coolingOff = 1 days;
        t.phases = new Phase[](2);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 40 ether, price: 1e15, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: CLOSES, raisedUpTo: HARD_CAP, price: 2e15, gate: Gate.Open, root: 0});
        bytes memory args = SaleArgs.pack(t, address(this));
        sale = FixedPriceSale(payable(Clones.cloneDeterministicWithImmutableArgs(saleCode, args, 0)));
        args = VaultArgs.pack(address(sale), BENEFICIARY, Currency.wrap(address(0)), t.tap);
        vault = RefundVault(payable(Clones.cloneDeterministicWithImmutableArgs(vaultCode, args, 0)));
    }

    /// @notice 1, 3: whatever is contributed whenever, the sale holds the money it notes, and never more than the hard cap.
    function check_Contribution(uint120 raised, uint120 sold, uint120 paid, uint128 amount, uint40 time) external {
        vm.assume(raised <= HARD_CAP && paid <= raised && sold <= 1_000_000e18);
        _ledger(raised, sold, Outcome.None, address(this), paid, 0);
        vm.deal(address(sale), raised);
        vm.deal(address(this), amount);
        vm.warp(time);
        try sale.contribute{value: amount}(address(this), amount, "") returns (uint256 accepted, uint256) {
            (uint256 raised_,, Outcome outcome) = sale.totals();
            (uint256 paid_,) = sale.positionOf(address(this));
            assert(raised_ <= HARD_CAP);
            assert(raised_ == uint256(raised) + accepted && paid_ == uint256(paid) + accepted);
            assert(address(sale).balance == raised_);
            assert(address(this).balance == amount - accepted);
            assert(outcome == Outcome.None && time >= OPENS && time < CLOSES);
        } catch {
            assert(address(sale).balance == raised);
        }
    }

    /// @notice 1: a refund pays what was paid, once, and only after failure or cancellation.
    function check_Refund(uint120 raised, uint120 paid, uint8 outcome, uint40 time) external {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && paid <= raised);
        _ledger(raised, 0, Outcome(outcome), address(this), paid, 0);
        vm.deal(address(sale), raised);
        vm.deal(address(this), 0);
        vm.warp(time);
        try sale.refundFor(address(this)) {
            assert(outcome == uint8(Outcome.Failed) || outcome == uint8(Outcome.Cancelled));
            assert(address(this).balance == paid && address(sale).balance == raised - paid);
            (uint256 left,) = sale.positionOf(address(this));
            assert(left == 0);
            try sale.refundFor(address(this)) {
                assert(false);
            } catch {}
        } catch {
            assert(address(sale).balance == raised);
            assert(paid == 0 || outcome == uint8(Outcome.None) || outcome == uint8(Outcome.Succeeded));
        }
    }

    /// @notice 1: a withdrawal takes from the totals just what it pays, and only while there is no outcome.
    function check_Withdrawal(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, uint16 mark, uint40 time)
        external
    {
        vm.assume(paid <= raised && tokens <= sold && mark < type(uint16).max - 1);
        _ledger(raised, sold, Outcome.None, address(this), paid, uint256(tokens) << 120 | uint256(mark) << 240);
        vm.deal(address(sale), raised);
        vm.deal(address(this), 0);
        vm.warp(time);
        try sale.withdraw() {
            (uint256 raised_, uint256 sold_,) = sale.totals();
            assert(raised_ == uint256(raised) - paid && sold_ == uint256(sold) - tokens);
            assert(address(sale).balance == raised_ && address(this).balance == paid);
            assert(time < CLOSES);
        } catch {
            assert(address(sale).balance == raised);
        }
    }

    /// @notice 5: an outcome is latched once, by the rules, and nothing changes it.
    function check_Outcome(uint120 raised, uint8 outcome, address caller, uint8 call, uint40 time) external {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && raised <= HARD_CAP);
        _ledger(raised, 0, Outcome(outcome), caller, raised, 0);
        vm.deal(address(sale), raised);
        vm.warp(time);
        vm.prank(caller);
        bool ok = _call(call, caller);
        (,, Outcome after_) = sale.totals();
        if (outcome != uint8(Outcome.None)) {
            assert(uint8(after_) == outcome);
        } else if (after_ == Outcome.Cancelled) {
            assert(ok && caller == OWNER && time < CLOSES && raised < SOFT_CAP);
        } else if (after_ != Outcome.None) {
            assert(ok && time >= CLOSES && (after_ == Outcome.Succeeded) == (raised >= SOFT_CAP));
        }
    }

    /// @notice 8: the beneficiary is paid only after success, and no more than was raised.
    function check_Release(uint120 raised, uint8 outcome, address caller, uint40 time) external {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && raised <= HARD_CAP && caller != BENEFICIARY);
        _ledger(raised, 0, Outcome(outcome), caller, raised, 0);
        vm.deal(address(sale), raised);
        vm.warp(time);
        vm.prank(caller);
        try vault.release() {} catch {}
        if (BENEFICIARY.balance != 0) {
            assert(outcome == uint8(Outcome.Succeeded));
            assert(BENEFICIARY.balance == raised && address(sale).balance == 0);
        } else {
            assert(address(sale).balance == raised);
        }
    }

    receive() external payable {}

    function _call(uint8 which, address caller) private returns (bool ok) {
        bytes memory data;
        if (which == 0) data = abi.encodeCall(ISale.close, ());
        else if (which == 1) data = abi.encodeCall(ISale.cancel, ());
        else if (which == 2) data = abi.encodeCall(ISale.setPaused, (true));
        else if (which == 3) data = abi.encodeCall(ISale.reject, (caller));
        else if (which == 4) data = abi.encodeCall(ISale.withdraw, ());
        else if (which == 5) data = abi.encodeCall(ISale.refundFor, (caller));
        else if (which == 6) data = abi.encodeCall(ISale.claim, (caller));
        else if (which == 7) data = abi.encodeCall(ISale.sweep, ());
        else data = abi.encodeCall(ISale.returnUnsold, ());
        (ok,) = address(sale).call(data);
    }

    /// @dev Writes the ledger's two words as they would stand in storage.
    function _ledger(uint120 raised, uint120 sold, Outcome outcome, address investor, uint120 paid, uint256 more)
        private
    {
        bytes32 totals = bytes32(uint256(raised) | uint256(sold) << 120 | uint256(uint8(outcome)) << 240);
        vm.store(address(sale), bytes32(TOTALS_SLOT), totals);
        bytes32 slot = keccak256(abi.encode(investor, POSITIONS_SLOT));
        vm.store(address(sale), slot, bytes32(uint256(paid) | more));
    }
}

/// @notice The least of a token that a sale calls.
contract Money {
    function transfer(address, uint256) external pure returns (bool) {
        return true;
    }
}
