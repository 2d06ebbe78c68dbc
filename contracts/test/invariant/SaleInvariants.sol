// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {Outcome, SaleTerms} from "../../src/types/SaleTypes.sol";
import {SaleTest} from "../utils/SaleTest.sol";
import {HookToken} from "../utils/Tokens.sol";
import {SaleHandler} from "./SaleHandler.sol";

/// @notice What holds of every sale after every sequence of calls by anyone.
abstract contract SaleInvariants is SaleTest {
    FixedPriceSale internal sale;
    RefundVault internal vault;
    HookToken internal usd;
    SaleHandler internal handler;

    function setUp() public override {
        super.setUp();
        usd = new HookToken(6);
        SaleTerms memory t = _terms();
        t.softCap = t.hardCap * 8 / 10;
        (sale, vault) = createSale(t);
        handler = new SaleHandler(sale, vault, usd);
        vm.warp(OPENS - 1 hours);
        targetContract(address(handler));
    }

    function _terms() internal view virtual returns (SaleTerms memory);

    function _balance(address of_) internal view virtual returns (uint256);

    /// @dev One campaign for all: each invariant of its own would run the same calls again.
    function invariant_AllHold() external view {
        _moneyHeldIsMoneyOwed();
        _theTotalsAreTheSums();
        _tokensHeldAreTokensOwed();
        _theCapsHold();
        _oneOutcomeForEver();
        _tokensOrMoneyNeverBothAndNeverMore();
        _theBeneficiaryIsPaidOnlyAfterSuccess();
        _reEnteringGetsNowhere();
        _replayingTheEventsGivesTheLedger();
    }

    /// @notice Money held is exactly what is owed, and what was given without being asked for.
    function _moneyHeldIsMoneyOwed() private view {
        uint256 swept = handler.released();
        assertEq(_balance(address(sale)), handler.raised() - handler.refunded() - swept + handler.donated());
        uint256 owed;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid,) = sale.positionOf(handler.actors(i));
            owed += paid;
        }
        if (handler.outcome() != Outcome.Succeeded) assertGe(_balance(address(sale)), owed);
    }

    function _theTotalsAreTheSums() private view {
        uint256 paid;
        uint256 tokens;
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 p, uint256 t,,) = handler.ghosts(handler.actors(i));
            paid += p;
            tokens += t;
        }
        (uint256 raised, uint256 sold,) = sale.totals();
        assertEq(raised, paid);
        assertEq(sold, tokens);
        assertLe(sold, sale.terms().tokensForSale);
    }

    function _tokensHeldAreTokensOwed() private view {
        uint256 held = token.balanceOf(address(sale)) - handler.donatedTokens();
        uint256 escrow = sale.terms().tokensForSale;
        if (handler.outcome() == Outcome.None) assertEq(held, escrow);
        else if (handler.outcome() == Outcome.Succeeded) assertEq(held, handler.sold() - handler.claimed());
        else assertEq(held, 0);
    }

    function _theCapsHold() private view {
        SaleTerms memory t = sale.terms();
        (uint256 raised,,) = sale.totals();
        assertLe(raised, t.hardCap);
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid,) = sale.positionOf(handler.actors(i));
            assertLe(paid, t.maxPaid);
        }
    }

    /// @notice The model latches once; the sale never departs from it.
    function _oneOutcomeForEver() private view {
        (,, Outcome outcome) = sale.totals();
        assertEq(uint256(outcome), uint256(handler.outcome()));
    }

    function _tokensOrMoneyNeverBothAndNeverMore() private view {
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid, uint256 tokens, uint256 refunded, uint256 claimed) = handler.ghosts(handler.actors(i));
            assertTrue(refunded == 0 || claimed == 0);
            assertLe(refunded, paid);
            assertLe(claimed, tokens);
            (uint256 paid_, uint256 tokens_) = sale.positionOf(handler.actors(i));
            assertEq(paid_, paid - refunded);
            assertEq(tokens_, refunded == 0 ? tokens - claimed : 0);
        }
    }

    function _theBeneficiaryIsPaidOnlyAfterSuccess() private view {
        assertEq(_balance(beneficiary), handler.released());
        if (handler.released() != 0) {
            assertEq(uint256(handler.outcome()), uint256(Outcome.Succeeded));
            assertEq(handler.released(), handler.raised());
        }
    }

    function _reEnteringGetsNowhere() private view {
        assertEq(handler.ATTACKER().successes(), 0);
    }

    function _replayingTheEventsGivesTheLedger() private view {
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            (uint256 paid, uint256 tokens,,) = handler.ghosts(handler.actors(i));
            (uint256 paid_, uint256 tokens_,,) = handler.replayed(handler.actors(i));
            assertEq(paid_, paid);
            assertEq(tokens_, tokens);
        }
    }

    /// @notice After the end, from whatever was reached, everyone leaves with tokens or money.
    function afterInvariant() external {
        _everyoneLeaves();
    }

    /// @notice The handler reaches every outcome and every action: none of the above holds for want of trying.
    function test_TheHandlerReachesEverything() external {
        bytes32[10] memory actions = [
            bytes32("contributed"),
            "partlyFilled",
            "succeeded",
            "failed",
            "cancelled",
            "claimed",
            "refunded",
            "released",
            "forced",
            "refused"
        ];
        uint256[10] memory counts;
        uint256 attempts;
        for (uint256 run = 0; run < 64; ++run) {
            uint256 snapshot = vm.snapshotState();
            for (uint256 i = 0; i < 64; ++i) {
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
            if (actions[i] == "refused" && !handler.ETHER()) continue; // Nobody can refuse a token.
            assertGt(counts[i], 0, string(abi.encodePacked(actions[i])));
        }
        assertGt(attempts, 0, "re-entered");
    }

    function _everyoneLeaves() private {
        if (block.timestamp < CLOSES) vm.warp(CLOSES);
        (,, Outcome outcome) = sale.totals();
        if (outcome == Outcome.None) sale.close();
        (,, outcome) = sale.totals();
        for (uint256 i = 0; i < handler.actorCount(); ++i) {
            address investor = handler.actors(i);
            (uint256 paid, uint256 tokens) = sale.positionOf(investor);
            address to = makeAddr(string(abi.encodePacked("exit", i)));
            if (outcome == Outcome.Succeeded) {
                if (tokens == 0) continue;
                vm.prank(investor);
                sale.claimTo(to);
                assertEq(token.balanceOf(to), tokens);
            } else {
                if (paid == 0) continue;
                vm.prank(investor);
                sale.refundTo(to);
                assertEq(_balance(to), paid);
            }
        }
        if (outcome == Outcome.Succeeded) {
            if (handler.released() == 0) vault.release();
            (uint256 raised,,) = sale.totals();
            assertEq(_balance(beneficiary), raised);
        }
        assertEq(_balance(address(sale)), handler.donated());
        assertEq(token.balanceOf(address(sale)), handler.donatedTokens());
    }

    function _step(uint256 seed) private {
        uint256 action = seed % 20;
        (uint256 a, uint256 b, uint256 c) = (uint64(seed >> 8), uint64(seed >> 72), uint64(seed >> 136));
        if (action < 4) handler.contribute(a, b);
        else if (action == 4) handler.contributeAgain(a, b);
        else if (action == 5) handler.contributeForAnother(a, b, c);
        else if (action == 6) handler.sendEther(a, b);
        else if (action == 7) handler.claim(a, b);
        else if (action == 8) handler.claimElsewhere(a);
        else if (action == 9) handler.refund(a, b);
        else if (action == 10) handler.refundElsewhere(a);
        else if (action == 11) handler.walletRefuses(a % 2 == 0);
        else if (action == 12) handler.close(a);
        else if (action == 13) handler.cancel(a);
        else if (action == 14) handler.release(a);
        else if (action == 15) handler.returnUnsold(a);
        else if (action == 16) handler.warp(a);
        else if (action == 17) handler.warpToEdge(a);
        else if (action == 18) handler.forceEther(a, b % 2 == 0);
        else handler.donateTokens(a);
    }
}
