// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RefundVault} from "../../src/RefundVault.sol";
import {Sale} from "../../src/Sale.sol";
import {Gate, Mode, Outcome, SaleTerms, Tap, Vesting} from "../../src/types/SaleTypes.sol";
import {Wallet} from "../utils/Actors.sol";
import {SaleTest} from "../utils/SaleTest.sol";
import {HostileToken, ReEnteringInvestor} from "./Hostile.sol";
import {FIRST_SIGNER, rootOf} from "./Papers.sol";
import {SaleHandler} from "./SaleHandler.sol";
import {SaleModel} from "./SaleModel.sol";

/// @notice What holds of every sale after every sequence of calls by anyone. The numbers are those of the design's proof
/// obligations.
abstract contract SaleInvariants is SaleTest {
    Sale internal sale;
    RefundVault internal vault;
    HostileToken internal usd;
    SaleHandler internal handler;
    address private compliance = makeAddr("compliance");

    function setUp() public override {
        super.setUp();
        usd = new HostileToken(6);
        address[] memory investors = new address[](5);
        investors[0] = vm.addr(0x1271);
        investors[1] = makeAddr("i1");
        investors[2] = makeAddr("i2");
        investors[3] = address(new Wallet());
        investors[4] = address(new ReEnteringInvestor());

        SaleTerms memory t = _isEther() ? terms() : paidIn(address(usd), 6);
        uint256 unit = _isEther() ? 1 ether : 1e6;
        (t.compliance, t.signer) = (compliance, vm.addr(FIRST_SIGNER));
        t.softCap = uint120(25 * unit);
        t.phases[1].gate = Gate.Voucher;
        t.phases[2].gate = Gate.Merkle;
        t.phases[2].root = rootOf(investors, 45 * unit);
        _shape(t, unit);
        (address s, address v) = factory.create(_mode(), t, documents(), noAllocations());
        (sale, vault) = (Sale(payable(s)), RefundVault(payable(v)));
        handler = new SaleHandler(_mode(), sale, vault, usd, investors, 40 * unit, 45 * unit);
        vm.warp(OPENS - 1 hours);
        targetContract(address(handler));
    }

    function _mode() internal pure virtual returns (Mode);

    function _isEther() internal pure virtual returns (bool);

    /// @dev Prices of the mode; schedules and cooling-off in the sales for ether, none in the others.
    function _shape(SaleTerms memory t, uint256 unit) internal pure {
        if (_mode() == Mode.ProRata) {
            for (uint256 i = 0; i < 4; ++i) {
                (t.phases[i].price, t.phases[i].raisedUpTo) = (uint128(unit / 1000), t.hardCap);
            }
        } else if (_mode() == Mode.DutchAuction) {
            t.tokensForSale = 30_000e18;
            for (uint256 i = 0; i < 4; ++i) {
                (t.phases[i].price, t.phases[i].raisedUpTo) = (uint128(unit * (4 - i) / 1000 + i), t.hardCap);
            }
        }
        if (!_isEther()) return;
        if (_mode() != Mode.DutchAuction) t.coolingOff = 12 hours;
        t.vesting = Vesting({atOnce: 2000, cliff: 10 days, duration: 100 days});
        t.tap = Tap({atOnce: 1500, duration: 120 days, objection: 4000});
    }

    function _money(address of_) internal view returns (uint256) {
        return _isEther() ? of_.balance : usd.balanceOf(of_);
    }

    /// @dev One campaign for all: each invariant of its own would run the same calls again. 9 is `afterInvariant`; 10 and 13
    /// hold because the handler's model, in which no pause, role or false voucher matters, foresees every call; 11 is a
    /// property of its own (test/fuzz).
    function invariant_AllHold() external view {
        _moneyHeldIsMoneyOwed();
        _theTotalsAreTheSums();
        _tokensHeldAreTokensOwed();
        _capsAndLimitsHold();
        _oneOutcomeForEver();
        _tokensOrMoneyAndNeverMore();
        _theBeneficiaryIsPaidOnlyAfterSuccessAndOnSchedule();
        _reEnteringGetsNowhere();
        _replayingTheEventsGivesTheLedger();
    }

    /// @notice 1, 12: money held is exactly what is owed, what was given without being asked for, and dust.
    function _moneyHeldIsMoneyOwed() private view {
        uint256 owed = handler.outcome() == Outcome.Succeeded ? handler.kept() - handler.swept() : 0;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            SaleModel.Ghost memory g = handler.ghostOf(handler.actors(i));
            (uint256 paid,) = sale.positionOf(handler.actors(i));
            (, uint256 excess) = sale.claimable(handler.actors(i));
            owed += handler.outcome() == Outcome.Succeeded && !g.rejected ? excess : paid;
        }
        uint256 held = _money(address(sale)) - handler.donated();
        assertGe(held, owed, "1: money held");
        assertLe(held - owed, handler.outcome() == Outcome.Succeeded ? handler.actorCount() : 0, "1: dust");
        uint256 vaultHolds = _money(address(vault)) - handler.donatedToVault();
        uint256 rest = handler.swept() - handler.released();
        assertLe(vaultHolds, rest, "1: the vault");
        uint256 refundable;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            refundable += vault.refundable(handler.actors(i));
        }
        assertGe(vaultHolds, refundable, "1: the vault pays everyone");
        if (!handler.stopped()) assertEq(vaultHolds, rest, "1: the vault keeps what is not due");
    }

    /// @notice 2: the totals are the sums, and no more is sold than is there.
    function _theTotalsAreTheSums() private view {
        uint256 paid;
        uint256 tokens;
        uint256 stakes;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            address investor = handler.actors(i);
            SaleModel.Ghost memory g = handler.ghostOf(investor);
            (uint256 paid_, uint256 tokens_) = sale.positionOf(investor);
            assertEq(paid_, g.paid, "2: paid");
            assertEq(tokens_, g.tokens, "2: tokens");
            if (!g.rejected) paid += g.paid;
            tokens += g.tokens + g.claimed;
            stakes += sale.stakeOf(investor);
        }
        (uint256 raised, uint256 sold,) = sale.totals();
        assertEq(raised, handler.raised(), "2: raised");
        assertEq(sold, handler.sold(), "2: sold");
        assertLe(sold, sale.terms().tokensForSale, "2: escrow");
        assertLe(stakes, handler.kept(), "2: stakes");
        if (handler.outcome() == Outcome.None) {
            assertEq(raised, paid, "2: sum of paid");
            assertEq(sold, tokens, "2: sum of tokens");
        } else if (handler.outcome() == Outcome.Succeeded) {
            assertLe(tokens, sold, "2: tokens after success");
        }
    }

    function _tokensHeldAreTokensOwed() private view {
        uint256 held = token.balanceOf(address(sale)) - handler.donatedTokens();
        uint256 claimed;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            claimed += handler.ghostOf(handler.actors(i)).claimed;
        }
        if (handler.outcome() == Outcome.None) {
            assertEq(held, sale.terms().tokensForSale, "escrow");
        } else if (handler.outcome() == Outcome.Succeeded) {
            assertEq(held, handler.sold() - claimed, "sold and not claimed");
        } else {
            assertEq(held, 0, "all tokens went home");
        }
    }

    /// @notice 3, 4: caps, and limits of every investor. Limits of phases and papers are the handler's.
    function _capsAndLimitsHold() private view {
        SaleTerms memory t = sale.terms();
        (uint256 raised,,) = sale.totals();
        if (_mode() != Mode.ProRata) assertLe(raised, t.hardCap, "3: hard cap");
        assertLe(handler.swept(), t.hardCap, "3: the vault gets no more than the hard cap");
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid,) = sale.positionOf(handler.actors(i));
            assertLe(paid, t.maxPaid, "4: maximum");
        }
    }

    /// @notice 5: the model latches once; the sale never departs from it.
    function _oneOutcomeForEver() private view {
        (,, Outcome outcome) = sale.totals();
        assertEq(uint256(outcome), uint256(handler.outcome()), "5: outcome");
        assertEq(sale.paused(), handler.paused(), "10: paused");
        assertEq(sale.settledAt(), handler.settledAt(), "5: second of the outcome");
    }

    /// @notice 6, 7, 14: tokens or money, never more of either than is due.
    function _tokensOrMoneyAndNeverMore() private view {
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            SaleModel.Ghost memory g = handler.ghostOf(handler.actors(i));
            assertTrue(!g.refunded || g.claimed == 0, "6: refunded and claimed");
            assertLe(g.back, g.sent, "7: out is at most in");
            (uint256 tokens,) = sale.claimable(handler.actors(i));
            if (g.settled || _mode() == Mode.FixedPrice) assertLe(tokens, g.tokens, "14: claimable");
        }
    }

    /// @notice 8, 15: nothing before success, and no more than the schedule says.
    function _theBeneficiaryIsPaidOnlyAfterSuccessAndOnSchedule() private view {
        uint256 released = handler.released();
        (, uint256 released_) = vault.account();
        assertEq(released_, released, "8: released");
        if (released == 0) return;
        assertEq(uint256(handler.outcome()), uint256(Outcome.Succeeded), "8: success");
        Tap memory tap = sale.terms().tap;
        uint256 elapsed = block.timestamp - sale.settledAt();
        if (elapsed >= tap.duration) return;
        uint256 kept = handler.kept();
        uint256 most = kept * tap.atOnce / 10_000;
        assertLe(released, most + (kept - most) * elapsed / tap.duration, "15: schedule");
    }

    /// @notice 16: who re-enters gains nothing; that others lose nothing is in the model.
    function _reEnteringGetsNowhere() private view {
        assertEq(handler.ATTACKER().successes(), 0, "16: re-entered");
    }

    /// @notice 17: the events alone give the ledger.
    function _replayingTheEventsGivesTheLedger() private view {
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid, uint256 tokens) = handler.replayedOf(handler.actors(i));
            (uint256 paid_, uint256 tokens_) = sale.positionOf(handler.actors(i));
            assertEq(paid_, paid, "17: paid");
            assertEq(tokens_, tokens, "17: tokens");
        }
    }

    /// @notice 9: after the end, from whatever was reached, everyone leaves with tokens or money.
    function afterInvariant() external {
        _everyoneLeaves();
    }

    /// @notice The handler reaches every outcome and every action: none of the above holds for want of trying.
    function test_TheHandlerReachesEverything() external {
        bytes32[23] memory actions = [
            bytes32("contributed"),
            "partlyFilled",
            "forAnother",
            "vouched",
            "listed",
            "succeeded",
            "failed",
            "cancelled",
            "claimed",
            "refunded",
            "released",
            "forced",
            "rejected",
            "paused",
            "rotated",
            "refused",
            "withdrawn",
            "objected",
            "stopped",
            "rest",
            "excess",
            "named",
            "closedEarly"
        ];
        uint256[23] memory counts;
        uint256 attempts;
        for (uint256 run = 0; run < 96; ++run) {
            uint256 snapshot = vm.snapshotState();
            for (uint256 i = 0; i < 160; ++i) {
                _step(uint256(keccak256(abi.encode(run, i))));
            }
            for (uint256 i = 0; i < actions.length; ++i) {
                counts[i] += handler.count(actions[i]);
            }
            attempts += handler.ATTACKER().attempts();
            _everyoneLeaves();
            vm.revertToState(snapshot);
        }
        for (uint256 i = 0; i < actions.length; ++i) {
            if (actions[i] == "withdrawn" && sale.terms().coolingOff == 0) continue;
            if ((actions[i] == "objected" || actions[i] == "stopped" || actions[i] == "rest") && !_isEther()) continue;
            if (actions[i] == "excess" && _mode() != Mode.ProRata) continue;
            if (actions[i] == "closedEarly" && (sale.terms().coolingOff != 0 || _mode() == Mode.ProRata)) continue;
            if (actions[i] == "partlyFilled" && _mode() == Mode.ProRata) continue;
            assertGt(counts[i], 0, string(abi.encodePacked(actions[i])));
        }
        assertGt(attempts, 0, "re-entered");
    }

    function _everyoneLeaves() private {
        if (block.timestamp < CLOSES) vm.warp(CLOSES);
        usd.setFee(false);
        (,, Outcome outcome) = sale.totals();
        if (outcome == Outcome.None) sale.close();
        (,, outcome) = sale.totals();
        vm.warp(block.timestamp + 121 days);
        if (outcome == Outcome.Succeeded && !handler.stopped() && vault.releasable() + _unswept() != 0) {
            vault.release();
        }
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            _leave(handler.actors(i), makeAddr(string(abi.encodePacked("exit", i))), outcome);
        }
        uint256 dust = handler.actorCount();
        bool uniform = _mode() != Mode.FixedPrice && outcome == Outcome.Succeeded;
        assertLe(_money(address(sale)) - handler.donated(), uniform ? dust : 0, "9: money left in the sale");
        assertLe(
            token.balanceOf(address(sale)) - handler.donatedTokens(), uniform ? dust : 0, "9: tokens left in the sale"
        );
        assertLe(_money(address(vault)) - handler.donatedToVault(), handler.stopped() ? dust * 2 : 0, "9: in the vault");
    }

    function _unswept() private view returns (uint256) {
        (uint256 received,) = vault.account();
        return received == 0 ? 1 : 0;
    }

    /// @dev What one investor gets is exactly what the views said.
    function _leave(address investor, address to, Outcome outcome) private {
        (uint256 tokens, uint256 excess) = sale.claimable(investor);
        (uint256 paid,) = sale.positionOf(investor);
        bool rejected = handler.ghostOf(investor).rejected;
        vm.startPrank(investor);
        if (tokens + excess != 0) {
            sale.claimTo(to);
            assertEq(token.balanceOf(to), tokens, "9: tokens");
        }
        if (paid != 0 && (rejected || outcome != Outcome.Succeeded)) {
            sale.refundTo(to);
            excess = paid;
        }
        uint256 rest = vault.refundable(investor);
        if (rest != 0) vault.refundTo(to);
        assertEq(_money(to), excess + rest, "9: money");
        vm.stopPrank();
    }

    function _step(uint256 seed) private {
        uint256 action = seed % 32;
        (uint256 a, uint256 b, uint256 c) = (uint64(seed >> 8), uint64(seed >> 72), uint64(seed >> 136));
        if (action < 7) handler.contribute(a, b, c);
        else if (action == 7) handler.contributeForAnother(a, b, c, seed >> 200);
        else if (action == 8) handler.sendEther(a, b);
        else if (action == 9) handler.contributeWithPermit(a, b, c);
        else if (action < 12) handler.claim(a, b, c % 2 == 0);
        else if (action < 14) handler.refund(a, b, c % 2 == 0);
        else if (action == 14) handler.withdraw(a, b % 2 == 0);
        else if (action == 15) handler.object(a);
        else if (action == 16) handler.refundRest(a, b, c % 2 == 0);
        else if (action == 17) handler.walletRefuses(a % 2 == 0);
        else if (action < 20) handler.close(a);
        else if (action == 20) handler.cancel(a);
        else if (action == 21) handler.reject(a, b);
        else if (action == 22) handler.setPaused(a, b % 4 == 0);
        else if (action == 23 && b % 2 == 0) handler.rotateSigner(a);
        else if (action == 23) handler.nameCompliance(a, c);
        else if (action == 24) handler.handOn(a);
        else if (action == 25) handler.release(a);
        else if (action == 26) handler.forbidden(a);
        else if (action == 27) handler.warp(a);
        else if (action == 28) handler.warpToEdge(a);
        else if (action == 29) handler.forceEther(a, b % 2 == 0);
        else if (action == 30) handler.issuerBlocks(a, b % 3 != 0);
        else handler.issuerTakesFee(a % 4 == 0);
    }
}
