// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Test} from "forge-std/Test.sol";

import {RefundVault} from "../../src/RefundVault.sol";
import {Sale} from "../../src/Sale.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {SaleArgs} from "../../src/libraries/SaleArgs.sol";
import {VaultArgs} from "../../src/libraries/VaultArgs.sol";
import {Currency} from "../../src/types/Currency.sol";
import {Gate, Mode, Outcome, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";

/// @notice The starred proof obligations, for all values at once: halmos takes every argument of a `check_` function as a
/// symbol. The ledger's words are symbols too, so each holds from every state, reached or not, that the assumptions allow.
/// The terms are fixed, one set for each mode.
/// @dev Each check has a twin, `reach_`, that must fail: it shows that the path the check is about is taken at all.
abstract contract SymbolicSale is Test {
    uint40 internal constant OPENS = 1_900_000_000;
    uint40 internal constant CLOSES = OPENS + 2 days;
    uint120 internal constant HARD_CAP = 100 ether;
    uint120 internal constant SOFT_CAP = 10 ether;
    /// @dev Of the layout that `forge inspect FixedPriceSale storageLayout` shows; the same in every mode.
    uint256 private constant TOTALS_SLOT = 5;
    uint256 private constant POSITIONS_SLOT = 7;

    address internal constant OWNER = address(0x0a);
    address private constant BENEFICIARY = address(0xbe);

    Sale internal sale;
    RefundVault internal vault;
    bool internal reached;

    function setUp() public {
        address vaultCode = address(new RefundVault());
        address saleCode = _code(vaultCode);
        SaleTerms memory t;
        (t.owner, t.compliance, t.beneficiary, t.token) = (OWNER, OWNER, BENEFICIARY, address(new Money()));
        (t.opens, t.softCap, t.hardCap, t.maxPaid) = (OPENS, SOFT_CAP, HARD_CAP, HARD_CAP);
        t.phases = new Phase[](2);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: HARD_CAP, price: 1e15, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: CLOSES, raisedUpTo: HARD_CAP, price: 1e15, gate: Gate.Open, root: 0});
        t.tokensForSale = _tokens();
        _shape(t);
        bytes memory args = SaleArgs.pack(t, address(this));
        sale = Sale(payable(Clones.cloneDeterministicWithImmutableArgs(saleCode, args, 0)));
        args = VaultArgs.pack(address(sale), BENEFICIARY, Currency.wrap(address(0)), t.tap);
        vault = RefundVault(payable(Clones.cloneDeterministicWithImmutableArgs(vaultCode, args, 0)));
    }

    /// @notice 1: a refund pays what was paid, once, and only after failure or cancellation, and then always.
    function check_Refund(uint120 raised, uint120 paid, uint8 outcome, uint40 time) external {
        _refund(raised, paid, outcome, time);
    }

    function reach_Refund(uint120 raised, uint120 paid, uint8 outcome, uint40 time) external {
        _refund(raised, paid, outcome, time);
        assert(!reached);
    }

    /// @notice 1: a rejection takes a position out of the totals and leaves its money; the refund then pays just that.
    function check_Rejection(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, address caller, uint40 time)
        external
    {
        _rejection(raised, sold, paid, tokens, caller, time);
    }

    function reach_Rejection(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, address caller, uint40 time)
        external
    {
        _rejection(raised, sold, paid, tokens, caller, time);
        assert(!reached);
    }

    /// @notice 8: the beneficiary is paid only after success, and exactly what the sale keeps.
    function check_Release(uint120 raised, uint8 outcome, address caller, uint40 time) external {
        _release(raised, outcome, caller, time);
    }

    function reach_Release(uint120 raised, uint8 outcome, address caller, uint40 time) external {
        _release(raised, outcome, caller, time);
        assert(!reached);
    }

    receive() external payable {}

    function _code(address vaultCode) internal virtual returns (address);

    /// @dev What the mode has of its own; before it, two open phases of one price up to the hard cap.
    function _shape(SaleTerms memory t) internal pure virtual;

    function _tokens() internal pure virtual returns (uint120);

    function _mode() internal pure virtual returns (Mode);

    function _contribution(uint120 raised, uint120 sold, uint120 paid, uint128 amount, uint40 time) internal {
        vm.assume(paid <= raised && sold <= _tokens() && (_mode() == Mode.ProRata || raised <= HARD_CAP));
        _ledger(raised, sold, Outcome.None, address(this), paid, 0);
        vm.deal(address(sale), raised);
        vm.deal(address(this), amount);
        vm.warp(time);
        try sale.contribute{value: amount}(address(this), amount, "") returns (uint256 accepted, uint256) {
            (uint256 raised_,, Outcome outcome) = sale.totals();
            (uint256 paid_,) = sale.positionOf(address(this));
            assert(_mode() == Mode.ProRata || raised_ <= HARD_CAP);
            assert(paid_ <= HARD_CAP);
            assert(raised_ == uint256(raised) + accepted && paid_ == uint256(paid) + accepted);
            assert(address(sale).balance == raised_);
            assert(address(this).balance == amount - accepted);
            assert(outcome == Outcome.None && time >= OPENS && time < CLOSES);
            reached = true;
        } catch {
            assert(address(sale).balance == raised);
        }
    }

    function _refund(uint120 raised, uint120 paid, uint8 outcome, uint40 time) private {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && paid <= raised);
        // In pro rata the excess comes back after success; that needs the shares (`SmallNumbersTest`).
        vm.assume(_mode() == Mode.FixedPrice || outcome != uint8(Outcome.Succeeded));
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
            reached = true;
        } catch {
            assert(address(sale).balance == raised);
            assert(paid == 0 || outcome == uint8(Outcome.None) || outcome == uint8(Outcome.Succeeded));
        }
    }

    function _rejection(uint120 raised, uint120 sold, uint120 paid, uint120 tokens, address caller, uint40 time)
        private
    {
        vm.assume(paid <= raised && tokens <= sold);
        _ledger(raised, sold, Outcome.None, address(this), paid, uint256(tokens) << 120);
        vm.deal(address(sale), raised);
        vm.deal(address(this), 0);
        vm.warp(time);
        vm.prank(caller);
        try sale.reject(address(this)) {
            assert(caller == OWNER && time < CLOSES && paid != 0);
            (uint256 raised_, uint256 sold_, Outcome outcome) = sale.totals();
            assert(raised_ == uint256(raised) - paid && sold_ == uint256(sold) - tokens && outcome == Outcome.None);
            assert(address(sale).balance == raised);
            sale.refundFor(address(this));
            assert(address(sale).balance == raised_ && address(this).balance == paid);
            reached = true;
        } catch {
            assert(caller != OWNER || time >= CLOSES || paid == 0);
        }
    }

    function _outcome(uint120 raised, uint8 outcome, address caller, uint8 call, uint40 time) internal {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && raised <= HARD_CAP);
        _ledger(raised, 0, Outcome(outcome), caller, 0, 0);
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
            assert(ok && time >= CLOSES);
            assert((after_ == Outcome.Succeeded) == (raised >= SOFT_CAP));
            reached = true;
        }
    }

    function _release(uint120 raised, uint8 outcome, address caller, uint40 time) private {
        vm.assume(outcome <= uint8(Outcome.Cancelled) && caller != BENEFICIARY);
        vm.assume(_mode() == Mode.ProRata || raised <= HARD_CAP);
        uint256 kept = raised < HARD_CAP ? raised : HARD_CAP;
        _ledger(raised, 0, Outcome(outcome), caller, raised, 0);
        vm.deal(address(sale), raised);
        vm.warp(time);
        vm.prank(caller);
        try vault.release() {} catch {}
        if (BENEFICIARY.balance != 0) {
            assert(outcome == uint8(Outcome.Succeeded));
            assert(BENEFICIARY.balance == kept && address(sale).balance == raised - kept);
            reached = true;
        } else {
            assert(address(sale).balance == raised);
        }
    }

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
        else if (which == 8) data = abi.encodeCall(ISale.setVoucherSigner, (caller));
        else if (which == 9) data = abi.encodeCall(ISale.setCompliance, (caller));
        else data = abi.encodeCall(ISale.returnUnsold, ());
        (ok,) = address(sale).call(data);
    }

    /// @dev Writes the ledger's two words as they would stand in storage.
    function _ledger(uint120 raised, uint120 sold, Outcome outcome, address investor, uint120 paid, uint256 more)
        internal
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
