// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Calldata} from "@openzeppelin/contracts/utils/Calldata.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {SaleRoles} from "./access/SaleRoles.sol";
import {ISale} from "./interfaces/ISale.sol";
import {Gates, Verdict} from "./libraries/Gates.sol";
import {Ledger, Position, Totals} from "./libraries/Ledger.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {Currency} from "./types/Currency.sol";
import {Gate, Outcome, Phase, SaleTerms, State, Unsold, Vesting} from "./types/SaleTypes.sol";

/// @title Sale
/// @notice Ledger, gates, states and outcomes that every mode shares; a mode adds the price.
/// @dev A clone reads its terms from its own code (`SaleArgs`). Storage holds only what investors, roles and outcomes change.
abstract contract Sale is ISale, SaleRoles, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SaleArgs for bytes;

    /// @dev Touched a few times in a sale's life, so it stays out of the slot that every contribution writes.
    struct Settlement {
        bool swept;
        bool unsoldReturned;
        uint40 settledAt;
    }

    /// @dev What the sold token gets at least to move the unsold.
    uint256 private constant RETURN_GAS = 200_000;

    /// @dev Seconds that a time mark counts: with them, 16 bits reach over the longest sale.
    uint256 private constant MARK_UNIT = 10 minutes;

    address private immutable IMPLEMENTATION;
    address private immutable VAULT_IMPLEMENTATION;

    /// @dev Refunds and claims empty positions, not history: only withdrawals and rejections take from the sums.
    Totals private $totals;
    Settlement private $settlement;
    /// @dev `paid` is the exact refund.
    mapping(address investor => Position) private $positions;
    /// @dev Of allotments that vest: token base units claimed so far.
    mapping(address investor => uint256) private $claimed;

    /// @param vaultImplementation Code of the vaults that factories create beside sales of this code.
    constructor(address vaultImplementation) Ownable(address(this)) {
        IMPLEMENTATION = address(this);
        VAULT_IMPLEMENTATION = vaultImplementation;
    }

    /// @inheritdoc ISale
    receive() external payable nonReentrantView {
        bytes memory args = _args();
        if (!args.currency().isEther()) revert EtherNotAccepted(Currency.unwrap(args.currency()));
        _contribute(args, msg.sender, msg.value, Calldata.emptyBytes());
    }

    /// @inheritdoc ISale
    function contribute(address investor, uint256 amount, bytes calldata eligibility)
        external
        payable
        nonReentrantView
        returns (uint256 accepted, uint256 tokens)
    {
        bytes memory args = _args();
        uint256 expected = args.currency().isEther() ? amount : 0;
        if (msg.value != expected) revert WrongValue(expected, msg.value);
        return _contribute(args, investor, amount, eligibility);
    }

    /// @inheritdoc ISale
    function contributeWithPermit(
        address investor,
        uint256 amount,
        bytes calldata eligibility,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrantView returns (uint256 accepted, uint256 tokens) {
        bytes memory args = _args();
        if (args.currency().isEther()) revert WrongValue(amount, 0);
        _tryPermit(Currency.unwrap(args.currency()), amount, deadline, v, r, s);
        return _contribute(args, investor, amount, eligibility);
    }

    /// @inheritdoc ISale
    function withdraw() external nonReentrant returns (uint256 amount) {
        return _withdraw(msg.sender);
    }

    /// @inheritdoc ISale
    function withdrawTo(address to) external nonReentrant returns (uint256 amount) {
        return _withdraw(to);
    }

    /// @inheritdoc ISale
    function reject(address investor) external {
        bytes memory args = _args();
        Totals t = $totals;
        _checkCompliance(args);
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (block.timestamp >= args.closes()) revert RejectTooLate(args.closes());
        Position p = $positions[investor];
        if (p.isRejected()) revert InvestorRejected(investor);
        if (p.paid() == 0) revert NothingToReject(investor);

        t = t.less(p);
        $totals = t;
        $positions[investor] = Ledger.position(p.paid(), 0, Ledger.REJECTED);
        emit Rejected(investor, msg.sender, p.paid(), p.tokens(), t.raised(), t.sold());
    }

    /// @inheritdoc ISale
    function setPaused(bool on) external onlyOwner {
        Totals t = $totals;
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (t.isPaused() == on) revert PauseUnchanged(on);
        $totals = t.paused(on);
        emit PauseChanged(on);
    }

    /// @inheritdoc ISale
    function close() external {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (block.timestamp < args.closes() && !_closesEarly(args, t)) revert SaleNotEnded(args.closes());

        Outcome outcome = t.raised() < args.softCap() ? Outcome.Failed : Outcome.Succeeded;
        t = t.settled(outcome, outcome == Outcome.Succeeded ? _soldAtLast(args, t) : t.sold());
        $totals = t;
        $settlement.settledAt = uint40(block.timestamp);
        emit Closed(outcome, outcome == Outcome.Succeeded ? _kept(args, t) : t.raised(), t.sold());
        _tryReturnUnsold();
    }

    /// @inheritdoc ISale
    function cancel() external onlyOwner {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (block.timestamp >= args.closes()) revert CancelTooLate(args.closes());
        if (t.raised() >= args.softCap()) revert SoftCapReached(args.softCap(), t.raised());

        $totals = t.settled(Outcome.Cancelled, t.sold());
        emit Cancelled(t.raised(), t.sold());
        _tryReturnUnsold();
    }

    /// @inheritdoc ISale
    function returnUnsold() external nonReentrant {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() == Outcome.None) revert NotSettled(_state(args, t.outcome()));
        bool succeeded = t.outcome() == Outcome.Succeeded;
        uint256 amount = args.tokensForSale() - (succeeded ? t.sold() : 0);
        if ($settlement.unsoldReturned || amount == 0) revert NothingUnsold();

        $settlement.unsoldReturned = true;
        address to = succeeded && args.unsold() == Unsold.Burn ? address(0) : owner();
        emit UnsoldReturned(to, amount);
        if (to == address(0)) ERC20Burnable(args.token()).burn(amount);
        else IERC20(args.token()).safeTransfer(to, amount);
    }

    /// @inheritdoc ISale
    function claim(address investor) external nonReentrant returns (uint256 tokens) {
        return _claim(investor, investor);
    }

    /// @inheritdoc ISale
    function claimTo(address to) external nonReentrant returns (uint256 tokens) {
        return _claim(msg.sender, to);
    }

    /// @inheritdoc ISale
    function refundFor(address investor) external nonReentrant returns (uint256 amount) {
        return _refund(investor, investor);
    }

    /// @inheritdoc ISale
    function refundTo(address to) external nonReentrant returns (uint256 amount) {
        if (to == address(0)) revert InvalidReceiver(to);
        return _refund(msg.sender, to);
    }

    /// @inheritdoc ISale
    function sweep() external nonReentrant returns (uint256 amount) {
        bytes memory args = _args();
        address vault_ = _vault(args);
        if (msg.sender != vault_) revert OnlyVault(vault_, msg.sender);
        Totals t = $totals;
        if (t.outcome() != Outcome.Succeeded) revert NotSucceeded(_state(args, t.outcome()));
        if ($settlement.swept) revert AlreadySwept();

        $settlement.swept = true;
        amount = _kept(args, t);
        emit Swept(amount);
        args.currency().send(vault_, amount);
    }

    /// @inheritdoc ISale
    function terms() external view returns (SaleTerms memory) {
        return _args().unpack();
    }

    /// @inheritdoc ISale
    function state() external view returns (State) {
        return _state(_args(), $totals.outcome());
    }

    /// @inheritdoc ISale
    function closes() external view returns (uint256) {
        return _args().closes();
    }

    /// @inheritdoc ISale
    function totals() external view returns (uint256 raised, uint256 sold, Outcome outcome) {
        Totals t = $totals;
        return (t.raised(), t.sold(), t.outcome());
    }

    /// @inheritdoc ISale
    function paused() external view returns (bool) {
        return $totals.isPaused();
    }

    /// @inheritdoc ISale
    function settledAt() external view returns (uint256) {
        return $settlement.settledAt;
    }

    /// @inheritdoc ISale
    function factory() external view returns (address) {
        return _args().factory();
    }

    /// @inheritdoc ISale
    function positionOf(address investor) external view returns (uint256 paid, uint256 tokens) {
        Position p = $positions[investor];
        return (p.paid(), p.tokens());
    }

    /// @inheritdoc ISale
    function claimedOf(address investor) external view returns (uint256) {
        return $claimed[investor];
    }

    /// @inheritdoc ISale
    function coolingOffUntil(address investor) external view returns (uint256 until) {
        bytes memory args = _args();
        Position p = $positions[investor];
        if (p.paid() == 0 || p.isRejected() || $totals.outcome() != Outcome.None) return 0;
        return _coolingOffUntil(args, p);
    }

    /// @inheritdoc ISale
    function claimable(address investor) external view returns (uint256 tokens, uint256 excess) {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() != Outcome.Succeeded) return (0, 0);
        Position p;
        (p, excess) = _settled(args, t, $positions[investor]);
        (tokens,) = _vested(args, investor, p.tokens());
    }

    /// @inheritdoc ISale
    function stakeOf(address investor) external view returns (uint256) {
        bytes memory args = _args();
        Totals t = $totals;
        Position p = $positions[investor];
        if (t.outcome() != Outcome.Succeeded || p.isRejected()) return 0;
        (p,) = _settled(args, t, p);
        return p.paid();
    }

    /// @inheritdoc ISale
    function quote(uint256 amount) external view returns (uint256 accepted, uint256 tokens) {
        bytes memory args = _args();
        Totals t = $totals;
        _requireOpen(args, t);
        while (accepted != amount) {
            (, uint256 part, uint256 bought) = _nextPart(args, t.raised() + accepted, amount - accepted);
            if (part == 0) break;
            accepted += part;
            tokens += bought;
        }
    }

    /// @inheritdoc ISale
    function activePhase() external view returns (uint256 index, Phase memory phase) {
        bytes memory args = _args();
        Totals t = $totals;
        _requireOpen(args, t);
        (index,) = _phaseAndPrice(args, t.raised());
        if (index == args.phaseCount()) revert SoldOut(args.hardCap());
        phase = args.phase(index);
    }

    /// @inheritdoc ISale
    function price() external view returns (uint256 value) {
        bytes memory args = _args();
        Totals t = $totals;
        _requireOpen(args, t);
        uint256 index;
        (index, value) = _phaseAndPrice(args, t.raised());
        if (index == args.phaseCount()) revert SoldOut(args.hardCap());
    }

    /// @inheritdoc ISale
    function vault() external view returns (address) {
        return _vault(_args());
    }

    /// @dev The next part of a contribution of `left`, as far as one price reaches, when `raised` is taken already.
    /// @return phase Index of the phase whose price applies.
    /// @return amount Payment base units of the part; zero when nothing more is taken.
    /// @return tokens Token base units it buys at the price of this block, rounded down: against the buyer.
    function _nextPart(bytes memory args, uint256 raised, uint256 left)
        internal
        view
        virtual
        returns (uint256 phase, uint256 amount, uint256 tokens);

    /// @dev Whether what is left to be taken buys nothing.
    function _isSoldOut(bytes memory args, uint256 raised) internal view virtual returns (bool);

    /// @return index Index of the phase of this block, the number of phases if there is none.
    /// @return value Its price now.
    function _phaseAndPrice(bytes memory args, uint256 raised)
        internal
        view
        virtual
        returns (uint256 index, uint256 value);

    /// @dev Whether a contribution is allotted its tokens at once, and not by the outcome.
    function _allotsAtOnce() internal pure virtual returns (bool);

    /// @return Token base units that a success has sold.
    function _soldAtLast(bytes memory args, Totals t) internal view virtual returns (uint256);

    /// @dev A position with its share of a success in it; where contributions are allotted at once, it is there already.
    /// @return The position, not stored.
    /// @return excess Payment base units that come back, the first time.
    function _settled(bytes memory args, Totals t, Position p) internal view virtual returns (Position, uint256 excess);

    /// @dev Contributions are taken in the half-open interval `[opens, closes)`, before an outcome, and while not paused.
    function _requireOpen(bytes memory args, Totals t) internal view {
        if (block.timestamp < args.opens() || block.timestamp >= args.closes() || !t.takesContributions()) {
            bool inTime = block.timestamp >= args.opens() && block.timestamp < args.closes();
            if (inTime && t.isPaused()) revert ContributionsPaused();
            revert SaleNotOpen(args.opens(), args.closes(), t.outcome());
        }
    }

    /// @dev The terms of this clone. The shared code itself is no sale and takes nothing.
    function _args() internal view override returns (bytes memory) {
        _requireSale();
        return SaleArgs.load();
    }

    function _requireSale() private view {
        if (address(this) == IMPLEMENTATION) revert NotASale();
    }

    /// @return What a success keeps for the beneficiary, payment base units.
    function _kept(bytes memory args, Totals t) internal pure returns (uint256) {
        return Math.min(t.raised(), args.hardCap());
    }

    /// @dev The last contribution is filled in part, up to the hard cap or the end of the phases that the investor is eligible
    /// for. Limits are checked on the investor's total after it, and the minimum not on a contribution that filled the sale, so
    /// that a remainder below the minimum can still be bought.
    function _contribute(bytes memory args, address investor, uint256 amount, bytes calldata eligibility)
        private
        returns (uint256 accepted, uint256 tokens)
    {
        Totals t = $totals;
        _requireOpen(args, t);
        if (investor == address(0) || investor == address(this)) revert InvalidInvestor(investor);

        Position p = $positions[investor];
        if (p.isRejected()) revert InvestorRejected(investor);
        uint256 limit = args.maxPaid();
        // No part is above what is left, caps and limits keep every sum far below 2^121, and `Ledger` checks what is written.
        unchecked {
            while (accepted != amount) {
                (uint256 phase, uint256 part, uint256 bought) =
                    _nextPart(args, t.raised() + accepted, amount - accepted);
                if (part == 0) break;
                if (args.gate(phase) != Gate.Open) {
                    (bool eligible, uint256 personal) = _eligible(args, investor, eligibility, accepted == 0, phase);
                    if (!eligible) break;
                    if (personal < limit) limit = personal;
                }
                accepted += part;
                tokens += bought;
                (uint256 paid, uint256 raised, uint256 sold) = (p.paid() + accepted, t.raised() + accepted, t.sold());
                if (_allotsAtOnce()) sold += tokens;
                else bought = 0;
                emit Contributed(investor, msg.sender, phase, part, bought, paid, raised, sold);
            }
            if (accepted == 0 && amount != 0) revert SoldOut(args.hardCap());
            if (tokens == 0) revert ZeroTokens(amount);
            if (!_allotsAtOnce()) tokens = 0;
            t = Ledger.totals(t.raised() + accepted, t.sold() + tokens);
            p = Ledger.position(p.paid() + accepted, p.tokens() + tokens, _timeMark(args));
        }
        if (p.paid() > limit) revert AboveMaximum(limit, p.paid());
        if (p.paid() < args.minPaid() && !_isSoldOut(args, t.raised())) revert BelowMinimum(args.minPaid(), p.paid());
        $totals = t;
        $positions[investor] = p;

        Currency currency = args.currency();
        if (!currency.isEther()) {
            _pull(currency, accepted);
        } else if (accepted != amount) {
            emit ExcessReturned(msg.sender, amount - accepted);
            _return(currency, amount - accepted);
        }
    }

    /// @dev A contribution sets the guard where it hands control on, and only checks it else: most of them, paid in ether and
    /// taken in full, never do.
    function _pull(Currency currency, uint256 amount) private nonReentrant {
        currency.pull(msg.sender, address(this), amount);
    }

    function _return(Currency currency, uint256 amount) private nonReentrant {
        currency.send(msg.sender, amount);
    }

    /// @dev Whoever sees the permit can use it first. What matters is the allowance, and the transfer asks for that.
    function _tryPermit(address token, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        private
        nonReentrant
    {
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }

    /// @dev Reverts where the investor is not eligible and nothing has been taken yet; else what was taken so far stands.
    /// @return eligible Whether the investor may contribute in a gated phase.
    /// @return personal Most it may have paid after it.
    function _eligible(
        bytes memory args,
        address investor,
        bytes calldata eligibility,
        bool nothingTaken,
        uint256 phase
    ) private view returns (bool eligible, uint256 personal) {
        Gate gate = args.gate(phase);
        address signer;
        uint256 epoch;
        Verdict verdict;
        if (gate == Gate.Voucher) {
            (signer, epoch) = _voucherSigner(args);
            (verdict, personal) = Gates.voucher(eligibility, phase, investor, signer, epoch);
        } else {
            (verdict, personal) = Gates.list(args.loadRoot(phase), investor, eligibility);
        }
        eligible = verdict == Verdict.Eligible;
        if (!eligible && nothingTaken) Gates.refuse(verdict, investor, eligibility, gate, phase, signer, epoch);
    }

    /// @dev The whole position leaves, and with it its share of the totals.
    function _withdraw(address to) private returns (uint256 amount) {
        bytes memory args = _args();
        Totals t = $totals;
        if (args.coolingOff() == 0) revert NoCoolingOff();
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (to == address(0)) revert InvalidReceiver(to);
        Position p = $positions[msg.sender];
        amount = p.paid();
        if (p.isRejected()) revert InvestorRejected(msg.sender);
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        uint256 until = _coolingOffUntil(args, p);
        if (block.timestamp >= until) revert CoolingOffOver(until);

        t = t.less(p);
        $totals = t;
        $positions[msg.sender] = Ledger.position(0, 0, 0);
        emit Withdrawn(msg.sender, to, amount, p.tokens(), t.raised(), t.sold());
        args.currency().send(to, amount);
    }

    /// @dev What the sale kept stays in the position: it weighs an objection, and no refund can follow a success.
    function _claim(address investor, address to) private returns (uint256 tokens) {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() != Outcome.Succeeded) revert NotClaimable(_state(args, t.outcome()));
        if (to == address(0)) revert InvalidReceiver(to);
        (Position p, uint256 excess) = _settle(args, t, investor);
        uint256 next;
        (tokens, next) = _vested(args, investor, p.tokens());
        if (tokens == 0 && excess == 0) {
            if (p.tokens() == 0) revert NothingToClaim(investor);
            revert NothingVested(investor, next);
        }

        $positions[investor] = Ledger.position(p.paid(), p.tokens() - tokens, p.mark());
        if (tokens != 0) {
            if (args.vesting().duration != 0) $claimed[investor] += tokens;
            emit Claimed(investor, to, tokens);
            IERC20(args.token()).safeTransfer(to, tokens);
        }
        if (excess != 0) _sendExcess(args, investor, to, excess);
    }

    /// @dev The position is emptied before the money leaves, so no path pays it twice.
    function _refund(address investor, address to) private returns (uint256 amount) {
        _requireSale();
        Totals t = $totals;
        Position p = $positions[investor];
        Outcome outcome = t.outcome();
        if ((outcome == Outcome.None || outcome == Outcome.Succeeded) && !p.isRejected()) {
            return _refundExcess(t, investor, to);
        }
        amount = p.paid();
        if (amount == 0) revert NothingToRefund(investor);

        $positions[investor] = Ledger.position(0, 0, p.isRejected() ? Ledger.REJECTED : 0);
        emit Refunded(investor, to, amount);
        SaleArgs.loadCurrency().send(to, amount);
    }

    /// @dev The tokens stay: they may be restricted, and money must not wait for them.
    function _refundExcess(Totals t, address investor, address to) private returns (uint256 excess) {
        bytes memory args = _args();
        if (t.outcome() == Outcome.None) revert NotRefundable(_state(args, Outcome.None));
        Position p;
        (p, excess) = _settle(args, t, investor);
        if (excess == 0) revert NotRefundable(State.Succeeded);
        $positions[investor] = p;
        _sendExcess(args, investor, to, excess);
    }

    function _sendExcess(bytes memory args, address investor, address to, uint256 amount) private {
        emit ExcessRefunded(investor, to, amount);
        args.currency().send(to, amount);
    }

    /// @dev The caller stores the position.
    function _settle(bytes memory args, Totals t, address investor) private returns (Position, uint256 excess) {
        Position before = $positions[investor];
        Position p;
        (p, excess) = _settled(args, t, before);
        if (p.mark() != before.mark()) emit Settled(investor, p.paid(), p.tokens(), excess);
        return (p, excess);
    }

    /// @return amount Token base units that are free and not claimed, of `tokens` that are not claimed.
    /// @return next Second from which more is free.
    function _vested(bytes memory args, address investor, uint256 tokens)
        private
        view
        returns (uint256 amount, uint256 next)
    {
        Vesting memory v = args.vesting();
        if (v.duration == 0) return (tokens, 0);
        uint256 start = $settlement.settledAt;
        uint256 claimed = $claimed[investor];
        uint256 elapsed = block.timestamp - start;
        amount = Schedule.freed(claimed + tokens, v.atOnce, v.cliff, v.duration, elapsed) - claimed;
        next = start + Math.max(v.cliff, elapsed + 1);
    }

    /// @dev An outcome ends the time for withdrawals and rejections: nobody may cut them off before the end. So a sale with a
    /// cooling-off never closes early, and one with compliance at its word alone.
    function _closesEarly(bytes memory args, Totals t) private view returns (bool) {
        if (args.coolingOff() != 0 || !_isSoldOut(args, t.raised())) return false;
        address account = _compliance(args);
        return account == address(0) || msg.sender == account;
    }

    /// @dev An outcome must never depend on the sold token, which is the team's: if it refuses, the unsold stay here and
    /// `returnUnsold` can be called again.
    function _tryReturnUnsold() private {
        uint256 available = gasleft();
        if (available < RETURN_GAS) revert GasTooLow(available, RETURN_GAS);
        try this.returnUnsold() {} catch {}
    }

    /// @dev Rounded up, so that nobody's cooling-off is shorter than the terms say.
    function _timeMark(bytes memory args) private view returns (uint256) {
        if (args.coolingOff() == 0) return 0;
        return Math.ceilDiv(block.timestamp - args.opens(), MARK_UNIT);
    }

    /// @dev Never past the end: from then on the outcome is certain.
    function _coolingOffUntil(bytes memory args, Position p) private pure returns (uint256) {
        if (args.coolingOff() == 0) return 0;
        return Math.min(args.closes(), args.opens() + p.mark() * MARK_UNIT + args.coolingOff());
    }

    function _state(bytes memory args, Outcome outcome) private view returns (State) {
        if (outcome == Outcome.Succeeded) return State.Succeeded;
        if (outcome == Outcome.Failed) return State.Failed;
        if (outcome == Outcome.Cancelled) return State.Cancelled;
        if (block.timestamp < args.opens()) return State.Upcoming;
        return block.timestamp < args.closes() ? State.Open : State.Ended;
    }

    function _vault(bytes memory args) private view returns (address) {
        bytes memory vaultArgs = VaultArgs.pack(address(this), args.beneficiary(), args.currency(), args.tap());
        return Clones.predictDeterministicAddressWithImmutableArgs(VAULT_IMPLEMENTATION, vaultArgs, 0, args.factory());
    }
}
