// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Vm} from "forge-std/Test.sol";

import {RefundVault} from "../../src/RefundVault.sol";
import {Sale} from "../../src/Sale.sol";
import {IRefundVault} from "../../src/interfaces/IRefundVault.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Mode, Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
import {ForceFeeder, Wallet} from "../utils/Actors.sol";
import {HostileToken, ReEnteringInvestor} from "./Hostile.sol";
import {Papers} from "./Papers.sol";

/// @notice Acts upon a sale at random, as investors, team and attackers, beside the model: every call is first judged by the
/// model, and must then succeed or revert just so, and move just that much.
contract SaleHandler is Papers {
    Sale public immutable SALE;
    RefundVault public immutable VAULT;
    HostileToken public immutable USD;
    IERC20 public immutable TOKEN;
    Wallet public immutable WALLET;
    ReEnteringInvestor public immutable ATTACKER;
    address public immutable ELSEWHERE = makeAddr("elsewhere");

    uint256 public donated;
    uint256 public donatedToVault;
    uint256 public donatedTokens;
    address public owner;
    address public compliance;
    /// @dev What the events of the sale add up to.
    mapping(address investor => Ghost) private replayed;
    uint256 public replayedRaised;
    uint256 public replayedSold;
    /// @dev How often each thing was done with success.
    mapping(bytes32 action => uint256) public count;

    /// @param investors The fourth is a `Wallet`, the fifth a `ReEnteringInvestor`; the first four are on the list.
    constructor(
        Mode mode_,
        Sale sale,
        RefundVault vault,
        HostileToken usd,
        address[] memory investors,
        uint256 voucherLimit_,
        uint256 listLimit_
    ) Papers(sale) {
        (mode, SALE, VAULT, USD) = (mode_, sale, vault, usd);
        (voucherLimit, listLimit) = (voucherLimit_, listLimit_);
        _setTerms(sale.terms());
        (owner, compliance) = (terms.owner, terms.compliance);
        TOKEN = IERC20(terms.token);
        WALLET = Wallet(payable(investors[3]));
        ATTACKER = ReEnteringInvestor(payable(investors[4]));
        actors = investors;
        for (uint256 i = 0; i < actors.length; ++i) {
            vm.deal(actors[i], type(uint120).max);
            usd.mint(actors[i], type(uint120).max);
            vm.prank(actors[i]);
            usd.approve(address(sale), type(uint256).max);
            listed[actors[i]] = i < LISTED;
        }
        _planAttacks();
    }

    function replayedOf(address investor) external view returns (uint256 paid, uint256 tokens) {
        return (replayed[investor].paid, replayed[investor].tokens);
    }

    // Investors

    function contribute(uint256 who, uint256 amountSeed, uint256 paperSeed) public {
        address investor = _actor(who);
        _contribute(investor, investor, _amount(amountSeed, investor), _paper(paperSeed));
    }

    function contributeAgain(uint256 who, uint256 amountSeed, uint256 paperSeed) external {
        contribute(who, amountSeed, paperSeed);
    }

    function contributeForAnother(uint256 who, uint256 whom, uint256 amountSeed, uint256 paperSeed) external {
        address investor = _actor(whom);
        _contribute(_actor(who), investor, _amount(amountSeed, investor), _paper(paperSeed));
    }

    /// @dev A wallet's plain transfer. Of an ERC-20 sale it must come back whole.
    function sendEther(uint256 who, uint256 amountSeed) external {
        address investor = _actor(who);
        uint256 amount = _amount(amountSeed, investor);
        (uint256 accepted, uint256 allotted) = _judge(investor, investor, amount, Paper.None);
        bool ok = _do(investor, address(SALE), amount, "");
        assertEq(ok, _isEther() && accepted != 0, "plain transfer");
        if (ok) _book(investor, accepted, allotted, amount);
    }

    /// @dev Somebody else uses the permit first, every other time; a few are forged.
    function contributeWithPermit(uint256 amountSeed, uint256 paperSeed, uint256 how) external {
        address investor = actors[0];
        uint256 amount = _amount(amountSeed, investor);
        bool forged = how % 5 == 0;
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(USD, amount);
        if (how % 2 == 0) try USD.permit(investor, address(SALE), amount, block.timestamp, v, r, s) {} catch {}
        if (forged) r = bytes32(how);
        (uint256 accepted, uint256 allotted) = _judge(investor, investor, amount, _paper(paperSeed));
        // A forged permit leaves the allowance as it was.
        if (USD.allowance(investor, address(SALE)) < accepted && forged) accepted = 0;
        bytes memory data = abi.encodeCall(
            ISale.contributeWithPermit,
            (investor, amount, _eligibility(_paper(paperSeed), investor), block.timestamp, v, r, s)
        );
        bool ok = _do(investor, address(SALE), 0, data);
        assertEq(ok, !_isEther() && accepted != 0, "contribute with permit");
        if (ok) _book(investor, accepted, allotted, amount);
        vm.prank(investor);
        USD.approve(address(SALE), type(uint256).max);
    }

    function withdraw(uint256 who, bool elsewhere) external {
        address investor = _actor(who);
        Ghost storage g = ghosts[investor];
        address to = elsewhere ? ELSEWHERE : investor;
        bool allowed = terms.coolingOff != 0 && outcome == Outcome.None && !g.rejected && g.paid != 0
            && block.timestamp < _withdrawableUntil(g) && _takes(to);
        uint256 before = _money(address(SALE));
        bool ok = _do(
            investor,
            address(SALE),
            0,
            elsewhere ? abi.encodeCall(ISale.withdrawTo, (to)) : abi.encodeCall(ISale.withdraw, ())
        );
        assertEq(ok, allowed, "withdraw");
        if (!ok) return;
        assertEq(before - _money(address(SALE)), g.paid, "exactly what was paid");
        g.back += g.paid;
        raised -= g.paid;
        sold -= g.tokens;
        (g.paid, g.tokens) = (0, 0);
        ++count["withdrawn"];
    }

    function claim(uint256 who, uint256 whom, bool elsewhere) external {
        address caller = _actor(who);
        address investor = elsewhere ? caller : _actor(whom);
        address to = elsewhere ? ELSEWHERE : investor;
        (Ghost memory g, uint256 excess) = _share(investor);
        uint256 tokens = outcome == Outcome.Succeeded ? _vested(g) : 0;
        bool allowed = outcome == Outcome.Succeeded && (tokens != 0 || excess != 0) && (excess == 0 || _takes(to));
        (uint256 money, uint256 held) = (_money(address(SALE)), TOKEN.balanceOf(address(SALE)));
        bool ok = _do(
            caller,
            address(SALE),
            0,
            elsewhere ? abi.encodeCall(ISale.claimTo, (to)) : abi.encodeCall(ISale.claim, (investor))
        );
        assertEq(ok, allowed, "claim");
        if (!ok) return;
        assertEq(held - TOKEN.balanceOf(address(SALE)), tokens, "what is vested");
        assertEq(money - _money(address(SALE)), excess, "the excess");
        g.tokens -= tokens;
        g.claimed += tokens;
        g.back += excess;
        ghosts[investor] = g;
        if (tokens != 0) ++count["claimed"];
        if (excess != 0) ++count["excess"];
    }

    function refund(uint256 who, uint256 whom, bool elsewhere) external {
        address caller = _actor(who);
        address investor = elsewhere ? caller : _actor(whom);
        address to = elsewhere ? ELSEWHERE : investor;
        (Ghost memory g, uint256 amount) = outcome == Outcome.Succeeded ? _share(investor) : (ghosts[investor], 0);
        bool whole = g.rejected || outcome == Outcome.Failed || outcome == Outcome.Cancelled;
        if (whole) amount = g.paid;
        uint256 before = _money(address(SALE));
        bool ok = _do(
            caller,
            address(SALE),
            0,
            elsewhere ? abi.encodeCall(ISale.refundTo, (to)) : abi.encodeCall(ISale.refundFor, (investor))
        );
        assertEq(ok, amount != 0 && _takes(to), "refund");
        if (amount != 0 && !ok) ++count["refused"];
        if (!ok) return;
        assertEq(before - _money(address(SALE)), amount, "exactly what was paid, or the excess");
        g.back += amount;
        if (whole) (g.paid, g.tokens, g.refunded) = (0, 0, true);
        ghosts[investor] = g;
        ++count[whole ? bytes32("refunded") : bytes32("excess")];
    }

    function object(uint256 who) external {
        address investor = _actor(who);
        uint256 stake = outcome == Outcome.Succeeded ? _stake(investor) : 0;
        bool allowed = outcome == Outcome.Succeeded && terms.tap.objection != 0 && !stopped
            && block.timestamp < settledAt + terms.tap.duration && !ghosts[investor].objected && stake != 0;
        _sweepWithoutFee();
        bool ok = _do(investor, address(VAULT), 0, abi.encodeCall(IRefundVault.object, ()));
        assertEq(ok, allowed, "object");
        if (!ok) return;
        swept = kept();
        ghosts[investor].objected = true;
        objected += stake;
        if (objected * 10_000 > kept() * terms.tap.objection) stopped = true;
        ++count[stopped ? bytes32("stopped") : bytes32("objected")];
    }

    function refundRest(uint256 who, uint256 whom, bool elsewhere) external {
        address caller = _actor(who);
        address investor = elsewhere ? caller : _actor(whom);
        address to = elsewhere ? ELSEWHERE : investor;
        Ghost storage g = ghosts[investor];
        uint256 amount = stopped && !g.restRefunded ? _stake(investor) * (kept() - released) / kept() : 0;
        uint256 before = _money(address(VAULT));
        bool ok = _do(
            caller,
            address(VAULT),
            0,
            elsewhere ? abi.encodeCall(IRefundVault.refundTo, (to)) : abi.encodeCall(IRefundVault.refundFor, (investor))
        );
        assertEq(ok, amount != 0 && _takes(to), "refund of the rest");
        if (!ok) return;
        assertEq(before - _money(address(VAULT)), amount, "its share of the rest");
        g.restRefunded = true;
        g.back += amount;
        ++count["rest"];
    }

    function walletRefuses(bool on) external {
        WALLET.setRefuses(on);
    }

    // Team and passers-by

    function close(uint256 who) external {
        address caller = who % 3 == 0 ? _complianceOr(who) : _actor(who);
        bool early = terms.coolingOff == 0 && _isSoldOut(raised) && (compliance == address(0) || caller == compliance);
        bool allowed = outcome == Outcome.None && (block.timestamp >= _closes() || early);
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.close, ()));
        assertEq(ok, allowed, "close");
        if (!ok) return;
        if (block.timestamp < _closes()) ++count["closedEarly"];
        outcome = raised < terms.softCap ? Outcome.Failed : Outcome.Succeeded;
        settledAt = block.timestamp;
        if (outcome == Outcome.Succeeded) sold = _soldAtLast();
        paused = false;
        ++count[outcome == Outcome.Failed ? bytes32("failed") : bytes32("succeeded")];
    }

    /// @dev Seldom, or no sale would get far.
    function cancel(uint256 who) external {
        address caller = who % 3 == 0 ? owner : _actor(who);
        if (caller == owner && who % 11 != 0) return;
        bool allowed =
            caller == owner && outcome == Outcome.None && block.timestamp < _closes() && raised < terms.softCap;
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.cancel, ()));
        assertEq(ok, allowed, "cancel");
        if (!ok) return;
        outcome = Outcome.Cancelled;
        paused = false;
        ++count["cancelled"];
    }

    function reject(uint256 who, uint256 by) external {
        address investor = _actor(who);
        address caller = by % 3 == 0 ? _complianceOr(by) : _actor(by);
        if (caller == compliance && by % 4 != 0) return;
        Ghost storage g = ghosts[investor];
        bool allowed = caller == compliance && outcome == Outcome.None && block.timestamp < _closes() && !g.rejected
            && g.paid != 0;
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.reject, (investor)));
        assertEq(ok, allowed, "reject");
        if (!ok) return;
        raised -= g.paid;
        sold -= g.tokens;
        (g.tokens, g.rejected) = (0, true);
        ++count["rejected"];
    }

    function setPaused(uint256 who, bool on) external {
        address caller = who % 3 == 0 ? owner : _actor(who);
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.setPaused, (on)));
        assertEq(ok, caller == owner && outcome == Outcome.None && paused != on, "pause");
        if (!ok) return;
        paused = on;
        if (on) ++count["paused"];
    }

    function rotateSigner(uint256 who) external {
        address caller = who % 3 == 0 ? owner : _actor(who);
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.setVoucherSigner, (_nextSigner())));
        assertEq(ok, caller == owner, "signer");
        if (!ok) return;
        _rotate();
        ++count["rotated"];
    }

    /// @dev Another, now and then nobody, and the first again.
    function nameCompliance(uint256 who, uint256 whom) external {
        address caller = who % 3 == 0 ? owner : _actor(who);
        address next = whom % 4 == 0 ? address(0) : whom % 4 == 1 ? makeAddr("next compliance") : terms.compliance;
        bool ok = _do(caller, address(SALE), 0, abi.encodeCall(ISale.setCompliance, (next)));
        assertEq(ok, caller == owner, "compliance");
        if (!ok) return;
        compliance = next;
        ++count["named"];
    }

    /// @dev To another account and back, in two steps.
    function handOn(uint256 who) external {
        address next = owner == terms.owner ? makeAddr("next owner") : terms.owner;
        vm.prank(owner);
        SALE.transferOwnership(next);
        assertFalse(_do(_actor(who), address(SALE), 0, abi.encodeCall(SALE.acceptOwnership, ())), "accept");
        vm.prank(next);
        SALE.acceptOwnership();
        owner = next;
    }

    function release(uint256 who) external {
        uint256 due = outcome == Outcome.Succeeded && !stopped ? _due() : 0;
        address to = who % 4 == 0 ? ELSEWHERE : terms.beneficiary;
        address caller = who % 4 == 0 ? terms.beneficiary : _actor(who);
        _sweepWithoutFee();
        uint256 before = _money(address(VAULT));
        bytes memory data =
            who % 4 == 0 ? abi.encodeCall(IRefundVault.releaseTo, (to)) : abi.encodeCall(IRefundVault.release, ());
        bool ok = _do(caller, address(VAULT), 0, data);
        assertEq(ok, due != 0, "release");
        if (!ok) return;
        uint256 arrived = kept() - swept;
        swept = kept();
        assertEq(before + arrived - _money(address(VAULT)), due, "what is due");
        released += due;
        ++count["released"];
    }

    function forbidden(uint256 who) external {
        address caller = _actor(who);
        assertFalse(_do(caller, address(SALE), 0, abi.encodeCall(ISale.returnUnsold, ())), "unsold went home");
        assertFalse(_do(caller, address(SALE), 0, abi.encodeCall(ISale.sweep, ())), "sweep");
        assertFalse(_do(caller, address(SALE), 0, abi.encodeCall(ISale.setCompliance, (caller))), "compliance");
        assertFalse(_do(caller, address(SALE), 0, abi.encodeCall(SALE.transferOwnership, (caller))), "owner");
        assertFalse(_do(caller, address(VAULT), 0, abi.encodeCall(IRefundVault.releaseTo, (caller))), "releaseTo");
        assertFalse(_do(caller, address(VAULT), 1, ""), "ether to the vault");
    }

    function warp(uint256 by) external {
        vm.warp(block.timestamp + bound(by, 1, outcome == Outcome.None ? 12 hours : 30 days));
    }

    /// @dev To the seconds around an edge, where mistakes live.
    function warpToEdge(uint256 seed) external {
        uint256 i = seed % (terms.phases.length + 3);
        uint256 n = terms.phases.length;
        uint256 edge = i < n
            ? terms.phases[i].end
            : i == n
                ? settledAt + terms.vesting.cliff
                : i == n + 1 ? settledAt + terms.vesting.duration : _withdrawableUntil(ghosts[_actor(seed >> 16)]);
        uint256 to = edge - (edge == 0 ? 0 : 1) + (seed >> 8) % 2;
        if (to > block.timestamp && to - block.timestamp < 150 days) vm.warp(to);
    }

    // Donors and the issuer of the payment token

    function forceEther(uint256 amount, bool toVault) external {
        amount = bound(amount, 1, 200 ether);
        vm.deal(address(this), amount);
        new ForceFeeder{value: amount}(payable(toVault ? address(VAULT) : address(SALE)));
        if (_isEther() && toVault) donatedToVault += amount;
        if (_isEther() && !toVault) donated += amount;
        ++count["forced"];
    }

    function donateCurrency(uint256 amount, bool toVault) external {
        amount = bound(amount, 1, 200e6);
        USD.mint(toVault ? address(VAULT) : address(SALE), amount);
        if (!_isEther() && toVault) donatedToVault += amount;
        if (!_isEther() && !toVault) donated += amount;
    }

    function donateTokens(uint256 amount) external {
        amount = bound(amount, 1, 1e24);
        deal(address(TOKEN), address(this), amount);
        assertTrue(TOKEN.transfer(address(SALE), amount));
        donatedTokens += amount;
    }

    function issuerTakesFee(bool on) external {
        USD.setFee(on);
    }

    function issuerBlocks(uint256 who, bool on) external {
        USD.setBlocked(_actor(who), on);
    }

    // The work

    function _contribute(address payer, address investor, uint256 amount, Paper paper) private {
        (uint256 accepted, uint256 allotted) = _judge(payer, investor, amount, paper);
        bytes memory data = abi.encodeCall(ISale.contribute, (investor, amount, _eligibility(paper, investor)));
        uint256 before = _money(payer);
        bool ok = _do(payer, address(SALE), _isEther() ? amount : 0, data);
        assertEq(ok, accepted != 0, "contribute");
        if (!ok) return;
        assertEq(before - _money(payer), accepted, "the payer pays what was accepted, to the base unit");
        _book(investor, accepted, allotted, amount);
        if (paper == Paper.Voucher) ++count["vouched"];
        if (paper == Paper.List) ++count["listed"];
        if (payer != investor) ++count["forAnother"];
    }

    /// @dev The model's rules, and what the payer or the payment token may spoil.
    function _judge(address payer, address investor, uint256 amount, Paper paper)
        private
        view
        returns (uint256 accepted, uint256 allotted)
    {
        (accepted, allotted) = _judgeContribution(investor, amount, paper);
        if (_isEther()) {
            if (accepted < amount && payer == address(WALLET) && WALLET.refuses()) return (0, 0);
        } else if (USD.blocked(payer) || (USD.feeOn() && accepted >= 100)) {
            return (0, 0);
        }
    }

    function _book(address investor, uint256 accepted, uint256 allotted, uint256 amount) private {
        Ghost storage g = ghosts[investor];
        raised += accepted;
        sold += allotted;
        g.paid += accepted;
        g.tokens += allotted;
        g.sent += accepted;
        uint256 elapsed = block.timestamp - terms.opens;
        g.coolsFrom = terms.opens + (elapsed + 599) / 600 * 600;
        ++count["contributed"];
        if (accepted != amount) ++count["partlyFilled"];
    }

    /// @dev A payment token that starts taking a fee between the end and the first release is not supported: the fee would
    /// be missing from the vault.
    function _sweepWithoutFee() private {
        if (swept == 0) USD.setFee(false);
    }

    /// @dev Whether an account takes money now.
    function _takes(address to) private view returns (bool) {
        if (_isEther()) return to != address(WALLET) || !WALLET.refuses();
        return !USD.blocked(to);
    }

    function _do(address caller, address to, uint256 value, bytes memory data) private returns (bool ok) {
        ATTACKER.arm(to);
        vm.recordLogs();
        vm.prank(caller);
        (ok,) = to.call{value: value}(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (ok) _replay(logs);
    }

    /// @dev Nothing but events: they alone must give the ledger.
    function _replay(Vm.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(SALE) || logs[i].topics.length < 2) continue;
            bytes32 kind = logs[i].topics[0];
            Ghost storage g = replayed[address(uint160(uint256(logs[i].topics[1])))];
            bytes memory data = logs[i].data;
            if (kind == ISale.Contributed.selector) {
                (uint256 phase, uint256 amount, uint256 tokens, uint256 paid, uint256 total, uint256 all) =
                    abi.decode(data, (uint256, uint256, uint256, uint256, uint256, uint256));
                g.paid += amount;
                g.tokens += tokens;
                replayedRaised += amount;
                replayedSold += tokens;
                assertEq(paid, g.paid, "running total of the investor");
                assertEq(total, replayedRaised, "running total of the sale");
                assertEq(all, replayedSold, "running total of the tokens");
                if (mode != Mode.ProRata) assertLe(total, terms.phases[phase].raisedUpTo, "cap of the phase");
                assertLe(tokens * terms.phases[phase].price, amount * 1e18, "rounding against the buyer");
            } else if (kind == ISale.Withdrawn.selector || kind == ISale.Rejected.selector) {
                (uint256 amount, uint256 tokens, uint256 total, uint256 all) =
                    abi.decode(data, (uint256, uint256, uint256, uint256));
                if (kind == ISale.Withdrawn.selector) g.paid -= amount;
                g.tokens -= tokens;
                replayedRaised -= amount;
                replayedSold -= tokens;
                assertEq(total, replayedRaised, "running total of the sale");
                assertEq(all, replayedSold, "running total of the tokens");
            } else if (kind == ISale.Settled.selector) {
                (g.paid, g.tokens,) = abi.decode(data, (uint256, uint256, uint256));
            } else if (kind == ISale.Claimed.selector) {
                g.tokens -= abi.decode(data, (uint256));
            } else if (kind == ISale.Refunded.selector) {
                assertEq(abi.decode(data, (uint256)), g.paid, "the refund is what was paid");
                (g.paid, g.tokens) = (0, 0);
            }
        }
    }

    function _money(address of_) private view returns (uint256) {
        return _isEther() ? of_.balance : USD.balanceOf(of_);
    }

    /// @dev Nobody cannot call.
    function _complianceOr(uint256 seed) private view returns (address) {
        return compliance == address(0) ? _actor(seed) : compliance;
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % actors.length];
    }

    /// @dev Dust, amounts about the limits, exactly or more than what is left, and all in between.
    function _amount(uint256 seed, address investor) private view returns (uint256) {
        uint256 kind = seed % 10;
        uint256 left = terms.hardCap > raised ? terms.hardCap - raised : terms.hardCap;
        uint256 paid = ghosts[investor].paid;
        seed >>= 8;
        if (kind == 0) return seed % 1000;
        if (kind == 1) return terms.minPaid + seed % 3 - 1;
        if (kind == 2) return left;
        if (kind == 3) return left + bound(seed, 1, terms.hardCap);
        if (kind == 4) return (paid < listLimit ? listLimit - paid : 0) + seed % 2;
        if (kind == 5) return (paid < voucherLimit ? voucherLimit - paid : 0) + seed % 2;
        return bound(seed, terms.minPaid, terms.maxPaid / 2);
    }

    function _planAttacks() private {
        (address sale, address vault) = (address(SALE), address(VAULT));
        ATTACKER.plan(sale, abi.encodeCall(ISale.refundFor, (address(ATTACKER))));
        ATTACKER.plan(sale, abi.encodeCall(ISale.refundFor, (actors[0])));
        ATTACKER.plan(sale, abi.encodeCall(ISale.refundTo, (address(ATTACKER))));
        ATTACKER.plan(sale, abi.encodeCall(ISale.claim, (address(ATTACKER))));
        ATTACKER.plan(sale, abi.encodeCall(ISale.claimTo, (address(ATTACKER))));
        ATTACKER.plan(sale, abi.encodeCall(ISale.withdraw, ()));
        ATTACKER.plan(sale, abi.encodeCall(ISale.withdrawTo, (address(ATTACKER))));
        ATTACKER.plan(sale, abi.encodeCall(ISale.returnUnsold, ()));
        ATTACKER.plan(sale, abi.encodeCall(ISale.cancel, ()));
        ATTACKER.plan(sale, abi.encodeCall(ISale.contribute, (address(ATTACKER), terms.minPaid, "")));
        ATTACKER.plan(sale, abi.encodeCall(ISale.sweep, ()));
        ATTACKER.plan(vault, abi.encodeCall(IRefundVault.release, ()));
        ATTACKER.plan(vault, abi.encodeCall(IRefundVault.object, ()));
        ATTACKER.plan(vault, abi.encodeCall(IRefundVault.refundFor, (address(ATTACKER))));
        ATTACKER.plan(vault, abi.encodeCall(IRefundVault.refundTo, (address(ATTACKER))));
        vm.prank(address(ATTACKER));
        USD.register(true);
    }
}
