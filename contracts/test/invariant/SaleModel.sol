// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {Currency} from "../../src/types/Currency.sol";
import {Gate, Mode, Outcome, Phase, SaleTerms} from "../../src/types/SaleTypes.sol";

/// @notice The rules of a sale, written a second time and plainly: slow, without packing, from the requirements.
abstract contract SaleModel is Test {
    /// @dev One investor. Money and tokens in base units.
    struct Ghost {
        uint256 paid; // in the position now
        uint256 tokens; // in the position now, claimed ones apart
        uint256 sent; // taken from payers for it, ever
        uint256 back; // sent back, ever: withdrawn, refunded, excess, rest
        uint256 claimed; // tokens, ever
        uint256 coolsFrom; // second from which the cooling-off counts
        bool rejected;
        bool refunded; // all that was paid, after an outcome that is no success or a rejection
        bool settled;
        bool objected;
        bool restRefunded;
    }

    /// @dev What an investor shows at the gate.
    enum Paper {
        None,
        Voucher,
        VoucherOfAnother,
        VoucherExpired,
        VoucherForOtherPhases,
        VoucherOfOldEpoch,
        VoucherOfOtherChain,
        VoucherOfOtherSale,
        List,
        ListWithOtherLimit,
        Garbage
    }

    Mode internal mode;
    SaleTerms internal terms;
    mapping(address investor => Ghost) internal ghosts;
    address[] public actors;

    uint256 public raised;
    uint256 public sold;
    bool public paused;
    Outcome public outcome;
    uint256 public settledAt;
    uint256 public swept;
    uint256 public released;
    uint256 public objected;
    bool public stopped;
    /// @dev Limits of the papers.
    uint256 internal voucherLimit;
    uint256 internal listLimit;
    /// @dev Investors on the list.
    mapping(address investor => bool) internal listed;

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    function ghostOf(address investor) external view returns (Ghost memory) {
        return ghosts[investor];
    }

    function termsOf() external view returns (SaleTerms memory) {
        return terms;
    }

    /// @dev Field by field: without the IR the compiler stores no arrays of structs.
    function _setTerms(SaleTerms memory t) internal {
        (terms.owner, terms.compliance, terms.signer, terms.beneficiary) =
        (t.owner, t.compliance, t.signer, t.beneficiary);
        (terms.token, terms.currency, terms.opens, terms.coolingOff) = (t.token, t.currency, t.opens, t.coolingOff);
        (terms.softCap, terms.hardCap, terms.minPaid, terms.maxPaid) = (t.softCap, t.hardCap, t.minPaid, t.maxPaid);
        (terms.tokensForSale, terms.unsold, terms.vesting, terms.tap) = (t.tokensForSale, t.unsold, t.vesting, t.tap);
        for (uint256 i = 0; i < t.phases.length; ++i) {
            terms.phases.push(t.phases[i]);
        }
    }

    function kept() public view returns (uint256) {
        return raised < terms.hardCap ? raised : terms.hardCap;
    }

    function _closes() internal view returns (uint256) {
        return terms.phases[terms.phases.length - 1].end;
    }

    function _isEther() internal view returns (bool) {
        return Currency.unwrap(terms.currency) == address(0);
    }

    function _isOpen() internal view returns (bool) {
        return block.timestamp >= terms.opens && block.timestamp < _closes() && outcome == Outcome.None && !paused;
    }

    /// @dev The phase with room for one base unit more than `total`; their number if none.
    function _phaseFor(uint256 total) internal view returns (uint256 i) {
        for (; i < terms.phases.length; ++i) {
            Phase memory p = terms.phases[i];
            if (block.timestamp < p.end && (mode != Mode.FixedPrice || total < p.raisedUpTo)) return i;
        }
    }

    /// @dev Price of the phase now. In an auction the line from its price to the next one's, never below it.
    function _price(uint256 phase) internal view returns (uint256) {
        Phase memory p = terms.phases[phase];
        if (mode != Mode.DutchAuction || phase == terms.phases.length - 1) return p.price;
        uint256 start = phase == 0 ? terms.opens : terms.phases[phase - 1].end;
        if (block.timestamp < start) return p.price;
        uint256 fall = uint256(p.price) - terms.phases[phase + 1].price;
        return p.price - fall * (block.timestamp - start) / (p.end - start);
    }

    /// @dev How much more than `total` can be taken in the phase now.
    function _room(uint256 phase, uint256 total) internal view returns (uint256) {
        if (mode == Mode.ProRata) return type(uint256).max;
        if (mode == Mode.FixedPrice) return terms.phases[phase].raisedUpTo - total;
        uint256 all = uint256(terms.tokensForSale) * _price(phase) / 1e18;
        if (all > terms.hardCap) all = terms.hardCap;
        return all > total ? all - total : 0;
    }

    function _isSoldOut(uint256 total) internal view returns (bool) {
        if (mode == Mode.ProRata) return false;
        uint256 i = _phaseFor(total);
        if (i == terms.phases.length) return true;
        if (mode == Mode.FixedPrice && i != terms.phases.length - 1) return false;
        return _room(i, total) * 1e18 / _price(i) == 0;
    }

    /// @return ok Whether the paper lets the investor contribute in the phase.
    /// @return limit What it may have paid after it.
    function _admits(uint256 phase, address investor, Paper paper) internal view returns (bool ok, uint256 limit) {
        Gate gate = terms.phases[phase].gate;
        if (gate == Gate.Voucher) return (paper == Paper.Voucher, voucherLimit);
        if (gate == Gate.Merkle) return (paper == Paper.List && listed[investor], listLimit);
        return (true, terms.maxPaid);
    }

    /// @return accepted Money taken. Zero: it must revert.
    /// @return allotted Tokens that go into the position at once.
    function _judgeContribution(address investor, uint256 amount, Paper paper)
        internal
        view
        returns (uint256 accepted, uint256 allotted)
    {
        Ghost memory g = ghosts[investor];
        if (!_isOpen() || g.rejected) return (0, 0);
        if (mode == Mode.ProRata && amount > terms.hardCap) return (0, 0);
        uint256 limit = terms.maxPaid;
        uint256 bought;
        while (accepted < amount) {
            uint256 phase = _phaseFor(raised + accepted);
            if (phase == terms.phases.length) break;
            uint256 part = _room(phase, raised + accepted);
            if (part == 0) break;
            if (part > amount - accepted) part = amount - accepted;
            (bool ok, uint256 personal) = _admits(phase, investor, paper);
            if (!ok) break;
            if (personal < limit) limit = personal;
            accepted += part;
            bought += part * 1e18 / _price(phase);
        }
        uint256 paid = g.paid + accepted;
        if (bought == 0 || paid > limit || (paid < terms.minPaid && !_isSoldOut(raised + accepted))) return (0, 0);
        allotted = mode == Mode.FixedPrice ? bought : 0;
    }

    function _withdrawableUntil(Ghost memory g) internal view returns (uint256) {
        uint256 until = g.coolsFrom + terms.coolingOff;
        return until < _closes() ? until : _closes();
    }

    /// @dev Tokens that a success sells.
    function _soldAtLast() internal view returns (uint256) {
        if (mode == Mode.FixedPrice) return sold;
        uint256 last = terms.phases[terms.phases.length - 1].price;
        uint256 all = kept() * 1e18 / last;
        return all < terms.tokensForSale ? all : terms.tokensForSale;
    }

    /// @return g The investor with its share of the success.
    /// @return excess Money that comes back, the first time.
    function _share(address investor) internal view returns (Ghost memory g, uint256 excess) {
        g = ghosts[investor];
        if (mode == Mode.FixedPrice || g.settled || g.rejected || g.paid == 0) return (g, 0);
        uint256 paid = g.paid;
        g.settled = true;
        g.paid = paid * kept() / raised;
        g.tokens = paid * sold / raised;
        excess = paid * (raised - kept()) / raised;
    }

    /// @dev Share at once, cliff, line.
    function _freed(uint256 total, uint256 atOnce, uint256 cliff, uint256 duration) internal view returns (uint256) {
        uint256 elapsed = block.timestamp - settledAt;
        if (elapsed >= duration) return total;
        uint256 first = total * atOnce / 10_000;
        return elapsed < cliff ? first : first + (total - first) * elapsed / duration;
    }

    function _vested(Ghost memory g) internal view returns (uint256) {
        uint256 total = g.tokens + g.claimed;
        return _freed(total, terms.vesting.atOnce, terms.vesting.cliff, terms.vesting.duration) - g.claimed;
    }

    function _due() internal view returns (uint256) {
        return _freed(kept(), terms.tap.atOnce, 0, terms.tap.duration) - released;
    }

    function _stake(address investor) internal view returns (uint256) {
        (Ghost memory g,) = _share(investor);
        return g.rejected ? 0 : g.paid;
    }
}
