// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IRefundVault} from "./interfaces/IRefundVault.sol";
import {ISale} from "./interfaces/ISale.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {Currency} from "./types/Currency.sol";
import {Tap} from "./types/SaleTypes.sol";

/// @title RefundVault
/// @notice Takes the money of a successful sale and pays it to the beneficiary, by and by, unless investors stop it.
/// @dev Counts what it received itself; what anyone forces upon it changes nothing.
contract RefundVault is IRefundVault, ReentrancyGuardTransient {
    using SafeCast for uint256;

    struct Args {
        address sale;
        address beneficiary;
        Currency currency;
        Tap tap;
    }

    /// @dev One slot.
    struct Account {
        uint128 received;
        uint128 released;
    }

    /// @dev One slot; `since` is the second from which the schedule counts.
    struct Objections {
        uint128 weight;
        uint40 since;
        bool stopped;
    }

    struct Investor {
        bool objected;
        bool refunded;
    }

    address private immutable IMPLEMENTATION = address(this);

    Account private $account;
    Objections private $objections;
    mapping(address investor => Investor) private $investors;

    /// @inheritdoc IRefundVault
    receive() external payable {
        Args memory a = _args();
        if (msg.sender != a.sale) revert OnlySale(a.sale, msg.sender);
    }

    /// @inheritdoc IRefundVault
    function release() external nonReentrant returns (uint256 amount) {
        Args memory a = _args();
        return _release(a, a.beneficiary);
    }

    /// @inheritdoc IRefundVault
    function releaseTo(address to) external nonReentrant returns (uint256 amount) {
        Args memory a = _args();
        if (msg.sender != a.beneficiary) revert OnlyBeneficiary(a.beneficiary, msg.sender);
        if (to == address(0)) revert InvalidReceiver(to);
        return _release(a, to);
    }

    /// @inheritdoc IRefundVault
    function object() external nonReentrant returns (uint256 objected) {
        Args memory a = _args();
        if (a.tap.objection == 0) revert NoObjection();
        (Account memory acc, Objections memory o) = _take(a);
        if (o.stopped) revert TapIsStopped(acc.received - acc.released);
        uint256 complete = o.since + a.tap.duration;
        if (block.timestamp >= complete) revert ObjectionTooLate(complete);
        if ($investors[msg.sender].objected) revert AlreadyObjected(msg.sender);
        uint256 weight = ISale(payable(a.sale)).stakeOf(msg.sender);
        if (weight == 0) revert NoStake(msg.sender);

        $investors[msg.sender].objected = true;
        objected = o.weight + weight;
        o.weight = objected.toUint128();
        emit Objected(msg.sender, weight, objected);
        if (objected > _needed(a, acc)) {
            o.stopped = true;
            emit TapStopped(acc.received - acc.released, objected);
        }
        $objections = o;
    }

    /// @inheritdoc IRefundVault
    function refundFor(address investor) external nonReentrant returns (uint256 amount) {
        return _refund(investor, investor);
    }

    /// @inheritdoc IRefundVault
    function refundTo(address to) external nonReentrant returns (uint256 amount) {
        return _refund(msg.sender, to);
    }

    /// @inheritdoc IRefundVault
    function account() external view returns (uint256 received, uint256 released) {
        return ($account.received, $account.released);
    }

    /// @inheritdoc IRefundVault
    function releasable() external view returns (uint256 due) {
        Objections memory o = $objections;
        return o.stopped ? 0 : _due(_args(), $account, o);
    }

    /// @inheritdoc IRefundVault
    function objections() external view returns (uint256 objected, uint256 needed, bool stopped) {
        Objections memory o = $objections;
        return (o.weight, _needed(_args(), $account), o.stopped);
    }

    /// @inheritdoc IRefundVault
    function hasObjected(address investor) external view returns (bool) {
        return $investors[investor].objected;
    }

    /// @inheritdoc IRefundVault
    function refundable(address investor) external view returns (uint256) {
        if (!$objections.stopped || $investors[investor].refunded) return 0;
        return _shareOf(_args(), $account, investor);
    }

    /// @inheritdoc IRefundVault
    function tap() external view returns (Tap memory) {
        return _args().tap;
    }

    /// @inheritdoc IRefundVault
    function sale() external view returns (address) {
        return _args().sale;
    }

    /// @inheritdoc IRefundVault
    function beneficiary() external view returns (address) {
        return _args().beneficiary;
    }

    /// @inheritdoc IRefundVault
    function currency() external view returns (address) {
        return Currency.unwrap(_args().currency);
    }

    function _release(Args memory a, address to) private returns (uint256 amount) {
        (Account memory acc, Objections memory o) = _take(a);
        if (o.stopped) revert TapIsStopped(acc.received - acc.released);
        amount = _due(a, acc, o);
        if (amount == 0) revert NothingToRelease(acc.received, acc.released, o.since + a.tap.duration);

        acc.released += amount.toUint128();
        $account = acc;
        emit Released(a.beneficiary, to, amount, acc.released);
        a.currency.send(to, amount);
    }

    /// @dev What was released stays constant once the tap is stopped, so the shares do not depend on their order.
    function _refund(address investor, address to) private returns (uint256 amount) {
        Args memory a = _args();
        Account memory acc = $account;
        Objections memory o = $objections;
        if (!o.stopped) revert TapNotStopped(o.weight, _needed(a, acc));
        if (to == address(0)) revert InvalidReceiver(to);
        amount = $investors[investor].refunded ? 0 : _shareOf(a, acc, investor);
        if (amount == 0) revert NothingToRefund(investor);

        $investors[investor].refunded = true;
        emit RestRefunded(investor, to, amount);
        a.currency.send(to, amount);
    }

    /// @dev The first time, brings the money here from the sale.
    function _take(Args memory a) private returns (Account memory acc, Objections memory o) {
        (acc, o) = ($account, $objections);
        if (acc.received != 0) return (acc, o);
        ISale sale_ = ISale(payable(a.sale));
        acc.received = sale_.sweep().toUint128();
        o.since = sale_.settledAt().toUint40();
        ($account, $objections) = (acc, o);
    }

    function _due(Args memory a, Account memory acc, Objections memory o) private view returns (uint256) {
        uint256 elapsed = block.timestamp - o.since;
        return Schedule.freed(acc.received, a.tap.atOnce, 0, a.tap.duration, elapsed) - acc.released;
    }

    /// @dev Rounded down: stakes add up to at most what was received, so the shares to at most the rest.
    function _shareOf(Args memory a, Account memory acc, address investor) private view returns (uint256) {
        return Math.mulDiv(ISale(payable(a.sale)).stakeOf(investor), acc.received - acc.released, acc.received);
    }

    /// @dev Rounded down: an objection must be above it, so the share in the terms is always exceeded.
    function _needed(Args memory a, Account memory acc) private pure returns (uint256) {
        return Math.mulDiv(acc.received, a.tap.objection, Schedule.WHOLE);
    }

    function _args() private view returns (Args memory a) {
        if (address(this) == IMPLEMENTATION) revert NotAVault();
        (a.sale, a.beneficiary, a.currency, a.tap) = VaultArgs.unpack(Clones.fetchCloneArgs(address(this)));
    }
}
