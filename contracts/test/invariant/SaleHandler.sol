// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test, Vm} from "forge-std/Test.sol";

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Currency} from "../../src/types/Currency.sol";
import {Outcome, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";
import {ForceFeeder, ReEntrant, Wallet} from "../utils/Actors.sol";
import {HookToken} from "../utils/Tokens.sol";

/// @notice Acts upon a sale at random, as investors, team and attackers, beside a model of what must happen: every call is
/// first judged by the model, and must then succeed or revert just so.
contract SaleHandler is Test {
    /// @dev What one investor has in the model.
    struct Ghost {
        uint256 paid;
        uint256 tokens;
        uint256 refunded;
        uint256 claimed;
    }

    FixedPriceSale public immutable SALE;
    RefundVault public immutable VAULT;
    bool public immutable ETHER;
    HookToken public immutable USD;
    IERC20 public immutable TOKEN;
    Wallet public immutable WALLET;
    ReEntrant public immutable ATTACKER;
    address public immutable ELSEWHERE = makeAddr("elsewhere");

    SaleTerms private terms;
    address[] public actors;
    mapping(address investor => Ghost) public ghosts;
    uint256 public raised;
    uint256 public sold;
    uint256 public refunded;
    uint256 public claimed;
    uint256 public released;
    uint256 public donated;
    uint256 public donatedTokens;
    bool public unsoldReturned;
    Outcome public outcome;
    /// @dev What the events of the sale add up to.
    mapping(address investor => Ghost) public replayed;
    /// @dev How often each thing was done with success.
    mapping(bytes32 action => uint256) public count;

    constructor(FixedPriceSale sale, RefundVault vault, HookToken usd) {
        (SALE, VAULT, USD) = (sale, vault, usd);
        terms = sale.terms();
        ETHER = Currency.unwrap(terms.currency) == address(0);
        TOKEN = IERC20(terms.token);
        WALLET = new Wallet();
        ATTACKER = new ReEntrant();
        actors = [makeAddr("i0"), makeAddr("i1"), makeAddr("i2"), address(WALLET), address(ATTACKER)];
        for (uint256 i = 0; i < actors.length; ++i) {
            vm.deal(actors[i], type(uint120).max);
            usd.mint(actors[i], type(uint120).max);
            vm.prank(actors[i]);
            usd.approve(address(sale), type(uint256).max);
        }
        uint256 least = ETHER ? 0.5 ether : 0.5e6;
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.refund, (address(ATTACKER))));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.refund, (actors[0])));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.refundTo, (address(ATTACKER))));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.claim, (address(ATTACKER))));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.claimTo, (address(ATTACKER))));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.returnUnsold, ()));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.cancel, ()));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.contribute, (address(ATTACKER), least, "")));
        ATTACKER.plan(address(sale), abi.encodeCall(ISale.sweep, ()));
        ATTACKER.plan(address(vault), abi.encodeCall(RefundVault.release, ()));
        vm.prank(address(ATTACKER));
        usd.register(true);
    }

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    // Investors

    function contribute(uint256 who, uint256 amountSeed) public {
        address investor = _actor(who);
        _contribute(investor, investor, _amount(amountSeed), false);
    }

    function contributeAgain(uint256 who, uint256 amountSeed) external {
        contribute(who, amountSeed);
    }

    function contributeForAnother(uint256 who, uint256 whom, uint256 amountSeed) external {
        _contribute(_actor(who), _actor(whom), _amount(amountSeed), false);
    }

    function sendEther(uint256 who, uint256 amountSeed) external {
        address investor = _actor(who);
        _contribute(investor, investor, _amount(amountSeed), true);
    }

    function claim(uint256 who, uint256 whom) external {
        _claim(_actor(who), _actor(whom), false);
    }

    function claimElsewhere(uint256 who) external {
        _claim(_actor(who), _actor(who), true);
    }

    function refund(uint256 who, uint256 whom) external {
        _refund(_actor(who), _actor(whom), false);
    }

    function refundElsewhere(uint256 who) external {
        _refund(_actor(who), _actor(who), true);
    }

    function walletRefuses(bool on) external {
        WALLET.setRefuses(on);
    }

    // Team and passers-by

    function close(uint256 who) external {
        bool allowed = outcome == Outcome.None && (block.timestamp >= _closes() || raised == terms.hardCap);
        bool ok = _call(_actor(who), address(SALE), 0, abi.encodeCall(ISale.close, ()));
        assertEq(ok, allowed, "close");
        if (!ok) return;
        outcome = raised < terms.softCap ? Outcome.Failed : Outcome.Succeeded;
        unsoldReturned = true;
        ++count[outcome == Outcome.Failed ? bytes32("failed") : bytes32("succeeded")];
    }

    /// @dev Seldom, or no sale would get far.
    function cancel(uint256 who) external {
        address caller = who % 3 == 0 ? terms.owner : _actor(who);
        if (caller == terms.owner && who % 7 != 0) return;
        bool allowed =
            caller == terms.owner && outcome == Outcome.None && block.timestamp < _closes() && raised < terms.softCap;
        bool ok = _call(caller, address(SALE), 0, abi.encodeCall(ISale.cancel, ()));
        assertEq(ok, allowed, "cancel");
        if (!ok) return;
        outcome = Outcome.Cancelled;
        unsoldReturned = true;
        ++count["cancelled"];
    }

    function release(uint256 who) external {
        bool allowed = outcome == Outcome.Succeeded && released == 0;
        bool ok = _call(_actor(who), address(VAULT), 0, abi.encodeCall(RefundVault.release, ()));
        assertEq(ok, allowed, "release");
        if (!ok) return;
        released = raised;
        ++count["released"];
    }

    function returnUnsold(uint256 who) external {
        bool ok = _call(_actor(who), address(SALE), 0, abi.encodeCall(ISale.returnUnsold, ()));
        assertFalse(ok, "the unsold went home with the outcome");
    }

    function sweep(uint256 who) external {
        assertFalse(_call(_actor(who), address(SALE), 0, abi.encodeCall(ISale.sweep, ())), "sweep");
    }

    function warp(uint256 by) external {
        vm.warp(block.timestamp + bound(by, 1, 2 days));
    }

    /// @dev To the seconds around an edge, where mistakes live.
    function warpToEdge(uint256 seed) external {
        uint256 i = seed % terms.phases.length;
        uint256 to = terms.phases[i].end - 1 + (seed >> 8) % 2;
        if (to > block.timestamp && to - block.timestamp < 2 days) vm.warp(to);
    }

    // Donors

    function forceEther(uint256 amount, bool toVault) external {
        amount = bound(amount, 1, 200 ether);
        vm.deal(address(this), amount);
        new ForceFeeder{value: amount}(payable(toVault ? address(VAULT) : address(SALE)));
        if (ETHER && !toVault) donated += amount;
        ++count["forced"];
    }

    function donateCurrency(uint256 amount, bool toVault) external {
        amount = bound(amount, 1, 200e6);
        USD.mint(toVault ? address(VAULT) : address(SALE), amount);
        if (!ETHER && !toVault) donated += amount;
    }

    function donateTokens(uint256 amount) external {
        amount = bound(amount, 1, 1e24);
        deal(address(TOKEN), address(this), amount);
        assertTrue(TOKEN.transfer(address(SALE), amount));
        donatedTokens += amount;
    }

    // Model

    function _contribute(address payer, address investor, uint256 amount, bool plain) private {
        (uint256 accepted, uint256 tokens) = _judge(payer, investor, amount);
        bool allowed = tokens != 0 && (ETHER || !plain);
        bytes memory data = plain ? bytes("") : abi.encodeCall(ISale.contribute, (investor, amount, ""));
        uint256 before = _balance(payer);
        vm.recordLogs();
        bool ok = _call(payer, address(SALE), ETHER || plain ? amount : 0, data);
        assertEq(ok, allowed, "contribute");
        if (!ok) return;

        assertEq(before - _balance(payer), accepted, "the payer pays what was accepted, to the base unit");
        if (accepted != amount) ++count["partlyFilled"];
        _replay(vm.getRecordedLogs(), investor, payer);
        raised += accepted;
        sold += tokens;
        ghosts[investor].paid += accepted;
        ghosts[investor].tokens += tokens;
        ++count["contributed"];
    }

    /// @dev The rules of a contribution, written a second time and plainly. No tokens: it must revert.
    function _judge(address payer, address investor, uint256 amount)
        private
        view
        returns (uint256 accepted, uint256 tokens)
    {
        if (block.timestamp < terms.opens || block.timestamp >= _closes() || outcome != Outcome.None) {
            return (0, 0);
        }
        for (uint256 i = 0; i < terms.phases.length; ++i) {
            Phase memory p = terms.phases[i];
            uint256 total = raised + accepted;
            if (block.timestamp >= p.end || total >= p.raisedUpTo) continue;
            uint256 part = amount - accepted < p.raisedUpTo - total ? amount - accepted : p.raisedUpTo - total;
            accepted += part;
            tokens += part * 1e18 / p.price;
        }
        uint256 paid = ghosts[investor].paid + accepted;
        if (paid > terms.maxPaid) return (0, 0);
        if (paid < terms.minPaid && raised + accepted < terms.hardCap) return (0, 0);
        if (ETHER && accepted < amount && payer == address(WALLET) && WALLET.refuses()) return (0, 0);
    }

    function _replay(Vm.Log[] memory logs, address investor, address payer) private {
        uint256 total = raised;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(SALE) || logs[i].topics[0] != ISale.Contributed.selector) continue;
            assertEq(logs[i].topics[1], bytes32(uint256(uint160(investor))), "investor of the event");
            assertEq(logs[i].topics[2], bytes32(uint256(uint160(payer))), "payer of the event");
            (uint256 phase, uint256 amount, uint256 tokens, uint256 paid, uint256 raised_,) =
                abi.decode(logs[i].data, (uint256, uint256, uint256, uint256, uint256, uint256));
            Ghost storage g = replayed[investor];
            g.paid += amount;
            g.tokens += tokens;
            total += amount;
            assertEq(g.paid, paid, "running total of the investor");
            assertEq(total, raised_, "running total of the sale");
            assertLe(total, terms.phases[phase].raisedUpTo, "cap of the phase");
            assertLe(tokens * terms.phases[phase].price, amount * 1e18, "rounding against the buyer");
        }
    }

    function _claim(address caller, address investor, bool elsewhere) private {
        Ghost storage g = ghosts[investor];
        bool allowed = outcome == Outcome.Succeeded && g.tokens > g.claimed;
        address to = elsewhere ? ELSEWHERE : investor;
        uint256 before = TOKEN.balanceOf(to);
        bool ok = _call(
            caller,
            address(SALE),
            0,
            elsewhere ? abi.encodeCall(ISale.claimTo, (to)) : abi.encodeCall(ISale.claim, (investor))
        );
        assertEq(ok, allowed, "claim");
        if (!ok) return;
        uint256 got = TOKEN.balanceOf(to) - before;
        assertEq(got, g.tokens, "all tokens at once");
        g.claimed += got;
        claimed += got;
        ++count["claimed"];
    }

    function _refund(address caller, address investor, bool elsewhere) private {
        Ghost storage g = ghosts[investor];
        bool due = (outcome == Outcome.Failed || outcome == Outcome.Cancelled) && g.paid > g.refunded;
        bool refused = ETHER && !elsewhere && investor == address(WALLET) && WALLET.refuses();
        address to = elsewhere ? ELSEWHERE : investor;
        uint256 before = _balance(to);
        bool ok = _call(
            caller,
            address(SALE),
            0,
            elsewhere ? abi.encodeCall(ISale.refundTo, (to)) : abi.encodeCall(ISale.refund, (investor))
        );
        assertEq(ok, due && !refused, "refund");
        if (due && refused) ++count["refused"];
        if (!ok) return;
        uint256 got = _balance(to) - before;
        assertEq(got, g.paid, "exactly what was paid");
        g.refunded += got;
        refunded += got;
        ++count["refunded"];
    }

    function _call(address caller, address to, uint256 value, bytes memory data) private returns (bool ok) {
        vm.prank(caller);
        (ok,) = to.call{value: value}(data);
    }

    function _balance(address of_) private view returns (uint256) {
        return ETHER ? of_.balance : USD.balanceOf(of_);
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % actors.length];
    }

    function _closes() private view returns (uint256) {
        return terms.phases[terms.phases.length - 1].end;
    }

    /// @dev Dust, amounts about the minimum, exactly or more than what is left, and all in between.
    function _amount(uint256 seed) private view returns (uint256) {
        uint256 kind = seed % 8;
        uint256 left = terms.hardCap - raised;
        seed >>= 8;
        if (kind == 0) return seed % 1000;
        if (kind == 1) return terms.minPaid + seed % 3 - 1;
        if (kind == 2) return left;
        if (kind == 3) return left + bound(seed, 1, terms.hardCap);
        return bound(seed, terms.minPaid, terms.maxPaid);
    }
}
