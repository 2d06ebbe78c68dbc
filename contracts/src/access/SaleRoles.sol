// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISale} from "../interfaces/ISale.sol";
import {SaleArgs} from "../libraries/SaleArgs.sol";
import {ClonedOwnable} from "./ClonedOwnable.sol";

/// @title SaleRoles
/// @notice Who runs a sale: the owner, who names the others; compliance, who may reject; the signer of vouchers. The first of
/// each stand in the sale's code, later ones in storage. Each may be a contract, a Safe for one.
abstract contract SaleRoles is ISale, ClonedOwnable {
    using SaleArgs for bytes;

    struct VoucherSigner {
        address signer;
        uint64 epoch;
    }

    struct Compliance {
        address account;
        bool named;
    }

    /// @dev Zero epoch: the signer is the one in the code.
    VoucherSigner private $signer;
    Compliance private $compliance;
    bytes32[] private $whitepapers;

    /// @inheritdoc ISale
    function setVoucherSigner(address signer) external onlyOwner {
        if (signer == address(0)) revert SignerZero();
        uint64 epoch = $signer.epoch + 1;
        $signer = VoucherSigner({signer: signer, epoch: epoch});
        emit VoucherSignerChanged(signer, epoch);
    }

    /// @inheritdoc ISale
    function setCompliance(address account) external onlyOwner {
        $compliance = Compliance({account: account, named: true});
        emit ComplianceChanged(account);
    }

    /// @inheritdoc ISale
    function supersedeWhitepaper(bytes32 hash, string calldata uri) external onlyOwner {
        uint256 count = $whitepapers.length;
        if (count != 0 && $whitepapers[count - 1] == hash) revert WhitepaperUnchanged(hash);
        $whitepapers.push(hash);
        emit WhitepaperSuperseded(count + 1, hash, uri);
    }

    /// @inheritdoc ISale
    function compliance() external view returns (address) {
        return _compliance(_args());
    }

    /// @inheritdoc ISale
    function voucherSigner() external view returns (address signer, uint256 epoch) {
        return _voucherSigner(_args());
    }

    /// @inheritdoc ISale
    function whitepapers() external view returns (bytes32[] memory) {
        return $whitepapers;
    }

    /// @dev The terms of this clone.
    function _args() internal view virtual returns (bytes memory);

    /// @dev One storage slot: vouchers are checked on the path of every gated contribution.
    function _voucherSigner(bytes memory args) internal view returns (address signer, uint256 epoch) {
        VoucherSigner memory s = $signer;
        return s.epoch == 0 ? (args.signer(), 0) : (s.signer, s.epoch);
    }

    function _compliance(bytes memory args) internal view returns (address) {
        Compliance memory c = $compliance;
        return c.named ? c.account : args.compliance();
    }

    function _checkCompliance(bytes memory args) internal view {
        address account = _compliance(args);
        if (msg.sender != account) revert OnlyCompliance(account, msg.sender);
    }

    /// @inheritdoc ClonedOwnable
    function _firstOwner() internal view override returns (address) {
        return _args().owner();
    }
}
