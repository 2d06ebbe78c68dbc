// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IRefundVault} from "./interfaces/IRefundVault.sol";
import {ISale} from "./interfaces/ISale.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {Currency} from "./types/Currency.sol";

/// @title RefundVault
/// @notice Takes the money of a successful sale and pays it to the beneficiary.
/// @dev Counts what it received itself; what anyone forces upon it changes nothing.
contract RefundVault is IRefundVault, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev One slot.
    struct Account {
        uint128 received;
        uint128 released;
    }

    address private immutable IMPLEMENTATION = address(this);

    Account private $account;

    /// @inheritdoc IRefundVault
    receive() external payable {
        (address sale_,,) = _args();
        if (msg.sender != sale_) revert OnlySale(sale_, msg.sender);
    }

    /// @inheritdoc IRefundVault
    function release() external nonReentrant returns (uint256 amount) {
        (address sale_, address beneficiary_, Currency currency_) = _args();
        Account memory a = $account;
        if (a.received == 0) a.received = ISale(payable(sale_)).sweep().toUint128();
        amount = a.received - a.released;
        if (amount == 0) revert NothingToRelease(a.received, a.released);

        a.released += amount.toUint128();
        $account = a;
        emit Released(beneficiary_, amount, a.released);
        currency_.send(beneficiary_, amount);
    }

    /// @inheritdoc IRefundVault
    function account() external view returns (uint256 received, uint256 released) {
        return ($account.received, $account.released);
    }

    /// @inheritdoc IRefundVault
    function sale() external view returns (address sale_) {
        (sale_,,) = _args();
    }

    /// @inheritdoc IRefundVault
    function beneficiary() external view returns (address beneficiary_) {
        (, beneficiary_,) = _args();
    }

    /// @inheritdoc IRefundVault
    function currency() external view returns (address) {
        (,, Currency currency_) = _args();
        return Currency.unwrap(currency_);
    }

    function _args() private view returns (address sale_, address beneficiary_, Currency currency_) {
        if (address(this) == IMPLEMENTATION) revert NotAVault();
        return VaultArgs.unpack(Clones.fetchCloneArgs(address(this)));
    }
}
