// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ISale} from "./interfaces/ISale.sol";
import {Ledger, Position, Totals} from "./libraries/Ledger.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {Currency} from "./types/Currency.sol";
import {Outcome, SaleTerms, State, Unsold} from "./types/SaleTypes.sol";

/// @title Sale
/// @notice Ledger, states and outcomes that every mode shares; a mode adds the price.
/// @dev A clone reads its terms from its own code (`SaleArgs`). Storage holds only what investors and outcomes change.
abstract contract Sale is ISale, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SaleArgs for bytes;

    /// @dev Touched once or twice in a sale's life, so it stays out of the slot that every contribution writes.
    struct Settlement {
        bool swept;
        bool unsoldReturned;
    }

    /// @dev What the sold token gets at least to move the unsold.
    uint256 private constant RETURN_GAS = 200_000;

    address private immutable IMPLEMENTATION;
    address private immutable FACTORY;
    address private immutable VAULT_IMPLEMENTATION;

    /// @dev Neither sum ever goes down: refunds and claims empty positions, not history.
    Totals private $totals;
    Settlement private $settlement;
    /// @dev `paid` is the exact refund.
    mapping(address investor => Position) private $positions;

    /// @param vaultImplementation Code of the vaults that the deployer, a factory, creates beside its sales.
    constructor(address vaultImplementation) {
        IMPLEMENTATION = address(this);
        FACTORY = msg.sender;
        VAULT_IMPLEMENTATION = vaultImplementation;
    }

    /// @inheritdoc ISale
    receive() external payable nonReentrant {
        bytes memory args = _args();
        if (!args.currency().isEther()) revert EtherNotAccepted(Currency.unwrap(args.currency()));
        _contribute(args, msg.sender, msg.value);
    }

    /// @inheritdoc ISale
    function contribute(address investor, uint256 amount, bytes calldata eligibility)
        external
        payable
        nonReentrant
        returns (uint256 accepted, uint256 tokens)
    {
        bytes memory args = _args();
        uint256 expected = args.currency().isEther() ? amount : 0;
        if (msg.value != expected) revert WrongValue(expected, msg.value);
        if (eligibility.length != 0) revert EligibilityNotExpected();
        return _contribute(args, investor, amount);
    }

    /// @inheritdoc ISale
    function close() external {
        bytes memory args = _args();
        Totals t = $totals;
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (block.timestamp < args.closes() && !_isSoldOut(args, t.raised())) revert SaleNotEnded(args.closes());

        Outcome outcome = t.raised() < args.softCap() ? Outcome.Failed : Outcome.Succeeded;
        $totals = t.withOutcome(outcome);
        emit Closed(outcome, t.raised(), t.sold());
        _tryReturnUnsold();
    }

    /// @inheritdoc ISale
    function cancel() external {
        bytes memory args = _args();
        Totals t = $totals;
        if (msg.sender != args.owner()) revert OnlyOwner(args.owner(), msg.sender);
        if (t.outcome() != Outcome.None) revert AlreadyClosed(t.outcome());
        if (block.timestamp >= args.closes()) revert CancelTooLate(args.closes());
        if (t.raised() >= args.softCap()) revert SoftCapReached(args.softCap(), t.raised());

        $totals = t.withOutcome(Outcome.Cancelled);
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
        address to = succeeded && args.unsold() == Unsold.Burn ? address(0) : args.owner();
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
    function refund(address investor) external nonReentrant returns (uint256 amount) {
        return _refund(investor, investor);
    }

    /// @inheritdoc ISale
    function refundTo(address to) external nonReentrant returns (uint256 amount) {
        return _refund(msg.sender, to);
    }

    /// @inheritdoc ISale
    function sweep() external nonReentrant returns (uint256 amount) {
        bytes memory args = _args();
        address vault_ = _vault(args);
        if (msg.sender != vault_) revert OnlyVault(vault_, msg.sender);
        Totals t = $totals;
        if (t.outcome() != Outcome.Succeeded) revert NotClaimable(_state(args, t.outcome()));
        if ($settlement.swept) revert AlreadySwept();

        $settlement.swept = true;
        amount = t.raised();
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
    function positionOf(address investor) external view returns (uint256 paid, uint256 tokens) {
        Position p = $positions[investor];
        return (p.paid(), p.tokens());
    }

    /// @inheritdoc ISale
    function vault() external view returns (address) {
        return _vault(_args());
    }

    /// @dev The next part of a contribution of `left`, as far as one price reaches, when `raised` is taken already.
    /// @return phase Index of the phase whose price applies.
    /// @return amount Payment base units of the part; zero at the hard cap.
    /// @return tokens Token base units it buys, rounded down: against the buyer.
    function _nextPart(bytes memory args, uint256 raised, uint256 left)
        internal
        view
        virtual
        returns (uint256 phase, uint256 amount, uint256 tokens);

    /// @dev Whether what is left below the hard cap buys nothing.
    function _isSoldOut(bytes memory args, uint256 raised) internal view virtual returns (bool);

    /// @dev Contributions are taken in the half-open interval `[opens, closes)` and before an outcome.
    function _requireOpen(bytes memory args, Outcome outcome) internal view {
        if (block.timestamp < args.opens() || block.timestamp >= args.closes() || outcome != Outcome.None) {
            revert SaleNotOpen(args.opens(), args.closes(), outcome);
        }
    }

    /// @dev The terms of this clone. The shared code itself is no sale and takes nothing.
    function _args() internal view returns (bytes memory) {
        if (address(this) == IMPLEMENTATION) revert NotASale();
        return SaleArgs.load();
    }

    function _loadTotals() internal view returns (Totals) {
        return $totals;
    }

    /// @dev The hard cap fills the last contribution in part; limits are checked on the investor's total after it, and the
    /// minimum not on a contribution that filled the sale, so that a remainder below the minimum can still be bought.
    function _contribute(bytes memory args, address investor, uint256 amount)
        private
        returns (uint256 accepted, uint256 tokens)
    {
        Totals t = $totals;
        _requireOpen(args, t.outcome());
        if (investor == address(0) || investor == address(this)) revert InvalidInvestor(investor);

        Position p = $positions[investor];
        (uint256 raised, uint256 sold, uint256 paid) = (t.raised(), t.sold(), p.paid());
        uint256 left = amount;
        while (left != 0) {
            (uint256 phase, uint256 part, uint256 bought) = _nextPart(args, raised, left);
            if (part == 0) break;
            // No part is above `left`, caps keep every sum of money below 2^121, and `Ledger` checks what is written.
            unchecked {
                left -= part;
                tokens += bought;
                raised += part;
                sold += bought;
                paid += part;
            }
            emit Contributed(investor, msg.sender, phase, part, bought, paid, raised, sold);
        }
        unchecked {
            accepted = amount - left;
        }
        if (accepted == 0 && amount != 0) revert SoldOut(args.hardCap());
        if (tokens == 0) revert ZeroTokens(amount);
        if (paid > args.maxPaid()) revert AboveMaximum(args.maxPaid(), paid);
        if (paid < args.minPaid() && raised != args.hardCap()) revert BelowMinimum(args.minPaid(), paid);
        $totals = Ledger.totals(raised, sold);
        $positions[investor] = Ledger.position(paid, p.tokens() + tokens);

        Currency currency = args.currency();
        if (!currency.isEther()) {
            currency.pull(msg.sender, address(this), accepted);
        } else if (left != 0) {
            emit ExcessReturned(msg.sender, left);
            currency.send(msg.sender, left);
        }
    }

    /// @dev `paid` stays: it is history, and no refund can follow a success.
    function _claim(address investor, address to) private returns (uint256 tokens) {
        bytes memory args = _args();
        Outcome outcome = $totals.outcome();
        if (outcome != Outcome.Succeeded) revert NotClaimable(_state(args, outcome));
        if (to == address(0)) revert InvalidReceiver(to);
        Position p = $positions[investor];
        tokens = p.tokens();
        if (tokens == 0) revert NothingToClaim(investor);

        $positions[investor] = Ledger.position(p.paid(), 0);
        emit Claimed(investor, to, tokens);
        IERC20(args.token()).safeTransfer(to, tokens);
    }

    /// @dev The position is emptied before the money leaves, so no path pays it twice.
    function _refund(address investor, address to) private returns (uint256 amount) {
        bytes memory args = _args();
        Outcome outcome = $totals.outcome();
        if (outcome != Outcome.Failed && outcome != Outcome.Cancelled) revert NotRefundable(_state(args, outcome));
        if (to == address(0)) revert InvalidReceiver(to);
        amount = $positions[investor].paid();
        if (amount == 0) revert NothingToRefund(investor);

        $positions[investor] = Ledger.position(0, 0);
        emit Refunded(investor, to, amount);
        args.currency().send(to, amount);
    }

    /// @dev An outcome must never depend on the sold token, which is the team's: if it refuses, the unsold stay here and
    /// `returnUnsold` can be called again.
    function _tryReturnUnsold() private {
        uint256 available = gasleft();
        if (available < RETURN_GAS) revert GasTooLow(available, RETURN_GAS);
        try this.returnUnsold() {} catch {}
    }

    function _state(bytes memory args, Outcome outcome) private view returns (State) {
        if (outcome == Outcome.Succeeded) return State.Succeeded;
        if (outcome == Outcome.Failed) return State.Failed;
        if (outcome == Outcome.Cancelled) return State.Cancelled;
        if (block.timestamp < args.opens()) return State.Upcoming;
        return block.timestamp < args.closes() ? State.Open : State.Ended;
    }

    function _vault(bytes memory args) private view returns (address) {
        bytes memory vaultArgs = VaultArgs.pack(address(this), args.beneficiary(), args.currency());
        return Clones.predictDeterministicAddressWithImmutableArgs(VAULT_IMPLEMENTATION, vaultArgs, 0, FACTORY);
    }
}
